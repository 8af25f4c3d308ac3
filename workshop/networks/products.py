"""Products of small matrices and a few vectors, compiled: what generates on a CPU spends its time in here.

A matrix [I, J] is cut into tiles of `TILE` columns, [J / TILE, I, TILE], one after the other in memory in the order in
which they are read. The last tile is filled up with zeros, and so is every array whose last dimension is J.

- Many streams are bound by multiplying: each weight that has been read serves four streams, and the sums of a tile, 4
  streams x 2 vectors, stay in registers until the tile is done.
- One stream is bound by reading: the weights do not fit into the cache of a core, so they are read in the order in
  which they lie in memory.

Each sum is made in the same order whatever the tile: a stream is the same alone and among others.
"""

import numba
import numpy as np

from workshop.networks.vectors import LANES, load, plus, repeat, store

#: Columns of a tile.
TILE = 2 * LANES


def fill(matrix: np.ndarray) -> np.ndarray:
    """Zeros put after [..., J], up to a multiple of TILE."""
    return np.pad(matrix, [(0, 0)] * (matrix.ndim - 1) + [(0, -matrix.shape[-1] % TILE)])


def tiles(matrices: np.ndarray) -> np.ndarray:
    """Matrices [N, I, J] as [N, J / TILE, I, TILE]."""
    filled = fill(matrices)
    return np.ascontiguousarray(filled.reshape(*filled.shape[:2], -1, TILE).transpose(0, 2, 1, 3))


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
def add_product(
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
