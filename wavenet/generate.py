"""Making sound with a trained network, sample by sample.

`reference` is the plain way, and what the others are tested against: it looks at the whole receptive field again for
each sample. `Generator` keeps what the blocks have seen and does one step at a time, thousands of times as fast.
"""

if __name__ == "__main__":
    from workshop.misplaced import refuse_generate

    refuse_generate()

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from keras import ops

from wavenet.cores import CpuEngine
from wavenet.loop import XlaEngine
from wavenet.model import WaveNet
from workshop.audio.mu_law import SILENCE
from workshop.networks.engine import Engine, generate
from workshop.networks.sampling import SamplingConfig

#: Softmax temperature of the previews, and of sample.py unless it is told otherwise; chosen by
#: benchmarks/temperatures.py.
TEMPERATURE = 1.0


def reference(model: WaveNet, values: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """Logits [B, 256] of the sample after values [T, B], the last R of which count; silence stands before them."""
    field = model.shape.receptive_field
    ids = ops.convert_to_tensor(_last(values, field).astype(np.int32))
    logits, _ = model((ids, labels) if model.shape.conditions else ids)
    return ops.convert_to_numpy(logits)[-1]


def _last(values: np.ndarray, count: int) -> np.ndarray:
    """The last `count` of values [T, B], before which silence stands."""
    return np.concatenate([np.full((count, values.shape[1]), SILENCE), values])[-count:]


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
        on_gpu = tf.config.list_logical_devices("GPU")
        self._engine: Engine = XlaEngine(model, labels) if on_gpu else CpuEngine(model, labels, half=True)

    def generate(self, prompt: np.ndarray, length: int, seed: int, config: SamplingConfig) -> Iterator[np.ndarray]:
        """Generate `length` samples after `prompt`, piece by piece.

        Args:
            prompt: values [T, B] to go on from, of the same length in each stream; silence stands before them. Not
                part of the result.
            length: samples to generate.
            seed: the same seed gives the same sounds.
            config: how the next sample is chosen.

        Returns:
            values [n, B], together `length` of them.
        """
        return generate(self._engine, _last(prompt, self._field), length, seed, config)
