"""What tests listen to blind: sounds and texts in a folder, in pairs."""

from pathlib import Path

import numpy as np

from workshop.audio.synthesis import write_wav

RATE = 8000


def pairs_of(folder: Path, pairs: str, seconds: dict[str, float], words: dict[str, str]) -> Path:
    """A file of pairs with this text, beside sounds that last so long and files of these words, by their names."""
    for name, length in seconds.items():
        write_wav(folder / f"{name}.wav", 0.1 * np.sin(np.arange(int(length * RATE)) / 10), RATE)
    for name, text in words.items():
        (folder / f"{name}.txt").write_text(text)
    place = folder / "pairs.toml"
    place.write_text(pairs)
    return place
