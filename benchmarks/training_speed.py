"""How long a training step takes: this workshop, Keras' own recurrent layers, and PyTorch's nn.LSTM or nn.GRU.

    python benchmarks/training_speed.py --torch_python PATH_TO_A_PYTHON_WITH_TORCH

The same network (embedding, recurrent layers, softmax), gradient clipping and Adam, measured in turn, each in a process
of its own, in one run; about ten minutes. The workshop's step also averages the weights, which the others do not. The
networks: 2 LSTM layers over 65 characters, batch 50, sequence 50, and `classic` of lesson 4.
"""

import statistics
import sys
import time
from pathlib import Path
from typing import NamedTuple

import compare
import numpy as np

from workshop.quiet import quietly

with quietly():
    import keras
    import tensorflow as tf
    from keras import ops

    from audio_rnn.model import stacked
    from workshop.run.learner import CLIP_NORM, NextSymbolLearner, cross_entropy

#: Steps that are not counted.
WARM_UP = 5


class Shape(NamedTuple):
    """A network and its batches of sequences."""

    cell: str
    layers: int
    units: int
    vocab: int
    batch: int
    steps: int

    @classmethod
    def read(cls, words: list[str]) -> "Shape":
        """From words of a command line."""
        return cls(words[0], *map(int, words[1:]))


#: What is measured, and so many training steps of each.
SHAPES = {
    "lessons 1 and 2, medium": (Shape("lstm", 2, 128, 65, 50, 50), 60),
    "2 x 512 LSTM": (Shape("lstm", 2, 512, 65, 50, 50), 10),
    "lesson 4, classic": (Shape("gru", 3, 256, 256, 80, 100), 10),
}


class KerasNetwork(keras.Model):
    """The same network with Keras' recurrent layers, called as the others are."""

    def __init__(self, shape: Shape):
        super().__init__()
        kind = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[shape.cell]
        self.embedding = keras.layers.Embedding(shape.vocab, shape.units)
        self.recurrent = [kind(shape.units, return_sequences=True, return_state=True) for _ in range(shape.layers)]
        self.softmax = keras.layers.Dense(shape.vocab)
        self.batch = shape.batch
        self(np.zeros((shape.batch, shape.steps), np.int32), self.initial_state())

    def initial_state(self) -> list:
        """Zero states."""
        return [list(layer.get_initial_state(self.batch)) for layer in self.recurrent]

    def call(self, ids, states):
        """Logits [B, T, V] and new states for ids [B, T]."""
        x, new_states = self.embedding(ids), []
        for layer, state in zip(self.recurrent, states, strict=True):
            x, *state = layer(x, initial_state=state)
            new_states.append(state)
        return self.softmax(x), new_states


def keras_step(shape: Shape, compiled: bool):
    """A training step of Keras' layers, with XLA or as `model.fit` runs it on a CPU."""
    network = KerasNetwork(shape)
    optimizer = keras.optimizers.Adam(0.002, global_clipnorm=CLIP_NORM)
    optimizer.build(network.trainable_variables)

    @tf.function(jit_compile=compiled)
    def step(inputs, targets, states):
        with tf.GradientTape() as tape:
            logits, states = network(inputs, states)
            loss = ops.mean(ops.sparse_categorical_crossentropy(targets, logits, from_logits=True))
        optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return loss, states

    return step, network.initial_state(), (shape.batch, shape.steps)


def workshop_step(shape: Shape):
    """The workshop's own training step."""
    model, average = (stacked(shape.vocab, shape.units, shape.layers, shape.cell, 0.0) for _ in range(2))
    learner = NextSymbolLearner(model, average, cross_entropy, learning_rate=0.002, batch_size=shape.batch, held_out=[])
    return lambda inputs, targets, state: (learner.step(inputs, targets), state), (), (shape.steps, shape.batch)


def measure(contestant: str, shape: Shape, count: int) -> float:
    """Median milliseconds of a step on random symbols: the speed does not depend on them."""
    step, state, size = CONTESTANTS[contestant](shape)
    rng, times = np.random.default_rng(0), []
    for _ in range(WARM_UP + count):
        inputs, targets = (tf.constant(rng.integers(0, shape.vocab, size), tf.int32) for _ in range(2))
        started = time.perf_counter()
        loss, state = step(inputs, targets, state)
        float(loss)
        times.append(1e3 * (time.perf_counter() - started))
    return statistics.median(times[WARM_UP:])


CONTESTANTS = {
    "workshop": workshop_step,
    "keras": lambda shape: keras_step(shape, compiled=False),
    "keras_with_xla": lambda shape: keras_step(shape, compiled=True),
}


def main() -> None:
    """Measure all and print the ratios; or measure one contestant, in the process that this starts for it."""
    parser = compare.parser(__doc__)
    parser.add_argument("--only", nargs="+", metavar="CONTESTANT", help="measure this one alone, of a shape, so often")
    parser.add_argument("--network", choices=SHAPES, action="append", help="one network alone; without it, all")
    args = parser.parse_args()
    if args.only:
        contestant, *shape, count = args.only
        print(measure(contestant, Shape.read(shape), int(count)))
        return
    here, result = Path(__file__).resolve(), {}
    for title in args.network or SHAPES:
        shape, count = SHAPES[title]
        contestants = {
            name: lambda name=name: compare.number(sys.executable, here, "--only", name, *shape, count)  # noqa: B023
            for name in CONTESTANTS
        }
        torch_script = here.with_name("peers.py")
        contestants["torch"] = lambda: compare.number(args.torch_python, torch_script, "train", *shape, count)  # noqa: B023
        milliseconds = compare.in_turn(contestants, args.rounds)
        ratios = {name: milliseconds[name] / milliseconds["workshop"] for name in contestants}
        for name, value in milliseconds.items():
            print(f"{title}, {name}: {value:.1f} ms, {ratios[name]:.2f} times the workshop's", flush=True)
        result[title] = {"milliseconds": milliseconds, "workshop_is_faster_by": ratios}
    compare.finish_speeds(result)


if __name__ == "__main__":
    main()
