"""How long a training step takes: this workshop, Keras' own LSTM layer, and PyTorch's nn.LSTM.

    python benchmarks/training_speed.py --torch_python PATH_TO_A_PYTHON_WITH_TORCH

The same network (embedding, 2 LSTM layers, softmax over 65 characters), batch 50, sequence 50, gradient clipping and
Adam, measured in turn in one run; about five minutes. The workshop's step also averages the weights, which the others
do not.
"""

import statistics
import time

import compare
import numpy as np

from workshop.quiet import quietly

with quietly():
    import keras
    import tensorflow as tf
    from keras import ops

    from char_rnn.model import CharRNN
    from workshop.training import CLIP_NORM, Stepper

VOCAB, BATCH, STEPS = 65, 50, 50


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
    model, average = (CharRNN(VOCAB, units, 2, "lstm", 0.0) for _ in range(2))
    stepper = Stepper(model, average, 0.002)
    return stepper.step, model.initial_state(BATCH), (STEPS, BATCH)


class Contestant:
    """Runs steps on random characters and says how long one takes."""

    def __init__(self, step, state, shape: tuple[int, int], steps: int):
        self._step, self._state, self._shape, self._steps = step, state, shape, steps
        self._rng = np.random.default_rng(0)
        self()

    def __call__(self) -> float:
        """Median milliseconds of a step."""
        times = []
        for _ in range(self._steps):
            inputs, targets = (tf.constant(self._rng.integers(0, VOCAB, self._shape), tf.int32) for _ in range(2))
            started = time.perf_counter()
            loss, self._state = self._step(inputs, targets, self._state)
            float(loss)
            times.append(1e3 * (time.perf_counter() - started))
        return statistics.median(times)


def main() -> None:
    """Measure both sizes and print the ratios."""
    args = compare.parser(__doc__).parse_args()
    torch = compare.Torch(args.torch_python)
    result = {}
    for units, steps in ((128, 30), (512, 6)):
        contestants = {
            "workshop": Contestant(*workshop_step(units), steps),
            "keras": Contestant(*keras_step(units, compiled=False), steps),
            "keras with XLA": Contestant(*keras_step(units, compiled=True), steps),
            "torch": lambda units=units, steps=steps: torch.ask(f"train {units} {steps}"),
        }
        milliseconds = compare.in_turn(contestants, args.rounds)
        ratios = {name: milliseconds[name] / milliseconds["workshop"] for name in contestants}
        print(
            f"2 x {units}: "
            + ", ".join(f"{name} {ms:.1f} ms ({ratios[name]:.2f}x)" for name, ms in milliseconds.items())
        )
        result[f"2x{units}"] = {"milliseconds": milliseconds, "workshop_is_faster_by": ratios}
    torch.close()
    compare.finish(result)


if __name__ == "__main__":
    main()
