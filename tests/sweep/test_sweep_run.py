"""Two workers share real trainings, one of them is killed: the numbers are those of plain runs."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sweeping import numbers
from tiny import TINY

from workshop import ROOT
from workshop.sweep.folder import Folder
from workshop.sweep.plan import Plan, read, words
from workshop.sweep.training import arguments_of

#: Epochs of a trial, of which each has 44 steps.
EPOCHS = 3


def plan_of(tmp_path: Path, data: Path, trials: int) -> Path:
    """A plan of so many trainings, an even number. They differ in what is not compiled, so that the compiler is waited
    for once.
    """
    values = dict(zip(TINY[::2], TINY[1::2], strict=True)) | {"--data_dir": str(data), "--num_epochs": str(EPOCHS)}
    del values["--learning_rate"]
    fixed = "\n".join(f"{name[2:]} = {json.dumps(value)}" for name, value in values.items())
    path = tmp_path / "plan.toml"
    vary = f"learning_rate = [0.01, 0.003]\nseed = {list(range(trials // 2))}"
    path.write_text(f'lesson = "char_rnn"\n[arguments]\n{fixed}\n[vary]\n{vary}\n')
    return path


def worker(plan: Path, folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "workshop.sweep", str(plan), "--folder", str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def trained_by(folder: Path, pid: int) -> list[Path]:
    """The experiments of the claims that this process holds."""
    holders = [path for path in folder.glob("claims/*/*/holder.json") if json.loads(path.read_text())["pid"] == pid]
    return [folder / "trials" / holder.parent.parent.name.split(".")[0] for holder in holders]


def wait_until_one_is_in_the_middle(folder: Path, pid: int) -> Path:
    """Wait until that worker has a trial that has saved something and is not done."""
    end = time.monotonic() + 300
    while time.monotonic() < end:
        for path in trained_by(folder, pid):
            file = path / "run.json"
            record: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
            if record.get("status") == "training" and 0 < record["step"] < 44 * EPOCHS:
                return path
        time.sleep(0.01)
    raise AssertionError("nothing was trained")


def plain_runs(plan: Plan, folder: Folder, tmp_path: Path) -> list[dict[str, Any]]:
    """What the same trainings come to that nobody has shared."""
    # One process for all, because loading TensorFlow takes longer than the training.
    commands = [words({**arguments_of(plan, job), "experiment_dir": str(tmp_path / f"plain{job.trial}")})
                for job in jobs(folder)]  # fmt: skip
    code = "import json, sys\nfrom char_rnn import train\n"
    code += "for words in json.loads(sys.argv[1]):\n    sys.argv = ['train.py', *words]\n    assert train.main() == 0\n"
    subprocess.run([sys.executable, "-c", code, json.dumps(commands)], cwd=ROOT, check=True, capture_output=True)
    return [dict(numbers(tmp_path / f"plain{job.trial}")) for job in jobs(folder)]


def jobs(folder: Folder) -> list[Any]:
    return sorted(folder.results(), key=lambda result: result.trial)


@pytest.mark.parametrize("trials", [pytest.param(4, marks=pytest.mark.slow), pytest.param(8, marks=pytest.mark.long)])
def test_trials_of_two_workers_one_of_them_killed_equal_plain_runs(
    trials: int, tmp_path: Path, tiny_text: Path
) -> None:
    path, place = plan_of(tmp_path, tiny_text, trials), tmp_path / "shared"
    with worker(path, place) as killed, worker(path, place) as other:
        half = wait_until_one_is_in_the_middle(place, killed.pid)
        os.kill(killed.pid, signal.SIGKILL)
        said, _ = other.communicate(timeout=900)
    assert other.returncode == 0, said
    plan, folder = read(path), Folder(place)
    assert [result.trial for result in jobs(folder)] == list(range(1, trials + 1))
    assert not any(result.failed for result in folder.results())
    assert (place / "claims" / f"{half.name}.1" / "2").is_dir(), "somebody else has finished it"
    assert "--resume" in (half / "log.txt").read_text("utf-8")
    assert [dict(numbers(folder.experiment(n))) for n in range(1, trials + 1)] == plain_runs(plan, folder, tmp_path)
    table = (place / "table.csv").read_text().splitlines()
    losses = [float(line.split(",")[4]) for line in table[1:]]
    assert losses == sorted(losses)
    assert len(losses) == trials
