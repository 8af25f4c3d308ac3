"""Commands as a person types them from the folder that this process runs in."""

import os
import shlex
from pathlib import Path

from workshop import ROOT
from workshop.files import short_path
from workshop.visible import visible_line


def command(script: Path, *arguments: object) -> str:
    """The shell command that runs a script of the workshop from here.

    Outside of the workshop's shell no `python` has its packages: start.sh, when it runs a single command, passes on in
    WORKSHOP_PREFIX how the next one is run.

    Args:
        script: such as ROOT / "char_rnn" / "train.py".
        *arguments: of the script; a path is shortened.
    """
    words = [short_path(word) if isinstance(word, Path) else word for word in (script, *arguments)]
    return visible_line(f"{os.environ.get('WORKSHOP_PREFIX', '')}python {shlex.join(map(str, words))}")


def start_sh(*arguments: str) -> str:
    """The shell command that calls start.sh from here."""
    door = short_path(ROOT / "start.sh")
    typed = door if door.parent != Path() else f"./{door}"
    return visible_line(shlex.join([str(typed), *arguments]))
