"""Windows: of the training text in order, with the state's promise kept; of the held-out text each symbol once."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from workshop.run.batches import EvalBatches, ShuffledPieces, StatefulBatches, join

SIZES = st.tuples(st.integers(2, 400), st.integers(1, 7), st.integers(1, 9))


def streams(size: int, batch: int, steps: int, seed: int = 0) -> StatefulBatches:
    """Over the symbols 0, 1, 2 and so on, so that a symbol says where it stood."""
    return StatefulBatches(np.arange(size), batch, steps, seed)


# ---- training


@given(sizes=SIZES, epoch=st.integers(0, 3), seed=st.integers(0, 5))
def test_an_epoch_reads_each_symbol_at_most_once_and_leaves_little_out(
    sizes: tuple[int, int, int], epoch: int, seed: int
) -> None:
    size, batch, steps = sizes
    data = streams(size, batch, steps, seed)
    assume(data.windows)
    windows = [data.window(epoch, number) for number in range(data.windows)]
    inputs = np.stack([window[0] for window in windows])
    targets = np.stack([window[1] for window in windows])
    assert inputs.shape == targets.shape == (data.windows, steps, batch)
    assert inputs.dtype == targets.dtype == np.int32
    # Each target follows its input, on the ring that the text is.
    assert (targets == (inputs + 1) % size).all()
    # A window goes on where the window before it stopped, stream by stream: the state carried over is the right one.
    assert (inputs[1:, 0] == targets[:-1, -1]).all()
    assert len(np.unique(inputs)) == inputs.size
    assert size - 1 - inputs.size < batch * steps


def test_the_first_epoch_starts_at_the_beginning_and_streams_lie_side_by_side() -> None:
    data = streams(21, 2, 5)
    assert data.windows == 2
    inputs, targets = data.window(0, 0)
    assert inputs.T.tolist() == [[0, 1, 2, 3, 4], [10, 11, 12, 13, 14]]
    assert targets.T.tolist() == [[1, 2, 3, 4, 5], [11, 12, 13, 14, 15]]
    inputs, targets = data.window(0, 1)
    assert inputs.T.tolist() == [[5, 6, 7, 8, 9], [15, 16, 17, 18, 19]]
    assert targets[-1].tolist() == [10, 20]


def test_the_first_epoch_never_predicts_the_beginning_from_the_end() -> None:
    data = streams(20, 2, 5)
    targets = [data.window(0, number)[1] for number in range(data.windows)]
    assert 0 not in np.stack(targets)


def test_other_epochs_start_elsewhere_by_the_seed_and_the_epoch_alone() -> None:
    starts = {epoch: int(streams(100_000, 2, 5).window(epoch, 0)[0][0, 0]) for epoch in range(6)}
    assert starts[0] == 0
    assert len(set(starts.values())) == 6
    again = streams(100_000, 2, 5)
    assert all(again.window(epoch, 0)[0][0, 0] == start for epoch, start in reversed(starts.items()))
    other = streams(100_000, 2, 5, seed=1)
    assert all(other.window(epoch, 0)[0][0, 0] != starts[epoch] for epoch in range(1, 6))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64])
def test_any_integer_type_is_read(dtype: type) -> None:
    inputs, targets = StatefulBatches(np.arange(200, 250).astype(dtype), 2, 5).window(0, 0)
    assert inputs[:, 0].tolist() == [200, 201, 202, 203, 204]
    assert targets[:, 0].tolist() == [201, 202, 203, 204, 205]


# ---- pieces in another order each time

SEPARATOR = 0
LENGTHS = st.lists(st.integers(0, 40), min_size=1, max_size=12)


def numbered(lengths: list[int]) -> list[np.ndarray]:
    """Pieces whose symbols, from 1 on, all differ, so that a symbol says where it stood."""
    ends = np.cumsum(lengths)
    return [np.arange(end - length + 1, end + 1, dtype=np.int16) for end, length in zip(ends, lengths, strict=True)]


def read_epoch(data: ShuffledPieces, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of all windows of an epoch, [windows, T, B]."""
    windows = [data.window(epoch, number) for number in range(data.windows)]
    inputs, targets = (np.stack([window[k] for window in windows]) for k in (0, 1))
    assert inputs.shape == targets.shape == (data.windows, data.seq_length, data.batch_size)
    assert inputs.dtype == targets.dtype == np.int32
    return inputs, targets


def in_order(inputs: np.ndarray) -> list[int]:
    """Symbols of an epoch as they stood in the row: stream after stream."""
    return inputs.transpose(2, 0, 1).ravel().tolist()


def one_higher(piece: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return piece + 1000


def some_of_it(piece: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shorter or longer, as a performance that is played faster or slower."""
    return np.resize(piece, int(rng.integers(0, 2 * len(piece) + 1))) if len(piece) else piece


@given(
    lengths=LENGTHS, batch=st.integers(1, 5), steps=st.integers(1, 9), epoch=st.integers(0, 3), seed=st.integers(0, 5)
)
def test_an_epoch_of_pieces_reads_each_symbol_once_up_to_a_remainder(
    lengths: list[int], batch: int, steps: int, epoch: int, seed: int
) -> None:
    pieces = numbered(lengths)
    data = ShuffledPieces(pieces, SEPARATOR, batch, steps, seed=seed)
    size = sum(lengths) + len(lengths)
    assert data.windows == (size - 1) // (batch * steps)
    assume(data.windows)
    inputs, targets = read_epoch(data, epoch)
    read = in_order(inputs)
    assert size - 1 - len(read) < batch * steps
    symbols = [symbol for symbol in read if symbol != SEPARATOR]
    assert len(set(symbols)) == len(symbols)
    # Whole pieces one after the other, each after a separator; the last one may be cut short.
    assert read[0] == SEPARATOR
    whole = {tuple(piece.tolist()) for piece in pieces}
    found = "".join(map(chr, read[1:])).split(chr(SEPARATOR))
    for text in found[:-1]:
        assert tuple(map(ord, text)) in whole
    last = tuple(map(ord, found[-1]))
    assert any(piece[: len(last)] == last for piece in whole)
    # The next symbol is asked for, and a window goes on where the one before it ended.
    assert (inputs[:, 1:] == targets[:, :-1]).all()
    assert (inputs[1:, 0] == targets[:-1, -1]).all()
    # A stream ends where the one beside it begins.
    assert (targets[-1, -1, :-1] == inputs[0, 0, 1:]).all()


@given(lengths=LENGTHS, steps=st.integers(1, 9), seed=st.integers(0, 5), epoch=st.integers(0, 3))
def test_windows_depend_on_the_seed_and_their_numbers_alone(
    lengths: list[int], steps: int, seed: int, epoch: int
) -> None:
    """Asked for in any order and by anybody, with a variation that makes pieces longer and shorter."""
    one, other = (ShuffledPieces(numbered(lengths), SEPARATOR, 2, steps, some_of_it, seed) for _ in range(2))
    assume(one.windows)
    inputs, targets = read_epoch(one, epoch)
    assert (inputs[1:, 0] == targets[:-1, -1]).all()
    for number in reversed(range(other.windows)):
        other.window(epoch + 1, 0)
        assert (other.window(epoch, number)[0] == inputs[number]).all()
        assert (other.window(epoch, number)[1] == targets[number]).all()
    assert one.windows == ShuffledPieces(numbered(lengths), SEPARATOR, 2, steps).windows


def test_each_epoch_and_each_seed_has_another_order() -> None:
    pieces = numbered([3] * 20)
    orders = [
        tuple(symbol for symbol in in_order(read_epoch(ShuffledPieces(pieces, SEPARATOR, 1, 79, seed=seed), epoch)[0]))
        for seed in (0, 1)
        for epoch in range(4)
    ]
    assert len(set(orders)) == 8
    assert all(sorted(order) == sorted(orders[0]) for order in orders if order[-1] == orders[0][-1])


def test_a_variation_is_made_of_every_piece_and_of_nothing_else() -> None:
    pieces = numbered([5, 7, 3])
    before = [piece.copy() for piece in pieces]
    read = in_order(read_epoch(ShuffledPieces(pieces, SEPARATOR, 1, 17, one_higher), 2)[0])
    assert read.count(SEPARATOR) == 3
    assert all(1001 <= symbol <= 1015 for symbol in read if symbol != SEPARATOR)
    assert all((one == other).all() for one, other in zip(pieces, before, strict=True))


def test_a_variation_is_another_one_for_each_piece_and_epoch() -> None:
    def anything(piece: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return piece + int(rng.integers(1, 1 << 30))

    data = ShuffledPieces([np.zeros(1, np.int64)] * 10, SEPARATOR, 1, 19, anything)
    added = [{symbol for symbol in in_order(read_epoch(data, epoch)[0]) if symbol} for epoch in range(3)]
    assert len(set.union(*added)) == sum(map(len, added)) >= 27


def test_where_a_variation_shortens_the_pieces_they_begin_again() -> None:
    def halved(piece: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return piece[: len(piece) // 2]

    data = ShuffledPieces(numbered([20]), SEPARATOR, 1, 20, halved)
    row = [SEPARATOR, *range(1, 11)]
    inputs, targets = data.window(0, 0)
    assert inputs[:, 0].tolist() == (row * 2)[:20]
    assert targets[:, 0].tolist() == (row * 2)[1:21]


def test_pieces_are_joined_each_after_a_separator() -> None:
    joined = join([np.array([1, 2], np.int16), np.array([], np.int16), np.array([3], np.int16)], 9)
    assert joined.tolist() == [9, 1, 2, 9, 9, 3]
    assert joined.dtype == np.int16


# ---- held-out data


@given(
    held_out=st.integers(1, 120),
    before=st.integers(1, 60),
    parts=st.integers(1, 12),
    steps=st.integers(1, 15),
    context=st.integers(0, 30),
)
def test_each_held_out_symbol_is_predicted_once_after_the_symbols_before_it(
    held_out: int, before: int, parts: int, steps: int, context: int
) -> None:
    everything = np.arange(before + held_out)
    data = EvalBatches(everything[before:], everything[:before], parts, steps, context)
    windows = list(data)
    inputs = np.concatenate([window[0] for window in windows])
    targets = np.concatenate([window[1] for window in windows])
    counted = np.concatenate([window[2] for window in windows])
    assert all(array.shape == (steps, parts) for window in windows for array in window)
    assert inputs.dtype == targets.dtype == np.int32
    assert counted.dtype == np.float32
    assert set(np.unique(counted)) <= {0.0, 1.0}
    # Counted: every symbol of the held-out part once, none of the others, and each with the symbol before it as input.
    assert sorted(targets[counted == 1].tolist()) == list(range(before, before + held_out))
    assert (inputs[counted == 1] == targets[counted == 1] - 1).all()
    for column in range(parts):
        places = np.flatnonzero(counted[:, column])
        if not len(places):
            continue
        # In one piece, and read after `context` symbols where there are so many.
        first, last = places[0], places[-1]
        assert len(places) == last - first + 1
        read_before = min(context, int(targets[first, column]) - 1)
        column_inputs = inputs[first - read_before : last + 1, column]
        assert (np.diff(column_inputs) == 1).all()
        assert column_inputs[0] == targets[first, column] - 1 - read_before


def test_without_a_symbol_before_it_the_first_one_cannot_be_predicted() -> None:
    windows = list(EvalBatches(np.arange(5), np.arange(0), 2, 4, 3))
    counted = np.concatenate([window[2] for window in windows])
    targets = np.concatenate([window[1] for window in windows])
    assert sorted(targets[counted == 1].tolist()) == [1, 2, 3, 4]


def test_it_can_be_read_again() -> None:
    data = EvalBatches(np.arange(50, 90, dtype=np.uint8), np.arange(50, dtype=np.uint8), 3, 7, 5)
    first, second = list(data), list(data)
    assert len(first) == len(second) > 1
    assert all(
        (a == b).all() for one, other in zip(first, second, strict=True) for a, b in zip(one, other, strict=True)
    )


def test_only_the_end_of_the_training_data_is_looked_at() -> None:
    """A training text of 1 GB is not copied to measure on what follows it."""
    short = list(EvalBatches(np.arange(30) % 7, np.arange(1000)[-6:] % 7, 2, 10, 5))
    long = list(EvalBatches(np.arange(30) % 7, np.arange(1000) % 7, 2, 10, 5))
    assert all((a == b).all() for one, other in zip(short, long, strict=True) for a, b in zip(one, other, strict=True))
