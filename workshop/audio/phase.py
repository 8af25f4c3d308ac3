"""Sound from the magnitudes of its spectra: their phase is estimated.

`Resynthesis` is for files: it estimates a phase by its gradient and makes it better by iterations that look at both
sides (fast Griffin-Lim: Perraudin, Balazs and Soendergaard 2013). `LiveResynthesis` is for what is played while it is
made: it knows the past alone, and gives a block of samples for each frame. Both take frames as they come.
"""

import math
from typing import Protocol

import numpy as np

from workshop.audio import phase_kernel
from workshop.audio.griffin_lim import improved, log_levels, polar, random_phase, unheard, with_magnitudes
from workshop.audio.stft import Stft

#: Iterations of `Resynthesis`, and of `LiveResynthesis` for each frame.
ITERATIONS = 16
LIVE_ITERATIONS = 8
#: Frames whose phase is estimated together; so many before them, known, and so many after them that are done again.
CHUNK, KNOWN, AGAIN = 512, 8, 16
#: While a frame is the last one, what is heard of its end is not made up for by more than the reciprocal of this.
LEAST_HEARD = 0.3


class Resynthesiser(Protocol):
    """What makes sound of frames as they come."""

    def add(self, magnitudes: np.ndarray, /) -> np.ndarray:
        """The samples that are ready after frames of magnitudes [t, F]: float32 [any number]."""

    def finish(self) -> np.ndarray:
        """The samples that are left after the last frame."""


def estimate(
    magnitudes: np.ndarray, stft: Stft, iterations: int = ITERATIONS, known: np.ndarray | None = None
) -> np.ndarray:
    """Spectra with these magnitudes that contradict one another as little as possible.

    Args:
        magnitudes: float32 [T, F].
        stft: whose spectra they are.
        iterations: of fast Griffin-Lim, after the phase has been integrated.
        known: complex64 [K, F], the first K spectra, which stay as they are; none where it is None.

    Returns:
        complex64 [T, F].
    """
    first = np.empty((0, stft.bins), np.complex64) if known is None else known
    levels = log_levels(magnitudes)
    phase, is_known = np.zeros_like(levels), unheard(levels)
    phase[is_known] = random_phase(np.count_nonzero(is_known))
    phase[: len(first)], is_known[: len(first)] = np.angle(first), True
    along_time, along_bins = np.empty_like(levels), np.empty_like(levels)
    phase_kernel.gradients(levels, stft.window, stft.hop, along_time, along_bins)
    phase_kernel.integrate(levels, along_time, along_bins, is_known, phase, np.argsort(levels, axis=None))
    spectra = polar(magnitudes, phase)
    spectra[: len(first)] = first
    return improved(spectra, magnitudes, lambda now: stft.spectra(stft.overlapped(now)), iterations, first)


class Resynthesis:
    """Sound of the magnitudes of any number of frames, in the memory of a few seconds.

    Args:
        stft: whose spectra they are.
    """

    def __init__(self, stft: Stft):
        self._stft = stft
        self._waiting = np.empty((0, stft.bins), np.float32)
        self._known = np.empty((0, stft.bins), np.complex64)
        self._overlap = OverlapAdd(stft)

    def add(self, magnitudes: np.ndarray) -> np.ndarray:
        """The samples that are ready after frames of magnitudes [t, F]: float32 [any number]."""
        self._waiting = np.concatenate([self._waiting, magnitudes.astype(np.float32, copy=False)])
        done = [np.empty(0, np.float32)]
        while len(self._waiting) >= CHUNK + AGAIN:
            done.append(self._take(CHUNK + AGAIN, CHUNK))
        return np.concatenate(done)

    def finish(self) -> np.ndarray:
        """The samples that are left after the last frame."""
        count = len(self._waiting)
        return self._take(count, count) if count else np.empty(0, np.float32)

    def _take(self, looked_at: int, done: int) -> np.ndarray:
        """Estimate the phase of the next frames, and make sound of the first ones of them."""
        known = self._known
        before = np.concatenate([np.abs(known), self._waiting[:looked_at]])
        spectra = estimate(before, self._stft, known=known)[: len(known) + done]
        self._waiting, self._known = self._waiting[done:], spectra[-KNOWN:]
        return self._overlap.add(spectra[len(known) :])


class LiveResynthesis:
    """Sound of frames one by one, each by nothing but those before it (real-time phase gradient heap integration: Prusa
    and Soendergaard 2016), made better by a few iterations on what overlaps with it (Zhu, Beauregard and Wyse 2007).

    A block of samples is whole when all windows over it have come: `step` gives, for frame t, the block R - 1 before
    the one that frame t ends with. Nothing is kept but the last frames, so it may go on for ever.

    Args:
        stft: whose spectra they are.
    """

    def __init__(self, stft: Stft):
        self._stft = stft
        #: Logarithms of the magnitudes of the last frames, and the phase of the last one.
        self._levels = np.full((3, stft.bins), np.log(np.float32(stft.full_scale * 1e-9)), np.float32)
        self._phase = np.zeros((2, stft.bins), np.float32)
        self._gradients = np.empty((2, 3, stft.bins), np.float32)
        self._is_known = np.zeros((2, stft.bins), bool)
        self._overlap = OverlapAdd(stft)
        #: The window, and what makes up for the frames that are still to come over its end, float32 [W].
        self._window = stft.hann / np.maximum(stft.share_heard, np.float32(LEAST_HEARD))

    def step(self, magnitudes: np.ndarray) -> np.ndarray:
        """The next block, float32 [H], for the magnitudes [F] of the next frame."""
        stft, levels = self._stft, self._levels
        levels[:-1], levels[-1] = levels[1:], log_levels(magnitudes)
        along_time, along_bins = self._gradients
        phase_kernel.gradients(levels, stft.window, stft.hop, along_time, along_bins)
        self._is_known[0], self._is_known[1] = True, False
        order = np.argsort(levels[1:], axis=None)
        phase_kernel.integrate(levels[1:], along_time[1:], along_bins[1:], self._is_known, self._phase, order)
        spectrum = polar(magnitudes, self._phase[1])
        for _ in range(LIVE_ITERATIONS):
            heard = self._overlap.heard(spectrum) * self._window
            spectrum = with_magnitudes(np.fft.rfft(heard), magnitudes)
        # Kept near zero: numbers that grow would lose their exactness.
        self._phase[0] = np.angle(spectrum)
        return self._overlap.push(spectrum)

    def add(self, magnitudes: np.ndarray) -> np.ndarray:
        """The blocks of frames of magnitudes [t, F]: float32 [any number]; all but the first R - 1 frames give one."""
        blocks = [self.step(one) for one in magnitudes.astype(np.float32, copy=False)]
        return self._overlap.without_beginning(np.concatenate([np.empty(0, np.float32), *blocks]))

    def finish(self) -> np.ndarray:
        """Nothing: each frame's block has been given."""
        return np.empty(0, np.float32)


class WithPhase:
    """Sound of spectra that have their phase: nothing is estimated. It takes frames as `LiveResynthesis` does, of whole
    spectra in place of magnitudes.

    Args:
        stft: whose spectra they are.
    """

    def __init__(self, stft: Stft):
        self._overlap = OverlapAdd(stft)

    def step(self, spectrum: np.ndarray) -> np.ndarray:
        """The next block, float32 [H], for the next spectrum [F]."""
        return self._overlap.push(spectrum)

    def add(self, spectra: np.ndarray) -> np.ndarray:
        """The samples that are ready after spectra [t, F]: float32 [any number]."""
        return self._overlap.add(spectra)

    def finish(self) -> np.ndarray:
        """Nothing: what is left of the last frame breaks off."""
        return np.empty(0, np.float32)


class OverlapAdd:
    """Adds spectra to one another as they come: what `Stft.synthesise` gives, piece by piece.

    Args:
        stft: whose spectra they are.
    """

    def __init__(self, stft: Stft):
        self._stft = stft
        #: What the spectra so far have given of the samples from the next block on, float32 [W - H].
        self._tail = np.zeros(stft.window - stft.hop, np.float32)
        self._to_leave_out = stft.window - stft.hop

    def add(self, spectra: np.ndarray) -> np.ndarray:
        """The samples that are complete after spectra [t, F], without those before the first sample."""
        if not len(spectra):
            return np.empty(0, np.float32)
        sound = self._stft.overlapped(spectra)
        sound[: len(self._tail)] += self._tail
        done, self._tail = np.split(sound, [len(spectra) * self._stft.hop])
        return self.without_beginning(done)

    def push(self, spectrum: np.ndarray) -> np.ndarray:
        """The block that is complete after one more spectrum [F]; also the blocks before the first sample."""
        hop, piece = self._stft.hop, self._stft.pieces(spectrum)
        piece[:-hop] += self._tail
        self._tail = piece[hop:].copy()
        return piece[:hop]

    def heard(self, spectrum: np.ndarray) -> np.ndarray:
        """The samples under a further spectrum [F] as far as they are known when nothing has come after it: float32
        [W], of which the last H rest on this one alone.
        """
        piece = self._stft.pieces(spectrum)
        piece[: -self._stft.hop] += self._tail
        return piece

    def without_beginning(self, samples: np.ndarray) -> np.ndarray:
        """The samples without those that lie before the first one, which not all windows reach."""
        left_out = min(self._to_leave_out, len(samples))
        self._to_leave_out -= left_out
        return samples[left_out:]


def convergence(samples: np.ndarray, magnitudes: np.ndarray, stft: Stft) -> float:
    """How far the spectra of samples [N] are from magnitudes [T, F], in dB: 20 log10 of the norm of the difference over
    that of the magnitudes (spectral convergence); the lower, the nearer.
    """
    found = np.abs(stft.analyse(samples))[: len(magnitudes)]
    apart = float(np.linalg.norm(found - magnitudes[: len(found)]) / np.linalg.norm(magnitudes))
    return 20 * math.log10(max(apart, 1e-12))
