"""A learner for networks that predict what comes next: gradients, a step of Adam, averaged weights, held-out loss.

It trains any model with `initial_state(B)` and `call(x, state, training) -> (predictions, state)`, on batches of
inputs x and targets [T, B, ...]; x is one array or a tuple of them, B being the last dimension of each. Symbols are
predicted by logits [T, B, V]. A second network of
the same shape holds the running average of the weights (Polyak and Juditsky 1992), which is measured, previewed and
sampled from. The average makes a schedule of learning rates unnecessary, so that going on with a run later, for longer
than was planned, is the same as having planned it.
"""

import abc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from workshop.networks.layer_table import Row
from workshop.run import checkpoint
from workshop.run.averaging import follow
from workshop.run.team import Team, check_divisible

Tensor = Any

#: Gradients longer than this are shortened to it.
CLIP_NORM = 5.0


@dataclass(frozen=True)
class Measurement:
    """What a learner makes of the held-out data.

    Attributes:
        loss: the lower, the better; in nats where the learner predicts probabilities.
        more: further numbers for TensorBoard, by name.
        remarks: what a person should know of it, a sentence each.
    """

    loss: float
    more: dict[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """The loss of each prediction in nats [T, B]: -ln p of the symbol in `targets` [T, B], for `logits` [T, B, V]."""
    return ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)


class WindowLearner(abc.ABC):
    """Trains a network to predict the next of what its windows hold, and measures its average.

    On a CPU the sequences of a batch are trained on in two halves at the same time: the small products inside the
    loops of a recurrent layer keep only one core busy, so two loops side by side take the time of one.

    Args:
        model: the network that learns.
        average: a network of the same shape; gets the weights of `model`, and from then on their running average.
        loss: (predictions, targets [T, B, ...]) -> the loss of each prediction [T, B], whose mean is minimised.
        learning_rate: Adam's step size.
        batch_size: B, for the recurrent state that is carried from batch to batch.
        held_out: gives (inputs, targets, weights [T, B]) of the batches to measure with, the same each time.
        l2: adds l2 / 2 * sum(kernel ** 2) to the loss that is minimised; biases are not penalised.
    """

    #: The loss is in nats, so it has a meaning in bits as well.
    in_nats = True

    def __init__(
        self, model: keras.Model, average: keras.Model, loss: Callable[[Tensor, Tensor], Tensor], *,
        learning_rate: float, batch_size: int, held_out: Iterable[tuple[Any, np.ndarray, np.ndarray]], l2: float = 0.0,
    ):  # fmt: skip
        self.model, self.average, self.held_out = model, average, held_out
        self._loss, self._l2, self._batch_size = loss, l2, batch_size
        self.learning_rate = learning_rate
        self._team = Team()
        self.optimizer = keras.optimizers.Adam(learning_rate, global_clipnorm=CLIP_NORM)
        self.optimizer.build(model.trainable_variables)
        checkpoint.copy_weights(model, average)
        #: What the recurrent layers remember of the batches so far.
        self.state = model.initial_state(batch_size)
        # XLA compiles the loops of the recurrent layers on a CPU; cuDNN, which runs them on a GPU, cannot be compiled
        # by it.
        on_cpu = not tf.config.list_logical_devices("GPU")
        self._shards = self._most_shards = 2 if on_cpu else 1
        self._shard: Callable = tf.function(self._shard_gradients, jit_compile=on_cpu, autograph=False)
        self._batch: Callable = tf.function(self._batch_gradients, autograph=False)
        self._batch_in_turn: Callable = tf.function(partial(self._batch_gradients, in_turn=True), autograph=False)
        #: Of the batches so far.
        self._shapes: set[tuple[int, ...]] = set()
        self._descend: Callable = tf.function(self._apply, jit_compile=on_cpu, autograph=False)
        self._follow: Callable = tf.function(self._average_weights, jit_compile=on_cpu, autograph=False)
        self._held_out_loss: Callable = tf.function(self._measure, jit_compile=on_cpu, autograph=False)

    # ---- the parts of a training step --------------------------------------------------------------------------------

    def gradients(self, inputs: Any, targets: np.ndarray) -> tuple[Tensor, list[Tensor]]:
        """The mean loss of a batch, and how it changes with each weight; the state is carried on.

        Args:
            inputs: x, each array [..., B].
            targets: what is right [T, B, ...].
        """
        # TensorFlow has been seen to crash, though seldom, where two shards want the same program to be compiled: those
        # of the first batch of a shape are computed one after the other.
        is_compiled = self._shards == 1 or targets.shape in self._shapes
        batch = self._batch if is_compiled else self._batch_in_turn
        loss, gradients, self.state = batch(_tensors(inputs), tf.constant(targets), self.state)
        self._shapes.add(targets.shape)
        return self._team.mean(loss, gradients)

    def descend(self, gradients: Sequence[Tensor]) -> None:
        """A step of Adam (Kingma and Ba 2015) against the gradients."""
        self._descend(list(gradients))

    def update_average(self) -> None:
        """Let the averaged weights follow those that learn."""
        self._follow()

    def step(self, inputs: Any, targets: np.ndarray) -> Tensor:
        """A whole training step on a batch, as the loop in `train.py` takes it part by part; returns the loss."""
        loss, gradients = self.gradients(inputs, targets)
        self.descend(gradients)
        self.update_average()
        return loss

    def _batch_gradients(
        self, inputs: Any, targets: Tensor, state: Any, in_turn: bool = False
    ) -> tuple[Tensor, list[Tensor], Any]:
        # Read once and handed over as tensors, so that TensorFlow sees that the shards do not wait for one another.
        weights = [tf.convert_to_tensor(weight.value) for weight in self.model.trainable_variables]
        randomness = [tf.convert_to_tensor(variable.value) for variable in self.model.non_trainable_variables]
        shards: list[Any] = []
        for shard, parts in enumerate(self._split(inputs, targets, state), self._team.rank * self._shards):
            with tf.control_dependencies([loss for loss, *_ in shards] if in_turn else []):
                shards.append(self._shard(weights, [value + shard for value in randomness], *parts))
        losses, gradients, states, new_randomness = zip(*shards, strict=True)
        first = self._team.rank * self._shards
        for variable, value in zip(self.model.non_trainable_variables, new_randomness[0], strict=True):
            variable.assign(value - first)
        count = tf.cast(tf.reduce_prod(tf.shape(targets)[:2]), tf.float32)
        means = [tf.add_n(parts) / count for parts in zip(*gradients, strict=True)]
        state = keras.tree.map_structure(lambda *parts: tf.concat(parts, axis=0), *states)
        return tf.add_n(losses) / count, means, state

    def _split(self, inputs: Any, targets: Tensor, state: Any) -> list[tuple[Any, Tensor, Any]]:
        """Inputs, targets and state of each shard: the sequences of a batch in parts of about the same number."""
        batch_size = targets.shape[1]
        ends = [batch_size * shard // self._shards for shard in range(self._shards + 1)]
        parts = [slice(start, end) for start, end in pairwise(ends) if end > start]
        return [
            (
                keras.tree.map_structure(lambda value, part=part: value[..., part], inputs),
                targets[:, part],
                keras.tree.map_structure(lambda value, part=part: value[part], state),
            )
            for part in parts
        ]

    def _shard_gradients(
        self, weights: list[Tensor], randomness: list[Tensor], inputs: Any, targets: Tensor, state: Any
    ) -> tuple[Tensor, list[Tensor], Any, list[Tensor]]:
        """Sum of the losses of windows [T, B], its gradients, the state after them, and the next random state."""
        with tf.GradientTape() as tape:
            tape.watch(weights)
            found, randomness = self.model.stateless_call(weights, randomness, inputs, state, training=True)
            predictions, state = found
            loss = ops.sum(self._loss(predictions, targets))
        return loss, tape.gradient(loss, weights), state, randomness

    def _apply(self, gradients: list[Tensor]) -> None:
        weights = self.model.trainable_variables
        if self._l2:
            gradients = [g + self._l2 * w if len(w.shape) > 1 else g for g, w in zip(gradients, weights, strict=True)]
        self.optimizer.apply(gradients, weights)

    def _average_weights(self) -> None:
        steps = ops.cast(self.optimizer.iterations, "float32")
        follow(self.average.trainable_variables, self.model.trainable_variables, steps)

    def join(self, team: Team) -> None:
        """Train as one of several workers from now on, on a part of each batch, with the leader's weights and a random
        state of one's own.

        Raises:
            UserError: a batch cannot be divided among them.
        """
        check_divisible(self._batch_size, team.size)
        self._team, self._batch_size = team, self._batch_size // team.size
        self._shards = max(1, self._most_shards // team.size)
        self.begin_epoch()
        weights = [*self.model.trainable_variables, *self.average.trainable_variables]
        for variable, value in zip(weights, team.shared(weights), strict=True):
            variable.assign(value)

    # ---- what a session asks for -------------------------------------------------------------------------------------

    def layer_rows(self) -> Sequence[Row]:
        """The layers of the network, from input to output."""
        rows: Sequence[Row] = self.model.layer_rows()
        return rows

    def begin_epoch(self) -> None:
        """Forget what was read: an epoch begins in another place of the data."""
        self.state = self.model.initial_state(self._batch_size)

    def evaluate(self, asked: Sequence[int] = ()) -> Measurement:
        """Mean loss of the averaged network on the held-out data, with the state carried through.

        Args:
            asked: signals that came; the measurement ends as soon as there is one.

        Raises:
            KeyboardInterrupt: there is a signal in `asked`.
        """
        total = count = 0.0
        sums: dict[str, float] = {}
        state = None
        for inputs, targets, counted in self.held_out:
            if asked:
                raise KeyboardInterrupt
            state = self.average.initial_state(targets.shape[1]) if state is None else state
            loss, more, state = self._held_out_loss(_tensors(inputs), tf.constant(targets), tf.constant(counted), state)
            total += float(loss)
            for name, value in more.items():
                sums[name] = sums.get(name, 0.0) + float(value)
            count += float(counted.sum())
        return Measurement(total / count, {name: value / count for name, value in sums.items()})

    def _measure(self, inputs: Any, targets: Tensor, counted: Tensor, state: Any) -> tuple[Tensor, Any, Any]:
        """Sums over windows [T, B], each prediction times `counted` [T, B]: of the losses, and by name of what else is
        measured; and the state after them.
        """
        predictions, state = self.average(inputs, state, training=False)
        more = {name: ops.sum(counted * value) for name, value in self.measures(predictions, targets).items()}
        return ops.sum(counted * self.held_out_loss(predictions, targets)), more, state

    @abc.abstractmethod
    def held_out_loss(self, predictions: Any, targets: Tensor) -> Tensor:
        """The loss of each prediction [T, B] as the held-out data are measured."""

    def measures(self, predictions: Any, targets: Tensor) -> dict[str, Tensor]:
        """What else is measured of each prediction [T, B], by the name of its chart."""
        return {}

    def averaged(self) -> dict[str, np.ndarray]:
        """The weights to generate with, by name."""
        return checkpoint.collect(self.average.trainable_variables, "average")

    def arrays(self) -> dict[str, np.ndarray]:
        """What training goes on from besides `averaged`, by name: weights, random state, optimiser, recurrent state."""
        arrays = checkpoint.collect(self.model.variables, "model")
        arrays |= checkpoint.collect(self.optimizer.variables, "optimizer")
        return arrays | checkpoint.collect(self._team.gathered(keras.tree.flatten(self.state)), "state")

    def restore(self, arrays: dict[str, np.ndarray], path: Path) -> None:
        """Go back to `arrays`; the learning rate stays the one that was asked for.

        Args:
            arrays: as `arrays` and `averaged` gave them.
            path: the checkpoint that they are from, for what an error says.

        Raises:
            UserError: they do not fit.
        """
        checkpoint.assign(self.model.variables, arrays, "model", path)
        checkpoint.assign(self.average.trainable_variables, arrays, "average", path)
        checkpoint.assign(self.optimizer.variables, arrays, "optimizer", path)
        self.optimizer.learning_rate = self.learning_rate
        whole = keras.tree.flatten(self.model.initial_state(self._batch_size * self._team.size))
        flat = [self._team.own(value) for value in checkpoint.fitting(whole, arrays, "state", path)]
        self.state = keras.tree.pack_sequence_as(self.state, [tf.constant(value) for value in flat])


class NextSymbolLearner(WindowLearner):
    """Predicts the next symbol: the loss on held-out data is the cross-entropy, whatever loss is minimised, and what
    share of the symbols were the likeliest ones is measured as well.
    """

    def held_out_loss(self, predictions: Any, targets: Tensor) -> Tensor:
        """Nats per symbol [T, B] for `predictions`, the logits [T, B, V]."""
        return cross_entropy(predictions, targets)

    def measures(self, predictions: Any, targets: Tensor) -> dict[str, Tensor]:
        """Which of the symbols are the likeliest ones, 1 or 0."""
        right = ops.argmax(predictions, axis=-1) == ops.cast(targets, "int32")
        return {"accuracy": ops.cast(right, "float32")}


def _tensors(inputs: Any) -> Any:
    return keras.tree.map_structure(tf.constant, inputs)
