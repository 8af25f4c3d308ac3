"""One step of the network after the other, on a CPU: what each block has seen is kept, and nothing is computed twice.

Compiled by numba. A sample costs one pass over all weights, and the weights hardly fit into a processor's cache: so the
order of the loops follows the weights, row by row, and every row serves all streams (Le Paine et al., "Fast Wavenet
Generation Algorithm", 2016, arXiv:1611.09482, has the idea of keeping what the blocks have seen).

B streams, F filter width, C residual channels, D channels of the gates, S skip channels, L blocks.
"""

from typing import NamedTuple

import numba
import numpy as np

#: Stands for a logit of nothing; finite, so that it never makes a NaN.
NEVER = np.float32(-1e9)


class Weights(NamedTuple):
    """The weights of a network, float32, as the kernel reads them.

    Attributes:
        table: [F, 256, C] what each tap makes of a value.
        kernels: [L, F * C, 2 * D].
        biases: [L, B, 2 * D], the label of each stream included.
        residuals: [L, D, C]; the last is not used.
        residual_biases: [L, C].
        skips: [S, L * D], each row what goes into one channel; likewise the next two.
        hidden: [S, S].
        output: [256, S].
        skip_bias: [S].
        hidden_bias: [S].
        output_bias: [256].
        dilations: int64 [L].
    """

    table: np.ndarray
    kernels: np.ndarray
    biases: np.ndarray
    residuals: np.ndarray
    residual_biases: np.ndarray
    skips: np.ndarray
    hidden: np.ndarray
    output: np.ndarray
    skip_bias: np.ndarray
    hidden_bias: np.ndarray
    output_bias: np.ndarray
    dilations: np.ndarray


class State(NamedTuple):
    """What the network remembers of B streams.

    Attributes:
        seen: float32 [sum of (F - 1) * dilation, B, C]: for each block a ring of its last inputs.
        values: int64 [F, B]: the last values, a ring too.
        time: int64 [1]: steps so far.
    """

    seen: np.ndarray
    values: np.ndarray
    time: np.ndarray


@numba.njit(fastmath=True, nogil=True, cache=True, error_model="numpy")
def _gates(h: np.ndarray, gated: np.ndarray) -> None:
    """Gate: gated [D] = tanh(h[:D]) * sigmoid(h[D:]), by a rational approximation of tanh that loops can do in
    parallel; it is as exact as float32 is, to a few units in the last place.
    """
    half = gated.shape[0]
    for j in range(half):
        a = min(max(h[j], np.float32(-7.9)), np.float32(7.9))
        b = min(max(h[half + j] * np.float32(0.5), np.float32(-7.9)), np.float32(7.9))
        gated[j] = _tanh(a) * (np.float32(0.5) + np.float32(0.5) * _tanh(b))


@numba.njit(fastmath=True, nogil=True, inline="always", error_model="numpy")
def _tanh(x: np.float32) -> np.float32:
    square = x * x
    above = np.float32(-2.76076847742355e-16)
    above = above * square + np.float32(2.00018790482477e-13)
    above = above * square + np.float32(-8.60467152213735e-11)
    above = above * square + np.float32(5.12229709037114e-08)
    above = above * square + np.float32(1.48572235717979e-05)
    above = above * square + np.float32(6.37261928875436e-04)
    above = above * square + np.float32(4.89352455891786e-03)
    below = np.float32(1.19825839466702e-06)
    below = below * square + np.float32(1.18534705686654e-04)
    below = below * square + np.float32(2.26843463243900e-03)
    below = below * square + np.float32(4.89352518554385e-03)
    return x * above / below


@numba.njit(fastmath=True, nogil=True, cache=True, error_model="numpy")
def _rows(weights: np.ndarray, bias: np.ndarray, x: np.ndarray, out: np.ndarray, relu: bool) -> None:
    """A dense layer: out [B, J] = x [B, I] times weights [J, I], plus bias [J]; what is below 0 becomes 0 if `relu`."""
    for j in range(weights.shape[0]):
        row = weights[j]
        for b in range(x.shape[0]):
            total = np.float32(0)
            vector = x[b]
            for i in range(row.shape[0]):
                total += row[i] * vector[i]
            total += bias[j]
            out[b, j] = max(total, np.float32(0)) if relu else total


@numba.njit(fastmath=True, nogil=True, cache=True, error_model="numpy")
def _blocks(weights: Weights, state: State, x: np.ndarray, gated: np.ndarray, h: np.ndarray) -> None:
    """Take the inputs x [B, C] of the first block through all blocks; gated [B, L * D] is what each has let through."""
    width, channels = weights.table.shape[0], x.shape[1]
    gates = h.shape[0] // 2
    start = 0
    for k in range(weights.dilations.shape[0]):
        dilation = weights.dilations[k]
        length = (width - 1) * dilation
        kernel, residual = weights.kernels[k], weights.residuals[k]
        now = state.time[0] % length
        for b in range(x.shape[0]):
            for j in range(2 * gates):
                h[j] = weights.biases[k, b, j]
            for tap in range(width):
                source = x[b] if tap == width - 1 else state.seen[start + (now + tap * dilation) % length, b]
                for i in range(channels):
                    value, row = source[i], kernel[tap * channels + i]
                    for j in range(2 * gates):
                        h[j] += value * row[j]
            for i in range(channels):
                state.seen[start + now, b, i] = x[b, i]
            through = gated[b, k * gates : (k + 1) * gates]
            _gates(h, through)
            for i in range(channels):
                x[b, i] += weights.residual_biases[k, i]
            for j in range(gates):
                value, row = through[j], residual[j]
                for i in range(channels):
                    x[b, i] += value * row[i]
        start += length


@numba.njit(fastmath=True, nogil=True, cache=True, error_model="numpy")
def _first(weights: Weights, state: State, x: np.ndarray) -> None:
    """Fill x [B, C], the inputs of the first block, from the last F values."""
    width = weights.table.shape[0]
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            x[b, i] = 0
        for tap in range(width):
            row = weights.table[tap, state.values[(state.time[0] + 1 + tap) % width, b]]
            for i in range(x.shape[1]):
                x[b, i] += row[i]


@numba.njit(nogil=True, cache=True)
def _draw(logits: np.ndarray, noise: np.ndarray, temperature: float, top_k: int, top_p: float) -> int:
    """The value that is drawn from logits [256], which are changed, with Gumbel noise [256]."""
    for j in range(logits.shape[0]):
        logits[j] /= np.float32(temperature)
    if top_k < logits.shape[0] or top_p < 1:
        descending = np.sort(logits)[::-1]
        least = descending[min(top_k, logits.shape[0]) - 1]
        if top_p < 1:
            kept = np.where(descending >= least, np.exp(descending - descending[0]), 0)
            share, before = kept / kept.sum(), 0.0
            for j in range(len(share)):
                if before >= top_p or descending[j] < least:
                    break
                before += share[j]
                lowest = descending[j]
            least = lowest
        for j in range(logits.shape[0]):
            if logits[j] < least:
                logits[j] = NEVER
    return int(np.argmax(logits + noise))


@numba.njit(nogil=True, cache=True)
def advance(
    weights: Weights, state: State, prescribed: np.ndarray, noise: np.ndarray, temperature: float, top_k: int,
    top_p: float, values: np.ndarray, logits: np.ndarray,
) -> None:  # fmt: skip
    """Go on for N steps.

    Args:
        weights: of the network.
        state: of B streams; goes on with them.
        prescribed: int64 [N, B] values to take, -1 where one is to be drawn.
        noise: float32 [N, B, 256] Gumbel noise; not read where a value is prescribed.
        temperature: divides the logits.
        top_k: choose among so many of the likeliest; 256 for all.
        top_p: choose among the likeliest that together have this probability; 1 for all.
        values: int64 [N, B] to be filled with what was taken.
        logits: float32 [B, 256] to be filled with those of the last step.
    """
    width, streams = weights.table.shape[0], prescribed.shape[1]
    x = np.empty((streams, weights.table.shape[2]), np.float32)
    gated = np.empty((streams, weights.skips.shape[1]), np.float32)
    h = np.empty(weights.kernels.shape[2], np.float32)
    skip = np.empty((streams, weights.skips.shape[0]), np.float32)
    hidden = np.empty((streams, weights.hidden.shape[0]), np.float32)
    for n in range(prescribed.shape[0]):
        _first(weights, state, x)
        _blocks(weights, state, x, gated, h)
        if n == prescribed.shape[0] - 1 or (prescribed[n] < 0).any():
            _rows(weights.skips, weights.skip_bias, gated, skip, True)
            _rows(weights.hidden, weights.hidden_bias, skip, hidden, True)
            _rows(weights.output, weights.output_bias, hidden, logits, False)
        state.time[0] += 1
        for b in range(streams):
            value = prescribed[n, b]
            if value < 0:
                value = _draw(logits[b].copy(), noise[n, b], temperature, top_k, top_p)
            values[n, b] = value
            state.values[state.time[0] % width, b] = value
