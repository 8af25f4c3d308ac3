"""The network of lesson 5: how likely each next frame is, given all frames so far.

    frames -> LSTM -> ... -> LSTM -> mixture of normal distributions of the next frame
    the last two frames -> a linear prediction, around which they lie, along axes in which errors are independent

The last two frames predict most of the next one linearly, and the errors of neighbouring bands are alike. Both are
known from the start: the linear part begins as the baseline, and the LSTM learns what is more. What it gives is a
mixture of K normal distributions over all bands (Graves 2013, arXiv:1308.0850).

Arrays are time-major: T frames, B streams, D bands, H units. Levels are in steps; inside they are divided by `SCALE`.
"""

import math
from collections.abc import Callable
from typing import Annotated, Any

import keras
import msgspec
import numpy as np
from keras import layers, ops
from msgspec import Meta

from spectral_rnn.baseline import Var
from workshop.audio.bands import STEPS
from workshop.checks import Count
from workshop.networks.description import check_network, check_size, choose
from workshop.networks.layer_table import Row, layer_table
from workshop.networks.recurrent import cell_of, first_weights, on_gpu, run_layer, seeds_of_weights
from workshop.networks.sequence import WindowDropout

Tensor = Any

#: Steps that are 1 inside of the network, and the level that is 0 there.
SCALE, MIDDLE = 40.0, STEPS / 2
#: What begins well is changed by smaller steps than the rest: those of Adam times this.
CAREFUL = 0.1
#: The logarithm of a spread stays within this; dither alone keeps it above the lower end.
NARROWEST, WIDEST = -6.0, 4.0


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of the network besides the seed.

    Attributes:
        bands: D.
        rnn_size: H.
        num_layers: LSTM layers.
        components: K, normal distributions in the mixture.
        dropout: share of each layer's outputs that is dropped in training.
    """

    bands: Count
    rnn_size: Count
    num_layers: Annotated[int, Meta(ge=1, le=1000)]
    components: Count
    dropout: Annotated[float, Meta(ge=0, lt=1)]

    @property
    def outputs(self) -> int:
        """Numbers that describe a mixture: a weight, a middle and a spread of each component."""
        return self.components * (2 * self.bands + 1)

    @property
    def weights(self) -> int:
        """How many there are in the whole network."""
        d, h = self.bands, self.rnn_size
        recurrent = 4 * h * ((2 * d + h + 1) + (self.num_layers - 1) * (2 * h + 1))
        return recurrent + 2 * d * d + d + d * d + (h + 1) * self.outputs


def scaled(steps: Any) -> Any:
    """Levels as the network computes with them."""
    return (steps - MIDDLE) / SCALE


class FrameModel(keras.Model):
    """Next-frame network of a `Shape`; `seed` is that of the first weights."""

    def __init__(self, shape: Shape, seed: int = 0):
        super().__init__(name="frames")
        self.shape = shape
        self.seeds = keras.random.SeedGenerator(seed)
        draws, size = seeds_of_weights(seed), shape.bands
        self.recurrent = []
        for depth in range(1, shape.num_layers + 1):
            arguments = first_weights(draws)
            layer = layers.LSTM(
                shape.rnn_size, return_sequences=True, return_state=True, name=f"lstm_{depth}", **arguments
            )
            layer.build((None, None, 2 * size if depth == 1 else shape.rnn_size))
            self.recurrent.append(layer)
        self.drop = WindowDropout(shape.dropout)
        #: Of the last frame and the one before: the next frame as far as it is linear in them. Times CAREFUL.
        self.linear = self.add_weight(name="linear", shape=(2 * size, size), initializer="zeros")
        self.constant = self.add_weight(name="constant", shape=(size,), initializer="zeros")
        #: Makes errors of the linear prediction independent: a lower triangle, with the logarithms of its diagonal.
        #: Times CAREFUL too.
        self.axes = self.add_weight(name="axes", shape=(size, size), initializer="zeros")
        small = keras.initializers.RandomNormal(stddev=0.02 * shape.rnn_size**-0.5, seed=next(draws))
        self.mixture = self.add_weight(name="mixture", shape=(shape.rnn_size, shape.outputs), initializer=small)
        self.mixture_bias = self.add_weight(name="mixture_bias", shape=(shape.outputs,), initializer="zeros")
        self.built = True

    def begin_with(self, predictor: Var) -> None:
        """Let it begin as the linear predictor of one or two frames, whose errors are mixed of normal distributions of
        different spreads, as those of Student's t are.
        """
        shape, ones = self.shape, np.ones(self.shape.bands)
        linear, constant = np.zeros(self.linear.shape), predictor.weights[-1]
        linear[: len(predictor.weights) - 1] = predictor.weights[:-1]
        # For levels that are divided by SCALE and begin at MIDDLE.
        self.linear.assign(linear / CAREFUL)
        self.constant.assign((constant + MIDDLE * (linear.T @ np.append(ones, ones) - ones)) / SCALE)
        inverse = SCALE * np.linalg.inv(np.linalg.cholesky(predictor.scale))
        diagonal = np.diag_indices(shape.bands)
        inverse[diagonal] = np.log(inverse[diagonal])
        self.axes.assign(np.tril(inverse) / CAREFUL)
        # Student's t is a normal distribution whose precision is drawn from a gamma distribution.
        half = predictor.freedom / 2
        precisions = np.random.default_rng(0).gamma(half, 1 / half, 10_000)
        shares = (np.arange(shape.components) + 0.5) / shape.components
        spreads = -np.log(np.quantile(precisions, shares).clip(1e-4)) / 2
        zeros = np.zeros((shape.components, shape.bands))
        self.mixture_bias.assign(
            np.concatenate([np.zeros(shape.components), zeros.ravel(), (zeros + spreads[:, None]).ravel()])
        )

    def in_words(self) -> str:
        """What `train.py` prints of it."""
        shape = self.shape
        head = f"network: {shape.num_layers} x {shape.rnn_size} LSTM, a mixture of {shape.components}"
        return f"{head}, {self.count_params():,} weights\n{layer_table(self.layer_rows())}"

    def layer_rows(self) -> list[Row]:
        """Its layers for the table."""
        shape, count = self.shape, keras.ops.size
        rows = [(layer.name, "LSTM", f"[T, B, {shape.rnn_size}]", layer.count_params()) for layer in self.recurrent]
        linear = int(count(self.linear)) + int(count(self.constant))
        rows.append(("linear", "prediction", f"[T, B, {shape.bands}]", linear))
        rows.append(("axes", "triangle", f"[T, B, {shape.bands}]", int(count(self.axes))))
        outputs = int(count(self.mixture)) + int(count(self.mixture_bias))
        rows.append(("mixture", "dense", f"[T, B, {shape.outputs}]", outputs))
        return rows

    @property
    def symbol_axes(self) -> list[int | None]:
        """For each trainable weight, None: a network of frames has no symbols."""
        return [None] * len(self.trainable_variables)

    def initial_state(self, batch_size: int) -> list[tuple[Tensor, ...]]:
        """Before the first frame of B streams: nothing was heard but silence."""
        states = [tuple(layer.get_initial_state(batch_size)) for layer in self.recurrent]
        return [*states, (ops.full((batch_size, self.shape.bands), scaled(0.0)),)]

    def call(self, frames: Tensor, states: Any, training: bool = False) -> tuple[tuple[Tensor, ...], list]:
        """What the next frame is likely to be after each of `frames` [T, D, B], and the state after the last.

        Returns:
            the linear prediction [T, B, D], the numbers of the mixture [T, B, K (2 D + 1)] and the axes [D, D]; and the
            state.
        """
        x = scaled(ops.swapaxes(frames, 1, 2))
        *recurrent, (last,) = states
        both = ops.concatenate([x, ops.concatenate([last[None], x[:-1]], axis=0)], axis=-1)
        h, after = both, []
        for layer, state in zip(self.recurrent, recurrent, strict=True):
            cell = None if on_gpu() else cell_of(layer)
            if cell:
                h, state = run_layer(cell, layer, h, state)
            else:
                h, *state = layer(ops.swapaxes(h, 0, 1), initial_state=list(state), training=training)
                h = ops.swapaxes(h, 0, 1)
            after.append(tuple(state))
            h = self.drop(h, seeds=self.seeds, training=training)
        expected = ops.matmul(both, CAREFUL * self.linear) + self.constant
        numbers = ops.matmul(h, self.mixture) + self.mixture_bias
        return (expected, numbers, CAREFUL * self.axes), [*after, (x[-1],)]

    def losses(self, predictions: tuple[Tensor, ...], targets: Tensor) -> Tensor:
        """-ln p of frames `targets` [T, B, D] in nats [T, B], the density being that of levels in steps."""
        expected, numbers, axes = predictions
        size = self.shape.bands
        diagonal = ops.diagonal(axes)
        triangle = axes * np.tril(np.ones((size, size), np.float32), -1) + ops.diag(ops.exp(diagonal))
        errors = ops.matmul(scaled(targets) - expected, ops.transpose(triangle))[..., None, :]
        logits, middles, spreads = self.parts(numbers)
        away = (errors - middles) * ops.exp(-spreads)
        each = -0.5 * ops.sum(ops.square(away), axis=-1) - ops.sum(spreads, axis=-1)
        constant = ops.sum(diagonal) - size * (math.log(SCALE) + 0.5 * math.log(2 * math.pi))
        return -(ops.logsumexp(ops.log_softmax(logits, axis=-1) + each, axis=-1) + constant)

    def parts(self, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The logits [..., K], middles and logarithms of spreads [..., K, D] of a mixture's numbers."""
        count, size = self.shape.components, self.shape.bands
        rest = ops.reshape(numbers[..., count:], (*numbers.shape[:-1], 2, count, size))
        return numbers[..., :count], rest[..., 0, :, :], ops.clip(rest[..., 1, :, :], NARROWEST, WIDEST)


#: The networks that `train.py --network NAME` can train, as functions of a shape and a seed: add yours here.
NETWORKS: dict[str, Callable[[Shape, int], FrameModel]] = {"default": FrameModel}


def build(network: dict[str, Any], most_weights: float = math.inf) -> FrameModel:
    """The network that a run.json describes; its checkpoints hold `most_weights` weights.

    Raises:
        UserError: the description is damaged, or does not fit the checkpoints.
    """
    function, seed, rest = choose(NETWORKS, network)
    shape = check_network(Shape, rest, most_weights)
    check_size(shape.weights, most_weights)
    return function(shape, seed)
