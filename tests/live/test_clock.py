"""In time with others: clock that comes in, changes that wait for it, and clock that goes out."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from voices import BLOCK, Constant, Echo

from live.clock import CONTINUE, START, STOP, TICK, TICKS, Clock, ClockOut
from live.controls import Controls
from live.room import Room
from live.stage import Stage

SILENCE = np.zeros(BLOCK, np.float32)


def stage_of(room: Room, wait: str | None) -> Stage:
    return Stage(room, Controls(), lambda name, place: Constant(0.2), say=room.said.append, wait=wait)


def tick(stage: Stage, count: int) -> None:
    for _ in range(count):
        stage.midi(bytes([TICK]))


def test_beats_and_bars_are_counted_from_start_to_stop() -> None:
    clock = Clock()

    def say(*messages: int) -> tuple[int, int]:
        for message in messages:
            assert clock.read(bytes([message]))
        return clock.count("beat"), clock.count("bar")

    assert say(TICK, TICK) == (0, 0)
    assert not clock.is_running
    assert say(START, *[TICK] * (4 * TICKS)) == (4, 1)
    assert say(STOP, *[TICK] * 100) == (4, 1)
    assert say(CONTINUE, *[TICK] * TICKS) == (5, 1)
    assert say(START) == (0, 0)
    assert not clock.read(bytes([0xB0, 74, 5]))
    assert not clock.read(b"")


@pytest.mark.parametrize(("wait", "ticks"), [("beat", TICKS), ("bar", 4 * TICKS)])
def test_changes_wait_for_the_next_beat_or_bar(wait: str, ticks: int, room: Callable[..., Room]) -> None:
    stage = stage_of(room(Echo()), wait)
    stage.midi(bytes([START]))
    tick(stage, 5)
    stage.exchange(SILENCE)
    stage.midi(bytes([0xB0, 7, 5]))
    stage.turn("mix", 9)
    stage.swap(1, "other")
    end = time.monotonic() + 5
    while "network 1 becomes other" not in stage.room.said and time.monotonic() < end:
        time.sleep(0.005)
    tick(stage, ticks - 6)
    knobs = stage.exchange(SILENCE).knobs
    assert (knobs.volume, knobs.mix, stage.room.slots[0].name) == (127, 0, "net1")
    tick(stage, 1)
    knobs = stage.exchange(SILENCE).knobs
    assert (knobs.volume, knobs.mix) == (5, 9)
    assert stage.room.slots[0].name == "other"


@pytest.mark.parametrize("wait", [None, "beat"])
def test_without_a_clock_nothing_waits(wait: str | None, room: Callable[..., Room]) -> None:
    stage = stage_of(room(Echo()), wait)
    stage.turn("mix", 9)
    assert stage.exchange(SILENCE).knobs.mix == 9


def test_what_waits_when_the_clock_stops_happens(room: Callable[..., Room]) -> None:
    stage = stage_of(room(Echo()), "bar")
    stage.midi(bytes([START]))
    stage.turn("mix", 9)
    assert stage.exchange(SILENCE).knobs.mix == 0
    stage.midi(bytes([STOP]))
    assert stage.exchange(SILENCE).knobs.mix == 9


def test_clock_is_given_with_start_and_stop() -> None:
    sent: list[int] = []
    with ClockOut(sent.append, 600):
        time.sleep(0.3)
    assert (sent[0], sent[-1]) == (START, STOP)
    assert set(sent[1:-1]) == {TICK}
    # 240 ticks a second; a machine that is busy gives fewer, but makes up for them.
    assert 30 <= len(sent) - 2 <= 90
