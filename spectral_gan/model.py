"""The two networks of lesson 6: one makes pictures of loops out of a few random numbers, the other tells them from real
ones.

    latent values -> dense -> convolutions, each over twice as many frames -> a picture
    a picture -> convolutions, each over half as many frames -> how real it looks

A picture is a series of frames, and goes round: what a convolution would see beyond the last frame is the first one.
The default networks take the bands of a frame as channels, for a drum is a column of bands that does not move up or
down; `dcgan` takes a picture as a picture, as TechnoGAN and the tutorial that it began as do.

B pictures of T frames of D bands, Z latent values, C channels.
"""

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import keras
import msgspec
from keras import layers, ops
from msgspec import Meta

from workshop.checks import Count
from workshop.networks.description import check_network, choose, limited
from workshop.networks.layer_table import Row, layer_table
from workshop.networks.recurrent import seeds_of_weights

Tensor = Any
#: Frames and bands are multiples of this: both halve four times.
MULTIPLE = 16
#: What is left of the negative part of a layer's output.
LEAK = 0.2


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of the networks besides the seed.

    Attributes:
        frames: T.
        bands: D.
        latent: Z.
        channels: C.
    """

    frames: Annotated[int, Meta(ge=MULTIPLE, multiple_of=MULTIPLE)]
    bands: Annotated[int, Meta(ge=MULTIPLE, multiple_of=MULTIPLE)]
    latent: Count
    channels: Count


class Ring(layers.Layer):
    """Frames [B, T, ...] with the last ones before them and the first ones after them."""

    def __init__(self, before: int, after: int, **more: Any):
        super().__init__(**more)
        self.before, self.after = before, after

    def call(self, x: Tensor) -> Tensor:
        """[B, T, ...] -> [B, before + T + after, ...]."""
        return ops.concatenate([x[:, -self.before :], x, x[:, : self.after]], axis=1)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape after it."""
        frames = shape[1]
        return (shape[0], None if frames is None else frames + self.before + self.after, *shape[2:])


class Spread(layers.Layer):
    """Appends how much the pictures of a batch differ from each other [B, n] -> [B, n + 1]: a generator that makes the
    same again and again gives itself away (minibatch standard deviation: Karras et al. 2018, arXiv:1710.10196).
    """

    def call(self, x: Tensor) -> Tensor:
        """[B, n] -> [B, n + 1]."""
        spread = ops.mean(ops.sqrt(ops.var(x, axis=0) + 1e-8))
        return ops.concatenate([x, ops.broadcast_to(spread, (ops.shape(x)[0], 1))], axis=1)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape after it."""
        return (shape[0], None if shape[1] is None else shape[1] + 1)


class Network(keras.Model):
    """Layers one after the other, built for inputs of a shape [B, ...]."""

    def __init__(self, parts: Sequence[layers.Layer], shape: tuple[int | None, ...], name: str):
        super().__init__(name=name)
        self.parts = list(parts)
        self._rows: list[Row] = []
        for layer in self.parts:
            if not layer.built:
                layer.build(shape)
            shape = layer.compute_output_shape(shape)
            seen = "B" + "".join(f", {size}" for size in shape[1:])
            if layer.weights:
                self._rows.append((layer.name, type(layer).__name__.lower(), f"[{seen}]", layer.count_params()))
        self.built = True

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """What the last layer makes of `x`."""
        for layer in self.parts:
            random = isinstance(layer, layers.BatchNormalization | layers.Dropout)
            x = layer(x, training=training) if random else layer(x)
        return x

    def layer_rows(self) -> list[Row]:
        """Its layers that have weights, for the table."""
        return self._rows


class Pair(keras.Model):
    """A generator and the discriminator that it is trained against."""

    def __init__(self, shape: Shape, generator: Network, discriminator: Network):
        super().__init__(name="pair")
        self.shape, self.generator, self.discriminator = shape, generator, discriminator
        self.built = True

    def call(self, latents: Tensor) -> Tensor:
        """Pictures [B, T, D] from -1 to 1 of latents [B, Z]."""
        return self.generator(latents)

    @property
    def statistics(self) -> list[Any]:
        """What the generator needs besides its weights: the mean and variance that batch normalisation has seen."""
        parts = [part for part in self.generator.parts if isinstance(part, layers.BatchNormalization)]
        return [variable for part in parts for variable in part.non_trainable_variables]

    def copy_statistics(self, source: "Pair") -> None:
        """Take over what batch normalisation has seen in other networks of the same shape."""
        for own, seen in zip(self.statistics, source.statistics, strict=True):
            own.assign(seen)

    @property
    def symbol_axes(self) -> list[int | None]:
        """For each trainable weight, None: pictures have no symbols."""
        return [None] * len(self.trainable_variables)

    def layer_rows(self) -> list[Row]:
        """The layers of both, the generator's first."""
        return [*self.generator.layer_rows(), *self.discriminator.layer_rows()]

    def in_words(self) -> str:
        """What `train.py` prints of it."""
        generator, discriminator = self.generator.count_params(), self.discriminator.count_params()
        head = f"network: {self.shape.latent} latent values -> pictures of {self.shape.frames} x {self.shape.bands}"
        head += f"; generator {generator:,} weights, discriminator {discriminator:,}"
        return f"{head}\n{layer_table(self.layer_rows())}"


def frames_network(shape: Shape, seed: int) -> Pair:
    """The default: convolutions over time, the bands being channels. A frame is a few products of matrices, which a CPU
    does fast.
    """
    draws, c = seeds_of_weights(seed), shape.channels

    def weights() -> keras.initializers.Initializer:
        return keras.initializers.HeNormal(seed=next(draws))

    first = shape.frames // MULTIPLE
    make: list[layers.Layer] = [
        layers.Dense(first * 2 * c, kernel_initializer=weights(), name="make_dense"),  # [B, Z] -> [B, T/16 2C]
        layers.Reshape((first, 2 * c)),
        layers.LeakyReLU(LEAK),
    ]
    for number in range(1, 5):  # [B, t, 2C] -> [B, 2t, 2C]; the last two have C channels
        wide = 2 * c if number < 3 else c
        make += [layers.UpSampling1D(2), Ring(1, 1)]
        make += [layers.Conv1D(wide, 3, kernel_initializer=weights(), name=f"make_{number}"), layers.LeakyReLU(LEAK)]
    last = keras.initializers.GlorotUniform(seed=next(draws))
    make += [Ring(2, 2), layers.Conv1D(shape.bands, 5, kernel_initializer=last, activation="tanh", name="make_bands")]

    judge: list[layers.Layer] = [
        Ring(2, 2),
        layers.Conv1D(c, 5, kernel_initializer=weights(), name="judge_bands"),  # [B, T, D] -> [B, T, C]
        layers.LeakyReLU(LEAK),
    ]
    for number in range(1, 5):  # [B, 2t, C] -> [B, t, C]; the last two have 2C channels
        wide = c if number < 3 else 2 * c
        convolution = layers.Conv1D(wide, 4, strides=2, kernel_initializer=weights(), name=f"judge_{number}")
        judge += [Ring(1, 1), convolution, layers.LeakyReLU(LEAK)]
    last = keras.initializers.GlorotUniform(seed=next(draws))
    judge += [layers.Flatten(), Spread(), layers.Dense(1, kernel_initializer=last, name="judge_dense")]
    return _pair(shape, make, judge)


def dcgan(shape: Shape, seed: int) -> Pair:
    """A picture as a picture: the networks of TechnoGAN, which are those of TensorFlow's tutorial on DCGAN (Radford et
    al. 2016, arXiv:1511.06434) with other numbers of channels.
    """
    draws, c = seeds_of_weights(seed), shape.channels

    def kernel() -> keras.initializers.Initializer:
        return keras.initializers.RandomNormal(stddev=0.02, seed=next(draws))

    def up(channels: int, stride: int, name: str, **more: Any) -> layers.Layer:
        plain = {"padding": "same", "use_bias": False, "kernel_initializer": kernel(), "name": name, **more}
        return layers.Conv2DTranspose(channels, 5, strides=stride, **plain)

    low, high = shape.frames // 4, shape.bands // 4
    make: list[layers.Layer] = [
        layers.Dense(low * high * 2 * c, use_bias=False, kernel_initializer=kernel(), name="make_dense"),
        layers.BatchNormalization(),
        layers.LeakyReLU(0.3),
        layers.Reshape((low, high, 2 * c)),
    ]
    for number, (channels, stride) in enumerate(((2 * c, 1), (c, 2), (c, 2)), start=1):
        make += [up(channels, stride, f"make_{number}"), layers.BatchNormalization(), layers.LeakyReLU(0.3)]
    make += [up(1, 1, "make_picture", activation="tanh"), layers.Reshape((shape.frames, shape.bands))]

    judge: list[layers.Layer] = [layers.Reshape((shape.frames, shape.bands, 1))]
    for number, channels in enumerate((c, 3 * c // 2, 3 * c, 3 * c), start=1):
        plain = {"padding": "same", "kernel_initializer": kernel(), "name": f"judge_{number}"}
        convolution = layers.Conv2D(max(channels, 1), 5, strides=2, **plain)
        judge += [convolution, layers.LeakyReLU(0.3), layers.Dropout(0.3, seed=next(draws))]
    judge += [layers.Flatten(), layers.Dense(1, kernel_initializer=kernel(), name="judge_dense")]
    return _pair(shape, make, judge)


def _pair(shape: Shape, make: list[layers.Layer], judge: list[layers.Layer]) -> Pair:
    generator = Network(make, (None, shape.latent), "generator")
    return Pair(shape, generator, Network(judge, (None, shape.frames, shape.bands), "discriminator"))


#: The networks that `train.py --network NAME` can train, as functions of a shape and a seed: add yours here.
NETWORKS: dict[str, Callable[[Shape, int], Pair]] = {"default": frames_network, "dcgan": dcgan}


def build(network: dict[str, Any], most_weights: float = math.inf) -> Pair:
    """The networks that a run.json describes; its checkpoints hold `most_weights` weights.

    Raises:
        UserError: the description is damaged, or does not fit the checkpoints.
    """
    function, seed, rest = choose(NETWORKS, network)
    shape = check_network(Shape, rest, most_weights)
    with limited(most_weights):
        return function(shape, seed)
