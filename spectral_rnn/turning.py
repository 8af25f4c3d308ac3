"""What a network that guesses real and imaginary parts has to beat: each frequency goes on turning.

Of a steady tone each spectrum is the last one times a complex number. So a linear predictor of order p multiplies each
frequency of the last p frames by numbers of its own, those of the least squares. Its errors are taken for normally
distributed, all with one spread: their squares are what the network is trained on too.

N frames, F frequencies, p frames that are known.
"""

import math
from dataclasses import dataclass

import numpy as np

from workshop.audio.parts import LOUDEST, Parts

#: Of more training frames, so many at the end are fitted to.
MAX_FITTED = 10_000
#: Keeps silent frequencies from being divided by nothing: squared smallest steps.
RIDGE = 0.01


@dataclass(frozen=True)
class Turns:
    """A fitted predictor.

    Attributes:
        turns: complex [p, F], for the last frame and the one before.
        spread: of the errors, in smallest steps.
    """

    turns: np.ndarray
    spread: float

    @property
    def order(self) -> int:
        """How many frames it knows."""
        return len(self.turns)

    def losses(self, frames: np.ndarray, parts: Parts) -> np.ndarray:
        """-ln p of each frame but the first p of frames [N, 2 F] in steps: nats, float64 [N - p]."""
        errors = _errors(numbers(frames, parts), self.turns)
        squares = np.square(errors.real).sum(axis=1) + np.square(errors.imag).sum(axis=1)
        constant = 2 * errors.shape[1] * (math.log(self.spread) + 0.5 * math.log(2 * math.pi))
        losses: np.ndarray = squares / (2 * self.spread**2) + constant
        return losses


def fit(frames: np.ndarray, parts: Parts, order: int) -> Turns:
    """The predictor of an order that fits frames [N, 2 F] in steps best."""
    found = numbers(frames[-MAX_FITTED:], parts)
    known = np.stack(_known(found, order))
    products = np.einsum("atf,btf->fab", known.conj(), known) + RIDGE * len(found) * np.eye(order)
    wanted = np.einsum("atf,tf->fa", known.conj(), found[order:])
    turns = np.linalg.solve(products, wanted[..., None])[..., 0].T
    errors = _errors(found, turns)
    return Turns(turns, max(math.sqrt(np.square(np.abs(errors)).mean() / 2), 0.1))


def numbers(frames: np.ndarray, parts: Parts) -> np.ndarray:
    """The complex numbers of frames [N, 2 F] in steps, counted in smallest steps: complex64 [N, F]."""
    real, imaginary = np.split(parts.values(frames) * np.float32(LOUDEST), 2, axis=1)
    return (real + 1j * imaginary).astype(np.complex64)


def _known(found: np.ndarray, order: int) -> list[np.ndarray]:
    """What is known of each frame but the first ones: the last frame, the one before, and so on, each [N - p, F]."""
    return [found[order - back : len(found) - back] for back in range(1, order + 1)]


def _errors(found: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """What the predictor lacks of each frame but the first ones, complex [N - p, F]."""
    order = len(turns)
    return found[order:] - sum(turn * known for turn, known in zip(turns, _known(found, order), strict=True))
