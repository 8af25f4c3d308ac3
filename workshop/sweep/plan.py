"""A plan: which trainings a sweep consists of. It is a TOML file.

    lesson = "char_rnn"

    [arguments]                                  of train.py, the same in each trial
    num_epochs = 20

    [vary]                                       each combination of different values is a trial (a grid)
    dropout = [0.0, 0.25, 0.5]
    rnn_size = [64, 128]

With `draw = 12` beside `lesson`, twelve trials are drawn at random in place of the grid; then a range can stand for a
list: `learning_rate = {from = 1e-4, to = 1e-2, log = true}`. With

    [halving]                                    trials that are bad early are not trained to the end
    epochs = [2, 6, 18]
    keep = 3

all trials are trained for 2 epochs, the best third of them for 6, and the best third of those for 18 (asynchronous
successive halving, ASHA: Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning").
"""

import hashlib
import itertools
import math
import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from workshop.checks import Count, Seed, typed
from workshop.errors import UserError
from workshop.files import explain, reading
from workshop.lessons import Lesson, lessons
from workshop.nearest import did_you_mean

#: A plan of more trials is a mistake.
MOST_TRIALS = 1000
#: No plan is a larger file.
MAX_BYTES = 1 << 16
#: So many draws in a row that there were already: then a plan has no further ones.
_MOST_REPEATS = 1000
#: Digits of a number that is drawn from a range.
_DIGITS = 3

#: The limits of a range: numbers between it and its negative can be subtracted.
_LARGEST = 1e100

#: What an argument can be.
Value = bool | int | float | str
#: The arguments of a trial.
Arguments = Mapping[str, Value]

#: What the sweep itself gives to train.py.
OWN = ("experiment_dir", "resume", "config", "help")
#: What cannot be given where trials are halved, which counts epochs and nothing else.
NOT_HALVED = ("num_epochs", "max_minutes", "patience", "smoke")


class Range(msgspec.Struct, forbid_unknown_fields=True, rename={"low": "from", "high": "to"}):
    """Numbers between two that belong to it, whole where both are; `log` draws their logarithm evenly."""

    low: Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST)]
    high: Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST)]
    log: bool = False

    def draw(self, chance: random.Random) -> int | float:
        """A number of it."""
        share = chance.random()
        whole = self.low.is_integer() and self.high.is_integer() and self.high - self.low >= 1
        if self.log:
            value = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        elif whole:
            return min(int(self.high), int(self.low) + int(share * (self.high - self.low + 1)))
        else:
            value = self.low + share * (self.high - self.low)
        return round(value) if whole else min(self.high, max(self.low, float(f"{value:.{_DIGITS}g}")))


class Halving(msgspec.Struct, forbid_unknown_fields=True):
    """After how many epochs trials are compared, and that the best one of `keep` goes on."""

    epochs: list[Count]
    keep: Count = 3


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """What a plan's file can hold."""

    lesson: str
    vary: dict[str, list[Value] | Range]
    arguments: dict[str, Value] = {}
    draw: Count | None = None
    seed: Seed = 0
    halving: Halving | None = None


@dataclass(frozen=True)
class Plan:
    """The trainings of a sweep.

    Attributes:
        lesson: of which they are.
        trials: the arguments of each; trials are numbered from 1.
        varied: names of the arguments that differ.
        epochs: after how many a trial is compared with the others, the last number being the whole training; empty
            where all trials are trained as their arguments say.
        keep: the best one of so many goes on.
    """

    lesson: Lesson
    trials: Sequence[Arguments]
    varied: Sequence[str]
    epochs: Sequence[int] = ()
    keep: int = 3

    @property
    def rungs(self) -> int:
        """How many parts a trial has."""
        return len(self.epochs) or 1

    def as_json(self) -> dict[str, Any]:
        """What is kept beside the results, so that all who work on them have the same plan."""
        trials = [dict(trial) for trial in self.trials]
        return {"lesson": self.lesson.name, "trials": trials, "epochs": list(self.epochs), "keep": self.keep}

    def smoke(self) -> "Plan":
        """The same with trials of a few steps of the smallest network, to see whether all of them begin."""
        few: Arguments = {"smoke": True, "size": next(iter(self.lesson.sizes))}
        trials = [
            {**few, **{name: value for name, value in trial.items() if name not in NOT_HALVED}} for trial in self.trials
        ]
        return Plan(self.lesson, trials, [name for name in self.varied if name not in NOT_HALVED])


def read(path: Path) -> Plan:
    """Read a plan.

    Raises:
        UserError: it cannot be read, is damaged, or asks for what there is not.
    """
    file = typed(_File, _toml(path), path)
    known = {lesson.name: lesson for lesson in lessons()}
    if file.lesson not in known:
        raise UserError(f"{path}: there is no lesson {file.lesson!r:.60}{did_you_mean(file.lesson, list(known))}")
    fixed = {_name(name): value for name, value in file.arguments.items()}
    vary = {_name(name): values for name, values in file.vary.items()}
    _check(path, file, fixed, vary)
    drawn = _grid(vary) if file.draw is None else _drawn(path, vary, file.draw, file.seed)
    trials: list[Arguments] = [{**fixed, **trial} for trial in drawn]
    halving = file.halving
    return Plan(
        known[file.lesson], trials, list(vary), halving.epochs if halving else (), halving.keep if halving else 3
    )


def words(arguments: Arguments) -> list[str]:
    """Arguments as the words of a command line. The name and the value are one word: no value is taken for a name."""
    given = {name: value for name, value in arguments.items() if value is not False}
    return [f"--{name}" if value is True else f"--{name}={value}" for name, value in given.items()]


def in_words(arguments: Arguments, names: Sequence[str]) -> str:
    """Some of the arguments of a trial, for a person."""
    return ", ".join(f"{name} {in_word(arguments[name])}" for name in names)


def in_word(value: Value) -> str:
    """A value as a plan has it, a text without its quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _toml(path: Path) -> dict[str, Any]:
    try:
        with reading(path) as (file, size):
            if size > MAX_BYTES:
                raise UserError(f"{path} is larger than a plan can be ({MAX_BYTES >> 10} kB)")
            return tomllib.loads(file.read(size).decode("utf-8-sig"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {explain(error, path)}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged: it is not valid TOML ({error!s:.200})") from error


def _name(name: str) -> str:
    return name.replace("-", "_")


def _check(path: Path, file: _File, fixed: Mapping[str, Any], vary: Mapping[str, Any]) -> None:
    """Refuse a plan that contradicts itself.

    Raises:
        UserError: it does.
    """
    if not vary or any(isinstance(values, list) and not values for values in vary.values()):
        raise UserError(f"{path}: [vary] names at least one argument, each with at least one value")
    if len(fixed) < len(file.arguments) or len(vary) < len(file.vary):
        raise UserError(f"{path}: an argument stands there twice, with - and with _ in its name: leave one out")
    for name in (*fixed, *vary):
        if name in OWN:
            raise UserError(f"{path}: {name} cannot be in a plan, because the sweep itself gives it to train.py")
        values = vary.get(name, [fixed.get(name)])
        if any("\0" in str(value) for value in (name, *(values if isinstance(values, list) else ()))):
            raise UserError(f"{path}: {name!r:.60} has the character NUL, which no argument can have: leave it out")
        if name in fixed and name in vary:
            raise UserError(f"{path}: {name} stands in both [arguments] and [vary]; leave it in one of them")
        if file.halving and name in NOT_HALVED:
            raise UserError(f"{path}: {name} cannot be beside [halving], which says how many epochs are trained")
    if file.halving and any(b <= a for a, b in itertools.pairwise([0, *file.halving.epochs])):
        raise UserError(f"{path}: the epochs of [halving] grow, as in epochs = [2, 6, 18]")
    if file.halving and (file.halving.keep < 2 or not file.halving.epochs):
        raise UserError(f"{path}: [halving] has at least one number of epochs, and a keep of at least 2")
    for name, values in vary.items():
        if isinstance(values, Range) and (values.high < values.low or (values.log and values.low <= 0)):
            raise UserError(f"{path}: the range of {name} goes upwards, and with log = true it begins above 0")
        if isinstance(values, Range) and file.draw is None:
            raise UserError(
                f"{path}: {name} is a range, of which values are drawn: say how many trials, as in draw = 12"
            )
    number = file.draw or math.prod(len(values) for values in vary.values() if isinstance(values, list))
    if number > MOST_TRIALS:
        raise UserError(
            f"{path} has {number:,} trials, and a sweep has at most {MOST_TRIALS:,}: leave values out, or draw"
        )


def _grid(vary: Mapping[str, Any]) -> list[dict[str, Value]]:
    return [dict(zip(vary, values, strict=True)) for values in itertools.product(*map(_different, vary.values()))]


def _different(values: Sequence[Value]) -> list[Value]:
    """Each value once. A switch is no number: for Python, `true` would be 1."""
    return list({(isinstance(value, bool), value): value for value in values}.values())


def _drawn(path: Path, vary: Mapping[str, Any], count: int, seed: int) -> list[dict[str, Value]]:
    """Trials drawn at random, no two the same; the first ones do not depend on how many are drawn.

    Raises:
        UserError: there are not so many different ones.
    """
    found: list[dict[str, Value]] = []
    repeats = 0
    for trial in _draws(vary, seed):
        repeats = repeats + 1 if trial in found else 0
        if not repeats:
            found.append(trial)
        if len(found) == count:
            return found
        if repeats == _MOST_REPEATS:
            break
    raise UserError(f"{path}: draw = {count:,}, and there are hardly more than {len(found):,} different trials")


def _draws(vary: Mapping[str, Any], seed: int) -> Iterator[dict[str, Value]]:
    for number in itertools.count():
        # By a hash, so that a trial is the same on any computer and with any Python.
        chance = random.Random(int.from_bytes(hashlib.sha256(f"{seed} {number}".encode()).digest()[:8], "big"))
        yield {
            name: values.draw(chance) if isinstance(values, Range) else chance.choice(values)
            for name, values in vary.items()
        }
