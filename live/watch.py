"""Notices what a player should know: a silent or clipping input, networks that are late. It says so, not too often."""

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from live.slot import Slot

#: Seconds without any sound after which an input is called silent; and between two sentences of one kind.
SILENT, SELDOM = 10.0, 10.0
#: What is not heard as sound, and what is full scale, as a share of it.
_INAUDIBLE, _FULL = 1e-4, 0.999
#: Samples of full scale in a block from which on it clips.
_CLIPPED = 4
#: Seconds in which a network that is late in half of the blocks cannot keep up.
_WINDOW = 1.0


class Watch:
    """Counts in blocks, so that files are watched as devices are.

    Args:
        slots: the networks.
        rate: samples a second.
        block: samples in a block.
        say: is told.
    """

    def __init__(self, slots: Sequence[Slot], rate: int, block: int, say: Callable[[str], None]):
        self._slots, self._say = slots, say
        self._seconds = block / rate
        self._blocks = self._quiet = 0
        self._said: dict[str, int] = {}
        self._skipped = [0] * len(slots)
        self._late = [deque([0], maxlen=max(round(_WINDOW / self._seconds), 2)) for _ in slots]
        #: Peaks of the last block that went in and came out.
        self.level_in = self.level_out = 0.0

    def hear(self, samples: np.ndarray) -> None:
        """Look at a block that goes in."""
        self._blocks += 1
        if not np.isfinite(samples).all():
            self._tell("broken", "the input holds what is no number, which is heard as silence")
            samples = np.nan_to_num(samples, nan=0, posinf=0, neginf=0)
        loud = np.abs(samples)
        self.level_in = float(loud.max(initial=0))
        self._quiet = 0 if self.level_in > _INAUDIBLE else self._quiet + 1
        if self._quiet * self._seconds >= SILENT:
            self._tell("silent", f"the input has been silent for {SILENT:.0f} s: is it the right one, and turned up?")
            self._quiet = 0
        if np.count_nonzero(loud >= _FULL) >= _CLIPPED:
            self._tell("clipping", "the input clips: turn it down")

    def answered(self, samples: np.ndarray) -> None:
        """Look at a block that comes out, and at whose answers were in it."""
        self.level_out = float(np.abs(samples).max(initial=0))
        for number, (slot, late) in enumerate(zip(self._slots, self._late, strict=True), 1):
            before = late[-1]
            late.append(slot.counts.late)
            if slot.counts.late > before:
                self._tell_of_late(number, slot, late)
            if slot.counts.skipped > self._skipped[number - 1]:
                self._skipped[number - 1] = slot.counts.skipped
                self._tell(
                    f"skipped {number}",
                    f"network {number} ({slot.name}) is too far behind to hear everything: "
                    f"{slot.counts.skipped} blocks of the input were left out for it",
                )

    def _tell_of_late(self, number: int, slot: Slot, late: deque[int]) -> None:
        lost, milliseconds = late[-1] - late[0], 1000 * self._seconds
        worst = (
            f"the slowest of its blocks took {1000 * slot.counts.worst:.0f} ms, and a block lasts {milliseconds:.0f}"
        )
        if len(late) == late.maxlen and lost > len(late) / 2:
            cure = "take a larger --block or a smaller network; it is silent until it can"
            self._tell(f"slow {number}", f"network {number} ({slot.name}) cannot keep up: {worst}: {cure}")
        else:
            self._tell(f"late {number}", f"network {number} ({slot.name}) was late {slot.counts.late} times: {worst}")

    def _tell(self, kind: str, sentence: str) -> None:
        """Say something, unless the same kind of thing has just been said."""
        last = self._said.get(kind)
        if last is None or (self._blocks - last) * self._seconds >= SELDOM:
            self._said[kind] = self._blocks
            self._say(sentence)
