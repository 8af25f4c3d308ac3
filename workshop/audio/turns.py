"""Call and response: whose turn it is, told from how loud it is."""

from typing import Literal

import numpy as np

#: Where the root mean square of a block is above this, somebody calls; -40 dB of full scale.
AUDIBLE = 0.01
#: Seconds of rest after which a call has ended; and the longest answer.
REST, LONGEST_ANSWER = 0.3, 8.0


class Turns:
    """Lets a network answer when a call has come to a rest, for as long as the call was; a new call interrupts it.

    Args:
        rate: samples a second.
    """

    def __init__(self, rate: int):
        self._rate = rate
        #: Samples of the call and of the rest after it so far, and of the answer that are still to come.
        self._called = self._rested = self._to_come = 0

    def next(self, heard: np.ndarray) -> Literal["listen", "answer", "end"]:
        """What to do while the samples `heard` [N] come: listen to them, or answer; `end` is the last of an answer."""
        count = len(heard)
        is_calling = bool(np.sqrt(np.mean(np.square(heard))) > AUDIBLE)
        if self._to_come and is_calling:  # interrupted: what interrupts is a new call
            self._to_come, self._called, self._rested = 0, count, 0
            return "end"
        if self._to_come:
            self._to_come = max(self._to_come - count, 0)
            return "answer" if self._to_come else "end"
        if is_calling:
            self._called, self._rested = self._called + self._rested + count, 0
        elif self._called:
            self._rested += count
            if self._rested >= REST * self._rate:
                self._to_come = min(self._called, round(LONGEST_ANSWER * self._rate))
                self._called = self._rested = 0
        return "listen"
