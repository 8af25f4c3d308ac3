"""Which files of a kind a folder holds, and what to say when there are none."""

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from workshop import lessons
from workshop.errors import UserError
from workshop.files import short_path
from workshop.nearest import did_you_mean

#: A folder with more in it is not one of music. Without an end, a path such as / would be looked through for hours.
MAX_ENTRIES = 1_000_000
#: Names, without suffix, of files that speak about the others and are not one of them.
ABOUT = ("readme", "licence", "license", "copying", "notice", "source", "sources", "attribution", "changelog")
#: A folder with more files of another kind for each text is not one of texts: those speak about the others.
MAX_OTHERS = 4


class NothingFound(UserError):
    """A folder that holds no files of a kind."""


class Kind(NamedTuple):
    """A kind of data: what its files are called, and their suffixes."""

    name: str
    suffixes: tuple[str, ...]


#: All kinds of data, in the order in which a folder is asked for them: texts beside music or sound are about it.
KINDS = (
    Kind("MIDI", (".mid", ".midi", ".kar", ".smf", ".rmi")),
    Kind("audio", (
        ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".aif", ".aiff", ".aifc", ".caf", ".au", ".snd",
        ".w64", ".rf64", ".m4a", ".m4b", ".aac", ".3gp", ".3g2", ".amr", ".qta", ".wma", ".wv", ".mka", ".weba", ".mp4",
        ".m4v", ".mov", ".mkv", ".webm", ".avi",
    )),
    Kind("text", (".txt", ".abc")),
)  # fmt: skip
#: The suffixes of each kind, by its name.
SUFFIXES = {kind.name: kind.suffixes for kind in KINDS}


def find_files(
    path: Path,
    suffixes: tuple[str, ...],
    kind: str,
    whole: str = "",
    skip: tuple[str, ...] = (),
    also: tuple[str, ...] = (),
    most: int = MAX_ENTRIES,
) -> list[Path]:
    """The files at `path`: the file itself, or all files with one of the suffixes in the folder and below, sorted by
    relative name; hidden files are left out.

    An unreadable file among several is in the list: the reader skips it with the reason.

    Args:
        path: a file or a folder.
        suffixes: in lower case, with the dot.
        kind: for messages ("text", "MIDI").
        whole: if the folder has a file of this name, that file alone is taken.
        skip: names without suffix, in lower case, of files that are about the others and not one of them; also with one
            more word, as in `license-mit`.
        also: suffixes of files that the reader refuses, so that they are reported instead of ignored.
        most: maximal number of files and folders to look at.

    Raises:
        UserError: there is no such path, it is of another kind, it holds no such files or far too many, or its only one
            may not be read.
    """
    # os.path, unlike pathlib, takes a folder that may not be entered as one that is not there.
    if os.path.isdir(path):
        first = Path(path, whole)
        found = [first] if whole and os.path.isfile(first) else _below(path, suffixes, kind, whole, skip, also, most)
    elif os.path.isfile(path):
        if not os.path.getsize(path):  # also what is no file on a disk, such as those of /proc, some of which never end
            raise UserError(f"{path} is empty; give one {kind} file or a folder of them")
        if path.suffix.lower() not in suffixes:
            _check_suffix(path, suffixes, kind)
        found = [path]
    elif os.path.exists(path):
        raise UserError(f"{path} is neither a file nor a folder; give one {kind} file or a folder of them")
    elif os.path.islink(path):
        raise UserError(f"{path} is a link to something that is not there; mend the link, or give another {kind} file")
    else:
        raise UserError(_no_such_path(path))
    if len(found) == 1 and not os.access(found[0], os.R_OK):
        raise UserError(f"{found[0]} may not be read; change its permissions or give another file")
    return found


def left_aside(path: Path, found: Iterable[Path], kind: str) -> str:
    """What a folder and those below hold that is not among the files `found` of a kind, by suffix, the most frequent
    first, such as "2 .md, 1 .csv: no text files by their names"; '' where there is nothing else, and for a file. Hidden
    files, those without a suffix and those that are `ABOUT` the others do not count.
    """
    taken, about = set(found), _names(ABOUT)
    others: Counter[str] = Counter()
    for where, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for file in (Path(where, name) for name in names if not name.startswith(".")):
            if file not in taken and not about.fullmatch(file.stem.lower()):
                others[file.suffix.lower()] += 1
    del others[""]
    counts = ", ".join(f"{number:,} {suffix}" for suffix, number in others.most_common(5))
    return f"{counts}: no {kind} files by their names" if counts else ""


def _names(stems: tuple[str, ...]) -> re.Pattern[str]:
    """Matches these names without suffix, also with one more word, as in `license-mit`."""
    return re.compile(rf"({'|'.join(stems)})([._-][a-z0-9]+)?")


def _other_kinds(suffixes: tuple[str, ...]) -> list[Kind]:
    """The kinds that have none of the suffixes."""
    return [kind for kind in KINDS if not set(kind.suffixes) & set(suffixes)]


def _taught(kind: Kind) -> str:
    """Which lesson learns from a kind of files, as part of a sentence."""
    lesson = lessons.of_kind(kind.name)
    return f", which the lesson {lesson.name} learns from" if lesson else ""


def _check_suffix(file: Path, suffixes: tuple[str, ...], kind: str) -> None:
    """Refuse a file that by its suffix is of another kind."""
    for other in _other_kinds(suffixes):
        if file.suffix.lower() in other.suffixes:
            raise UserError(
                f"{file} is of the kind {other.name}{_taught(other)}; give one {kind} "
                f"file ({', '.join(suffixes)}) or a folder of them"
            )


def _below(
    folder: Path,
    suffixes: tuple[str, ...],
    kind: str,
    whole: str,
    skip: tuple[str, ...],
    also: tuple[str, ...],
    most: int,
) -> list[Path]:
    """The files in `folder` and below, or a UserError that names the kinds of files in it."""

    def refuse(error: OSError) -> None:
        raise UserError(f"the folder {error.filename} may not be read; change its permissions or give another folder")

    skipped = _names(skip) if skip else None
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
            if file.suffix.lower() in suffixes + also and not (skipped and skipped.fullmatch(file.stem.lower())):
                found.append(file)
            else:
                others[file.suffix.lower() or file.name] += 1
    _check_kind(folder, suffixes, kind, whole, len(found), others)
    return sorted(found, key=lambda file: file.relative_to(folder).as_posix())


def _check_kind(
    folder: Path, suffixes: tuple[str, ...], kind: str, whole: str, found: int, others: Counter[str]
) -> None:
    """Refuse a folder in which nothing was found, or little text and much music or sound; `others` counts what else is
    there by suffix.
    """
    if found and (kind != "text" or others.total() <= MAX_OTHERS * found):
        return
    counts = {other: sum(others[suffix] for suffix in other.suffixes) for other in _other_kinds(suffixes)}
    fits, count = max(counts.items(), key=lambda item: item[1], default=(None, 0))
    if found and count <= MAX_OTHERS * found:
        return
    there = ", ".join(f"{number} {what}" for what, number in others.most_common(3)) or "nothing"
    wanted = f"an {whole}, or any number of " if whole else ""
    lesson = lessons.of_kind(fits.name) if fits and count else None
    hint = f"; the lesson {lesson.name} learns from {lesson.kind} files" if lesson else ""
    raise NothingFound(
        f"{folder} has {'hardly any' if found else 'no'} {kind} files (found: {there}); put {wanted}"
        f"{' or '.join(suffixes)} files in it{hint}"
    )


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
    where = "" if missing == path.absolute() else f": {short_path(missing.parent)} has no {missing.name}"
    return (
        f"there is no {path}{where}{near}; "
        "`python -m workshop.datasets list` shows the sets that are there or can be fetched"
    )
