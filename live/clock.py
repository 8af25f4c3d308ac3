"""In time with others: MIDI clock that is followed, and MIDI clock that is given."""

import threading
import time
from collections.abc import Callable
from typing import Literal

#: Messages of MIDI clock, of which there are so many ticks in a beat; and beats of a bar.
TICK, START, CONTINUE, STOP = 0xF8, 0xFA, 0xFB, 0xFC
TICKS, BEATS = 24, 4
#: What a change waits for.
Unit = Literal["beat", "bar"]


class Clock:
    """Counts the ticks of a MIDI clock; one thread writes, others read.

    Attributes:
        ticks: since the start.
        is_running: whether it has been started, and not stopped.
    """

    def __init__(self) -> None:
        self.ticks, self.is_running = 0, False

    def read(self, message: bytes) -> bool:
        """Take a message; whether it was one of the clock."""
        match message[:1]:
            case b"\xf8":
                self.ticks += self.is_running
            case b"\xfa":
                self.ticks, self.is_running = 0, True
            case b"\xfb":
                self.is_running = True
            case b"\xfc":
                self.is_running = False
            case _:
                return False
        return True

    def count(self, unit: Unit) -> int:
        """Beats or bars that have begun since the start."""
        return self.ticks // (TICKS * (BEATS if unit == "bar" else 1))


class Waiting:
    """Changes that wait for the next beat or bar, and happen at once where no clock runs.

    Args:
        clock: that is followed.
        unit: what they wait for; None for nothing.
    """

    def __init__(self, clock: Clock, unit: Unit | None):
        self._clock, self._unit = clock, unit
        self._changes: list[Callable[[], None]] = []
        self._count = 0
        self._lock = threading.Lock()

    def add(self, change: Callable[[], None]) -> None:
        """Let a change happen when it is time."""
        if self._unit is None or not self._clock.is_running:
            change()
            return
        with self._lock:
            self._changes.append(change)

    def look(self) -> None:
        """Let what has waited for long enough happen; called at the beginning of each block."""
        if self._unit is None:
            return
        count = self._clock.count(self._unit)
        if count == self._count and self._clock.is_running:
            return
        with self._lock:
            due, self._changes, self._count = self._changes, [], count
        for change in due:
            change()


class ClockOut:
    """Gives MIDI clock from a thread: a start, ticks, and a stop when it is closed.

    Args:
        send: sends a message of one byte.
        tempo: beats a minute.
    """

    def __init__(self, send: Callable[[int], None], tempo: float):
        self._send, self._pause = send, 60 / tempo / TICKS
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="clock", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._ended.set()
        self._thread.join()

    def __enter__(self) -> "ClockOut":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _work(self) -> None:
        self._send(START)
        # From the beginning on, so that delays do not add up.
        begun, number = time.perf_counter(), 0
        while not self._ended.wait(max(begun + number * self._pause - time.perf_counter(), 0)):
            self._send(TICK)
            number += 1
        self._send(STOP)
