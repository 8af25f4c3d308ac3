"""A network that makes sound sample by sample, as one that hears and answers at the same time.

It has two states: the ear has heard the input and nothing else; the mouth goes on with what it says itself, and every
now and then begins again, crossfaded, from what the ear has heard.
"""

import copy
from typing import Any

import numpy as np

from workshop.audio import mu_law
from workshop.audio.quantisation import MU_LAW, Quantisation
from workshop.audio.turns import Turns
from workshop.networks.engine import CpuEngine, Engine
from workshop.networks.sampling import SamplingConfig
from workshop.run.voice import Block, Knobs, Mode


class SampleVoice:
    """Answers by a network of sample values, in all of its draws the same for the same seed, blocks and knobs.

    Args:
        engine: of the network, for one stream; used by this voice alone.
        rate: samples a second.
        warm_up: samples of silence that the network hears before everything.
        temperature: of the draws with the knobs in the middle.
        mode: when it answers.
        seed: of the draws.
        quantisation: what the values stand for.
    """

    def __init__(
        self, engine: Engine, rate: int, warm_up: int, temperature: float, mode: Mode, seed: int,
        quantisation: Quantisation = MU_LAW,
    ):  # fmt: skip
        self._engine, self.rate, self._temperature, self._mode = engine, rate, temperature, mode
        self._quantisation = quantisation
        self._rng = np.random.default_rng(seed)
        self._ear: Any = engine.start(np.array([mu_law.SILENCE]))
        self._hear(np.zeros(max(warm_up, 1), np.float32))
        self._mouth: Any = None
        self._since = 0
        self._turns = Turns(rate)

    def process(self, block: Block, knobs: Knobs) -> Block:
        """Hear a block and answer, as `Voice` says."""
        heard = block.samples
        if not len(heard):
            return Block(heard)
        answer = self._continuous(heard, knobs) if self._mode == "continuous" else self._respond(heard, knobs)
        return Block(answer)

    # ---- all the time

    def _continuous(self, heard: np.ndarray, knobs: Knobs) -> np.ndarray:
        self._hear(heard)
        before, self._since = self._mouth, self._since + len(heard)
        if before is not None and self._since < knobs.patience * self.rate:
            return self._say(before, len(heard), knobs)
        self._mouth, self._since = copy.deepcopy(self._ear), 0
        rise = np.linspace(0, 1, len(heard), dtype=np.float32)
        answer = rise * self._say(self._mouth, len(heard), knobs)
        return answer if before is None else answer + (1 - rise) * self._say(before, len(heard), knobs)

    # ---- call and response

    def _respond(self, heard: np.ndarray, knobs: Knobs) -> np.ndarray:
        turn = self._turns.next(heard)
        if turn == "listen":
            self._hear(heard)
            return np.zeros(len(heard), np.float32)
        answer = self._say(self._ear, len(heard), knobs)
        return answer if turn == "answer" else answer * np.linspace(1, 0, len(heard), dtype=np.float32)

    # ---- the network

    def _hear(self, samples: np.ndarray) -> None:
        """Let the ear read samples [N]."""
        values = self._quantisation.encode(samples).astype(np.int64)[:, None]
        self._engine.advance(self._ear, values, np.zeros(values.shape), SamplingConfig())

    def _say(self, state: Any, count: int, knobs: Knobs) -> np.ndarray:
        """The next samples, float32 [count], from a state, which goes on."""
        config = SamplingConfig(self._temperature * knobs.heat)
        drawn = self._engine.advance(state, np.full((count, 1), -1), self._rng.random((count, 1)), config)
        return self._quantisation.decode(drawn[:, 0])


def keep_to_one_core(engine: Engine) -> None:
    """Let an engine do without the second core, which other networks want."""
    if isinstance(engine, CpuEngine):
        engine.assisted = False
