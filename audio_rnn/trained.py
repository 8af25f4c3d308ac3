"""A trained network of lesson 4, ready to generate."""

from typing import TYPE_CHECKING, Any

import numpy as np

from audio_rnn.lesson import LESSON
from workshop.audio.trained import TrainedOnSound
from workshop.errors import UserError
from workshop.quiet import quietly

if TYPE_CHECKING:
    from audio_rnn.generate import Generator
    from workshop.networks.engine import Engine


class Trained(TrainedOnSound):
    """The network of an experiment, its sample `rate` in Hz, and the names of its `conditions`, if it has any."""

    lesson = LESSON

    def build(self) -> Any:
        """The network that run.json describes."""
        from audio_rnn.model import build

        return build(self.experiment.record.network, self.experiment.most_weights)

    def with_conditions(self, count: int) -> Any:
        """The network with one condition, which changes nothing, or without any."""
        from audio_rnn.model import with_conditions

        return with_conditions(self.experiment.record.network, self.model, count)

    def exported(self) -> Any:
        """One step of the network, for `python -m workshop.export`."""
        from audio_rnn.generate import WARM_UP
        from workshop.export import recurrent

        return recurrent.step(self.model, self.meaning(WARM_UP))

    def new_generator(self, labels: np.ndarray) -> "Generator":
        """What generates sounds with the conditions of these numbers [B]."""
        with quietly():
            from audio_rnn.generate import Generator

        return Generator(self.model, labels)

    def engine(self) -> "tuple[Engine, int]":
        """The compiled kernel for one sound of the first condition, and the silence that it hears first.

        Raises:
            UserError: the kernel cannot run this network.
        """
        from audio_rnn.generate import WARM_UP
        from workshop.networks.gru_engine import GruEngine, unfit

        if reason := unfit(self.model):
            raise UserError(
                f"{self.experiment.path} cannot be played live, because {reason}: train one with --cell gru"
            )
        return GruEngine(self.model, np.zeros(1, int), half=True), WARM_UP
