"""One step of the network after the other, on a CPU: what each block has seen is kept, and nothing is computed twice.

A sample costs one pass over all weights (Le Paine et al., "Fast Wavenet Generation Algorithm", 2016, arXiv:1611.09482,
has the idea of keeping what the blocks have seen), made of the products of `workshop/networks/products.py`. With one
stream and a second core, that core adds up the skip connections while the first one goes through the blocks, and then
computes half of each other dense layer. A stream sounds the same alone, among others, and on any number of cores.

B streams, F filter width, C residual channels, D channels of the gates, S skip channels, L blocks.
"""

import numpy as np

from wavenet.weights import State, Weights, Work
from workshop.networks.activations import tanh
from workshop.networks.compiled_draw import draw
from workshop.networks.compiling import compiled
from workshop.networks.products import add_product, add_rows, middle
from workshop.networks.second_core import AWAY, IDLE, give, give_more, is_done, next_job, report

#: Jobs, at most, that the skip connections of a step are for the second core.
PARTS = 5
#: Multiplications that take longer than it takes to have the second core do them.
WORTH = 100_000


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
def jobs(weights: Weights) -> tuple[int, int, int]:
    """What the second core does in a step: after how many blocks it gets the skip connections of these, how many such
    jobs that makes, and how many there are with those of the other dense layers. No jobs where they take less time than
    giving them does.
    """
    blocks, (gates, skips) = weights.dilations.shape[0], (weights.residuals.shape[1], weights.dense_biases[0].shape[0])
    if blocks * gates * skips < WORTH:
        return blocks, 0, 0
    part = -(-blocks // PARTS)
    parts = -(-blocks // part)
    return part, parts, parts + 2 if skips * min(skips, weights.dense_biases[2].shape[0]) >= WORTH else parts


@compiled
def _blocks(weights: Weights, state: State, work: Work, predicted: bool) -> int:
    """Take x, the inputs of the first block, through all blocks; the first layer is what each has let through. Where
    the logits are wanted, the second core gets the skip connections: returns the last of these jobs, or AWAY.
    """
    width, gates, channels = weights.table.shape[0], weights.residuals.shape[1], state.seen.shape[2]
    kernels, biases, residuals = weights.kernels, weights.biases, weights.residuals
    x, h, gated, seen, time = work.x, work.h, work.layers[0], state.seen, state.time[0]
    streams, columns = x.shape
    part, parts, kinds = jobs(weights)
    ring, job = 0, AWAY
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
        if predicted and parts and ((k + 1) % part == 0 or k == weights.dilations.shape[0] - 1):
            if k < part:
                job = give(work.signals, 0, kinds)
            elif job != AWAY:
                job = give_more(work.signals, job)
    return job


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
def _add_skips(weights: Weights, work: Work, part: int) -> None:
    """Add, on the second core, what the blocks of a part have let through to what it has added up before them."""
    x, out, gates = work.layers[0], work.helped[0], weights.residuals.shape[1]
    if part == 0:
        for b in range(out.shape[0]):
            for j in range(out.shape[1]):
                out[b, j] = weights.dense_biases[0][j]
    height = jobs(weights)[0] * gates
    add_rows(weights.dense[0], part * height, min((part + 1) * height, x.shape[1]), x, out)


@compiled
def _skips(weights: Weights, work: Work, job: int) -> None:
    """The first dense layer, by the second core if it did that job in time."""
    out, helped = work.layers[1], work.helped[0]
    if job == AWAY or not is_done(work.signals, job):
        _dense(weights, work, 0, 0, out.shape[1], out)
        return
    for b in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[b, j] = max(helped[b, j], np.float32(0))


@compiled
def _shared_dense(weights: Weights, work: Work, layer: int) -> None:
    """Another dense layer, the second half of it by the second core if there is one."""
    out, helped = work.layers[layer + 1], work.helped[layer]
    columns, (_, parts, kinds) = out.shape[1], jobs(weights)
    half = middle(columns)
    job = give(work.signals, parts + layer - 1, kinds) if kinds > parts else AWAY
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
    """Be the second core of `advance`, as `Kernel` in engine.py says: each step has a job for each part of the blocks,
    and one for each of the other two dense layers.
    """
    _, parts, kinds = jobs(weights)
    job = next_job(work.signals)
    while job >= 0:
        kind = job % kinds
        if kind < parts:
            _add_skips(weights, work, kind)
        else:
            layer = kind - parts + 1
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
        predicted = n == prescribed.shape[0] - 1 or (prescribed[n] < 0).any()
        job = _blocks(weights, state, work, predicted)
        if predicted:
            _skips(weights, work, job)
            for layer in range(1, 3):
                _shared_dense(weights, work, layer)
        state.time[0] += 1
        for b in range(streams):
            value = prescribed[n, b]
            if value < 0:
                value = draw(work.layers[3][b], uniform[n, b], temperature, top_k, top_p)
            values[n, b] = value
            state.values[state.time[0] % width, b] = value
