"""Files of one's own, which the page puts into the folders `mine` of the data: `data/lyrics/mine` and the like."""

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from workshop import ROOT, lessons
from workshop.commands import command
from workshop.datasets import inspecting
from workshop.datasets.command_line import FOLDERS
from workshop.datasets.generated_folder import LEFT_OVER
from workshop.errors import UserError
from workshop.files import explain, remove_leftovers, short_path
from workshop.folders import KINDS, SUFFIXES
from workshop.visible import label, visible_line

#: The folder of each kind that the page writes to.
MINE = "mine"

#: Bytes of a file, and of a folder, and files in it: what a class drops onto the page, not what fills a disk.
LARGEST, LARGEST_FOLDER, MOST = 64 << 20, 1 << 30, 2_000

#: Characters of a file's name without its suffix.
LONGEST_NAME = 60

#: A folder with a text of this name is that text alone: none that comes from the page has it.
WHOLE = "input"


def kind_of(name: str) -> str:
    """The kind of data that a file of this name holds.

    Raises:
        UserError: no lesson learns from such files.
    """
    suffix = Path(name).suffix.lower()
    for kind in KINDS:
        if suffix in kind.suffixes:
            return kind.name
    known = "; ".join(f"{kind.name}: {' '.join(kind.suffixes[:5])}" for kind in KINDS)
    raise UserError(f"{visible_line(name):.60}: no lesson learns from such a file; take one of these ({known})")


def folder_of(kind: str) -> Path:
    """The folder for files of this kind.

    Raises:
        UserError: there is no such kind, or a link leads out of the clone.
    """
    if kind not in FOLDERS:
        raise UserError(f"there is no kind of data {kind!r:.20}: the kinds are {', '.join(FOLDERS)}")
    folder = ROOT / "data" / FOLDERS[kind] / MINE
    if folder.resolve() != ROOT.resolve() / folder.relative_to(ROOT):
        raise UserError(f"{short_path(folder)} is a link to another place, where the page does not write: copy by hand")
    return folder


class Upload:
    """A file on its way: written aside, and given its name once it is complete.

    Args:
        name: what the browser calls it. It becomes a name in the folder of its kind, never a path.

    Raises:
        UserError: it is of no kind, or the folder is full or cannot be written.
    """

    def __init__(self, name: str):
        name = re.split(r"[/\\]", name)[-1]
        self.kind = kind_of(name)
        self._folder = folder_of(self.kind)
        suffix = Path(name).suffix.lower()
        self._stem, self._suffix = label(name[: -len(suffix)], LONGEST_NAME), suffix
        if self._stem.lower() == WHOLE:
            self._stem = f"{self._stem}-1"
        self._aside = self._folder / f".{secrets.token_hex(8)}.part"
        with self._explained():
            self._folder.mkdir(parents=True, exist_ok=True)
            remove_leftovers(self._folder, LEFT_OVER)
            self._left = min(LARGEST, _room_in(self._folder))
            self._file: BinaryIO = self._aside.open("xb")

    def write(self, piece: bytes) -> None:
        """Add the next piece.

        Raises:
            UserError: the file or the folder becomes too large, or the disk is full.
        """
        self._left -= len(piece)
        if self._left < 0:
            raise UserError(
                f"{self._stem}{self._suffix} is too large: the page takes files of at most {LARGEST >> 20} MB, and "
                f"{LARGEST_FOLDER >> 20:,} MB in all; copy it into {short_path(self._folder)} by hand"
            )
        with self._explained():
            self._file.write(piece)

    def finish(self) -> Path:
        """Give it its name, or the next one that is free; return the file.

        Raises:
            UserError: it is empty, or it cannot be written.
        """
        with self._explained():
            self._file.close()
            if not self._aside.stat().st_size:
                raise UserError(f"{self._stem}{self._suffix} is empty; choose another file")
            file = self._take_name()
            try:
                os.replace(self._aside, file)
            except OSError:
                file.unlink()
                raise
        return file

    def _take_name(self) -> Path:
        """An empty file with a name that nothing had: the upload replaces that alone."""
        for number in range(1, MOST + 2):
            name = self._stem if number == 1 else f"{self._stem}-{number}"
            with contextlib.suppress(FileExistsError):
                file = self._folder / f"{name}{self._suffix}"
                file.open("x").close()
                return file
        raise UserError(f"{self._stem}{self._suffix} is there too often already: give it another name")

    def give_up(self) -> None:
        """Take away what has come of it; after `finish` there is nothing to take away."""
        with contextlib.suppress(OSError):
            self._file.close()
            self._aside.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(
                f"{short_path(self._folder)} cannot be written: {explain(error, self._folder)}; free some space there"
            ) from error


def _room_in(folder: Path) -> int:
    """Bytes that may still be put there.

    Raises:
        UserError: it is full.
    """
    sizes = [found.stat().st_size for found in os.scandir(folder) if found.is_file(follow_symlinks=False)]
    if len(sizes) >= MOST or sum(sizes) >= LARGEST_FOLDER:
        raise UserError(f"{short_path(folder)} is full for the page: copy further files there by hand")
    return LARGEST_FOLDER - sum(sizes)


def verdict(kind: str) -> dict[str, str | bool]:
    """What `inspect` says of the folder of this kind, and the command that trains on it.

    Raises:
        UserError: see `folder_of`; or there is no such file.
    """
    folder = short_path(folder_of(kind))
    report, will_train = inspecting.inspect(folder, kind)
    lesson = lessons.of_kind(kind)
    assert lesson is not None, kind
    return {
        "kind": kind,
        "folder": folder.as_posix(),
        "report": report,
        "will_train": will_train,
        "command": command(lesson.folder / "train.py", "--data_dir", folder),
    }


def accepted() -> dict[str, object]:
    """What the page may offer: the suffixes that it takes, and the most bytes of a file."""
    return {"suffixes": [suffix for kind in FOLDERS for suffix in SUFFIXES[kind]], "largest": LARGEST}
