"""Long rests are shortened by whole bars of their own meter, and nothing else is moved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop.notes.midi_rests import MAX_REST_BARS, rests

FOUR = np.array([(0.0, 4.0)])


def table(*spans: tuple[float, float]) -> np.ndarray:
    return np.array([(*span, 60, 90) for span in spans], float).reshape(-1, 4)


@pytest.mark.parametrize(
    ("silence", "bar", "left"),
    [
        (0, 4, 0), (3.5, 4, 3.5), (7.75, 4, 7.75), (8, 4, 8), (8.25, 4, 4.25), (12, 4, 8), (13, 4, 5), (64, 4, 8),
        (65.5, 4, 5.5), (6, 3, 6), (6.5, 3, 3.5), (60, 3, 6), (61, 3, 4), (35, 1.75, 3.5), (35.25, 1.75, 2.0),
    ],
)  # fmt: skip
def test_a_rest_keeps_two_bars_and_its_place_in_the_bar(silence: float, bar: float, left: float) -> None:
    found, surplus = rests(table((0, 1), (1 + silence, 2 + silence)), np.array([(0, bar)]))
    assert found.tolist() == [0, silence]
    assert surplus.tolist() == [0, silence - left]


def test_silence_is_where_no_note_sounds() -> None:
    notes = table((2, 3), (4, 30), (5, 6), (32, 33), (60, 61))
    found, surplus = rests(notes, FOUR)
    assert found.tolist() == [2, 1, 0, 2, 27]
    assert surplus.tolist() == [0, 0, 0, 0, 20]


def test_silence_before_the_first_note_counts_too() -> None:
    assert [column.tolist() for column in rests(table((17, 18)), FOUR)] == [[17], [12]]
    assert [len(column) for column in rests(table(), FOUR)] == [0, 0]


def test_the_meter_is_that_of_the_note_after_the_rest() -> None:
    bars = np.array([(0.0, 4.0), (40.0, 3.0), (100.0, 2.0)])
    _, surplus = rests(table((0, 1), (40, 41), (80, 81)), bars)
    assert surplus.tolist() == [0, 33, 33]


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 40)), min_size=1, max_size=30),
    st.sampled_from([1.5, 2.0, 3.0, 3.5, 4.0, 6.0]),
)
@settings(max_examples=100, deadline=None)
def test_what_is_left_is_a_rest_in_the_same_place_of_the_bar(steps: list[tuple[int, int]], bar: float) -> None:
    starts = np.cumsum([step for step, _ in steps]) / 4
    notes = table(*((start, start + length / 4) for start, (_, length) in zip(starts, steps, strict=True)))
    silence, surplus = rests(notes, np.array([(0, bar)]))
    assert np.array_equal(surplus % bar, np.zeros(len(notes)))
    left = silence - surplus
    assert (left <= MAX_REST_BARS * bar).all()
    assert ((surplus == 0) | (left > (MAX_REST_BARS - 1) * bar)).all()
