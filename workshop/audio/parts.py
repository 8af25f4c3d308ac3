"""Spectra whole, as their real and imaginary parts: what the first networks of spectra learnt.

Their phase is in them, so nothing has to be found again; but a part says little by itself, since it goes from plus to
minus with each turn of its wave. The parts are companded as samples are (`workshop.audio.mu_law`), so that soft ones
are kept as exactly as loud ones, in a byte each.

F frequencies of a spectrum, D = 2 F parts: first all real ones, then all imaginary ones.
"""

from dataclasses import dataclass

import numpy as np

from workshop.audio.stft import Stft

#: The step of silence, and how many there are on both sides of it.
ZERO, SIDE = 128, 127
#: How much the steps lie closer together near zero.
MU = 255
#: The loudest part, counted in the smallest steps: those near zero.
LOUDEST = SIDE * MU / np.log1p(MU)


@dataclass(frozen=True)
class Parts:
    """Real and imaginary parts, and back.

    Attributes:
        stft: of which spectra.
        rate: samples a second.
    """

    stft: Stft
    rate: int
    #: The step of silence.
    silence = ZERO

    @property
    def count(self) -> int:
        """D."""
        return 2 * self.stft.bins

    def steps(self, spectra: np.ndarray) -> np.ndarray:
        """The steps uint8 [..., D] of spectra [..., F]; what is louder than the loudest sine becomes that."""
        parts = np.concatenate([spectra.real, spectra.imag], axis=-1) / np.float32(self.stft.full_scale)
        return np.round(companded(parts)).astype(np.uint8)

    def values(self, steps: np.ndarray) -> np.ndarray:
        """Parts float32 [..., D] of steps, which may lie between two of them; 1 is the loudest sine."""
        return expanded(np.asarray(steps, np.float32))

    def spectra(self, values: np.ndarray) -> np.ndarray:
        """Spectra complex64 [..., F] of parts [..., D]."""
        real, imaginary = np.split(values * np.float32(self.stft.full_scale), 2, axis=-1)
        return (real + 1j * imaginary).astype(np.complex64)

    def loudness(self, steps: np.ndarray) -> np.ndarray:
        """Says of frames [N, D] which are the louder ones: [N]."""
        loud: np.ndarray = np.abs(steps.astype(np.int16) - ZERO).mean(axis=1)
        return loud


def companded(parts: np.ndarray) -> np.ndarray:
    """Steps, between two of them as a rule, of parts from -1 to 1 of the same shape."""
    parts = np.clip(parts, -1, 1)
    steps: np.ndarray = ZERO + SIDE * np.sign(parts) * np.log1p(MU * np.abs(parts)) / np.log1p(MU)
    return steps


def expanded(steps: np.ndarray) -> np.ndarray:
    """The parts of steps, which may lie between two of them; float32 of the same shape."""
    away = (steps - ZERO) / np.float32(SIDE)
    parts: np.ndarray = np.sign(away) * np.expm1(np.abs(away) * np.float32(np.log1p(MU))) / np.float32(MU)
    return parts
