"""The session trains whatever is a learner: a density of frames, and two networks against each other."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from learners import Density, Numbers, Pair
from records import entries

from workshop import ROOT
from workshop.errors import UserError
from workshop.run import checkpoint, experiment
from workshop.run.farewell import farewell
from workshop.run.session import Session, Settings


def make(path: Path, learner: Any, steps: int, **settings: Any) -> Session:
    there = (path / "run.json").exists()
    lesson = path.parent / "some_rnn"
    found = experiment.find(lesson, str(path)) if there else experiment.create(lesson, str(path), **entries())
    given = {"num_epochs": 100, "save_every": 5, "sample_every": 100, "max_steps": steps, **settings}
    return Session(found, learner, Numbers(), Settings(**given), unit="frames", resume=there)


def train(session: Session) -> int:
    learner: Any = session.learner
    with session:
        for (batch,) in session:
            loss = learner.step(batch)
            if isinstance(loss, dict):
                session.count(loss["generator"], discriminator=loss["discriminator"])
            else:
                session.count(loss)
    return session.status


def latest(path: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    arrays, meta = checkpoint.load(path / "checkpoints" / "latest.npz")
    del meta["minutes"]
    return {name: array.tobytes() for name, array in arrays.items()}, meta


@pytest.mark.parametrize("learner", [Density, Pair])
def test_five_steps_and_five_more_are_ten(learner: Callable[[], Any], tmp_path: Path) -> None:
    assert train(make(tmp_path / "ten", learner(), 10)) == 0
    assert train(make(tmp_path / "parts", learner(), 5)) == 0
    assert latest(tmp_path / "parts")[1]["step"] == 5
    assert train(make(tmp_path / "parts", learner(), 10)) == 0
    assert latest(tmp_path / "parts") == latest(tmp_path / "ten")
    for name in ("history", "best"):
        parts, ten = (json.loads((tmp_path / run / "run.json").read_text())[name] for run in ("parts", "ten"))
        assert parts == ten


@pytest.mark.slow
@pytest.mark.parametrize("learner", ["Density", "Pair"])
def test_killed_and_resumed_it_is_the_same_run(learner: str, tmp_path: Path) -> None:
    """Killed with -9 after step 8, it goes on from step 5."""
    script = (
        "import os, signal, sys; from pathlib import Path; sys.path[:0] = sys.argv[1].split(os.pathsep)\n"
        "import learners, test_learners\n"
        "session = test_learners.make(Path(sys.argv[2]), getattr(learners, sys.argv[3])(), 10)\n"
        "if sys.argv[4:]: session.batches = type('Killing', (), {'windows': 4, 'window': lambda self, epoch, number:\n"
        "    os.kill(os.getpid(), signal.SIGKILL) if (epoch, number) == (2, 0) else\n"
        "    learners.Numbers().window(epoch, number)})()\n"
        "sys.exit(test_learners.train(session))"
    )

    def run(path: Path, *killed: str) -> int:
        here = os.pathsep.join((str(ROOT / "tests"), str(Path(__file__).parent)))
        return subprocess.run([sys.executable, "-c", script, here, str(path), learner, *killed], check=False).returncode

    assert run(tmp_path / "straight") == 0
    assert run(tmp_path / "killed", "killed") == -signal.SIGKILL
    assert latest(tmp_path / "killed")[1]["step"] == 5
    assert run(tmp_path / "killed") == 0
    assert latest(tmp_path / "killed") == latest(tmp_path / "straight")


def test_a_density_is_learnt_and_its_loss_may_be_below_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    learner = Density()
    train(make(tmp_path / "a", learner, 300, save_every=100))
    assert learner.mean == pytest.approx(3, abs=0.2)
    assert np.exp(learner.log_spread) == pytest.approx(0.5, abs=0.1)
    said = capsys.readouterr().err
    assert "held-out data: " in said
    assert "nats" not in said
    assert "n-gram" not in said


def test_what_is_not_in_nats_is_said_without_them(tmp_path: Path) -> None:
    session = make(tmp_path / "a", Pair(), 5)
    train(session)
    best = json.loads((tmp_path / "a" / "run.json").read_text())["best"]["validation"]
    assert f"(best on held-out data: {best:.3f})." in farewell(session.experiment, None, tmp_path)


def test_a_loop_that_does_not_count_is_told_so(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match=r"does not call session\.count\(loss\)"),
        make(tmp_path / "a", Density(), 5) as session,
    ):
        for _ in session:
            pass
    assert json.loads((tmp_path / "a" / "run.json").read_text())["status"] == "training"


def test_a_loop_that_is_left_is_a_run_that_was_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with make(tmp_path / "a", Density(), 10) as session:
        for (batch,) in session:
            session.count(session.learner.step(batch))
            if session.position.step == 3:
                break
    assert (session.status, latest(tmp_path / "a")[1]["step"]) == (0, 3)
    assert json.loads((tmp_path / "a" / "run.json").read_text())["status"] == "stopped"
    assert capsys.readouterr().err.splitlines()[-1] == "ended: the training loop was left; everything is saved"
    assert train(make(tmp_path / "a", Density(), 10)) == 0
    train(make(tmp_path / "b", Density(), 10))
    assert latest(tmp_path / "a") == latest(tmp_path / "b")


def test_an_error_in_the_loop_is_not_hidden_and_signals_are_as_before(tmp_path: Path) -> None:
    def broken() -> None:
        with make(tmp_path / "a", Density(), 5) as session:
            for _ in session:
                raise ZeroDivisionError

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError):
        broken()
    assert signal.getsignal(signal.SIGINT) == before
    assert latest(tmp_path / "a")[1]["step"] == 0
    assert os.path.exists(tmp_path / "a" / "run.json")
