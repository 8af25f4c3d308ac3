"""How long a training step takes: this workshop, Keras' own LSTM layer, and PyTorch's nn.LSTM.

    python benchmarks/training_speed.py --torch_python PATH_TO_A_PYTHON_WITH_TORCH

The same network (embedding, 2 LSTM layers, softmax over 65 characters), batch 50, sequence 50, gradient clipping and
Adam, measured in turn, each in a process of its own, in one run; about five minutes. The workshop's step also averages
the weights, which the others do not.
"""

import statistics
import sys
import time
from pathlib import Path

import compare
import numpy as np

from workshop.quiet import quietly

with quietly():
    import keras
    import tensorflow as tf
    from keras import ops

    from char_rnn.model import recurrent
    from workshop.run.learner import CLIP_NORM, NextSymbolLearner, cross_entropy

VOCAB, BATCH, STEPS = 65, 50, 50
#: Steps that are not counted.
WARM_UP = 5


class KerasNetwork(keras.Model):
    """The same network with Keras' LSTM layer, called as the others are."""

    def __init__(self, units: int):
        super().__init__()
        self.embedding = keras.layers.Embedding(VOCAB, units)
        self.lstm = [keras.layers.LSTM(units, return_sequences=True, return_state=True) for _ in range(2)]
        self.softmax = keras.layers.Dense(VOCAB)
        self(np.zeros((BATCH, STEPS), np.int32), self.initial_state())

    def initial_state(self) -> list:
        """Zero states."""
        units = self.lstm[0].units
        return [[ops.zeros((BATCH, units)), ops.zeros((BATCH, units))] for _ in self.lstm]

    def call(self, ids, states):
        """Logits [B, T, V] and new states for ids [B, T]."""
        x, new_states = self.embedding(ids), []
        for layer, state in zip(self.lstm, states, strict=True):
            x, *state = layer(x, initial_state=state)
            new_states.append(state)
        return self.softmax(x), new_states


def keras_step(units: int, compiled: bool):
    """A training step of Keras' layers, with XLA or as `model.fit` runs it on a CPU."""
    network = KerasNetwork(units)
    optimizer = keras.optimizers.Adam(0.002, global_clipnorm=CLIP_NORM)
    optimizer.build(network.trainable_variables)

    @tf.function(jit_compile=compiled)
    def step(inputs, targets, states):
        with tf.GradientTape() as tape:
            logits, states = network(inputs, states)
            loss = ops.mean(ops.sparse_categorical_crossentropy(targets, logits, from_logits=True))
        optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return loss, states

    return step, network.initial_state(), (BATCH, STEPS)


def workshop_step(units: int):
    """The workshop's own training step."""
    model, average = (recurrent(VOCAB, units, 2, "lstm", 0.0) for _ in range(2))
    learner = NextSymbolLearner(model, average, cross_entropy, learning_rate=0.002, batch_size=BATCH, held_out=[])
    return lambda inputs, targets, state: (learner.step(inputs, targets), state), (), (STEPS, BATCH)


def measure(contestant: str, units: int, steps: int) -> float:
    """Median milliseconds of a step on random characters: the speed does not depend on them."""
    step, state, shape = CONTESTANTS[contestant](units)
    rng, times = np.random.default_rng(0), []
    for _ in range(WARM_UP + steps):
        inputs, targets = (tf.constant(rng.integers(0, VOCAB, shape), tf.int32) for _ in range(2))
        started = time.perf_counter()
        loss, state = step(inputs, targets, state)
        float(loss)
        times.append(1e3 * (time.perf_counter() - started))
    return statistics.median(times[WARM_UP:])


CONTESTANTS = {
    "workshop": workshop_step,
    "keras": lambda units: keras_step(units, compiled=False),
    "keras_with_xla": lambda units: keras_step(units, compiled=True),
}


def main() -> None:
    """Measure both sizes and print the ratios; or measure one contestant, in the process that this starts for it."""
    parser = compare.parser(__doc__)
    parser.add_argument("--only", nargs=3, metavar=("CONTESTANT", "UNITS", "STEPS"), help="measure this one alone")
    args = parser.parse_args()
    if args.only:
        print(measure(args.only[0], int(args.only[1]), int(args.only[2])))
        return
    here, result = Path(__file__).resolve(), {}
    for units, steps in ((128, 60), (512, 10)):
        contestants = {
            name: lambda name=name: compare.number(sys.executable, here, "--only", name, units, steps)  # noqa: B023
            for name in CONTESTANTS
        }
        torch_script = here.with_name("peers.py")
        contestants["torch"] = lambda: compare.number(args.torch_python, torch_script, "train", units, steps)  # noqa: B023
        milliseconds = compare.in_turn(contestants, args.rounds)
        ratios = {name: milliseconds[name] / milliseconds["workshop"] for name in contestants}
        for name, value in milliseconds.items():
            print(f"2 x {units}, {name}: {value:.1f} ms, {ratios[name]:.2f} times the workshop's", flush=True)
        result[f"2x{units}"] = {"milliseconds": milliseconds, "workshop_is_faster_by": ratios}
    compare.finish(result)


if __name__ == "__main__":
    main()
