"""A network of spectra in the live room: it hears frames, and goes on from them.

It has two states, as networks that make samples have: the ear has heard the input and nothing else; the mouth goes on
with what it says itself, and begins again, every now and then, from what the ear has heard. Nothing has to be
crossfaded: windows overlap.
"""

import numpy as np

from spectral_rnn.dataset import Representation
from spectral_rnn.generate import Engine, State
from workshop.audio.parts import Parts
from workshop.audio.phase import LiveResynthesis, WithPhase
from workshop.audio.turns import Turns
from workshop.run.voice import Block, Knobs, Mode

#: The state after all frames but the last, and the last one [1, D] in steps.
Place = tuple[State, np.ndarray]


class FrameVoice:
    """Answers frame by frame; what it says is a hop behind what it hears, so that blocks may have any length.

    Args:
        frames: runs the network.
        bands: what its frames are.
        temperature: of the draws with the knobs in the middle.
        mode: when it answers.
        seed: of the draws.
    """

    def __init__(self, frames: Engine, bands: Representation, temperature: float, mode: Mode, seed: int):
        self.rate = bands.rate
        self._frames, self._bands, self._stft = frames, bands, bands.stft
        self._temperature, self._mode = temperature, mode
        self._rng, self._turns = np.random.default_rng(seed), Turns(bands.rate)
        self._ear: Place = frames.start(), np.full((1, bands.count), bands.silence, np.float32)
        self._mouth: Place | None = None
        self._since = 0
        self._resynthesis = (WithPhase if isinstance(bands, Parts) else LiveResynthesis)(self._stft)
        #: Samples of windows that are not complete, and samples that are ready.
        self._heard = np.zeros(self._stft.window - self._stft.hop, np.float32)
        self._ready = np.zeros(self._stft.hop, np.float32)

    def process(self, block: Block, knobs: Knobs) -> Block:
        """Hear a block and answer, as `Voice` says."""
        self._heard = np.concatenate([self._heard, block.samples])
        made = [self._ready]
        while len(self._heard) >= self._stft.window:
            window, self._heard = self._heard[: self._stft.window], self._heard[self._stft.hop :]
            values = self._bands.values(self._answer(window, knobs)[0])
            made.append(self._resynthesis.step(self._bands.spectra(values)))
        answer, self._ready = np.split(np.concatenate(made), [len(block.samples)])
        return Block(answer.astype(np.float32).clip(-1, 1))

    def _answer(self, window: np.ndarray, knobs: Knobs) -> np.ndarray:
        """The next frame [1, D] in steps, after a window of samples [W] was heard."""
        if self._mode == "continuous":
            self._hear(window)
            self._since += self._stft.hop
            if self._mouth is None or self._since >= knobs.patience * self.rate:
                self._mouth, self._since = self._ear, 0
            self._mouth = self._say(self._mouth, knobs)
            return self._mouth[1]
        if self._turns.next(window[-self._stft.hop :]) == "listen":
            self._hear(window)
            return np.full_like(self._ear[1], self._bands.silence)
        self._ear = self._say(self._ear, knobs)
        return self._ear[1]

    def _hear(self, window: np.ndarray) -> None:
        """Let the ear read the frame of a window."""
        spectra = self._stft.spectra(window)
        state, _ = self._frames.read(*self._ear)
        self._ear = state, self._bands.steps(spectra).astype(np.float32)

    def _say(self, place: Place, knobs: Knobs) -> Place:
        """The place after the next frame."""
        uniform = self._rng.random((1, self._frames.draws))
        frame, state = self._frames.step(*place, self._temperature * knobs.heat, uniform)
        return state, frame
