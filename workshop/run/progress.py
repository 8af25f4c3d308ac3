"""Progress in a terminal, in a notebook's cell or in a log: one line that renews itself, or a line now and then."""

import math
import sys
import time

from workshop.run.board import BIT
from workshop.visible import visible
from workshop.words import duration

#: Seconds between two lines where a line cannot renew itself, and between two renewals where it can.
LOG_SECONDS = 10.0
RENEW_SECONDS = 0.5


def loss_in_words(loss: float, in_nats: bool) -> str:
    """A loss as it is printed: in bits as well where it is in nats."""
    return f"{loss:.3f} nats = {loss / BIT:.3f} bits" if in_nats else f"{loss:.3f}"


class Progress:
    """Says how a training goes: step, epoch, loss, speed in the lesson's own unit, and time left.

    Args:
        total: the last step; None where it is not known.
        step: the step it starts from.
        unit: what is counted in a second ("characters").
        minutes: time limit, counted from now; None for no limit.
        may_stop_early: whether the end may come before the last step and the time limit.
        in_nats: whether the loss is in nats per symbol.
    """

    def __init__(
        self, total: int | None, step: int, unit: str, minutes: float | None = None, may_stop_early: bool = False,
        in_nats: bool = True,
    ):  # fmt: skip
        self._total, self._unit, self._in_nats = total, unit, in_nats
        self._end = math.inf if minutes is None else time.monotonic() + 60 * minutes
        self._at_most = "at most " if may_stop_early else ""
        self._renew = sys.stderr.isatty()
        self._start_step = self._step = step
        self._started = self._said = time.monotonic()
        self._first = True
        self._loss: float | None = None
        self._symbols = 0
        self._line = ""

    def step(self, step: int, epoch: float, loss: float, symbols: int) -> None:
        """Count a step that took in so many symbols; print if it is time to."""
        # A running mean, because the loss of single windows jumps.
        self._loss = loss if self._loss is None else 0.95 * self._loss + 0.05 * loss
        self._symbols += symbols
        self._step = step
        now = time.monotonic()
        if self._first or step == self._total or now - self._said >= (RENEW_SECONDS if self._renew else LOG_SECONDS):
            self._print(step, epoch, now)
            self._said = now
        if self._first:
            # The first step includes the compilation: the speed is measured from here on.
            self._first, self._started, self._symbols, self._start_step = False, time.monotonic(), 0, step

    def skip(self, seconds: float) -> None:
        """Leave out so many seconds, in which nothing was trained."""
        self._started += seconds
        self._end += seconds

    def _print(self, step: int, epoch: float, now: float) -> None:
        assert self._loss is not None
        of_total = "" if self._total is None else f"/{self._total:,}"
        line = f"step {step:,}{of_total}  epoch {epoch:.2f}  loss {loss_in_words(self._loss, self._in_nats)}"
        if not self._first:
            seconds = now - self._started
            line += f"  {self._symbols / seconds:,.0f} {self._unit}/s"
            if (left := self._seconds_left(step, seconds, now)) < math.inf:
                line += f"  {self._at_most}{duration(left)} left"
        if self._renew:
            _put("\r" + line.ljust(len(self._line)))
            self._line = line
        else:
            _put(f"{line}\n")

    def _seconds_left(self, step: int, seconds: float, now: float) -> float:
        """Until the last step, at the speed of the `seconds` since the first one, or until the time limit."""
        steps = math.inf if self._total is None else self._total - step
        return max(0.0, min(steps * seconds / (step - self._start_step), self._end - now))

    def say(self, text: str) -> None:
        """Print something between the lines of progress."""
        self.close()
        _put(f"{visible(text)}\n")

    def close(self) -> None:
        """End the line that renews itself."""
        if self._line:
            _put("\n")
            self._line = ""


class Pace:
    """How many symbols a second are learnt from, measured again and again over the last steps."""

    def __init__(self) -> None:
        self._symbols, self._seconds = 0, 0.0
        self._first = True

    def count(self, symbols: int, seconds: float) -> None:
        """Count a step; not the first one, which includes the compilation."""
        if not self._first:
            self._symbols, self._seconds = self._symbols + symbols, self._seconds + seconds
        self._first = False

    def take(self) -> float | None:
        """Symbols a second since this was asked last; None where no step was counted."""
        pace = self._symbols / self._seconds if self._seconds else None
        self._symbols, self._seconds = 0, 0.0
        return pace


def _put(text: str) -> None:
    """Print, even where the terminal has just been closed: that is no reason to lose what has been learnt."""
    try:
        print(text, end="", file=sys.stderr, flush=True)
    except BrokenPipeError:
        raise
    except OSError:
        pass
