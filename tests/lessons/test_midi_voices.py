"""Which notes of a file are the melody: the right part, and its highest voice without what is played below it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midi_rnn.voices import chosen_part, highest
from workshop import ROOT
from workshop.datasets.chorales import notes_of
from workshop.errors import UserError
from workshop.notes.midifiles import Part, Score

CHORALES = ROOT.parent / "shared" / "data" / "jsb_chorales" / "Jsb16thSeparated.json"
NOTES = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 12), st.integers(55, 75), st.integers(1, 127)), max_size=25
)


def note_table(*notes: tuple[float, float, float]) -> np.ndarray:
    """Notes [N, 4] from starts, ends and pitches."""
    return np.array([(*note, 80) for note in notes], float).reshape(-1, 4)


def score(*parts: tuple[str, np.ndarray], drums: str = "") -> Score:
    """Parts by name, in their order; the one called `drums` is drums."""
    tables = [np.column_stack([notes, np.full(len(notes), k)]) for k, (_, notes) in enumerate(parts)]
    notes = np.concatenate([np.empty((0, 5)), *tables])
    names = tuple(Part(name, 0, bool(drums) and name == drums) for name, _ in parts)
    return Score(notes[np.lexsort((notes[:, 2], notes[:, 0]))], names, np.array([(0.0, 0.5)]))


def line(*pitches: int, length: float = 1.0) -> np.ndarray:
    return note_table(*((k * length, (k + 1) * length, pitch) for k, pitch in enumerate(pitches)))


HIGH, MIDDLE, LOW = line(80, 81, 80, 81), line(60, 62, 64, 62), line(40, 41, 40, 41)


# ---- the highest voice


def test_a_single_voice_is_left_as_it_is() -> None:
    notes = line(60, 72, 48, 48, 61)
    np.testing.assert_array_equal(highest(notes), notes)
    np.testing.assert_array_equal(highest(notes[::-1]), notes)
    assert highest(np.empty((0, 4))).shape == (0, 4)


def test_of_a_chord_the_highest_note_is_taken() -> None:
    chords = np.concatenate([line(60, 62), line(64, 65), line(67, 59)])
    assert highest(chords)[:, 2].tolist() == [67, 65]


def test_of_two_notes_that_are_the_same_the_longer_one_is_taken() -> None:
    for notes in (note_table((0, 1, 60), (0, 2, 60)), note_table((0, 2, 60), (0, 1, 60))):
        assert highest(notes).tolist() == [[0, 2, 60, 80]]
    held = note_table((0, 1.3, 72), (1, 1.5, 60), (1, 4, 60))
    assert highest(held)[:, :3].tolist() == [[0, 1, 72], [1, 4, 60]]


@pytest.mark.parametrize("overlap", [0.05, 0.2, 0.45])
@pytest.mark.parametrize("pitches", [(72, 71, 69, 67, 65), (60, 62, 64, 65, 67), (72, 60, 71, 59, 74, 74, 60)])
def test_a_legato_line_keeps_all_its_notes(overlap: float, pitches: tuple[int, ...]) -> None:
    """Notes that are held a little into the next ones are no second voice."""
    notes = line(*pitches)
    legato = notes + np.array([0, overlap, 0, 0])
    voice = highest(legato)
    np.testing.assert_array_equal(voice[:-1], notes[:-1])
    assert voice[-1].tolist() == legato[-1].tolist()


def test_an_accompaniment_below_held_notes_is_left_out() -> None:
    melody = line(76, 74, length=4)
    below = line(48, 55, 60, 55, 48, 55, 59, 55)
    np.testing.assert_array_equal(highest(np.concatenate([below, melody])), melody)


def test_a_lower_voice_that_moves_in_between_is_left_out() -> None:
    """A suspension: the alto's note begins while the soprano's sounds, and goes on below its next one."""
    soprano = note_table((0, 2, 72), (2, 4, 71))
    alto = note_table((0, 1, 64), (1, 3, 67), (3, 4, 65))
    np.testing.assert_array_equal(highest(np.concatenate([soprano, alto])), soprano)


def test_where_the_upper_voice_is_silent_the_lower_one_is_heard() -> None:
    notes = np.concatenate([note_table((0, 1, 72), (3, 4, 72)), note_table((0, 1, 60), (1, 2, 62), (2, 3, 64))])
    assert highest(notes)[:, 2].tolist() == [72, 62, 64, 72]


@given(NOTES)
def test_it_is_one_voice_of_notes_that_were_there(rows: list[tuple[int, int, int, int]]) -> None:
    notes = np.array([(s / 4, (s + length) / 4, p, v) for s, length, p, v in rows], float).reshape(-1, 4)
    before = notes.copy()
    voice = highest(notes)
    np.testing.assert_array_equal(notes, before)
    assert (voice[:, 1] > voice[:, 0]).all()
    assert (voice[:-1, 1] <= voice[1:, 0]).all()
    for k, (start, end, pitch, velocity) in enumerate(voice.tolist()):
        same = notes[(notes[:, 0] == start) & (notes[:, 2] == pitch) & (notes[:, 3] == velocity)]
        assert len(same)
        # Whole, but where the next one begins.
        assert end in same[:, 1] or (end == voice[k + 1, 0] and end < same[:, 1].max())
    # What nothing is above is never left out, but for the shorter ones of a pitch that begin together.
    for start, end, pitch, _ in notes.tolist():
        others = notes[(notes[:, 0] < end) & (notes[:, 1] > start) & (notes[:, 2] > pitch)]
        if not len(others):
            assert [start, pitch] in voice[:, [0, 2]].tolist()
    np.testing.assert_array_equal(highest(voice), voice)


def test_the_soprano_of_four_voices_is_found() -> None:
    soprano, alto = line(72, 74, 76, 74), line(67, 69, 67, 65, 64, 62, 64, 65, length=0.5)
    tenor, bass = line(60, 59, length=2), line(48, 50, 52, 53, 55, 53, 52, 50, length=0.5)
    np.testing.assert_array_equal(highest(np.concatenate([bass, tenor, alto, soprano])), soprano)


@pytest.mark.skipif(not CHORALES.is_file(), reason="the shared data (jsb_chorales) is not here")
def test_the_soprano_of_real_chorales_is_found() -> None:
    """But for places where the alto is above it, or goes on when it is silent."""
    missing = added = total = 0
    for chorale in json.loads(CHORALES.read_bytes())["train"][:60]:
        soprano, found = ({(start, pitch) for start, _, pitch in notes[:, :3].tolist()} for notes in (
            notes_of([step[:1] for step in chorale]), highest(notes_of(chorale)[:, :4])))  # fmt: skip
        missing += len(soprano - found)
        added += len(found - soprano)
        total += len(soprano)
    assert missing < 0.01 * total
    assert added < 0.03 * total


# ---- the part


@pytest.mark.parametrize("name", ["Melody", "VOCALS", "Lead guitar", "soprano", "the tune"])
def test_a_part_that_is_called_so_is_the_melody(name: str) -> None:
    assert chosen_part(score(("piano", HIGH), (name, MIDDLE), ("bass", LOW)), None).tolist() == MIDDLE.tolist()


def test_without_names_the_highest_part_is_the_melody() -> None:
    for parts in ((HIGH, MIDDLE, LOW), (LOW, HIGH, MIDDLE)):
        assert chosen_part(score(*(("", notes) for notes in parts)), None).tolist() == HIGH.tolist()


def test_names_that_all_parts_have_say_nothing() -> None:
    """Such as the title of the piece, which a file of one track gives to all its channels."""
    everywhere = score(("Sing along", LOW), ("Sing along", HIGH), ("Sing along", MIDDLE))
    assert chosen_part(everywhere, None).tolist() == HIGH.tolist()


def test_a_part_that_hardly_plays_is_not_the_melody() -> None:
    long = line(*[60, 62] * 10)
    assert chosen_part(score(("bells", line(100, 101)), ("", long)), None).tolist() == long.tolist()


def test_drums_are_never_the_melody() -> None:
    kit = score(("melody drums", HIGH), ("bass", LOW), drums="melody drums")
    assert chosen_part(kit, None).tolist() == LOW.tolist()
    assert chosen_part(kit, "1").tolist() == LOW.tolist()
    assert chosen_part(score(("kit", HIGH), drums="kit"), None).shape == (0, 4)
    assert chosen_part(score(), None).shape == (0, 4)


@pytest.mark.parametrize("track", ["flute", "FLUTE", "lut", "2"])
def test_a_track_is_asked_for_by_name_or_number(track: str) -> None:
    named = score(("melody", HIGH), ("Flute", MIDDLE), ("Bass", LOW))
    assert chosen_part(named, track).tolist() == MIDDLE.tolist()


def test_a_name_in_full_comes_before_a_part_of_a_name() -> None:
    voices = score(("Voice 2", LOW), ("voice", HIGH))
    assert chosen_part(voices, "Voice").tolist() == HIGH.tolist()
    assert chosen_part(voices, "voice 2").tolist() == LOW.tolist()


def test_numbers_count_the_parts_that_are_not_drums() -> None:
    kit = score(("kit", HIGH), ("flute", MIDDLE), ("bass", LOW), drums="kit")
    assert chosen_part(kit, "2").tolist() == LOW.tolist()


@pytest.mark.parametrize("track", ["4", "0", "-1", "kit", "\u00b2"])
def test_a_track_that_is_not_there_is_named_with_those_that_are(track: str) -> None:
    named = score(("flute", HIGH), ("kit", MIDDLE), ("", LOW), ("bass", LOW), drums="kit")
    with pytest.raises(UserError) as error:
        chosen_part(named, track)
    assert str(error.value) == f"has no track {track} (it has 1 'flute', 2 '', 3 'bass')"


def test_a_mistyped_track_is_guessed() -> None:
    with pytest.raises(UserError, match=r'has no track flut3 \(did you mean "flute"\?\) \(it has 1 \'flute\'\)'):
        chosen_part(score(("flute", HIGH)), "flut3")
    with pytest.raises(UserError, match=r"has no track 1 \(it has none\)"):
        chosen_part(score(("kit", HIGH), drums="kit"), "1")
