"""What was kept as JSON is checked before it is believed: a run.json can be changed by hand, and an experiment can come
from anywhere.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from workshop.errors import UserError

#: Whether a value can be what its name says.
Check = Callable[[Any], bool]
#: Whole numbers beyond this are no counts, and some programs change them when they write JSON.
MOST = 1 << 53


def whole(least: int = 0, most: int = MOST) -> Check:
    """A whole number from `least` to `most`."""
    return lambda value: type(value) is int and least <= value <= most


def number(least: float = -math.inf, below: float = math.inf) -> Check:
    """A number of at least `least` and below `below`, whole or not."""
    return lambda value: (type(value) is float or whole(-MOST)(value)) and least <= value < below


def a(kind: type) -> Check:
    """Anything of a type."""
    return lambda value: isinstance(value, kind)


def expect(entries: Mapping[str, Any], checks: Mapping[str, Check], where: str, under: str = "") -> None:
    """See that entries are there and make sense.

    Args:
        entries: an object from JSON; others than those asked for may be in it.
        checks: what is asked for.
        where: what is damaged if it is not so, such as the path of a file.
        under: where in it, for the sentence, such as " under 'data'".

    Raises:
        UserError: an entry is missing or invalid; it is named.
    """
    for name, makes_sense in checks.items():
        if name not in entries or not makes_sense(entries[name]):
            wrong = "makes no sense" if name in entries else "is missing"
            raise UserError(f"{where} is damaged: its entry {name!r}{under} {wrong}")
