"""Where a training stands, as a checkpoint says it: believed only where it makes sense."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from workshop.errors import UserError
from workshop.run.position import CHECKS, Position

PATH = Path("latest.npz")
HISTORY = [{"step": 20, "epoch": 1.0, "validation": 2.5, "train": 2.75}]
META = vars(Position(step=27, epoch=1, window=7, epoch_loss=9.5, best=2.5, best_step=20, history=HISTORY))


@pytest.mark.parametrize("position", [Position(), Position(**META), Position(window=19, minutes=2)])
def test_what_was_kept_comes_back(position: Position) -> None:
    meta = json.loads(json.dumps(vars(position)))
    assert Position.of(meta, PATH, windows=20) == position


def test_all_of_it_is_checked() -> None:
    assert CHECKS.keys() == META.keys()


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
    with pytest.raises(UserError, match=rf"the checkpoint latest\.npz is damaged: its entry '{name}' is not valid"):
        Position.of({**META, name: value}, PATH, windows=20)


@pytest.mark.parametrize("wrong", [{"step": "1"}, {"train": None}, {"epoch": math.inf}, {"validation": math.nan}])
def test_a_measurement_that_is_not_valid_is_damage(wrong: dict[str, Any]) -> None:
    entry = HISTORY[0] | wrong
    with pytest.raises(UserError, match="its entry 'history' is not valid"):
        Position.of({**META, "history": [*HISTORY, entry]}, PATH, windows=20)


def test_a_place_beyond_the_data_is_damage() -> None:
    with pytest.raises(UserError, match=r"latest\.npz is damaged: its position is window 7 of 7"):
        Position.of(META, PATH, windows=7)
    with pytest.raises(UserError, match=r"it has an unexpected entry \('bar'\)"):
        Position.of({**META, "bar": 1}, PATH, windows=20)
