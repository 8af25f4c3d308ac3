"""Where a training stands, as a checkpoint says it: believed only where it makes sense."""

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import pytest

from workshop.errors import UserError
from workshop.run.position import Position
from workshop.run.record import Measured

PATH = Path("latest.npz")
HISTORY: list[dict[str, Any]] = [{"step": 20, "epoch": 1.0, "validation": 2.5, "train": 2.75}]
AT = Position(step=27, epoch=1, window=7, epoch_loss=9.5, best=2.5, best_step=20, history=[Measured(**HISTORY[0])])
META = msgspec.to_builtins(AT)


@pytest.mark.parametrize("position", [Position(), AT, Position(window=19, minutes=2)])
def test_what_was_kept_comes_back(position: Position) -> None:
    meta = json.loads(json.dumps(msgspec.to_builtins(position)))
    assert Position.of(meta, PATH, windows=20) == position


@pytest.mark.parametrize("name", META)
def test_what_is_missing_is_named(name: str) -> None:
    meta = {other: value for other, value in META.items() if other != name}
    with pytest.raises(UserError, match=rf"the checkpoint latest\.npz is damaged: its entry '{name}' is missing"):
        Position.of(meta, PATH, windows=20)


NONSENSE: list[Any] = [None, "1", "", True, [], {}, [1], -1, math.nan, 10**400]


@pytest.mark.parametrize("name", META)
@pytest.mark.parametrize("value", NONSENSE, ids=lambda value: repr(value)[:9])
def test_an_entry_that_is_not_valid_is_named(name: str, value: Any) -> None:
    if (name, value) in (("history", []), ("epoch_loss", -1), ("best", -1)):
        return
    words = rf"(its entry '{name}.*' is not valid|.*number out of range)"
    with pytest.raises(UserError, match=rf"the checkpoint latest\.npz is damaged: {words}"):
        Position.of({**META, name: value}, PATH, windows=20)


@pytest.mark.parametrize("wrong", [{"step": "1"}, {"epoch": math.inf}, {"validation": math.nan}])
def test_a_measurement_that_is_not_valid_is_damage(wrong: dict[str, Any]) -> None:
    entry = HISTORY[0] | wrong
    with pytest.raises(UserError, match=r"its entry 'history\[1\]\.\w+' is not valid"):
        Position.of({**META, "history": [*HISTORY, entry]}, PATH, windows=20)


def test_a_place_beyond_the_data_is_damage() -> None:
    with pytest.raises(UserError, match=r"latest\.npz is damaged: its position is window 7 of 7"):
        Position.of(META, PATH, windows=7)
    with pytest.raises(UserError, match="object contains unknown field bar"):
        Position.of({**META, "bar": 1}, PATH, windows=20)
