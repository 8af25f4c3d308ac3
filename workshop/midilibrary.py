"""Many MIDI files at once: read in processes of their own, what is broken set aside with its reason, and all of it kept
so that the next time takes no time.

What is kept is known by the content of the files: a file that is changed is read anew, one that is moved is not.
"""

import contextlib
import hashlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, TimeoutError
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path

import numpy as np
from pebble import ProcessPool
from tqdm import tqdm

from workshop import ROOT, checkpoint
from workshop.errors import UserError
from workshop.machine import usable_cores
from workshop.midifiles import READER_VERSION, Part, Score, load, read

#: Where what has been read is kept, a file for each folder of music.
CACHE = ROOT / ".workshop" / "midi"
#: The arrays of a score, which are kept one behind the other; the parts stand beside them.
TABLES = ("notes", "tempos", "bars", "held")
#: A file that takes longer hangs the reader.
MOST_SECONDS = 30.0


@dataclass(frozen=True)
class Library:
    """What a collection of MIDI files holds.

    Attributes:
        scores: what each usable file plays, in the order of the files.
        set_aside: a sentence for each of the others: its name and the reason.
        duplicates: files whose bytes are the same as another one's, which are left out.
    """

    scores: dict[Path, Score]
    set_aside: dict[Path, str]
    duplicates: list[Path]


def read_all(files: Sequence[Path], cache: Path | None = None, timeout: float = MOST_SECONDS) -> Library:
    """Read MIDI files; what cannot be read is set aside and never stops the rest.

    Args:
        files: of one folder.
        cache: folder in which what has been read is kept; without it, `CACHE`.
        timeout: seconds after which a file is given up.
    """
    digests, unreadable = _digests(files)
    first: dict[str, Path] = {}
    for file, digest in digests.items():
        first.setdefault(digest, file)
    kept_in = (cache or CACHE) / f"{_name(files)}.npz"
    known = _load(kept_in)
    missing = {digest: file for digest, file in first.items() if digest not in known}
    if missing:
        try:
            for digest, content in zip(missing, _read_apart(list(missing.values()), timeout), strict=True):
                known[digest] = content
        finally:  # after Ctrl-C, too
            lasting = {digest: content for digest, content in known.items() if not isinstance(content, _Failure)}
            _save(kept_in, {digest: lasting[digest] for digest in first if digest in lasting})
    scores, set_aside, duplicates = {}, dict(unreadable), []
    for file, digest in digests.items():
        content = known[digest]
        if not isinstance(content, Score):
            set_aside[file] = f"{file} {content}"
        elif file == first[digest]:
            scores[file] = content
        else:
            duplicates.append(file)
    return Library(scores, set_aside, duplicates)


def _digests(files: Sequence[Path]) -> tuple[dict[Path, str], dict[Path, str]]:
    """The sha256 of each file, and for those that cannot be read a sentence."""
    digests, unreadable = {}, {}
    for file in files:
        try:
            digests[file] = hashlib.sha256(load(file)).hexdigest()
        except UserError as error:
            unreadable[file] = str(error)
    return digests, unreadable


def _name(files: Sequence[Path]) -> str:
    """A name for what is kept of these files: that of the folder they have in common."""
    folder = os.path.commonpath([os.path.realpath(file) for file in files])
    return hashlib.sha256(folder.encode("utf-8", "surrogateescape")).hexdigest()[:16]


# ---- reading in other processes --------------------------------------------------------------------------------------


def _reason(file: Path) -> Score | str:
    """What a file plays, or why it cannot be used, as what goes on from its name."""
    try:
        return read(file)
    except UserError as error:
        return str(error).removeprefix(f"{file} ")


class _Failure(str):
    """A reason that need not hold the next time: it is not kept."""


def _read_apart(files: list[Path], timeout: float) -> Iterator[Score | str]:
    """What `_reason` says of each file, found in processes that may hang, crash or run out of memory."""
    processes = min(usable_cores(), 8, -(-len(files) // 8))
    # "spawn", because a fork of a process that has threads, as TensorFlow's and tqdm's, may never wake up.
    context = multiprocessing.get_context("spawn")
    with ProcessPool(max_workers=processes, context=context) as pool:
        try:
            with _deaf():
                futures = [pool.schedule(_reason, args=[file], timeout=timeout) for file in files]
            # Without a terminal there is nobody to watch a bar, and a log would fill with it.
            shown = tqdm(futures, "reading MIDI files", unit=" files", leave=False, delay=1, disable=None)
            for file, future in zip(files, shown, strict=True):
                try:
                    yield future.result()
                except BrokenExecutor:  # no process can be started, as from a script that python reads from its input
                    yield _reason(file)
                except TimeoutError:
                    yield _Failure(f"takes longer than {timeout:g} seconds to read")
                except Exception:  # whatever it was, the other files are read
                    yield _Failure("cannot be read: the process that read it broke down")
        finally:
            pool.stop()  # otherwise it would first read all that is left


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Processes that are started meanwhile never hear Ctrl-C; this one hears it afterwards, and ends them."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield  # only the main thread hears it at all, and Windows cannot block it
        return
    resource_tracker.ensure_running()  # it would unblock the signal when the first process starts
    heard: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # new processes inherit this
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        signal.signal(signal.SIGINT, handler)
        if heard:
            signal.raise_signal(signal.SIGINT)


# ---- keeping what has been read --------------------------------------------------------------------------------------


def _save(path: Path, contents: dict[str, Score | str]) -> None:
    """Keep scores and reasons by digest; where that is impossible, they are read again the next time."""
    scores = [content for content in contents.values() if isinstance(content, Score)]
    meta = {
        "reader": READER_VERSION,
        "reasons": {digest: content for digest, content in contents.items() if isinstance(content, str)},
        "digests": [digest for digest, content in contents.items() if isinstance(content, Score)],
        "parts": [[[part.name, part.program, part.is_drums] for part in score.parts] for score in scores],
    }
    arrays = {}
    for name in TABLES:
        tables = [getattr(score, name) for score in scores]
        arrays[name] = np.concatenate(tables) if tables else np.empty(0)
        arrays[f"{name}/sizes"] = np.array([len(table) for table in tables])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.save(path, arrays, meta)
    except (OSError, UserError):
        return


def _load(path: Path) -> dict[str, Score | str]:
    """What `_save` has kept; nothing where there is nothing, or where it was read by another version or is damaged."""
    try:
        arrays, meta = checkpoint.load(path)
        if meta["reader"] != READER_VERSION:
            return {}
        notes, *others = (np.split(arrays[name], np.cumsum(arrays[f"{name}/sizes"])[:-1]) for name in TABLES)
        parts = [tuple(Part(*part) for part in parts) for parts in meta["parts"]]
        scores = [Score(*content) for content in zip(notes, parts, *others, strict=False)]
        return {**meta["reasons"], **dict(zip(meta["digests"], scores, strict=False))}
    except (UserError, KeyError, TypeError, ValueError):
        return {}
