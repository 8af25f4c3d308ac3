"""Samples as numbers: the representation of lesson 3.

A sample of sound is one of 65,536 values in an ordinary file. A network can choose among 256 just as well, if they
stand close together where the ear hears small differences - near silence - and further apart where it is loud. That is
the mu-law of telephony (ITU-T G.711, in the continuous form with mu = 255).
"""

import numpy as np

#: How many values there are.
LEVELS = 256
_MU = LEVELS - 1

#: The symbol of silence.
SILENCE = LEVELS // 2


def encode(samples: np.ndarray) -> np.ndarray:
    """Values uint8 0..255 of samples from -1 to 1; what is beyond becomes the loudest value."""
    samples = np.clip(samples, -1, 1)
    compressed = np.sign(samples) * np.log1p(_MU * np.abs(samples)) / np.log1p(_MU)
    return np.floor((compressed + 1) / 2 * _MU + 0.5).astype(np.uint8)


def decode(values: np.ndarray) -> np.ndarray:
    """Samples, float32 from -1 to 1 inclusive, of values 0..255."""
    compressed = 2 * np.asarray(values, np.float64) / _MU - 1
    return (np.sign(compressed) * np.expm1(np.abs(compressed) * np.log1p(_MU)) / _MU).astype(np.float32)
