"""Notes as symbols and back: nothing is lost that an encoding can express, and any symbols make sound notes."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from midi_rnn import encoding
from midi_rnn.encoding import (
    ENCODINGS,
    END,
    FARTHEST,
    FIRST_PITCH,
    HOLD,
    LEFT_OUT,
    LONGEST_WAIT,
    MELODY_VELOCITY,
    NOTE_OFF,
    NOTE_ON,
    PITCHES,
    REST,
    VELOCITIES,
    VELOCITY,
    WAIT,
    Encoding,
    quantise_onsets,
)
from workshop import ROOT
from workshop.notes.midifiles import Part, Score, read

SHARED = ROOT.parent / "shared" / "data"
FOLDERS = {"nottingham_melody": 1034, "liberty_minstrel": 77}
MELODY, PERFORMANCE = ENCODINGS["melody"], ENCODINGS["performance"]
PITCH, LOUDNESS = st.integers(0, PITCHES - 1), st.integers(1, 127)
#: Notes of a melody on the grid: rest before it and length in sixteenths, and pitch.
ON_GRID = st.lists(st.tuples(st.one_of(st.just(0), st.integers(0, 9)), st.integers(1, 40), PITCH), max_size=30)
#: Any notes at all: start and length in beats, pitch, velocity.
ANYWHERE = st.lists(st.tuples(st.floats(0, 20), st.floats(0.001, 9), PITCH, LOUDNESS), max_size=25)
#: Times in steps that get in each other's way.
CROWDED = st.lists(st.one_of(st.floats(0, 10), st.integers(0, 20).map(lambda n: n / 2)), max_size=25).map(sorted)


def selected(one: Encoding, score: Score, track: str | None) -> np.ndarray:
    """What is encoded of a file."""
    return one.compact(one.sounding(score, track), score)


def note_table(*notes: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(notes, float).reshape(-1, 4)


def melody_of(rows: list[tuple[int, int, int]]) -> np.ndarray:
    notes, now = [], 0
    for rest, length, pitch in rows:
        notes.append(((now + rest) / 4, (now + rest + length) / 4, pitch, MELODY_VELOCITY))
        now += rest + length
    return note_table(*notes)


def anywhere(rows: list[tuple[float, float, int, int]]) -> np.ndarray:
    return note_table(*sorted((start, start + length, pitch, velocity) for start, length, pitch, velocity in rows))


def any_symbols(made: Encoding) -> st.SearchStrategy[np.ndarray]:
    """Symbols that no encoder would write, with every kind of them as likely as the others."""
    firsts = [END, REST, HOLD, FIRST_PITCH] if made is MELODY else [END, NOTE_ON, NOTE_OFF, WAIT, VELOCITY]
    few = [
        st.integers(first, min(first + 3, last)) for first, last in itertools.pairwise([*firsts, made.vocab_size - 1])
    ]
    symbols = st.lists(st.one_of(*few, st.integers(0, made.vocab_size - 1)), max_size=80)
    return symbols.map(lambda numbers: np.array(numbers, np.int16))


def assert_sound(notes: np.ndarray) -> None:
    """Notes that a file can hold: in order, in range, with lengths, and no pitch struck while it sounds."""
    assert notes.shape[1:] == (4,)
    assert notes.dtype == np.float64
    assert np.isfinite(notes).all()
    assert (notes[:, 0] >= 0).all()
    assert (notes[:, 1] > notes[:, 0]).all()
    assert (np.diff(notes[:, 0]) >= 0).all()
    assert ((notes[:, 2] >= 0) & (notes[:, 2] < PITCHES)).all()
    assert ((notes[:, 3] >= 1) & (notes[:, 3] <= 127)).all()
    for pitch in np.unique(notes[:, 2]):
        same = notes[notes[:, 2] == pitch]
        assert (same[:-1, 1] <= same[1:, 0]).all()


# ---- melody


@given(ON_GRID)
def test_a_melody_on_the_grid_comes_back_as_it_was(rows: list[tuple[int, int, int]]) -> None:
    notes = melody_of(rows)
    symbols = MELODY.encode(notes)
    assert symbols.dtype == np.int16
    assert len(symbols) == (4 * notes[-1, 1] if rows else 0)
    np.testing.assert_array_equal(MELODY.decode(symbols), notes)


@given(any_symbols(MELODY))
def test_any_symbols_of_a_melody_make_notes_one_after_the_other(symbols: np.ndarray) -> None:
    notes = MELODY.decode(symbols)
    assert_sound(notes)
    assert (notes[:-1, 1] <= notes[1:, 0]).all()
    assert len(notes) == (symbols >= FIRST_PITCH).sum()
    assert notes[:, 1].max(initial=0) * 4 <= len(symbols)


@given(any_symbols(MELODY))
def test_symbols_of_a_melody_that_make_sense_come_back_as_they_were(symbols: np.ndarray) -> None:
    """They make sense without an end within, with holds of notes only, and up to the last note's end."""
    sense: list[int] = []
    for symbol in symbols.tolist():
        holds_nothing = symbol == HOLD and (not sense or sense[-1] == REST)
        sense.append(REST if holds_nothing or symbol == END else symbol)
    while sense and sense[-1] == REST:
        sense.pop()
    assert MELODY.encode(MELODY.decode(np.array(sense, np.int16))).tolist() == sense


def test_the_example_of_the_docstring() -> None:
    c4 = FIRST_PITCH + 60
    assert MELODY.decode(np.array([c4, HOLD, HOLD, HOLD, REST, REST])).tolist() == [[0, 1, 60, MELODY_VELOCITY]]
    symbols = [VELOCITY + 20, NOTE_ON + 60, WAIT + 49, NOTE_OFF + 60]
    assert PERFORMANCE.encode(note_table((0, 1, 60, 82))).tolist() == symbols
    assert PERFORMANCE.decode(np.array(symbols)).tolist() == [[0, 1, 60, 82]]


def test_a_repeated_note_stays_repeated_and_a_held_one_stays_one() -> None:
    twice = note_table((0, 0.5, 60, 90), (0.5, 1, 60, 90))
    once = note_table((0, 1, 60, 90))
    assert MELODY.encode(twice).tolist() == [FIRST_PITCH + 60, HOLD, FIRST_PITCH + 60, HOLD]
    for made in (MELODY, PERFORMANCE):
        assert len(made.decode(made.encode(twice))) == 2
        assert len(made.decode(made.encode(once))) == 1


def test_the_end_of_a_piece_ends_its_last_note() -> None:
    assert MELODY.decode(np.array([FIRST_PITCH, END, HOLD, FIRST_PITCH])).tolist() == [
        [0, 0.25, 0, MELODY_VELOCITY],
        [0.75, 1, 0, MELODY_VELOCITY],
    ]


@given(ON_GRID, st.integers(0, 10_000))
def test_notes_played_a_little_early_or_late_fall_on_the_grid(rows: list[tuple[int, int, int]], seed: int) -> None:
    notes = melody_of(rows)
    played = notes.copy()
    played[:, :2] += np.random.default_rng(seed).uniform(-0.1, 0.1, (len(notes), 2))
    played[:, 1] = np.maximum(played[:, 1], played[:, 0] + 0.01)
    assert MELODY.encode(np.maximum(played, 0)).tolist() == MELODY.encode(notes).tolist()


@given(ANYWHERE)
def test_a_melody_of_any_notes_keeps_pitches_and_order(rows: list[tuple[float, float, int, int]]) -> None:
    notes = anywhere(rows)
    notes = notes[np.unique(notes[:, 0], return_index=True)[1]]
    kept = quantise_onsets(notes[:, 0] * 4)[1]
    decoded = MELODY.decode(MELODY.encode(notes))
    assert_sound(decoded)
    assert decoded[:, 2].tolist() == notes[kept, 2].tolist()
    assert np.abs(decoded[:, 0] - notes[kept, 0]).max(initial=0) * 4 <= FARTHEST


def test_a_grace_note_moves_a_neighbour_and_is_not_lost() -> None:
    notes = note_table((0, 1, 60, 90), (1, 1.05, 62, 90), (1.05, 2, 64, 90), (2, 3, 60, 90))
    decoded = MELODY.decode(MELODY.encode(notes))
    assert decoded[:, 2].tolist() == [60, 62, 64, 60]
    assert decoded[:, 0].tolist() == [0, 1, 1.25, 2]


# ---- placing notes on steps


@given(CROWDED)
def test_notes_have_steps_of_their_own_near_their_times(times: list[float]) -> None:
    steps, kept = quantise_onsets(np.array(times))
    assert len(steps) == len(kept)
    assert steps.dtype.kind == kept.dtype.kind == "i"
    assert (steps >= 0).all()
    assert (np.diff(steps) > 0).all()
    assert (np.diff(kept) > 0).all()
    assert np.abs(steps - np.array(times)[kept]).max(initial=0) <= FARTHEST


@given(st.lists(st.integers(0, 60), unique=True).map(sorted), st.integers(0, 10_000))
def test_notes_that_round_to_steps_of_their_own_stay_there(steps: list[int], seed: int) -> None:
    times = np.array(steps, float) + np.random.default_rng(seed).choice([-0.5, 0.49, 0.0, 0.3], len(steps))
    times = times[times >= 0]
    placed, kept = quantise_onsets(times)
    assert placed.tolist() == np.floor(times + 0.5).astype(int).tolist()
    assert kept.tolist() == list(range(len(times)))


@given(st.lists(st.integers(0, 12), min_size=1, max_size=6).map(sorted))
def test_no_way_of_placing_costs_less(quarters: list[int]) -> None:
    """Against all ways there are: each note on a step within reach, or left out."""
    times = [quarter / 4 for quarter in quarters]
    choices = [[None, *(s for s in range(6) if abs(s - time) <= FARTHEST)] for time in times]

    def cost(steps: tuple[int | None, ...]) -> float:
        return sum(LEFT_OUT if s is None else abs(s - time) for s, time in zip(steps, times, strict=True))

    ways = (way for way in itertools.product(*choices) if ascends([s for s in way if s is not None]))
    found, kept = quantise_onsets(np.array(times))
    placed = dict(zip(kept.tolist(), found.tolist(), strict=True))
    assert cost(tuple(placed.get(k) for k in range(len(times)))) == pytest.approx(min(map(cost, ways)), abs=1e-4)


def ascends(steps: list[int]) -> bool:
    return all(one < other for one, other in itertools.pairwise(steps))


def test_a_very_dense_passage_fills_every_step() -> None:
    """Of ten thousand notes on a thousand steps as many are kept as there are steps, and it takes no time."""
    steps, _ = quantise_onsets(np.arange(10_000) / 10)
    assert len(steps) >= 1000


# ---- performance


def reference_decode(symbols: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Start and end in units, pitch, bin of velocity: written again, as a table of what sounds at each moment."""
    notes: list[tuple[int, int, int, int]] = []
    open_notes: dict[int, tuple[int, int]] = {}
    now, loudness = 0, 16
    for symbol in [*symbols.tolist(), END]:
        ended: list[int] = []
        if symbol == END:
            ended = list(open_notes)
        elif symbol <= 128:
            ended = [symbol - 1]
        elif symbol <= 256:
            ended = [symbol - 129]
        elif symbol <= 356:
            now += symbol - 256
        else:
            loudness = symbol - 357
        for pitch in ended:
            if pitch in open_notes:
                notes.append((open_notes[pitch][0], now, pitch, open_notes.pop(pitch)[1]))
        if 1 <= symbol <= 128:
            open_notes[symbol - 1] = (now, loudness)
    return sorted(note for note in notes if note[1] > note[0])


def in_units(notes: np.ndarray) -> list[tuple[int, int, int, int]]:
    return [(round(s * 50), round(e * 50), int(p), (int(v) - 1) // 4) for s, e, p, v in notes.tolist()]


@given(any_symbols(PERFORMANCE))
def test_any_symbols_of_a_performance_make_the_notes_that_a_second_decoder_finds(symbols: np.ndarray) -> None:
    notes = PERFORMANCE.decode(symbols)
    assert_sound(notes)
    assert in_units(notes) == reference_decode(symbols)


def on_keys(notes: np.ndarray) -> list[tuple[int, int, int]]:
    """Start and end in units, and pitch, as one keyboard plays the notes: of those that fall together the longest, and
    each up to the next one of its key.
    """
    ends: dict[tuple[int, int], int] = {}
    for start, end, pitch, _ in notes.tolist():
        unit = int(np.floor(start * 50 + 0.5))
        ends[int(pitch), unit] = max(ends.get((int(pitch), unit), unit + 1), int(np.floor(end * 50 + 0.5)))
    struck = sorted(ends)
    following = [*struck[1:], (PITCHES, 0)][: len(struck)]
    return sorted(
        (unit, min(ends[pitch, unit], after) if pitch == other else ends[pitch, unit], pitch)
        for (pitch, unit), (other, after) in zip(struck, following, strict=True)
    )


@given(ANYWHERE)
def test_a_performance_comes_back_to_a_hundredth_of_a_second(rows: list[tuple[float, float, int, int]]) -> None:
    notes = anywhere(rows)
    symbols = PERFORMANCE.encode(notes)
    assert symbols.dtype == np.int16
    decoded = PERFORMANCE.decode(symbols)
    assert_sound(decoded)
    found = in_units(decoded)
    assert [note[:3] for note in found] == on_keys(notes)
    levels = {(int(np.floor(s * 50 + 0.5)), int(p), (int(v) - 1) // 4) for s, _, p, v in notes.tolist()}
    assert {(start, pitch, level) for start, _, pitch, level in found} <= levels


@given(ANYWHERE)
def test_symbols_of_a_performance_are_in_one_order_only(rows: list[tuple[float, float, int, int]]) -> None:
    symbols = PERFORMANCE.encode(anywhere(rows))
    assert PERFORMANCE.encode(PERFORMANCE.decode(symbols)).tolist() == symbols.tolist()
    assert PERFORMANCE.encode(anywhere(rows[::-1])).tolist() == symbols.tolist()
    kinds = np.searchsorted([NOTE_ON, NOTE_OFF, WAIT, VELOCITY], symbols, side="right")
    waits = symbols - WAIT + 1
    for k in range(len(symbols) - 1):
        here, after = kinds[k], kinds[k + 1]
        if here == after == 3:
            assert waits[k] == LONGEST_WAIT
        assert (here, after) not in {(1, 2), (4, 2), (4, 3), (4, 4)}
        if here == after in (1, 2):
            assert symbols[k] < symbols[k + 1]
    assert END not in symbols
    down: set[int] = set()
    for symbol in symbols.tolist():
        if NOTE_ON <= symbol < NOTE_OFF:
            assert symbol - NOTE_ON not in down
            down.add(symbol - NOTE_ON)
        elif NOTE_OFF <= symbol < WAIT:
            down.remove(symbol - NOTE_OFF)
    assert not down


@pytest.mark.parametrize("level", range(VELOCITIES))
def test_each_level_of_loudness_comes_back(level: int) -> None:
    symbols = PERFORMANCE.encode(PERFORMANCE.decode(np.array([VELOCITY + level, NOTE_ON + 60, WAIT, NOTE_OFF + 60])))
    assert symbols[0] == VELOCITY + level


def test_every_velocity_has_a_level_near_it() -> None:
    for velocity in range(1, 128):
        (note,) = PERFORMANCE.decode(PERFORMANCE.encode(note_table((0, 1, 60, velocity))))
        assert abs(note[3] - velocity) <= 2


def test_several_notes_at_once_and_a_loudness_that_changes_only_where_it_changes() -> None:
    chord = note_table((0, 1, 64, 80), (0, 1, 60, 80), (0, 2, 67, 30))
    assert PERFORMANCE.encode(chord).tolist() == [
        VELOCITY + 19, NOTE_ON + 60, NOTE_ON + 64, VELOCITY + 7, NOTE_ON + 67,
        WAIT + 49, NOTE_OFF + 60, NOTE_OFF + 64, WAIT + 49, NOTE_OFF + 67,
    ]  # fmt: skip
    assert sorted(in_units(PERFORMANCE.decode(PERFORMANCE.encode(chord)))) == sorted(in_units(chord))


def test_long_times_are_made_of_the_longest_waits() -> None:
    notes = note_table((0, 7.04, 60, 82), (30, 31, 60, 82))
    symbols = PERFORMANCE.encode(notes)
    waits = [symbol - WAIT + 1 for symbol in symbols.tolist() if WAIT <= symbol < VELOCITY]
    assert waits == [100, 100, 100, 52, *[100] * 11, 48, 50]
    assert PERFORMANCE.decode(symbols).tolist() == notes.tolist()


def test_notes_of_one_pitch_that_overlap_are_cut_where_the_next_begins() -> None:
    notes = note_table((0, 4, 60, 82), (1, 2, 60, 82), (1.5, 5, 60, 82), (1.5, 1.6, 60, 82), (1, 9, 62, 82))
    assert PERFORMANCE.decode(PERFORMANCE.encode(notes)).tolist() == [
        [0, 1, 60, 82], [1, 1.5, 60, 82], [1, 9, 62, 82], [1.5, 5, 60, 82],
    ]  # fmt: skip


def test_what_sounds_at_the_end_of_a_piece_ends_there() -> None:
    symbols = np.array([NOTE_ON + 60, WAIT + 9, END, WAIT + 9, NOTE_OFF + 60, NOTE_ON + 62, WAIT + 9])
    assert in_units(PERFORMANCE.decode(symbols)) == [(0, 10, 60, 16), (20, 30, 62, 16)]


@given(ANYWHERE)
def test_stretching_by_one_changes_nothing(rows: list[tuple[float, float, int, int]]) -> None:
    symbols = PERFORMANCE.encode(anywhere(rows))
    assert PERFORMANCE.stretch(symbols, 1.0).tolist() == symbols.tolist()


@given(ANYWHERE, st.floats(0.5, 2))
def test_stretching_changes_the_times_alone(rows: list[tuple[float, float, int, int]], factor: float) -> None:
    symbols = PERFORMANCE.encode(anywhere(rows))
    before, after = (PERFORMANCE.decode(one) for one in (symbols, PERFORMANCE.stretch(symbols, factor)))
    assert_sound(after)
    if factor >= 1:  # nothing can fall together
        assert sorted(before[:, 2:].tolist()) == sorted(after[:, 2:].tolist())
    assert len(after) <= len(before)
    assert set(after[:, 2]) == set(before[:, 2])
    assert after[:, 1].max(initial=0) == pytest.approx(before[:, 1].max(initial=0) * factor, abs=0.021)


def test_a_melody_is_not_stretched() -> None:
    symbols = MELODY.encode(melody_of([(0, 4, 60), (2, 3, 62)]))
    assert MELODY.stretch(symbols, 1.3).tolist() == symbols.tolist()


@pytest.mark.parametrize("made", ENCODINGS.values(), ids=ENCODINGS)
@given(data=st.data(), semitones=st.integers(-40, 40))
def test_transposing_there_and_back_changes_nothing(made: Encoding, data: st.DataObject, semitones: int) -> None:
    symbols = data.draw(any_symbols(made))
    before = symbols.copy()
    assert made.transpose(symbols, 0).tolist() == before.tolist()
    there = made.transpose(symbols, semitones)
    assert there.dtype == np.int16
    assert symbols.tolist() == before.tolist(), "the piece itself stays as it is"
    notes, moved = made.decode(symbols), made.decode(there)
    first, beyond = (FIRST_PITCH, made.vocab_size) if made is MELODY else (NOTE_ON, WAIT)
    pitches = (symbols[(symbols >= first) & (symbols < beyond)] - first) % PITCHES + semitones
    if len(pitches) and (pitches.min() < 0 or pitches.max() >= PITCHES):
        assert there.tolist() == before.tolist()
        return
    assert made.transpose(there, -semitones).tolist() == before.tolist()
    notes[:, 2] += semitones
    np.testing.assert_array_equal(moved, notes)


@pytest.mark.parametrize("made", ENCODINGS.values(), ids=ENCODINGS)
def test_a_piece_that_would_leave_the_range_is_left_as_it_is(made: Encoding) -> None:
    symbols = made.encode(note_table((0, 1, 0, 90), (1, 2, 120, 90)))
    for semitones in (-1, 8, 127, -127):
        assert made.transpose(symbols, semitones).tolist() == symbols.tolist()
    assert made.decode(made.transpose(symbols, 7))[:, 2].tolist() == [7, 127]


@pytest.mark.parametrize("made", ENCODINGS.values(), ids=ENCODINGS)
def test_no_notes_are_no_symbols(made: Encoding) -> None:
    symbols = made.encode(np.empty((0, 4)))
    assert symbols.shape == (0,)
    assert symbols.dtype == np.int16
    assert made.decode(symbols).shape == (0, 4)
    assert made.decode(np.array([END, END])).shape == (0, 4)
    assert made.transpose(symbols, 3).shape == made.stretch(symbols, 1.1).shape == (0,)


@pytest.mark.parametrize("made", ENCODINGS.values(), ids=ENCODINGS)
@given(notes=hnp.arrays(float, (3, 4), elements=st.floats(1, 30)))
def test_all_symbols_are_in_the_vocabulary(made: Encoding, notes: np.ndarray) -> None:
    notes = np.column_stack([np.sort(notes[:, 0]), notes[:, 0] + 40, [0, 64, 127], [1, 64, 127]])
    symbols = made.encode(notes)
    assert symbols.min() > END
    assert symbols.max() < made.vocab_size


# ---- what is taken from a file


def score(notes: np.ndarray, *tempos: tuple[float, float], parts: tuple[Part, ...] = (Part("", 0, False),)) -> Score:
    table = np.column_stack([notes, np.zeros(len(notes))]) if notes.shape[1] == 4 else notes
    return Score(table, parts, np.array(tempos or [(0.0, 0.5)]))


def test_the_grid_of_a_melody_follows_the_beats_whatever_the_tempo() -> None:
    notes = melody_of([(3, 4, 60), (0, 2, 62), (2, 1, 64)])
    slow, changing = score(notes, (0, 2.0)), score(notes, (0, 0.3), (0.8, 0.7), (1.9, 0.31))
    assert MELODY.encode(selected(MELODY, slow, None)).tolist() == MELODY.encode(notes).tolist()
    assert MELODY.encode(selected(MELODY, changing, None)).tolist() == MELODY.encode(notes).tolist()


def test_a_performance_follows_the_seconds() -> None:
    notes = note_table((2, 3, 60, 82), (3, 4, 62, 82))
    timed = selected(PERFORMANCE, score(notes, (0, 1.0), (3, 0.25)), None)
    # The note of a second and the one of a quarter of a second, at half a second a beat, from the first one on.
    np.testing.assert_allclose(timed, note_table((0, 2, 60, 82), (2, 2.5, 62, 82)))


def test_silence_before_a_melody_is_dropped_bar_by_bar() -> None:
    notes = note_table((9.5, 10, 60, 90), (10, 11, 62, 90))
    assert selected(MELODY, score(notes), None)[:, :2].tolist() == [[1.5, 2], [2, 3]]
    assert selected(PERFORMANCE, score(notes), None)[:, :2].tolist() == [[0, 0.5], [0.5, 1.5]]


def test_long_rests_inside_a_piece_are_shortened_by_whole_bars() -> None:
    notes = note_table((0, 1, 60, 90), (101.5, 102, 62, 90), (103, 104, 64, 90), (204, 205, 65, 90))
    assert selected(MELODY, score(notes), None)[:, 0].tolist() == [0, 5.5, 7, 16]
    assert selected(PERFORMANCE, score(notes), None)[:, 0].tolist() == [0, 5.5, 7, 16]
    waltz = replace(score(notes), bars=np.array([(0.0, 3.0)]))
    assert selected(MELODY, waltz, None)[:, 0].tolist() == [0, 5.5, 7, 12]
    symbols = MELODY.encode(selected(MELODY, score(notes), None))
    assert len(symbols) == 4 * 17, "a REST for each sixteenth of what is left"


def test_in_a_performance_a_rest_loses_the_time_of_its_bars() -> None:
    """Of 20 bars 18 are left out: 32 beats of half a second, and 40 of a quarter."""
    notes = note_table((0, 1, 60, 90), (81, 82, 62, 90), (82, 83, 64, 90))
    timed = selected(PERFORMANCE, score(notes, (0, 0.5), (41, 0.25)), None)
    np.testing.assert_allclose(timed[:, :2], [(0, 1), (9, 9.5), (9.5, 10)])


def test_a_rest_of_the_melody_is_shortened_while_others_play() -> None:
    table = np.array([(0, 1, 70, 90, 0), (0, 60, 40, 90, 1), (61, 62, 72, 90, 0)])
    both = score(table, parts=(Part("melody", 0, False), Part("left", 0, False)))
    assert selected(MELODY, both, None)[:, 0].tolist() == [0, 9]
    assert selected(PERFORMANCE, both, None)[:, 0].tolist() == [0, 0, 61]


def test_a_performance_hears_the_pedal_and_a_melody_does_not() -> None:
    notes = note_table((0, 0.125, 60, 90), (1, 1.125, 64, 90), (2, 2.5, 67, 90))
    pedal = replace(score(notes), held=np.array([(0, 3.0), (1, 3.0)]))
    assert selected(PERFORMANCE, pedal, None)[:, :2].tolist() == [[0, 3], [1, 3], [2, 2.5]]
    assert selected(PERFORMANCE, pedal, "1")[:, :2].tolist() == [[0, 3], [1, 3], [2, 2.5]]
    assert selected(MELODY, pedal, None)[:, :2].tolist() == notes[:, :2].tolist()
    ring = selected(
        PERFORMANCE, replace(score(note_table((0, 1, 60, 90), (30, 31, 62, 90))), held=np.array([(0, 29)])), None
    )
    assert ring[:, :2].tolist() == [[0, 29], [30, 31]], "what rings is no rest"


def test_drums_are_in_neither() -> None:
    table = np.array([(0, 1, 36, 90, 1), (1, 2, 60, 90, 0), (1, 2, 38, 90, 1)])
    with_drums = score(table, parts=(Part("piano", 0, False), Part("kit", 0, True)))
    for made in (MELODY, PERFORMANCE):
        assert selected(made, with_drums, None)[:, 2].tolist() == [60]
    only = score(table[[0, 2]] - [0, 0, 0, 0, 1], parts=(Part("kit", 0, True),))
    for made in (MELODY, PERFORMANCE):
        assert selected(made, only, None).shape == (0, 4)


def test_a_performance_takes_all_parts_or_the_named_one() -> None:
    table = np.array([(0, 1, 60, 90, 0), (0, 1, 48, 90, 1)])
    both = score(table, parts=(Part("right", 0, False), Part("left", 0, False)))
    assert sorted(selected(PERFORMANCE, both, None)[:, 2]) == [48, 60]
    assert selected(PERFORMANCE, both, "left")[:, 2].tolist() == [48]


def test_selecting_leaves_the_score_as_it_is() -> None:
    one = score(note_table((9.5, 10, 60, 90), (9.7, 11, 62, 90)))
    before = one.notes.copy()
    for made in (MELODY, PERFORMANCE):
        selected(made, one, None)
        selected(made, one, "1")
    np.testing.assert_array_equal(one.notes, before)


@pytest.mark.parametrize("name", FOLDERS)
def test_all_notes_of_real_music_are_kept(name: str) -> None:
    if not (SHARED / name).is_dir():
        pytest.skip(f"the shared data ({name}) is not here")
    files = sorted(file for file in (SHARED / name).rglob("*") if file.suffix in (".mid", ".midi"))
    assert len(files) == FOLDERS[name]
    for file in files:
        one = read(file)
        notes = selected(MELODY, one, None)
        symbols = MELODY.encode(notes)
        decoded = MELODY.decode(symbols)
        assert decoded[:, 2].tolist() == notes[:, 2].tolist(), file
        assert np.abs(decoded[:, 0] - notes[:, 0]).max() * encoding.STEPS_PER_BEAT <= FARTHEST, file
        assert MELODY.encode(decoded).tolist() == symbols.tolist(), file
        played = selected(PERFORMANCE, one, None)
        symbols = PERFORMANCE.encode(played)
        decoded = PERFORMANCE.decode(symbols)
        # Two voices that sing the same note are one key that goes down.
        keys = {(round(start, 6), pitch) for start, pitch in played[:, [0, 2]].tolist()}
        assert len(decoded) == len(keys), file
        assert PERFORMANCE.encode(decoded).tolist() == symbols.tolist(), file
