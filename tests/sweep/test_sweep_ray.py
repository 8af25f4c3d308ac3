"""Sweeps by workers of Ray: what is refused, and how one is interrupted. Real trainings are in test_sweep_run.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sweeping import numbers, starts

from workshop import ROOT
from workshop.errors import UserError
from workshop.sweep import command_line, local_ray, ray_engine

#: A sweep of three trainings by two workers, interrupted when the first ones are in the middle, and gone on with.
INTERRUPTED = """
import os, signal, sys, threading, time
from pathlib import Path
from sweeping import numbers, stub_plan
from workshop.run.signals import stop_signals
from workshop.sweep import ray_engine
from workshop.sweep.folder import Folder

place = Path(sys.argv[1])
plan = stub_plan(place / "lesson", [{"rate": 1.0 + n, "seconds": 0.2, "num_epochs": 15} for n in range(3)])
folder = Folder(place / "sweep")
folder.open(plan)

def interrupt():
    def epoch(n):
        file = folder.experiment(n) / "run.json"
        return numbers(folder.experiment(n))["epoch"] if file.exists() else 0
    while not (epoch(1) >= 3 and epoch(2) >= 3):
        time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGINT)

with ray_engine.connected(None, 2, folder.path / "ray.txt") as crew:
    with stop_signals() as asked:
        threading.Thread(target=interrupt).start()
        assert not crew.work(folder, plan, 60.0, asked)
    assert asked == [signal.SIGINT]
    assert [numbers(folder.experiment(n))["status"] for n in (1, 2)] == ["stopped", "stopped"]
    assert len(list(folder.claims.glob("*/1/released"))) == 2
    assert crew.work(folder, plan, 60.0, [])
"""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--address", "10.0.0.1:6379"], "--address goes with --engine ray"),
        (["--engine", "ray", "--address", "10.0.0.1:6379", "--jobs", "2"], "--address goes with --engine ray"),
        (["--engine", "ray", "--leave"], "--leave is for computers that share a folder"),
    ],
)
def test_what_does_not_go_together_is_said(words: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["sweep", "plan.toml", *words])
    with pytest.raises(UserError, match=sentence):
        command_line.main()


def test_where_ray_is_missing_the_command_that_installs_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_engine.importlib.util, "find_spec", lambda name: None)
    with (
        pytest.raises(UserError, match=r"pip install -r requirements/sweep\.txt"),
        ray_engine.connected(None, 2, tmp_path / "ray.txt"),
    ):
        pass
    assert (ROOT / "requirements" / "sweep.txt").is_file()


def test_a_ray_that_does_not_start_is_tried_again_and_then_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(local_ray, "_command", lambda *args: [sys.executable, "-c", "print('no'); raise SystemExit(1)"])
    monkeypatch.setattr(os, "environ", {**os.environ})
    with pytest.raises(UserError, match="Ray did not start"), local_ray.local_ray(2, tmp_path / "ray.txt"):
        pass
    assert (tmp_path / "ray.txt").read_text().split() == ["no"] * local_ray._ATTEMPTS


@pytest.mark.slow
def test_ctrl_c_saves_and_the_next_time_it_goes_on_with_ray_too(tmp_path: Path) -> None:
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "tests")))
    subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)], env={**os.environ, "PYTHONPATH": paths}, check=True,
        timeout=600,
    )  # fmt: skip
    for number in (1, 2, 3):
        path = tmp_path / "sweep" / "trials" / f"{number:03d}"
        assert len(numbers(path)["history"]) == 15
        (_, first, _), *again = starts(path)
        assert first == "0"
        assert [int(begun) >= 3 for _, begun, _ in again] == ([True] if number < 3 else [])
