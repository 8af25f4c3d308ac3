"""A folder of files that the workshop generates at set-up: once, again when the generator has changed, and never
after the user has modified it.

Its ``SOURCE.txt`` holds a stamp that says how it was made, and a digest of all its files, by which changes are noticed.
"""

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from workshop.errors import UserError
from workshop.files import explain

#: Leftovers of a killed process are deleted after this many seconds; before, the process may still be running.
LEFT_OVER = 3600


def make(folder: Path, stamp: str, write_all: Callable[[Path], None]) -> bool:
    """Make ``folder`` unless it is up to date or modified by the user; return whether it was made.

    Args:
        folder: where it is to be.
        stamp: how it is made, to be found in its ``SOURCE.txt``.
        write_all: writes everything, ``SOURCE.txt`` last, to the folder that it is given.

    Raises:
        UserError: ``folder`` cannot be written to.
    """
    if is_there(folder, stamp):
        return False
    with replaced(folder) as aside:
        write_all(aside)
    return True


@contextlib.contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A place beside ``folder`` to make a folder in, which replaces it when the block ends well.

    Raises:
        UserError: it cannot be written; nothing is left of it, and ``folder`` is as it was.
    """
    place = folder.resolve()  # the target of a link is replaced, not the link
    aside = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        _remove_leftovers(place)
        yield aside
        _put_in_place(aside, place)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written: {explain(error, folder)}; free some space or choose another folder"
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def is_there(folder: Path, stamp: str = "") -> bool:
    """Return whether ``folder`` is up to date with ``stamp``, or modified by the user."""
    try:
        names = _names(folder)
    except FileNotFoundError:
        return False
    except OSError:  # a file, or a folder that may not be entered: not of ours
        return True
    if not names:
        return False
    try:
        source = (folder / "SOURCE.txt").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    return stamp in source or digest(folder) not in source


def make_if_missing(folder: Path, place: Path, export: Callable[[Path], object], announcement: str) -> None:
    """Make a set where `folder` is its `place`, and nothing is there; say so, since it takes a while.

    Raises:
        UserError: it cannot be made.
    """
    if folder.resolve() == place.resolve() and not is_there(folder):
        print(f"data: {announcement}", flush=True)
        export(folder)


def digest(folder: Path) -> str:
    """Return one sha256 of the names and contents of all files but ``SOURCE.txt``; what is no file counts with its
    name.
    """
    found = hashlib.sha256()
    for name in _names(folder):
        content = (folder / name).read_bytes() if (folder / name).is_file() else b""
        found.update(os.fsencode(name) + b"\0" + hashlib.sha256(content).digest())
    return found.hexdigest()


def _names(folder: Path) -> list[str]:
    """Files and folders in ``folder`` and below, without its SOURCE.txt and what is hidden, sorted."""

    def refuse(error: OSError) -> None:
        raise error

    found: list[str] = []
    for where, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(where, name).relative_to(folder).as_posix() for name in folders + files if name[0] != "."]
    return sorted(name for name in found if name != "SOURCE.txt")


def _put_in_place(aside: Path, folder: Path) -> None:
    """Replace ``folder`` by ``aside``; an interruption in between leaves no folder at all."""
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    if folder.exists():
        folder.rename(old)
    aside.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _remove_leftovers(folder: Path) -> None:
    """Delete what makers that were killed have left beside ``folder``."""
    for leftover in folder.parent.glob(f".{folder.name}.*"):
        if leftover.suffix in (".part", ".old") and time.time() - leftover.stat().st_mtime > LEFT_OVER:
            shutil.rmtree(leftover, ignore_errors=True)
