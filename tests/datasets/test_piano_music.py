"""The hour of piano: made where it is missing, and left alone where it is the user's."""

from pathlib import Path

import numpy as np
import pytest

from workshop.audio.audiofiles import read
from workshop.datasets import piano_music
from workshop.notes.abc_notation import Melody


def test_a_bar_has_a_bass_under_its_first_note() -> None:
    # Two bars of two quarter notes, a fifth apart; ticks as `Melody` counts them.
    from workshop.notes.abc_fields import WHOLE

    quarter = WHOLE // 4
    notes = [(at * quarter, quarter, pitch) for at, pitch in enumerate((72, 79, 76, 72))]
    sound = piano_music.play(Melody(notes, (2, 4), 2 * quarter))
    assert len(sound) > 2 * piano_music.RATE
    assert np.abs(sound).max() == pytest.approx(0.9, abs=0.01)
    spectrum = np.abs(np.fft.rfft(sound[: piano_music.RATE]))
    bass = 440 * 2 ** ((72 - 24 - 69) / 12)
    near = slice(round(bass) - 3, round(bass) + 4)
    assert spectrum[near].max() > 10 * np.median(spectrum[60:500])


@pytest.mark.slow
def test_some_minutes_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(piano_music, "MINUTES", 0.5)
    monkeypatch.setattr(piano_music, "CANDIDATES", 4)
    monkeypatch.setattr(piano_music, "FOLDER", tmp_path / "piano")
    piano_music.make_if_missing(tmp_path / "mine")  # a folder of the user's, which is not there, is no reason
    assert not list(tmp_path.iterdir())
    piano_music.make_if_missing(tmp_path / "piano")
    files = sorted((tmp_path / "piano").glob("*.wav"))
    assert sum(len(read(file, 22_050)) for file in files) >= 30 * 22_050
    source = (tmp_path / "piano" / "SOURCE.txt").read_text("utf-8")
    assert "GPL-2" in source
    assert f"{len(files)} traditional tunes" in source
    assert not piano_music.export(tmp_path / "piano")
    files[0].write_bytes(b"mine")
    piano_music.make_if_missing(tmp_path / "piano")
    assert files[0].read_bytes() == b"mine"
