"""Sounds that grow into files: there is something to hear at any moment."""

import itertools
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workshop.audio import writing
from workshop.audio.writing import IncrementalWavWriter, SpeedMeter
from workshop.errors import UserError

NOTHING = np.empty(0, np.float32)


def steps(samples: np.ndarray) -> list[int]:
    """As they stand in a file."""
    return np.round(samples * 32767).astype(int).tolist()


def heard(file: Path, rate: int = 8000) -> list[int]:
    with wave.open(str(file), "rb") as opened:
        assert (opened.getnchannels(), opened.getsampwidth(), opened.getframerate()) == (1, 2, rate)
        count = opened.getnframes()
        found = np.frombuffer(opened.readframes(count + 1), "<i2")
        assert len(found) == count
        return found.tolist()


def noise(count: int, streams: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (count, streams)).astype(np.float32)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The samples of each writing of a file."""
    lengths: list[int] = []
    really = writing.write_wav

    def write_wav(path: Path, samples: np.ndarray, rate: int) -> None:
        lengths.append(len(samples))
        really(path, samples, rate)

    monkeypatch.setattr(writing, "write_wav", write_wav)
    return lengths


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.integers(1, 3), st.integers(0, 30), st.integers(1, 60))
def test_all_samples_of_all_streams_stand_in_the_files(
    tmp_path: Path, pieces: list[int], streams: int, begun: int, save_every: int
) -> None:
    sounds, start = noise(sum(pieces), streams), noise(begun, 1, 1)[:, 0]
    stems = [tmp_path / f"{number:02d}" for number in range(streams)]
    with IncrementalWavWriter(stems, 8000, start, save_every) as growing:
        for end, count in zip(itertools.accumulate(pieces), pieces, strict=True):
            growing.add(sounds[end - count : end])
    assert growing.files == [stem.with_suffix(".wav") for stem in stems]
    for file, kept, sound in zip(growing.files, growing.sounds(), sounds.T, strict=True):
        whole = np.concatenate([start, sound])
        assert kept.dtype == np.float32
        assert kept.tolist() == whole.tolist()
        assert heard(file) == steps(whole)


def test_the_files_can_be_heard_at_any_moment(tmp_path: Path) -> None:
    sounds = noise(1000, 2)
    stems = [tmp_path / "a", tmp_path / "b"]
    lengths = []
    with IncrementalWavWriter(stems, 8000, NOTHING, 100) as growing:
        for at in range(0, 1000, 30):
            growing.add(sounds[at : at + 30])
            if growing.files[0].exists():
                for file, sound in zip(growing.files, sounds.T, strict=True):
                    found = heard(file)
                    assert found == steps(sound[: len(found)])
                lengths.append(len(found))
                # No more is missing than was asked for, and the piece that made it more.
                assert at + 30 - lengths[-1] < 130
    assert lengths == sorted(lengths)
    assert len(set(lengths)) > 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "b.wav"]


def test_ctrl_c_leaves_what_there_is(tmp_path: Path) -> None:
    sounds = noise(250, 2)

    def stopped() -> None:
        with IncrementalWavWriter([tmp_path / "a", tmp_path / "b"], 8000, sounds[:50, 0], 100) as growing:
            growing.add(sounds[:120])
            growing.add(sounds[120:150])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    for name, sound in zip("ab", sounds.T, strict=True):
        assert heard(tmp_path / f"{name}.wav") == steps(np.concatenate([sounds[:50, 0], sound[:150]]))


@pytest.mark.parametrize("interrupted", [1, 2])
def test_ctrl_c_while_a_file_is_written_leaves_all_files_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupted: int
) -> None:
    sounds, really, calls = noise(100, 2), writing.write_wav, itertools.count(1)

    def write_wav(path: Path, samples: np.ndarray, rate: int) -> None:
        if next(calls) == interrupted:
            raise KeyboardInterrupt
        really(path, samples, rate)

    monkeypatch.setattr(writing, "write_wav", write_wav)
    growing = IncrementalWavWriter([tmp_path / "a", tmp_path / "b"], 8000, NOTHING, 10)
    with pytest.raises(KeyboardInterrupt), growing:
        growing.add(sounds)
    assert [heard(file) for file in growing.files] == [steps(sound) for sound in sounds.T]


def test_ctrl_c_before_the_first_sample_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), IncrementalWavWriter([tmp_path / "a"], 8000, noise(50, 1)[:, 0], 10):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file")
    growing = IncrementalWavWriter([tmp_path / "folder" / "a"], 8000, NOTHING, 10)
    with pytest.raises(UserError, match=r"a\.wav cannot be written"), growing:
        growing.add(noise(20, 1))


def test_nothing_is_written_twice(tmp_path: Path, written: list[int]) -> None:
    with IncrementalWavWriter([tmp_path / "a"], 8000, NOTHING, 100) as growing:
        growing.add(noise(100, 1))
        growing.add(noise(100, 1))
    assert written == [100, 200]


def test_a_long_sound_is_not_written_too_often(tmp_path: Path, written: list[int]) -> None:
    piece = noise(1000, 1)
    with IncrementalWavWriter([tmp_path / "a"], 8000, NOTHING, 1000) as growing:
        for _ in range(1000):
            growing.add(piece)
    assert written[-1] == 1_000_000
    assert written[:5] == [1000, 2000, 3000, 4000, 5000]
    assert sum(written) < 13 * 1_000_000
    # Killed at any moment, a tenth is lost at most.
    assert all(later <= 1.1 * earlier + 1000 for earlier, later in itertools.pairwise(written))


def test_the_meter_knows_how_much_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(writing.time, "monotonic", lambda: now)
    with SpeedMeter(1000, 4, 8000) as meter:
        meter.update(300)
        meter.update(700)
        now += 0.25
        assert meter.made == 1000
        assert meter.speed() == "16,000 samples/s, 2.00x real time"
