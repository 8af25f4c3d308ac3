"""Readers that do what no reader may, to see that it is found."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fuzz
from fuzz import Reader
from hypothesis import strategies as st


def _doing(act: Callable[[], Any]) -> Reader:
    def read(case: int, folder: Path) -> None:
        act()

    return Reader(st.integers(), read)


def raises(scratch: Path) -> Reader:
    """Raises what is no `UserError`."""
    return _doing(lambda: 1 // 0)


def writes(scratch: Path) -> Reader:
    """Writes a file that is not its own."""
    return _doing(lambda: (scratch / "other.txt").write_text("mine now"))


def removes(scratch: Path) -> Reader:
    """Removes one, by a name that leads out of its folder."""
    (scratch / "other.txt").touch()
    return _doing(lambda: os.remove("../other.txt"))


def starts(scratch: Path) -> Reader:
    """Starts a program."""
    return _doing(lambda: subprocess.run(["/bin/true"], check=True))


def hides(scratch: Path) -> Reader:
    """Makes a folder somewhere else and says nothing of what comes of it."""

    def act() -> None:
        with contextlib.suppress(BaseException):
            (scratch / "other").mkdir()

    return _doing(act)


def dawdles(scratch: Path) -> Reader:
    """Takes longer than it may."""
    fuzz.MAX_SECONDS = 0.2
    return _doing(lambda: time.sleep(0.3))


def hangs(scratch: Path) -> Reader:
    """Never comes back."""
    fuzz.HANGING_SECONDS = 1.0
    return _doing(lambda: time.sleep(1000))


def grows(scratch: Path) -> Reader:
    """Takes 256 MB for a moment."""
    return _doing(lambda: bytearray(256 << 20).count(1))
