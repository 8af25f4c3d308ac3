"""The network of lesson 5: how likely each next frame is, given all frames so far.

    frames -> LSTM -> ... -> LSTM -> mixture of normal distributions of the next frame
    the last two frames -> a linear prediction, around which they lie, along axes in which errors are independent

The last two frames predict most of the next one linearly, and the errors of neighbouring bands are alike. Both are
known from the start: the linear part begins as the baseline, and the LSTM learns what is more. What it gives is a
mixture of K normal distributions over all bands (Graves 2013, arXiv:1308.0850).

With `--target complex` it guesses instead, as GRUV (2015) and Soundcube (2019) did; why that tends to silence, the
lesson's page lets one hear:

    real and imaginary parts -> LSTM -> ... -> LSTM -> the next ones, by the smallest squared error
    the last two frames -> each frequency goes on turning, around which they lie

Arrays are time-major: T frames, B streams, D numbers in a frame, H units. Frames are in steps; inside levels are
divided by `SCALE`, and parts by `PART_SCALE`.
"""

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal

import keras
import msgspec
import numpy as np
from keras import layers, ops
from msgspec import Meta

from spectral_rnn.baseline import Var
from spectral_rnn.turning import Turns
from workshop.audio.bands import STEPS
from workshop.audio.parts import LOUDEST, MU, SIDE, ZERO
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
#: Steps of real and imaginary parts that are 1 inside of the network.
PART_SCALE = 32.0
#: The logarithm of a spread stays within this; dither alone keeps it above the lower end.
NARROWEST, WIDEST = -6.0, 4.0


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of the network besides the seed.

    Attributes:
        bands: D.
        rnn_size: H.
        num_layers: LSTM layers.
        components: K, normal distributions in the mixture, of levels.
        dropout: share of each layer's outputs that is dropped in training.
        target: what a frame is: levels, or complex: D / 2 real parts and as many imaginary ones.
    """

    bands: Count
    rnn_size: Count
    num_layers: Annotated[int, Meta(ge=1, le=1000)]
    components: Count
    dropout: Annotated[float, Meta(ge=0, lt=1)]
    target: Literal["levels", "complex"] = "levels"

    def __post_init__(self) -> None:
        if self.target == "complex" and self.bands % 2:
            raise ValueError(f"{self.bands} numbers are not as many real parts as imaginary ones")

    @property
    def inputs(self) -> int:
        """Numbers that the first LSTM layer reads: two frames of levels, or one of parts."""
        return 2 * self.bands if self.target == "levels" else self.bands

    @property
    def outputs(self) -> int:
        """Numbers that describe a mixture: a weight, a middle and a spread of each component; or a guess."""
        return self.components * (2 * self.bands + 1) if self.target == "levels" else self.bands

    @property
    def weights(self) -> int:
        """How many there are in the whole network."""
        d, h = self.bands, self.rnn_size
        recurrent = 4 * h * ((self.inputs + h + 1) + (self.num_layers - 1) * (2 * h + 1))
        linear = 3 * d * d + d if self.target == "levels" else 2 * d + 1
        return recurrent + linear + (h + 1) * self.outputs


def scaled(steps: Any) -> Any:
    """Levels as the network computes with them."""
    return (steps - MIDDLE) / SCALE


class NextFrame(keras.Model):
    """What both networks have in common: LSTM layers that read frames, and a linear head.

    Args:
        shape: of the network.
        seed: of the first weights.
        head: the name of what comes of the head.
    """

    #: What its layers give, as a part of a sentence; a format string for the shape.
    gives: str

    def __init__(self, shape: Shape, seed: int, head: str):
        super().__init__(name="frames")
        self.shape = shape
        self.seeds = keras.random.SeedGenerator(seed)
        draws = seeds_of_weights(seed)
        self.recurrent = []
        for depth in range(1, shape.num_layers + 1):
            arguments = first_weights(draws)
            layer = layers.LSTM(
                shape.rnn_size, return_sequences=True, return_state=True, name=f"lstm_{depth}", **arguments
            )
            layer.build((None, None, shape.inputs if depth == 1 else shape.rnn_size))
            self.recurrent.append(layer)
        self.drop = WindowDropout(shape.dropout)
        self.add_linear()
        small = keras.initializers.RandomNormal(stddev=0.02 * shape.rnn_size**-0.5, seed=next(draws))
        self.head = self.add_weight(name=head, shape=(shape.rnn_size, shape.outputs), initializer=small)
        self.head_bias = self.add_weight(name=f"{head}_bias", shape=(shape.outputs,), initializer="zeros")
        self.built = True

    def add_linear(self) -> None:
        """Make the weights of the linear prediction."""
        raise NotImplementedError

    def in_words(self) -> str:
        """What `train.py` prints of it."""
        head = f"network: {self.shape.num_layers} x {self.shape.rnn_size} LSTM, {self.gives.format(self.shape)}"
        return f"{head}, {self.count_params():,} weights\n{layer_table(self.layer_rows())}"

    @property
    def symbol_axes(self) -> list[int | None]:
        """For each trainable weight, None: a network of frames has no symbols."""
        return [None] * len(self.trainable_variables)

    def recurrent_rows(self) -> list[Row]:
        """Its recurrent layers for the table."""
        shape = f"[T, B, {self.shape.rnn_size}]"
        return [(layer.name, "LSTM", shape, layer.count_params()) for layer in self.recurrent]

    def head_row(self) -> Row:
        """Its head for the table."""
        outputs = int(ops.size(self.head)) + int(ops.size(self.head_bias))
        return (self.head.name, "dense", f"[T, B, {self.shape.outputs}]", outputs)

    def read(self, x: Tensor, states: Any, training: bool) -> tuple[Tensor, list]:
        """The head's numbers [T, B, outputs] after each of the inputs x [T, B, inputs], and the layers' states."""
        after = []
        for layer, state in zip(self.recurrent, states, strict=True):
            cell = None if on_gpu() else cell_of(layer)
            if cell:
                x, state = run_layer(cell, layer, x, state)
            else:
                x, *state = layer(ops.swapaxes(x, 0, 1), initial_state=list(state), training=training)
                x = ops.swapaxes(x, 0, 1)
            after.append(tuple(state))
            x = self.drop(x, seeds=self.seeds, training=training)
        return ops.matmul(x, self.head) + self.head_bias, after

    def states_with(self, last: Tensor) -> list[tuple[Tensor, ...]]:
        """The state before the first frame of B streams, `last` [B, D] being the frame before it."""
        return [*(tuple(layer.get_initial_state(last.shape[0])) for layer in self.recurrent), (last,)]


class FrameModel(NextFrame):
    """Next-frame network of a `Shape` for levels; `seed` is that of the first weights."""

    gives = "a mixture of {0.components}"

    def __init__(self, shape: Shape, seed: int = 0):
        super().__init__(shape, seed, "mixture")

    def add_linear(self) -> None:
        """Make the weights of the linear prediction."""
        size = self.shape.bands
        #: Of the last frame and the one before: the next frame as far as it is linear in them. Times CAREFUL.
        self.linear = self.add_weight(name="linear", shape=(2 * size, size), initializer="zeros")
        self.constant = self.add_weight(name="constant", shape=(size,), initializer="zeros")
        #: Makes errors of the linear prediction independent: a lower triangle, with the logarithms of its diagonal.
        #: Times CAREFUL too.
        self.axes = self.add_weight(name="axes", shape=(size, size), initializer="zeros")

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
        self.head_bias.assign(
            np.concatenate([np.zeros(shape.components), zeros.ravel(), (zeros + spreads[:, None]).ravel()])
        )

    def layer_rows(self) -> list[Row]:
        """Its layers for the table."""
        shape, count = self.shape, keras.ops.size
        rows = self.recurrent_rows()
        linear = int(count(self.linear)) + int(count(self.constant))
        rows.append(("linear", "prediction", f"[T, B, {shape.bands}]", linear))
        rows.append(("axes", "triangle", f"[T, B, {shape.bands}]", int(count(self.axes))))
        return [*rows, self.head_row()]

    def initial_state(self, batch_size: int) -> list[tuple[Tensor, ...]]:
        """Before the first frame of B streams: nothing was heard but silence."""
        return self.states_with(ops.full((batch_size, self.shape.bands), scaled(0.0)))

    def call(self, frames: Tensor, states: Any, training: bool = False) -> tuple[tuple[Tensor, ...], list]:
        """What the next frame is likely to be after each of `frames` [T, D, B], and the state after the last.

        Returns:
            the linear prediction [T, B, D], the numbers of the mixture [T, B, K (2 D + 1)] and the axes [D, D]; and the
            state.
        """
        x = scaled(ops.swapaxes(frames, 1, 2))
        *recurrent, (last,) = states
        both = ops.concatenate([x, ops.concatenate([last[None], x[:-1]], axis=0)], axis=-1)
        numbers, after = self.read(both, recurrent, training)
        expected = ops.matmul(both, CAREFUL * self.linear) + self.constant
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


class GuessModel(NextFrame):
    """Next-frame network of a `Shape` for real and imaginary parts; `seed` is that of the first weights.

    It guesses one frame. Its loss is the squared error, written as -ln p of a normal distribution around the guess,
    whose spread is one number for all parts: a curve in nats, with the same least value.
    """

    gives = "which guess real and imaginary parts"

    def __init__(self, shape: Shape, seed: int = 0):
        super().__init__(shape, seed, "guess")

    def add_linear(self) -> None:
        """Make the weights of the linear prediction."""
        #: Of the last frame and the one before: real and imaginary part of what each frequency is multiplied by to give
        #: the next one. Times CAREFUL.
        self.turns = self.add_weight(name="turns", shape=(2, 2, self.shape.bands // 2), initializer="zeros")
        #: The logarithm of the spread, in smallest steps.
        self.spread = self.add_weight(name="spread", shape=(1,), initializer="zeros")

    def begin_with(self, predictor: Turns) -> None:
        """Let it begin as the linear predictor of one or two frames."""
        turns = np.zeros(self.turns.shape)
        turns[: predictor.order] = np.stack([predictor.turns.real, predictor.turns.imag], axis=1)
        self.turns.assign(turns / CAREFUL)
        self.spread.assign([math.log(predictor.spread)])

    def layer_rows(self) -> list[Row]:
        """Its layers for the table."""
        turns = int(ops.size(self.turns))
        rows = [*self.recurrent_rows(), ("turns", "prediction", f"[T, B, {self.shape.bands}]", turns)]
        return [*rows, ("spread", "number", "[1]", 1), self.head_row()]

    def initial_state(self, batch_size: int) -> list[tuple[Tensor, ...]]:
        """Before the first frame of B streams: nothing was heard but silence."""
        return self.states_with(ops.zeros((batch_size, self.shape.bands)))

    def call(self, frames: Tensor, states: Any, training: bool = False) -> tuple[tuple[Tensor, ...], list]:
        """The guess after each of `frames` [T, D, B] in steps, and the state after the last.

        Returns:
            guesses [T, B, D] in smallest steps, and the logarithm of the spread [1]; and the state.
        """
        frames = ops.swapaxes(frames, 1, 2)
        *recurrent, (last,) = states
        numbers, after = self.read((frames - ZERO) / PART_SCALE, recurrent, training)
        now = expanded(frames)
        before = ops.concatenate([last[None], now[:-1]], axis=0)
        turned = turned_by(now, CAREFUL * self.turns[0]) + turned_by(before, CAREFUL * self.turns[1])
        return (turned + ops.exp(self.spread) * numbers, self.spread), [*after, (now[-1],)]

    def losses(self, predictions: tuple[Tensor, ...], targets: Tensor) -> Tensor:
        """-ln p of frames `targets` [T, B, D] in nats [T, B], the density being that of parts in smallest steps."""
        guesses, spread = predictions
        away = (expanded(targets) - guesses) * ops.exp(-spread)
        constant = self.shape.bands * (spread[0] + 0.5 * math.log(2 * math.pi))
        return 0.5 * ops.sum(ops.square(away), axis=-1) + constant


def expanded(steps: Tensor) -> Tensor:
    """Real and imaginary parts of companded steps, in smallest steps."""
    away = (steps - ZERO) / SIDE
    return ops.sign(away) * ops.expm1(ops.abs(away) * math.log1p(MU)) * (LOUDEST / MU)


def turned_by(parts: Tensor, by: Tensor) -> Tensor:
    """Parts [..., D] of complex numbers times complex numbers `by` [2, D / 2], real parts and imaginary ones."""
    real, imaginary = ops.split(parts, 2, axis=-1)
    return ops.concatenate([real * by[0] - imaginary * by[1], real * by[1] + imaginary * by[0]], axis=-1)


def of_target(shape: Shape, seed: int) -> NextFrame:
    """The network for what a frame is."""
    return FrameModel(shape, seed) if shape.target == "levels" else GuessModel(shape, seed)


#: The networks that `train.py --network NAME` can train, as functions of a shape and a seed: add yours here.
NETWORKS: dict[str, Callable[[Shape, int], NextFrame]] = {"default": of_target}


def build(network: dict[str, Any], most_weights: float = math.inf) -> NextFrame:
    """The network that a run.json describes; its checkpoints hold `most_weights` weights.

    Raises:
        UserError: the description is damaged, or does not fit the checkpoints.
    """
    function, seed, rest = choose(NETWORKS, network)
    shape = check_network(Shape, rest, most_weights)
    check_size(shape.weights, most_weights)
    return function(shape, seed)
