"""Bad input that only lesson 1 can be given: one sentence, exit status 2, no traceback, and nothing half-written."""

import json
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from damage import change_run, everything, fill, truncated

from char_rnn import sample, train
from workshop.errors import UserError
from workshop.files import write_json
from workshop.run.board import TensorBoardWriter

#: Runs a script's main in this process with these arguments; gives the sentence that it ended with.
Refused = Callable[..., str]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> Path:
    """A copy of a trained experiment, to be spoilt."""
    return Path(shutil.copytree(trained, tmp_path / "copied"))


# ---- data

BINARY = random.Random(0).randbytes(5000)
DATA: dict[str, tuple[bytes, list[str], str]] = {
    "empty file": (b"", [], r"songs is empty"),
    "shorter than a window": (b"la la la\n" * 3, [], r"songs is too short: 24 characters .* a window takes 51"),
    "shorter than the window asked for": (
        b"la la la\n" * 30,
        ["--seq_length", "243"],
        r"songs is too short: 243 characters",
    ),
    "binary": (BINARY, [], r"songs is not text but binary"),
    "wrong encoding": ("Öl\n".encode("cp1252") * 99, ["--encoding", "utf-8"], r"songs is not utf-8: byte 0 "),
    "no such encoding": (b"la\n" * 99, ["--encoding", "utf-9"], r'"utf-9" is not .*did you mean "utf-8"'),
    "nothing twice": (bytes(range(32, 127)), [], r"songs is too short: no character occurs twice"),
}


@pytest.mark.parametrize("case", DATA)
def test_data_that_cannot_be_used(refused: Refused, tmp_path: Path, case: str) -> None:
    content, args, sentence = DATA[case]
    (tmp_path / "songs").write_bytes(content)
    before = everything(tmp_path)
    said = refused(train, "--data_dir", "songs", "--experiment_dir", "exp", *args)
    assert re.search(sentence, said), said
    assert everything(tmp_path) == before


# ---- arguments

ARGUMENTS = [
    (sample, "--sample 3", "--sample: invalid choice: 3"),
    (train, "--rnn_sise=9", 'there is no argument --rnn_sise (did you mean "--rnn_size"?)'),
    (train, "--cell lstn", "--cell: invalid choice: 'lstn'"),
    (train, "--dropout 1", "--dropout: '1' is not a number from 0"),
]


@pytest.mark.parametrize(("script", "args", "sentence"), ARGUMENTS, ids=[f"{s.__name__} {a}" for s, a, _ in ARGUMENTS])
def test_an_argument_that_makes_no_sense(
    refused: Refused, tmp_path: Path, script: ModuleType, args: str, sentence: str
) -> None:
    assert sentence in refused(script, *args.split())
    assert everything(tmp_path) == {}


# ---- the experiment folder


FACTS: list[tuple[str, Any]] = [
    ("encoding_given", 8), ("encoding_given", []), ("encodings", {"utf-8": "1"}), ("warm_up", 5), ("warm_up", ["a"]),
    ("warm_up", {}), ("normal_form", "NFX"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), FACTS)
def test_a_fact_that_is_not_valid_is_named(refused: Refused, copied: Path, name: str, value: Any) -> None:
    data = json.loads((copied / "run.json").read_text("utf-8"))["data"]
    change_run(copied, data={**data, name: value})
    said = refused(sample, "--experiment_dir", "copied", "-n", "5")
    assert re.match(rf"copied/run\.json is damaged: its entry 'data\.{name}\S*' is not valid \(", said), said


@pytest.mark.parametrize("script", [train, sample])
def test_a_damaged_vocabulary(refused: Refused, copied: Path, script: ModuleType) -> None:
    args = ["--resume"] if script is train else []
    path = copied / "vocab.json"
    content = path.read_bytes()
    path.write_bytes(truncated(content))
    assert "copied/vocab.json is damaged" in refused(script, *args, "--experiment_dir", "copied")
    path.unlink()
    assert "copied/vocab.json cannot be read" in refused(script, *args, "--experiment_dir", "copied")


@pytest.mark.parametrize("script", [train, sample])
def test_a_vocabulary_of_another_experiment(refused: Refused, copied: Path, script: ModuleType) -> None:
    write_json(copied / "vocab.json", {"format": 1, "characters": "abc"})
    before = everything(copied)
    sentence = refused(script, *(["--resume"] if script is train else []), "--experiment_dir", "copied")
    assert "damaged" in sentence
    assert everything(copied) == before


# ---- resuming


@pytest.mark.parametrize(
    ("name", "value", "had"),
    [("rnn_size", "32", "16"), ("cell", "gru", "lstm"), ("num_layers", "2", "1"), ("dropout", "0.5", "0.2"),
     ("size", "large", "small"), ("encoding", "latin-1", "None")],
)  # fmt: skip
def test_resuming_as_another_network(refused: Refused, copied: Path, name: str, value: str, had: str) -> None:
    before = everything(copied)
    sentence = refused(train, "--resume", "--experiment_dir", "copied", f"--{name}", value)
    assert f"--{name} {value} contradicts the experiment copied, which has {had}" in sentence
    assert everything(copied) == before


# ---- no room


@pytest.mark.parametrize(
    "leave", [pytest.param(0, id="no-room"), pytest.param(12 << 10, id="room-for-run-json", marks=pytest.mark.slow)]
)
def test_when_there_is_room_again_a_training_goes_on(
    refused: Refused, trained: Path, small_disk: Path, run_main: Run, leave: int
) -> None:
    experiment = Path(shutil.copytree(trained, small_disk / "exp"))
    filler = fill(small_disk, leave)
    before = everything(experiment / "checkpoints")
    resume = ["--resume", "--experiment_dir", experiment, "--num_epochs", "3"]
    assert "no space left on device" in refused(train, *resume)
    assert everything(experiment / "checkpoints") == before
    json.loads((experiment / "run.json").read_text("utf-8"))
    filler.unlink()
    assert run_main(train, *resume).returncode == 0
    assert json.loads((experiment / "run.json").read_text("utf-8"))["step"] == 132


def test_curves_on_a_full_disk(small_disk: Path) -> None:
    board = TensorBoardWriter(small_disk)
    board.loss("train", 1.0, 1)
    board.flush()
    filler = fill(small_disk)
    with pytest.raises(UserError, match=r"curves in .*disk could not be written: no space left"):  # noqa: PT012
        for step in range(2, 1000):  # what is left of a block is filled first
            board.loss("train", 1.0, step)
            board.flush()
    filler.unlink()
