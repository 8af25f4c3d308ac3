"""Memorisation check: the longest passage of a sample that occurs verbatim in the training data.

It works on any integer symbols. The search is that of Karp and Rabin, "Efficient randomized
pattern-matching algorithms" (IBM Journal of Research and Development 31(2), 1987), with one difference: windows with
equal hashes are compared symbol by symbol, so the answer is exact.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

#: Windows of the training sequence that are hashed at once: the arrays of one block fit into the CPU cache.
_BLOCK = 1 << 16

#: Base of the rolling hash, 2**64 divided by the golden ratio: odd, so that it has an inverse modulo 2**64.
_BASE = 0x9E3779B97F4A7C15


class Overlap(NamedTuple):
    """A shared passage: `sample[sample_start:][:length]` equals `training[training_start:][:length]`."""

    length: int
    sample_start: int
    training_start: int


def longest_copied(sample: npt.ArrayLike, training: np.ndarray) -> Overlap:
    """The longest passage of `sample` that occurs in `training`; of several, the first in training, then in sample.

    The training sequence is scanned once, from left to right; each block is only searched for a passage that is longer
    than the best so far. This takes one hash per training symbol and constant memory; training may be a `np.memmap`.

    Args:
        sample: integer symbols, shape (sample length,).
        training: integer symbols, shape (training length,), of any integer type.

    Returns:
        The passage; length 0 at positions 0 and 0 if the two have no symbol in common.

    Raises:
        ValueError: a sequence is not one-dimensional or not of integers.
    """
    sample = np.asarray(sample)
    for name, symbols in (("sample", sample), ("training", training)):
        if symbols.ndim != 1 or (symbols.size and not np.issubdtype(symbols.dtype, np.integer)):
            raise ValueError(f"{name} must be one row of integers, got {symbols.dtype} of shape {symbols.shape}")
    best = Overlap(0, 0, 0)
    if len(sample) == 0:
        return best
    # The maximum length of a block and of the sample.
    hasher = _Hasher(min(2 * max(_BLOCK, len(sample)), max(len(sample), len(training))))
    windows = _Windows(sample, 1, hasher)
    start = 0
    while start + windows.width <= len(training):
        # A block is at least as wide as its windows, so that it overlaps the next block by at most half.
        block_size = max(_BLOCK, windows.width)
        block = training[start : start + block_size + windows.width - 1]
        match = windows.first_in(block)
        if match is None:
            start += block_size
            continue
        sample_start, offset = match
        # No window of this width matches further left, so the passage can only grow to the right. Another part of
        # the sample may have a longer match here, so the search continues at the same position.
        start += offset
        best = Overlap(_common_prefix(sample[sample_start:], training[start:]), sample_start, start)
        if best.length == len(sample):
            break
        windows = _Windows(sample, best.length + 1, hasher)
    return best


class _Hasher:
    """Hashes windows of sequences of at most `max_length` symbols: sum of symbol_j * base**(j + 1) modulo 2**64."""

    def __init__(self, max_length: int) -> None:
        inverse = pow(_BASE, -1, 1 << 64)
        # The power starts at one, so that the upper bits differ between single symbols too.
        self._powers = np.cumprod(np.full(max_length, _BASE, dtype=np.uint64))
        self._inverse_powers = np.cumprod(np.full(max_length, inverse, dtype=np.uint64)) * np.uint64(_BASE)

    def windows(self, symbols: np.ndarray, width: int) -> np.ndarray:
        """The hash of each window of `width` symbols, shape (number of symbols - width + 1,), uint64."""
        sums = np.zeros(len(symbols) + 1, dtype=np.uint64)
        np.cumsum(symbols.astype(np.uint64) * self._powers[: len(symbols)], out=sums[1:])
        hashes = sums[width:] - sums[:-width]
        # Shifts each window to position 0, so that equal windows have equal hashes at any position.
        hashes *= self._inverse_powers[: len(hashes)]
        return hashes


class _Windows:
    """An index of all windows of one width of the sample, by hash."""

    def __init__(self, sample: np.ndarray, width: int, hasher: _Hasher) -> None:
        self.width = width
        self._sample = sample
        self._hasher = hasher
        hashes = hasher.windows(sample, width)
        self._starts = np.argsort(hashes, kind="stable")
        self._hashes = hashes[self._starts]
        # A table of the upper bits (load factor at most 1/16) rejects nearly all training windows without a search
        # in the sorted hashes.
        bits = (16 * len(hashes)).bit_length()
        self._shift = np.uint64(64 - bits)
        self._table = np.zeros(1 << bits, dtype=np.bool_)
        self._table[self._hashes >> self._shift] = True

    def first_in(self, block: np.ndarray) -> tuple[int, int] | None:
        """The first window of the block that is also one of the sample: (start in the sample, start in the block)."""
        hashes = self._hasher.windows(block, self.width)
        offsets = np.flatnonzero(self._table[hashes >> self._shift])
        candidates = hashes[offsets]
        first = np.searchsorted(self._hashes, candidates)
        alike = self._hashes[np.minimum(first, len(self._hashes) - 1)] == candidates
        for offset, index in zip(offsets[alike].tolist(), first[alike].tolist(), strict=True):
            window = block[offset : offset + self.width]
            # Different windows can collide (Thue-Morse sequences do), so each window with this hash is compared.
            while index < len(self._hashes) and self._hashes[index] == hashes[offset]:
                sample_start = int(self._starts[index])
                if np.array_equal(self._sample[sample_start : sample_start + self.width], window):
                    return sample_start, offset
                index += 1
        return None


def _common_prefix(a: np.ndarray, b: np.ndarray) -> int:
    """Length of the common prefix of two sequences."""
    length = min(len(a), len(b))
    different = a[:length] != b[:length]
    return int(different.argmax()) if different.any() else length
