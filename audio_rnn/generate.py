"""Making sound with a trained network, sample by sample.

A network of GRUs goes through the compiled kernel of `workshop/networks/gru_engine.py`; any other one, and all of them
on a GPU, through the loop of `workshop/networks/generation.py`, which runs whatever Keras runs.
"""

if __name__ == "__main__":
    from workshop.misplaced import refuse_generate

    refuse_generate()

import functools
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

    Args:
        model: the network.
        labels: [B] numbers of the conditions; of a network without any, their number is all that matters.
    """

    def __init__(self, model: SequenceModel, labels: np.ndarray):
        self._model, self._labels = model, labels
        self._loop = _loop(model)

    def generate(self, prompt: np.ndarray, length: int, seed: int, config: SamplingConfig) -> Iterator[np.ndarray]:
        """Values [n, B], as `workshop.audio.generated.SoundGenerator` says."""
        heard, labels = before(prompt), self._labels
        if self._loop:
            known = labels if self._model.conditions else None
            return self._loop.generate(heard, length, len(labels), seed, config, known)
        return engine.generate(GruEngine(self._model, labels, half=True), heard, length, seed, config)


@functools.lru_cache(maxsize=1)
def _loop(model: SequenceModel) -> GenerationLoop | None:
    """What runs a network that the kernel does not, kept because it is compiled; None where the kernel does."""
    reason = unfit(model)
    if reason:
        cli.say(f"generating: slower than by the compiled kernel, which is for GRUs, because {reason}")
    return GenerationLoop(model, LEVELS, AllSymbols()) if reason or on_gpu() else None


def before(prompt: np.ndarray) -> np.ndarray:
    """What a network reads before it generates, int32 [T, B]: silence, and the end of a prompt [T, B]."""
    silence = np.full((WARM_UP, prompt.shape[1]), SILENCE)
    return np.concatenate([silence, prompt[-MAX_PROMPT:]]).astype(np.int32)


def probabilities(model: SequenceModel, values: np.ndarray, label: int, temperature: float) -> np.ndarray:
    """How likely each level was for each of values [T] but the first, after those before it: float32 [T - 1, 256]; for
    a network with conditions, with the one of number `label`.
    """

    @tf.function(autograph=False)
    def distributions(ids: tf.Tensor) -> tf.Tensor:
        logits, _ = model((ids, tf.constant([label])) if model.conditions else ids, model.initial_state(1))
        return ops.softmax(logits[:, 0] / temperature)

    return distributions(tf.constant(values[:-1, None], tf.int32)).numpy()
