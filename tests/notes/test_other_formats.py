"""Files of notation programs and sequencers: each is named, and says what to do with it."""

from pathlib import Path

import pytest
from melodies import melody

from workshop.errors import UserError
from workshop.notes import other_formats
from workshop.notes.midifiles import find_midi_files, load, read, write
from workshop.notes.midilibrary import read_all


@pytest.mark.parametrize("suffix", [*other_formats.FORMATS, ".MSCZ"])
def test_it_is_named_and_to_be_exported(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"song{suffix}"
    file.write_bytes(b"PK\x03\x04")
    with pytest.raises(UserError, match=r"is a (score|tablature|project) .*export it as MIDI"):
        read(file)
    assert find_midi_files(tmp_path) == [file]
    assert list(read_all([file], tmp_path / "cache").skipped) == [file]


def test_a_midi_file_by_another_name_is_one(tmp_path: Path) -> None:
    file = tmp_path / "song.mus"
    write(file, melody(0))
    assert load(file).startswith(b"MThd")
    assert len(read(file).notes) == len(melody(0))


def test_what_lies_beside_its_export_is_not_missed(tmp_path: Path) -> None:
    for name in ("a.mid", "a.mscz", "b.mscz", "c.mscz", "c.MID", "deep/a.gp5"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [file.relative_to(tmp_path).as_posix() for file in find_midi_files(tmp_path)]
    assert found == ["a.mid", "b.mscz", "c.MID", "deep/a.gp5"]
