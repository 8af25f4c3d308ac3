"""Experiments with a run.json of version 1, made by the code of that time, are sampled and go on as they did then.

Each folder of `fixtures/v1` has a tiny experiment of 2 epochs and the data that it learnt from.
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parent / "fixtures" / "v1"
#: The held-out loss after a third epoch, as the code of that time found it.
THIRD_EPOCH = {"char_rnn": 2.58186, "midi_rnn": 1.17994, "wavenet": 5.30370}

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(params=sorted(THIRD_EPOCH))
def lesson(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The name of a lesson, of which a copy of the old experiment is in the current folder."""
    shutil.copytree(FIXTURES / request.param / "experiment", tmp_path / "old")
    return str(request.param)


def test_it_is_sampled(lesson: str, run_main: Run) -> None:
    script = import_module(f"{lesson}.sample")
    step = json.loads(Path("old/run.json").read_text("utf-8"))["best"]["step"]
    out = {"midi_rnn": ["--out", "made.mid", "--num_samples", "1"], "wavenet": ["--out", "made.wav"]}.get(lesson, [])
    done = run_main(script, "--experiment_dir", "old", "--length", "40", "--seed", "1", *out)
    assert done.returncode == 0, done.stderr
    assert f"old, best checkpoint (step {step}), seed 1" in done.stderr
    assert Path(out[1]).stat().st_size > 40 if out else len(done.stdout) >= 40


@pytest.mark.slow
@pytest.mark.usefixtures("read_here")
def test_it_goes_on_as_it_did_then(lesson: str, run_main: Run) -> None:
    before = json.loads(Path("old/run.json").read_text("utf-8"))["history"]
    data = FIXTURES / lesson / "data"
    done = run_main(
        import_module(f"{lesson}.train"), "--resume", "--experiment_dir", "old", "--data_dir", data, "--num_epochs", "3"
    )
    assert done.returncode == 0, done.stderr
    history = json.loads(Path("old/run.json").read_text("utf-8"))["history"]
    measured = [entry for entry in before if entry["step"] in {other["step"] for other in history}]
    assert measured == history[: len(measured)]
    assert history[-1]["epoch"] == 3
    assert history[-1]["validation"] == pytest.approx(THIRD_EPOCH[lesson], rel=1e-3)
