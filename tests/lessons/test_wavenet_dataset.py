"""Sound files on disk as values of mu-law, some of them held out whole, and the windows over them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from records import entries, kept_in_json

from wavenet.dataset import load
from workshop.audio import library, mu_law
from workshop.audio.audiofiles import Reading, read
from workshop.audio.library import FRAME, SoundInfo, Sounds, describe, loud_part
from workshop.checks import typed
from workshop.errors import UserError
from workshop.run.batches import hold_out
from workshop.run.experiment import SHOWN_REASONS

RATE = 8000


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is read is not kept in the clone."""
    monkeypatch.setattr(library, "CACHE", tmp_path / "cache" / "audio")
    return tmp_path / "cache" / "audio"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for sounds."""
    (tmp_path / "sounds").mkdir()
    return tmp_path / "sounds"


def sound(number: int, seconds: float = 0.2) -> np.ndarray:
    """A tone of its own, without silence at its ends."""
    time = np.arange(int(seconds * RATE)) / RATE
    return 0.5 * np.cos(2 * np.pi * (200 + 37 * number) * time)


def saved(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)
    return path


def sounds(folder: Path, count: int) -> Path:
    for number in range(count):
        saved(folder / f"{number:02d}.wav", sound(number))
    return folder


def both_parts(found: Sounds) -> list[np.ndarray]:
    """All sounds, trained on or held out."""
    return [values for part in found.train + found.held_out for values in part]


def as_lists(values: list[np.ndarray]) -> list[list[int]]:
    return [part.tolist() for part in values]


def encoded(path: Path, rate: int = RATE) -> list[int]:
    """The values of a file, as they are kept: in 16 bits."""
    return mu_law.encode(np.round(read(path, rate) * 32767).astype(np.float32) / 32767).tolist()


# ---- what is read


def test_a_folder_is_all_sound_files_in_it_and_below(folder: Path) -> None:
    for number, name in enumerate(("a.wav", "b.WAV", "more/c.flac", "more/deep/d.ogg")):
        saved(folder / name, sound(number))
    (folder / "readme.txt").write_text("sounds")
    found = load(folder, RATE)
    files = [file for file in folder.rglob("*") if file.is_file() and file.suffix != ".txt"]
    assert sorted(as_lists(both_parts(found))) == sorted(encoded(file) for file in files)
    assert all(part.dtype == np.uint8 for part in both_parts(found))
    assert found.skipped == []


def test_the_facts_are_those_of_the_sounds(folder: Path) -> None:
    found = load(sounds(folder, 10), RATE, 0.2)
    facts = found.facts
    assert (facts.files, facts.used, facts.skipped, facts.duplicate_files) == (10, 10, 0, 0)
    assert facts.seconds == facts.seconds_kept == 2.0
    assert facts.symbols == (8 * 1600, 2 * 1600) == (sum(map(len, found.train[0])), sum(map(len, found.held_out[0])))
    assert facts.sample_rate == RATE
    assert facts.path == str(folder.resolve())
    assert kept_in_json(facts) == facts


def test_files_of_other_rates_are_resampled(folder: Path) -> None:
    for rate in (8000, 44100):
        time = np.arange(rate) / rate
        saved(folder / f"{rate}.wav", 0.5 * np.sin(2 * np.pi * 440 * time), rate)
    for rate in (8000, 16000):
        found = load(folder, rate)
        for values in both_parts(found):
            assert len(values) == pytest.approx(rate, abs=2)
            loudest = np.abs(np.fft.rfft(mu_law.decode(values))).argmax() * rate / len(values)
            assert loudest == pytest.approx(440, rel=0.01)


# ---- what is held out


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.floats(0.01, 0.99))
def test_every_sound_is_trained_on_or_held_out(count: int, val_split: float) -> None:
    pieces = [np.array([number], np.uint8).repeat(3) for number in range(count)]
    train, held_out = hold_out(pieces, val_split)
    assert train
    assert held_out
    assert all(map(len, train + held_out))
    assert np.concatenate(train + held_out).tolist() == np.concatenate(pieces).tolist()
    if count > 1:
        assert len(held_out) == pytest.approx(count * val_split, abs=1)
        assert not {part[0] for part in train} & {part[0] for part in held_out}


def test_a_single_file_is_cut_in_two(folder: Path) -> None:
    path = saved(folder / "a.wav", sound(0))
    found = load(path, RATE, 0.25)
    assert as_lists(found.train[0]) == [encoded(path)[:1200]]
    assert as_lists(found.held_out[0]) == [encoded(path)[1200:]]
    for val_split in (1e-6, 0.999999):
        found = load(path, RATE, val_split)
        assert found.facts.symbols[0] > 0
        assert found.facts.symbols[1] > 0


def test_a_file_given_by_name_is_read_whatever_its_suffix(folder: Path) -> None:
    # libsndfile takes this one for that of samples without a header.
    path = saved(folder / "a.wav", sound(0)).rename(folder / "a.raw")
    assert np.concatenate(both_parts(load(path, RATE))).tolist() == encoded(path)


def test_names_and_places_make_no_difference(folder: Path, tmp_path: Path) -> None:
    found = load(sounds(folder, 8), RATE)
    for number, file in enumerate(sorted(folder.iterdir())):
        shutil.move(file, saved(tmp_path / "other" / f"{7 - number}" / f"{5 * number % 8}.wav", sound(99)))
    again = load(tmp_path / "other", RATE)
    assert as_lists(again.train[0]) == as_lists(found.train[0])
    assert as_lists(again.held_out[0]) == as_lists(found.held_out[0])
    assert again.facts.fingerprint == found.facts.fingerprint


def test_the_fingerprint_is_that_of_the_sounds_and_how_they_were_read(folder: Path) -> None:
    sounds(folder, 3)
    prints = [load(folder, RATE), load(folder, 16000), load(folder, RATE, silence_threshold=-40)]
    saved(folder / "more.wav", sound(3))
    prints.append(load(folder, RATE))
    assert len({found.facts.fingerprint for found in prints}) == 4


def test_the_same_bytes_count_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = load(sounds(folder, 3), RATE)
    shutil.copy(folder / "00.wav", folder / "copy.wav")
    shutil.copy(folder / "00.wav", folder / "another.wav")
    again = load(folder, RATE)
    assert as_lists(both_parts(again)) == as_lists(both_parts(found))
    assert (again.facts.files, again.facts.used, again.facts.duplicate_files) == (5, 3, 2)
    assert again.facts.seconds == found.facts.seconds
    describe(again, folder)
    assert "2 duplicate files left out" in capsys.readouterr().out


# ---- what cannot be used


def broken(folder: Path) -> list[str]:
    """Names of files that cannot be used."""
    saved(folder / "silent.wav", np.zeros(800))
    saved(folder / "single.wav", np.array([0.5]))
    (folder / "empty.wav").touch()
    (folder / "empty too.wav").touch()
    (folder / "text.wav").write_text("no sound")
    (folder / "nowhere.wav").symlink_to(folder / "nothing")
    return ["silent", "single", "empty", "empty too", "text"]


def test_broken_files_are_skipped_with_a_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = load(sounds(folder, 3), RATE)
    names = broken(folder)
    again = load(folder, RATE)
    assert as_lists(both_parts(again)) == as_lists(both_parts(found))
    assert again.facts.skipped == len(again.skipped) == 5
    assert again.facts.duplicate_files == 0
    for name in names:
        assert any(reason.startswith(f"{folder / name}.wav ") for reason in again.skipped)
    describe(again, folder)
    assert "skipped: " in capsys.readouterr().out


def test_a_file_that_may_not_be_read_is_skipped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(path: Path, mode: str) -> IO[bytes]:
        if path.name == "01.wav":
            raise PermissionError(13, "Permission denied")
        return open(path, mode)

    monkeypatch.setattr(library, "open", refusing, raising=False)
    found = load(sounds(folder, 3), RATE)
    assert found.facts.used == 2
    assert found.skipped == [f"{folder}/01.wav cannot be read: permission denied"]


def test_of_many_broken_files_some_are_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sounds(folder, 2)
    for number in range(30):
        (folder / f"broken {number}.wav").touch()
    describe(load(folder, RATE), folder)
    printed = capsys.readouterr().out
    assert printed.count("skipped: ") == SHOWN_REASONS
    assert printed.endswith(f"and {30 - SHOWN_REASONS} more: see skipped.txt in the experiment\n")


def test_where_all_are_broken_one_sentence_says_so(folder: Path) -> None:
    broken(folder)
    with pytest.raises(UserError, match=r"^none of the 5 sound files in .* can be used; the first: .* is empty$"):
        load(folder, RATE)
    with pytest.raises(UserError, match=r"silent\.wav is silent$"):
        load(folder / "silent.wav", RATE)


def test_where_there_is_nothing_one_sentence_says_so(folder: Path) -> None:
    (folder / "notes.txt").write_text("no sounds")
    with pytest.raises(UserError, match="has no audio files"):
        load(folder, RATE)
    with pytest.raises(UserError, match="there is no"):
        load(folder / "nothing", RATE)


def test_a_very_short_sound_is_used_beside_others(folder: Path) -> None:
    saved(folder / "short.wav", np.array([0.5, -0.5, 0.25]))
    found = load(folder, RATE)
    assert found.facts.symbols == (2, 1)
    sounds(folder, 3)
    for threshold in (0.0, -40.0, 0.01):
        found = load(folder, RATE, silence_threshold=threshold)
        assert sorted(map(len, both_parts(found))) == [3, 1600, 1600, 1600]


# ---- silence

QUIET = np.zeros(20 * FRAME, np.float32)
LOUD = (0.5 * np.cos(np.arange(10 * FRAME))).astype(np.float32)


def test_a_threshold_of_0_leaves_all() -> None:
    samples = np.concatenate([QUIET, LOUD, QUIET])
    assert loud_part(samples, 0) is samples
    assert len(loud_part(QUIET, 0)) == len(QUIET)


@pytest.mark.parametrize("threshold", [-60, -40, -20, -3, 0.001, 0.1, 0.3])
@pytest.mark.parametrize("offset", [0, 1, FRAME // 2, FRAME - 1])
def test_silence_is_left_out_at_both_ends_and_nowhere_else(threshold: float, offset: int) -> None:
    samples = np.concatenate([QUIET[offset:], LOUD, QUIET, LOUD, QUIET])
    kept = loud_part(samples, threshold)
    whole = np.concatenate([LOUD, QUIET, LOUD])
    assert len(whole) <= len(kept) <= len(whole) + 4 * FRAME
    assert np.trim_zeros(kept).tolist() == np.trim_zeros(whole).tolist()


def test_decibels_are_relative_to_the_loudest_moment() -> None:
    # 30 dB quieter than the rest.
    soft = LOUD * 10 ** (-30 / 20)
    for gain in (1, 0.01):
        samples = np.concatenate([QUIET, soft, LOUD, QUIET]) * np.float32(gain)
        with_soft, without = loud_part(samples, -35), loud_part(samples, -25)
        assert len(soft) + len(LOUD) <= len(with_soft) <= len(soft) + len(LOUD) + 3 * FRAME
        assert len(LOUD) <= len(without) <= len(LOUD) + 3 * FRAME


def test_a_positive_threshold_is_a_root_mean_square() -> None:
    level = float(np.sqrt(np.mean(LOUD**2)))
    samples = np.concatenate([QUIET, LOUD, QUIET])
    assert len(LOUD) <= len(loud_part(samples, level * 0.9)) <= len(LOUD) + 2 * FRAME
    assert len(loud_part(samples, level * 1.1)) == 0


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=1000), st.floats(-100, -0.1))
def test_the_loudest_moment_is_always_kept(samples: list[float], threshold: float) -> None:
    whole = np.array(samples, np.float32)
    kept = loud_part(whole, threshold)
    assert len(kept) > 0
    assert np.abs(kept).max() == np.abs(whole).max() or len(whole) > FRAME
    assert kept.tolist() in [samples[at : at + len(kept)] for at in range(0, len(samples), FRAME // 2)]


def test_what_is_left_out_is_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pause = np.zeros(60 * RATE)
    for number in range(2):
        saved(folder / f"{number}.wav", np.concatenate([pause, sound(number, 6), pause, sound(number, 6), pause]))
    saved(folder / "soft.wav", 0.01 * sound(9, 60))
    facts = load(folder, RATE).facts
    assert facts.seconds == facts.seconds_kept == 2 * 192 + 60
    found = load(folder, RATE, silence_threshold=-40)
    assert found.facts.seconds == 2 * 192 + 60
    assert found.facts.seconds_kept == pytest.approx(2 * 72 + 60, abs=0.5)
    assert sum(found.facts.symbols) / RATE == pytest.approx(found.facts.seconds_kept, abs=0.01)
    describe(found, folder)
    printed = capsys.readouterr().out
    assert "3 files found, 3 used: 7.4 minutes at 8,000 samples a second" in printed
    assert "silence left out: 4.0 minutes" in printed
    found = load(folder, RATE, silence_threshold=0.1)
    assert found.facts.used == 2
    assert found.skipped == [f"{folder}/soft.wav is quieter than --silence_threshold 0.1 all along"]
    with pytest.raises(UserError, match=r"^none of the 3 sound files .* is quieter than --silence_threshold 0\.9 all"):
        load(folder, RATE, silence_threshold=0.9)


# ---- what is kept


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read and not taken from what is kept."""
    names: list[str] = []

    def counting(path: Path, rate: int, tell: Callable[[int], None]) -> Reading:
        names.append(path.name)
        return Reading(path, rate, tell)

    monkeypatch.setattr(library, "Reading", counting)
    return names


def everything(folder: Path, rate: int = RATE) -> list[list[int]]:
    found = load(folder, rate)
    return as_lists(both_parts(found))


def test_a_file_is_read_once(folder: Path, readings: list[str]) -> None:
    values = everything(sounds(folder, 3))
    assert sorted(readings) == ["00.wav", "01.wav", "02.wav"]
    (folder / "02.wav").rename(folder / "renamed.wav")
    assert everything(folder) == values
    assert len(readings) == 3
    assert everything(folder, 16000) != values
    assert len(readings) == 6
    assert everything(folder) == values
    assert len(readings) == 6


def test_a_file_with_another_content_is_read_again(folder: Path, readings: list[str]) -> None:
    everything(sounds(folder, 2))
    path = saved(folder / "00.wav", sound(5))
    assert encoded(path) in everything(folder)
    assert readings[2:] == ["00.wav"]


@pytest.mark.parametrize("damage", ["empty", "half", "bit", "longer", "other", "folder"])
def test_what_is_kept_and_damaged_is_not_used(folder: Path, cache: Path, readings: list[str], damage: str) -> None:
    values = everything(sounds(folder, 2))
    for kept in list(cache.iterdir()):
        content = bytearray(kept.read_bytes())
        content[len(content) // 2] ^= 64
        if damage == "folder":
            kept.unlink()
            kept.mkdir()
        else:
            changed = {"empty": b"", "half": content[:1000], "bit": content, "longer": bytes(content) + b"\0\0"}
            kept.write_bytes(changed.get(damage, b"something else"))
    assert everything(folder) == values
    assert len(readings) == 4
    assert everything(folder) == values
    # It has been replaced, where that was possible.
    assert len(readings) == (6 if damage == "folder" else 4)


def test_a_place_that_cannot_be_written_is_no_obstacle(folder: Path, cache: Path, readings: list[str]) -> None:
    cache.parent.write_text("a file where a folder should be")
    values = everything(sounds(folder, 2))
    assert everything(folder) == values
    assert len(readings) == 4


def test_leftovers_are_not_left(folder: Path, cache: Path) -> None:
    everything(sounds(folder, 2))
    assert len(list(cache.iterdir())) == 2
    assert all(not file.name.startswith(".") for file in cache.iterdir())


# ---- what was changed in files


def test_what_was_changed_is_said_also_of_what_is_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sounds(folder, 2)
    soundfile.write(folder / "cable.wav", np.stack([sound(5), -sound(5)], 1), RATE)
    soundfile.write(folder / "scipy.wav", 32767 * sound(6), RATE, subtype="FLOAT")
    for _ in range(2):
        found = load(folder, RATE)
        assert [Path(remark.split(": ")[0]).name for remark in found.remarks] == ["cable.wav", "scipy.wav"]
        describe(found, folder)
        said = capsys.readouterr().out
        assert f"  changed: {folder}/cable.wav: its channels cancel each other, so channel 1" in said
        assert f"  changed: {folder}/scipy.wav: its samples go to " in said
        # A sine is learnt and not a square wave: few of its samples are at the edge.
        for values in [*found.train[0], *found.held_out[0]]:
            assert np.mean((values == 0) | (values == 255)) < 0.3


def test_many_changes_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(8):
        soundfile.write(folder / f"{number}.wav", 300 * sound(number), RATE, subtype="FLOAT")
    describe(load(folder, RATE), folder)
    said = capsys.readouterr().out
    assert said.count("changed: ") == 5
    assert "  and 3 more: `python -m workshop.datasets inspect` shows them" in said


# ---- run.json


def test_the_rate_comes_from_run_json(tmp_path: Path) -> None:
    plain = entries()["data"]
    assert typed(SoundInfo, {**plain, "sample_rate": 8000}, tmp_path).sample_rate == 8000
    for rate in (None, 0, -1, "8000", 8000.0, True, 999, 1_000_001, 10**400):
        with pytest.raises(
            UserError, match=r"is damaged: .*(sample_rate|sample rate|Number out of range|number out of range)"
        ):
            typed(SoundInfo, {**plain, "sample_rate": rate}, tmp_path)
