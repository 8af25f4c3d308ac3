"""Two workers share real trainings, one of them is killed: the numbers are those of plain runs."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import warm as warm_python
from once import once
from sweeping import numbers
from tiny import TINY

from workshop import ROOT
from workshop.sweep.folder import Folder, Job
from workshop.sweep.plan import read, words
from workshop.sweep.training import arguments_of

#: Epochs of a trial, of which each has 44 steps.
EPOCHS = 3
#: Runs a command in a network of its own, in which there is nothing but 127.0.0.1.
ALONE = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
#: Trains what the command line says, one after the other.
PLAIN = """
import json, sys
from char_rnn import train
for words in json.loads(sys.argv[1]):
    sys.argv = ["train.py", *words]
    assert train.main() == 0
"""


def plan_of(path: Path, data: Path, trials: int) -> Path:
    """A plan of so many trainings, an even number. They differ in what is not compiled, so that the compiler is waited
    for once; the first ones do not depend on how many there are.
    """
    values = dict(zip(TINY[::2], TINY[1::2], strict=True)) | {"--data_dir": str(data), "--num_epochs": str(EPOCHS)}
    del values["--learning_rate"]
    fixed = "\n".join(f"{name[2:]} = {json.dumps(value)}" for name, value in values.items())
    vary = f"seed = {list(range(trials // 2))}\nlearning_rate = [0.01, 0.003]"
    path.write_text(f'lesson = "char_rnn"\n[arguments]\n{fixed}\n[vary]\n{vary}\n')
    return path


@pytest.fixture(scope="session")
def plain(tiny_text: Path, warm: str, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the same eight trainings come to that nobody has shared."""

    def make(folder: Path) -> None:
        folder.mkdir()
        plan = read(plan_of(folder / "plan.toml", tiny_text, 8))
        (folder / "plain.py").write_text(PLAIN)
        commands = [words({**arguments_of(plan, Job(n, 1)), "experiment_dir": str(folder / f"{n}")})
                    for n in range(1, 9)]  # fmt: skip
        command = [sys.executable, "-I", "-S", warm_python.__file__, warm, str(folder / "plain.py")]
        environment = warm_python.environment(warm) | {"PYTHONPATH": str(ROOT)}
        subprocess.run(
            [*command, json.dumps(commands)], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
        )

    folder = once(tmp_path_factory, "plain_trials", make)
    return [dict(numbers(folder / f"{n}")) for n in range(1, 9)]


def worker(plan: Path, folder: Path, warm: str, *more: str, alone: bool = False) -> "subprocess.Popen[str]":
    """Start the command, alone in a network of loopback only if that is asked."""
    command = [sys.executable, "-m", "workshop.sweep", str(plan), "--folder", str(folder), *more]
    return subprocess.Popen(
        [*ALONE, *command] if alone else command, cwd=ROOT, env=warm_python.environment(warm),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def wait_until_one_is_in_the_middle(folder: Path, of: int | None = None) -> tuple[Path, int]:
    """Wait until that worker, or any one, has a trial that has saved something and is not done: that and the worker."""
    end = time.monotonic() + 300
    while time.monotonic() < end:
        for holder in folder.glob("claims/*/*/holder.json"):
            pid = int(json.loads(holder.read_text())["pid"])
            path = folder / "trials" / holder.parent.parent.name.split(".")[0]
            file = path / "run.json"
            record: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
            if of in (None, pid) and record.get("status") == "training" and 0 < record["step"] < 44 * EPOCHS:
                return path, pid
        time.sleep(0.01)
    raise AssertionError("nothing was trained")


def all_are_as_plain_ones(place: Path, half: Path, plain: list[dict[str, Any]]) -> None:
    """All trials have ended with the numbers of plain runs, that of the killed worker too, and the table has them."""
    folder, trials = Folder(place), range(1, len(plain) + 1)
    assert sorted(result.trial for result in folder.results()) == list(trials)
    assert not any(result.failed for result in folder.results())
    assert (place / "claims" / f"{half.name}.1" / "2").is_dir(), "somebody else has finished it"
    assert "--resume" in (half / "log.txt").read_text("utf-8")
    assert [dict(numbers(folder.experiment(n))) for n in trials] == plain
    table = (place / "table.csv").read_text().splitlines()
    losses = [float(line.split(",")[4]) for line in table[1:]]
    assert losses == sorted(losses)
    assert len(losses) == len(plain)


@pytest.mark.parametrize("trials", [pytest.param(4, marks=pytest.mark.slow), pytest.param(8, marks=pytest.mark.long)])
def test_trials_of_two_workers_one_of_them_killed_equal_plain_runs(
    trials: int, tmp_path: Path, tiny_text: Path, warm: str, plain: list[dict[str, Any]]
) -> None:
    path, place = plan_of(tmp_path / "plan.toml", tiny_text, trials), tmp_path / "shared"
    with worker(path, place, warm) as killed, worker(path, place, warm) as other:
        half, pid = wait_until_one_is_in_the_middle(place, killed.pid)
        os.kill(pid, signal.SIGKILL)
        said, _ = other.communicate(timeout=900)
    assert other.returncode == 0, said
    all_are_as_plain_ones(place, half, plain[:trials])


@pytest.mark.slow
def test_trials_of_two_workers_of_ray_one_of_them_killed_equal_plain_runs(
    tmp_path: Path, tiny_text: Path, warm: str, plain: list[dict[str, Any]]
) -> None:
    path, place = plan_of(tmp_path / "plan.toml", tiny_text, 8), tmp_path / "sweep"
    with worker(path, place, warm, "--engine", "ray", "--jobs", "2", alone=True) as sweep:
        half, pid = wait_until_one_is_in_the_middle(place)
        assert psutil.Process(pid).name().startswith("ray::")
        os.kill(pid, signal.SIGKILL)
        said, _ = sweep.communicate(timeout=900)
    assert sweep.returncode == 0, said
    assert "2 workers of Ray, each with a CPU\n" in said
    assert said.count(" has ended: ") == 8
    all_are_as_plain_ones(place, half, plain)
