"""The memorisation check: against brute force, with planted passages, across blocks, and with hashes that collide."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop.text import overlap
from workshop.text.overlap import Overlap, longest_copied


def brute_force(sample: list[int], training: list[int]) -> Overlap:
    """Every pair of starts; of the longest passages the first in training, then in sample."""
    best = Overlap(0, 0, 0)
    for training_start in range(len(training)):
        for sample_start in range(len(sample)):
            length = 0
            while sample[sample_start + length :][:1] == training[training_start + length :][:1] != []:
                length += 1
            if length > best.length:
                best = Overlap(length, sample_start, training_start)
    return best


short_sequences = st.lists(st.integers(0, 2), max_size=40)


@pytest.fixture(params=[1, 3, 16, 1 << 16])
def _block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlap, "_BLOCK", request.param)


@pytest.mark.parametrize("block_size", [1, 3, 16, 1 << 16])
@given(sample=short_sequences, training=short_sequences)
def test_agrees_with_brute_force(block_size: int, sample: list[int], training: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlap, "_BLOCK", block_size)
        assert longest_copied(sample, np.array(training, dtype=np.uint8)) == brute_force(sample, training)


@given(sample=short_sequences, training=short_sequences)
def test_collisions_are_never_reported(sample: list[int], training: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # With base 1 all windows with the same sum collide.
        patch.setattr(overlap, "_BASE", 1)
        assert longest_copied(sample, np.array(training, dtype=np.uint8)) == brute_force(sample, training)


def test_thue_morse_sequences_collide() -> None:
    # Such a sequence and its complement collide modulo 2**64 at length 2**11 whatever the base is.
    sequence = np.array([index.bit_count() & 1 for index in range(1 << 11)])
    hasher = overlap._Hasher(1 << 11)
    np.testing.assert_array_equal(hasher.windows(sequence, 1 << 11), hasher.windows(1 - sequence, 1 << 11))
    windows = overlap._Windows(sequence, 1 << 11, hasher)
    assert windows.first_in(sequence) == (0, 0)
    assert windows.first_in(1 - sequence) is None


@pytest.mark.parametrize("place", [0, 1, 65_000, 65_535, 65_536, 131_000, 999_000])
def test_planted_passage_in_a_million(place: int) -> None:
    rng = np.random.default_rng(place)
    training = rng.integers(0, 200, size=1_000_000).astype(np.uint8)
    sample = rng.integers(0, 200, size=10_000)
    sample[4_000:5_000] = training[place : place + 1_000]
    for before, after in ((3_999, place - 1), (5_000, place + 1_000)):
        # A symbol that training does not have fences the passage in.
        sample[before] = 200
        assert after < 0 or after >= len(training) or training[after] != 200
    assert longest_copied(sample, training) == Overlap(1_000, 4_000, place)


@pytest.mark.usefixtures("_block")
def test_whole_sample_across_blocks() -> None:
    training = np.random.default_rng(1).integers(0, 256, size=1_000)
    assert longest_copied(training[300:700], training) == Overlap(400, 0, 300)
    assert longest_copied(training, training[300:700]) == Overlap(400, 300, 0)


@pytest.mark.usefixtures("_block")
def test_growing_runs_are_all_outdone() -> None:
    runs = np.concatenate([[1] * length + [2] for length in range(1, 30)])
    assert longest_copied(np.ones(100, dtype=int), runs) == Overlap(29, 0, len(runs) - 30)


def test_first_of_equals() -> None:
    assert longest_copied([1, 2, 9, 3, 4], np.array([3, 4, 0, 1, 2])) == Overlap(2, 3, 0)
    assert longest_copied([1, 2, 9, 1, 2], np.array([0, 1, 2, 0, 1, 2])) == Overlap(2, 0, 1)


@pytest.mark.parametrize(("sample", "training"), [([], []), ([], [1]), ([1], []), ([1, 1], [2, 3, 2])])
def test_nothing_in_common(sample: list[int], training: list[int]) -> None:
    assert longest_copied(sample, np.array(training)) == Overlap(0, 0, 0)


def test_symbols_of_any_integer_type() -> None:
    assert longest_copied([-1, -2], np.array([5, -1, -2], dtype=np.int8)) == Overlap(2, 0, 1)
    assert longest_copied([-1, 7], np.array([255, 7], dtype=np.uint8)) == Overlap(1, 1, 1)


def test_training_on_disk(tmp_path: Path) -> None:
    symbols = np.random.default_rng(2).integers(0, 256, size=200_000).astype(np.uint8)
    np.save(tmp_path / "training.npy", symbols)
    training = np.load(tmp_path / "training.npy", mmap_mode="r")
    assert longest_copied(symbols[150_000:150_100], training) == Overlap(100, 0, 150_000)


@pytest.mark.parametrize("sequence", [np.zeros((2, 2), dtype=int), np.zeros(3)])
def test_unusable_sequences(sequence: np.ndarray) -> None:
    with pytest.raises(ValueError, match="sample must be one row of integers"):
        longest_copied(sequence, np.zeros(3, dtype=int))
    with pytest.raises(ValueError, match="training must be one row of integers"):
        longest_copied(np.zeros(3, dtype=int), sequence)
