"""A trained network of lesson 3, ready to generate."""

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wavenet.lesson import LESSON
from workshop.audio.trained import TrainedOnSound
from workshop.errors import UserError
from workshop.quiet import quietly

if TYPE_CHECKING:
    from wavenet.generate import Generator
    from workshop.networks.engine import Engine


class Trained(TrainedOnSound):
    """The network of an experiment, its sample `rate` in Hz, and the names of its `conditions`, if it has any."""

    lesson, symbol = LESSON, "condition"

    def read(self) -> None:
        """Read the sample rate and the conditions."""
        super().read()
        if len(self.conditions) != self.experiment.record.network.get("conditions"):
            file = self.experiment.path / "run.json"
            raise UserError(f"{file} is damaged: its conditions {self.conditions} are not those of its network")
        self._labels: np.ndarray | None = None

    @property
    def symbols(self) -> Sequence[str]:
        """The names of the conditions: the levels of mu-law are the same for all sounds."""
        return self.conditions

    def network_for(self, symbols: Sequence[Hashable]) -> Any:
        """The network, with a condition that changes nothing or without one where `symbols` need that."""
        if bool(symbols) == bool(self.conditions):
            return self.model
        from wavenet.model import with_condition, without_conditions

        return with_condition(self.model) if symbols else without_conditions(self.model)

    def build(self) -> Any:
        """The network that run.json describes."""
        from wavenet.model import build

        return build(self.experiment.record.network, self.experiment.most_weights)

    def exported(self) -> Any:
        """One step of the network, for `python -m workshop.export`."""
        from wavenet.export import step

        return step(self.model, self.meaning(self.model.shape.receptive_field))

    def engine(self) -> "tuple[Engine, int]":
        """The compiled kernel for one sound of the first condition, and the silence that it hears first."""
        from wavenet.cores import CpuEngine

        return CpuEngine(self.model, np.zeros(1, int)), self.model.shape.receptive_field

    def generator(self, labels: np.ndarray) -> "Generator":
        """What generates sounds with this network, with the conditions of these numbers [B]; the last one is kept."""
        with quietly():
            from wavenet.generate import Generator

        if self._labels is None or not np.array_equal(self._labels, labels):
            self._labels, self._generator = labels, Generator(self.model, labels)
        return self._generator
