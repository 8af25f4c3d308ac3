"""A trained network of lesson 4, ready to generate."""

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from audio_rnn.lesson import LESSON
from workshop.audio import mu_law
from workshop.audio.trained import TrainedOnSound
from workshop.errors import UserError
from workshop.quiet import quietly

if TYPE_CHECKING:
    from audio_rnn.generate import Generator
    from workshop.networks.engine import Engine


class Trained(TrainedOnSound):
    """The network of an experiment, and its sample `rate` in Hz."""

    lesson = LESSON

    @property
    def symbols(self) -> range:
        """The levels of mu-law."""
        return range(mu_law.LEVELS)

    def build(self) -> Any:
        """The network that run.json describes."""
        from audio_rnn.model import build

        return build(self.experiment.record.network, self.experiment.most_weights)

    def exported(self) -> Any:
        """One step of the network, for `python -m workshop.export`."""
        from audio_rnn.generate import WARM_UP
        from workshop.export import recurrent

        return recurrent.step(self.model, self.meaning(WARM_UP))

    @functools.cached_property
    def _generator(self) -> "Generator":
        with quietly():
            from audio_rnn.generate import Generator

        return Generator(self.model)

    def engine(self) -> "tuple[Engine, int]":
        """The compiled kernel for one sound, and the silence that it hears first.

        Raises:
            UserError: the kernel cannot run this network.
        """
        from audio_rnn.generate import WARM_UP
        from workshop.networks.gru_engine import GruEngine, unfit

        if reason := unfit(self.model):
            raise UserError(
                f"{self.experiment.path} cannot be played live, because {reason}: train one with --cell gru"
            )
        return GruEngine(self.model, 1), WARM_UP

    def generator(self, labels: np.ndarray) -> "Generator":
        """What generates sounds with this network, which knows no conditions."""
        return self._generator
