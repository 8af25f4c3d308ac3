"""Loops as pictures of fixed size, and back: spectrograms, on the mel scale or with constant Q, of a sound that has no
beginning and no end.

The sound goes round: windows reach over its end into its beginning, both in the analysis and in the synthesis, so that
what comes back loops as well. A picture is float32 [frames, bands] from -1 (`FLOOR` dB and below) to 1 (`TOP` dB), 0 dB
being the loudest sine; nothing is scaled by what is in it, so it keeps how loud the loop is.

Frame t is centred on sample t H of the loop. Where the frames do not divide its length, the loop is resampled to one
that they do; for a sound that goes round, that is exact. Windows are as short as the number of bands allows, at least
`OVERLAP` hops: what has as many bands as frequencies is nearly linear, and loses nearly nothing.

N loops, T frames, D bands, H samples of a hop, W of a window, F frequencies, M = T H samples.
"""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from importlib.util import find_spec

import numpy as np

from workshop.audio.bands import MEL, Bands
from workshop.audio.griffin_lim import improved, log_levels, polar, random_phase, unheard
from workshop.audio.stft import Stft
from workshop.machine import usable_cores

#: dB of the values -1 and 1 of a picture: the noise below is not heard in a loop, and nothing is louder than all power
#: of a full-scale square wave in one band.
FLOOR, TOP = -74.0, 6.0
#: dB above the floor that are silence still.
SILENT = 0.5
#: Hops in a window, at least.
OVERLAP = 4
#: Iterations of fast Griffin-Lim after the phase has been integrated, and from a random phase where numba is missing.
ITERATIONS, ITERATIONS_ALONE = 24, 48
#: Loops whose spectra are put into bands at once.
TOGETHER = 16
#: The largest numbers that are no damage: samples of a slice, and frames or bands of a picture.
MAX_SAMPLES, MAX_SIDE = 1 << 22, 4096
#: The transform is slow for lengths with larger prime factors.
PRIMES = (2, 3, 5, 7, 11, 13)


@dataclass(frozen=True)
class LoopSpectrogram:
    """Pictures of loops of one length, and loops of pictures.

    Attributes:
        rate: samples a second.
        samples: of each loop.
        frames: T, of each picture.
        bands: D.
        scale: of the bands, a name in `bands.CORNERS`.
    """

    rate: int
    samples: int
    frames: int
    bands: int
    scale: str = field(default=MEL, kw_only=True)

    def __post_init__(self) -> None:
        if self.frames < 2 * OVERLAP or self.bands < 2 or self.samples < 4 * self.frames:
            raise ValueError(f"{self.samples} samples are no picture of {self.frames} x {self.bands}")

    @functools.cached_property
    def stft(self) -> Stft:
        """How the loop is analysed once it has M samples."""
        hop = -(-self.samples // self.frames)
        while _rest(hop) > 1:
            hop += 1
        # As many frequencies as bands, at least.
        overlap = max(OVERLAP, 2 * -(-(self.bands - 1) // hop))
        if overlap > self.frames:
            raise ValueError(f"{self.bands} bands are too many for {self.samples} samples")
        return Stft(overlap * hop, hop)

    @functools.cached_property
    def in_bands(self) -> Bands:
        """The bands, up to half the rate of the loop."""
        return Bands(self.stft, round(self.rate * self._length / self.samples), self.bands, self.scale)

    @property
    def _length(self) -> int:
        """M."""
        return self.frames * self.stft.hop

    def pictures(self, sounds: np.ndarray) -> np.ndarray:
        """Pictures float32 [N, T, D] from -1 to 1 of loops float32 [N, samples]."""
        made = np.empty((len(sounds), self.frames, self.bands), np.float32)
        for start in range(0, len(sounds), TOGETHER):  # one product for many, because BLAS has threads of its own
            levels = self.in_bands.levels(self.magnitudes(sounds[start : start + TOGETHER]))
            made[start : start + TOGETHER] = (2 * (levels - FLOOR) / (TOP - FLOOR) - 1).clip(-1, 1)
        return made

    def sounds(self, pictures: np.ndarray, iterations: int | None = None) -> np.ndarray:
        """Loops float32 [N, samples] of pictures [N, T, D]; what is beyond -1 and 1 in the pictures is clipped.

        The loops are as loud as the pictures say: they may go beyond 1.

        Args:
            pictures: of any type of floating point numbers.
            iterations: of fast Griffin-Lim; None for as many as sound good.
        """
        return _one_by_one(lambda one: self._sound(one, iterations), pictures, (self.samples,))

    def row(self, pictures: np.ndarray) -> np.ndarray:
        """Loops of pictures [N, T, D] one after the other, float32 [N samples]: the phase goes on from each to the
        next, and from the last to the first, so that nothing clicks.
        """
        count, frames, bands = pictures.shape
        long = replace(self, frames=count * frames, samples=count * self.samples)
        made: np.ndarray = long.sounds(pictures.reshape(1, count * frames, bands))[0]
        return made

    def magnitudes(self, sounds: np.ndarray) -> np.ndarray:
        """The magnitudes float32 [N, T, F] of loops [N, samples], before they are put into bands."""
        return _one_by_one(self._magnitudes, sounds, (self.frames, self.stft.bins))

    def wanted(self, pictures: np.ndarray) -> np.ndarray:
        """The magnitudes float32 [N, T, F] that pictures [N, T, D] stand for."""
        return _one_by_one(self._wanted, pictures, (self.frames, self.stft.bins))

    def _magnitudes(self, sound: np.ndarray) -> np.ndarray:
        return np.abs(self._spectra(resampled(sound, self._length)))

    def _wanted(self, picture: np.ndarray) -> np.ndarray:
        heard = picture.astype(np.float32).clip(-1, 1)
        levels = FLOOR + (heard + 1) / 2 * (TOP - FLOOR)
        magnitudes = np.ascontiguousarray(self.in_bands.magnitudes(levels))
        silent = np.float32(self.stft.full_scale * 10 ** ((FLOOR + SILENT) / 20))
        return np.where(magnitudes > silent, magnitudes, np.float32(0))

    def _sound(self, picture: np.ndarray, iterations: int | None) -> np.ndarray:
        magnitudes = self._wanted(picture)
        spectra, usual = self._beginning(magnitudes)
        times = usual if iterations is None else iterations
        spectra = improved(spectra, magnitudes, lambda now: self._spectra(self._overlapped(now)), times)
        return resampled(self._overlapped(spectra), self.samples)

    def _beginning(self, magnitudes: np.ndarray) -> tuple[np.ndarray, int]:
        """Spectra [T, F] with a first phase, and how many iterations it takes from there."""
        levels = log_levels(magnitudes)
        if find_spec("numba") is None:
            return polar(magnitudes, random_phase(levels.size).reshape(levels.shape)), ITERATIONS_ALONE
        from workshop.audio import phase_kernel  # late: the application that plays loops can do without numba

        stft, phase, is_known = self.stft, np.zeros_like(levels), unheard(levels)
        phase[is_known] = random_phase(np.count_nonzero(is_known))
        along_time, along_bins = np.empty_like(levels), np.empty_like(levels)
        phase_kernel.gradients(levels, stft.window, stft.hop, along_time, along_bins, True)
        phase_kernel.integrate(levels, along_time, along_bins, is_known, phase, np.argsort(levels, axis=None), True)
        return polar(magnitudes, phase), ITERATIONS

    def _spectra(self, sound: np.ndarray) -> np.ndarray:
        """The spectra of a loop [M], complex64 [T, F]: frame t of the window whose middle is sample t H."""
        half = self.stft.window // 2
        around = np.concatenate([sound[-half:], sound, sound[: half - self.stft.hop]])
        return self.stft.spectra(around)

    def _overlapped(self, spectra: np.ndarray) -> np.ndarray:
        """The loop [M] whose spectra are nearest to spectra [T, F] (Griffin and Lim 1984), float32."""
        stft, half = self.stft, self.stft.window // 2
        line = stft.overlapped(spectra)
        # It begins half a window before the loop, and what reaches beyond the end belongs to the beginning.
        loop, beyond = line[: self._length], line[self._length :]
        loop[: len(beyond)] += beyond
        return np.roll(loop, -half)


def convergence(found: np.ndarray, wanted: np.ndarray) -> float:
    """How far magnitudes are from others of the same shape, in dB: 20 log10 of the norm of the difference over that of
    the wanted ones (spectral convergence); the lower, the nearer.
    """
    apart = float(np.linalg.norm(found - wanted) / max(float(np.linalg.norm(wanted)), 1e-12))
    return 20 * float(np.log10(max(apart, 1e-12)))


def _one_by_one(make: Callable[[np.ndarray], np.ndarray], loops: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """What `make` makes of each loop, float32 [N, *shape]: on all cores, since what is compiled or transforms holds no
    lock, and one loop after the other stays in the cache of a core.
    """
    made = np.empty((len(loops), *shape), np.float32)
    with ThreadPoolExecutor(usable_cores()) as threads:
        for number, one in enumerate(threads.map(make, loops)):
            made[number] = one
    return made


def resampled(sound: np.ndarray, samples: int) -> np.ndarray:
    """A loop [N] at another number of samples, float32."""
    if len(sound) == samples:
        return sound.astype(np.float32, copy=False)
    spectrum = np.fft.rfft(sound.astype(np.float32, copy=False))
    kept = np.zeros(samples // 2 + 1, np.complex64)
    common = min(len(spectrum), len(kept))
    kept[:common] = spectrum[:common]
    # A wave of two samples has no phase of its own to keep at another rate.
    if min(len(sound), samples) % 2 == 0:
        kept[common - 1] = 0
    return (np.fft.irfft(kept, samples) * np.float32(samples / len(sound))).astype(np.float32)


def _rest(number: int) -> int:
    """What is left of a number without its small prime factors."""
    for prime in PRIMES:
        while number % prime == 0:
            number //= prime
    return number
