"""What `inspect` says of sound files: lengths and levels that can be checked by hand, and what to do."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from encoders import encoded

from workshop.audio.synthesis import write_wav
from workshop.datasets import command_line as datasets
from workshop.datasets.audio_inspection import RATE, inspect_audio, report

SINE = np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE)


def test_lengths_and_levels_are_those_of_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(5):
        write_wav(tmp_path / f"{number}.wav", (0.5 + 0.05 * number) * SINE, RATE)
    (tmp_path / "SOURCE.txt").write_text("where they are from", "utf-8")
    inspection = inspect_audio(tmp_path)
    assert inspection.seconds == [4.0] * 5
    assert inspection.levels[0] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.05)
    assert datasets.main(["inspect", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    for part in (
        "5 sound files",
        "0.3 minutes",
        "-9 to -6 dB",
        "learnt by heart",
        "clipped     none",
        "duplicates  none",
    ):
        assert part in said, said


def test_pauses_clipping_and_duplicates_are_noticed(tmp_path: Path) -> None:
    silence = np.zeros(6 * RATE)
    write_wav(tmp_path / "quiet.wav", np.concatenate([silence, 0.3 * SINE, silence]), RATE)
    write_wav(tmp_path / "copy.wav", np.concatenate([silence, 0.3 * SINE, silence]), RATE)
    write_wav(tmp_path / "loud.wav", np.clip(3 * SINE, -1, 1), RATE)
    inspection = inspect_audio(tmp_path)
    assert inspection.pauses == pytest.approx(12, abs=0.1)
    assert inspection.clipped == ["loud.wav"]
    assert inspection.duplicates == 1
    assert "--silence_threshold -40" in report(inspection)


def test_what_was_changed_in_a_file_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "cable.wav", np.stack([0.5 * SINE, -0.5 * SINE], 1), RATE)
    soundfile.write(tmp_path / "scipy.wav", 20000 * SINE, RATE, subtype="FLOAT")
    encoded(tmp_path / "voice.m4a", 0.4 * SINE[None], RATE, "aac")
    assert datasets.main(["inspect", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    for part in (
        "3 sound files",
        "changed     cable.wav: its channels cancel each other, so channel 1, the loudest, is used alone\n",
        "changed     scipy.wav: its samples go to 20,000, where full scale is 1: they are divided by that\n",
        "clipped     none",
    ):
        assert part in said, said


def test_too_little_and_nothing_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.wav").write_text("not a sound", "utf-8")
    assert datasets.main(["inspect", str(tmp_path)]) == 2
    said = capsys.readouterr().out
    assert "text.wav is not sound that can be read" in said
    assert "will not train: none of the files holds sound" in said
    write_wav(tmp_path / "a.wav", 0.5 * SINE, RATE)
    assert datasets.main(["inspect", str(tmp_path / "a.wav")]) == 2
    assert "too short: needs at least 10 seconds, has 4.0" in capsys.readouterr().out
