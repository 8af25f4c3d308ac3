"""The magnitudes of spectra as levels in bands: fewer numbers for a network, in decibels, as the ear hears them.

The bands are as wide as on the mel scale, or as wide as one musical interval (constant Q, Brown 1991), but never
narrower than the distance of two frequencies of the spectrum: low ones are these frequencies themselves. As many bands
as frequencies are the linear spectrum. Levels are of the mean power in a band, 0 dB being the loudest sine; what is
softer than `FLOOR` is silence. They are kept in steps of half a dB, a byte each: an hour of sound at 22,050 Hz in 96
bands is 30 MB.

F frequencies of a spectrum, D bands, T frames.
"""

import functools
from dataclasses import dataclass

import numpy as np

from workshop.audio.stft import Stft

#: dB; the noise of 16 bits is at -98, spread over all frequencies.
FLOOR = -90.0
#: dB; nothing is louder: all power of a full-scale square wave in one band.
TOP = 6.0
#: dB, the distance of two levels that are kept.
STEP = 0.5
#: The highest level, counted in steps.
STEPS = round((TOP - FLOOR) / STEP)
MEL, CONSTANT_Q = "mel", "constant_q"
#: Hz, of each scale: it is linear below and logarithmic above. The mel scale is that of O'Shaughnessy (1987).
CORNERS = {MEL: 700.0, CONSTANT_Q: 0.0}


def to_steps(levels: np.ndarray) -> np.ndarray:
    """Levels in dB as steps above the floor, uint8 of the same shape."""
    return np.clip(np.round((levels - FLOOR) / STEP), 0, STEPS).astype(np.uint8)


def to_decibels(steps: np.ndarray) -> np.ndarray:
    """Levels in dB of steps above the floor, which may lie between two of them; float32."""
    return (FLOOR + STEP * steps.astype(np.float32)).clip(FLOOR, TOP)


@dataclass(frozen=True)
class Bands:
    """Levels in bands, and back.

    Attributes:
        stft: of which spectra.
        rate: samples a second.
        count: D, at most F; one band for each frequency then.
        scale: a name in `CORNERS`.
    """

    stft: Stft
    rate: int
    count: int
    scale: str = MEL
    #: The step of silence.
    silence = 0

    def __post_init__(self) -> None:
        if not 2 <= self.count <= self.stft.bins:
            raise ValueError(f"{self.stft.bins} frequencies are no {self.count} bands")
        if self.scale not in CORNERS:
            raise ValueError(f"{self.scale!r:.40} is no scale of bands")

    @functools.cached_property
    def places(self) -> np.ndarray:
        """Where each frequency lies among the bands, from 0 to D - 1: float64 [F]."""
        hertz = np.linspace(0, self.rate / 2, self.stft.bins)
        width = CORNERS[self.scale] + (hertz[:-1] + hertz[1:]) / 2  # of a band there, but for a factor
        steep, flat = 1e12, 0.0
        for _ in range(100):  # the factor, found by halving
            density = (steep + flat) / 2
            # From a frequency to the next it is at most one band.
            steps = np.minimum(1.0, density / width)
            steep, flat = (density, flat) if steps.sum() > self.count - 1 else (steep, density)
        return np.concatenate([[0.0], np.cumsum(np.minimum(1.0, steep / width))]).clip(0, self.count - 1)

    @functools.cached_property
    def _weights(self) -> np.ndarray:
        """The share that each frequency has in the power of each band, float32 [F, D]."""
        nearness = np.maximum(0, 1 - np.abs(self.places[:, None] - np.arange(self.count)))
        return (nearness / nearness.sum(axis=0)).astype(np.float32)

    def levels(self, magnitudes: np.ndarray) -> np.ndarray:
        """Levels in dB of magnitudes [..., F]: float32 [..., D]."""
        power = np.square(magnitudes / np.float32(self.stft.full_scale)) @ self._weights
        return (10 * np.log10(np.maximum(power, np.float32(10 ** (FLOOR / 10))))).astype(np.float32)

    def magnitudes(self, levels: np.ndarray) -> np.ndarray:
        """Magnitudes float32 [..., F] of levels [..., D] in dB: between the middles of two bands they go straight from
        one level to the other. Silence has none.
        """
        below = np.minimum(self.places.astype(int), self.count - 2)
        share = (self.places - below).astype(np.float32)
        level = levels[..., below] * (1 - share) + levels[..., below + 1] * share
        loud = np.float32(self.stft.full_scale) * 10 ** (level / np.float32(20))
        return np.where(level > FLOOR + 1, loud, np.float32(0))

    def steps(self, spectra: np.ndarray) -> np.ndarray:
        """Levels of spectra [..., F] in steps: uint8 [..., D]."""
        return to_steps(self.levels(np.abs(spectra)))

    def values(self, steps: np.ndarray) -> np.ndarray:
        """Levels in dB of steps, as `to_decibels` gives them."""
        return to_decibels(steps)

    def spectra(self, values: np.ndarray) -> np.ndarray:
        """All that is known of the spectra of levels [..., D] in dB: their magnitudes."""
        return self.magnitudes(values)

    def loudness(self, steps: np.ndarray) -> np.ndarray:
        """Says of frames [N, D] which are the louder ones: [N]."""
        loud: np.ndarray = steps.mean(axis=1)
        return loud
