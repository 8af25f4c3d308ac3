"""The files of what was generated: under new names, in folders that were allowed, and the newest of them alone."""

import collections
import contextlib
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from workshop import ROOT
from workshop.errors import UserError
from workshop.files import explain
from workshop.osc.places import Places
from workshop.visible import visible_line

#: Where they go unless another folder is asked for.
FOLDER = ROOT / "data" / "generated" / "osc"
#: How many are kept.
MOST = 200
#: What may be read to go on from, besides the folders that files go to.
READABLE = ROOT / "data"

#: The names of files that are made here.
_OWN = re.compile(r"(?:text|notes|sound|loop|fade|pingpong|walk)-(\d{6})\.(?:txt|mid|wav|png)")


class Kept:
    """Writes files, and deletes the oldest of its own. Any thread may ask for the folder, and one writes.

    Args:
        allowed: folders that files may go to, besides `FOLDER`.
        places: how paths are called by those who ask.
        folder: where they go first.
        most: how many are kept; a sound and its picture are one.
    """

    def __init__(self, allowed: Sequence[Path], places: Places, folder: Path = FOLDER, most: int = MOST):
        self.places, self._most = places, most
        self._allowed = [_made(path) for path in (folder, *allowed)]
        self.folder = self._allowed[0]
        self._lock = threading.Lock()
        #: The files of each, the oldest first; what an earlier server has made in the first folder is among them.
        self._made = collections.deque(files for _, files in sorted(_own_files(self.folder).items()))

    def change_folder(self, text: str) -> Path:
        """Let files go to another folder, which is made where it is missing; without a root it is one of the first.

        Raises:
            UserError: it is in no folder that was allowed, or cannot be made.
        """
        asked = self._within(self.places.inward(text), self._allowed)
        if asked is None:
            raise UserError(
                f"{visible_line(text)[:200]} is not in a folder that files may go to, which are "
                f"{' and '.join(map(self.places.outward, self._allowed))}: start the server with --allow FOLDER"
            )
        with self._lock:
            self.folder = _made(asked)
        return self.folder

    def readable(self, text: str) -> Path:
        """A file that was named to be read.

        Raises:
            UserError: it lies elsewhere than files for networks do.
        """
        found = self._within(self.places.inward(text), [READABLE, *self._allowed])
        if found is None:
            raise UserError(
                f"{visible_line(text)[:200]} is not read: a prompt lies in {self.places.outward(READABLE)}, or in a "
                "folder that the server was started with, by --allow FOLDER"
            )
        return found

    def _within(self, path: Path, folders: Sequence[Path]) -> Path | None:
        """The path without links and dots if it is in one of these folders."""
        try:
            whole = (self._allowed[0] / path).resolve()
        except (OSError, ValueError, RuntimeError):  # the last one, before Python 3.13, of a link to itself
            return None
        return whole if any(whole.is_relative_to(folder.resolve()) for folder in folders) else None

    def keep(self, kind: str, saves: Mapping[str, Callable[[Path], object]]) -> list[Path]:
        """Write files of one name that none has had, and delete the oldest ones.

        Args:
            kind: the beginning of the name, such as `sound`.
            saves: what writes the file, by suffix.

        Raises:
            UserError: one cannot be written.
        """
        with self._lock:
            folder = self.folder
        with contextlib.suppress(OSError):  # why it cannot be made is said where the first file cannot
            folder.mkdir(exist_ok=True)  # it may have been removed meanwhile
        files = _reserved(folder, kind, list(saves))
        try:
            for file, save in zip(files, saves.values(), strict=True):
                save(file)
        except BaseException:
            _remove(files)
            raise
        self._made.append(files)
        while len(self._made) > self._most:
            _remove(self._made.popleft())
        return files


def _remove(files: Sequence[Path]) -> None:
    for file in files:
        with contextlib.suppress(OSError):  # it, or its folder, may be gone
            file.unlink()


def _made(folder: Path) -> Path:
    """The folder, which is made where it is missing.

    Raises:
        UserError: it cannot be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {explain(error, folder)}; choose another folder") from error
    return folder.resolve()


def _own_files(folder: Path) -> dict[int, list[Path]]:
    """The files in a folder whose names are of here, by their numbers."""
    found: dict[int, list[Path]] = {}
    for file in folder.iterdir():
        if name := _OWN.fullmatch(file.name):
            found.setdefault(int(name[1]), []).append(file)
    return found


def _reserved(folder: Path, kind: str, suffixes: Sequence[str]) -> list[Path]:
    """Files of the next number, the first of which is there from now on, empty: so nobody else takes the name.

    Raises:
        UserError: it cannot be written.
    """
    try:
        number = max(_own_files(folder), default=0) + 1
        while True:
            files = [folder / f"{kind}-{number:06d}{suffix}" for suffix in suffixes]
            try:
                files[0].touch(exist_ok=False)
            except FileExistsError:
                number += 1
            else:
                return files
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {explain(error, folder)}; choose another folder") from error
