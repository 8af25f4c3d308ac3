"""What a network of spectra has to beat: a linear predictor whose errors have heavy tails.

A vector autoregression, VAR(p), predicts all bands of a frame from all bands of the last p frames. Its errors are
modelled by a multivariate Student's t distribution, because a normal one gives onsets far too little probability; the
scale matrix and the degrees of freedom are fitted by expectation maximisation (Liu and Rubin 1995).

N frames, D bands, order p; levels in quantisation steps.
"""

import math
from dataclasses import dataclass

import numpy as np

ORDERS = (1, 2)
#: Maximal number of training frames to fit; of more, the last ones are used.
MAX_FITTED = 60_000
#: Ridge regularisation, in squared steps: otherwise bands that are always silent would be predicted exactly.
RIDGE = 0.04
#: Iterations of expectation maximisation, and the degrees of freedom that are tried.
ROUNDS = 15
FREEDOMS = np.geomspace(0.3, 200, 60)


@dataclass(frozen=True)
class Var:
    """A fitted predictor.

    Attributes:
        weights: [p D + 1, D], for the last frame, the one before, and so on, and a constant.
        scale: scale matrix of the errors, [D, D].
        freedom: degrees of freedom of the errors: the lower, the heavier their tails.
    """

    weights: np.ndarray
    scale: np.ndarray
    freedom: float

    @property
    def order(self) -> int:
        """p, the number of past frames that it uses."""
        return (len(self.weights) - 1) // self.weights.shape[1]

    def losses(self, frames: np.ndarray) -> np.ndarray:
        """-ln p of each frame but the first p of frames [N, D]: nats, float64 [N - p]."""
        known, following = _known(frames, self.order)
        root = np.linalg.cholesky(self.scale)
        return _losses(_distances(following - known @ self.weights, root), root, self.freedom)


def fit(frames: np.ndarray, order: int) -> Var:
    """Fit a predictor of this order to frames [N, D]: ridge regression, then the distribution of its errors."""
    known, following = _known(frames[-MAX_FITTED:].astype(np.float64), order)
    products = known.T @ known + RIDGE * len(known) * np.diag(np.append(np.ones(known.shape[1] - 1), 0))
    weights = np.linalg.solve(products, known.T @ following)
    errors = following - known @ weights
    size = errors.shape[1]
    scale, freedom = errors.T @ errors / len(errors), 4.0
    for _ in range(ROUNDS):
        scale[np.diag_indices(size)] += RIDGE / 100
        far = _distances(errors, np.linalg.cholesky(scale))
        weighted = errors * ((freedom + size) / (freedom + far))[:, None]
        scale = weighted.T @ errors / len(errors)
        root = np.linalg.cholesky(scale + RIDGE / 100 * np.eye(size))
        far = _distances(errors, root)
        freedom = float(min(FREEDOMS, key=lambda one: _losses(far, root, one).mean()))
    return Var(weights, scale + RIDGE / 100 * np.eye(size), freedom)


def _known(frames: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    """The regressors [N - p, p D + 1] of each frame but the first p, and those frames, the targets [N - p, D]."""
    count = len(frames) - order
    before = [frames[order - back : order - back + count] for back in range(1, order + 1)]
    return np.concatenate([*before, np.ones((count, 1))], axis=1), frames[order:]


def _distances(errors: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Squared Mahalanobis distances [N] of errors [N, D], for the Cholesky factor of their scale."""
    return np.square(np.linalg.solve(root, errors.T)).sum(axis=0)


def _losses(distances: np.ndarray, root: np.ndarray, freedom: float) -> np.ndarray:
    """-ln p of Student's t with these degrees of freedom, at squared distances [N]."""
    size = len(root)
    constant = math.lgamma(freedom / 2) - math.lgamma((freedom + size) / 2) + size / 2 * math.log(freedom * math.pi)
    constant += np.log(np.diag(root)).sum()
    result: np.ndarray = constant + (freedom + size) / 2 * np.log1p(distances / freedom)
    return result
