"""Ways to spoil an experiment or a disk, and to see what has been changed."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from workshop.files import write_json


def everything(folder: Path) -> dict[str, bytes | None]:
    """All files and folders with their content."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def change_run(experiment: Path, **changes: object) -> None:
    """Give entries of run.json other values."""
    info = json.loads((experiment / "run.json").read_text("utf-8"))
    write_json(experiment / "run.json", {**info, **changes})


def truncated(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


def flipped(content: bytes) -> bytes:
    """One bit of the largest array changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        largest = max(archive.infolist(), key=lambda member: member.file_size)
    at = largest.header_offset + largest.file_size // 2 + 200
    return content[:at] + bytes([content[at] ^ 16]) + content[at + 1 :]


#: What can happen to a checkpoint.
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": truncated,
    "empty": lambda _: b"",
    "text": lambda _: b"{}",
    "flipped": flipped,
    "no-directory": lambda content: content[:-40],
}


def fill(disk: Path, leave: int = 0) -> Path:
    """Fill a disk with a file, all but some bytes."""
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        size = shutil.disk_usage(disk).free - leave
        assert file.write(bytes(size)) == size
    return filler


#: The part of a name, and what is done before a file of such a name is opened to be written to.
_AWAITED: list[tuple[str, Callable[[], object]]] = []


def _watch(event: str, values: tuple[Any, ...]) -> None:
    if event == "open" and _AWAITED and _AWAITED[0][0] in str(values[0]) and values[2] & (os.O_WRONLY | os.O_RDWR):
        _AWAITED.pop()[1]()


@contextlib.contextmanager
def full_at(disk: Path, name: str) -> Iterator[None]:
    """In this block the disk is full from the moment on at which a file with `name` in its name is first opened to be
    written to; afterwards there is room again.
    """
    if _watch not in _WATCHING:
        _WATCHING.append(_watch)
        sys.addaudithook(_watch)  # for good: there is no way to take it away
    _AWAITED[:] = [(name, lambda: fill(disk))]
    try:
        yield
        assert not _AWAITED, f"nothing called {name} was written"
    finally:
        _AWAITED.clear()
        (disk / "filler").unlink(missing_ok=True)


_WATCHING: list[Callable] = []


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """In this block nothing can be written to the folder, not even by root: it is mounted over itself."""
    for options in (["--bind", str(folder)], ["-o", "remount,bind,ro"]):
        subprocess.run(["mount", *options, str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
