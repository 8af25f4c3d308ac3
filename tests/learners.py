"""Learners that predict no symbols, for the tests of the session: a density of frames, and two networks trained
against each other (Goodfellow et al. 2014), both on one number at a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from workshop.networks.layer_table import Row
from workshop.run import checkpoint
from workshop.run.learner import Measurement


@dataclass(frozen=True)
class Numbers:
    """Batches of 16 numbers around 3, spread by 0.5; 4 of them are an epoch."""

    windows: int = 4

    def window(self, epoch: int, number: int) -> tuple[np.ndarray]:
        return (np.random.default_rng((epoch, number)).normal(3, 0.5, (16, 1)).astype(np.float32),)


class Density:
    """A normal distribution whose mean and log spread descend -ln p; below 0 where the density is above 1."""

    in_nats, learning_rate = False, 0.1

    def __init__(self) -> None:
        self.mean, self.log_spread = np.zeros(()), np.zeros(())

    def loss(self, frames: np.ndarray) -> float:
        z = (frames - self.mean) / np.exp(self.log_spread)
        return float(np.mean(z**2) / 2 + self.log_spread + np.log(2 * np.pi) / 2)

    def step(self, frames: np.ndarray) -> float:
        loss, spread = self.loss(frames), np.exp(self.log_spread)
        z = (frames - self.mean) / spread
        self.mean = self.mean + self.learning_rate * np.mean(z) / spread
        self.log_spread = self.log_spread + self.learning_rate * np.mean(z**2 - 1)
        return loss

    def layer_rows(self) -> list[Row]:
        return []

    def begin_epoch(self) -> None:
        """Nothing is carried from batch to batch."""

    def evaluate(self, asked: Sequence[int] = ()) -> Measurement:
        return Measurement(self.loss(Numbers().window(99, 0)[0]), {"spread": float(np.exp(self.log_spread))})

    def averaged(self) -> dict[str, np.ndarray]:
        return {"average/0": np.stack([self.mean, self.log_spread])}

    def arrays(self) -> dict[str, np.ndarray]:
        return {"mean": np.asarray(self.mean), "log_spread": np.asarray(self.log_spread)}

    def restore(self, arrays: dict[str, np.ndarray], path: Path) -> None:
        self.mean, self.log_spread = arrays["mean"], arrays["log_spread"]


class Pair:
    """A generator that learns to make numbers which a discriminator cannot tell from the data."""

    in_nats, learning_rate = False, 0.01

    def __init__(self) -> None:
        self.noise = keras.random.SeedGenerator(5)
        seeds: Iterator[int] = iter(range(100))

        def dense(units: int, activation: str | None = None) -> layers.Dense:
            start = keras.initializers.GlorotUniform(seed=next(seeds))
            return layers.Dense(units, activation, kernel_initializer=start)

        self.generator = keras.Sequential([keras.Input((2,)), dense(8, "tanh"), dense(1)])
        self.discriminator = keras.Sequential([keras.Input((1,)), dense(8, "tanh"), dense(1)])
        self.optimizers = [keras.optimizers.Adam(self.learning_rate) for _ in range(2)]
        for optimizer, network in zip(self.optimizers, (self.generator, self.discriminator), strict=True):
            optimizer.build(network.trainable_variables)

    def make(self, count: int) -> Any:
        return self.generator(keras.random.normal((count, 2), seed=self.noise))

    def step(self, real: np.ndarray) -> dict[str, Any]:
        """One step of the discriminator, then one of the generator; the losses of both."""
        losses = {}
        for name, network, optimizer in (
            ("discriminator", self.discriminator, self.optimizers[1]), ("generator", self.generator, self.optimizers[0])
        ):  # fmt: skip
            with tf.GradientTape() as tape:
                made = self.discriminator(self.make(len(real)))
                if name == "generator":
                    loss = ops.mean(ops.softplus(-made))
                else:
                    loss = ops.mean(ops.softplus(made) + ops.softplus(-self.discriminator(real)))
            optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
            losses[name] = loss
        return losses

    def layer_rows(self) -> list[Row]:
        return []

    def begin_epoch(self) -> None:
        """Nothing is carried from batch to batch."""

    def evaluate(self, asked: Sequence[int] = ()) -> Measurement:
        """How far the mean of what is made is from that of the data."""
        made = self.generator(np.random.default_rng(1).normal(size=(64, 2)).astype(np.float32))
        return Measurement(abs(float(ops.mean(made)) - 3))

    def averaged(self) -> dict[str, np.ndarray]:
        return checkpoint.collect(self.generator.trainable_variables, "average")

    def _all(self) -> dict[str, list[Any]]:
        return {
            "generator": self.generator.variables, "discriminator": self.discriminator.variables,
            "noise": [self.noise.state], **{f"adam{k}": one.variables for k, one in enumerate(self.optimizers)},
        }  # fmt: skip

    def arrays(self) -> dict[str, np.ndarray]:
        return {k: v for name, found in self._all().items() for k, v in checkpoint.collect(found, name).items()}

    def restore(self, arrays: dict[str, np.ndarray], path: Path) -> None:
        for name, variables in self._all().items():
            checkpoint.assign(variables, arrays, name, path)
