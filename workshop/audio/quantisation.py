"""Samples as one of 256 levels, in one of two ways: which one is part of an experiment, and never changes in it.

`mu-law` puts the levels close together near silence, where the ear hears small differences; `linear` puts them at equal
distances, which is what a WAV file of 8 bits holds: quiet sounds become noisy, and what is loud gets more levels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workshop.audio import mu_law

#: Half of the levels: those on each side of silence.
_HALF = mu_law.LEVELS // 2


@dataclass(frozen=True)
class Quantisation:
    """A way to make levels of samples. The level of silence is `mu_law.SILENCE` in each.

    Attributes:
        name: in run.json and on the command line.
        encode: makes levels, uint8 0..255, of samples from -1 to 1; what is beyond becomes the loudest level.
        decode: makes samples, float32 from -1 to 1, of levels.
    """

    name: str
    encode: Callable[[np.ndarray], np.ndarray]
    decode: Callable[[np.ndarray], np.ndarray]

    def __str__(self) -> str:
        return f"{self.name} with {mu_law.LEVELS} levels"


def _encode_linear(samples: np.ndarray) -> np.ndarray:
    levels = np.floor(np.clip(samples, -1, 1) * _HALF + _HALF + 0.5)
    return np.minimum(levels, mu_law.LEVELS - 1).astype(np.uint8)  # there is no level for 1 itself


def _decode_linear(levels: np.ndarray) -> np.ndarray:
    return ((np.asarray(levels, np.float64) - _HALF) / _HALF).astype(np.float32)


MU_LAW = Quantisation("mu-law", mu_law.encode, mu_law.decode)
LINEAR = Quantisation("linear", _encode_linear, _decode_linear)
#: By their names.
QUANTISATIONS = {each.name: each for each in (MU_LAW, LINEAR)}
