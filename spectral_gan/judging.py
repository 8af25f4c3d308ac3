"""How good the loops are that a generator makes: how far they are from those that are held out, and in which way.

Distances are taken between features of pictures, not between the pictures: the loudest and the mean of what a small
convolutional network with fixed random weights finds in them. A normal distribution that is fitted to the pictures
themselves would win every measure that is linear in them.

N pictures of T frames of D bands, F features.
"""

import numpy as np

from spectral_gan.measures import frechet_distance, precision_recall
from workshop.audio.slices import coarse, nearest
from workshop.run.baseline import Baseline
from workshop.run.learner import Measurement

#: Pictures that are measured, at most, and at least.
MAX_MEASURED, MIN_MEASURED = 1000, 64
#: Values of pictures that principal components are found of, at most.
MAX_VALUES = 1 << 23
#: Principal components of the normal distributions that a generator has to beat.
COMPONENTS = (16, 64, 256)
#: Neighbours whose distance is how far a picture's surroundings reach.
NEIGHBOURS = 5
#: The network that finds features: frames that a filter sees, filters, parts of the time in which the loudest is looked
#: for, and pictures that it sees at a time.
TAPS, FILTERS, PARTS, TOGETHER = 5, 64, 4, 64
#: Share of made pictures that may be as near to a training picture as one in a hundred held-out ones is.
COPIES = 0.05
#: Where made pictures are so near to each other, as a share of the distance of real ones, they are the same.
COLLAPSED = 0.5
#: Where the distance is so many times the best one, the two networks have lost their balance.
DIVERGED = 3.0


class Features:
    """A small convolutional network with fixed random weights: what pictures hold, as numbers.

    Args:
        bands: D.
        frames: T.
    """

    def __init__(self, frames: int, bands: int):
        rng = np.random.default_rng(0)
        self._first = rng.normal(0, (TAPS * bands) ** -0.5, (TAPS, bands, FILTERS)).astype(np.float32)
        self._second = rng.normal(0, (TAPS * FILTERS / 4) ** -0.5, (TAPS, FILTERS, FILTERS)).astype(np.float32)
        self._parts = np.array_split(np.arange(frames // 2), PARTS)

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        """Features float32 [N, F] of pictures [N, T, D]."""
        found = [self._of(pictures[at : at + TOGETHER]) for at in range(0, len(pictures), TOGETHER)]
        return np.concatenate(found)

    def _of(self, pictures: np.ndarray) -> np.ndarray:
        first = _convolved(2 * pictures.astype(np.float32) + 1, self._first)
        second = _convolved(first[:, ::2], self._second)
        # When something sounds counts as well as what.
        loudest = [second[:, part, : FILTERS // PARTS].max(axis=1) for part in self._parts]
        return np.concatenate([first.max(axis=1), first.mean(axis=1), *loudest], axis=1)


def _convolved(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """[N, T, C] around the end with weights [K, C, F], and without what is negative: [N, T, F]."""
    half, frames = len(weights) // 2, x.shape[1]
    ring = np.concatenate([x[:, -half:], x, x[:, :half]], axis=1)
    taps = (ring[:, tap : tap + frames] @ one for tap, one in enumerate(weights))
    return np.maximum(sum(taps), 0)


class Judge:
    """Measures made pictures.

    Args:
        train: pictures [N, T, D] that are trained on.
        held_out: pictures that are not.
    """

    def __init__(self, train: np.ndarray, held_out: np.ndarray):
        rng = np.random.default_rng(1)
        held_out = held_out[rng.permutation(len(held_out))[:MAX_MEASURED]]
        #: How many pictures to make.
        self.count = max(len(held_out), MIN_MEASURED)
        self._features = Features(*train.shape[1:])
        shown = train[rng.permutation(len(train))[: self.count]]
        seen = self._features(shown)
        self._scale = seen.std(axis=0) + 1e-6
        self._held_out = self._features(held_out) / self._scale
        self._apart = spread(self._held_out)
        self._train = coarse(train)
        self._usual = np.quantile(nearest(coarse(held_out), self._train)[1], 0.01)
        #: The distance of training pictures: nothing comes nearer.
        self.floor = frechet_distance(seen / self._scale, self._held_out)
        self.baseline = self._baseline(shown, rng)
        self._best = np.inf

    def _baseline(self, shown: np.ndarray, rng: np.random.Generator) -> Baseline:
        """Normal distributions fitted to principal components of pictures: what a generator has to beat."""
        flat = shown[: max(MAX_VALUES // shown[0].size, MIN_MEASURED)].reshape(-1, shown[0].size).astype(np.float32)
        mean = flat.mean(axis=0)
        away = flat - mean
        powers, vectors = np.linalg.eigh(away @ away.T)
        order = np.argsort(powers)[::-1]
        losses = {}
        for count in (number for number in COMPONENTS if number < len(flat)):
            # Along each component a picture is a sum of the fitted ones, with normally distributed shares.
            shares = rng.standard_normal((self.count, count)) @ vectors[:, order[:count]].T
            made = mean + shares.astype(np.float32) @ away / np.sqrt(len(flat))
            losses[str(count)] = self._distance(made.clip(-1, 1).reshape(-1, *shown.shape[1:]))[0]
        return Baseline(losses, kind="normal distribution of principal components", unit="")

    def _distance(self, made: np.ndarray) -> tuple[float, np.ndarray]:
        """The distance of made pictures from held-out ones, and their features [N, F]."""
        found = self._features(made) / self._scale
        return frechet_distance(found, self._held_out), found

    def __call__(self, made: np.ndarray) -> Measurement:
        """What made pictures [N, T, D] are like."""
        distance, found = self._distance(made)
        precision, recall = precision_recall(found, self._held_out, NEIGHBOURS)
        apart = spread(found) / self._apart
        copies = float((nearest(coarse(made), self._train)[1] < self._usual).mean())
        remarks = []
        if apart < COLLAPSED:
            remarks.append(
                f"mode collapse: the loops differ from each other {apart:.0%} as much as real ones do; the generator "
                "has found one that passes for real, and may come out of it; else try a lower --learning_rate"
            )
        if copies > COPIES:
            remarks.append(
                f"{copies:.0%} of the loops are as near to a training slice as copies are: more slices help, or "
                "--augment yes"
            )
        if distance > DIVERGED * self._best:
            remarks.append(
                f"the distance is {distance / self._best:.1f} times the best one: the networks have lost their "
                "balance, but the best checkpoint is kept, and --init_from begins again with it"
            )
        self._best = min(self._best, distance)
        more = {
            "precision": precision,
            "recall": recall,
            "variety": apart,
            "copies": copies,
            "distance of training slices": self.floor,
        }
        return Measurement(distance, more, tuple(remarks))


def spread(features: np.ndarray) -> float:
    """The mean distance of features [N, F] from the mean of all."""
    return float(np.linalg.norm(features - features.mean(axis=0), axis=1).mean())
