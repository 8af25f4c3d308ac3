"""What `inspect` says of MIDI files: counts that can be checked by hand, and the encoding that suits."""

from pathlib import Path

import mido
import numpy as np
import pytest

from workshop.datasets import command_line as datasets
from workshop.datasets.midi_inspection import inspect_midi, report
from workshop.notes.midifiles import write


@pytest.fixture(autouse=True)
def _cache_apart(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workshop.notes.midilibrary.CACHE", tmp_path_factory.mktemp("cache"))


def tune(length: int, pitch: int = 60, gap: float = 1.0, overlap: float = 0.0) -> np.ndarray:
    """So many notes, one every `gap` beats."""
    starts = gap * np.arange(length)
    return np.column_stack([starts, starts + gap + overlap, pitch + np.arange(length) % 5, np.full(length, 80)])


def test_one_voice_is_counted_and_will_train_as_a_melody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(4):
        write(tmp_path / f"{number}.mid", tune(300, pitch=60 + number), tempo=90)
    (tmp_path / "SOURCE.txt").write_text("where they are from", "utf-8")
    inspection = inspect_midi(tmp_path)
    assert (inspection.used, inspection.notes, inspection.together, inspection.on_grid) == (4, 1200, 0, 1200)
    assert inspection.pitches == (60, 67)
    assert inspection.minutes == pytest.approx(4 * 300 / 90)
    assert datasets.main(["inspect", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    for part in (
        "4 MIDI files",
        "1,200 notes",
        "13 minutes",
        "90 beats a minute",
        "C4 to G4",
        "--encoding melody",
        "4 files with 1",
    ):
        assert part in said, said


def test_chords_and_free_playing_are_for_the_other_encoding(tmp_path: Path) -> None:
    write(tmp_path / "chords.mid", np.concatenate([tune(800), tune(800, pitch=72)]))
    assert "will train with --encoding performance" in report(inspect_midi(tmp_path))
    (tmp_path / "chords.mid").unlink()
    write(tmp_path / "free.mid", tune(1600, gap=0.37))
    assert "would move its notes to sixteenths" in report(inspect_midi(tmp_path))


def test_what_cannot_be_used_is_named_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "good.mid", tune(20))
    write(tmp_path / "copy.mid", tune(20))
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    (tmp_path / "text.mid").write_bytes(b"not music")
    write(tmp_path / "silent.mid", np.empty((0, 4)))
    assert datasets.main(["inspect", str(tmp_path)]) == 2
    said = capsys.readouterr().out
    for name in ("broken.mid", "text.mid", "silent.mid holds no notes"):
        assert name in said
    assert "too short: needs at least 1,000 notes, has 20" in said


def test_a_folder_without_music_is_looked_at_as_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "song.txt").write_text("la la la " * 1000, "utf-8")
    assert datasets.main(["inspect", str(tmp_path)]) == 0
    assert "characters" in capsys.readouterr().out
    assert datasets.main(["inspect", str(tmp_path / "nowhere")]) == 2


def test_a_folder_of_broken_files_only_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(b"")
    assert "will not train" in report(inspect_midi(tmp_path))


def test_silence_is_measured_and_a_pedal_is_named(tmp_path: Path) -> None:
    write(tmp_path / "dense.mid", tune(60))
    assert "silence     no rest of more than 2 bars\n" in report(inspect_midi(tmp_path))
    # 20 beats before the first note, and 40 between two halves of 20 beats each.
    halves = np.concatenate([tune(20) + np.array([20, 20, 0, 0]), tune(20) + np.array([80, 80, 0, 0])])
    write(tmp_path / "silent.mid", halves)
    inspection = inspect_midi(tmp_path)
    assert (inspection.long_rests, inspection.silent_beats, inspection.longest_rest) == (2, 60, 40)
    assert inspection.beats == 60 + 100
    said = report(inspection)
    assert "silence     38% of the time: 2 rests of more than 2 bars, the longest 40 beats; training shortens" in said
    assert "pedal" not in said
    song = mido.MidiFile(tmp_path / "dense.mid")
    song.tracks[0].insert(0, mido.Message("control_change", control=64, value=64))
    song.save(tmp_path / "dense.mid")
    said = report(inspect_midi(tmp_path))
    assert "pedal       holds 59 notes in 1 file: --encoding performance uses it, --encoding melody ignores it" in said
