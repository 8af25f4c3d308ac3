"""What MIDI messages do, files that say so, and learning."""

from pathlib import Path

import pytest

from live.controls import DEFAULT, PRESSURE, WHEEL, Controls, Turn, message_for, read_mapping
from workshop.errors import UserError
from workshop.files import write_json
from workshop.run.voice import KNOBS, PlayedNote


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        ("b0 4a 20", Turn("mix", 32)),  # the controllers of boii, on a Roland A-49
        ("b5 47 7f", Turn("mix23", 127)),
        ("b0 01 40", Turn("temperature", 64)),
        ("b0 07 00", Turn("volume", 0)),
        ("e0 00 40", Turn("bend", 64)),
        ("e0 7f 7f", Turn("bend", 127)),
        ("d0 30", Turn("press", 48)),
        ("b0 05 40", None),
        ("90 3c 50", PlayedNote(0, 60, 80)),
        ("90 3c 00", PlayedNote(0, 60, 0)),
        ("83 3c 40", PlayedNote(0, 60, 0)),
        ("f8", None),
        ("", None),
        ("b0", None),
        ("c0 05", None),
    ],
)
def test_messages(message: str, meaning: Turn | PlayedNote | None) -> None:
    assert Controls().read(bytes.fromhex(message)) == meaning


@pytest.mark.parametrize("knob", KNOBS)
@pytest.mark.parametrize("position", [0, 64, 127])
def test_a_knob_is_written_as_it_is_read(knob: str, position: int) -> None:
    assert Controls().read(message_for(knob, position)) == Turn(knob, position)


def test_a_knob_learns_what_is_moved_next() -> None:
    controls, told = Controls(), []
    controls.learn("volume", told.append)
    assert controls.read(bytes([0x90, 60, 80])) == PlayedNote(0, 60, 80)  # a key is no knob
    assert controls.read(bytes([0xB0, 74, 5])) == Turn("volume", 5)
    assert told == ["volume is turned by controller 74 now"]
    assert "mix" not in controls.mapping  # one controller turns one knob
    assert controls.read(bytes([0xB0, 74, 6])) == Turn("volume", 6)
    controls.learn("mix", told.append)
    assert controls.read(bytes([0xE0, 0, 9])) == Turn("mix", 9)


def test_a_mapping_is_kept_in_a_file(tmp_path: Path) -> None:
    controls = Controls()
    controls.learn("temperature", lambda sentence: None)
    controls.read(bytes([0xB0, 20, 5]))
    write_json(tmp_path / "map.json", controls.mapping)
    assert read_mapping(tmp_path / "map.json") == {**DEFAULT, "temperature": 20}
    assert {WHEEL, PRESSURE} < set(read_mapping(tmp_path / "map.json").values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"mixx": 3}', 'no knob "mixx"|did you mean "mix"'),
        ('{"mix": 128}', "0 to 127"),
        ('{"mix": "lever"}', "pitch wheel"),
        ('{"mix": null}', "not valid"),
        ('{"mix": 20, "volume": 20}', "mix and volume are both turned by controller 20"),
        ("[1]", "JSON object"),
        ("{", "JSON"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        read_mapping(path)


def test_no_such_knob_can_learn() -> None:
    with pytest.raises(UserError, match="did you mean"):
        Controls().learn("volum", lambda sentence: None)
