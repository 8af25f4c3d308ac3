"""The network of lesson 3: predict the next sample from those of the last milliseconds.

    sample -> table -> gated block -> ... -> gated block
                           | skip              | skip
                           +------- sum -------+-> relu -> dense -> relu -> dense -> softmax over 256 levels

A gated block looks at samples that lie `dilation` apart; the dilations double from block to block, so that a few dozen
blocks have a receptive field of thousands of samples (van den Oord et al., "WaveNet: A Generative Model for Raw
Audio", 2016, arXiv:1609.03499). There is no padding: the first prediction needs R samples, the receptive field, and
each further sample gives one more.

Arrays are time-major: T samples, B sequences, C residual channels, D channels of the gates, S skip channels, F filter
width, L blocks.
"""

import math
from collections.abc import Callable
from typing import Annotated, Any

import keras
import msgspec
import numpy as np
from keras import ops
from msgspec import Meta

from workshop.audio.mu_law import LEVELS
from workshop.checks import MAX_WHOLE, Count, Whole
from workshop.networks.description import check_network, check_size, choose
from workshop.networks.layer_table import Row, layer_table

Tensor = Any


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The shape of a network; more layers would give a receptive field of hours.

    Attributes:
        stacks: repetitions of the dilations 1, 2, 4, ...
        layers: dilations in a stack, so that the largest is 2 ** (layers - 1).
        filter_width: F, taps of the dilated convolution.
        residual_channels: C.
        dilation_channels: D.
        skip_channels: S.
        conditions: number of labels; 0 for an unconditional network.
    """

    stacks: Annotated[int, Meta(ge=1, le=1000)]
    layers: Annotated[int, Meta(ge=1, le=20)]
    filter_width: Annotated[int, Meta(ge=2, le=MAX_WHOLE)]
    residual_channels: Count
    dilation_channels: Count
    skip_channels: Count
    conditions: Whole = 0

    @property
    def dilations(self) -> list[int]:
        """The dilation of each block, from the first to the last."""
        return [2**k for _ in range(self.stacks) for k in range(self.layers)]

    @property
    def receptive_field(self) -> int:
        """R, the number of samples that a prediction depends on."""
        return (self.filter_width - 1) * (sum(self.dilations) + 1) + 1


class WaveNet(keras.Model):
    """Next-sample network of a `Shape`; `seed` is that of the initial weights."""

    def __init__(self, shape: Shape, seed: int = 0):
        super().__init__(name="wavenet")
        self.shape = shape
        width, c, d, s = (
            shape.filter_width, shape.residual_channels, shape.dilation_channels, shape.skip_channels,
        )  # fmt: skip
        rng = np.random.default_rng(seed)

        def weight(name: str, *size: int, fan_in: int = 0) -> Any:
            start: Any = "zeros"
            if fan_in:
                start = keras.initializers.RandomNormal(stddev=fan_in**-0.5, seed=int(rng.integers(1 << 31)))
            return self.add_weight(name=name, shape=size, initializer=start)

        self.table = weight("table", width, LEVELS, c, fan_in=width)
        self.kernels = [weight(f"kernel_{k}", width, c, 2 * d, fan_in=width * c) for k in range(len(shape.dilations))]
        self.biases = [weight(f"bias_{k}", 2 * d) for k in range(len(shape.dilations))]
        # The output of the last block goes only to the skip connections.
        self.residuals = [weight(f"residual_{k}", d, c, fan_in=d) for k in range(len(shape.dilations) - 1)]
        self.residual_biases = [weight(f"residual_bias_{k}", c) for k in range(len(shape.dilations) - 1)]
        self.skips = weight("skips", len(shape.dilations) * d, s, fan_in=len(shape.dilations) * d)
        self.skip_bias = weight("skip_bias", s)
        self.hidden, self.hidden_bias = weight("hidden", s, s, fan_in=s), weight("hidden_bias", s)
        self.output_kernel, self.output_bias = weight("output", s, LEVELS, fan_in=s), weight("output_bias", LEVELS)
        if shape.conditions:
            size = (shape.conditions, len(shape.dilations), 2 * d)
            self.conditions = weight("conditions", *size, fan_in=d)
        self.built = True

    def in_words(self, sample_rate: int) -> str:
        """The summary that `train.py` prints; `sample_rate` in Hz."""
        blocks, seen = len(self.shape.dilations), 1000 * self.shape.receptive_field / sample_rate
        head = f"network: {blocks} blocks, {self.count_params():,} weights; sees {seen:.0f} ms"
        return f"{head}\n{layer_table(self.layer_rows())}"

    def layer_rows(self) -> list[Row]:
        """The rows of the layer table, one for each block."""
        shape, last = self.shape, len(self.kernels) - 1
        rows: list[tuple[str, str, int, list[Any]]] = [("table", "lookup", shape.residual_channels, [self.table])]
        for k in range(last + 1):
            ends = [self.residuals[k], self.residual_biases[k]] if k < last else []
            width = shape.residual_channels if k < last else shape.dilation_channels
            rows.append((f"block_{k + 1}", "gated block", width, [self.kernels[k], self.biases[k], *ends]))
        if shape.conditions:
            rows.append(("conditions", "lookup", 2 * shape.dilation_channels, [self.conditions]))
        rows.append(("skips", "dense, relu", shape.skip_channels, [self.skips, self.skip_bias]))
        rows.append(("hidden", "dense, relu", shape.skip_channels, [self.hidden, self.hidden_bias]))
        rows.append(("output", "dense", LEVELS, [self.output_kernel, self.output_bias]))
        return [
            (name, kind, f"[T, B, {width}]", sum(math.prod(array.shape) for array in arrays))
            for name, kind, width, arrays in rows
        ]

    @property
    def symbol_axes(self) -> list[int | None]:
        """For each trainable weight, in their order, the axis of the conditions; None where there is none."""
        conditions = [0] if self.shape.conditions else []
        return [None] * (len(self.trainable_variables) - len(conditions)) + conditions

    def initial_state(self, batch_size: int) -> tuple:
        """An empty state: the inputs hold all that a prediction depends on."""
        return ()

    def call(self, inputs: Any, states: tuple = (), training: bool = False) -> tuple[Tensor, tuple]:
        """Logits [T, B, 256] of the sample after each of the last T of `ids` [R - 1 + T, B].

        Args:
            inputs: the ids, values 0..255; for a conditional network the pair of ids and labels [B].
            states: empty, as returned by `initial_state`.
            training: ignored.
        """
        ids, labels = inputs if self.shape.conditions else (inputs, None)
        predicted = ids.shape[0] - self.shape.receptive_field + 1
        width = self.shape.filter_width
        x = sum(self._shifted(ops.take(self.table[w], ids, axis=0), w, 1) for w in range(width))
        gated = []
        for k, dilation in enumerate(self.shape.dilations):
            h = self.biases[k] + sum(
                ops.matmul(self._shifted(x, w, dilation), self.kernels[k][w]) for w in range(width)
            )
            if self.shape.conditions:
                h = h + ops.take(self.conditions[:, k], labels, axis=0)
            filtered, gate = ops.split(h, 2, axis=-1)
            h = ops.tanh(filtered) * ops.sigmoid(gate)
            gated.append(h[-predicted:])
            if k < len(self.residuals):
                x = x[-h.shape[0] :] + ops.matmul(h, self.residuals[k]) + self.residual_biases[k]
        # One product for the skip connections of all blocks, for the predicted samples only.
        skip = ops.relu(ops.matmul(ops.concatenate(gated, axis=-1), self.skips) + self.skip_bias)
        hidden = ops.relu(ops.matmul(skip, self.hidden) + self.hidden_bias)
        return ops.matmul(hidden, self.output_kernel) + self.output_bias, states

    def _shifted(self, x: Tensor, tap: int, dilation: int) -> Tensor:
        """The input of a tap: a slice of x [T, B, C], [T - (F - 1) * dilation, B, C]; tap 0 is the oldest."""
        return x[tap * dilation : x.shape[0] - (self.shape.filter_width - 1 - tap) * dilation]


def check(network: dict[str, Any], most_weights: float = math.inf) -> Shape:
    """Validate a description before memory is allocated, and return its shape.

    Args:
        network: what run.json says.
        most_weights: number of weights in its checkpoints; infinite for a new network.

    Raises:
        UserError: the description is not valid, or the network is larger than the checkpoints.
    """
    shape = check_network(Shape, network, most_weights)
    width, c, d, s = (shape.filter_width, shape.residual_channels, shape.dilation_channels, shape.skip_channels)
    block = 2 * width * c * d + d * s + 2 * d * shape.conditions
    check_size(width * LEVELS * c + shape.stacks * shape.layers * block + s * (s + LEVELS), most_weights)
    return shape


def with_condition(network: WaveNet) -> WaveNet:
    """An unconditional network with a condition that changes nothing."""
    made = WaveNet(msgspec.structs.replace(network.shape, conditions=1))
    made.set_weights([*network.get_weights(), np.zeros(made.conditions.shape)])
    return made


def without_conditions(network: WaveNet) -> WaveNet:
    """A conditional network without its conditions, whose mean is added to the biases."""
    made = WaveNet(msgspec.structs.replace(network.shape, conditions=0))
    made.set_weights(network.get_weights()[:-1])
    for bias, conditions in zip(made.biases, ops.mean(network.conditions, axis=0), strict=True):
        bias.assign(bias + conditions)
    return made


#: The networks that `train.py --network NAME` can train, as functions of a shape and a seed: add yours here.
NETWORKS: dict[str, Callable[[Shape, int], WaveNet]] = {"default": WaveNet}


def build(network: dict[str, Any], most_weights: float = math.inf) -> WaveNet:
    """The network that a run.json describes; the arguments are those of `check`.

    Raises:
        UserError: the description is damaged, or does not fit the checkpoints.
    """
    function, seed, rest = choose(NETWORKS, network)
    return function(check(rest, most_weights), seed)
