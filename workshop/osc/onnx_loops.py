"""A generator of loops from an ONNX file that says nothing of itself, such as those of TechnoGAN.

Such a network takes latent values [1, Z] and gives a picture [1, F, T, 1] (or with the one channel in front, or without
it) from -1 to 1: its rows are frequencies, the lowest first, its columns frames. A value v stands for the magnitude
160 ((v + 1) / 2)^power of a short-time Fourier transform by Hann windows of `n_fft` samples, a quarter of which is the
hop, centred and wrapped around at the ends; the highest frequency is left out.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from workshop.audio.loop_spectrogram import LoopSpectrogram
from workshop.audio.stft import Stft
from workshop.errors import UserError
from workshop.files import explain

#: The magnitude of the value 1.
LOUDEST = 160.0
#: Power of the values. TechnoGAN's networks were trained with 3, but for that of constant Q; one of its programs played
#: with 2.
POWER = 3.0
#: Samples a second: four beats of 32,768 samples last as long as at 160 beats a minute, 65,536 of them 1.5 s.
RATE = 43_691
#: Samples of a beat.
BEAT = 8192
#: Bytes of the largest file.
MOST_BYTES = 1 << 30
#: Latent values, which have to go into a message twice.
MOST_LATENTS = 4096
#: Values of the largest picture.
MOST_VALUES = 1 << 24


class LinearSpectrogram(LoopSpectrogram):
    """Pictures of magnitudes, frequency by frequency, with a power in place of decibels.

    Attributes:
        power: of the values.
        n_fft: samples of a window.
    """

    def __init__(self, rate: int, frames: int, bands: int, power: float, n_fft: int):
        super().__init__(rate, frames * (n_fft // 4), frames, bands)
        object.__setattr__(self, "power", power)
        object.__setattr__(self, "n_fft", n_fft)

    power: float
    n_fft: int

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
    """Makes loops by a network in an ONNX file.

    Args:
        path: the file.
        power: of its pictures' values; None for `POWER`.
        n_fft: samples of a window; None for twice as many as the picture has rows.
        beats: in a loop; None for one each 8,192 samples.
        rate: samples a second; None for `RATE`.

    Raises:
        UserError: it cannot be read, is no such network, or onnxruntime is not installed.
    """

    def __init__(
        self,
        path: Path,
        power: float | None = None,
        n_fft: int | None = None,
        beats: int | None = None,
        rate: int | None = None,
    ):
        self._path, self.rate = path, rate or RATE
        self._session = _opened(path)
        (input_,) = self._session.get_inputs()
        self._name, self.latent_size = input_.name, int(input_.shape[-1])
        bands, frames = self._run(np.zeros(self.latent_size, np.float32)).shape
        window = n_fft or 2 * bands
        if window % 8 or window < 2 * bands or frames < 8:
            raise UserError(
                f"{path} makes pictures of {bands} x {frames}, and windows of {window} samples do not fit: give "
                f"--n_fft as a multiple of 8 from {2 * bands} on"
            )
        self._spectrogram = LinearSpectrogram(self.rate, frames, bands, power or POWER, window)
        self.samples = self._spectrogram.samples
        self.beats = beats or max(round(self.samples / BEAT), 1)
        self.bpm = 60 * self.beats * self.rate / self.samples

    def sounds(self, latents: np.ndarray) -> np.ndarray:
        """Loops float32 [S, N] of latents [S, Z]; one that is louder than 1 is made as loud as that."""
        pictures = np.stack([self._run(one).T for one in latents.astype(np.float32)])
        loops = self._spectrogram.sounds(pictures)
        made: np.ndarray = loops / np.maximum(np.abs(loops).max(axis=1, keepdims=True), 1)
        return made

    def _run(self, latents: np.ndarray) -> np.ndarray:
        """The picture [F, T] of latents [Z].

        Raises:
            UserError: the network fails, or makes something else.
        """
        try:
            picture = np.squeeze(self._session.run(None, {self._name: latents[None]})[0])
        except Exception as error:  # onnxruntime has many of its own
            raise UserError(f"{self._path} is damaged: it does not run ({str(error)[:200]})") from error
        if picture.ndim != 2 or picture.size > MOST_VALUES or not np.isfinite(picture).all():
            raise UserError(f"{self._path} makes {list(picture.shape)} and not one picture of finite values")
        return picture


def _opened(path: Path) -> Any:
    """The network in a file, of one input [1, Z].

    Raises:
        UserError: it cannot be read, is no such network, or onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(
            f"{path} needs the package onnxruntime, which is not installed: pip install -r requirements/export.txt"
        ) from error
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UserError(f"{path} cannot be read: {explain(error, path)}") from error
    if size > MOST_BYTES or not path.is_file():
        raise UserError(f"{path} is no ONNX file of a generator: it is larger than {MOST_BYTES >> 20} MB, or no file")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is said here
    try:
        # The content and not the path, so that no other file that it names is read.
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has many of its own
        raise UserError(f"{path} is damaged, or no ONNX file: {str(error)[:200]}") from error
    inputs = session.get_inputs()
    shape = list(inputs[0].shape) if len(inputs) == 1 and inputs[0].type == "tensor(float)" else []
    if len(shape) != 2 or not isinstance(shape[1], int) or not 1 <= shape[1] <= MOST_LATENTS:
        raise UserError(f"{path} takes {[(one.name, one.shape) for one in inputs]} and not latent values [1, 64]")
    return session
