"""Progress in a terminal, in a notebook's cell or in a log: one line that renews itself, or a line now and then."""

import sys
import time

from workshop.board import BIT
from workshop.visible import visible

#: Seconds between two lines where a line cannot renew itself, and between two renewals where it can.
LOG_SECONDS = 10.0
RENEW_SECONDS = 0.5


class Progress:
    """Says how a training goes: step, epoch, loss, speed in the lesson's own unit, and time left.

    Args:
        total: the last step.
        step: the step it starts from.
        unit: what is counted in a second ("characters").
    """

    def __init__(self, total: int, step: int, unit: str):
        self._total, self._unit = total, unit
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

    def _print(self, step: int, epoch: float, now: float) -> None:
        assert self._loss is not None
        line = f"step {step:,}/{self._total:,}  epoch {epoch:.2f}  "
        line += f"loss {self._loss:.3f} nats = {self._loss / BIT:.3f} bits"
        if not self._first:
            seconds = now - self._started
            left = (self._total - step) * seconds / (step - self._start_step)
            line += f"  {self._symbols / seconds:,.0f} {self._unit}/s  {_duration(left)} left"
        if self._renew:
            _put("\r" + line.ljust(len(self._line)))
            self._line = line
        else:
            _put(f"{line}\n")

    def say(self, text: str) -> None:
        """Print something between the lines of progress."""
        self.close()
        _put(f"{visible(text)}\n")

    def close(self) -> None:
        """End the line that renews itself."""
        if self._line:
            _put("\n")
            self._line = ""


def _put(text: str) -> None:
    """Print, even where the terminal has just been closed: that is no reason to lose what has been learnt."""
    try:
        print(text, end="", file=sys.stderr, flush=True)
    except BrokenPipeError:
        raise
    except OSError:
        pass


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
