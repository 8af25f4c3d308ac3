"""Sound that a network has made."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from workshop.audio.spectrogram import spectrogram
from workshop.audio.synthesis import write_wav
from workshop.errors import UserError
from workshop.pictures import write_png

if TYPE_CHECKING:
    from workshop.networks.sampling import SamplingConfig

#: Samples of four bytes that fit into a WAV file.
MAX_SAMPLES = (1 << 30) - 1024


def sample_count(length: int | None, seconds: float, rate: int) -> int:
    """How many samples to generate: `length`, or else as many as `seconds` have at a rate, at least one.

    Raises:
        UserError: they are more than a file can hold.
    """
    count = length or max(seconds * rate, 1)
    if count > MAX_SAMPLES:
        raise UserError(
            f"a sound has {MAX_SAMPLES / rate / 3600:.1f} hours at most at this rate, so that a WAV file can hold it: "
            f"ask for fewer seconds, or for a length of {MAX_SAMPLES:,} samples at most"
        )
    return round(count)


class SoundGenerator(Protocol):
    """What generates sounds with a trained network."""

    def generate(self, prompt: np.ndarray, length: int, seed: int, config: "SamplingConfig") -> Iterator[np.ndarray]:
        """Generate `length` samples after `prompt`, piece by piece.

        Args:
            prompt: levels [T, B] to go on from; silence stands before them. Not part of the result.
            length: samples to generate.
            seed: the same seed gives the same sounds.
            config: how the next sample is chosen.

        Yields:
            levels [n, B], together `length` of them.
        """


@dataclass(frozen=True)
class GeneratedSound:
    """A sound that shows itself as a player in a notebook.

    Attributes:
        samples: float32 [N], from -1 to 1.
        rate: samples a second.
    """

    samples: np.ndarray
    rate: int

    def __repr__(self) -> str:
        return f"{len(self.samples) / self.rate:.2f} s of sound, {self.rate:,} samples a second"

    def save(self, path: str | Path) -> Path:
        """Write a mono WAV file of 16 bits, or where the suffix is .png a picture of its waveform and spectrogram.

        Raises:
            UserError: the file cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() == ".png":
            write_png(path, spectrogram(self.samples, self.rate, path.stem))
        else:
            write_wav(path, self.samples, self.rate)
        return path

    def _repr_html_(self) -> str:
        """Called by Jupyter: an audio player, as loud as the samples are."""
        from IPython.display import Audio

        return Audio(self.samples, rate=self.rate, normalize=False)._repr_html_()
