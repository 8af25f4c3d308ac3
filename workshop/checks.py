"""Validate values loaded from JSON: a run.json can be edited by hand, and an experiment can come from anywhere."""

import math
import reprlib
from collections.abc import Callable, Mapping
from typing import Any

from workshop.errors import UserError

#: Whether a value is valid.
Check = Callable[[Any], bool]
#: The largest whole number: above it some programs lose digits when they write JSON.
MAX_WHOLE = 1 << 53


def whole(least: int = 0, most: int = MAX_WHOLE) -> Check:
    """A whole number from `least` to `most`."""
    return lambda value: type(value) is int and least <= value <= most


def number(least: float = -math.inf, below: float = math.inf) -> Check:
    """A number of at least `least` and below `below`, whole or not."""
    return lambda value: (type(value) is float or whole(-MAX_WHOLE)(value)) and least <= value < below


def a(kind: type) -> Check:
    """Anything of a type."""
    return lambda value: isinstance(value, kind)


def expect(entries: Mapping[str, Any], checks: Mapping[str, Check], where: str, under: str = "") -> None:
    """Check that entries are there and valid.

    Args:
        entries: an object from JSON; further entries are allowed.
        checks: a check for each required entry.
        where: the file, for the error message.
        under: the place in that file, for the error message, such as " under 'data'".

    Raises:
        UserError: an entry is missing or invalid; it is named.
    """
    for name, is_valid in checks.items():
        if name not in entries:
            raise UserError(f"{where} is damaged: its entry {name!r}{under} is missing")
        if not is_valid(entries[name]):
            value = reprlib.repr(entries[name])
            raise UserError(f"{where} is damaged: its entry {name!r}{under} is not valid ({value})")
