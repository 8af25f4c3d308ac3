"""Making loops of latent values: pictures by the generator, sound by the way back from a spectrogram.

N loops, T frames, D bands, Z latent values, S loops one after the other in a file.
"""

if __name__ == "__main__":
    from workshop.misplaced import refuse_generate

    refuse_generate()

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from workshop.audio.limiting import limited
from workshop.audio.loop_spectrogram import MAX_SAMPLES, LoopSpectrogram
from workshop.errors import UserError
from workshop.files import explain

#: Of the previews, and of sample.py unless it is told otherwise: latent values are spread as in training.
TEMPERATURE = 1.0
#: A file of latent values has no more bytes.
MAX_FILE = 1 << 20


@dataclass(frozen=True)
class Loops:
    """Makes sound of latent values.

    Attributes:
        make: pictures [N, T, D] from -1 to 1 of latents [N, Z].
        spectrogram: what the pictures are of.
    """

    make: Callable[[np.ndarray], np.ndarray]
    spectrogram: LoopSpectrogram

    def at_length(self, wanted: float) -> "Loops":
        """The same loops with another number of samples each: as high as before, faster or slower.

        Raises:
            UserError: it is too short for its frames, or too long.
        """
        if wanted > MAX_SAMPLES:  # it may be infinite, for a tempo next to none
            raise UserError(f"a loop cannot have {wanted:,.0f} samples, {MAX_SAMPLES:,} at most; choose a higher --bpm")
        samples = round(wanted)
        try:
            spectrogram = replace(self.spectrogram, samples=samples)
            _ = spectrogram.in_bands  # which refuses what does not fit
        except ValueError as error:
            raise UserError(f"a loop cannot have {samples:,} samples: {error}; choose a lower --bpm") from error
        return replace(self, spectrogram=spectrogram)

    def sounds(self, latents: np.ndarray) -> np.ndarray:
        """Loops float32 [N, samples], each of which may be repeated for ever."""
        return limited(self.spectrogram.sounds(self.make(latents)))

    def row(self, latents: np.ndarray) -> np.ndarray:
        """Loops [S, Z] one after the other, each going over into the next, as one sound float32 [S samples]."""
        return limited(self.spectrogram.row(self.make(latents)))


def latent_of(text: str, size: int, option: str = "--latent") -> np.ndarray:
    """Latent values float32 [size]: numbers with commas or spaces between them, or a file that holds such a text. Of
    several points in a file, the first.

    Args:
        text: what was typed behind `option`.
        size: Z.
        option: for what an error says.

    Raises:
        UserError: there is no such file, or it is not so many numbers.
    """
    source, where = text, option
    path = Path(text)
    if not _numbers(text):
        where = str(path)
        try:
            with open(path, "rb") as file:
                source = file.read(MAX_FILE).decode("utf-8", "replace")
        except (OSError, ValueError) as error:
            reason = explain(error, path) if isinstance(error, OSError) else str(error)
            raise UserError(
                f"{option} {text} is neither numbers with commas between them nor a file that can be read: {reason}"
            ) from error
    values = _numbers(source)
    if not values or len(values) % size:
        found = f"{len(values):,} numbers" if values else "something else than numbers"
        raise UserError(f"{where} holds {found}, and this network makes a loop of {size} latent values")
    latent = np.array(values[:size], np.float32)
    if not np.isfinite(latent).all():
        raise UserError(f"{where} holds a number that is not finite: latent values are mostly from -3 to 3")
    return latent


def _numbers(text: str) -> list[float]:
    """The numbers in a text; none where there is anything else in it."""
    try:
        return [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        return []
