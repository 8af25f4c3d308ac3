"""A trained network of lesson 3, ready to generate."""

from typing import TYPE_CHECKING, Any

import numpy as np

from wavenet.lesson import LESSON
from workshop.audio import conditions
from workshop.audio.trained import TrainedOnSound
from workshop.quiet import quietly

if TYPE_CHECKING:
    from wavenet.generate import Generator


class Trained(TrainedOnSound):
    """The network of an experiment, its sample `rate` in Hz, and the names of its `conditions`, if it has any."""

    lesson = LESSON

    def read(self) -> None:
        """Read the sample rate and the conditions."""
        super().read()
        self.conditions = conditions.known(self.experiment)
        self._labels: np.ndarray | None = None

    def build(self) -> Any:
        """The network that run.json describes."""
        from wavenet.model import build

        return build(self.experiment.info["network"], self.experiment.most_weights)

    def generator(self, labels: np.ndarray) -> "Generator":
        """What generates sounds with this network, with the conditions of these numbers [B]; the last one is kept."""
        with quietly():
            from wavenet.generate import Generator

        if self._labels is None or not np.array_equal(self._labels, labels):
            self._labels, self._generator = labels, Generator(self.model, labels)
        return self._generator
