"""The paths that run.json keeps: they are right in any current folder, and in a clone that was moved or copied."""

import os
from pathlib import Path

from workshop import ROOT
from workshop.files import short_path


def kept(path: str | Path) -> str:
    """A path as run.json keeps it: relative to the clone's root, with forward slashes, for what lies in the clone, and
    absolute for everything else.
    """
    path = Path(path)
    plain, real = Path(os.path.abspath(path)), path.resolve()
    # Links stay as they are named, except where a `..` after one leads elsewhere than it reads.
    if plain.resolve() != real:
        plain = real
    for whole in (plain, real):
        if whole.is_relative_to(ROOT):
            return whole.relative_to(ROOT).as_posix()
    return str(plain)


def found(path: str, lesson: str = "") -> Path | None:
    """The file or folder that a kept path stands for, as one would type it in the current folder; None if it is not
    there.

    Args:
        path: what `kept` gave. Older experiments have it relative to the folder in which the training was started:
            the root of the clone, the lesson's folder, or one that only the user knows.
        lesson: the lesson's name.
    """
    for place in (ROOT, ROOT / lesson, Path.cwd()):
        # os.path, unlike pathlib, takes a name that cannot be one for a file that is not there.
        if os.path.exists(place / path):
            return short_path(place / path)
    return None
