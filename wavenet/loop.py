"""Generation on a GPU: the loop over the samples compiled by XLA, all streams in one batch.

What each block has seen is a ring of its own length, and all rings lie in one array [rows, B, C]: a step reads what all
blocks need of it at once, and writes it at once. Pieces have a fixed length, so that the loop is compiled once whatever
is asked for.
"""

from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from wavenet.model import WaveNet
from workshop.audio.mu_law import LEVELS
from workshop.networks.sampling import SamplingConfig, draw, warp_logits

#: Samples of each stream per call of the compiled loop.
PIECE = 400


class XlaEngine:
    """Takes streams on by a network's weights.

    Args:
        model: the trained network.
        labels: [B] numbers of the conditions; of a network without any, their number is all that matters.
    """

    def __init__(self, model: WaveNet, labels: np.ndarray):
        self._model, self._shape = model, model.shape
        self._labels = labels
        self._dilations = np.array(model.shape.dilations)
        self._reach = (model.shape.filter_width - 1) * self._dilations
        self._rings = np.cumsum(self._reach) - self._reach
        self._piece = tf.function(self._go_on, jit_compile=True, autograph=False)

    def start(self, first: np.ndarray) -> dict[str, Any]:
        """The state when nothing has been heard but values `first` [B]."""
        streams, width = len(first), self._shape.filter_width
        values = np.zeros((width, streams), np.int32)
        values[-1] = first
        seen = np.zeros((self._reach.sum(), streams, self._shape.residual_channels), np.float32)
        return {"seen": tf.constant(seen), "values": tf.constant(values), "time": tf.constant(0)}

    def advance(
        self, state: dict[str, Any], prescribed: np.ndarray, uniform: np.ndarray, config: SamplingConfig
    ) -> np.ndarray:
        """The values [N, B] of the next N steps, as `Engine` in workshop/networks/engine.py says."""
        knobs = tuple(map(tf.constant, config.knobs(LEVELS)))
        made = [np.empty((0, prescribed.shape[1]), np.int64)]
        for at in range(0, len(prescribed), PIECE):
            count = len(prescribed[at : at + PIECE])
            filled = [(0, PIECE - count), (0, 0)]
            written, state["seen"], state["values"], state["time"] = self._piece(
                tf.constant(np.pad(prescribed[at : at + PIECE], filled).astype(np.int32)),
                tf.constant(np.pad(uniform[at : at + PIECE], filled).astype(np.float32)),
                tf.constant(count), state["seen"], state["values"], state["time"], *knobs,
            )  # fmt: skip
            made.append(written.numpy()[:count].astype(np.int64))
        return np.concatenate(made)

    def _go_on(
        self, prescribed: tf.Tensor, uniform: tf.Tensor, count: tf.Tensor, seen: tf.Tensor, values: tf.Tensor,
        time: tf.Tensor, *knobs: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:  # fmt: skip
        """`count` steps, for the first of prescribed [PIECE, B] and uniform [PIECE, B]; knobs as for `warp_logits`."""

        def step(at: Any, seen: tf.Tensor, values: tf.Tensor, written: tf.Tensor) -> tuple:
            logits, seen = self._logits(seen, values, time + at)
            drawn = draw(warp_logits(logits, *knobs), uniform[at])
            fresh = ops.where(prescribed[at] >= 0, prescribed[at], drawn)[None]
            values = ops.concatenate([values[1:], fresh])
            return at + 1, seen, values, ops.slice_update(written, (at, 0), fresh)

        at, seen, values, written = ops.while_loop(
            lambda at, *_: at < count, step, (0, seen, values, ops.zeros_like(prescribed))
        )
        return written, seen, values, time + at

    def _logits(self, seen: tf.Tensor, values: tf.Tensor, time: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Logits [B, 256] of the sample after the last F values [F, B], and what the blocks have seen then."""
        model, width = self._model, self._shape.filter_width
        rows = ops.stack([self._rings + (time + tap * self._dilations) % self._reach for tap in range(width - 1)])
        old = ops.take(seen, rows, axis=0)
        x = sum(ops.take(model.table[tap], values[tap], axis=0) for tap in range(width))
        heard, gated = [], []
        for k in range(len(self._dilations)):
            heard.append(x)
            taps = [*(old[tap, k] for tap in range(width - 1)), x]
            h = model.biases[k] + sum(ops.matmul(taps[w], model.kernels[k][w]) for w in range(width))
            if self._shape.conditions:
                h = h + ops.take(model.conditions[:, k], self._labels, axis=0)
            filtered, gate = ops.split(h, 2, axis=-1)
            gated.append(ops.tanh(filtered) * ops.sigmoid(gate))
            if k < len(model.residuals):
                x = x + ops.matmul(gated[-1], model.residuals[k]) + model.residual_biases[k]
        # The oldest of each ring has been read, and makes room.
        seen = ops.scatter_update(seen, rows[0][:, None], ops.stack(heard))
        skip = ops.relu(ops.matmul(ops.concatenate(gated, axis=-1), model.skips) + model.skip_bias)
        hidden = ops.relu(ops.matmul(skip, model.hidden) + model.hidden_bias)
        return ops.matmul(hidden, model.output_kernel) + model.output_bias, seen
