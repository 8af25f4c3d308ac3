"""Windows over sounds: every sample once, none padded, none in the wrong condition."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from workshop.audio import excerpts as module
from workshop.audio.excerpts import (
    MOST_MEASURED,
    Excerpts,
    HeldOutSounds,
    HeldOutStreams,
    Streams,
    rings,
    side_by_side,
)  # fmt: skip
from workshop.audio.library import Sounds
from workshop.errors import UserError

SIZES = st.tuples(st.integers(1, 40), st.integers(1, 4), st.integers(1, 12))


def numbered(count: int) -> np.ndarray:
    """Values that tell where they are from: no two places of a ring this short have the same."""
    assert count <= 256
    return np.arange(count).astype(np.uint8)


@given(SIZES, st.integers(1, 256), st.integers(0, 3), st.integers(0, 100))
def test_in_an_epoch_every_sample_is_a_target_once(
    sizes: tuple[int, int, int], count: int, epoch: int, seed: int
) -> None:
    field, batch_size, length = sizes
    assume(count >= length)
    excerpts = Excerpts([numbered(count)], field, batch_size, length, seed)
    seen: Counter[int] = Counter()
    for number in range(excerpts.windows):
        inputs, targets = excerpts.window(epoch, number)
        assert inputs.shape == (field - 1 + length, batch_size)
        assert targets.shape == (length, batch_size)
        assert inputs.dtype == targets.dtype == np.int32
        # Each target follows the input R - 1 + t, and the inputs follow one another.
        follows = np.concatenate([inputs, targets[-1:]])
        assert (np.diff(follows, axis=0) % count == 1 % count).all()
        assert (targets[:-1] == inputs[field:]).all()
        seen.update(targets.ravel().tolist())
    assert all(times == 1 for times in seen.values())
    assert count - len(seen) < batch_size * length


def test_each_epoch_has_another_order_and_is_always_the_same() -> None:
    def epoch(seed: int, number: int) -> list[list[int]]:
        excerpts = Excerpts([numbered(250)], 7, 2, 5, seed)
        return [excerpts.window(number, k)[1].T.ravel().tolist() for k in range(excerpts.windows)]

    epochs = [epoch(seed, number) for seed in (0, 1) for number in range(4)]
    assert len({str(windows) for windows in epochs}) == 8
    assert epochs == [epoch(seed, number) for seed in (0, 1) for number in range(4)]
    # Windows do not begin at the same places in all epochs either.
    assert len({windows[0][0] % 5 for windows in epochs}) > 1


def test_a_ring_that_is_shorter_than_the_receptive_field_goes_round() -> None:
    inputs, targets = Excerpts([numbered(10)], 35, 1, 4).window(0, 0)
    assert (np.diff(np.concatenate([inputs, targets[-1:]]), axis=0) % 10 == 1).all()


@given(SIZES, st.integers(1, 100), st.integers(1, 60))
def test_each_held_out_sample_is_counted_once_after_those_before_it(
    sizes: tuple[int, int, int], count: int, before: int
) -> None:
    field, batch_size, length = sizes
    # The last R of the training data, which goes round where it is shorter.
    train, held_out = numbered(before), np.arange(100, 100 + count).astype(np.uint8)
    whole = np.concatenate([np.tile(train, field // before + 1)[-field:], held_out]).tolist()
    counted = []
    for inputs, targets, weights in HeldOutSounds([held_out], [train], field, batch_size, length):
        assert inputs.shape == (field - 1 + length, batch_size)
        assert targets.shape == weights.shape == (length, batch_size)
        assert inputs.dtype == targets.dtype == np.int32
        assert weights.dtype == np.float32
        assert set(weights.ravel().tolist()) <= {0.0, 1.0}
        for t, b in zip(*np.nonzero(weights), strict=True):
            target = int(targets[t, b])
            counted.append(target)
            place = field + target - 100
            assert inputs[t : t + field, b].tolist() == whole[place - field : place]
    assert sorted(counted) == held_out.tolist()


# ---- conditions: the values of each ring tell its number


def ring(label: int, count: int) -> np.ndarray:
    return (10 * label + np.arange(count) % 10).astype(np.uint8)


COUNTS = st.lists(st.integers(1, 60), min_size=2, max_size=5)


@given(COUNTS, SIZES, st.integers(0, 3))
def test_a_window_lies_in_one_condition_and_names_it(
    counts: list[int], sizes: tuple[int, int, int], epoch: int
) -> None:
    field, batch_size, length = sizes
    excerpts = Excerpts([ring(label, count) for label, count in enumerate(counts)], field, batch_size, length)
    for number in range(excerpts.windows):
        (values, labels), targets = excerpts.window(epoch, number)
        assert values.shape == (field - 1 + length, batch_size)
        assert labels.shape == (batch_size,)
        assert labels.dtype == np.int32
        assert (values // 10 == labels).all()
        assert (targets // 10 == labels).all()


@given(COUNTS, st.integers(1, 12), st.integers(0, 3))
def test_every_condition_is_trained_on_in_every_epoch(counts: list[int], length: int, epoch: int) -> None:
    excerpts = Excerpts([ring(label, count) for label, count in enumerate(counts)], 3, 1, length)
    seen = Counter(int(excerpts.window(epoch, number)[0][1][0]) for number in range(excerpts.windows))
    assert seen == {label: max(1, count // length) for label, count in enumerate(counts)}


@given(COUNTS, SIZES)
def test_each_held_out_sample_of_each_condition_is_counted_once(counts: list[int], sizes: tuple[int, int, int]) -> None:
    field, batch_size, length = sizes
    held_out = [ring(label, count) for label, count in enumerate(counts)]
    before = [np.full(3, 10 * label + 9, np.uint8) for label in range(len(counts))]
    counted: Counter[int] = Counter()
    for (values, labels), targets, weights in HeldOutSounds(held_out, before, field, batch_size, length):
        assert ((targets // 10 == labels) | (weights == 0)).all()
        # A window that counts hears nothing of another condition, and what comes before it.
        assert (values[:field, weights[0] > 0] // 10 == labels[weights[0] > 0]).all()
        counted.update(targets[weights > 0].tolist())
    assert counted == Counter(np.concatenate(held_out).tolist())


def test_of_a_long_held_out_part_the_same_share_of_each_condition_is_measured() -> None:
    parts = [[np.zeros(count, np.uint8)] for count in (3 * MOST_MEASURED, MOST_MEASURED, 4)]
    train, held_out = rings(Sounds(parts, parts, {}, [], []))
    assert [len(values) for values in train] == [3 * MOST_MEASURED, MOST_MEASURED, 4]
    assert [len(values) for values in held_out] == pytest.approx([0.75 * MOST_MEASURED, 0.25 * MOST_MEASURED, 1], abs=2)


def test_little_sound_makes_fewer_windows_at_once_and_none_is_an_error() -> None:
    assert side_by_side([numbered(100)], Path("x"), 8, 10) == 8
    assert side_by_side([numbered(45)], Path("x"), 8, 10) == 4
    # Three rings of a window and a half make three windows, not four.
    assert side_by_side([numbered(15)] * 3, Path("x"), 8, 10) == 3
    with pytest.raises(UserError, match="x is too short: 5 samples"):
        side_by_side([numbered(5)], Path("x"), 8, 10)


# ---- for a network that carries its state on


@given(st.lists(st.integers(1, 80), min_size=1, max_size=3), st.integers(1, 4), st.integers(1, 9), st.integers(0, 2))
def test_streams_go_on_where_they_stopped(sizes: list[int], batch_size: int, length: int, epoch: int) -> None:
    """Within the sounds of a condition a window begins where the last one of its stream ended; each sample is a target
    once, with its own condition beside it.
    """
    assume(sum(max(1, size // length) for size in sizes) >= batch_size)
    ends = np.cumsum(sizes)
    train = [np.arange(end - size, end).astype(np.uint8) for size, end in zip(sizes, ends, strict=True)]
    streams = Streams(train, batch_size, length)
    seen: Counter[int] = Counter()
    before = None
    for number in range(streams.windows):
        inputs, targets = streams.window(epoch, number)
        values, labels = inputs if len(train) > 1 else (inputs, np.zeros(batch_size, int))
        assert values.shape == targets.shape == (length, batch_size)
        assert (values[1:] == targets[:-1]).all()
        assert (np.searchsorted(ends, targets, side="right") == labels).all()
        if before is not None:
            same = labels == before[1]
            assert (values[0] == before[0])[same].all()
        before = targets[-1], labels
        seen.update(targets.ravel().tolist())
    for size, ring in zip(sizes, train, strict=True):
        if size >= length:  # a shorter one goes round
            assert all(seen[value] <= 1 for value in ring.tolist())


def test_streams_begin_in_another_place_in_each_epoch() -> None:
    first = [Streams([numbered(250)], 2, 5).window(epoch, 0)[1][0, 0] for epoch in range(6)]
    assert len(set(first)) > 3
    assert first == [Streams([numbered(250)], 2, 5).window(epoch, 0)[1][0, 0] for epoch in range(6)]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=3), st.integers(0, 30))
def test_streams_measure_each_held_out_sample_once(sizes: list[int], context: int) -> None:
    """Of all conditions, each under its own, and none of another."""
    ends = np.cumsum(sizes)
    held_out = [np.arange(end - size, end).astype(np.uint8) for size, end in zip(sizes, ends, strict=True)]
    before = [np.full(40, 200 + number, np.uint8) for number in range(len(sizes))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "STREAMS", 4)
        windows = list(HeldOutStreams(held_out, before, context))
    counted: Counter[int] = Counter()
    for inputs, targets, weights in windows:
        values, labels = inputs if len(sizes) > 1 else (inputs, np.zeros(targets.shape[1], int))
        assert values.shape == targets.shape == weights.shape
        for t, b in zip(*np.nonzero(weights), strict=True):
            target = int(targets[t, b])
            counted[target] += 1
            assert np.searchsorted(ends, target, side="right") == labels[b]
            start = target == held_out[labels[b]][0]
            assert values[t, b] == (200 + labels[b] if start else target - 1)
    assert counted == Counter(range(sum(sizes)))
    assert len({inputs[0].shape if len(sizes) > 1 else inputs.shape for inputs, *_ in windows}) == 1
