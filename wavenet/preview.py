"""What the network would sound like so far, while it trains."""

from pathlib import Path

import numpy as np

from wavenet import mu_law
from wavenet.generate import Generator
from wavenet.listening import judge
from wavenet.model import WaveNet
from workshop.board import Board
from workshop.pictures import spectrogram, write_png
from workshop.sampling import Choice
from workshop.synthesis import write_wav


class Preview:
    """Makes a sound when asked to show one.

    Args:
        model: the network.
        prime: values [N] of a training sound; the network goes on from them.
        rate: samples a second.
        length: samples to generate.
        seed: the same for all previews, so that they can be compared.
    """

    def __init__(self, model: WaveNet, prime: np.ndarray, rate: int, length: int, seed: int):
        self._model, self._prime, self._rate, self._length, self._seed = model, prime, rate, length, seed

    def show(self, step: int, folder: Path, board: Board) -> str:
        """Write a sound of the network as it is at this step to `folder` and to TensorBoard; say what it is like."""
        generator = Generator(self._model, Choice(), np.zeros(1, int))
        values = np.concatenate(list(generator.write(self._prime, self._length, self._seed)))[:, 0]
        samples = mu_law.decode(values)
        picture = spectrogram(samples, self._rate, f"step {step:,}")
        write_wav(folder / f"step_{step:06d}.wav", samples, self._rate)
        write_png(folder / f"step_{step:06d}.png", picture)
        board.sound("preview/sound", samples, self._rate, step)
        board.picture("preview/spectrogram", picture, step)
        return f"    | {len(samples) / self._rate:.1f} s of sound, {judge(samples).words}"
