"""One step of the network after the other, on a CPU: what each block has seen is kept, and nothing is computed twice.

A sample costs one pass over all weights (Le Paine et al., "Fast Wavenet Generation Algorithm", 2016, arXiv:1611.09482,
has the idea of keeping what the blocks have seen). Two things bound it, and `weights.py` lays them out for both:

- Many streams are bound by multiplying: so each weight that has been read serves four streams, and the sums of a tile,
  4 streams x 2 vectors, stay in registers until the tile is done.
- One stream is bound by reading: the weights do not fit into the cache that a core has to itself. So they are read in
  the order in which they lie in memory; and a second core, if there is one, does half of each dense layer.

Each sum is made in the same order whatever the tile and whoever makes it: a stream sounds the same alone, among others,
and on any number of cores.

B streams, F filter width, C residual channels, D channels of the gates, S skip channels, L blocks.
"""

import numba
import numpy as np

from wavenet.instructions import LANES, load, plus, receive, repeat, send, store
from wavenet.weights import AWAY, DONE, JOB, PAUSE, TILE, WAIT, State, Weights, Work

#: Looks at a signal, of which a nanosecond has one or two: before a core does the other's half itself, and before the
#: other goes to sleep.
PATIENCE, IDLE = 150_000, 300_000
#: Jobs that are not shared after one that came late, at first, and at most: it doubles each time.
BREAK, LONGEST_BREAK = 300, 40_000


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _one(weights: np.ndarray, at: int, size: int, x: np.ndarray, from0: int, out: np.ndarray, to0: int) -> None:
    """Add to out from `to0` on what the tile that begins at `at` makes of the `size` numbers of x from `from0` on."""
    left0, right0 = load(out, to0), load(out, to0 + LANES)
    for i in range(size):
        x0 = repeat(x, from0 + i)
        left0, right0 = plus(left0, x0, load(weights, at)), plus(right0, x0, load(weights, at + LANES))
        at += TILE
    store(out, to0, left0), store(out, to0 + LANES, right0)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _four(
    weights: np.ndarray, at: int, size: int, x: np.ndarray, from0: int, from1: int, from2: int, from3: int,
    out: np.ndarray, to0: int, to1: int, to2: int, to3: int,
) -> None:  # fmt: skip
    """`_one` for four streams at once."""
    left0, right0 = load(out, to0), load(out, to0 + LANES)
    left1, right1 = load(out, to1), load(out, to1 + LANES)
    left2, right2 = load(out, to2), load(out, to2 + LANES)
    left3, right3 = load(out, to3), load(out, to3 + LANES)
    for i in range(size):
        left, right = load(weights, at), load(weights, at + LANES)
        x0, x1, x2, x3 = repeat(x, from0 + i), repeat(x, from1 + i), repeat(x, from2 + i), repeat(x, from3 + i)
        left0, right0 = plus(left0, x0, left), plus(right0, x0, right)
        left1, right1 = plus(left1, x1, left), plus(right1, x1, right)
        left2, right2 = plus(left2, x2, left), plus(right2, x2, right)
        left3, right3 = plus(left3, x3, left), plus(right3, x3, right)
        at += TILE
    store(out, to0, left0), store(out, to0 + LANES, right0)
    store(out, to1, left1), store(out, to1 + LANES, right1)
    store(out, to2, left2), store(out, to2 + LANES, right2)
    store(out, to3, left3), store(out, to3 + LANES, right3)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _add_product(
    weights: np.ndarray, matrix: int, first: int, last: int, x: np.ndarray, start: int, stride: int, out: np.ndarray
) -> None:
    """Add to out [B, J] what a matrix [I, J] makes of the I numbers of x from start + b * stride on, for each stream b;
    from tile `first` to before tile `last` of it.
    """
    size, (streams, columns) = weights.shape[2], out.shape
    end = streams - 1
    for tile in range(first, last):
        at, to = (matrix * weights.shape[1] + tile) * size * TILE, tile * TILE
        for b in range(0, streams, 4):
            if b == end:
                _one(weights, at, size, x, start + b * stride, out, to + b * columns)
                continue
            # Where there are less than four streams, the last stands in for those that are missing.
            b1, b2, b3 = min(b + 1, end), min(b + 2, end), min(b + 3, end)
            _four(
                weights, at, size,
                x, start + b * stride, start + b1 * stride, start + b2 * stride, start + b3 * stride,
                out, to + b * columns, to + b1 * columns, to + b2 * columns, to + b3 * columns,
            )  # fmt: skip


@numba.njit(fastmath=True, nogil=True, cache=True, error_model="numpy")
def _gates(h: np.ndarray, gated: np.ndarray, start: int, gates: int) -> None:
    """Fill gated [B, start : start + D] with tanh(h [B, : D]) * sigmoid(h [B, D : 2 * D])."""
    half = np.float32(0.5)
    for b in range(h.shape[0]):
        filtered, opened, through = h[b, :gates], h[b, gates : 2 * gates], gated[b, start : start + gates]
        for j in range(gates):
            # sigmoid(z) = (1 + tanh(z / 2)) / 2; one division for both.
            above, below = _tanh(filtered[j])
            more, less = _tanh(half * opened[j])
            through[j] = above * (less + more) * half / (below * less)


@numba.njit(fastmath=True, nogil=True, inline="always", error_model="numpy")
def _tanh(x: np.float32) -> tuple[np.float32, np.float32]:
    """tanh(x) as numerator and denominator, exact to a few units in the last place of float32."""
    x = min(max(x, np.float32(-7.9)), np.float32(7.9))
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
    return x * above, below


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _first(weights: Weights, state: State, x: np.ndarray) -> None:
    """Fill x [B, C], the inputs of the first block, from the last F values."""
    width = weights.table.shape[0]
    for b in range(x.shape[0]):
        x[b] = 0
        for tap in range(width):
            row = weights.table[tap, state.values[(state.time[0] + 1 + tap) % width, b]]
            for i in range(row.shape[0]):
                x[b, i] += row[i]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _blocks(weights: Weights, state: State, work: Work) -> None:
    """Take x, the inputs of the first block, through all blocks; the first layer is what each has let through."""
    width, gates, channels = weights.table.shape[0], weights.residuals.shape[2], state.seen.shape[2]
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
            _add_product(kernels, k * width + tap, 0, kernels.shape[1], seen, old, channels, h)
        _add_product(kernels, k * width + width - 1, 0, kernels.shape[1], x, 0, columns, h)
        _gates(h, gated, k * gates, gates)
        now = ring + time % length
        for b in range(streams):
            for i in range(channels):
                seen[now, b, i] = x[b, i]
                x[b, i] += weights.residual_biases[k, i]
        _add_product(residuals, k, 0, residuals.shape[1], gated, k * gates, gated.shape[1], x)
        ring += length


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _dense(weights: Weights, work: Work, layer: int, first: int, last: int, out: np.ndarray) -> None:
    """Fill out [B, J] with what a dense layer makes of the one before, from tile `first` to before tile `last`."""
    bias, x = weights.dense_biases[layer], work.layers[layer]
    for b in range(out.shape[0]):
        for j in range(first * TILE, last * TILE):
            out[b, j] = bias[j]
    _add_product(weights.dense[layer], 0, first, last, x, 0, x.shape[1], out)
    if layer < 2:
        for b in range(out.shape[0]):
            for j in range(first * TILE, last * TILE):
                out[b, j] = max(out[b, j], np.float32(0))


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _shared_dense(weights: Weights, work: Work, layer: int) -> None:
    """A dense layer, the second half of it by the second core if that one waits for a job. Another program may take the
    core away at any time: so what it makes lies apart, and is taken only if it says in time that this very job is done.
    If it does not, there is a break, longer each time; a program that is there to stay costs next to nothing.
    """
    signals, out, helped = work.signals, work.layers[layer + 1], work.helped[layer]
    tiles = weights.dense[layer].shape[1]
    job = signals[JOB]
    signals[WAIT] -= 1
    if signals[WAIT] > 0 or receive(signals, DONE) != job:
        _dense(weights, work, layer, 0, tiles, out)
        return
    job += 3 - (job - layer) % 3
    send(signals, JOB, job)
    _dense(weights, work, layer, 0, tiles // 2, out)
    for _ in range(PATIENCE):
        if receive(signals, DONE) == job:
            for b in range(out.shape[0]):
                for j in range(tiles // 2 * TILE, tiles * TILE):
                    out[b, j] = helped[b, j]
            signals[PAUSE] = max(signals[PAUSE] - 1, BREAK)
            return
    _dense(weights, work, layer, tiles // 2, tiles, out)
    signals[WAIT] = signals[PAUSE]
    signals[PAUSE] = min(2 * signals[PAUSE], LONGEST_BREAK)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def assist(weights: Weights, work: Work) -> bool:
    """Be the second core of `advance`, until there is nothing left to do (False) or has not been for a while (True).

    Job n is layer n % 3. The first one that is found, which nobody may be waiting for any more, says: I am here.
    """
    signals, idle = work.signals, 0
    while idle < IDLE:
        job = receive(signals, JOB)
        if job < 0:
            return False
        idle += 1
        if job != signals[DONE]:
            layer, idle = job % 3, 0
            tiles = weights.dense[layer].shape[1]
            _dense(weights, work, layer, tiles // 2, tiles, work.helped[layer])
            send(signals, DONE, job)
    send(signals, DONE, AWAY)
    return True


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _least(logits: np.ndarray, top_k: int, top_p: float) -> np.float32:
    """The smallest of logits [256] that may still be drawn."""
    descending = np.sort(logits)[::-1]
    least = descending[min(top_k, logits.shape[0]) - 1]
    if top_p >= 1:
        return least
    kept = np.where(descending >= least, np.exp(descending - descending[0]), 0)
    share, before, lowest = kept / kept.sum(), 0.0, descending[0]
    for j in range(len(share)):
        if before >= top_p or descending[j] < least:
            break
        before += share[j]
        lowest = descending[j]
    return lowest


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _draw(logits: np.ndarray, chance: float, temperature: float, top_k: int, top_p: float) -> int:
    """The value at which the sum of the probabilities that logits [256] stand for passes `chance`, 0 <= chance < 1."""
    scaled = logits / np.float32(temperature)
    least = _least(scaled, top_k, top_p) if top_k < logits.shape[0] or top_p < 1 else scaled.min()
    likelihood = np.exp(scaled - scaled.max())
    total = 0.0
    for j in range(logits.shape[0]):
        if scaled[j] >= least:
            total += likelihood[j]
    passed, value = 0.0, 0
    for j in range(logits.shape[0]):
        if scaled[j] >= least:
            value = j
            passed += likelihood[j]
            if passed > chance * total:
                break
    return value


@numba.njit(nogil=True, cache=True, error_model="numpy")
def advance(
    weights: Weights, state: State, work: Work, prescribed: np.ndarray, chances: np.ndarray, temperature: float,
    top_k: int, top_p: float, values: np.ndarray,
) -> None:  # fmt: skip
    """Go on for N steps.

    Args:
        weights: of the network.
        state: of B streams; goes on with them.
        work: room for a step; its last layer ends with the logits of the last step.
        prescribed: int64 [N, B] values to take, -1 where one is to be drawn.
        chances: float64 [N, B] random numbers from 0 to 1; not read where a value is prescribed.
        temperature: divides the logits.
        top_k: choose among so many of the likeliest; 256 for all.
        top_p: choose among the likeliest that together have this probability; 1 for all.
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
                value = _draw(work.layers[3][b], chances[n, b], temperature, top_k, top_p)
            values[n, b] = value
            state.values[state.time[0] % width, b] = value
