"""The answer to `python train.py` or `python sample.py` where no lesson is: which folder to change into."""

import os
import sys
from pathlib import Path

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
