"""Products of small matrices and a few vectors, compiled: what generates on a CPU spends its time in here.

A matrix [I, J] lies in memory in the order in which it is read: cut into strips of columns, one after the other, and of
each strip its I rows. J is filled up with zeros to a multiple of `TILE`, and so is every array with J as its last
dimension.

- One stream is bound by reading. The weights do not fit into the cache of a core, so they may be of half precision, and
  the processor makes float32 numbers of them on the way: half as many bytes. A strip is `WIDE` as far as there are so
  many columns, which makes eight sums that do not wait for one another.
- Many streams are bound by multiplying: each weight that has been read serves four streams, and the sums, 4 streams x 3
  registers, stay where they are until all rows of the strip have been read. Of AVX2's 16 registers that leaves one for
  a number of a stream; and twelve sums keep the processor busy where the eight of 2 registers had it wait at times.

Each sum is made in the same order whatever the strips: a stream is the same alone and among others.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from workshop.networks.compiling import compiled
from workshop.networks.vectors import HALF, HALF_LANES, LANES, load, load_half, plus, store

#: Columns of a strip for one stream, as far as there are so many, and of any other; and registers of one for many
#: streams, and of the last ones.
WIDE, TILE = 64, 32
MOST, FEWER = 3, 2


def fill(matrix: np.ndarray) -> np.ndarray:
    """Zeros put after [..., J], up to a multiple of TILE."""
    return np.pad(matrix, [(0, 0)] * (matrix.ndim - 1) + [(0, -matrix.shape[-1] % TILE)])


def rounded(weights: np.ndarray) -> np.ndarray:
    """Weights rounded to half precision, float32; the largest stand for those beyond them."""
    most = np.finfo(np.float16).max
    return weights.clip(-most, most).astype(np.float16).astype(np.float32)


def strips(matrices: np.ndarray, streams: int, half: bool = False) -> np.ndarray:
    """Matrices in the order in which they are read.

    Args:
        matrices: [N, I, J].
        streams: B.
        half: round them to half precision.

    Returns:
        float32 [N, I, J]; or [N, I, J / 2], two numbers of half precision in each, where one stream reads them.
    """
    filled = fill(rounded(matrices) if half else matrices)
    columns, start, ordered = filled.shape[2], 0, []
    while start < columns:
        width = _width(columns - start, streams)
        ordered.append(filled[:, :, start : start + width].reshape(len(filled), -1))
        start += width
    flat = np.concatenate(ordered, axis=1)
    if half and HALF and streams == 1:
        flat = flat.astype(np.float16).view(np.float32)
    return flat.reshape(*filled.shape[:2], -1)


@compiled
def _width(columns: int, streams: int) -> int:
    """How wide the next strip is, where so many columns are left."""
    if streams == 1:
        return WIDE if columns >= WIDE else TILE
    # Four registers are cut in halves, so that none is left alone.
    return (MOST if columns >= MOST * LANES and columns != 2 * FEWER * LANES else FEWER) * LANES


@compiled
def middle(columns: int) -> int:
    """A column between two strips, or the last: where two cores share a product for one stream."""
    return min(-(-(columns // 2) // WIDE) * WIDE, columns)


def _for_one(read: Callable[..., Any], width: int, lanes: int) -> Callable[..., None]:
    """What adds to out from `to` on what a strip that begins at `at` makes of `size` numbers of x from `start` on."""
    registers = width // lanes
    floats = width // 2 if read is load_half else width

    @compiled
    def one(weights: np.ndarray, at: int, size: int, x: np.ndarray, start: int, out: np.ndarray, to: int) -> None:
        total = load(out, to, registers, lanes)
        for i in range(size):
            total = plus(total, x, start + i, read(weights, at + i * floats, registers, lanes))
        store(out, to, total)

    return one


_wide, _narrow = _for_one(load, WIDE, LANES), _for_one(load, TILE, LANES)
_wide_half, _narrow_half = _for_one(load_half, WIDE, HALF_LANES), _for_one(load_half, TILE, HALF_LANES)


def _for_many(registers: int) -> Callable[..., None]:
    """The same for all streams, whose numbers are `stride` apart, and a strip of so many registers."""
    width = registers * LANES

    @compiled
    def four(
        weights: np.ndarray, at: int, size: int, x: np.ndarray, from0: int, from1: int, from2: int, from3: int,
        out: np.ndarray, to0: int, to1: int, to2: int, to3: int,
    ) -> None:  # fmt: skip
        total0, total1 = load(out, to0, registers, LANES), load(out, to1, registers, LANES)
        total2, total3 = load(out, to2, registers, LANES), load(out, to3, registers, LANES)
        for i in range(size):
            row = load(weights, at + i * width, registers, LANES)
            total0, total1 = plus(total0, x, from0 + i, row), plus(total1, x, from1 + i, row)
            total2, total3 = plus(total2, x, from2 + i, row), plus(total3, x, from3 + i, row)
        store(out, to0, total0), store(out, to1, total1), store(out, to2, total2), store(out, to3, total3)

    @compiled
    def many(
        weights: np.ndarray, at: int, size: int, x: np.ndarray, start: int, stride: int, out: np.ndarray, to: int
    ) -> None:
        end, columns = out.shape[0] - 1, out.shape[1]
        for b in range(0, end + 1, 4):
            # Where there are less than four streams, the last stands in for those that are missing.
            b1, b2, b3 = min(b + 1, end), min(b + 2, end), min(b + 3, end)
            four(
                weights, at, size, x, start + b * stride, start + b1 * stride, start + b2 * stride, start + b3 * stride,
                out, to + b * columns, to + b1 * columns, to + b2 * columns, to + b3 * columns,
            )  # fmt: skip

    return many


_most, _fewer = _for_many(MOST), _for_many(FEWER)


@compiled
def add_product(
    weights: np.ndarray, matrix: int, first: int, last: int, x: np.ndarray, start: int, stride: int, out: np.ndarray
) -> None:
    """Add to out [B, J] what a matrix [I, J] makes of the I numbers of x from start + b * stride on, for each stream b;
    from column `first` to before column `last` of it, between which strips lie.
    """
    _, size, floats = weights.shape
    streams, columns = out.shape
    half = floats < columns
    to = first
    while to < last:
        width = _width(columns - to, streams)
        at = (matrix * columns + to) * size
        if streams > 1 and width == MOST * LANES:
            _most(weights, at, size, x, start, stride, out, to)
        elif streams > 1:
            _fewer(weights, at, size, x, start, stride, out, to)
        elif half and width == WIDE:
            _wide_half(weights, at // 2, size, x, start, out, to)
        elif half:
            _narrow_half(weights, at // 2, size, x, start, out, to)
        elif width == WIDE:
            _wide(weights, at, size, x, start, out, to)
        else:
            _narrow(weights, at, size, x, start, out, to)
        to += width


@compiled
def add_rows(weights: np.ndarray, first: int, last: int, x: np.ndarray, out: np.ndarray) -> None:
    """Add to out [1, J] what the rows from `first` to before `last` of the only matrix [I, J] make of as many numbers
    of x [1, I]: a part of a product for one stream.
    """
    _, size, floats = weights.shape
    columns, to = out.shape[1], 0
    while to < columns:
        width = _width(columns - to, 1)
        at = to * size + first * width
        if floats < columns and width == WIDE:
            _wide_half(weights, at // 2, last - first, x, first, out, to)
        elif floats < columns:
            _narrow_half(weights, at // 2, last - first, x, first, out, to)
        elif width == WIDE:
            _wide(weights, at, last - first, x, first, out, to)
        else:
            _narrow(weights, at, last - first, x, first, out, to)
        to += width
