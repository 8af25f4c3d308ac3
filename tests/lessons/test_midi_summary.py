"""What music is like in numbers, worked out by hand for small pieces."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midi_rnn.summary import KINDS, LENGTHS, summarise, table
from workshop.notes.midifiles import PITCH_CLASSES

NOTES = st.lists(st.tuples(st.integers(0, 900), st.integers(1, 300), st.integers(0, 127)), max_size=20)


def note_table(*notes: tuple[float, float, float]) -> np.ndarray:
    """Notes [N, 4] from starts, ends and pitches."""
    return np.array([(*note, 80) for note in notes], float).reshape(-1, 4)


def some_notes(rows: list[tuple[int, int, int]]) -> np.ndarray:
    """On hundredths of a second, whose sums are not exact."""
    return note_table(*((start / 50, (start + length) / 50, pitch) for start, length, pitch in rows))


def named(shares: dict[str, float]) -> dict[str, float]:
    return {name: share for name, share in shares.items() if share}


def test_a_melody_by_hand() -> None:
    """C4 quarter, C4 eighth, eighth rest, E4 half from the second beat of the piece on."""
    found = summarise([note_table((1, 2, 60), (2, 2.5, 60), (3, 5, 64))])
    assert found.notes == 3
    assert (found.lowest, found.highest) == (60, 64)
    assert found.notes_per_beat == 3 / 4
    assert found.rests == 0.5 / 4
    assert found.repeated == 1 / 2
    assert found.voices == 1.0
    assert named(found.pitch_classes) == {"C": pytest.approx(2 / 3), "E": pytest.approx(1 / 3)}
    thirds = pytest.approx(1 / 3)
    assert named(found.lengths) == {"quarter": thirds, "eighth": thirds, "half": thirds}


def test_chords_by_hand() -> None:
    """Two notes for four beats, a third one in the middle of them, and one that begins as they end."""
    found = summarise([note_table((0, 4, 48), (0, 4, 60), (1, 2, 64), (4, 5, 48))])
    assert found.notes_per_beat == 4 / 5
    assert found.rests == 0
    assert found.voices == (4 + 4 + 1 + 1) / 5
    assert found.repeated == 0


def test_pieces_are_not_neighbours_of_each_other() -> None:
    """The last note of a piece is not repeated by the next piece, and the time between them is no rest."""
    one, other = note_table((0, 1, 60)), note_table((100, 101, 60))
    found = summarise([one, np.empty((0, 4)), other])
    assert found.notes == 2
    assert found.repeated == 0
    assert found.rests == 0
    assert found.notes_per_beat == 1


def test_the_order_of_the_notes_does_not_matter() -> None:
    notes = note_table((0, 1, 60), (0, 3, 72), (1, 2, 60), (2.5, 3, 61))
    before = notes.copy()
    assert summarise([notes[::-1]]) == summarise([notes])
    np.testing.assert_array_equal(notes, before)


@pytest.mark.parametrize(
    ("beats", "name"),
    [(0.01, "sixteenth"), (0.25, "sixteenth"), (1 / 3, "sixteenth"), (0.5, "eighth"), (0.75, "dotted eighth"),
     (1, "quarter"), (1.25, "dotted quarter"), (1.5, "dotted quarter"), (2, "half"), (2.25, "longer"),
     (100, "longer")],
)  # fmt: skip
def test_names_of_lengths(beats: float, name: str) -> None:
    assert named(summarise([note_table((1, 1 + beats, 60))]).lengths) == {name: 1.0}


@pytest.mark.parametrize("pieces", [[], [np.empty((0, 4))], [np.empty((0, 4))] * 3])
def test_silence_has_a_summary(pieces: list[np.ndarray]) -> None:
    found = summarise(pieces)
    assert found.notes == found.notes_per_beat == found.repeated == found.voices == 0
    assert found.rests == 1
    assert not named(found.pitch_classes)
    assert not named(found.lengths)
    assert "none" in table({"data": found})


@given(st.lists(NOTES, max_size=4))
def test_shares_are_shares(pieces: list[list[tuple[int, int, int]]]) -> None:
    found = summarise([some_notes(rows) for rows in pieces])
    assert found.notes == sum(map(len, pieces))
    assert list(found.pitch_classes) == list(PITCH_CLASSES)
    assert list(found.lengths) == [name for _, name in LENGTHS] + [KINDS[-1]]
    for shares in (found.pitch_classes, found.lengths):
        assert all(0 <= share <= 1 for share in shares.values())
        assert sum(shares.values()) == pytest.approx(1 if found.notes else 0)
    assert 0 <= found.rests <= 1
    assert 0 <= found.repeated <= 1
    assert found.voices == 0 or found.voices >= 1 - 1e-9


@given(NOTES.filter(len))
def test_rests_and_voices_are_those_counted_unit_by_unit(rows: list[tuple[int, int, int]]) -> None:
    sounding = np.zeros(1300)
    for start, length, _ in rows:
        sounding[start : start + length] += 1
    first, last = min(row[0] for row in rows), max(row[0] + row[1] for row in rows)
    found = summarise([some_notes(rows)])
    assert found.rests == pytest.approx((sounding[first:last] == 0).mean(), abs=1e-9)
    assert found.voices == pytest.approx(sounding[sounding > 0].mean())


@given(st.lists(NOTES, min_size=1, max_size=3))
def test_the_table_is_markdown_with_columns_of_equal_width(columns: list[list[tuple[int, int, int]]]) -> None:
    summaries = {f"column {k}": summarise([some_notes(rows)]) for k, rows in enumerate(columns)}
    lines = table(summaries).splitlines()
    assert len({len(line) for line in lines}) == 1
    places = [[k for k, character in enumerate(line) if character == "|"] for line in lines]
    assert all(place == places[0] for place in places)
    assert len(places[0]) == len(summaries) + 2
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["", *summaries]
    assert cells[1] == ["---", *["---:"] * len(summaries)]
    assert all(all(row) for row in cells[1:])
    assert not any("-0.0" in cell for row in cells for cell in row)
    assert cells[2] == ["notes", *(str(len(rows)) for rows in columns)]


def test_music_without_rests_has_none_of_them_to_the_last_digit() -> None:
    """Sums of hundredths of a second are not exact, and -0.0 % would be printed."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        ends = np.cumsum(rng.integers(1, 50, 10)) / 50
        starts = np.concatenate([[0], ends[:-1]])
        found = summarise([np.column_stack([starts, ends, np.full(10, 60), np.full(10, 80)])])
        assert 0 <= found.rests < 1e-12
        assert "-0.0" not in table({"data": found})
