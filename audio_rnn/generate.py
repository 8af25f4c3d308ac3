"""Making sound with a trained network, sample by sample; the loop is that of `workshop/networks/generation.py`."""

from collections.abc import Iterator

import numpy as np

from workshop.audio.mu_law import LEVELS, SILENCE
from workshop.networks.generation import AllSymbols, GenerationLoop
from workshop.networks.sampling import SamplingConfig
from workshop.networks.sequence import SequenceModel

#: Softmax temperature of the previews, and of sample.py unless it is told otherwise.
TEMPERATURE = 1.0
#: Samples of silence before a prompt: a network hardly ever sees the empty state while it learns.
WARM_UP = 800
#: Of a longer prompt the last samples are read: reading takes as long as generating.
MAX_PROMPT = 40_000


class Generator:
    """Makes any number of sounds side by side, with the weights that `model` has at the time."""

    def __init__(self, model: SequenceModel):
        self._loop = GenerationLoop(model, LEVELS, AllSymbols())

    def generate(self, prompt: np.ndarray, length: int, seed: int, config: SamplingConfig) -> Iterator[np.ndarray]:
        """Values [n, B], as `workshop.audio.generated.SoundGenerator` says; the prompt [T, B] is the same in all
        streams.
        """
        heard = np.append(np.full(WARM_UP, SILENCE), prompt[-MAX_PROMPT:, 0]).astype(np.int32)
        return self._loop.generate(heard, length, prompt.shape[1], seed, config)
