"""One step of the network after the other, on a CPU: what each block has seen is kept, and nothing is computed twice.

A sample costs one pass over all weights (Le Paine et al., "Fast Wavenet Generation Algorithm", 2016, arXiv:1611.09482,
has the idea of keeping what the blocks have seen), made of the products of `workshop/networks/products.py`. With one
stream and a second core, that core computes half of each dense layer. A stream sounds the same alone, among others, and
on any number of cores.

B streams, F filter width, C residual channels, D channels of the gates, S skip channels, L blocks.
"""

import numpy as np

from wavenet.weights import State, Weights, Work
from workshop.networks.activations import tanh
from workshop.networks.compiled_draw import draw
from workshop.networks.compiling import compiled
from workshop.networks.products import add_product, middle
from workshop.networks.second_core import AWAY, IDLE, give, is_done, next_job, report


@compiled(fastmath=True)
def _gates(h: np.ndarray, gated: np.ndarray, start: int, gates: int) -> None:
    """Fill gated [B, start : start + D] with tanh(h [B, : D]) * sigmoid(h [B, D : 2 * D])."""
    half = np.float32(0.5)
    for b in range(h.shape[0]):
        filtered, opened, through = h[b, :gates], h[b, gates : 2 * gates], gated[b, start : start + gates]
        for j in range(gates):
            # sigmoid(z) = (1 + tanh(z / 2)) / 2; one division for both.
            above, below = tanh(filtered[j])
            more, less = tanh(half * opened[j])
            through[j] = above * (less + more) * half / (below * less)


@compiled
def _first(weights: Weights, state: State, x: np.ndarray) -> None:
    """Fill x [B, C], the inputs of the first block, from the last F values."""
    width = weights.table.shape[0]
    for b in range(x.shape[0]):
        x[b] = 0
        for tap in range(width):
            row = weights.table[tap, state.values[(state.time[0] + 1 + tap) % width, b]]
            for i in range(row.shape[0]):
                x[b, i] += row[i]


@compiled
def _blocks(weights: Weights, state: State, work: Work) -> None:
    """Take x, the inputs of the first block, through all blocks; the first layer is what each has let through."""
    width, gates, channels = weights.table.shape[0], weights.residuals.shape[1], state.seen.shape[2]
    kernels, biases, residuals = weights.kernels, weights.biases, weights.residuals
    x, h, gated, seen, time = work.x, work.h, work.layers[0], state.seen, state.time[0]
    streams, columns = x.shape
    ring = 0
    for k in range(weights.dilations.shape[0]):
        dilation = weights.dilations[k]
        length = (width - 1) * dilation
        for b in range(streams):
            for j in range(h.shape[1]):
                h[b, j] = biases[k, b, j]
        for tap in range(width - 1):
            row = ring + (time + tap * dilation) % length
            old = row * streams * channels
            add_product(kernels, k * width + tap, 0, h.shape[1], seen, old, channels, h)
        add_product(kernels, k * width + width - 1, 0, h.shape[1], x, 0, columns, h)
        _gates(h, gated, k * gates, gates)
        now = ring + time % length
        for b in range(streams):
            for i in range(channels):
                seen[now, b, i] = x[b, i]
                x[b, i] += weights.residual_biases[k, i]
        add_product(residuals, k, 0, x.shape[1], gated, k * gates, gated.shape[1], x)
        ring += length


@compiled
def _dense(weights: Weights, work: Work, layer: int, first: int, last: int, out: np.ndarray) -> None:
    """Fill out [B, J] with what a dense layer makes of the one before, from column `first` to before column `last`."""
    bias, x = weights.dense_biases[layer], work.layers[layer]
    for b in range(out.shape[0]):
        for j in range(first, last):
            out[b, j] = bias[j]
    add_product(weights.dense[layer], 0, first, last, x, 0, x.shape[1], out)
    if layer < 2:
        for b in range(out.shape[0]):
            for j in range(first, last):
                out[b, j] = max(out[b, j], np.float32(0))


@compiled
def _shared_dense(weights: Weights, work: Work, layer: int) -> None:
    """A dense layer, the second half of it by the second core if there is one: job n is of layer n % 3."""
    out, helped = work.layers[layer + 1], work.helped[layer]
    columns = out.shape[1]
    half = middle(columns)
    job = give(work.signals, layer, 3)
    if job == AWAY:
        _dense(weights, work, layer, 0, columns, out)
        return
    _dense(weights, work, layer, 0, half, out)
    if not is_done(work.signals, job):
        _dense(weights, work, layer, half, columns, out)
        return
    for b in range(out.shape[0]):
        for j in range(half, columns):
            out[b, j] = helped[b, j]


@compiled
def assist(weights: Weights, state: State, work: Work) -> bool:
    """Be the second core of `advance`, as `Kernel` in engine.py says."""
    job = next_job(work.signals)
    while job >= 0:
        layer = job % 3
        out = work.helped[layer]
        _dense(weights, work, layer, middle(out.shape[1]), out.shape[1], out)
        report(work.signals, job)
        job = next_job(work.signals)
    return job == IDLE


@compiled
def advance(
    weights: Weights, state: State, work: Work, prescribed: np.ndarray, uniform: np.ndarray, temperature: float,
    top_k: int, top_p: float, values: np.ndarray,
) -> None:  # fmt: skip
    """Go on for N steps.

    Args:
        weights: of the network.
        state: of B streams; goes on with them.
        work: the workspace of a step; its last layer ends with the logits of the last step.
        prescribed: int64 [N, B] values to take, -1 where one is to be drawn.
        uniform: float64 [N, B] random numbers, 0 <= uniform < 1; not read where a value is prescribed.
        temperature: see `workshop.networks.sampling.warp_logits`, as are the next two.
        top_k: likewise; 256 keeps all.
        top_p: likewise; 1 keeps all.
        values: int64 [N, B] to be filled with what was taken.
    """
    width, streams = weights.table.shape[0], prescribed.shape[1]
    for n in range(prescribed.shape[0]):
        _first(weights, state, work.x)
        _blocks(weights, state, work)
        if n == prescribed.shape[0] - 1 or (prescribed[n] < 0).any():
            for layer in range(3):
                _shared_dense(weights, work, layer)
        state.time[0] += 1
        for b in range(streams):
            value = prescribed[n, b]
            if value < 0:
                value = draw(work.layers[3][b], uniform[n, b], temperature, top_k, top_p)
            values[n, b] = value
            state.values[state.time[0] % width, b] = value
