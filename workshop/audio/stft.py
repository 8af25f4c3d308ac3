"""The short-time Fourier transform: sound as overlapping windows, each of them as a spectrum, and back.

Frame t is of the W samples that end with block t, a block being a hop of H samples; silence stands before the first
one. So a frame is known as soon as its last block has come, and what is analysed as it comes is what is analysed whole.

W samples in a window, H samples in a hop, R = W / H windows that overlap, F = W / 2 + 1 frequencies, T frames.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

#: Frames of a long sound that are analysed at once.
PIECE = 4096


@dataclass(frozen=True)
class Stft:
    """An analysis by Hann windows.

    Attributes:
        window: W, a multiple of twice the hop.
        hop: H.
    """

    window: int
    hop: int

    def __post_init__(self) -> None:
        if self.hop < 1 or self.window % (2 * self.hop):
            raise ValueError(f"a window of {self.window} samples is no multiple of twice the hop, {self.hop}")

    @property
    def overlap(self) -> int:
        """R."""
        return self.window // self.hop

    @property
    def bins(self) -> int:
        """F."""
        return self.window // 2 + 1

    @property
    def full_scale(self) -> float:
        """The magnitude of the loudest sine, whose samples go from -1 to 1."""
        return self.window / 4

    @functools.cached_property
    def hann(self) -> np.ndarray:
        """The window, float32 [W]."""
        return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.window) / self.window)).astype(np.float32)

    @functools.cached_property
    def _inverse(self) -> np.ndarray:
        """The window that undoes it: what all windows over a sample give together is the sample; float32 [W]."""
        power = np.square(self.hann).reshape(self.overlap, self.hop).sum(axis=0)
        return (self.hann / np.tile(power, self.overlap)).astype(np.float32)

    @functools.cached_property
    def share_heard(self) -> np.ndarray:
        """How much of each sample under the last frame the frames so far give together, from 0 to 1: float32 [W]."""
        each = (self.hann * self._inverse).reshape(self.overlap, self.hop)
        return each[::-1].cumsum(axis=0)[::-1].reshape(-1)

    def frames(self, samples: int) -> int:
        """T, how many frames it takes to have all of so many samples back."""
        return -(-samples // self.hop) + self.overlap - 1

    def analyse(self, samples: np.ndarray) -> np.ndarray:
        """The spectra of samples [N]: complex64 [T, F]. Silence stands before and after."""
        return next(self.analysed(samples, self.frames(len(samples))))

    def analysed(self, samples: np.ndarray, most: int = PIECE) -> Iterator[np.ndarray]:
        """What `analyse` gives, in pieces of so many frames at most: the spectra of a long sound are many times larger
        than the sound itself.
        """
        count, before = self.frames(len(samples)), self.window - self.hop
        for first in range(0, count, most):
            frames = min(most, count - first)
            begin = first * self.hop - before
            part = samples[max(begin, 0) : begin + (frames - 1) * self.hop + self.window]
            padded = np.zeros((frames - 1) * self.hop + self.window, np.float32)
            padded[max(-begin, 0) : max(-begin, 0) + len(part)] = part
            yield self.spectra(padded)

    def spectra(self, samples: np.ndarray) -> np.ndarray:
        """The spectra of the whole windows in samples [(T - 1) H + W], without any silence: complex64 [T, F]."""
        windows = np.lib.stride_tricks.sliding_window_view(samples, self.window)[:: self.hop]
        return np.fft.rfft(windows * self.hann, axis=1)

    def pieces(self, spectra: np.ndarray) -> np.ndarray:
        """What each of the spectra [..., F] adds to the sound, float32 [..., W]."""
        return np.fft.irfft(spectra, self.window, axis=-1) * self._inverse

    def synthesise(self, spectra: np.ndarray) -> np.ndarray:
        """The samples that spectra [T, F] are of, but for the ends that not all windows reach: float32 [(T - R + 1) H].

        Spectra that belong to no sound, because windows that overlap contradict each other, give the sound whose
        spectra are nearest (Griffin and Lim 1984).
        """
        return self.overlapped(spectra)[self.window - self.hop : len(spectra) * self.hop]

    def overlapped(self, spectra: np.ndarray) -> np.ndarray:
        """The pieces of spectra [T, F], each added in its place: float32 [(T - 1) H + W]."""
        count = len(spectra)
        pieces = self.pieces(spectra).reshape(count, self.overlap, self.hop)
        blocks = np.zeros((count + self.overlap - 1, self.hop), np.float32)
        for later in range(self.overlap):
            blocks[later : later + count] += pieces[:, later]
        return blocks.reshape(-1)
