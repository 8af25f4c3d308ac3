"""Ways to spoil an experiment or a disk, and to see what has been changed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

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
    """One bit of an array changed."""
    at = len(content) // 2
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
