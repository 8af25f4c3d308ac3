"""Which files of a kind a folder holds, and what to say when there are none."""

import os
from collections import Counter
from pathlib import Path

from workshop.errors import UserError
from workshop.nearest import did_you_mean

#: A folder with more in it is not one of music. Without an end, a path such as / would be looked through for hours.
MOST_ENTRIES = 1_000_000


def find_files(
    path: Path,
    suffixes: tuple[str, ...],
    kind: str,
    whole: str = "",
    skip: tuple[str, ...] = (),
    most: int = MOST_ENTRIES,
) -> list[Path]:
    """The files that `path` stands for: a file stands for itself, a folder for every file with one of the suffixes in
    it and in the folders below, sorted by relative name; hidden files are left out.

    A file among several that may not be read is in the list: whoever reads it sets it aside with the reason.

    Args:
        path: a file or a folder.
        suffixes: in lower case, with the dot.
        kind: what they are called ("text", "MIDI").
        whole: a file of this name stands for the whole folder.
        skip: names without suffix, in lower case, of files that are about the others and not one of them.
        most: so many files and folders are looked at.

    Raises:
        UserError: there is no such path, it holds no such files or far too many, or its only one may not be read.
    """
    # os.path, unlike pathlib, takes a folder that may not be entered as one that is not there.
    if os.path.isdir(path):
        first = Path(path, whole)
        found = [first] if whole and os.path.isfile(first) else _below(path, suffixes, kind, whole, skip, most)
    elif os.path.isfile(path):
        if not os.path.getsize(path):  # also what is no file on a disk, such as those of /proc, some of which never end
            raise UserError(f"{path} is empty; give one {kind} file or a folder of them")
        found = [path]
    elif os.path.exists(path):
        raise UserError(f"{path} is neither a file nor a folder; give one {kind} file or a folder of them")
    else:
        raise UserError(_no_such_path(path))
    if len(found) == 1 and not os.access(found[0], os.R_OK):
        raise UserError(f"{found[0]} may not be read; change its permissions or give another file")
    return found


def _below(
    folder: Path, suffixes: tuple[str, ...], kind: str, whole: str, skip: tuple[str, ...], most: int
) -> list[Path]:
    """The files in `folder` and below, or a UserError that says what is there instead."""

    def refuse(error: OSError) -> None:
        raise UserError(f"the folder {error.filename} may not be read; change its permissions or give another folder")

    found: list[Path] = []
    others: Counter[str] = Counter()
    for where, folders, names in os.walk(folder, onerror=refuse):
        most -= len(folders) + len(names)
        if most < 0:
            raise UserError(f"{folder} holds far too many files to look through; give a folder of {kind} files alone")
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            file = Path(where, name)
            if name.startswith(".") or not os.path.isfile(file):
                continue
            if file.suffix.lower() in suffixes and file.stem.lower() not in skip:
                found.append(file)
            else:
                others[file.suffix.lower() or file.name] += 1
    if not found:
        there = ", ".join(f"{count} {what}" for what, count in others.most_common(3)) or "nothing"
        wanted = f"an {whole}, or any number of " if whole else ""
        raise UserError(
            f"{folder} has no {kind} files (found: {there}); put {wanted}{' or '.join(suffixes)} files in it"
        )
    return sorted(found, key=lambda file: file.relative_to(folder).as_posix())


def _no_such_path(path: Path) -> str:
    """Name the part of `path` that is missing and the nearest name that is there."""
    missing = path.absolute()
    while not os.path.exists(missing.parent):
        missing = missing.parent
    try:
        siblings = os.listdir(missing.parent)
    except OSError:
        siblings = []
    near = did_you_mean(missing.name, siblings)
    where = "" if missing == path.absolute() else f": {missing.parent} has no {missing.name}"
    return (
        f"there is no {path}{where}{near}; "
        "`python -m workshop.datasets list` shows the sets that are there or can be fetched"
    )
