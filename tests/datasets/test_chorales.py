"""Bach's chorales as MIDI files."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop import ROOT
from workshop.datasets import chorales
from workshop.datasets.chorales import REST, STEPS_PER_BEAT, export, notes_of
from workshop.notes import midifiles

REAL = ROOT.parent / "shared" / "data" / "jsb_chorales" / "Jsb16thSeparated.json"

#: Few pitches, so that voices often meet on one.
STEP = st.lists(st.sampled_from([REST, 60, 61, 62]), min_size=4, max_size=4)


def sounding(notes: np.ndarray, steps: int) -> list[set[int]]:
    """The pitches that sound on each step."""
    starts, ends = (notes[:, :2].T * STEPS_PER_BEAT).astype(int)
    return [{int(pitch) for pitch in notes[(starts <= step) & (step < ends), 2]} for step in range(steps)]


def played(*steps: tuple[int, ...]) -> list[tuple[float, float, float]]:
    """Start and end in steps, and pitch, of the notes of a chorale."""
    return [(start * STEPS_PER_BEAT, end * STEPS_PER_BEAT, pitch) for start, end, pitch in notes_of(steps)[:, :3]]


@given(st.lists(STEP, max_size=24))
def test_the_file_plays_what_the_chorale_says(
    tmp_path_factory: pytest.TempPathFactory, chorale: list[list[int]]
) -> None:
    notes = notes_of(chorale)
    assert sounding(notes, len(chorale) + 1) == [set(step) - {REST} for step in chorale] + [set()]
    path = tmp_path_factory.getbasetemp() / "chorale.mid"
    midifiles.write(path, notes, chorales.TEMPO, chorales.CHURCH_ORGAN)
    score = midifiles.read(path)
    np.testing.assert_array_equal(score.notes, notes)
    assert score.tempos.tolist() == [[0.0, 0.6]]


@given(st.lists(STEP, max_size=24))
def test_notes_of_a_pitch_never_overlap_and_begin_where_a_voice_does(chorale: list[list[int]]) -> None:
    notes = notes_of(chorale)
    for pitch in np.unique(notes[:, 2]):
        same = notes[notes[:, 2] == pitch]
        assert (same[:, 0] < same[:, 1]).all()
        assert (same[:-1, 1] <= same[1:, 0]).all()
    befores = [[REST] * 4, *chorale]
    struck = [
        (step / STEPS_PER_BEAT, now)
        for step, (before, pitches) in enumerate(zip(befores, chorale, strict=False))
        for now, last in zip(pitches, before, strict=True)
        if now not in (last, REST)
    ]
    assert set(struck) == {(start, pitch) for start, _, pitch in notes[:, :3].tolist()}


def test_held_pitches_are_one_note() -> None:
    assert played((70, REST, REST, 50), (70, REST, REST, 48), (REST, REST, REST, 48)) == [
        (0, 1, 50),
        (0, 2, 70),
        (1, 3, 48),
    ]


def test_voices_that_meet_are_one_note_struck_again() -> None:
    # The alto comes to the soprano's pitch and leaves it before the soprano does.
    assert played((60, 57), (60, 60), (60, 57), (60, 57)) == [(0, 1, 57), (0, 1, 60), (1, 4, 60), (2, 4, 57)]
    # They begin it together, and the longer one counts.
    assert played((60, 60), (60, REST)) == [(0, 2, 60)]
    # One takes it over from the other.
    assert played((60, REST), (REST, 60)) == [(0, 1, 60), (1, 2, 60)]


def test_files_that_are_there_stay(tmp_path: Path) -> None:
    source = tmp_path / "set.json"
    source.write_text(json.dumps({"train": [[[60, 55, 52, 48]] * 4] * 2, "valid": [], "test": [[[62, 55, 52, 48]]]}))
    (tmp_path / "train").mkdir()
    (tmp_path / "train/001.mid").write_text("mine")
    seen: list[int] = []
    export(source, tmp_path, progress=lambda: seen.append(1))
    assert len(seen) == 3
    assert (tmp_path / "train/001.mid").read_text() == "mine"
    score = midifiles.read(tmp_path / "train/002.mid")
    assert score.notes[:, :3].tolist() == [[0, 1, 48], [0, 1, 52], [0, 1, 55], [0, 1, 60]]
    assert [part.program for part in score.parts] == [19]
    assert (tmp_path / "test/001.mid").is_file()
    # A step lasts 150 ms.
    assert score.seconds(score.notes[:, 1]).tolist() == pytest.approx([0.6] * 4)


def test_the_real_chorales() -> None:
    if not REAL.is_file():
        pytest.skip("the shared data (jsb_chorales) is not here")
    splits = json.loads(REAL.read_bytes())
    assert [len(splits[split]) for split in chorales.SPLITS] == [229, 76, 77]
    for chorale in [one for split in chorales.SPLITS for one in splits[split]]:
        assert sounding(notes_of(chorale), len(chorale)) == [set(step) - {REST} for step in chorale]
