"""How good the loops are that a generator makes while it trains, and what a person should know of it."""

import numpy as np

from spectral_gan.measures import MOST, Reference
from workshop.run.baseline import Baseline
from workshop.run.learner import Measurement

#: Pictures that are measured, at least.
MIN_MEASURED = 64
#: Where the distance is so many times the best one, the two networks have lost their balance.
DIVERGED = 3.0


class Judge:
    """Measures made pictures against those that are held out.

    Args:
        train: pictures [N, T, D] that are trained on.
        held_out: pictures that are not.
        best: the least distance so far, where a training is resumed.
    """

    def __init__(self, train: np.ndarray, held_out: np.ndarray, best: float = np.inf):
        self._reference = Reference(train, held_out)
        #: How many pictures to make.
        self.count = min(max(len(held_out), MIN_MEASURED), MOST)
        #: The distance of training pictures: nothing is expected to come nearer.
        self.floor = self._reference.training_slices().distance
        distances = {str(count): found.distance for count, found in self._reference.gaussians().items()}
        self.baseline = Baseline(distances, kind="Gaussian of principal components", unit="")
        self._best = best

    def __call__(self, made: np.ndarray) -> Measurement:
        """What made pictures [N, T, D] are like."""
        found = self._reference.measure(made)
        remarks = found.warnings()
        if found.distance > DIVERGED * self._best:
            remarks.append(
                f"the distance is {found.distance / self._best:.1f} times the best one: the networks have lost their "
                "balance, but the best checkpoint is kept, and --init_from begins again with it"
            )
        self._best = min(self._best, found.distance)
        more = found.scalars() | {"distance of training slices": self.floor}
        return Measurement(more.pop("distance"), more, tuple(remarks))
