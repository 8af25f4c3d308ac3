"""What the reliability tests share: how much is tried, and the figures that `table.py` makes a table of.

The short form, which continuous integration runs, tries each case a few times. The long form tries it as often as the
table in docs/reliability.md says, and is what `python tests/reliability/table.py` runs.
"""

import json
import os
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def amount() -> Callable[[int, int], int]:
    """How much to try, by the form: `amount(4, 50)` is 4 in the short one and 50 in the long one."""
    long = os.environ.get("WORKSHOP_RELIABILITY") == "long"
    return lambda short_form, long_form: long_form if long else short_form


@pytest.fixture
def figure() -> Callable[[str, str, str], None]:
    """Note a row of the table: `figure("kill -9, char_rnn", "50 times", "at most 19 steps lost")`."""

    def note(what: str, tried: str, result: str) -> None:
        if place := os.environ.get("WORKSHOP_FIGURES"):
            with open(place, "a", encoding="utf-8") as file:
                file.write(json.dumps([what, tried, result], ensure_ascii=False) + "\n")

    return note
