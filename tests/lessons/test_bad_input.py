"""Bad input to every lesson: one sentence, exit status 2, no traceback, and nothing half-written.

What only one lesson can be given, such as an encoding, stands in the tests of that lesson.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from damage import DAMAGES, change_run, everything, fill, truncated
from melodies import melody
from tiny import LESSONS, RATE

from workshop import lessons
from workshop.audio import slices
from workshop.audio.synthesis import write_wav
from workshop.lessons import Lesson
from workshop.notes.midifiles import write
from workshop.run import checkpoint, pretrained

#: Runs a script's main in this process with these arguments; gives the sentence that it ended with.
Refused = Callable[..., str]

pytestmark = pytest.mark.usefixtures("read_here")

RECORDS = {record.name: record for record in lessons.lessons()}
#: The fixture of conftest.py that is a trained experiment of the lesson.
TRAINED = {"char_rnn": "trained", "midi_rnn": "trained_midi"} | {
    name: f"trained_{name}" for name in ("wavenet", "audio_rnn", "spectral_rnn", "spectral_gan")
}
#: A network that no checkpoint of the tests has room for.
TOO_LARGE = {name: {"rnn_size": 10**6} for name in LESSONS} | {
    "wavenet": {"skip_channels": 10**6}, "spectral_gan": {"channels": 10**6}
}  # fmt: skip
#: Where a result is written.
OUT = {"text": "text.txt", "MIDI": "song.mid", "audio": "sound.wav"}


class Tried(NamedTuple):
    """A lesson that is tried: its name, scripts, data, and an experiment that is not to be written to."""

    name: str
    train: ModuleType
    sample: ModuleType
    data: Path
    trained: Path

    @property
    def kind(self) -> str:
        """The kind of its files."""
        return RECORDS[self.name].kind

    def scripts(self) -> list[tuple[ModuleType, list[str]]]:
        """Both scripts, with the arguments that let each open an experiment and go on."""
        return [(self.train, ["--resume", "--num_epochs", "9"]), (self.sample, ["--length", "5"])]


SLOW = ("wavenet", "audio_rnn", "spectral_rnn", "spectral_gan")


@pytest.fixture(
    scope="session",
    params=[pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in LESSONS],
)
def tried(request: pytest.FixtureRequest) -> Tried:
    """Each lesson in turn."""
    name = request.param
    train, sample = (import_module(f"{name}.{script}") for script in ("train", "sample"))
    data, trained = (request.getfixturevalue(fixture) for fixture in (LESSONS[name][0], TRAINED[name]))
    return Tried(name, train, sample, data, trained)


@pytest.fixture
def copied(tried: Tried, tmp_path: Path) -> Path:
    """A copy of the experiment, to be spoilt."""
    return Path(shutil.copytree(tried.trained, tmp_path / "copied"))


def data_of(experiment: Path) -> dict[str, Any]:
    """What run.json says of the data."""
    found: dict[str, Any] = json.loads((experiment / "run.json").read_text("utf-8"))["data"]
    return found


# ---- data and arguments, for which no experiment is needed


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_folder_without_files_of_the_lesson(refused: Refused, tmp_path: Path, lesson: str) -> None:
    train = import_module(f"{lesson}.train")
    args = ["--data_dir", "mine", "--experiment_dir", "exp"]
    assert refused(train, *args).startswith("there is no mine")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "cover.jpg").write_bytes(b"JPEG")
    assert f"mine has no {RECORDS[lesson].kind} files (found: 1 .jpg)" in refused(train, *args)
    assert not (tmp_path / "exp").exists()


@pytest.mark.parametrize("lesson", LESSONS)
def test_bad_data_is_answered_without_tensorflow(tmp_path: Path, lesson: str) -> None:
    code = (
        f"import sys, {lesson}.train as train; sys.argv = ['train.py', '--data_dir', sys.argv[1]]\n"
        "from workshop.errors import UserError\n"
        "try: train.main()\n"
        "except UserError: print('tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.parametrize(("script", "argument"), [("train", "--data_dir"), ("sample", "--experiment_dir")])
def test_the_script_itself_ends_with_status_2(
    run_script: Callable[..., subprocess.CompletedProcess[str]], lesson: str, script: str, argument: str
) -> None:
    done = run_script(f"{lesson}/{script}.py", argument, "nowhere at all")
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.match(r"error: there is no (experiment )?nowhere at all", done.stderr)
    assert done.stderr.count("\n") == 1


ARGUMENTS = [
    ("sample", "--temperature 0", "--temperature: '0' is not a number above 0"),
    ("sample", "--temperature -1", "--temperature: '-1' is not a number above 0"),
    ("sample", "--temperature nan", "--temperature: 'nan' is not a number above 0"),
    ("sample", "--top_p 0", "--top_p: '0' is not a number above 0 and at most 1"),
    ("sample", "--top_p 1.5", "--top_p: '1.5' is not a number above 0 and at most 1"),
    ("sample", "--top_p -0.1", "--top_p: '-0.1' is not"),
    ("sample", "--top_k 0", "--top_k: '0' is not a whole number of at least 1"),
    ("sample", "--length 0", "'0' is not a whole number of at least 1"),
    ("sample", "-n 0", "'0' is not a whole number of at least 1"),
    ("sample", "--length -5", "'-5' is not a whole number"),
    ("sample", "--length many", "'many' is not a whole number"),
    ("sample", "--num_samples 0", "--num_samples: '0' is not a whole number"),
    ("sample", "--num_samples 1000000000000", "'1000000000000' is not a whole number from 1 to 10000"),
    ("sample", "--seed -1", "--seed: '-1' is not a whole number from 0"),
    ("sample", "--temprature 1", 'there is no argument --temprature (did you mean "--temperature"?)'),
    ("sample", "--num-sample 2", 'there is no argument --num_sample (did you mean "--num_samples"?)'),
    ("train", "--datadir x", 'there is no argument --datadir (did you mean "--data_dir"?)'),
    ("train", "--size huge", "--size: invalid choice: 'huge'"),
    ("train", "--val_split 0", "--val_split: '0' is not a number between 0 and 1"),
    ("train", "--val_split 1", "--val_split: '1' is not a number between 0 and 1"),
    ("train", "--learning_rate 0", "--learning_rate: '0' is not a number above 0"),
    ("train", "--learning_rate 1e308", "'1e308' is not a number above 0 and at most 3e+38"),
    ("train", "--learning_rate inf", "--learning_rate: 'inf' is not a number above 0"),
    ("train", "--workers 1000000000000", "--workers: '1000000000000' is not a whole number from 1 to 256"),
    ("train", "--num_epochs 0", "--num_epochs: '0' is not a whole number"),
    ("train", "--seq_length 0", "'0' is not a whole number"),
    ("train", "--seed 4294967296", "--seed: '4294967296' is not a whole number from 0 to 4294967295"),
    ("train", "--data_dir", "--data_dir: expected one argument"),
]


@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.parametrize(("script", "args", "sentence"), ARGUMENTS, ids=[f"{s} {a}" for s, a, _ in ARGUMENTS])
def test_an_argument_that_makes_no_sense(
    refused: Refused, tmp_path: Path, lesson: str, script: str, args: str, sentence: str
) -> None:
    assert sentence in refused(import_module(f"{lesson}.{script}"), *args.split())
    assert everything(tmp_path) == {}


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_generate_py_of_older_programs_is_answered_without_tensorflow(
    run_script: Callable[..., subprocess.CompletedProcess[str]], lesson: str
) -> None:
    done = run_script(f"{lesson}/generate.py", "--samples", "16000", "model.ckpt-80")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: type python sample.py, which generates: generate.py is a part of it\n"


@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.parametrize("script", ["train", "sample"])
def test_no_experiment_yet(
    refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lesson: str, script: str
) -> None:
    monkeypatch.setattr(Lesson, "folder", tmp_path / lesson)
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "none")
    sentence = refused(import_module(f"{lesson}.{script}"), *(["--resume"] if script == "train" else []))
    assert sentence == f"there is no experiment in {lesson} yet: train one with `python {lesson}/train.py` first"
    assert everything(tmp_path) == {}


# ---- the experiment folder


@pytest.mark.parametrize("where", ["file", "file/exp", "/proc/exp", "/proc/deep/exp", "full", "trained"])
def test_a_folder_that_cannot_be_used(refused: Refused, tmp_path: Path, tried: Tried, where: str) -> None:
    if where.startswith("/proc") and not os.path.isdir("/proc/self"):
        pytest.skip("there is no /proc on this system")
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "homework.txt").write_text("precious")
    shutil.copytree(tried.trained, tmp_path / "trained")
    before = everything(tmp_path)
    args = ["--smoke", "--data_dir", tried.data, *LESSONS[tried.name][1], "--experiment_dir", where]
    sentence = refused(tried.train, *args)
    assert where in sentence
    assert "--experiment_dir" in sentence
    assert everything(tmp_path) == before


def test_an_experiment_that_is_not_there(refused: Refused, tmp_path: Path, tried: Tried) -> None:
    (tmp_path / "empty").mkdir()
    for script, args in tried.scripts():
        assert "there is no experiment nowhere" in refused(script, *args, "--experiment_dir", "nowhere")
        assert "empty is not an experiment" in refused(script, *args, "--experiment_dir", "empty")


def test_an_experiment_of_another_lesson(refused: Refused, copied: Path, tried: Tried) -> None:
    other = next(name for name in LESSONS if name != tried.name)
    change_run(copied, lesson=other)
    before = everything(copied)
    for script, args in tried.scripts():
        said = refused(script, *args, "--experiment_dir", "copied")
        assert said == f"copied is an experiment of {other}, not of {tried.name}"
    assert everything(copied) == before


@pytest.mark.parametrize(
    "damage",
    [truncated, lambda _: b"", lambda _: b"[1, 2]", lambda _: b"\0" * 100, lambda _: b'{"lesson": "LESSON"}',
     lambda c: c + c, lambda _: b'{"lesson": "LESSON", "format": 1}', lambda _: b'{"lesson": "LESSON", "format": 3}'],
    ids=["truncated", "empty", "list", "zeros", "no-format", "twice", "no-parts", "newer"],
)  # fmt: skip
def test_a_damaged_run_json(refused: Refused, copied: Path, tried: Tried, damage: Callable[[bytes], bytes]) -> None:
    path = copied / "run.json"
    path.write_bytes(damage(path.read_bytes()).replace(b"LESSON", tried.name.encode()))
    before = everything(copied)
    for script, args in tried.scripts():
        assert "copied/run.json" in refused(script, *args, "--experiment_dir", "copied")
    assert everything(copied) == before


@pytest.mark.parametrize("network", [{}, {"vocab_size": "9"}])
def test_a_run_json_without_a_network(refused: Refused, copied: Path, tried: Tried, network: dict[str, Any]) -> None:
    change_run(copied, network=network)
    assert "run.json is damaged" in refused(tried.sample, "--experiment_dir", "copied")


def test_a_network_that_its_checkpoints_have_no_room_for(refused: Refused, copied: Path, tried: Tried) -> None:
    """Said before room is made: a network of so many units would take all the memory that there is."""
    info, changes = json.loads((copied / "run.json").read_text("utf-8")), TOO_LARGE[tried.name]
    change_run(copied, network=info["network"] | changes, arguments=info["arguments"] | changes)
    before = everything(copied)
    for script, args in tried.scripts():
        said = refused(script, *args, "--experiment_dir", "copied")
        assert re.fullmatch(r"run\.json is damaged: it describes a network of .*hold fewer", said), said
    assert everything(copied) == before


FACTS: list[tuple[str, Any]] = [
    ("path", 5), ("path", None), ("fingerprint", None), ("files", -1), ("used", "9"), ("symbols", "9"),
    ("symbols", [9]), ("symbols", [9, -1]), ("symbols", [1e3, 9]), ("symbols", [float("nan"), 9]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), FACTS)
def test_a_fact_that_is_not_valid_is_named(refused: Refused, copied: Path, tried: Tried, name: str, value: Any) -> None:
    change_run(copied, data={**data_of(copied), name: value})
    said = refused(tried.sample, "--experiment_dir", "copied", "-n", "5")
    assert re.match(rf"copied/run\.json is damaged: its entry 'data\.{name}\S*' is not valid \(", said), said


@pytest.mark.parametrize("name", ["path", "fingerprint", "symbols"])
def test_a_fact_that_is_missing_is_named(refused: Refused, copied: Path, tried: Tried, name: str) -> None:
    data = data_of(copied)
    del data[name]
    change_run(copied, data=data)
    before = everything(copied)
    said = refused(tried.sample, "--experiment_dir", "copied")
    assert said == f"copied/run.json is damaged: its entry 'data.{name}' is missing"
    assert everything(copied) == before


# ---- checkpoints


@pytest.mark.parametrize("meta", [{}, {"step": "9"}, {"step": None}, {"step": -1}])
def test_a_checkpoint_without_its_step(refused: Refused, copied: Path, tried: Tried, meta: dict[str, Any]) -> None:
    path = copied / "checkpoints" / "best.npz"
    checkpoint.save(path, checkpoint.load(path)[0], meta)
    said = refused(tried.sample, "--experiment_dir", "copied", "-n", "5")
    assert "the checkpoint copied/checkpoints/best.npz is damaged: its entry 'step'" in said


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("which", ["latest", "best"])
def test_a_damaged_checkpoint(refused: Refused, copied: Path, tried: Tried, which: str, damage: str) -> None:
    path = copied / "checkpoints" / f"{which}.npz"
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    before = everything(copied)
    (train, resume), (sample, args) = tried.scripts()
    tries = [(sample, [*args, "--checkpoint", which])] + [(train, resume)] * (which == "latest")
    for script, with_args in tries:
        said = refused(script, *with_args, "--experiment_dir", "copied")
        assert f"copied/checkpoints/{which}.npz is damaged" in said
    assert everything(copied) == before


def test_a_checkpoint_with_code_in_it_is_not_run(refused: Refused, copied: Path, tried: Tried) -> None:
    np.savez(copied / "checkpoints" / "best.npz", **{"average/0": np.array([print], object)}, allow_pickle=True)
    assert "best.npz is damaged" in refused(tried.sample, "--experiment_dir", "copied")


def test_a_missing_checkpoint(refused: Refused, copied: Path, tried: Tried) -> None:
    (copied / "checkpoints" / "latest.npz").unlink()
    before = everything(copied)
    (train, resume), (sample, _) = tried.scripts()
    for script, args in ((train, resume), (sample, ["--checkpoint", "latest"])):
        said = refused(script, *args, "--experiment_dir", "copied")
        assert "there is no checkpoint copied/checkpoints/latest.npz" in said
    assert everything(copied) == before
    (copied / "checkpoints" / "best.npz").unlink()
    assert "there is no checkpoint copied/checkpoints/" in refused(sample, "--experiment_dir", "copied")


# ---- resuming


@pytest.mark.parametrize(
    ("name", "value"), [("seq_length", "31"), ("batch_size", "7"), ("seed", "1"), ("val_split", "0.2")]
)
def test_resuming_as_another_run(refused: Refused, copied: Path, tried: Tried, name: str, value: str) -> None:
    had = json.loads((copied / "run.json").read_text("utf-8"))["arguments"][name]
    before = everything(copied)
    said = refused(tried.train, "--resume", "--experiment_dir", "copied", f"--{name}", value)
    assert f"--{name} {value} contradicts the experiment copied, which has {had}" in said
    assert everything(copied) == before


def change(data: Path, kind: str) -> None:
    """Put one more thing to learn from into a folder; a folder of slices loses one."""
    if (data / slices.NAME).exists():
        (data / "07.wav").unlink()
    elif kind == "text":
        (data / "input.txt").write_text((data / "input.txt").read_text("utf-8") + "one more line\n", "utf-8")
    elif kind == "MIDI":
        write(data / "one more.mid", melody(99))
    else:
        write_wav(data / "one more.wav", np.sin(np.arange(RATE)), RATE)


def test_resuming_with_other_data(refused: Refused, copied: Path, tmp_path: Path, tried: Tried) -> None:
    change(Path(shutil.copytree(tried.data, tmp_path / "other")), tried.kind)
    before = everything(tmp_path)
    said = refused(tried.train, "--resume", "--experiment_dir", "copied", "--data_dir", "other")
    assert "other does not hold the data that copied was trained on" in said
    assert everything(tmp_path) == before


def test_resuming_when_the_data_has_gone(refused: Refused, copied: Path, tmp_path: Path, tried: Tried) -> None:
    gone = str(tmp_path / "gone")
    change_run(copied, data={**data_of(copied), "path": gone})
    before = everything(tmp_path)
    assert f"is not in {gone} any more" in refused(tried.train, "--resume", "--experiment_dir", "copied")
    assert everything(tmp_path) == before


# ---- no room


def test_a_disk_full_while_saving(refused: Refused, tried: Tried, small_disk: Path) -> None:
    too_large = shutil.ignore_patterns("samples", "tensorboard")
    experiment = Path(shutil.copytree(tried.trained, small_disk / "exp", ignore=too_large))
    fill(small_disk)
    before = everything(experiment / "checkpoints")
    said = refused(tried.train, "--resume", "--experiment_dir", experiment, "--num_epochs", "9")
    for words in ("no space left on device", "is intact", "--resume"):
        assert words in said
    assert everything(experiment / "checkpoints") == before
    json.loads((experiment / "run.json").read_text("utf-8"))


@pytest.mark.parametrize("leave", [0, 40 << 10], ids=["no-room", "no-room-for-a-checkpoint"])
def test_a_disk_full_from_the_beginning(refused: Refused, tried: Tried, small_disk: Path, leave: int) -> None:
    fill(small_disk, leave)
    args = ["--data_dir", tried.data, *LESSONS[tried.name][1], "--experiment_dir", small_disk / "exp"]
    assert "no space left on device" in refused(tried.train, *args)
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_a_sample_on_a_full_disk(refused: Refused, tried: Tried, small_disk: Path) -> None:
    fill(small_disk)
    out = small_disk / OUT[tried.kind]
    args = ["-n", "9", "--num_samples", "1", "--out", out]
    said = refused(tried.sample, "--experiment_dir", tried.trained, *args)
    assert f"disk/{out.name} cannot be written: no space left" in said
    assert [path.name for path in small_disk.iterdir()] == ["filler"]
