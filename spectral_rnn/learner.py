"""The learner of lesson 5: what `WindowLearner` does, for frames; and what is kept with the weights."""

from typing import Any

import numpy as np

from workshop.run.learner import WindowLearner


class FrameLearner(WindowLearner):
    """Trains a `FrameModel`; see `WindowLearner`.

    Args:
        model: the network.
        average: another one of the same shape.
        kept: arrays by name that are kept with the weights: what else generating needs.
        more: the other arguments.
    """

    def __init__(self, model: Any, average: Any, kept: dict[str, np.ndarray], **more: Any):
        super().__init__(model, average, model.losses, **more)
        self._kept = kept

    def held_out_loss(self, predictions: Any, targets: Any) -> Any:
        """Nats a frame [T, B]."""
        return self.average.losses(predictions, targets)

    def averaged(self) -> dict[str, np.ndarray]:
        """The weights to generate with, and what else that needs."""
        return super().averaged() | self._kept
