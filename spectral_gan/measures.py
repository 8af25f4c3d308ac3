"""How good made loops are, in numbers: how far they are from loops that are held out, whether each is like some of
these and each of these like some, how much they differ among themselves, and whether they are copies.

All distances are between features (`features.py`). Beside the numbers of made loops stand those of training slices,
which are the best that can be hoped for, of a Gaussian fitted to the training slices in PCA space, which a generator
has to beat, and of training slices with noise.

N loops of T frames of D bands, F features.
"""

from dataclasses import asdict, dataclass

import numpy as np

from spectral_gan.features import SIDE, features, shrunk
from workshop.audio.slices import nearest

#: Loops that are measured, at most, of each kind.
MOST = 2000
#: Neighbours that decide how far the surroundings of a loop reach.
NEIGHBOURS = 5
#: Components of the Gaussian that are tried; and slices that it is fitted to.
COMPONENTS, FITTED = (8, 16, 32, 64, 128, 256), 1500
#: Standard deviation of the noise in training slices, of the 2 between the lowest and the highest value.
NOISE = 0.1
#: Less difference among each other, as a share of that of held-out loops, is mode collapse; so is less recall where
#: the precision is higher than that, since loops that are like no real ones have no recall either.
ALIKE, FEW, REAL = 0.5, 0.1, 0.8
#: A larger share of loops that are nearer to a training slice than one in a hundred held-out ones is copying.
COPIES = 0.05


@dataclass(frozen=True)
class Measures:
    """What loops are like.

    Attributes:
        distance: Fréchet distance to held-out loops (Heusel et al. 2017); the lower the better.
        precision: share of the loops that lie among held-out ones (Kynkäänniemi et al. 2019).
        recall: share of the held-out ones that lie among the loops.
        variety: mean distance of two of the loops, as a share of that of two held-out ones.
        copies: share of the loops that are nearer to a training slice than one in a hundred held-out ones.
        nearest: the median distance to the nearest training slice, as a share of that of held-out ones.
    """

    distance: float
    precision: float
    recall: float
    variety: float
    copies: float
    nearest: float

    def scalars(self) -> dict[str, float]:
        """All of them by name."""
        return asdict(self)

    def warnings(self) -> list[str]:
        """What is wrong with the loops, in sentences."""
        said = []
        if self.variety < ALIKE or (self.recall < FEW and self.precision > REAL):
            said.append(
                f"mode collapse: the loops differ from one another {self.variety:.0%} as much as real ones do, and "
                f"have {self.recall:.0%} of what those have; the generator may come out of it, else try a lower "
                "--learning_rate"
            )
        if self.copies > COPIES:
            said.append(
                f"copies: {self.copies:.0%} of the loops are as near to a training slice as copies are; more slices "
                "help, or --augment yes"
            )
        return said


class Reference:
    """What loops are measured against.

    Args:
        train: pictures [N, T, D] from -1 to 1 that were trained on.
        held_out: pictures that were not.
    """

    def __init__(self, train: np.ndarray, held_out: np.ndarray):
        #: Chooses `MOST` of them, and draws the baselines.
        self._random = random = np.random.default_rng(0)
        found = features(train)
        spread = found.std(axis=0)
        # What hardly changes over the training slices does not outweigh the rest.
        self._scale = 1.0 / np.maximum(spread, 0.1 * spread.mean() + 1e-6)
        self._train = found * self._scale
        chosen = random.permutation(len(train))[:MOST]
        self._shown = shrunk(train[np.sort(chosen)])
        self._some_train = self._train[np.sort(chosen)]
        self._held_out = self._features(held_out[np.sort(random.permutation(len(held_out))[:MOST])])
        self._variety = variety(self._held_out)
        _, away = nearest(self._held_out, self._train)
        self._usual, self._copied = float(np.median(away)), float(np.quantile(away, 0.01))

    def measure(self, made: np.ndarray) -> Measures:
        """What made pictures [N, T, D] are like; the first `MOST` of them."""
        return self._measure(self._features(made[:MOST]))

    def training_slices(self) -> Measures:
        """The numbers of training slices: a training slice is its own nearest one, as copies and nearest say."""
        return self._measure(self._some_train)

    def gaussians(self) -> dict[int, Measures]:
        """The numbers of Gaussians that are fitted to the training slices in PCA space, by the number of components."""
        counts = [count for count in COMPONENTS if count < min(len(self._shown), FITTED)]
        fitted = Gaussian(self._shown)
        made = {count: fitted.draw(len(self._shown), count, self._random) for count in counts or [1]}
        return {count: self._measure(self._features(pictures)) for count, pictures in made.items()}

    def noisy(self) -> Measures:
        """The numbers of training slices with noise."""
        noisy = self._shown + self._random.normal(0, NOISE, self._shown.shape)
        return self._measure(self._features(noisy.clip(-1, 1)))

    def _features(self, pictures: np.ndarray) -> np.ndarray:
        """Features float32 [N, F], each with a standard deviation of 1, or less, over the training slices."""
        return features(pictures) * self._scale

    def _measure(self, found: np.ndarray) -> Measures:
        _, away = nearest(found, self._train)
        precision, recall = precision_recall(found, self._held_out)
        return Measures(
            frechet_distance(found, self._held_out), precision, recall, variety(found) / max(self._variety, 1e-9),
            float((away < self._copied).mean()), float(np.median(away)) / max(self._usual, 1e-9),
        )  # fmt: skip


def frechet_distance(some: np.ndarray, others: np.ndarray) -> float:
    """The Fréchet distance of two Gaussians fitted to features [N, F] and [M, F]: |m - n|² + tr(S + R - 2 (S R)^(1/2))
    (Heusel et al. 2017).
    """
    shift = some.mean(axis=0, dtype=float) - others.mean(axis=0, dtype=float)
    # A single point has no spread.
    one, other = (np.cov(features, rowvar=False, ddof=min(1, len(features) - 1)) for features in (some, others))
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    common = np.sqrt(np.linalg.eigvalsh(root @ other @ root).clip(0)).sum()
    return max(0.0, float(shift @ shift + np.trace(one) + np.trace(other) - 2 * common))


def precision_recall(made: np.ndarray, real: np.ndarray) -> tuple[float, float]:
    """Shares of made features [N, F] that lie within the surroundings of a real one [M, F], and of real ones that lie
    within those of a made one; surroundings reach to the k-th nearest neighbour of the same kind (Kynkäänniemi et al.
    2019).
    """
    apart = distances(made, real)
    reach_real, reach_made = _reach(real), _reach(made)
    return float((apart <= reach_real).any(axis=1).mean()), float((apart <= reach_made[:, None]).any(axis=0).mean())


def _reach(some: np.ndarray) -> np.ndarray:
    """The distance of each of features [N, F] to its k-th nearest neighbour, which it is not itself; float32 [N]."""
    number = min(NEIGHBOURS, len(some) - 1)
    return np.partition(distances(some, some), number, axis=1)[:, number]


def distances(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The distances of features [N, F] and [M, F]: float32 [N, M]."""
    squares = np.square(some).sum(axis=1)[:, None] + np.square(others).sum(axis=1) - 2 * some @ others.T
    return np.sqrt(np.maximum(squares, 0))


def variety(some: np.ndarray) -> float:
    """The mean distance of two of features [N, F]."""
    count = len(some)
    return float(distances(some, some).sum() / max(count * (count - 1), 1))


class Gaussian:
    """A Gaussian that is fitted to pictures in PCA space.

    Args:
        pictures: float32 [N, S, S], of which `FITTED` are used.
    """

    def __init__(self, pictures: np.ndarray):
        flat = pictures[:FITTED].reshape(min(len(pictures), FITTED), -1)
        self._mean = flat.mean(axis=0)
        self._away = flat - self._mean
        # Of the pictures' inner products, since there are fewer pictures than values in each.
        _, vectors = np.linalg.eigh(self._away @ self._away.T)
        self._vectors = vectors[:, ::-1]

    def draw(self, count: int, components: int, random: np.random.Generator) -> np.ndarray:
        """Draw pictures float32 [count, S, S], which vary along the first `components` principal components."""
        # Along each component a picture is a sum of the given ones, with normally distributed shares.
        shares = random.standard_normal((count, components)) @ self._vectors[:, :components].T
        made = self._mean + shares.astype(np.float32) @ self._away / np.sqrt(max(len(self._away) - 1, 1))
        return made.clip(-1, 1).reshape(-1, SIDE, SIDE).astype(np.float32)
