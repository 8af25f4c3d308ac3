"""Answers to `python train.py` where no lesson is, and to `generate.py`, a command of older programs."""

import os
import sys
from pathlib import Path
from typing import NoReturn

from workshop.lessons import lessons


def answer(script: Path) -> int:
    """Say where the scripts called like `script` are, as seen from the current folder; return the exit status."""
    folders = [lesson.folder for lesson in lessons()]
    there = ", ".join(os.path.relpath(folder / script.name) for folder in folders)
    example = f"cd {os.path.relpath(folders[0])} && python {script.name}"
    print(
        f"error: each lesson has its own {script.name} ({there}): change into its folder, as in `{example}`",
        file=sys.stderr,
    )
    return 2


def refuse_generate() -> NoReturn:
    """Answer who types `generate.py` as a command before anything heavy is imported; end with status 2."""
    print("error: type python sample.py, which generates: generate.py is a part of it", file=sys.stderr)
    sys.exit(2)
