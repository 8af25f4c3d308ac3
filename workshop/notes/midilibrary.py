"""Read many MIDI files in parallel: broken files are skipped with a reason, and what was read is cached.

The cache key is the content of the files: a changed file is read again, a moved one is not.
"""

import contextlib
import hashlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, TimeoutError
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path

import numpy as np
from pebble import ProcessPool

from workshop import ROOT
from workshop.counting import counted
from workshop.errors import UserError
from workshop.machine import usable_cores
from workshop.notes.midifiles import READER_VERSION, Score, load, read
from workshop.notes.packed_scores import PackedScores, pack
from workshop.run import checkpoint

#: A packed score.
Packed = bytes | memoryview

#: The cache: one file for each folder of music.
CACHE = ROOT / ".workshop" / "midi"
#: Cached scores are stored in blocks of at least so many bytes, so that a block is in memory twice only briefly.
BLOCK_BYTES = 16 << 20
#: Time limit for one file.
MAX_SECONDS = 30.0


@dataclass(frozen=True)
class Library:
    """The contents of a collection of MIDI files.

    Attributes:
        scores: the score of each usable file, in the order of the files; unpacked at each access.
        skipped: for each unusable file a sentence: its name and the reason.
        duplicates: files with the same bytes as an earlier one; left out.
    """

    scores: Mapping[Path, Score]
    skipped: dict[Path, str]
    duplicates: list[Path]


def read_all(files: Sequence[Path], cache: Path | None = None, timeout: float = MAX_SECONDS) -> Library:
    """Read MIDI files; an unreadable one is skipped with its reason.

    Args:
        files: of one folder.
        cache: folder of the cache; by default `CACHE`.
        timeout: seconds after which a file is skipped.
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
                known[digest] = pack(content) if isinstance(content, Score) else content
        finally:  # after Ctrl-C, too
            lasting = {digest: content for digest, content in known.items() if not isinstance(content, _Failure)}
            _save(kept_in, {digest: lasting[digest] for digest in first if digest in lasting})
    scores: dict[Path, Packed] = {}
    skipped, duplicates = dict(unreadable), []
    for file, digest in digests.items():
        kept = known[digest]
        if isinstance(kept, str):
            skipped[file] = f"{file} {kept}"
        elif file == first[digest]:
            scores[file] = kept
        else:
            duplicates.append(file)
    return Library(PackedScores(scores), skipped, duplicates)


def _digests(files: Sequence[Path]) -> tuple[dict[Path, str], dict[Path, str]]:
    """The SHA-256 of each file, and a reason for each file that cannot be read."""
    digests, unreadable = {}, {}
    for file in counted(files, len(files), "reading MIDI files"):
        try:
            digests[file] = hashlib.sha256(load(file)).hexdigest()
        except UserError as error:
            unreadable[file] = str(error)
    return digests, unreadable


def _name(files: Sequence[Path]) -> str:
    """The name of the cache file: a hash of the folder that the files have in common."""
    folder = os.path.commonpath([os.path.realpath(file) for file in files])
    return hashlib.sha256(folder.encode("utf-8", "surrogateescape")).hexdigest()[:16]


# ---- reading in other processes --------------------------------------------------------------------------------------


def _reason(file: Path) -> Score | str:
    """The score of a file, or the reason why it cannot be used, as a continuation of its name."""
    try:
        return read(file)
    except UserError as error:
        return str(error).removeprefix(f"{file} ")


class _Failure(str):
    """A reason that may not hold the next time, so it is not cached."""


def _read_apart(files: list[Path], timeout: float) -> Iterator[Score | str]:
    """The result of `_reason` for each file, from worker processes that may hang, crash or run out of memory."""
    processes = min(usable_cores(), 8, -(-len(files) // 8))
    # "spawn", because a fork of a process with threads (TensorFlow, tqdm) can deadlock.
    context = multiprocessing.get_context("spawn")
    with ProcessPool(max_workers=processes, context=context) as pool:
        try:
            with _interrupts_deferred():
                futures = deque(pool.schedule(_reason, args=[file], timeout=timeout) for file in files)
            for file in counted(files, len(files), "reading MIDI files"):
                try:
                    yield futures.popleft().result()  # popped, so that the result can be freed
                except BrokenExecutor:  # no process can be started, as in a script on standard input
                    yield _reason(file)
                except TimeoutError:
                    yield _Failure(f"takes longer than {timeout:g} seconds to read")
                except Exception:  # the other files are still read
                    yield _Failure("cannot be read: the process that read it crashed")
        finally:
            pool.stop()  # otherwise it would first read all remaining files


@contextlib.contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Block SIGINT for child processes started in this block; in this process it is handled after the block."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield  # only the main thread gets SIGINT, and Windows cannot block it
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


def _save(path: Path, contents: dict[str, Packed | str]) -> None:
    """Keep scores and reasons by digest; where that is impossible, they are read again the next time."""
    blocks: list[list[tuple[str, int]]] = [[]]
    arrays: dict[str, np.ndarray] = {}
    block: list[Packed] = []
    size = 0

    def end_block() -> None:
        arrays[f"block/{len(blocks) - 1}"] = np.frombuffer(b"".join(block), np.uint8)
        block.clear()

    for digest, content in contents.items():
        if isinstance(content, str):
            continue
        if size >= BLOCK_BYTES:
            end_block()
            blocks.append([])
            size = 0
        block.append(content)
        blocks[-1].append((digest, len(content)))
        size += len(content)
    end_block()
    reasons = {digest: content for digest, content in contents.items() if isinstance(content, str)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.save(path, arrays, {"reader": READER_VERSION, "reasons": reasons, "blocks": blocks})
    except (OSError, UserError):
        return


def _load(path: Path) -> dict[str, Packed | str]:
    """What `_save` has kept; nothing where there is nothing, or where it was read by another version or is damaged."""
    try:
        arrays, meta = checkpoint.load(path)
        if meta["reader"] != READER_VERSION:
            return {}
        known: dict[str, Packed | str] = dict(meta["reasons"])
        for number, block in enumerate(meta["blocks"]):
            content, at = arrays[f"block/{number}"].data, 0
            for digest, size in block:
                known[digest] = content[at : at + size]
                at += size
        return known
    except (UserError, KeyError, TypeError, ValueError):
        return {}
