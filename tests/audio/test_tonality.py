"""Tones are told from strokes."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from workshop.audio import slices
from workshop.audio.drum_loops import RATE, SAMPLES, songs
from workshop.audio.loop_spectrogram import LoopSpectrogram
from workshop.audio.synthesis import write_wav
from workshop.audio.tonality import TONAL, are_tonal, is_tonal, tonality
from workshop.datasets.audio_inspection import inspect_audio, report

LOOPS = LoopSpectrogram(RATE, SAMPLES, 64, 128)


def chords(seed: int) -> np.ndarray:
    """Four chords of three notes each, plucked, with seven partials."""
    random, at = np.random.default_rng(seed), np.arange(SAMPLES // 4) / RATE
    parts = []
    for _ in range(4):
        waves = [np.sin(2 * np.pi * 110 * 2 ** (note / 12) * partial * at) / partial
                 for note in random.integers(0, 36, 3) for partial in range(1, 8)]  # fmt: skip
        parts.append(np.sum(waves, axis=0) * np.exp(-2 * at) * np.minimum(1, at / 0.01))
    sound = np.resize(np.concatenate(parts), SAMPLES)
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


@pytest.fixture(scope="module")
def drums() -> np.ndarray:
    return LOOPS.pictures(np.stack([next(iter(song.bars()))[1] for song in islice(songs(), 0, None, 64)]))


@pytest.fixture(scope="module")
def tones() -> np.ndarray:
    return LOOPS.pictures(np.stack([chords(seed) for seed in range(8)]))


def test_drums_are_strokes_and_chords_are_tones(drums: np.ndarray, tones: np.ndarray) -> None:
    assert tonality(drums).max() < TONAL < tonality(tones).min()
    assert not are_tonal(drums)
    assert are_tonal(tones)
    assert not are_tonal(np.concatenate([drums[:4], tones[:3]]))
    assert not are_tonal(np.full((3, 64, 128), -1.0))
    assert not are_tonal(drums[:0])


def test_it_is_said_of_slices_that_are_mostly_tonal(
    drums: np.ndarray, tones: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = slices.LoopInfo(
        fingerprint="", path="x", files=8, used=8, skipped=0, duplicate_files=0, symbols=(8, 0), sample_rate=RATE,
        samples=SAMPLES, bpm=160, beats=4, frames=64, bands=128,
    )  # fmt: skip
    for pictures, is_said in ((drums, False), (tones, True)):
        found = slices.Pictures(pictures, pictures[:0], [], [], None, facts, [])  # type: ignore[arg-type]
        slices.describe(found, Path("x"))
        assert ("most slices are of tones" in capsys.readouterr().out) == is_said


def test_inspect_says_it_of_a_folder_of_slices(tmp_path: Path) -> None:
    listed = {}
    for number in range(12):
        write_wav(tmp_path / f"{number}.wav", chords(number), RATE)
        listed[f"{number}.wav"] = slices.Slice("a song", {})
    assert "of tones" not in report(inspect_audio(tmp_path))
    slices.write_about(tmp_path, slices.SlicesFile(bpm=160, beats=4, rate=RATE, samples=SAMPLES, slices=listed))
    said = report(inspect_audio(tmp_path))
    assert "12 of 12 slices of tones" in said
    assert "most slices are of tones" in said


def test_what_is_too_short_is_not_told() -> None:
    assert not is_tonal(np.zeros(100, np.float32), RATE)
