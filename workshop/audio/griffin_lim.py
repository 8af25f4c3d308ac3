"""Fast Griffin-Lim: spectra with given magnitudes are brought to contradict one another less and less (Griffin and Lim
1984; with momentum: Perraudin, Balazs and Soendergaard 2013). NumPy alone.
"""

from collections.abc import Callable

import numpy as np

#: How much of the last change each iteration goes on by.
MOMENTUM = 0.99
#: Where a magnitude is below this share of the loudest one, its phase is not heard: any will do.
UNHEARD = 1e-6


def improved(
    spectra: np.ndarray, magnitudes: np.ndarray, possible: Callable[[np.ndarray], np.ndarray], iterations: int,
    known: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Spectra [T, F] after so many iterations, each number with its magnitude.

    Args:
        spectra: complex64 [T, F], whose phase is a beginning.
        magnitudes: float32 [T, F].
        possible: the spectra [T, F] of the sound that spectra make.
        iterations: how often.
        known: complex64 [K, F], the first K spectra, which stay as they are; none where it is None.
    """
    before = None
    for _ in range(iterations):
        found = possible(spectra)
        further = found if before is None else found + MOMENTUM * (found - before)
        spectra, before = with_magnitudes(further, magnitudes), found
        if known is not None:
            spectra[: len(known)] = known
    return spectra


def log_levels(magnitudes: np.ndarray) -> np.ndarray:
    """Natural logarithms, finite for silence too."""
    return np.log(np.maximum(magnitudes, np.float32(1e-9)))


def unheard(levels: np.ndarray) -> np.ndarray:
    """Where any phase will do, bool like the logarithms of the magnitudes."""
    found: np.ndarray = levels <= levels.max(initial=-np.inf) + np.log(UNHEARD)
    return found


def random_phase(count: int | np.integer) -> np.ndarray:
    """So many phases, always the same ones."""
    return np.random.default_rng(0).uniform(-np.pi, np.pi, count)


def polar(magnitudes: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Complex numbers of magnitudes and phases, complex64."""
    return (magnitudes * np.exp(1j * phase)).astype(np.complex64)


def with_magnitudes(spectra: np.ndarray, magnitudes: np.ndarray) -> np.ndarray:
    """The spectra, each number scaled to its magnitude."""
    scaled: np.ndarray = spectra * (magnitudes / np.maximum(np.abs(spectra), np.float32(1e-12)))
    return scaled
