"""Making sound with a trained network, sample by sample.

A network of GRUs goes through the compiled kernel of `workshop/networks/gru_engine.py`; any other one, and all of them
on a GPU, through the loop of `workshop/networks/generation.py`, which runs whatever Keras runs.
"""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from keras import ops

from workshop import cli
from workshop.audio.mu_law import LEVELS, SILENCE
from workshop.networks import engine
from workshop.networks.generation import AllSymbols, GenerationLoop
from workshop.networks.gru_engine import GruEngine, unfit
from workshop.networks.recurrent import on_gpu
from workshop.networks.sampling import SamplingConfig
from workshop.networks.sequence import SequenceModel

#: Softmax temperature of the previews, and of sample.py unless it is told otherwise.
TEMPERATURE = 1.0
#: Samples of silence before a prompt: a network hardly ever sees the empty state while it learns.
WARM_UP = 800
#: Of a longer prompt the last samples are read: reading takes as long as generating.
MAX_PROMPT = 40_000


class Generator:
    """Makes any number of sounds side by side, with the weights that `model` has at the time. Says so where that is
    slower than it could be.
    """

    def __init__(self, model: SequenceModel):
        self._model = model
        self._loop: GenerationLoop | None = None
        reason = unfit(model)
        if reason or on_gpu():
            self._loop = GenerationLoop(model, LEVELS, AllSymbols())
        if reason:
            cli.say(f"generating: slower than by the compiled kernel, which is for GRUs, because {reason}")

    def generate(self, prompt: np.ndarray, length: int, seed: int, config: SamplingConfig) -> Iterator[np.ndarray]:
        """Values [n, B], as `workshop.audio.generated.SoundGenerator` says; the prompt [T, B] is the same in all
        streams.
        """
        streams = prompt.shape[1]
        heard = before(prompt[:, 0])
        if self._loop:
            return self._loop.generate(heard, length, streams, seed, config)
        repeated = heard[:, None].repeat(streams, axis=1)
        return engine.generate(GruEngine(self._model, streams, half=True), repeated, length, seed, config)


def before(prompt: np.ndarray) -> np.ndarray:
    """What a network reads before it generates, int32: silence, and the end of a prompt [T]."""
    return np.append(np.full(WARM_UP, SILENCE), prompt[-MAX_PROMPT:]).astype(np.int32)


def probabilities(model: SequenceModel, values: np.ndarray, temperature: float) -> np.ndarray:
    """How likely each level was for each of values [T] but the first, after those before it: float32 [T - 1, 256]."""

    @tf.function(autograph=False)
    def distributions(ids: tf.Tensor) -> tf.Tensor:
        logits, _ = model(ids, model.initial_state(1))
        return ops.softmax(logits[:, 0] / temperature)

    return distributions(tf.constant(values[:-1, None], tf.int32)).numpy()
