"""Validate what comes from JSON against a type: a run.json can be edited by hand, and an experiment can come from
anywhere.
"""

import re
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from workshop.errors import UserError

#: The largest whole number: above it some programs lose digits when they write JSON.
MAX_WHOLE = 1 << 53

#: Whole numbers: any size of something, and one that is at least 1.
Whole = Annotated[int, Meta(ge=0, le=MAX_WHOLE)]
Count = Annotated[int, Meta(ge=1, le=MAX_WHOLE)]
#: What a random generator is started with.
Seed = Annotated[int, Meta(ge=0, le=(1 << 32) - 1)]
#: Numbers that are neither infinite nor NaN: any, those of at least 0, and those above 0.
Finite = Annotated[float, Meta(ge=-1e308, le=1e308)]
NotNegative = Annotated[float, Meta(ge=0, le=1e308)]
Positive = Annotated[float, Meta(gt=0, le=1e308)]

Kind = TypeVar("Kind")

#: What msgspec says of a value: what is wrong, and where.
_SAID = re.compile(r"(.*?)(?: - at `\$\.?(.*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`")


def converted(kind: type[Kind], value: Any, under: str) -> Kind:
    """A value from JSON as a type of msgspec's.

    Args:
        kind: the type; a `msgspec.Struct` ignores further entries unless it forbids them.
        value: what JSON gave.
        under: the entry that it is, for the error message.

    Raises:
        ValueError: an entry is missing or invalid; it is named.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ValueError(_in_words(str(error), under)) from error


def typed(kind: type[Kind], value: Any, where: Path | str, under: str = "") -> Kind:
    """The same as `converted`, for the content of the file `where`.

    Raises:
        UserError: an entry is missing or invalid; it is named.
    """
    try:
        return converted(kind, value, under)
    except ValueError as error:
        raise UserError(f"{where} is damaged: {error}") from error


def _in_words(said: str, under: str) -> str:
    """The sentence of a `ValidationError` with the entry first."""
    match = _SAID.fullmatch(said)
    assert match is not None  # any text matches
    problem, place = match[1], [part for part in (under, match[2]) if part]
    if missing := _MISSING.fullmatch(problem):
        return f"its entry {'.'.join([*place, missing[1]])!r} is missing"
    problem = problem[:1].lower() + problem[1:].replace("`", "")
    return f"its entry {'.'.join(place)!r} is not valid ({problem})" if place else f"it is not valid ({problem})"
