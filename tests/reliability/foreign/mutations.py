"""What can happen to a file, as hypothesis strategies: to its bytes, and to the values of a JSON object."""

import json
import random
import sys
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

#: So many places of an object are changed at the most, which bounds how deep they are too.
MAX_PLACES = 800


def _deep(times: int) -> Any:
    value: Any = 1
    for _ in range(times):
        value = [value]
    return value


#: Values that somebody's program or editor may leave in a JSON file.
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 2, 7, -(1 << 31), 1 << 31, 1 << 40, 1 << 64, 10**18, 10**400, 10**4000, -(10**4000),
    0.0, -0.0, 0.5, 1.0, -1.5, 1e9, 1e308, 5e-324, float("nan"), float("inf"), float("-inf"),
    "", "x", "1", "nan", "lstm", "²", "\0", "\ud800", "\n", "../..", "/", "~", "é" * 300, "9" * 5000, "folder",
    [], {}, [0], [1, 2, 3], [None], ["a"], [[]], [{}], {"": 0}, {"step": 1}, {"a": {"b": []}}, _deep(50), _deep(400),
    _deep(3000), list(range(2000)),
]  # fmt: skip


KINDS = ("flip", "flip", "flip", "set", "set", "delete", "insert", "repeat", "duplicate", "truncate", "head")


def edited(content: bytes, changes: Sequence[tuple[str, int]]) -> bytes:
    """A file after some changes: the kind of each, and a number that decides on the place and the rest."""
    data = bytearray(content)
    for kind, number in changes:
        rng = random.Random(number)
        at, size = rng.randrange(len(data) + 1), rng.randint(1, 40)
        if kind == "head":  # the beginning decides how the rest is read, and is short: changes hit it too seldom
            at = rng.randrange(min(64, len(data)) + 1)
        if kind in ("flip", "head") and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == "set":
            value = rng.choice([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"9", b"\x80", b"\n", b"\0"])
            data[at : at + len(value)] = value
        elif kind == "delete":
            del data[at : at + size]
        elif kind == "insert":
            data[at:at] = rng.randbytes(size)
        elif kind == "repeat":
            data[at:at] = data[at : at + 1] * rng.choice([2, 30, 6000])
        elif kind == "duplicate":
            data[at:at] = data[at : at + 30 * size]
        elif kind == "truncate":
            del data[at:]
    return bytes(data)


def files(contents: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Files with some changes, and now and then bytes at random."""
    change = st.tuples(st.sampled_from(KINDS), st.integers(0, (1 << 32) - 1))
    changed = st.builds(edited, st.sampled_from(contents), st.lists(change, min_size=1, max_size=4))
    return mostly(changed, st.binary(max_size=2000))


@st.composite
def mostly(draw: Any, usual: st.SearchStrategy[Any], seldom: st.SearchStrategy[Any]) -> Any:
    """Of ten cases nine of one kind and one of another; `one_of` would take all branches in both alike."""
    return draw(seldom if draw(st.integers(0, 9)) == 9 else usual)


def _places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """All (container, key) below a value of JSON, of what is nested very deeply the upper part."""
    if len(found) > MAX_PLACES:
        return found
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        found.append((value, key))
        _places(value[key], found)
    return found


def _retyped(value: Any) -> Any:
    """The same in another type."""
    kinds: list[tuple[type, Callable[[Any], Any]]] = [
        (bool, str),
        (int, lambda number: float(number) if abs(number) < MAX_PLACES else str(number)),
        (float, str),
        (str, lambda text: [text]),
        (list, lambda items: dict(enumerate(items))),
        (dict, lambda entries: list(entries.values())),
    ]
    return next((change(value) for kind, change in kinds if isinstance(value, kind)), "null")


@st.composite
def values(draw: Any, value: dict[str, Any], within: Sequence[str] = ()) -> dict[str, Any]:
    """A JSON object with some of its values replaced, removed, of another type or another length.

    Args:
        draw: hypothesis's.
        value: the object as it should be.
        within: names of parts of it that most of the changes hit.
    """
    changed = json.loads(json.dumps(value))
    # Of the object as it should be: what comes in later is not changed.
    places = [_places(part, []) for part in (changed, *[changed[name] for name in within] * 2)]
    for _ in range(draw(st.integers(1, 3))):
        rng = random.Random(draw(st.integers(0, (1 << 32) - 1)))
        container, key = rng.choice(rng.choice(places))
        if key not in (container if isinstance(container, dict) else range(len(container))):
            continue  # it has been removed already
        kind = draw(st.sampled_from(["replace", "replace", "replace", "remove", "retype", "longer", "shorter"]))
        if kind == "replace":
            container[key] = draw(st.sampled_from(ODD) | st.integers() | st.floats() | st.text(max_size=20))
        elif kind == "remove":
            del container[key]
        elif kind == "retype":
            container[key] = _retyped(container[key])
        elif isinstance(container[key], list | str):
            part = container[key]
            container[key] = part + part[:1] * 3 if kind == "longer" else part[:-1]
        elif isinstance(container[key], int | float):
            container[key] = container[key] * 10**6 if kind == "longer" else -container[key]
    return changed


def objects(value: dict[str, Any], within: Sequence[str] = ()) -> st.SearchStrategy[bytes]:
    """JSON files with odd values, and some that are hardly JSON any more."""
    whole = json.dumps(value, indent=2).encode()
    return mostly(values(value, within).map(written), files([whole]))


def written(value: Any) -> bytes:
    """JSON with whatever depth and numbers of whatever length."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        return json.dumps(value).encode()
    finally:
        sys.setrecursionlimit(limit)
