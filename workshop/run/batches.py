"""One long sequence of symbols as batches of windows, for training with the state carried from window to window.

The sequence is cut into B streams of equal length that are read side by side, T symbols at a time, so that the state
after a window of a stream is the state before its next window. Nothing is copied: a window is gathered from the
sequence when it is asked for.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from workshop.errors import UserError


@dataclass(frozen=True)
class StatefulBatches:
    """Training windows over `ids`, a sequence of symbols.

    Each epoch starts at another place of the sequence, taken as a ring, so that windows never fall in the same places
    twice; where, depends on nothing but the seed and the epoch's number.

    Attributes:
        ids: the sequence, of any integer type.
        batch_size: B.
        seq_length: T.
        seed: of the places where the epochs start.
    """

    ids: np.ndarray
    batch_size: int
    seq_length: int
    seed: int = 0

    @property
    def windows(self) -> int:
        """Windows in an epoch; less than a window per stream is left over, in another place each time."""
        return (len(self.ids) - 1) // (self.batch_size * self.seq_length)

    def window(self, epoch: int, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs [T, B] and targets [T, B] (the inputs one step later) as int32, for epochs and windows counted from
        0.
        """
        size = len(self.ids)
        start = 0 if epoch == 0 else int(np.random.default_rng((self.seed, epoch)).integers(size))
        streams = np.arange(self.batch_size) * self.windows * self.seq_length
        steps = np.arange(self.seq_length + 1) + number * self.seq_length
        symbols = self.ids[(start + steps[:, None] + streams[None, :]) % size].astype(np.int32)
        return symbols[:-1], symbols[1:]


@dataclass(frozen=True)
class ShuffledPieces:
    """Training windows over pieces that are put in a new order, and can be varied, in each epoch.

    What an epoch holds depends on nothing but the seed and its number. Its windows are as many as those of the pieces
    as they are, read as a ring, whatever the variation makes of their lengths.

    Attributes:
        pieces: sequences of symbols.
        separator: the symbol that stands before each piece.
        batch_size: B.
        seq_length: T.
        vary: makes another version of a piece; None leaves all as they are.
        seed: of the orders and the variations.
    """

    pieces: Sequence[np.ndarray]
    separator: int
    batch_size: int
    seq_length: int
    vary: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None
    seed: int = 0
    _kept: list[Any] = field(default_factory=lambda: [None, None], init=False, repr=False, compare=False)

    @property
    def windows(self) -> int:
        """Windows in an epoch."""
        return (sum(len(piece) + 1 for piece in self.pieces) - 1) // (self.batch_size * self.seq_length)

    def window(self, epoch: int, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs [T, B] and targets [T, B] as int32, for epochs and windows counted from 0."""
        ids = self._epoch(epoch)
        streams = np.arange(self.batch_size) * self.windows * self.seq_length
        steps = np.arange(self.seq_length + 1) + number * self.seq_length
        symbols = ids[(steps[:, None] + streams[None, :]) % len(ids)].astype(np.int32)
        return symbols[:-1], symbols[1:]

    def _epoch(self, epoch: int) -> np.ndarray:
        """The symbols of an epoch in one row; the last one that was asked for is kept."""
        if self._kept[0] != epoch:
            rng = np.random.default_rng((self.seed, epoch))
            pieces = [self.pieces[k] for k in rng.permutation(len(self.pieces))]
            self._kept[:] = epoch, join([self.vary(p, rng) for p in pieces] if self.vary else pieces, self.separator)
        return self._kept[1]


def join(pieces: Sequence[np.ndarray], separator: int) -> np.ndarray:
    """All pieces in one row, each after a separator."""
    return np.concatenate([part for piece in pieces for part in (np.array([separator], piece.dtype), piece)])


def hold_out(pieces: Sequence[np.ndarray], share: float) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Pieces to train on, and the last of them, about a `share` of their number, to measure with; at least one is on
    each side. A single piece is cut in two; one symbol alone is trained on.
    """
    if len(pieces) == 1:
        cut = max(1, min(int(len(pieces[0]) * (1 - share)), len(pieces[0]) - 1))
        return [pieces[0][:cut]], [pieces[0][cut:]]
    held_out = max(1, min(len(pieces) - 1, round(len(pieces) * share)))
    return list(pieces[:-held_out]), list(pieces[-held_out:])


def streams_for(symbols: int, unit: str, path: Path, batch_size: int, seq_length: int) -> int:
    """How many streams to read side by side: `batch_size`, or fewer where little data would not fill a window of each.

    Args:
        symbols: how many there are to train on.
        unit: what they are called ("characters").
        path: where they are from.
        batch_size: B.
        seq_length: T.

    Raises:
        UserError: they do not fill a single window.
    """
    streams = (symbols - 1) // seq_length
    if streams < 1:
        raise UserError(
            f"{path} is too short: {symbols:,} {unit} are left to train on, and a window takes {seq_length + 1}; "
            "add more, or give a shorter --seq_length"
        )
    return min(batch_size, streams)


@dataclass(frozen=True)
class EvalBatches:
    """Windows that predict each symbol of `ids` exactly once, each knowing the symbols before it.

    The held-out sequence is read in `streams` parts side by side. Each part is preceded by `context` symbols that are
    read but not counted, so that the state is as good at the beginning of a part as within it; the first part is
    preceded by the end of the training data.

    Attributes:
        ids: the held-out sequence.
        before: symbols that come before it.
        streams: B.
        seq_length: T.
        context: symbols read before the first counted one of each part.
    """

    ids: np.ndarray
    before: np.ndarray
    streams: int = 20
    seq_length: int = 100
    context: int = 300

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Inputs [T, B] int32, targets [T, B] int32 and weights [T, B] float32 (1 where counted, else 0)."""
        before = self.before[-(self.context + 1) :]
        sequence = np.concatenate([before, self.ids]).astype(np.int32)
        part = -(-len(self.ids) // self.streams)
        first = len(before) + part * np.arange(self.streams)  # the first counted symbol of each part
        steps = np.arange(-self.context, part)
        steps = np.concatenate(
            [steps, np.full(-len(steps) % self.seq_length, part)]
        )  # filled up to whole windows, not counted
        for at in range(0, len(steps), self.seq_length):
            place = first[None, :] + steps[at : at + self.seq_length, None]
            counted = (steps[at : at + self.seq_length, None] >= 0) & (steps[at : at + self.seq_length, None] < part)
            counted = counted & (place >= 1) & (place < len(sequence))
            inputs = sequence[np.clip(place - 1, 0, len(sequence) - 1)]
            targets = sequence[np.clip(place, 0, len(sequence) - 1)]
            yield inputs, targets, counted.astype(np.float32)
