"""One step of a stack of GRUs after the other, on a CPU: symbols in, symbols out.

Of a layer's two products, that with its own last output does not have to wait for the next symbol. With one stream and
a second core, that core makes these products, of each layer as soon as its output is there, while the first core makes
the others; so each of them reads half of the weights, which is what a single stream spends its time with.

B streams, H units, L layers, V symbols. The gates are those of Keras' layer: update, reset, new, in this order.
"""

from typing import NamedTuple

import numpy as np

from workshop.networks.activations import tanh
from workshop.networks.compiled_draw import draw
from workshop.networks.compiling import compiled
from workshop.networks.products import add_product
from workshop.networks.second_core import AWAY, IDLE, give, is_done, next_job, report


class Weights(NamedTuple):
    """The weights of a network, float32, with matrices ordered and biases filled as `products.py` says; the matrices in
    half precision where that is asked for.

    Attributes:
        table: [V, 3 * H] what the first layer makes of each symbol.
        kernels: L matrices [H, 3 * H] for the output of the layer below; the first is not used.
        biases: [L, 3 * H] of these.
        recurrent: L matrices [H, 3 * H] for a layer's own last output.
        recurrent_biases: [L, 3 * H] of these.
        output: one matrix [H, V].
        output_bias: [V].
    """

    table: np.ndarray
    kernels: np.ndarray
    biases: np.ndarray
    recurrent: np.ndarray
    recurrent_biases: np.ndarray
    output: np.ndarray
    output_bias: np.ndarray


class State(NamedTuple):
    """What the network remembers of B streams.

    Attributes:
        h: float32 [L, B, H], the last output of each layer.
        symbols: int64 [B], the last symbols, which it has not read yet.
    """

    h: np.ndarray
    symbols: np.ndarray


class Work(NamedTuple):
    """What a step makes on its way, float32.

    Attributes:
        x: [B, 3 * H] what a layer makes of the one below.
        u: [B, 3 * H] what it makes of its own last output.
        logits: [B, V] of the next symbol.
        helped: [L, B, 3 * H] the same as u, by the second core.
        jobs: int64 [L]: the job in which the second core does that for the next step; AWAY for none.
        signals: int64 [32] between the two cores.
    """

    x: np.ndarray
    u: np.ndarray
    logits: np.ndarray
    helped: np.ndarray
    jobs: np.ndarray
    signals: np.ndarray


@compiled(fastmath=True)
def _gates(x: np.ndarray, u: np.ndarray, h: np.ndarray) -> None:
    """Replace the outputs h [B, H] of a layer by the next ones."""
    half, units = np.float32(0.5), h.shape[1]
    for b in range(h.shape[0]):
        xz, xr, xn = x[b, :units], x[b, units : 2 * units], x[b, 2 * units : 3 * units]
        uz, ur, un = u[b, :units], u[b, units : 2 * units], u[b, 2 * units : 3 * units]
        out = h[b]
        for j in range(units):
            above, below = tanh(half * (xr[j] + ur[j]))
            reset = half + half * above / below
            above, below = tanh(xn[j] + reset * un[j])
            new = above / below
            above, below = tanh(half * (xz[j] + uz[j]))
            out[j] = new + (half + half * above / below) * (out[j] - new)


@compiled
def _recurrent(weights: Weights, state: State, layer: int, out: np.ndarray) -> None:
    """Fill out [B, 3 * H] with what a layer makes of its own last output."""
    bias, (_, streams, units) = weights.recurrent_biases[layer], state.h.shape
    for b in range(streams):
        for j in range(out.shape[1]):
            out[b, j] = bias[j]
    add_product(weights.recurrent, layer, 0, out.shape[1], state.h, layer * streams * units, units, out)


@compiled
def _remembered(weights: Weights, state: State, work: Work, layer: int) -> np.ndarray:
    """The same [B, 3 * H], by the second core if it did it in time."""
    if work.jobs[layer] != AWAY:
        if is_done(work.signals, work.jobs[layer]):
            return work.helped[layer]
        work.jobs[:] = AWAY
    _recurrent(weights, state, layer, work.u)
    return work.u


@compiled
def _read(weights: Weights, state: State, work: Work) -> None:
    """Take the last symbols through all layers."""
    x, (layers, streams, units) = work.x, state.h.shape
    for layer in range(layers):
        for b in range(streams):
            row = weights.biases[layer] if layer else weights.table[state.symbols[b]]
            for j in range(x.shape[1]):
                x[b, j] = row[j]
        if layer:
            below = (layer - 1) * streams * units
            add_product(weights.kernels, layer, 0, x.shape[1], state.h, below, units, x)
        _gates(x, _remembered(weights, state, work, layer), state.h[layer])
        work.jobs[layer] = give(work.signals, layer, layers)


@compiled
def _predict(weights: Weights, state: State, work: Work) -> None:
    """Fill the logits."""
    logits, (layers, streams, units) = work.logits, state.h.shape
    for b in range(streams):
        for j in range(logits.shape[1]):
            logits[b, j] = weights.output_bias[j]
    last = (layers - 1) * streams * units
    add_product(weights.output, 0, 0, logits.shape[1], state.h, last, units, logits)


@compiled
def assist(weights: Weights, state: State, work: Work) -> bool:
    """Be the second core of `advance`, as `Kernel` in engine.py says: job n is of layer n % L."""
    job = next_job(work.signals)
    while job >= 0:
        layer = job % state.h.shape[0]
        _recurrent(weights, state, layer, work.helped[layer])
        report(work.signals, job)
        job = next_job(work.signals)
    return job == IDLE


@compiled
def advance(
    weights: Weights, state: State, work: Work, prescribed: np.ndarray, uniform: np.ndarray, temperature: float,
    top_k: int, top_p: float, symbols: np.ndarray,
) -> None:  # fmt: skip
    """Go on for N steps.

    Args:
        weights: of the network.
        state: of B streams; goes on with them.
        work: the workspace of a step; it ends with the logits of the last one.
        prescribed: int64 [N, B] symbols to take, -1 where one is to be drawn.
        uniform: float64 [N, B] random numbers, 0 <= uniform < 1; not read where a symbol is prescribed.
        temperature: see `workshop.networks.sampling.warp_logits`, as are the next two.
        top_k: likewise; V keeps all.
        top_p: likewise; 1 keeps all.
        symbols: int64 [N, B] to be filled with what was taken.
    """
    vocab_size = weights.table.shape[0]
    work.jobs[:] = AWAY
    for n in range(prescribed.shape[0]):
        _read(weights, state, work)
        if n == prescribed.shape[0] - 1 or (prescribed[n] < 0).any():
            _predict(weights, state, work)
        for b in range(prescribed.shape[1]):
            symbol = prescribed[n, b]
            if symbol < 0:
                symbol = draw(work.logits[b, :vocab_size], uniform[n, b], temperature, top_k, top_p)
            symbols[n, b] = state.symbols[b] = symbol
