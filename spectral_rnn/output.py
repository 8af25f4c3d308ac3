"""What becomes of generated sound on its way into files: fades, and the frames that it was made of."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from workshop import cli
from workshop.audio.generated import MAX_SAMPLES
from workshop.errors import UserError
from workshop.files import atomic_write, explain


def fade_samples(seconds: float, rate: int) -> int:
    """How many samples a fade takes; not more than the longest sound has."""
    return round(min(seconds * rate, MAX_SAMPLES))


def faded(pieces: Iterable[np.ndarray], length: int, fade_in: int, fade_out: int) -> Iterator[np.ndarray]:
    """Pieces [n, B] of sounds of `length` samples, which become loud over the first `fade_in` of them and die away
    over the last `fade_out`.
    """
    at = 0
    for piece in pieces:
        place = np.arange(at, at + len(piece))
        loud = np.minimum((place + 1) / (fade_in + 1), 1) * np.minimum((length - place) / (fade_out + 1), 1)
        yield (piece * loud[:, None]).astype(np.float32)
        at += len(piece)


def save_raw(stems: list[Path], values: np.ndarray, words: str) -> None:
    """Write the values [T, B, D] of each sound as NumPy's .npy file beside it; `words` say what they are.

    Raises:
        UserError: a file cannot be written.
    """
    for number, stem in enumerate(stems):
        file = stem.with_name(f"{stem.name}.npy")
        try:
            with atomic_write(file) as opened:
                np.save(opened, values[:, number], allow_pickle=False)
        except OSError as error:
            raise UserError(f"{file} cannot be written: {explain(error, file)}") from error
        cli.say(f"{file}: {len(values):,} frames of {values.shape[2]} {words}")
