"""Making sound with a trained network, sample by sample.

`reference` is the plain way, and what the others are tested against: it looks at the whole receptive field again for
each sample. `Generator` keeps what the blocks have seen and does one step at a time, thousands of times as fast.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from keras import ops

from wavenet.cores import CpuEngine
from wavenet.loop import XlaEngine
from wavenet.model import WaveNet
from workshop.audio.mu_law import SILENCE
from workshop.networks.sampling import SamplingConfig

#: Softmax temperature of the previews, and of sample.py unless it is told otherwise; chosen by
#: benchmarks/temperatures.py.
TEMPERATURE = 1.0
#: Samples of each stream in a piece; so often the progress is told and Ctrl-C is heard.
PIECE = 800


def reference(model: WaveNet, values: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """Logits [B, 256] of the sample after values [T, B], the last R of which count; silence stands before them."""
    field = model.shape.receptive_field
    ids = ops.convert_to_tensor(_last(values, field).astype(np.int32))
    logits, _ = model((ids, labels) if model.shape.conditions else ids)
    return ops.convert_to_numpy(logits)[-1]


def _last(values: np.ndarray, count: int) -> np.ndarray:
    """The last `count` of values [T, B], before which silence stands."""
    return np.concatenate([np.full((count, values.shape[1]), SILENCE), values])[-count:]


class Engine(Protocol):
    """What runs the network step by step: `CpuEngine`, or `XlaEngine` on a GPU."""

    def start(self, first: np.ndarray) -> Any:
        """The state when nothing has been heard but values `first` [B]."""

    def advance(self, state: Any, prescribed: np.ndarray, uniform: np.ndarray, config: SamplingConfig) -> np.ndarray:
        """Go on for N steps.

        Args:
            state: goes on with them.
            prescribed: [N, B] values to take, -1 where one is to be drawn.
            uniform: [N, B] random numbers, 0 <= uniform < 1.
            config: how the values are drawn.

        Returns:
            values [N, B].
        """


class Generator:
    """Makes any number of sounds side by side.

    Args:
        model: the trained network.
        labels: [B] numbers of the conditions; of a network without any, their number is all that matters.
    """

    def __init__(self, model: WaveNet, labels: np.ndarray):
        self._field = model.shape.receptive_field
        # A GPU is reached through XLA alone. On a CPU XLA runs the same steps too, but far from as fast as the kernel,
        # which is made for them (benchmarks/wavenet_speed.py measures both).
        engine = XlaEngine if tf.config.list_logical_devices("GPU") else CpuEngine
        self._engine: Engine = engine(model, labels)

    def generate(self, prompt: np.ndarray, length: int, seed: int, config: SamplingConfig) -> Iterator[np.ndarray]:
        """Generate `length` samples after `prompt`, piece by piece.

        Args:
            prompt: values [T, B] to go on from, of the same length in each stream; silence stands before them. Not
                part of the result.
            length: samples to generate.
            seed: the same seed gives the same sounds.
            config: how the next sample is chosen.

        Yields:
            values [n, B], together `length` of them.
        """
        rng = np.random.default_rng(seed)
        first, *rest = _last(prompt, self._field)
        state = self._engine.start(first)
        prescribed = np.array(rest)
        self._engine.advance(state, prescribed, np.zeros(prescribed.shape), config)
        for at in range(0, length, PIECE):
            uniform = rng.random((min(PIECE, length - at), prompt.shape[1]))
            yield self._engine.advance(state, np.full(uniform.shape, -1), uniform, config)
