"""When a training ends, what is said about it, and how long `inspect` expects it to take."""

from pathlib import Path
from typing import Any

import pytest

from workshop.errors import UserError
from workshop.run.position import Position
from workshop.run.record import Measured
from workshop.run.stopping import DEFAULT_MINUTES, Limits, expected_minutes


def measured(losses: list[float], every: int = 100) -> Position:
    """Where a training stands that has just been measured for the last time."""
    at = Position(step=every * len(losses))
    at.best = min(losses)
    at.best_step = every * (losses.index(at.best) + 1)
    at.without_best = len(losses) - 1 - losses.index(at.best)
    at.history = [Measured(every * (k + 1), 0.0, loss) for k, loss in enumerate(losses)]
    return at


def end(limits: Limits, losses: list[float], every: int = 100) -> int | None:
    """The step at which a training with these measurements stops early; None for not within them."""
    stops = (k for k in range(1, len(losses) + 1) if limits.has_stalled(measured(losses[:k], every)))
    return next((k * every for k in stops), None)


def valley(best: int, length: int) -> list[float]:
    """Losses that fall up to the measurement `best`, counted from 1, and rise from there."""
    return [1.0 + abs(k - best) / length for k in range(1, length + 1)]


@pytest.mark.parametrize(
    ("best", "every", "windows", "stops"),
    [
        (2, 100, 6, 1200),  # ten measurements after the best one
        (6, 100, 36, 1600),
        (1, 20, 1, 500),  # never before step 500, however often it is measured
        (40, 100, 36, 6000),  # half as long again as it took
        (3, 500, 400, 6500),
        (3, 500, 9000, 10500),  # an epoch of 9,000 steps has to pass
    ],
)
def test_a_training_without_epochs_stops_some_time_after_its_best(
    best: int, every: int, windows: int, stops: int
) -> None:
    assert end(Limits(windows), valley(best, 60), every) == stops


def test_noise_does_not_stop_a_training_that_improves() -> None:
    """A new best every eight measurements, and worse ones between them."""
    losses = [3.0 - 0.01 * (k // 8) + 0.02 * (k % 8 != 0) for k in range(400)]
    assert end(Limits(5), losses) is None
    assert end(Limits(5), [*losses, *[2.9] * 400]) > 40_000


def test_a_training_with_epochs_or_of_smoke_does_not_stop_early() -> None:
    losses = valley(1, 200)
    assert end(Limits(5), losses) == 1100
    assert end(Limits(5, num_epochs=900), losses) is None
    assert end(Limits(5, max_steps=900), losses) is None


@pytest.mark.parametrize("more", [{}, {"num_epochs": 900}])
def test_patience_counts_measurements_and_nothing_else(more: dict[str, Any]) -> None:
    assert end(Limits(5000, patience=3, **more), valley(2, 60), 10) == 50
    assert end(Limits(5, patience=30, **more), valley(2, 60)) == 3200


@pytest.mark.parametrize(
    ("given", "total", "minutes", "stops_early"),
    [
        ({}, None, DEFAULT_MINUTES, True),
        ({"num_epochs": 3}, 21, None, False),
        ({"num_epochs": 3, "max_minutes": 5}, 21, 5, False),
        ({"num_epochs": 3, "patience": 5}, 21, None, True),
        ({"max_minutes": 90}, None, 90, True),
        ({"patience": 5}, None, DEFAULT_MINUTES, True),
        ({"max_steps": 20}, 20, None, False),
        ({"num_epochs": 2, "max_steps": 20}, 14, None, False),
    ],
)
def test_what_is_given_holds_and_the_rest_follows(
    given: dict[str, Any], total: int | None, minutes: float | None, stops_early: bool
) -> None:
    limits = Limits(7, **given)
    assert (limits.total, limits.minutes, limits.stops_early) == (total, minutes, stops_early)


@pytest.mark.parametrize(
    ("given", "plan"),
    [
        ({}, "training: until the held-out loss stops improving, at most 20 minutes (--max_minutes changes it)"),
        ({"max_minutes": 1.0}, "training: until the held-out loss stops improving, at most 1 minute (--max_minutes)"),
        (
            {"patience": 5, "max_minutes": 2.5},
            "training: until the held-out loss has not improved for 5 measurements, at most 2.5 minutes "
            "(--max_minutes)",
        ),
        ({"num_epochs": 3, "max_minutes": 2.5}, None),
        ({"max_steps": 20}, None),
    ],
)
def test_the_plan_is_said_where_there_is_no_last_step(given: dict[str, Any], plan: str | None) -> None:
    assert Limits(7, **given).plan() == plan


def test_the_first_thing_that_ends_it_is_the_reason() -> None:
    stalled = measured(valley(2, 12))
    limits = Limits(100, max_minutes=2.5)
    assert limits.ending(measured(valley(2, 11)), 2.4) is None
    assert limits.ending(measured(valley(2, 11)), 2.5) == "time"
    assert limits.ending(stalled, 2.5) == "stalled"
    done = Limits(100, num_epochs=12, max_minutes=2.5, patience=10)
    assert done.ending(stalled, 2.5) == "steps"
    assert limits.reason("time", stalled) == "the limit of 2.5 minutes is reached (--max_minutes)"
    assert limits.reason("stalled", stalled) == (
        "the held-out loss has not improved for 10 measurements (best at step 200)"
    )
    assert done.reason("steps", stalled) == "all 12 epochs are done"
    assert Limits(100, num_epochs=1).reason("steps", stalled) == "the one epoch is done"
    assert Limits(100, max_steps=20).reason("steps", stalled) == "step 20 is done"


def test_a_training_that_is_over_says_why_and_how_to_go_on() -> None:
    at, path = measured(valley(2, 12)), Path("experiments/01")
    at.epoch = 600
    for given, sentence in (
        (
            {},
            "experiments/01 has stopped improving: the held-out loss has not improved for 10 measurements (best at "
            "step 200); to go on all the same, give --num_epochs above 600 or --patience above 10",
        ),
        (
            {"num_epochs": 600},
            "experiments/01 has been trained for all of its 600 epochs: to go on, give a higher --num_epochs",
        ),
        ({"max_steps": 20}, "experiments/01 has gone further than --smoke goes: leave it out to go on"),
    ):
        with pytest.raises(UserError) as refused:
            Limits(2, **given).check(at, path)
        assert str(refused.value) == sentence
    for further in ({"num_epochs": 601}, {"patience": 11}):
        Limits(2, **further).check(at, path)
    Limits(2).check(Position(), path)


def test_little_data_takes_its_steps_and_much_data_its_epochs_up_to_the_limit() -> None:
    assert expected_minutes(2500, 2500, 100_000) == pytest.approx((1000 * 2500 + 40 * 2500) / 100_000 / 60)
    assert expected_minutes(100, 2500, 100_000) == pytest.approx((1000 * 100 + 40 * 100) / 100_000 / 60)
    assert expected_minutes(1_000_000, 2500, 100_000) == pytest.approx(7.1, abs=0.1)
    assert expected_minutes(10**9, 2500, 100_000) == DEFAULT_MINUTES
