"""Sound files on disk -> values of mu-law, uint8 [N] each, some of the files held out whole."""

from pathlib import Path

from workshop.audio import library, mu_law
from workshop.audio.library import Sounds, describe

__all__ = ["describe", "load"]


def load(
    path: Path, rate: int, val_split: float = 0.1, silence_threshold: float = 0.0, condition: str | None = None
) -> Sounds:
    """The sounds of a file or a folder at `rate` samples a second; see `workshop.audio.library.load`.

    Raises:
        UserError: there is nothing that can be used; the sentence says why.
    """
    return library.load(path, rate, mu_law.encode, val_split, silence_threshold, condition)
