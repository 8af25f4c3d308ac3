"""Bad input that only lesson 2 can be given: one sentence, exit status 2, no traceback, and nothing half-written."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from damage import change_run, everything, fill
from melodies import melody

from midi_rnn import sample, train
from workshop.notes.midifiles import write

#: Runs a script's main in this process with these arguments; gives the sentence that it ended with.
Refused = Callable[..., str]

pytestmark = pytest.mark.usefixtures("read_here")


@pytest.fixture
def copied(trained_midi: Path, tmp_path: Path) -> Path:
    """A copy of a trained experiment, to be spoilt."""
    return Path(shutil.copytree(trained_midi, tmp_path / "copied"))


# ---- data

TUNE = object()
DATA: dict[str, tuple[Any, list[str], str]] = {
    "empty file": (b"", [], r"tunes/a\.mid is empty"),
    "not MIDI": (b"hello " * 99, [], r"tunes/a\.mid is not a MIDI file"),
    "shorter than a window": (TUNE, [], r"tunes is too short: 58 sixteenths .* a window takes 65; add more"),
    "shorter than the window asked for": (TUNE, ["--seq_length", "58"], r"tunes is too short: 58 sixteenths"),
    "in events": (TUNE, ["--encoding", "performance", "--seq_length", "999"], r"too short: \d+ events .* 1000"),
    "no such track": (TUNE, ["--track", "Tone"], r'a\.mid has no track Tone \(did you mean "Tune"\?\)'),
    "no such number": (TUNE, ["--track", "2"], r"a\.mid has no track 2 \(it has 1 'Tune'\)"),
}


@pytest.mark.parametrize("case", DATA)
def test_data_that_cannot_be_used(refused: Refused, tmp_path: Path, case: str) -> None:
    content, args, sentence = DATA[case]
    if content is TUNE:
        write(tmp_path / "tunes" / "a.mid", melody(0, 4), name="Tune")
    else:
        (tmp_path / "tunes").mkdir()
        (tmp_path / "tunes" / "a.mid").write_bytes(content)
    before = everything(tmp_path)
    said = refused(train, "--data_dir", "tunes", "--experiment_dir", "exp", *args)
    assert re.search(sentence, said), said
    assert everything(tmp_path) == before


def test_a_folder_of_broken_files(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "tunes").mkdir()
    for number in range(3):
        (tmp_path / "tunes" / f"{number}.mid").write_bytes(b"broken" * number)
    said = refused(train, "--data_dir", "tunes", "--experiment_dir", "exp")
    assert said == "none of the 3 MIDI files in tunes can be used; the first: tunes/0.mid is empty"
    assert not (tmp_path / "exp").exists()


# ---- arguments

ARGUMENTS = [
    (train, "--transpose -1", "--transpose: '-1' is not a whole number of at least 0"),
    (train, "--transpose 1.5", "--transpose: '1.5' is not a whole number"),
    (train, "--stretch 1", "--stretch: '1' is not a number from 0 up to, but not including, 1"),
    (train, "--stretch -0.1", "--stretch: '-0.1' is not"),
    (train, "--stretch nan", "--stretch: 'nan' is not"),
    (train, "--encoding piano", "--encoding: invalid choice: 'piano'"),
    (train, "--transposed 2", 'there is no argument --transposed (did you mean "--transpose"?)'),
    (train, "--tempo 100", "there is no argument --tempo"),
    (sample, "--tempo 9", "--tempo: '9' is not a number from 10 to 1000"),
    (sample, "--tempo 1001", "--tempo: '1001' is not a number from 10 to 1000"),
    (sample, "--tempo nan", "--tempo: 'nan' is not a number from 10 to 1000"),
    (sample, "--tempo presto", "--tempo: 'presto' is not a number"),
    (sample, "--midi_instrument 128", "'128' is not an instrument's number: those go from 0 to 127"),
    (sample, "--midi_instrument -1", "'-1' is not an instrument's number"),
    (sample, "--midi_instrument flutte", "'flutte' is not an instrument"),
    (sample, "--midi_instrument guitar", "'guitar' is not one instrument but several: Acoustic Guitar (nylon)"),
    (sample, "--num_files 0", "'0' is not a whole number from 1"),
    (sample, "--wave", 'there is no argument --wave (did you mean "--wav"?)'),
]


@pytest.mark.parametrize(("script", "args", "sentence"), ARGUMENTS, ids=[f"{s.__name__} {a}" for s, a, _ in ARGUMENTS])
def test_an_argument_that_makes_no_sense(
    refused: Refused, tmp_path: Path, script: ModuleType, args: str, sentence: str
) -> None:
    assert sentence in refused(script, *args.split())
    assert everything(tmp_path) == {}


def test_an_instrument_that_is_nearly_right_is_guessed(refused: Refused) -> None:
    assert "Flute" in refused(sample, "--midi_instrument", "flutte")
    assert "Violin" in refused(sample, "--midi_instrument", "violine")


# ---- the experiment folder


FACTS: list[tuple[str, Any]] = [
    ("encoding", "braille"), ("encoding", 1), ("encoding", ["melody"]), ("encoding", None),
    ("track", 3), ("track", ["Melody"]),
    ("allowed_symbols", []), ("allowed_symbols", "abc"), ("allowed_symbols", [0, 131]),
    ("allowed_symbols", [-1]), ("allowed_symbols", [0.5]), ("allowed_symbols", [True]), ("allowed_symbols", 5),
    ("warm_up", []), ("warm_up", {"0": 1}), ("warm_up", [0, 500]), ("warm_up", [None]),
    ("tempo", "fast"), ("tempo", 0), ("tempo", -90.0), ("tempo", float("nan")), ("tempo", 1e9), ("tempo", True),
    ("limits", {"longest_note": 100, "voices": 4}), ("limits", {}), ("limits", 5),
    ("summary", {}), ("summary", [1]), ("summary", {"notes": 3}),
]  # fmt: skip


@pytest.mark.parametrize("name", ["encoding", "track", "allowed_symbols", "warm_up", "tempo", "summary"])
def test_a_fact_that_is_missing_is_named(refused: Refused, copied: Path, name: str) -> None:
    data = json.loads((copied / "run.json").read_text("utf-8"))["data"]
    del data[name]
    change_run(copied, data=data)
    before = everything(copied)
    said = refused(sample, "--experiment_dir", "copied")
    assert said == f"copied/run.json is damaged: its entry 'data.{name}' is missing"
    assert everything(copied) == before


@pytest.mark.parametrize(("name", "value"), FACTS)
def test_a_fact_that_is_not_valid_is_named(refused: Refused, copied: Path, name: str, value: Any) -> None:
    data = json.loads((copied / "run.json").read_text("utf-8"))["data"]
    change_run(copied, data={**data, name: value})
    said = refused(sample, "--experiment_dir", "copied", "--stats", "-n", "5")
    assert name in said
    # What does not fit another entry is said of all of them.
    assert re.match(rf"copied/run\.json is damaged: its entry 'data(\.{name}\S*)?' is (not valid|missing)", said), said


def test_a_summary_with_a_word_for_a_number(refused: Refused, copied: Path) -> None:
    data = json.loads((copied / "run.json").read_text("utf-8"))["data"]
    change_run(copied, data={**data, "summary": {**data["summary"], "lowest": "low"}})
    assert "its entry 'data.summary.lowest' is not valid" in refused(sample, "--experiment_dir", "copied")
    change_run(copied, data={**data, "summary": {**data["summary"], "more": 1}})
    assert "its entry 'data.summary' is not valid" in refused(sample, "--experiment_dir", "copied")


def test_the_facts_of_the_other_encoding(refused: Refused, copied: Path) -> None:
    data = json.loads((copied / "run.json").read_text("utf-8"))["data"]
    change_run(copied, data={**data, "encoding": "performance"})
    assert "the experiment is damaged: its network knows 131 symbols" in refused(sample, "--experiment_dir", "copied")


@pytest.mark.parametrize(("name", "value"), [("longest_note", 10**400), ("voices", 0), ("voices", 2.5)])
def test_limits_that_are_not_valid(
    refused: Refused, trained_performance: Path, tmp_path: Path, name: str, value: Any
) -> None:
    copied = Path(shutil.copytree(trained_performance, tmp_path / "copied"))
    data = json.loads((copied / "run.json").read_text("utf-8"))["data"]
    change_run(copied, data={**data, "limits": {**data["limits"], name: value}})
    said = refused(sample, "--experiment_dir", "copied")
    assert re.search(rf"its entry 'data\.limits\.{name}' is not valid|number out of range", said), said


# ---- resuming


@pytest.mark.parametrize(
    ("name", "value", "had"),
    [("encoding", "performance", "melody"), ("track", "Melody", "None"), ("transpose", "3", "2"),
     ("transpose", "0", "2"), ("stretch", "0.2", "0.0"), ("rnn_size", "32", "16")],
)  # fmt: skip
def test_resuming_as_another_run(refused: Refused, copied: Path, name: str, value: str, had: str) -> None:
    before = everything(copied)
    sentence = refused(train, "--resume", "--experiment_dir", "copied", f"--{name}", value)
    assert f"--{name} {value} contradicts the experiment copied, which has {had}" in sentence
    assert everything(copied) == before


# ---- beginnings and results

PRIMES: dict[str, tuple[bytes | None, str]] = {
    "missing": (None, "prime.mid cannot be read: no such file"),
    "empty": (b"", "prime.mid is empty"),
    "text": (b"la la la", "prime.mid is not a MIDI file"),
}


@pytest.mark.parametrize("case", PRIMES)
def test_a_beginning_that_cannot_be_used(refused: Refused, copied: Path, tmp_path: Path, case: str) -> None:
    content, sentence = PRIMES[case]
    if content is not None:
        (tmp_path / "prime.mid").write_bytes(content)
    before = everything(tmp_path)
    assert sentence in refused(sample, "--experiment_dir", "copied", "--prime", "prime.mid")
    assert everything(tmp_path) == before


def test_a_beginning_without_notes(refused: Refused, copied: Path, tmp_path: Path) -> None:
    write(tmp_path / "silence.mid", np.empty((0, 4)))
    assert refused(sample, "--experiment_dir", "copied", "--prime", "silence.mid") == "silence.mid holds no notes"


@pytest.mark.parametrize("out", ["file", "file/deeper", "file/song.mid", "/proc/out"])
def test_a_place_that_cannot_be_written(refused: Refused, copied: Path, tmp_path: Path, out: str) -> None:
    if out.startswith("/proc") and not os.path.isdir("/proc/self"):
        pytest.skip("there is no /proc on this system")
    (tmp_path / "file").write_text("in the way")
    before = everything(tmp_path)
    said = refused(sample, "--experiment_dir", "copied", "-n", "5", "--num_samples", "1", "--out", out)
    assert out in said
    assert "cannot be written" in said
    assert everything(tmp_path) == before


def test_one_file_for_ten_pieces(refused: Refused, copied: Path, tmp_path: Path) -> None:
    before = everything(tmp_path)
    said = refused(sample, "--experiment_dir", "copied", "-n", "5", "--out", "song.mid")
    assert said == "--out song.mid names one file for 10 samples: name a folder, or add --num_samples 1"
    assert everything(tmp_path) == before


# ---- no room


@pytest.mark.parametrize("leave", [0, 16 << 10], ids=["no-room", "room-for-run-json"])
def test_a_disk_full_from_the_beginning(
    refused: Refused, tiny_music: Path, tiny_midi_arguments: list[str], small_disk: Path, tmp_path: Path, leave: int
) -> None:
    """Also where there is a report of skipped files to be written first."""
    shutil.copytree(tiny_music, tmp_path / "tunes")
    for number in range(100):
        (tmp_path / "tunes" / f"broken {number} {'x' * 200}.mid").write_bytes(bytes([number]))
    fill(small_disk, leave)
    args = ["--experiment_dir", small_disk / "exp", *tiny_midi_arguments]
    assert "no space left on device" in refused(train, "--data_dir", "tunes", *args)
    assert [path.name for path in small_disk.iterdir()] == ["filler"]
