"""A generator of loops from an ONNX file: one that the workshop has exported, or one that says nothing of itself, such
as those of TechnoGAN.

The latter takes latent values [1, Z] and gives a picture [1, F, T, 1] (or with the one channel in front, or without
it) from -1 to 1: its rows are frequencies, the lowest first, its columns frames. A value v stands for the magnitude
160 ((v + 1) / 2)^power of a short-time Fourier transform by Hann windows of `n_fft` samples, a quarter of which is the
hop, centred and wrapped around at the ends; the highest frequency is left out.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workshop.audio.loop_meaning import LoopMeaning
from workshop.audio.loop_spectrogram import LoopSpectrogram
from workshop.audio.stft import Stft
from workshop.errors import UserError
from workshop.osc.exported_loops import ExportedLoops
from workshop.osc.loops import Loops
from workshop.osc.onnx_file import OnnxFile

#: The magnitude of the value 1.
LOUDEST = 160.0
#: Power of the values. TechnoGAN's networks were trained with 3, but for that of constant Q; one of its programs played
#: with 2.
POWER = 3.0
#: Samples a second: four beats of 32,768 samples last as long as at 160 beats a minute, 65,536 of them 1.5 s.
RATE = 43_691
#: Samples of a beat.
BEAT = 8192
#: Values of the largest picture.
MOST_VALUES = 1 << 24


@dataclass(frozen=True)
class LinearSpectrogram(LoopSpectrogram):
    """Pictures of magnitudes, frequency by frequency, with a power in place of decibels.

    Attributes:
        power: of the values.
        n_fft: samples of a window.
    """

    power: float
    n_fft: int

    @classmethod
    def of(cls, rate: int, frames: int, bands: int, power: float, n_fft: int) -> "LinearSpectrogram":
        """That of loops as long as their frames."""
        return cls(rate, frames * (n_fft // 4), frames, bands, power, n_fft)

    @functools.cached_property
    def stft(self) -> Stft:
        """How the loop is analysed."""
        return Stft(self.n_fft, self.n_fft // 4)

    def _wanted(self, picture: np.ndarray) -> np.ndarray:
        values = (picture.astype(np.float32).clip(-1, 1) + 1) / 2
        magnitudes = np.zeros((self.frames, self.stft.bins), np.float32)
        magnitudes[:, : self.bands] = np.float32(LOUDEST) * values ** np.float32(self.power)
        return magnitudes


class OnnxLoops:
    """Makes loops by a network that says nothing of itself.

    Args:
        file: the network.
        power: of its pictures' values; None for `POWER`.
        n_fft: samples of a window; None for twice as many as the picture has rows.
        beats: in a loop; None for one each 8,192 samples.
        rate: samples a second; None for `RATE`.

    Raises:
        UserError: it makes something else than pictures, or no window fits them.
    """

    def __init__(
        self,
        file: OnnxFile,
        power: float | None = None,
        n_fft: int | None = None,
        beats: int | None = None,
        rate: int | None = None,
    ):
        self._file, self.rate = file, rate or RATE
        self.latent_size = file.latent_size
        bands, frames = self._run(np.zeros(self.latent_size, np.float32)).shape
        window = n_fft or 2 * bands
        if window % 8 or window < 2 * bands or frames < 8:
            raise UserError(
                f"{file.path} makes pictures of {bands} x {frames}, and windows of {window} samples do not fit: give "
                f"--n_fft as a multiple of 8 from {2 * bands} on"
            )
        self._spectrogram = LinearSpectrogram.of(self.rate, frames, bands, power or POWER, window)
        self.samples = self._spectrogram.samples
        self.beats = beats or max(round(self.samples / BEAT), 1)
        self.bpm = 60 * self.beats * self.rate / self.samples

    def sounds(self, latents: np.ndarray) -> np.ndarray:
        """Loops float32 [S, N] of latents [S, Z]; one that is louder than 1 is made as loud as that."""
        return _within(self._spectrogram.sounds(self._pictures(latents)))

    def row(self, latents: np.ndarray) -> np.ndarray:
        """The same loops one after the other, each going over into the next, float32 [S N]."""
        return _within(self._spectrogram.row(self._pictures(latents)))

    def _pictures(self, latents: np.ndarray) -> np.ndarray:
        """The pictures [S, T, F] of latents [S, Z]."""
        return np.stack([self._run(one).T for one in latents])

    def _run(self, latents: np.ndarray) -> np.ndarray:
        """The picture [F, T] of latents [Z].

        Raises:
            UserError: the network fails, or makes something else.
        """
        picture = np.squeeze(self._file.run(latents[None]))
        if picture.ndim != 2 or picture.size > MOST_VALUES or not np.isfinite(picture).all():
            raise UserError(f"{self._file.path} makes {list(picture.shape)} and not one picture of finite values")
        return picture


def _within(sound: np.ndarray) -> np.ndarray:
    """Sound [..., N], as loud as 1 where it is louder."""
    made: np.ndarray = sound / np.maximum(np.abs(sound).max(axis=-1, keepdims=True), 1)
    return made


def opened(
    path: Path, power: float | None = None, n_fft: int | None = None, beats: int | None = None, rate: int | None = None
) -> Loops:
    """What makes loops by the network in a file.

    Args:
        path: the file.
        power: see `OnnxLoops`, as for all that follows: a file of the workshop says it itself.
        n_fft: as above.
        beats: as above.
        rate: as above.

    Raises:
        UserError: it cannot be read, is no such network, says of itself what is given here, or onnxruntime is not
            installed.
    """
    file = OnnxFile(path)
    try:
        meaning = LoopMeaning.read(file.metadata)
    except ValueError as error:
        raise UserError(f"{path} is damaged: {error}") from error
    if meaning is None:
        return OnnxLoops(file, power, n_fft, beats, rate)
    if any(given is not None for given in (power, n_fft, beats, rate)):
        raise UserError(f"{path} says itself what it makes: leave out --power, --n_fft, --beats and --rate")
    return ExportedLoops(file, meaning)
