"""What the network would sound like so far, while it trains."""

from pathlib import Path

import numpy as np

from spectral_rnn.dataset import KEPT_EXCERPTS, KEPT_LOUDEST, Representation
from spectral_rnn.engines import engine_of, resynthesis
from spectral_rnn.generate import sounds
from spectral_rnn.model import NextFrame
from workshop.audio.preview import show_sound
from workshop.pictures import clear_away
from workshop.run.board import TensorBoardWriter

#: Longer than those of sound made sample by sample: frames come fast, and what a network lacks is form.
SECONDS = 6


class Preview:
    """Goes on from a beginning when asked to.

    Args:
        model: the network.
        bands: what its frames are.
        kept: what `dataset.kept` gives: it begins with the first excerpt.
        seed: the same for all previews, so that they can be compared.
        temperature: to draw at.
    """

    def __init__(
        self, model: NextFrame, bands: Representation, kept: dict[str, np.ndarray], seed: int, temperature: float
    ):
        self._model, self._bands = model, bands
        self._beginning, self._loudest = kept[KEPT_EXCERPTS][0], kept.get(KEPT_LOUDEST)
        self._seed, self._temperature = seed, temperature

    def show(self, step: int, folder: Path, board: TensorBoardWriter) -> str:
        """Write a sound of the network as it is at this step to `folder` and to TensorBoard; say what it is like."""
        bands, length = self._bands, SECONDS * self._bands.rate
        frames = engine_of(self._model, self._loudest).generate(
            self._beginning, bands.stft.frames(length), 1, self._seed, self._temperature
        )
        samples = np.concatenate(list(sounds(frames, length, bands, [resynthesis(bands)])))[:, 0]
        line = show_sound(samples, bands.rate, step, folder, board)
        clear_away()
        return line
