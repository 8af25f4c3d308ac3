"""The learner of lesson 6: two networks that are trained against each other, and the average of one of them.

In each step the discriminator learns to tell made pictures from real ones, and the generator to make ones that it takes
for real. The loss of either says nothing of how good the pictures are, for the other one has learnt as well: what is
measured is how far made pictures are from real ones that neither has seen. A running average of the generator's weights
is measured, previewed and sampled from.

B pictures of T frames of D bands, Z latent values.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from spectral_gan import augmentation
from spectral_gan.losses import LOSSES
from spectral_gan.model import Pair
from workshop.networks.layer_table import Row
from workshop.run import checkpoint
from workshop.run.averaging import follow
from workshop.run.learner import Measurement

Tensor = Any

#: The gradient of the discriminator's score for real pictures is measured in one of so many steps (lazy regularisation:
#: Karras et al. 2020, arXiv:1912.04958).
R1_EVERY = 8
#: Pictures that are made together where they are measured.
TOGETHER = 64


class PairLearner:
    """Trains a `Pair`.

    Args:
        pair: the networks that learn.
        average: others of the same shape, which get their weights; its generator gets their running average.
        loss: a name in `LOSSES`.
        r1: how much the discriminator is kept from being steep where the data is (Mescheder et al. 2018,
            arXiv:1801.04406); 0 for not at all.
        is_augmented: whether it sees pictures that are changed at random.
        learning_rate: Adam's step size.
        momentum: Adam's beta 1.
        latents: [N, Z] of the pictures that are measured.
        judge: makes a measurement of the pictures [N, T, D] that the average makes of them.
    """

    #: What is measured is a distance.
    in_nats = False

    def __init__(
        self, pair: Pair, average: Pair, *, loss: str, r1: float, is_augmented: bool, learning_rate: float,
        momentum: float, latents: np.ndarray, judge: Callable[[np.ndarray], Measurement],
    ):  # fmt: skip
        self.pair, self.average, self.learning_rate = pair, average, learning_rate
        self._loss, self._r1, self._is_augmented = LOSSES[loss], r1, is_augmented
        self._latents, self._judge = latents, judge
        networks = (pair.generator, pair.discriminator)
        self.optimizers = [keras.optimizers.Adam(learning_rate, momentum, 0.99) for _ in networks]
        for optimizer, network in zip(self.optimizers, networks, strict=True):
            optimizer.build(network.trainable_variables)
        checkpoint.copy_weights(pair, average)
        average.copy_statistics(pair)
        self.steps = 0
        self._tell: Callable = tf.function(self._discriminator_step, autograph=False)
        self._fool: Callable = tf.function(self._generator_step, autograph=False)
        self._flatten: Callable = tf.function(self._penalty_step, autograph=False)
        self._follow: Callable = tf.function(self._average_weights, autograph=False)
        self._made: Callable = tf.function(lambda latents: self.average.generator(latents), autograph=False)

    # ---- the parts of a training step --------------------------------------------------------------------------------

    def train_discriminator(self, pictures: np.ndarray, draws: np.ndarray) -> Tensor:
        """Let the discriminator tell real pictures from made ones a little better; returns its loss.

        Args:
            pictures: real ones [B, T, D].
            draws: the random numbers of this step [B, 1, n], see `dataset.LoopBatches`.
        """
        real, random = tf.constant(pictures), tf.constant(draws[:, 0])
        if self._r1 and self.steps % R1_EVERY == 0:
            self._flatten(real, random)
        return self._tell(real, random)

    def train_generator(self, pictures: np.ndarray, draws: np.ndarray) -> Tensor:
        """Let the generator make pictures that the discriminator finds more real; returns its loss. The arguments are
        those of `train_discriminator`.
        """
        self.steps += 1
        return self._fool(tf.constant(pictures), tf.constant(draws[:, 0]))

    def update_average(self) -> None:
        """Let the averaged weights follow those that learn."""
        self._follow()

    def _parts(self, random: Tensor) -> tuple[Tensor, ...]:
        """Latents [B, Z] of the discriminator's step, those of the generator's, and what decides changes [B, DRAWS]."""
        size = self.pair.shape.latent
        return random[:, :size], random[:, size : 2 * size], random[:, 2 * size :]

    def _score(self, pictures: Tensor, changes: Tensor) -> Tensor:
        """How real pictures [B, T, D] look, [B]."""
        seen = augmentation.augmented(pictures, changes) if self._is_augmented else pictures
        return self.pair.discriminator(seen, training=True)[:, 0]

    def _discriminator_step(self, real: Tensor, random: Tensor) -> Tensor:
        latents, _, changes = self._parts(random)
        made = self.pair.generator(latents, training=True)
        with tf.GradientTape() as tape:
            scores = self._score(real, changes), self._score(made, changes)
            loss = ops.mean(self._loss.discriminator(*scores))
        self._descend(1, tape, loss, self.pair.discriminator)
        return loss

    def _generator_step(self, real: Tensor, random: Tensor) -> Tensor:
        _, latents, changes = self._parts(random)
        scored = self._score(real, changes) if self._loss.uses_real else ops.zeros((real.shape[0],))
        with tf.GradientTape() as tape:
            made = self._score(self.pair.generator(latents, training=True), changes)
            loss = ops.mean(self._loss.generator(scored, made))
        self._descend(0, tape, loss, self.pair.generator)
        return loss

    def _penalty_step(self, real: Tensor, random: Tensor) -> None:
        """Half the squared length of the gradient of the scores of real pictures, times `r1`."""
        changes = self._parts(random)[2]
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(real)
                scores = ops.sum(self._score(real, changes))
            slope = ops.mean(ops.sum(ops.square(inner.gradient(scores, real)), axis=(1, 2)))
            loss = R1_EVERY * self._r1 / 2 * slope
        self._descend(1, outer, loss, self.pair.discriminator)

    def _descend(self, number: int, tape: Any, loss: Tensor, network: keras.Model) -> None:
        """A step of Adam (Kingma and Ba 2015) against the gradients of a loss."""
        weights = network.trainable_variables
        found = tape.gradient(loss, weights)
        # A bias that all scores have in common has no part in their differences.
        gradients = [ops.zeros_like(weight) if one is None else one for one, weight in zip(found, weights, strict=True)]
        self.optimizers[number].apply(gradients, weights)

    def _average_weights(self) -> None:
        steps = ops.cast(self.optimizers[0].iterations, "float32")
        follow(self.average.generator.trainable_variables, self.pair.generator.trainable_variables, steps)

    # ---- what a session asks for -------------------------------------------------------------------------------------

    def layer_rows(self) -> Sequence[Row]:
        """The layers of both networks."""
        return self.pair.layer_rows()

    def begin_epoch(self) -> None:
        """Nothing is carried from batch to batch."""

    def make(self, latents: np.ndarray) -> np.ndarray:
        """Pictures float32 [N, T, D] of latents [N, Z], by the averaged generator."""
        self.average.copy_statistics(self.pair)
        parts = [self._made(tf.constant(latents[at : at + TOGETHER])) for at in range(0, len(latents), TOGETHER)]
        return np.concatenate([np.asarray(part) for part in parts])

    def evaluate(self, asked: Sequence[int] = ()) -> Measurement:
        """How far pictures that the averaged generator makes are from those that are held out.

        Args:
            asked: signals that came.

        Raises:
            KeyboardInterrupt: there is a signal in `asked`.
        """
        if asked:
            raise KeyboardInterrupt
        return self._judge(self.make(self._latents))

    def averaged(self) -> dict[str, np.ndarray]:
        """The weights to generate with, and those of the discriminator, without which nobody could go on from them."""
        checkpoint.copy_weights(self.pair.discriminator, self.average.discriminator)
        self.average.copy_statistics(self.pair)
        weights = checkpoint.collect(self.average.trainable_variables, "average")
        return weights | checkpoint.collect(self.average.statistics, "statistics")

    def arrays(self) -> dict[str, np.ndarray]:
        """What training goes on from besides `averaged`, by name."""
        arrays = checkpoint.collect(self.pair.variables, "model")
        for number, optimizer in enumerate(self.optimizers):
            arrays |= checkpoint.collect(optimizer.variables, f"optimizer{number}")
        return arrays

    def restore(self, arrays: dict[str, np.ndarray], path: Path) -> None:
        """Go back to what `arrays` and `averaged` gave, from the checkpoint `path`; with the learning rate of now.

        Raises:
            UserError: they do not fit.
        """
        checkpoint.assign(self.pair.variables, arrays, "model", path)
        checkpoint.assign(self.average.trainable_variables, arrays, "average", path)
        checkpoint.assign(self.average.statistics, arrays, "statistics", path)
        for number, optimizer in enumerate(self.optimizers):
            checkpoint.assign(optimizer.variables, arrays, f"optimizer{number}", path)
            optimizer.learning_rate = self.learning_rate
        self.steps = int(self.optimizers[0].iterations)
