"""Bad input to lesson 1: one sentence, exit status 2, no traceback, and nothing half-written."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from damage import DAMAGES, change_run, everything, fill, truncated

from char_rnn import sample, train
from workshop import cli
from workshop.errors import UserError
from workshop.files import write_json
from workshop.lessons import Lesson
from workshop.run import checkpoint, pretrained
from workshop.run.board import TensorBoardWriter

#: Runs a script's main in this process with these arguments; gives the sentence that it ended with.
Refused = Callable[..., str]


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> Path:
    """A copy of a trained experiment, to be spoilt."""
    return Path(shutil.copytree(trained, tmp_path / "copied"))


# ---- data

BINARY = random.Random(0).randbytes(5000)
DATA: dict[str, tuple[bytes | None, list[str], str]] = {
    "no such folder": (None, [], r"there is no .*songs"),
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
    if content is not None:
        (tmp_path / "songs").write_bytes(content)
    before = everything(tmp_path)
    said = refused(train, "--data_dir", "songs", "--experiment_dir", "exp", *args)
    assert re.search(sentence, said), said
    assert everything(tmp_path) == before


def test_a_folder_without_texts(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs" / "tune.mid").write_bytes(b"MThd")
    assert "songs has no text files (found: 1 .mid)" in refused(train, "--data_dir", "songs", "--experiment_dir", "exp")
    assert not (tmp_path / "exp").exists()


def test_bad_data_is_answered_without_tensorflow(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_bytes(BINARY)
    code = (
        "import sys, char_rnn.train as train; sys.argv = ['train.py', '--data_dir', sys.argv[1]]\n"
        "try: train.main()\n"
        "except Exception as error: print(type(error).__name__, 'tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "UserError False False\n"


def test_the_script_itself_ends_with_status_2(run_script: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = run_script("char_rnn/train.py", "--data_dir", "nowhere at all")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: there is no nowhere at all")
    assert done.stderr.count("\n") == 1


# ---- arguments

ARGUMENTS = [
    (sample, "--temperature 0", "--temperature: '0' is not a number above 0"),
    (sample, "--temperature -1", "--temperature: '-1' is not a number above 0"),
    (sample, "--temperature nan", "--temperature: 'nan' is not a number above 0"),
    (sample, "--top_p 0", "--top_p: '0' is not a number above 0 and at most 1"),
    (sample, "--top_p 1.5", "--top_p: '1.5' is not a number above 0 and at most 1"),
    (sample, "--top_p -0.1", "--top_p: '-0.1' is not"),
    (sample, "--top_k 0", "--top_k: '0' is not a whole number of at least 1"),
    (sample, "--length 0", "'0' is not a whole number of at least 1"),
    (sample, "-n 0", "'0' is not a whole number of at least 1"),
    (sample, "--length -5", "'-5' is not a whole number"),
    (sample, "--length many", "'many' is not a whole number"),
    (sample, "--num_samples 0", "--num_samples: '0' is not a whole number"),
    (sample, "--sample 3", "--sample: invalid choice: 3"),
    (sample, "--seed -1", "--seed: '-1' is not a whole number from 0"),
    (sample, "--temprature 1", 'there is no argument --temprature (did you mean "--temperature"?)'),
    (sample, "--top-q 0.5", 'there is no argument --top_q (did you mean "--top_'),
    (train, "--datadir x", 'there is no argument --datadir (did you mean "--data_dir"?)'),
    (train, "--rnn_sise=9", 'there is no argument --rnn_sise (did you mean "--rnn_size"?)'),
    (train, "--cell lstn", "--cell: invalid choice: 'lstn'"),
    (train, "--size huge", "--size: invalid choice: 'huge'"),
    (train, "--dropout 1", "--dropout: '1' is not a number from 0"),
    (train, "--val_split 0", "--val_split: '0' is not a number between 0 and 1"),
    (train, "--learning_rate 0", "--learning_rate: '0' is not a number above 0"),
    (train, "--learning_rate inf", "--learning_rate: 'inf' is not a number above 0"),
    (train, "--num_epochs 0", "--num_epochs: '0' is not a whole number"),
    (train, "--seq_length 0", "'0' is not a whole number"),
    (train, "--seed 4294967296", "--seed: '4294967296' is not a whole number from 0 to 4294967295"),
    (train, "--data_dir", "--data_dir: expected one argument"),
]


@pytest.mark.parametrize(("script", "args", "sentence"), ARGUMENTS, ids=[f"{s.__name__} {a}" for s, a, _ in ARGUMENTS])
def test_an_argument_that_makes_no_sense(
    refused: Refused, tmp_path: Path, script: ModuleType, args: str, sentence: str
) -> None:
    assert sentence in refused(script, *args.split())
    assert everything(tmp_path) == {}


# ---- the experiment folder


@pytest.mark.parametrize("where", ["file", "file/exp", "/proc/exp", "/proc/deep/exp", "full", "trained"])
def test_a_folder_that_cannot_be_used(
    refused: Refused, tmp_path: Path, tiny_text: Path, trained: Path, where: str
) -> None:
    if where.startswith("/proc") and not os.path.isdir("/proc/self"):
        pytest.skip("there is no /proc on this system")
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "homework.txt").write_text("precious")
    shutil.copytree(trained, tmp_path / "trained")
    before = everything(tmp_path)
    sentence = refused(train, "--smoke", "--data_dir", tiny_text, "--experiment_dir", where)
    assert where in sentence
    assert "--experiment_dir" in sentence
    assert everything(tmp_path) == before


@pytest.mark.parametrize("script", [train, sample])
def test_an_experiment_that_is_not_there(refused: Refused, tmp_path: Path, script: ModuleType) -> None:
    resume = ["--resume"] if script is train else []
    assert "there is no experiment nowhere" in refused(script, *resume, "--experiment_dir", "nowhere")
    (tmp_path / "empty").mkdir()
    assert "empty is not an experiment" in refused(script, *resume, "--save_dir", "empty")


@pytest.mark.parametrize("script", [train, sample])
def test_no_experiment_yet(
    refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: ModuleType
) -> None:
    monkeypatch.setattr(Lesson, "folder", tmp_path / "char_rnn")
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "none")
    sentence = refused(script, *(["--resume"] if script is train else []))
    assert sentence == "there is no experiment in char_rnn yet: train one with `python char_rnn/train.py` first"
    assert everything(tmp_path) == {}


@pytest.mark.parametrize("script", [train, sample])
def test_an_experiment_of_another_lesson(refused: Refused, copied: Path, script: ModuleType) -> None:
    change_run(copied, lesson="midi_rnn")
    before = everything(copied)
    args = ["--resume"] if script is train else []
    assert (
        refused(script, *args, "--experiment_dir", "copied") == "copied is an experiment of midi_rnn, not of char_rnn"
    )
    assert everything(copied) == before


@pytest.mark.parametrize("script", [train, sample])
@pytest.mark.parametrize(
    "damage",
    [truncated, lambda _: b"", lambda _: b"[1, 2]", lambda _: b"\0" * 100, lambda _: b'{"lesson": "char_rnn"}',
     lambda c: c + c, lambda _: b'{"lesson": "char_rnn", "format": 1}'],
    ids=["truncated", "empty", "list", "zeros", "no-format", "twice", "no-parts"],
)  # fmt: skip
def test_a_damaged_run_json(refused: Refused, copied: Path, script: ModuleType, damage: Callable) -> None:
    path = copied / "run.json"
    path.write_bytes(damage(path.read_bytes()))
    before = everything(copied)
    sentence = refused(script, *(["--resume"] if script is train else []), "--experiment_dir", "copied")
    assert "copied/run.json" in sentence
    assert everything(copied) == before


@pytest.mark.parametrize(
    "network",
    [{}, {"vocab_size": "9"},
     {"vocab_size": 9, "rnn_size": 1e9, "num_layers": 1, "cell": "lstm", "dropout": 0.0, "seed": 0}],
)  # fmt: skip
def test_a_run_json_without_a_network(refused: Refused, copied: Path, network: dict) -> None:
    change_run(copied, network=network)
    assert "run.json is damaged" in refused(sample, "--experiment_dir", "copied")


@pytest.mark.slow
def test_a_network_that_its_checkpoints_have_no_room_for(refused: Refused, copied: Path) -> None:
    """Said before room is made: a network of so many units would take all the memory that there is."""
    info = json.loads((copied / "run.json").read_text("utf-8"))
    for changes in ({"rnn_size": 10**6}, {"num_layers": 1000}, {"rnn_size": 1000}):
        change_run(copied, network=info["network"] | changes, arguments=info["arguments"] | changes)
        before = everything(copied)
        for script, args in ((train, ["--resume", "--num_epochs", "3"]), (sample, [])):
            said = refused(script, *args, "--experiment_dir", "copied")
            assert re.fullmatch(r"run\.json is damaged: it describes a network of .*hold fewer", said), said
        assert everything(copied) == before


FACTS: list[tuple[str, Any]] = [
    ("path", 5), ("path", None), ("symbols", "9"), ("symbols", [9]), ("symbols", [9, -1]), ("symbols", [1e3, 9]),
    ("symbols", [float("nan"), 9]), ("encoding_given", 8), ("encoding_given", []), ("encodings", {"utf-8": "1"}),
    ("fingerprint", None), ("warm_up", 5), ("warm_up", ["a"]), ("warm_up", {}), ("normal_form", "NFX"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), FACTS)
def test_a_fact_that_is_not_valid_is_named(refused: Refused, copied: Path, name: str, value: Any) -> None:
    data = json.loads((copied / "run.json").read_text("utf-8"))["data"]
    change_run(copied, data={**data, name: value})
    said = refused(sample, "--experiment_dir", "copied", "-n", "5")
    assert re.match(rf"copied/run\.json is damaged: its entry 'data\.{name}\S*' is not valid \(", said), said


@pytest.mark.parametrize("meta", [{}, {"step": "9"}, {"step": None}, {"step": -1}])
def test_a_checkpoint_without_its_step(refused: Refused, copied: Path, meta: dict) -> None:
    path = copied / "checkpoints" / "best.npz"
    arrays, _ = checkpoint.load(path)
    checkpoint.save(path, arrays, meta)
    said = refused(sample, "--experiment_dir", "copied", "-n", "5")
    assert "the checkpoint copied/checkpoints/best.npz is damaged: its entry 'step'" in said


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


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("which", ["latest", "best"])
def test_a_damaged_checkpoint(refused: Refused, copied: Path, which: str, damage: str) -> None:
    path = copied / "checkpoints" / f"{which}.npz"
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    before = everything(copied)
    script, args = (train, ["--resume", "--num_epochs", "3"]) if which == "latest" else (sample, ["-n", "5"])
    sentence = refused(script, *args, "--experiment_dir", "copied")
    assert f"copied/checkpoints/{which}.npz is damaged" in sentence
    assert everything(copied) == before


def test_a_checkpoint_with_code_in_it_is_not_run(refused: Refused, copied: Path) -> None:
    np.savez(copied / "checkpoints" / "best.npz", **{"average/0": np.array([print], object)}, allow_pickle=True)
    assert "best.npz is damaged" in refused(sample, "--experiment_dir", "copied")


def test_a_missing_checkpoint(refused: Refused, copied: Path) -> None:
    (copied / "checkpoints" / "latest.npz").unlink()
    before = everything(copied)
    for script, args in ((train, ["--resume", "--num_epochs", "3"]), (sample, ["--checkpoint", "latest"])):
        sentence = refused(script, *args, "--experiment_dir", "copied")
        assert "there is no checkpoint copied/checkpoints/latest.npz" in sentence
    assert everything(copied) == before
    (copied / "checkpoints" / "best.npz").unlink()
    assert "there is no checkpoint copied/checkpoints/" in refused(sample, "--experiment_dir", "copied")


# ---- resuming


@pytest.mark.parametrize(
    ("name", "value", "had"),
    [("rnn_size", "32", "16"), ("cell", "gru", "lstm"), ("seq_length", "30", "20"), ("num_layers", "2", "1"),
     ("batch_size", "10", "20"), ("dropout", "0.5", "0.2"), ("size", "large", "small"), ("seed", "1", "0"),
     ("val_split", "0.2", "0.1"), ("encoding", "latin-1", "None")],
)  # fmt: skip
def test_resuming_as_another_network(refused: Refused, copied: Path, name: str, value: str, had: str) -> None:
    before = everything(copied)
    sentence = refused(train, "--resume", "--experiment_dir", "copied", f"--{name}", value)
    assert f"--{name} {value} contradicts the experiment copied, which has {had}" in sentence
    assert everything(copied) == before


def test_resuming_with_other_data(refused: Refused, copied: Path, tmp_path: Path, tiny_text: Path) -> None:
    (tmp_path / "songs").write_text((tiny_text / "input.txt").read_text("utf-8") + "one more line\n", "utf-8")
    before = everything(tmp_path)
    sentence = refused(train, "--resume", "--experiment_dir", "copied", "--data_dir", "songs")
    assert "songs does not hold the data that copied was trained on" in sentence
    assert everything(tmp_path) == before


def test_resuming_when_the_data_has_gone(refused: Refused, copied: Path, tmp_path: Path) -> None:
    info = json.loads((copied / "run.json").read_text("utf-8"))
    gone = str(tmp_path / "gone")
    change_run(copied, data={**info["data"], "path": gone})
    before = everything(tmp_path)
    assert f"is not in {gone} any more" in refused(train, "--resume", "--experiment_dir", "copied")
    assert everything(tmp_path) == before


# ---- no room


@pytest.mark.parametrize(
    "leave", [pytest.param(0, id="no-room"), pytest.param(12 << 10, id="room-for-run-json", marks=pytest.mark.slow)]
)
def test_a_disk_full_while_saving(
    refused: Refused, trained: Path, small_disk: Path, capfd: pytest.CaptureFixture[str], leave: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    experiment = Path(shutil.copytree(trained, small_disk / "exp"))
    filler = fill(small_disk, leave)
    before = everything(experiment / "checkpoints")
    sentence = refused(train, "--resume", "--experiment_dir", experiment, "--num_epochs", "3")
    assert "no space left on device" in sentence
    assert "is intact" in sentence
    assert "--resume" in sentence
    assert everything(experiment / "checkpoints") == before
    json.loads((experiment / "run.json").read_text("utf-8"))
    if leave:
        return  # the rest takes time, and once is enough
    filler.unlink()
    monkeypatch.setattr(sys, "argv", ["train.py", "--resume", "--experiment_dir", str(experiment), "--num_epochs", "3"])
    with pytest.raises(SystemExit) as ended:
        cli.run(train.main)
    assert ended.value.code == 0
    assert json.loads((experiment / "run.json").read_text("utf-8"))["step"] == 132
    capfd.readouterr()


@pytest.mark.parametrize("leave", [0, 40 << 10], ids=["no-room", "no-room-for-a-checkpoint"])
def test_a_disk_full_from_the_beginning(
    refused: Refused, tiny_text: Path, tiny_arguments: list[str], small_disk: Path, leave: int
) -> None:
    fill(small_disk, leave)
    sentence = refused(train, "--data_dir", tiny_text, "--experiment_dir", small_disk / "exp", *tiny_arguments)
    assert "no space left on device" in sentence
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


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


def test_a_sample_on_a_full_disk(refused: Refused, trained: Path, small_disk: Path) -> None:
    fill(small_disk)
    sentence = refused(sample, "--experiment_dir", trained, "-n", "9", "--out", small_disk / "text.txt")
    assert "disk/text.txt cannot be written: no space left" in sentence
    assert [path.name for path in small_disk.iterdir()] == ["filler"]
