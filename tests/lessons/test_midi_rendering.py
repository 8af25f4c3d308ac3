"""A piece as files: notes at the right time in each of them, under names that nothing else has."""

import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from midi_rnn.rendering import in_seconds, write_files
from workshop.audio.synthesis import RATE
from workshop.errors import UserError
from workshop.files import free_names
from workshop.notes.midifiles import read
from workshop.notes.roll import PAGE_WIDTH, ROLL_BARS, TITLE, piano_roll

NOTES = np.array([(0, 1, 60, 90), (1, 1.5, 64, 50), (1.5, 4, 67, 120)], float)


def test_beats_become_seconds() -> None:
    before = NOTES.copy()
    timed = in_seconds(NOTES, 90.0)
    np.testing.assert_allclose(timed[:, :2], NOTES[:, :2] * 2 / 3)
    np.testing.assert_array_equal(timed[:, 2:], NOTES[:, 2:])
    np.testing.assert_array_equal(NOTES, before)
    assert in_seconds(np.empty((0, 4)), 90.0).shape == (0, 4)


def test_a_piece_becomes_a_file_a_sound_and_a_picture(tmp_path: Path) -> None:
    files, samples, picture = write_files(tmp_path / "new" / "01", NOTES, 100.0, 73, title="a piece")
    assert files == [tmp_path / "new" / f"01{suffix}" for suffix in (".mid", ".wav", ".png")]
    assert sorted(files) == sorted((tmp_path / "new").iterdir())
    score = read(files[0])
    np.testing.assert_allclose(score.notes[:, :4], NOTES, atol=1e-9)
    assert (score.parts[0].name, score.parts[0].program) == ("01", 73)
    assert 60 / score.tempos[0, 1] == pytest.approx(100.0)
    assert samples is not None
    with wave.open(str(files[1])) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (RATE, len(samples))
    # Four beats at 100 a minute, and the last note dying away.
    assert 2.4 < len(samples) / RATE < 4.5
    assert picture is not None
    assert np.array_equal(np.asarray(Image.open(files[2]).convert("RGB")), picture)


def test_only_what_was_asked_for_is_written(tmp_path: Path) -> None:
    assert write_files(tmp_path / "a", NOTES, 120.0, 0, wav=False, png=False) == ([tmp_path / "a.mid"], None, None)
    files, samples, picture = write_files(tmp_path / "b", NOTES, 120.0, 0, wav=True, png=False)
    assert [file.suffix for file in files] == [".mid", ".wav"]
    assert samples is not None
    assert picture is None
    files, samples, picture = write_files(tmp_path / "c", NOTES, 120.0, 0, wav=False, png=True)
    assert [file.suffix for file in files] == [".mid", ".png"]
    assert samples is None
    assert picture is not None
    assert len(list(tmp_path.iterdir())) == 5


def test_the_page_of_a_piece_is_the_whole_piece_and_the_preview_its_beginning(tmp_path: Path) -> None:
    start = np.arange(20 * 4.0)
    notes = np.stack([start, start + 1, 60 + start % 5, np.full(len(start), 64)], 1)
    kind = {"wav": False, "title": "x"}
    _, _, preview = write_files(tmp_path / "a", notes, 120.0, 0, **kind)
    _, _, page = write_files(tmp_path / "b", notes, 120.0, 0, **kind, page=True)
    assert preview is not None
    assert page is not None
    assert (preview[TITLE:] == piano_roll(notes[: ROLL_BARS * 4])[TITLE:]).all()
    assert (page == piano_roll(notes, "x", bars=20, width=PAGE_WIDTH)).all()


def test_silence_can_be_written(tmp_path: Path) -> None:
    files, samples, picture = write_files(tmp_path / "silence", np.empty((0, 4)), 120.0, 0)
    assert all(file.stat().st_size for file in files)
    assert len(read(files[0]).notes) == 0
    assert samples is not None
    assert not np.any(samples)
    assert picture is not None


@pytest.mark.parametrize("name", ["take.two", "caf\u00e9 \u266b", "1"])
def test_names_with_dots_and_other_letters_stay_whole(tmp_path: Path, name: str) -> None:
    files, _, _ = write_files(tmp_path / name, NOTES, 120.0, 0)
    assert [file.name for file in files] == [f"{name}.mid", f"{name}.wav", f"{name}.png"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"01\.mid cannot be written"):
        write_files(tmp_path / "file" / "01", NOTES, 120.0, 0)


# ---- names


def test_pieces_are_never_written_over_each_other(tmp_path: Path) -> None:
    for _ in range(2):
        for stem in free_names(None, tmp_path, 60, (".mid",)):
            assert not stem.with_name(f"{stem.name}.mid").exists()
            write_files(stem, NOTES, 120.0, 0, wav=False, png=False)
    assert len(list(tmp_path.iterdir())) == 120
