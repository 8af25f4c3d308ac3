"""What ends a training: all epochs done, the time limit, or early stopping.

A training without `--num_epochs` goes on for as long as the held-out loss improves (early stopping), and for
`DEFAULT_MINUTES` at most. Whether it has stopped improving follows from its measurements alone, so that a training
that is interrupted and resumed ends where an uninterrupted one does.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from workshop.errors import UserError

if TYPE_CHECKING:
    from workshop.run.position import Position

#: The time limit in minutes of a training that is given neither --num_epochs nor --max_minutes.
DEFAULT_MINUTES = 20.0
#: Epochs that end within so many steps of each other are not all measured: of little data the lowest held-out loss
#: comes within a few hundred steps, and each measurement takes the time of some steps.
MEASURE_EVERY = 50
#: Early stopping without --patience needs at least so many measurements in a row without a new best ...
MIN_MEASUREMENTS = 10
#: ... never ends a training before this step ...
MIN_STEPS = 500
#: ... and waits for this share of the steps that the best loss took. A loss that fell for long may pause for long.
WAIT = 0.5
#: About how long it takes until early stopping ends a training: so many steps, and so many epochs besides. Estimated
#: from trainings on 17 KB and 100 KB of text.
EXPECTED_STEPS, EXPECTED_EPOCHS = 1_000, 40

#: How a training ends: the last step, the time limit, early stopping, or a signal such as that of Ctrl-C.
Ending = Literal["steps", "time", "stalled", "stopped"]


@dataclass(frozen=True)
class Limits:
    """Where a training ends, whichever comes first.

    Attributes:
        windows: steps in an epoch.
        num_epochs: epochs, all resumed parts together; None for as long as the held-out loss improves.
        max_minutes: time limit in minutes of each part; None for `DEFAULT_MINUTES`, or for no limit with `num_epochs`.
        patience: measurements in a row without a new best; None for the rule at the top of this file, or for no early
            stopping with `num_epochs`.
        max_steps: steps, all parts together; None for no limit. A training that has this one has no others by default.
    """

    windows: int
    num_epochs: int | None = None
    max_minutes: float | None = None
    patience: int | None = None
    max_steps: int | None = None

    @property
    def total(self) -> int | None:
        """The last step; None where no number of steps is planned."""
        epochs = [] if self.num_epochs is None else [self.num_epochs * self.windows]
        return min([*epochs, *([] if self.max_steps is None else [self.max_steps])], default=None)

    @property
    def minutes(self) -> float | None:
        """The time limit in minutes."""
        return DEFAULT_MINUTES if self.max_minutes is None and self.total is None else self.max_minutes

    @property
    def stops_early(self) -> bool:
        """Whether the training may end because the held-out loss has stopped improving."""
        return self.patience is not None or self.total is None

    @property
    def finds_its_end(self) -> bool:
        """Whether neither epochs nor steps nor a patience are given."""
        return self.patience is None and self.total is None

    def ending(self, at: "Position", minutes: float) -> Ending | None:
        """What ends the training where it stands, after so many minutes of this part; None where it goes on."""
        if self._is_done(at):
            return "steps"
        if self.has_stalled(at):
            return "stalled"
        return "time" if self.minutes is not None and minutes >= self.minutes else None

    def _is_done(self, at: "Position") -> bool:
        return self.total is not None and at.step >= self.total

    def has_stalled(self, at: "Position") -> bool:
        """Whether early stopping ends the training after its latest measurement."""
        if self.patience is not None:
            return at.without_best >= self.patience
        if not self.finds_its_end or not at.history:
            return False
        measured = at.history[-1].step
        # An epoch at least: before a network has seen all data again, it has not seen what it could still learn.
        wait = max(WAIT * at.best_step, self.windows)
        return measured >= MIN_STEPS and at.without_best >= MIN_MEASUREMENTS and measured - at.best_step >= wait

    def plan(self) -> str | None:
        """A sentence for the start of a training that has no last step; None for one that has."""
        if self.total is not None or self.minutes is None:
            return None
        until = "stops improving" if self.patience is None else _not_improved(self.patience)
        changes = " changes it" if self.max_minutes is None else ""
        return f"training: until the held-out loss {until}, at most {_minutes(self.minutes)} (--max_minutes{changes})"

    def check(self, at: "Position", experiment: Path) -> None:
        """See that a training can go on from where it stands.

        Raises:
            UserError: it is over already; the sentence says why, and what makes it go on.
        """
        if self._is_done(at):
            if self.total == self.max_steps:
                raise UserError(f"{experiment} has gone further than --smoke goes: leave it out to go on")
            raise UserError(
                f"{experiment} has been trained for all of its {self.num_epochs} epochs: "
                "to go on, give a higher --num_epochs"
            )
        if self.has_stalled(at):
            raise UserError(
                f"{experiment} has stopped improving: {self.reason('stalled', at)}; to go on all the same, give "
                f"--num_epochs above {at.epoch} or --patience above {at.without_best}"
            )

    def reason(self, ending: Ending, at: "Position") -> str:
        """What ended a training that was not stopped by a signal, in words."""
        if ending == "stalled":
            return f"the held-out loss {_not_improved(at.without_best)} (best at step {at.best_step:,})"
        if ending == "time":
            assert self.minutes is not None
            return f"the limit of {_minutes(self.minutes)} is reached (--max_minutes)"
        if self.total == self.max_steps:
            return f"step {self.max_steps:,} is done"
        return "the one epoch is done" if self.num_epochs == 1 else f"all {self.num_epochs:,} epochs are done"


def expected_minutes(amount: float, step: float, speed: float) -> float:
    """About how many minutes a training without --num_epochs and --max_minutes takes.

    Args:
        amount: of data, in the unit in which the speed is given: characters, notes, or seconds of sound.
        step: what a step takes in; less where there is not so much data.
        speed: what training takes in a second.
    """
    symbols = EXPECTED_STEPS * min(step, amount) + EXPECTED_EPOCHS * amount
    return min(DEFAULT_MINUTES, symbols / speed / 60)


def _not_improved(measurements: int) -> str:
    return f"has not improved for {measurements:,} measurement{'' if measurements == 1 else 's'}"


def _minutes(minutes: float) -> str:
    return f"{minutes:,g} minute{'' if minutes == 1 else 's'}"
