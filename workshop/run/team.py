"""The team that trains one network: a process alone, or several workers that each take their part of every batch.

A session and a learner ask the team what they would otherwise decide by themselves. Here is the team of one, which
costs nothing; `workers.py` has the other, and is imported where it is needed.
"""

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from workshop.errors import UserError

if TYPE_CHECKING:
    from workshop.run.experiment import Experiment
    from workshop.run.record import DataInfo


class Team:
    """A process that trains alone.

    Attributes:
        size: how many workers there are, N.
        rank: of this one, from 0; that of rank 0 leads: it alone measures, writes and shows.
    """

    size, rank = 1, 0

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    # ---- before the first step ---------------------------------------------------------------------------------------

    def assemble(self, batch_size: int) -> None:
        """Wait for the other workers; `batch_size` is that of all together.

        Raises:
            UserError: it cannot be divided, or a worker does not come.
        """

    def opened(self, experiment: "Experiment") -> "Experiment":
        """The experiment as this worker has it: those that do not lead write nothing."""
        return experiment

    def begin(self, experiment: "Experiment", args: argparse.Namespace, data: "DataInfo") -> None:
        """See that all workers were started with the same arguments and have the same data.

        Raises:
            UserError: they differ.
        """

    # ---- in each step ------------------------------------------------------------------------------------------------

    def agreed(self, received: list[int]) -> list[int]:
        """The signals that all obey, a list that grows as `received`, those of this process, does."""
        return received

    def before_step(self, minutes: float) -> None:
        """A step begins, so many minutes after the session."""

    def part(self, batch: tuple[Any, ...]) -> tuple[Any, ...]:
        """This worker's sequences of a batch."""
        return batch

    def mean(self, loss: Any, gradients: list[Any]) -> tuple[Any, list[Any]]:
        """The means over all workers, in place of those over this one's sequences."""
        return loss, gradients

    def minutes(self, minutes: float) -> float:
        """How long the session has lasted, for all the same: by this process's clock it is `minutes`."""
        return minutes

    # ---- now and then ------------------------------------------------------------------------------------------------

    def measured(self, evaluate: Callable[[], Any]) -> Any:
        """The `Measurement` that `evaluate` gives, for all the same.

        Raises:
            KeyboardInterrupt: the measurement was given up.
        """
        return evaluate()

    def shared(self, arrays: Sequence[Any]) -> list[Any]:
        """The leader's arrays in place of this worker's."""
        return list(arrays)

    def gathered(self, arrays: Sequence[Any]) -> list[Any]:
        """Arrays [B / N, ...] of each worker's sequences as those [B, ...] of all."""
        return list(arrays)

    def own(self, array: Any) -> Any:
        """The counterpart: this worker's sequences of an array [B, ...]."""
        return array

    def finish(self) -> None:
        """All is saved: the workers may part."""


def check_divisible(batch_size: int, size: int) -> None:
    """See that each worker gets as many sequences.

    Raises:
        UserError: it does not.
    """
    if batch_size % size:
        less = batch_size // size * size
        near = f"{less} or {less + size}" if less else f"{size}"
        raise UserError(
            f"a batch of {batch_size} sequences cannot be divided among {size} workers: give --batch_size {near}"
        )
