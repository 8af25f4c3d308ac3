"""Writing files so that a crash at any moment leaves either the old content or the new, never half of it."""

import contextlib
import json
import os
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from workshop.errors import UserError
from workshop.visible import give_out, visible_line

#: No run.json is larger: it would hold a hundred thousand measurements.
MAX_JSON_BYTES = 32 << 20

#: What holds objects in objects to a greater depth is none of our files, and could not be written again.
DEEPEST = 100


def explain(error: OSError, path: Path) -> str:
    """What an error of the operating system means for a person: one clause without a full stop."""
    reason = (error.strerror or str(error)).lower()
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(next(place for place in (path, *path.absolute().parents) if place.is_dir())).free
        if free < 64 << 20:
            return f"{reason} ({free / 2**20:.0f} MB free there)"
    return reason


def short_path(path: Path) -> Path:
    """A path as one would type it here: relative where that is not longer."""
    return min(Path(os.path.relpath(path)), path, key=lambda one: len(str(one)))


@contextlib.contextmanager
def atomic_write(path: Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a temporary file that replaces `path` when the block succeeds and is deleted when it fails.

    Raises:
        OSError: the folder cannot be written or the disk is full; `path` is as it was.
    """
    # Not by the process id: on a shared drive, processes of two computers or containers can have the same.
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(aside, mode.replace("w", "x"), encoding=None if "b" in mode else "utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system lets folders be synchronised."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_leftovers(folder: Path, older_than: float = 0.0) -> None:
    """Delete leftovers of runs that were killed in `atomic_write`, of at least that age in seconds."""
    for leftover in folder.glob(".*.part"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime >= older_than:
                leftover.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8 in place of `path`, making its folder where it is missing.

    Raises:
        UserError: the folder cannot be made or written to, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as file:
            file.write(text.encode("utf-8", "surrogatepass"))
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {explain(error, path)}; free some space or choose another folder"
        ) from error


def write_samples(texts: list[str], out: str | None) -> None:
    """Print several texts, or write them: a single one to the file `out`, several to files in the folder `out`.

    Raises:
        UserError: a file cannot be written.
    """
    if out is None:
        give_out("\n\n".join(f"----- {number} -----\n{text}" for number, text in enumerate(texts, 1)) + "\n")
        return
    path = Path(out)
    several = len(texts) > 1 or path.is_dir()
    for number, text in enumerate(texts, 1):
        file = path / f"sample_{number:02d}.txt" if several else path
        write_text(file, text + "\n")
        print(visible_line(f"written: {file}"), file=sys.stderr)


def free_names(out: str | None, folder: Path, count: int, suffixes: Sequence[str]) -> list[Path]:
    """Paths without suffix for so many samples: `out` itself if it ends like a file, else the next free numbers in the
    folder `out`, or in `folder` where `out` is None. Nothing is overwritten but a file that is named.

    Raises:
        UserError: `out` names one file for several samples.
    """
    if out is not None and Path(out).suffix.lower() in suffixes:
        if count > 1:
            raise UserError(f"--out {out} names one file for {count} samples: name a folder, or add --num_samples 1")
        return [Path(out).with_suffix("")]
    folder = folder if out is None else Path(out)
    taken = [int(file.stem) for file in folder.glob("*") if file.stem.isdecimal()] if folder.is_dir() else []
    first = max(taken, default=0) + 1
    return [folder / f"{number:02d}" for number in range(first, first + count)]


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON in place of `path`; names of files that are no text come back as they are."""
    with atomic_write(path) as file:
        file.write(json.dumps(value, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")


def check_end(path: Path, cure: str) -> None:
    """Check that a file can be read to its end before it is opened: a pipe or a device would be waited for, or have no
    end. Opening a folder raises another error.

    Raises:
        OSError: there is none.
        UserError: it is something else than a file or a folder; `cure` says what to do.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise UserError(f"{path} is neither a file nor a folder; {cure}")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    """Open a file that can be read to its end, and tell its bytes: those of the file that is open, because another one
    may take its place at any moment.

    Raises:
        OSError: there is none.
        UserError: it is something else than a file.
    """
    check_end(path, "take it away")
    with open(path, "rb") as file:
        yield file, os.fstat(file.fileno()).st_size


def read_kept(path: Path) -> bytes:
    """The bytes of a JSON file that the workshop keeps.

    Raises:
        OSError: it cannot be read.
        UserError: it is far too large.
    """
    with reading(path) as (file, size):
        if size > MAX_JSON_BYTES:
            raise UserError(f"{path} is damaged: it is far larger than what the workshop writes")
        return file.read(size)


def read_json(path: Path, typed: bool = False) -> dict[str, Any]:
    """Read a JSON object.

    Args:
        path: the file.
        typed: whether a person may have typed it, so that a name can stand there twice, which is refused.

    Raises:
        UserError: the file cannot be read, is far too large, or is not a JSON object.
    """
    try:
        value = json.loads(read_kept(path), object_pairs_hook=_distinct if typed else None)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {explain(error, path)}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged: it is not valid JSON ({error})") from error
    if not isinstance(value, dict):
        raise UserError(f"{path} is damaged: it should hold a JSON object")
    if _is_deep(value):
        raise UserError(f"{path} is damaged: it is not valid JSON (nested more than {DEEPEST} times)")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; without this check the last of two values would win in silence."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name} stands there twice")
        found[name] = value
    return found


def _is_deep(value: Any) -> bool:
    """Whether a value from JSON holds values in values to more than `DEEPEST` times."""
    level = [value]
    for _ in range(DEEPEST):
        inner = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, (dict, list))]
        level = [value for values in inner for value in values]
    return bool(level)
