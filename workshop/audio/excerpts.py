"""Sounds as batches of windows.

All sounds of a condition are one ring, one after the other and the first after the last, so that a file that is shorter
than a window is not lost, and nothing has to be padded. A window lies within the ring of one condition.

T targets of a window, B windows in a batch, R samples that a prediction depends on (its context).
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from workshop.audio.library import Sounds
from workshop.run.batches import EvalBatches, streams_for

#: Maximal number of held-out samples in one measurement.
MOST_MEASURED = 200_000
#: Streams in which `HeldOutStreams` are read side by side, of all conditions together.
STREAMS = 40

#: The inputs of the network: values [R - 1 + T, B], or a pair of them and the numbers of the conditions [B].
Inputs = np.ndarray | tuple[np.ndarray, np.ndarray]


def rings(sounds: Sounds) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """What is trained on and what is measured on, uint8 [N] for each condition; of the second no more than
    `MOST_MEASURED` samples, the same share of all conditions.
    """
    train, held_out = ([np.concatenate(pieces) for pieces in part] for part in (sounds.train, sounds.held_out))
    share = min(1.0, MOST_MEASURED / max(1, sum(map(len, held_out))))
    return train, [ring[: int(np.ceil(share * len(ring)))] for ring in held_out]


def side_by_side(train: Sequence[np.ndarray], data_dir: Path, batch_size: int, seq_length: int) -> int:
    """B: `batch_size`, or fewer where little sound would not fill a window of each.

    Raises:
        UserError: it does not fill a single one.
    """
    streams = streams_for(sum(map(len, train)), "samples", data_dir, batch_size, seq_length)
    return min(streams, sum(_windows(train, seq_length)))


def _windows(train: Sequence[np.ndarray], seq_length: int) -> list[int]:
    """Windows in each ring; a ring that is shorter than a window goes round."""
    return [max(1, len(ring) // seq_length) for ring in train]


@dataclass(frozen=True)
class Excerpts:
    """Training windows of T samples, each with the R - 1 before them. All samples are trained on once in an epoch, but
    for what does not fill a window; in another order, and cut in other places, each time.

    Attributes:
        train: uint8 [N] for each condition; just one where there are no conditions.
        context: R.
        batch_size: B.
        seq_length: T.
        seed: of the order.
    """

    train: Sequence[np.ndarray]
    context: int
    batch_size: int
    seq_length: int
    seed: int = 0

    @functools.cached_property
    def _samples(self) -> np.ndarray:
        return np.concatenate(self.train)

    @functools.cached_property
    def _lengths(self) -> np.ndarray:
        return np.array([len(ring) for ring in self.train])

    @functools.cached_property
    def _counts(self) -> np.ndarray:
        return np.array(_windows(self.train, self.seq_length))

    @property
    def windows(self) -> int:
        """Batches of windows in an epoch."""
        return int(self._counts.sum()) // self.batch_size

    def window(self, epoch: int, number: int) -> tuple[Inputs, np.ndarray]:
        """Inputs [R - 1 + T, B], beside the conditions [B] where there are some, and targets [T, B], int32: the last
        inputs are those right before the targets.
        """
        order, first = _epoch(self.seed, epoch, self._counts.sum(), tuple(self._lengths))
        return self._cut(order[number * self.batch_size : (number + 1) * self.batch_size], first)

    def _cut(self, mine: np.ndarray, first: np.ndarray) -> tuple[Inputs, np.ndarray]:
        """What `window` gives, for windows of these numbers [B], where those of each ring begin at the samples `first`
        of it.
        """
        ends = np.cumsum(self._counts)
        labels = np.searchsorted(ends, mine, side="right")
        starts = first[labels] + (mine - (ends - self._counts)[labels]) * self.seq_length
        steps = np.arange(self.context + self.seq_length)
        places = (starts + steps[:, None]) % self._lengths[labels]
        values = self._samples[(np.cumsum(self._lengths) - self._lengths)[labels] + places].astype(np.int32)
        return _inputs(values[:-1], labels, len(self.train)), values[self.context :]


class Streams(Excerpts):
    """The same windows for a network that carries its state on: each of B streams reads consecutive ones, which make up
    sounds one after the other, and at some time those of the next condition. The context is a single sample.

    Args:
        train: uint8 [N] for each condition.
        batch_size: B.
        seq_length: T.
        seed: of the places where the windows of each epoch begin.
    """

    def __init__(self, train: Sequence[np.ndarray], batch_size: int, seq_length: int, seed: int = 0):
        super().__init__(train, 1, batch_size, seq_length, seed)

    def window(self, epoch: int, number: int) -> tuple[Inputs, np.ndarray]:
        """Inputs [T, B], beside the conditions [B] where there are some, and targets [T, B], int32."""
        first = np.random.default_rng((self.seed, epoch)).integers(self._lengths)
        return self._cut(np.arange(self.batch_size) * self.windows + number, first)


@functools.lru_cache(maxsize=1)
def _epoch(seed: int, epoch: int, windows: int, lengths: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The order of an epoch's windows, and the samples at which the first of each ring begins; asked for at every
    step.
    """
    rng = np.random.default_rng((seed, epoch))
    return rng.permutation(windows), rng.integers(lengths)


def _inputs(values: np.ndarray, labels: np.ndarray, conditions: int) -> Inputs:
    return (values, labels.astype(np.int32)) if conditions > 1 else values


@dataclass(frozen=True)
class HeldOutSounds:
    """Windows that predict each held-out sample exactly once; before the first of each condition stands the end of its
    training data.

    Attributes:
        held_out: uint8 [N] for each condition.
        before: uint8 [any number] for each condition.
        context: R.
        batch_size: B.
        seq_length: T.
    """

    held_out: Sequence[np.ndarray]
    before: Sequence[np.ndarray]
    context: int
    batch_size: int
    seq_length: int

    def __iter__(self) -> Iterator[tuple[Inputs, np.ndarray, np.ndarray]]:
        """Inputs [R - 1 + T, B], beside the conditions [B] where there are some, targets [T, B], int32, and weights
        [T, B] float32 (1 where counted, else 0).
        """
        field, length = self.context, self.seq_length
        # The samples before wrap around where they are fewer than the context.
        parts = [
            part
            for before, ring in zip(self.before, self.held_out, strict=True)
            for part in (np.take(before, np.arange(-field, 0), mode="wrap"), ring)
        ]
        sequence = np.concatenate(parts)
        ends = np.cumsum([field + len(ring) for ring in self.held_out])
        firsts = ends - field - [len(ring) for ring in self.held_out]
        starts = np.concatenate([np.arange(*span, length) for span in zip(firsts, ends - field, strict=True)])
        filling = np.full(-len(starts) % self.batch_size, len(sequence))
        for batch in np.concatenate([starts, filling]).reshape(-1, self.batch_size):
            labels = np.minimum(np.searchsorted(ends, batch, side="right"), len(ends) - 1)
            places = batch + np.arange(field + length)[:, None]
            values = sequence[np.minimum(places, len(sequence) - 1)].astype(np.int32)
            counted = (places[field:] < ends[labels]).astype(np.float32)
            yield _inputs(values[:-1], labels, len(self.held_out)), values[field:], counted


@dataclass(frozen=True)
class HeldOutStreams:
    """Windows that predict each held-out sample exactly once, for a network that carries its state on: the conditions
    are read side by side, and before each part of theirs is read what comes before it.

    Attributes:
        held_out: uint8 [N] for each condition.
        before: uint8 [any number] for each condition, what comes before it.
        context: samples that are read and not counted before each part.
    """

    held_out: Sequence[np.ndarray]
    before: Sequence[np.ndarray]
    context: int

    def __iter__(self) -> Iterator[tuple[Inputs, np.ndarray, np.ndarray]]:
        """Inputs [T, B], beside the conditions [B] where there are some, targets [T, B], int32, and weights [T, B]
        float32 (1 where counted, else 0).
        """
        conditions = len(self.held_out)
        each = max(1, STREAMS // conditions)
        labels = np.repeat(np.arange(conditions), each)
        parts = [
            EvalBatches(ring, before, each, context=self.context)
            for ring, before in zip(self.held_out, self.before, strict=True)
        ]
        # Of a condition with fewer sounds there is nothing to count in the end.
        blank = np.zeros((parts[0].seq_length, each), np.int32)
        nothing = blank, blank, blank.astype(np.float32)
        for windows in zip_longest(*parts, fillvalue=nothing):
            values, targets, counted = (np.concatenate(arrays, axis=1) for arrays in zip(*windows, strict=True))
            yield _inputs(values, labels, conditions), targets, counted
