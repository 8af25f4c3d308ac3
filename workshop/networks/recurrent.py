"""Recurrent layers that train fast on a CPU, with the state handed in and out.

A recurrent layer spends its time in matrix products. Keras' own layers multiply the inputs and gather the weight
gradients step by step; here the inputs of all steps are projected in one product before the scan, and the weight
gradients are formed in one product after the backward scan, so that only the product with the previous state is left
inside the loops. Inside a function compiled with XLA this is about twice as fast. The weights are those of Keras'
layers, in their order, and on a GPU Keras' layers run themselves, because cuDNN is faster there.

Arrays are time-major: T steps, B sequences, D inputs, H units; G is the number of gates (4 for an LSTM, 3 for a GRU, 1
for a plain RNN).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

Tensor = Any
State = tuple[Tensor, ...]

#: Up to this many symbols the gradient of a table lookup is faster as a product with a one-hot matrix than as a
#: scatter.
_ONE_HOT_LIMIT = 512


@dataclass(frozen=True)
class Cell:
    """The arithmetic of one kind of recurrent cell, apart from its matrix products.

    Attributes:
        layer: Keras' layer with the same weights and the same result.
        states: tensors [B, H] in the state; the first is the output.
        step: (state, x [B, G*H] projected input, u [B, G*H] projected state) -> (new state, what `factors` needs).
        factors: (everything saved, states before each step) -> factors by which `back` multiplies; computed for all
            steps at once.
        back: (gradient of the new state, factors of the step) -> (gradient of u, gradient of the old state but for its
            part through u).
        input_gradient: (gradients of u, factors, gradients of the outputs) -> gradients of x, for all steps at once.
    """

    layer: type[keras.layers.Layer]
    states: int
    step: Callable
    factors: Callable
    back: Callable
    input_gradient: Callable


def _lstm_step(state: State, x: Tensor, u: Tensor) -> tuple[State, tuple]:
    _, c = state
    i, f, g, o = ops.split(x + u, 4, axis=-1)
    i, f, g, o = ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o)
    c = f * c + i * g
    return (o * ops.tanh(c), c), (i, f, g, o)


def _lstm_factors(saved: tuple, before: State, after: State) -> tuple:
    i, f, g, o = saved
    tanh_c = ops.tanh(after[1])
    gates = ops.concatenate([g * i * (1 - i), before[1] * f * (1 - f), i * (1 - g * g), tanh_c * o * (1 - o)], axis=-1)
    return gates, o * (1 - tanh_c * tanh_c), f


def _lstm_back(gradient: State, factors: tuple) -> tuple[Tensor, State]:
    dh, dc = gradient
    gates, through_output, f = factors
    dc = dc + dh * through_output
    return gates * ops.concatenate([dc, dc, dc, dh], axis=-1), (ops.zeros_like(dh), dc * f)


def _gru_step(state: State, x: Tensor, u: Tensor) -> tuple[State, tuple]:
    (h,) = state
    xz, xr, xn = ops.split(x, 3, axis=-1)
    uz, ur, un = ops.split(u, 3, axis=-1)
    z, r = ops.sigmoid(xz + uz), ops.sigmoid(xr + ur)
    n = ops.tanh(xn + r * un)
    return (z * h + (1 - z) * n,), (z, r, n, un)


def _gru_factors(saved: tuple, before: State, after: State) -> tuple:
    z, r, n, un = saved
    into_n = (1 - z) * (1 - n * n)
    gates = ops.concatenate([(before[0] - n) * z * (1 - z), into_n * un * r * (1 - r), into_n * r], axis=-1)
    return gates, z, into_n


def _gru_back(gradient: State, factors: tuple) -> tuple[Tensor, State]:
    (dh,) = gradient
    gates, z, _ = factors
    return gates * ops.concatenate([dh, dh, dh], axis=-1), (dh * z,)


def _gru_input_gradient(du: Tensor, factors: tuple, dh: Tensor) -> Tensor:
    units = dh.shape[-1]
    return ops.concatenate([du[..., : 2 * units], dh * factors[2]], axis=-1)


def _rnn_step(state: State, x: Tensor, u: Tensor) -> tuple[State, tuple]:
    return (ops.tanh(x + u),), ()


def _rnn_factors(saved: tuple, before: State, after: State) -> tuple:
    return (1 - after[0] * after[0],)


def _rnn_back(gradient: State, factors: tuple) -> tuple[Tensor, State]:
    (dh,) = gradient
    return dh * factors[0], (ops.zeros_like(dh),)


def _same_as_state_gradient(du: Tensor, factors: tuple, dh: Tensor) -> Tensor:
    return du


#: The kinds of cell by the name that `--cell` takes.
CELLS = {
    "lstm": Cell(keras.layers.LSTM, 2, _lstm_step, _lstm_factors, _lstm_back, _same_as_state_gradient),
    "gru": Cell(keras.layers.GRU, 1, _gru_step, _gru_factors, _gru_back, _gru_input_gradient),
    "rnn": Cell(keras.layers.SimpleRNN, 1, _rnn_step, _rnn_factors, _rnn_back, _same_as_state_gradient),
}


def _shifted(initial: Tensor, sequence: Tensor) -> Tensor:
    """The states before each step: `initial` [B, H] and all of `sequence` [T, B, H] but the last."""
    return ops.concatenate([initial[None], sequence[:-1]], axis=0)


def _loop(step: Callable, carry: tuple, sequences: Any, reverse: bool = False) -> tuple[tuple, Any]:
    """Carry a state through sequences [T, ...] and stack what each step gives, as `jax.lax.scan` does.

    Keras' own `ops.scan` wants outputs of the same structure as the carry on TensorFlow. The first step runs outside of
    the loop, because the loop's buffers need the shapes of its outputs.
    """
    length = keras.tree.flatten(sequences)[0].shape[0]
    first = length - 1 if reverse else 0

    def at(index: Any) -> Any:
        return keras.tree.map_structure(lambda sequence: sequence[index], sequences)

    def put(buffer: Tensor, value: Tensor, index: Any) -> Tensor:
        return ops.slice_update(buffer, (index, *[0] * len(value.shape)), value[None])

    carry, outputs = step(carry, at(first))
    structure, flat = outputs, keras.tree.flatten(outputs)
    buffers = [put(ops.zeros((length, *value.shape), dtype=value.dtype), value, first) for value in flat]

    def body(count: Any, carry: tuple, buffers: list) -> tuple:
        index = length - 1 - count if reverse else count
        carry, outputs = step(carry, at(index))
        return count + 1, carry, [put(b, v, index) for b, v in zip(buffers, keras.tree.flatten(outputs), strict=True)]

    _, carry, buffers = ops.while_loop(lambda count, *_: count < length, body, (1, carry, buffers))
    return carry, keras.tree.pack_sequence_as(structure, buffers)


def scan(cell: Cell, x: Tensor, kernel: Tensor, bias: Tensor, state: State) -> tuple[Tensor, State]:
    """Run a cell over a sequence, with the weight gradient formed in one product after the backward scan.

    Args:
        cell: one of `CELLS`.
        x: projected inputs [T, B, G*H].
        kernel: recurrent weights [H, G*H].
        bias: recurrent bias [G*H] (zeros for a cell that has none).
        state: the cell's states before the first step, each [B, H].

    Returns:
        outputs [T, B, H] and the states after the last step, each [B, H].
    """

    @ops.custom_gradient
    def run(x: Tensor, kernel: Tensor, bias: Tensor, *state: Tensor) -> tuple:
        def forward(carry: State, x_t: Tensor) -> tuple:
            new, saved = cell.step(carry, x_t, ops.matmul(carry[0], kernel) + bias)
            return new, (new, saved)

        last, (after, saved) = _loop(forward, tuple(state), x)

        def gradient(*upstream: Any) -> tuple:
            d_outputs, *d_last = upstream[0] if len(upstream) == 1 else upstream  # JAX hands over one tuple
            before = tuple(_shifted(first, sequence) for first, sequence in zip(state, after, strict=True))
            factors = cell.factors(saved, before, after)
            transposed = ops.transpose(kernel)

            def backward(carry: State, step: tuple) -> tuple:
                d_output, step_factors = step
                d_new = (carry[0] + d_output, *carry[1:])
                du, d_old = cell.back(d_new, step_factors)
                return (d_old[0] + ops.matmul(du, transposed), *d_old[1:]), (du, d_new[0])

            d_first, (du, dh) = _loop(backward, tuple(d_last), (d_outputs, factors), reverse=True)
            steps, batch, width = du.shape
            flat = ops.reshape(du, (steps * batch, width))
            d_kernel = ops.matmul(ops.transpose(ops.reshape(before[0], (steps * batch, -1))), flat)
            return cell.input_gradient(du, factors, dh), d_kernel, ops.sum(flat, axis=0), *d_first

        return (after[0], *last), gradient

    outputs, *last = run(x, kernel, bias, *state)
    return outputs, tuple(last)


def look_up(table: Tensor, ids: Tensor) -> Tensor:
    """Rows of `table` [V, D] for `ids` [T, B]: [T, B, D], with a gradient that is fast on a CPU for a small V."""
    if table.shape[0] > _ONE_HOT_LIMIT:
        return ops.take(table, ids, axis=0)

    @ops.custom_gradient
    def run(table: Tensor) -> tuple:
        def gradient(upstream: Tensor) -> Tensor:
            hot = ops.one_hot(ops.reshape(ids, (-1,)), table.shape[0], dtype=upstream.dtype)
            return ops.matmul(ops.transpose(hot), ops.reshape(upstream, (-1, table.shape[1])))

        return ops.take(table, ids, axis=0), gradient

    return run(ops.convert_to_tensor(table))


def seeds_of_weights(seed: int | tuple[int, ...]) -> Iterator[int]:
    """Seeds of the first weights, one for each array: a layer without one would follow Keras' global seed instead."""
    rng = np.random.default_rng(seed)
    while True:
        yield int(rng.integers(1 << 31))


def on_gpu() -> bool:
    """Whether TensorFlow will run on a GPU, where Keras' layers use cuDNN."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return bool(tf.config.list_logical_devices("GPU"))


def first_weights(draws: Iterator[int]) -> dict[str, Any]:
    """The arguments of a recurrent layer that start its weights and its random state from `draws`."""
    return {
        "seed": next(draws),
        "kernel_initializer": keras.initializers.GlorotUniform(seed=next(draws)),
        "recurrent_initializer": keras.initializers.Orthogonal(seed=next(draws)),
    }


#: The arguments for which the engine computes what Keras' layer does. Those that only start or regularise weights, and
#: those of which there is one way to compute the same (`unroll`, `implementation`), may be anything.
_EXPECTED = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "use_bias": True,
    "dropout": 0,
    "recurrent_dropout": 0,
    "reset_after": True,
    "go_backwards": False,
    "stateful": False,
    "return_sequences": True,
    "return_state": True,
}


def cell_of(layer: keras.layers.Layer) -> Cell | None:
    """The cell that computes what a layer of Keras does, or None where there is none: `unfit` says why."""
    return None if unfit(layer) else next(cell for cell in CELLS.values() if type(layer) is cell.layer)


def unfit(layer: keras.layers.Layer) -> str:
    """Why the engine cannot run a recurrent layer, as the end of a sentence; empty where it can."""
    if type(layer) not in [cell.layer for cell in CELLS.values()]:
        return f"{layer.name} is a {type(layer).__name__}"
    config = layer.get_config()
    for name, expected in _EXPECTED.items():
        if name in config and config[name] != expected:
            return f"{layer.name} has {name}={config[name]!r}"
    return ""


def weights_of(layer: keras.layers.Layer) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Kernel [D, G*H], its bias, recurrent kernel [H, G*H] and its bias of a layer, as tensors."""
    # Copied, because outside of a compiled function TensorFlow would take the variables themselves for inputs of the
    # custom gradient.
    kernel, recurrent, bias = map(ops.copy, (layer.cell.kernel, layer.cell.recurrent_kernel, layer.cell.bias))
    if len(bias.shape) == 2:  # a GRU has a bias on either side
        return kernel, bias[0], recurrent, bias[1]
    return kernel, bias, recurrent, ops.zeros_like(bias)


def run_layer(
    cell: Cell, layer: keras.layers.Layer, x: Tensor, state: State, table: Tensor | None = None,
    offset: Tensor | None = None,
) -> tuple[Tensor, State]:  # fmt: skip
    """Outputs [T, B, H] and the new state of a layer for features x [T, B, D]; or for symbols x [T, B] and the table
    [V, D] of the embedding below it. To the features `offset` [B, D] is added.
    """
    kernel, bias, recurrent, recurrent_bias = weights_of(layer)
    if table is not None:
        # Each symbol is projected once, not each of its occurrences.
        projected = look_up(ops.matmul(table, kernel) + bias, x)
    else:
        steps, batch, width = x.shape
        projected = ops.matmul(ops.reshape(x, (steps * batch, width)), kernel) + bias
        projected = ops.reshape(projected, (steps, batch, -1))
    if offset is not None:
        projected = projected + ops.matmul(offset, kernel)  # once a sequence, not once a step
    return scan(cell, projected, recurrent, recurrent_bias, state)
