"""The scripts of lesson 1 as a person runs them."""

import functools
import json
import math
import os
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from char_rnn import copied, sample
from char_rnn.dataset import TextInfo
from char_rnn.vocab import Vocabulary
from workshop import ROOT
from workshop.run import checkpoint

Run = Callable[..., subprocess.CompletedProcess[str]]
LESSON = ROOT / "char_rnn"


def strict_json(path: Path) -> dict:
    """JSON as the standard has it, without Python's NaN and Infinity."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} in {path}")

    return json.loads(path.read_text("utf-8"), parse_constant=refuse)


def ok(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in small, with this lesson's scripts and a set of data where older tutorials have them."""
    clone = tmp_path_factory.mktemp("clone") / "with a space"
    (clone / "data" / "x").mkdir(parents=True)
    songs = sorted((ROOT / "data" / "lyrics" / "starter").glob("*.txt"))[:12]
    (clone / "data" / "x" / "input.txt").write_text("\n\n".join(s.read_text("utf-8") for s in songs), "utf-8")
    for part in ("char_rnn", "workshop"):
        shutil.copytree(ROOT / part, clone / part, ignore=shutil.ignore_patterns("experiments", "save*", "__pycache__"))
    return clone


def in_clone(clone: Path, script: str, *args: str) -> subprocess.CompletedProcess[str]:
    """`cd char_rnn && python SCRIPT ...` in the clone, with the clone's own modules."""
    return subprocess.run(
        [sys.executable, script, *args], cwd=clone / "char_rnn", capture_output=True, encoding="utf-8", timeout=120,
        env={**os.environ, "PYTHONPATH": str(clone)}, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def saved(tutorial: Path) -> subprocess.CompletedProcess[str]:
    """The old tutorial's training command, made short."""
    return ok(in_clone(tutorial, "train.py", "--data_dir", "../data/x/input.txt", "--save_dir", "save_X", "--smoke"))


@pytest.fixture
def sampled(run_main: Run) -> Run:
    """Run sample.py in this process; from the test's own folder."""
    return functools.partial(run_main, sample)


# ---- training


def test_a_smoke_run_leaves_a_complete_experiment(tutorial: Path, saved: subprocess.CompletedProcess[str]) -> None:
    experiment = tutorial / "char_rnn" / "save_X"
    assert sorted(path.name for path in experiment.iterdir()) == [
        "checkpoints",
        "log.txt",
        "network.svg",
        "run.json",
        "samples",
        "tensorboard",
        "vocab.json",
    ]
    info = strict_json(experiment / "run.json")
    assert info["lesson"] == "char_rnn"
    assert info["status"] == "finished"
    assert info["step"] == 20
    assert info["network"] == {
        "name": "default", "rnn_size": 64, "num_layers": 1, "cell": "lstm", "dropout": 0.0,
        "vocab_size": len(Vocabulary.load(experiment / "vocab.json")),
    }  # fmt: skip
    assert info["arguments"]["smoke"] is True
    assert info["arguments"]["size"] == "tiny"
    assert info["arguments"]["seq_length"] == 50
    assert info["data"]["path"] == "data/x/input.txt"
    assert sum(info["data"]["symbols"]) == len((tutorial / "data" / "x" / "input.txt").read_text("utf-8"))
    assert re.fullmatch(r"[0-9a-f]{64}", info["data"]["fingerprint"])
    assert sorted(info["baseline"]) == list("123456")
    assert all(0 < loss < 10 for loss in info["baseline"].values())
    assert {"python", "keras", "numpy"} <= info["versions"].keys()
    assert info["best"]["step"] == 20
    assert 0 < info["best"]["validation"] < math.log(info["network"]["vocab_size"])
    for name in ("latest", "best"):
        arrays, at = checkpoint.load(experiment / "checkpoints" / f"{name}.npz")
        assert at["step"] == 20
        assert all(np.isfinite(array).all() for array in arrays.values())
    curves = {
        path.parent.relative_to(experiment / "tensorboard").as_posix() for path in experiment.rglob("*.tfevents*")
    }
    curves |= {path.parent.relative_to(experiment / "tensorboard").as_posix() for path in experiment.rglob("events.*")}
    best = min(info["baseline"], key=info["baseline"].get)
    assert curves == {"train", "validation", f"baseline/order_{best}"}
    samples = sorted((experiment / "samples").iterdir())
    assert samples
    assert all(len(path.read_text("utf-8")) == 400 for path in samples)
    assert not list(experiment.rglob("*.part"))
    assert not list(experiment.rglob("*.pkl"))


def test_progress_and_the_farewell_are_told(saved: subprocess.CompletedProcess[str]) -> None:
    assert re.search(r"^data: .*input\.txt: 1 file, [\d,]+ characters, \d+ symbols; the last [\d,]+ are held out$", saved.stdout, re.M)  # noqa: E501 # fmt: skip
    assert re.search(r"^network: 1 x 64 lstm, [\d,]+ weights$", saved.stdout, re.M)
    assert re.search(r"^step 1/20  epoch \d\.\d\d  loss \d\.\d{3} nats = \d\.\d{3} bits", saved.stderr, re.M)
    assert re.search(r"held-out data: \d\.\d+ nats = \d\.\d+ bits, .*n-gram", saved.stderr)
    assert "--resume" in saved.stdout
    assert "sample.py" in saved.stdout


def test_the_commands_of_the_farewell_work(tutorial: Path, saved: subprocess.CompletedProcess[str]) -> None:
    commands = dict(re.findall(r"^  (to go on|to generate): +python (.*)$", saved.stdout, re.M))
    assert commands.keys() == {"to go on", "to generate"}
    for command in commands.values():
        more = ["--help"] if "train.py" in command else ["-n", "3"]
        done = subprocess.run(
            [sys.executable, *shlex.split(command), *more],
            cwd=tutorial / "char_rnn", capture_output=True, encoding="utf-8", check=False,
            env={**os.environ, "PYTHONPATH": str(tutorial)},
        )  # fmt: skip
        ok(done)


@pytest.mark.slow
def test_training_as_a_module_takes_the_next_free_folder(tutorial: Path, tiny_arguments: list[str]) -> None:
    """`python -m char_rnn.train`; without --experiment_dir the folder lies beside the script, wherever one is."""
    (tutorial / "char_rnn" / "experiments" / "07").mkdir(parents=True)
    args = ["--data_dir", "data/x", "--smoke", *tiny_arguments, "-m", "a note: \u266a", "--window-size", "25"]
    done = subprocess.run(
        [sys.executable, "-m", "char_rnn.train", *args], cwd=tutorial, capture_output=True, encoding="utf-8",
        timeout=120, env={**os.environ, "PYTHONPATH": str(tutorial)}, check=False,
    )  # fmt: skip
    ok(done)
    info = strict_json(tutorial / "char_rnn" / "experiments" / "08" / "run.json")
    assert info["message"] == "a note: \u266a"
    assert info["network"]["rnn_size"] == 16
    assert info["arguments"]["seq_length"] == 25
    assert not (tutorial / "experiments").exists()
    shutil.rmtree(tutorial / "char_rnn" / "experiments")


@pytest.mark.slow
def test_the_first_progress_line_comes_at_once(tiny_text: Path, tiny_arguments: list[str], tmp_path: Path) -> None:
    """Not only at the end, and not only when a buffer is full; and what is on disk then is complete."""
    experiment = tmp_path / "exp"
    args = [*tiny_arguments, "--save_every", "1000000", "--num_epochs", "1000000"]
    process = subprocess.Popen(
        [sys.executable, str(LESSON / "train.py"), "--data_dir", str(tiny_text), "--save_dir", str(experiment), *args],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr
    try:
        readable, _, _ = select.select([process.stderr], [], [], 60)
        assert readable, "nothing was said within a minute"
        assert process.stderr.readline().startswith(b"compiling the network")
        assert process.stderr.readline().startswith(b"step 1/")
        assert process.poll() is None
        # There is no best loss yet, and infinity is no number in JSON.
        info = strict_json(experiment / "run.json")
        assert info["best"] is None
        assert info["step"] == 0
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    assert checkpoint.load(experiment / "checkpoints" / "latest.npz")[1]["step"] == 0


def test_run_json_is_json_at_the_end(trained: Path) -> None:
    info = strict_json(trained / "run.json")
    assert info["history"]
    assert info["message"] == "made by the tests"


# ---- sampling


@pytest.mark.parametrize(
    ("args", "prime", "length"),
    [
        ("-n 60", "", 60),
        pytest.param("--save_dir save_X --prime,baby do you wanna", "baby do you wanna", 500, marks=pytest.mark.slow),
        pytest.param("--sample 2", "", 500, marks=pytest.mark.slow),
    ],
)
def test_the_old_sampling_commands_work(
    tutorial: Path, saved: subprocess.CompletedProcess[str], args: str, prime: str, length: int
) -> None:
    """With and without the name of the experiment: the newest is taken."""
    done = ok(in_clone(tutorial, "sample.py", *args.replace(",", " ", 1).split(" ", 3)))
    assert done.stdout.startswith(prime)
    assert len(done.stdout) == len(prime) + length + 1
    assert done.stdout.endswith("\n")
    assert "save_X, best checkpoint (step 20)" in done.stderr


def test_the_text_alone_goes_to_the_file(trained: Path, tmp_path: Path) -> None:
    """`python sample.py -n 600 > file`, in a console that knows ASCII only."""
    with open(tmp_path / "song.txt", "wb") as file:
        done = subprocess.run(
            [sys.executable, str(LESSON / "sample.py"), "--experiment_dir", str(trained), "-n", "600",
             "--prime", "oh m\u00fc"],
            stdout=file, stderr=subprocess.PIPE, encoding="utf-8", timeout=120, check=True,
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
        )  # fmt: skip
    text = (tmp_path / "song.txt").read_bytes().decode("utf-8")
    assert text.startswith("oh m\u00fc")
    assert text.endswith("\n")
    assert len(text) == 5 + 600 + 1
    assert set(text[5:-1]) <= set(Vocabulary.load(trained / "vocab.json").symbols[1:])
    assert "never seen '\u00fc'" in done.stderr or "never seen '\\xfc'" in done.stderr
    assert "seed" in done.stderr
    assert "longest passage copied from the training text: " in done.stderr


def test_the_printed_seed_writes_the_same_text_again(trained: Path, sampled: Run) -> None:
    first = ok(sampled("--experiment_dir", trained, "-n", "200", "--no_copy_check"))
    (seed,) = re.findall(r"seed (\d+)", first.stderr)
    args = ["--experiment_dir", trained, "-n", "200", "--no-copy-check", "--seed"]
    again = ok(sampled(*args, seed))
    assert again.stdout == first.stdout
    assert "copied" not in again.stderr
    assert ok(sampled(*args, str(int(seed) ^ 1))).stdout != first.stdout


def test_several_samples_go_to_a_folder(trained: Path, tmp_path: Path, sampled: Run) -> None:
    args = ["--experiment_dir", trained, "-n", "50", "--num_samples", "3", "--out", "new/songs", "--prime", "la "]
    done = ok(sampled(*args))
    assert done.stdout == ""
    texts = [path.read_text("utf-8") for path in sorted((tmp_path / "new" / "songs").iterdir())]
    assert len(texts) == len(set(texts)) == 3
    for text in texts:
        assert text.startswith("la ")
        assert len(text) == 3 + 50 + 1


def test_one_sample_goes_to_a_file_or_a_folder(trained: Path, tmp_path: Path, sampled: Run) -> None:
    args = ["--experiment_dir", trained, "-n", "50", "--seed", "1", "--out"]
    assert ok(sampled(*args, "new/song.txt")).stdout == ""
    text = (tmp_path / "new" / "song.txt").read_text("utf-8")
    assert len(text) == 51
    (tmp_path / "folder").mkdir()
    ok(sampled(*args, "folder"))
    (file,) = (tmp_path / "folder").iterdir()
    assert file.read_text("utf-8") == text


def test_several_samples_on_the_console_are_told_apart(trained: Path, sampled: Run) -> None:
    args = ["--experiment_dir", trained, "-n", "40", "--num_samples", "2", "--seed", "3"]
    done = ok(sampled(*args))
    match = re.fullmatch(r"----- 1 -----\n(.{40})\n\n----- 2 -----\n(.{40})\n", done.stdout, re.S)
    assert match, done.stdout
    assert match[1] != match[2]


def test_a_prime_can_be_a_file(trained: Path, tmp_path: Path, sampled: Run) -> None:
    prime = "the winter's gone,\nthe d\u00e4rling here\n"
    (tmp_path / "prime.txt").write_bytes(prime.encode("cp1252"))
    for spelling in ("--prime", "--prime_file"):
        done = ok(sampled("--save_dir", trained, "-n", "30", spelling, "prime.txt"))
        assert done.stdout.startswith(prime)
        assert len(done.stdout) == len(prime) + 30 + 1
        assert "never seen" in done.stderr


@pytest.mark.slow
def test_a_copied_experiment_samples_without_its_data(
    tiny_text: Path, tiny_arguments: list[str], tmp_path: Path, sampled: Run, run_script: Run
) -> None:
    shutil.copytree(tiny_text, tmp_path / "data")
    args = ["--data_dir", "data", "--experiment_dir", "here", "--smoke", *tiny_arguments]
    ok(run_script("char_rnn/train.py", *args, cwd=tmp_path))
    sampling = ["-n", "80", "--seed", "5", "--experiment_dir"]
    before = ok(sampled(*sampling, "here"))
    assert "longest passage copied" in before.stderr
    (tmp_path / "elsewhere").mkdir()
    shutil.move(tmp_path / "here", tmp_path / "elsewhere" / "there")
    shutil.rmtree(tmp_path / "data")
    after = ok(sampled(*sampling, "elsewhere/there"))
    assert after.stdout == before.stdout
    assert "copied passages were not searched for: the training text, " in after.stderr


def test_changed_data_is_said_to_be_changed(trained: Path, tmp_path: Path, sampled: Run) -> None:
    experiment = Path(shutil.copytree(trained, tmp_path / "copy"))
    (tmp_path / "input.txt").write_text("something else altogether\n" * 30, "utf-8")
    info = strict_json(experiment / "run.json")
    info["data"]["path"] = str(tmp_path / "input.txt")
    (experiment / "run.json").write_text(json.dumps(info), "utf-8")
    done = ok(sampled("--experiment_dir", experiment, "-n", "20"))
    assert "copied from the training text (the text has changed since)" in done.stderr


def test_a_path_from_elsewhere_makes_it_read_little(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run.json of somebody else can name any path of this computer."""
    vocabulary = Vocabulary.load(trained / "vocab.json")
    facts = msgspec.structs.replace(
        msgspec.convert(strict_json(trained / "run.json")["data"], TextInfo), path=str(tmp_path)
    )
    ids = vocabulary.encode("the winter")[:, None]
    (tmp_path / "a.txt").write_text("the winter, the winter\n" * 9, "utf-8")
    assert "10 characters, 'the winter'" in copied.report(ids, vocabulary, facts)
    # The first experiments do not say how much of the text was trained on.
    oldest = msgspec.structs.replace(facts, symbols=(0, 0))
    assert "run.json does not name the training text" in copied.report(ids, vocabulary, oldest)
    monkeypatch.setattr(copied, "MAX_ENTRIES", 0)
    assert "far too many files" in copied.report(ids, vocabulary, facts)
    monkeypatch.setattr(copied, "MAX_ENTRIES", 1)
    monkeypatch.setattr(copied, "MAX_BYTES", 9 * 23 - 1)
    assert "training text is too long" in copied.report(ids, vocabulary, facts)
    assert "is empty" in copied.report(ids, vocabulary, msgspec.structs.replace(facts, path="/proc/kmsg"))


@pytest.mark.slow
def test_what_was_learnt_by_heart_is_reported(tmp_path: Path, run_script: Run, sampled: Run) -> None:
    """Trained on one line again and again and sampled greedily, the network recites it."""
    line = "seven swans a-swimming by the quay\n"
    (tmp_path / "input.txt").write_text(line * 120, "utf-8")
    args = ["--data_dir", "input.txt", "--experiment_dir", "exp", "--rnn_size", "32", "--num_layers", "1"]
    more = ["--learning_rate", "0.02", "--seq_length", "35", "--batch_size", "5", "--num_epochs", "15"]
    ok(run_script("char_rnn/train.py", *args, *more, "--sample_every", "1000000", cwd=tmp_path))
    done = ok(sampled("--experiment_dir", "exp", "-n", "175", "--sample", "0"))
    assert done.stdout == line * 5 + "\n"
    assert "longest passage copied from the training text: 175 characters, 'seven swans a-swimming by" in done.stderr


def test_a_closed_pipe_is_no_error(trained: Path) -> None:
    """`python sample.py -n 200000 | head -c 5`."""
    process = subprocess.Popen(
        [sys.executable, str(LESSON / "sample.py"), "--experiment_dir", str(trained), "-n", "200000"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    assert process.stderr
    try:
        assert len(process.stdout.read(5)) == 5
        process.stdout.close()
        started = time.monotonic()
        said = process.stderr.read().decode()
        assert process.wait(60) == 128 + 13
        assert time.monotonic() - started < 30
        assert "Traceback" not in said
        assert "BrokenPipe" not in said
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_help_is_instant_and_shows_no_old_spelling(run_script: Run) -> None:
    for script in ("train.py", "sample.py"):
        done = ok(run_script(f"char_rnn/{script}", "--help"))
        assert "--experiment_dir" in done.stdout
        assert "--save_dir" not in done.stdout
    code = "import sys; sys.argv = ['train.py', '--help']\nimport char_rnn.train as t\ntry: t.main()\nexcept SystemExit: pass\nprint('numpy' in sys.modules)"  # noqa: E501
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")
