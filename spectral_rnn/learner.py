"""The learner of lesson 5: what `WindowLearner` does, for frames; and what is kept with the weights."""

from typing import Any

import numpy as np

from spectral_rnn.dataset import KEPT
from workshop.run.learner import WindowLearner


class FrameLearner(WindowLearner):
    """Trains a `FrameModel`; see `WindowLearner`.

    Args:
        model: the network.
        average: another one of the same shape.
        excerpts: frames [E, P, D] that a generated sound can begin with, kept with the weights.
        more: the other arguments.
    """

    def __init__(self, model: Any, average: Any, excerpts: np.ndarray, **more: Any):
        super().__init__(model, average, model.losses, **more)
        self._excerpts = excerpts

    def held_out_loss(self, predictions: Any, targets: Any) -> Any:
        """Nats a frame [T, B]."""
        return self.average.losses(predictions, targets)

    def averaged(self) -> dict[str, np.ndarray]:
        """The weights to generate with, and what to begin with."""
        return super().averaged() | {KEPT: self._excerpts}
