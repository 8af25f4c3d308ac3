"""Going on by guesses: the network of `--target complex`, frame by frame.

B streams, D parts.
"""

from typing import TYPE_CHECKING

import numpy as np

from spectral_rnn.generate import Engine, State
from workshop.audio.parts import LOUDEST, ZERO, companded, expanded

if TYPE_CHECKING:
    from spectral_rnn.model import GuessModel


class Guesses(Engine):
    """Runs a network that guesses, as `Frames` runs one that draws. What it guesses is what comes: there is nothing to
    draw, and no temperature.

    Args:
        model: the network; it is not needed any more afterwards.
    """

    silence = ZERO

    def __init__(self, model: "GuessModel"):
        from spectral_rnn.model import CAREFUL, PART_SCALE

        super().__init__(model)
        self._part_scale = PART_SCALE
        self._turns = CAREFUL * np.asarray(model.turns)
        self._spread = np.exp(np.asarray(model.spread))

    @property
    def draws(self) -> int:
        """None."""
        return 0

    def start(self, streams: int = 1) -> State:
        """The state before the first frame of B streams: nothing was heard but silence."""
        return self._start(np.zeros((streams, self.shape.bands), np.float32))

    def read(self, state: State, frame: np.ndarray) -> tuple[State, np.ndarray]:
        """The state after a frame [B, D] in steps, and the guess of the next one: [B, D], 1 being the loudest sine."""
        frame = np.asarray(frame, np.float32)
        numbers, layers = self._run((frame - ZERO) / np.float32(self._part_scale), state)
        now = expanded(frame)
        turned = _turned(now, self._turns[0]) + _turned(state.last, self._turns[1])
        return State(layers, now), turned + self._spread * numbers / np.float32(LOUDEST)

    def draw(self, likely: np.ndarray, temperature: float, uniform: np.ndarray) -> np.ndarray:
        """The guess in steps [B, D]; the other arguments are not needed."""
        return companded(likely).astype(np.float32)


def _turned(parts: np.ndarray, by: np.ndarray) -> np.ndarray:
    real, imaginary = np.split(parts, 2, axis=-1)
    return np.concatenate([real * by[0] - imaginary * by[1], real * by[1] + imaginary * by[0]], axis=-1)
