"""Folders of slices: read, drawn once, and held out by song."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from workshop.audio import library, slices
from workshop.audio.slices import Slice, SlicesFile, coarse, held_out_songs, load_pictures, near_duplicates, nearest
from workshop.audio.synthesis import write_wav
from workshop.errors import UserError

RATE, SAMPLES = 4000, 2000
FRAMES, BANDS = 16, 16


def beat(song: int, number: int) -> np.ndarray:
    """A few decaying clicks of noise: those of a song fall in the same places."""
    random = np.random.default_rng((song, number))
    sound = np.zeros(SAMPLES)
    for at in np.random.default_rng(song).integers(0, SAMPLES, 3):
        decay = np.exp(-np.arange(SAMPLES) / (40 * (1 + song)))
        sound += np.roll(decay * random.normal(0, 0.2, SAMPLES), at)
    return sound.clip(-1, 1).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight songs of six slices."""
    listed = {}
    for song in range(8):
        for number in range(6):
            name = f"song {song}/{number}.wav"
            write_wav(tmp_path / "set" / name, beat(song, number), RATE)
            listed[name] = Slice(f"song {song}", {"kit": str(song)})
    slices.write_about(tmp_path / "set", SlicesFile(bpm=120, beats=1, rate=RATE, samples=SAMPLES, slices=listed))
    return tmp_path / "set"


def test_whole_songs_are_held_out(folder: Path) -> None:
    found = load_pictures(folder, FRAMES, BANDS)
    assert found.train.shape == (42, FRAMES, BANDS)
    assert found.held_out.shape == (6, FRAMES, BANDS)
    assert found.train.dtype == found.held_out.dtype == np.float16
    songs = [{name.split("/")[0] for name in names} for names in (found.train_names, found.held_out_names)]
    assert not songs[0] & songs[1]
    assert (found.facts.songs, found.facts.songs_held_out, found.facts.symbols) == (8, 1, (42, 6))
    expected = found.facts.representation().pictures(beat(0, 0)[None])
    at = found.train_names.index("song 0/0.wav") if "song 0/0.wav" in found.train_names else None
    assert at is not None
    np.testing.assert_allclose(found.train[at], expected[0], atol=0.05)  # 16 bits, and the mean is taken out


def test_pictures_are_made_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "song 0" / "0.wav").write_bytes(b"RIFF broken")
    first = load_pictures(folder, FRAMES, BANDS)
    assert len(first.skipped) == 1
    monkeypatch.setattr(slices, "_made", None)
    again = load_pictures(folder, FRAMES, BANDS)
    np.testing.assert_array_equal(first.train, again.train)
    assert (again.train_names, again.skipped, again.facts) == (first.train_names, first.skipped, first.facts)


def test_a_damaged_cache_is_made_again(folder: Path) -> None:
    others = set(library.CACHE.glob("*.pictures"))
    write_wav(folder / "song 0" / "0.wav", beat(20, 0), RATE)  # so that no other test has made them
    first = load_pictures(folder, FRAMES, BANDS)
    (kept,) = set(library.CACHE.glob("*.pictures")) - others
    content = bytearray(kept.read_bytes())
    content[-1] ^= 1
    kept.write_bytes(content)
    np.testing.assert_array_equal(load_pictures(folder, FRAMES, BANDS).train, first.train)


def test_a_copy_counts_once_and_what_is_not_listed_is_said(folder: Path) -> None:
    shutil.copy(folder / "song 1" / "0.wav", folder / "song 2" / "0.wav")
    write_wav(folder / "new.wav", beat(9, 9), RATE)
    found = load_pictures(folder, FRAMES, BANDS)
    assert found.facts.duplicate_files == 1
    assert found.facts.used == 47
    assert any("new.wav" in reason and "slices.json" in reason for reason in found.skipped)


def test_a_slice_of_another_length_is_left_out(folder: Path) -> None:
    write_wav(folder / "song 3" / "1.wav", beat(3, 1)[:-1], RATE)
    found = load_pictures(folder, FRAMES, BANDS)
    (reason,) = found.skipped
    assert "1,999" in reason
    assert "2,000" in reason


def test_what_training_nearly_has_is_not_held_out(folder: Path) -> None:
    held_out = load_pictures(folder, FRAMES, BANDS).held_out_names
    other = next(path for path in sorted(folder.glob("*/0.wav")) if path.relative_to(folder).as_posix() not in held_out)
    write_wav(folder / held_out[0], beat(int(other.parent.name[-1]), 0) * 0.97, RATE)
    found = load_pictures(folder, FRAMES, BANDS)
    assert found.facts.near_duplicates == 1
    assert held_out[0] not in found.held_out_names + found.train_names


def test_songs_are_cut_first(tmp_path: Path) -> None:
    write_wav(tmp_path / "song.wav", beat(0, 0), RATE)
    with pytest.raises(UserError, match=r"1 sound file and no slices\.json.*workshop\.datasets slice"):
        load_pictures(tmp_path, FRAMES, BANDS)


def test_few_slices_are_refused(folder: Path) -> None:
    for path in folder.glob("song [2-9]"):
        shutil.rmtree(path)
    with pytest.raises(UserError, match="12 slices"):
        load_pictures(folder, FRAMES, BANDS)


def test_slices_that_are_all_the_same_are_refused(folder: Path) -> None:
    for number, path in enumerate(sorted(folder.glob("*/*.wav"))):
        write_wav(path, beat(0, 0) * (1 - 0.001 * number), RATE)
    with pytest.raises(UserError, match="nearly all the same"):
        load_pictures(folder, FRAMES, BANDS)


def test_a_size_that_does_not_fit_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="--frames 1024 --bands 16"):
        load_pictures(folder, 1024, 16)


@pytest.mark.parametrize("change", [('"rate":4000', '"rate":4'), ('"samples":2000', '"samples":0'), ('"bpm"', '"b"')])
def test_a_damaged_list_is_named(folder: Path, change: tuple[str, str]) -> None:
    text = (folder / "slices.json").read_text("utf-8").replace(": ", ":")
    (folder / "slices.json").write_text(text.replace(*change), "utf-8")
    with pytest.raises(UserError, match=r"slices\.json is damaged"):
        load_pictures(folder, FRAMES, BANDS)


def test_of_one_song_the_end_is_held_out() -> None:
    found = held_out_songs(["a"] * 20, 0.1, np.empty((20, 1)))
    assert np.flatnonzero(found).tolist() == [18, 19]


def test_some_song_is_always_left_to_train_on() -> None:
    assert held_out_songs(["a", "b"], 0.9, np.empty((2, 1))).sum() == 1


def test_the_nearest_is_found() -> None:
    random = np.random.default_rng(0)
    pictures = random.uniform(-1, 1, (40, 32, 32)).astype(np.float16)
    numbers, distances = nearest(coarse(pictures[::3]), coarse(pictures))
    assert numbers.tolist() == list(range(0, 40, 3))
    np.testing.assert_allclose(distances, 0, atol=1e-3)
    assert not near_duplicates(pictures, np.arange(40) < 8).any()
    found = nearest(np.array([[0.0], [5.0]]), np.array([[1.0], [9.0]]))
    np.testing.assert_allclose(found, [[0, 0], [1, 4]])
