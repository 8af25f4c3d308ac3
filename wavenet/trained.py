"""A trained network of lesson 3, ready to generate."""

from typing import TYPE_CHECKING, Any

import numpy as np

from wavenet.lesson import LESSON
from workshop.audio.trained import TrainedOnSound
from workshop.quiet import quietly

if TYPE_CHECKING:
    from wavenet.generate import Generator
    from workshop.networks.engine import Engine


class Trained(TrainedOnSound):
    """The network of an experiment, its sample `rate` in Hz, and the names of its `conditions`, if it has any."""

    lesson = LESSON

    def build(self) -> Any:
        """The network that run.json describes."""
        from wavenet.model import build

        return build(self.experiment.record.network, self.experiment.most_weights)

    def with_conditions(self, count: int) -> Any:
        """The network with one condition, which changes nothing, or without any."""
        from wavenet.model import with_condition, without_conditions

        return with_condition(self.model) if count else without_conditions(self.model)

    def exported(self) -> Any:
        """One step of the network, for `python -m workshop.export`."""
        from wavenet.export import step

        return step(self.model, self.meaning(self.model.shape.receptive_field))

    def engine(self) -> "tuple[Engine, int]":
        """The compiled kernel for one sound of the first condition, and the silence that it hears first."""
        from wavenet.cores import CpuEngine

        return CpuEngine(self.model, np.zeros(1, int), half=True), self.model.shape.receptive_field

    def new_generator(self, labels: np.ndarray) -> "Generator":
        """What generates sounds with the conditions of these numbers [B]."""
        with quietly():
            from wavenet.generate import Generator

        return Generator(self.model, labels)
