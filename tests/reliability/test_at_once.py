"""Many processes at once in one clone: each gets what it would have got alone."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import warm as warm_python
from start_clone import make_clone
from tiny import LESSONS, TINY

from workshop import ROOT
from workshop.run import checkpoint
from workshop.run.experiment import find

pytestmark = pytest.mark.slow

Figure = Callable[[str, str, str], None]
#: How many of each lesson train.
TRAININGS = {"char_rnn": 4, "midi_rnn": 2, "wavenet": 1, "audio_rnn": 1, "spectral_rnn": 1, "spectral_gan": 1}


def start(
    root: Path, script: str, *arguments: str | Path, said: int = subprocess.PIPE, warm: str = ""
) -> subprocess.Popen[str]:
    """Run a script of the clone in its folder; what it says goes to `said`. Where a Python listens at `warm` that has
    loaded TensorFlow (see warm.py), that one runs it, and does not compile.
    """
    path, settings = root / script, {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, path.name]
    if warm:
        command = [sys.executable, "-I", "-S", warm_python.__file__, warm, path.name]
        settings |= {"WARM_WITHOUT_XLA": "1"}
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        cwd=path.parent,
        env=settings,
        stdout=said,
        stderr=subprocess.STDOUT,
        text=True,
    )


def all_done(processes: list[subprocess.Popen[str]]) -> None:
    """See that all end well, and without a traceback."""
    for process in processes:
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output
        assert "Traceback" not in output


def weights(experiment: Path) -> dict[str, bytes]:
    arrays, _ = checkpoint.load(experiment / "checkpoints" / "latest.npz")
    return {name: array.tobytes() for name, array in arrays.items()}


@pytest.mark.alone
def test_eight_trainings_at_once_are_eight_experiments(
    tree: Path, warm: str, request: pytest.FixtureRequest, figure: Figure
) -> None:
    """They claim their folders, and read and write the same caches, at the same moment."""
    processes = []
    for lesson, count in TRAININGS.items():
        data, arguments = LESSONS[lesson]
        arguments = ["--smoke", "--seed", "5", "--data_dir", request.getfixturevalue(data), *arguments]
        processes += [start(tree, f"{lesson}/train.py", *arguments, warm=warm) for _ in range(count)]
    all_done(processes)
    for lesson, count in TRAININGS.items():
        made = sorted((tree / lesson / "experiments").iterdir())
        assert [path.name for path in made] == [f"{number:02d}" for number in range(1, count + 1)]
        assert all(weights(path) == weights(made[0]) for path in made)
        assert not list((tree / lesson).rglob(".*.part"))
    assert not list((tree / ".workshop").rglob("*.part"))
    figure(
        "trainings started together in one clone",
        f"8, of {len(TRAININGS)} lessons",
        "8 experiments, equal in each lesson",
    )


def test_samplers_read_what_is_being_written(
    tiny_text: Path, tmp_path: Path, tree: Path, warm: str, figure: Figure
) -> None:
    """A training that saves every other step; four scripts that write with it, and four threads that only read."""
    path = tmp_path / "experiment"
    where = ("--experiment_dir", path)
    saving = ("--num_epochs", "100000", "--save_every", "2")
    # A line at each save is more than a pipe holds.
    arguments = ("--data_dir", tiny_text, *where, *TINY, *saving)
    training = start(tree, "char_rnn/train.py", *arguments, said=subprocess.DEVNULL, warm=warm)
    try:
        while not (path / "checkpoints" / "best.npz").exists():
            assert training.poll() is None
            time.sleep(0.05)
        samplers = [
            start(tree, "char_rnn/sample.py", *where, "--checkpoint", which, "-n", "50", warm=warm)
            for which in ("best", "latest", "best", "latest")
        ]
        sampled, reads, steps = threading.Event(), [0] * 4, set()

        def read(number: int) -> None:
            while not sampled.is_set():
                experiment = find(tree / "char_rnn", str(path))
                for file in (experiment.best, experiment.latest):
                    steps.add(checkpoint.load(file)[1]["step"])
                reads[number] += 1

        readers = [threading.Thread(target=read, args=(number,)) for number in range(4)]
        for reader in readers:
            reader.start()
        try:
            all_done(samplers)
        finally:
            sampled.set()
            for reader in readers:
                reader.join()
    finally:
        training.send_signal(signal.SIGINT)
        assert training.wait(timeout=60) == 130
    assert min(reads) > 5, "a reader failed"
    assert len(steps) > 10, "nothing was written while it was read"
    figure(
        "samplers on an experiment that is being written",
        f"4 scripts, and {sum(reads):,} reads by 4 threads, during {len(steps):,} saves",
        "all of them read a whole checkpoint",
    )


def test_of_two_that_go_on_with_one_experiment_one_does(
    trained: Path, tmp_path: Path, tree: Path, warm: str, figure: Figure
) -> None:
    path = tmp_path / "experiment"
    subprocess.run(["cp", "-r", str(trained), str(path)], check=True)
    both = [
        start(tree, "char_rnn/train.py", "--resume", "--experiment_dir", path, "--num_epochs", "30", warm=warm)
        for _ in range(2)
    ]
    said = {process.communicate(timeout=300)[0]: process.returncode for process in both}
    assert sorted(said.values()) == [0, 2]
    (refusal,) = (words for words, status in said.items() if status == 2)
    assert "is being trained by another process" in refusal
    assert json.loads((path / "run.json").read_text("utf-8"))["epoch"] == 30
    figure("resumed twice at once", "2 processes", "one goes on, the other reports it and changes nothing")


def test_start_sh_at_once_sets_up_once(tmp_path: Path, amount: Callable[[int, int], int], figure: Figure) -> None:
    clone = make_clone(tmp_path)
    clone.add_python(clone.bin / "python3", "3 11 7 common venv")
    count = amount(2, 8)
    command = [str(clone.root / "start.sh"), "--local", "run", "true"]
    env = {**clone.env, "STUB_PIP_SECONDS": "1"}
    processes = [subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) for _ in range(count)]
    for process in processes:
        _, words = process.communicate(timeout=120)
        assert process.returncode == 0, words
    assert len(clone.take_pip_calls()) == 2  # the packages, and the workshop itself
    figure("`start.sh` at once in a fresh clone", f"{count} processes", "set up once; the others waited for it")


def test_the_clone_of_these_tests_is_the_one_that_is_used(tree: Path) -> None:
    """Otherwise the tests above would say nothing of it."""
    code = "import workshop, sys; sys.exit(str(workshop.ROOT))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tree / "char_rnn", env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr.strip() == str(tree) != str(ROOT)
