"""Experiments with a run.json of version 1, made by the code of that time, are sampled and go on as they did then.

Each folder of `fixtures/v1` has a tiny experiment of 2 epochs and the data that it learnt from.
"""

import contextlib
import json
import math
import shutil
import subprocess
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest

from workshop import ROOT
from workshop.errors import UserError
from workshop.run import experiment
from workshop.run.record import Measured

FIXTURES = ROOT / "tests" / "fixtures" / "v1"
#: The held-out loss after a third epoch, as the code of that time found it.
THIRD_EPOCH = {"char_rnn": 2.58186, "midi_rnn": 1.17994, "wavenet": 5.30370}

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(params=sorted(THIRD_EPOCH))
def lesson(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a lesson, of which a copy of the old experiment is in the current folder."""
    shutil.copytree(FIXTURES / request.param / "experiment", tmp_path / "old")
    monkeypatch.chdir(tmp_path)
    return str(request.param)


def test_it_is_sampled(lesson: str, run_main: Run) -> None:
    script = import_module(f"{lesson}.sample")
    step = json.loads(Path("old/run.json").read_text("utf-8"))["best"]["step"]
    out = {"midi_rnn": ["--out", "made.mid", "--num_samples", "1"], "wavenet": ["--out", "made.wav"]}.get(lesson, [])
    done = run_main(script, "--experiment_dir", "old", "--length", "40", "--seed", "1", *out)
    assert done.returncode == 0, done.stderr
    assert f"old, best checkpoint (step {step}), seed 1" in done.stderr
    assert Path(out[1]).stat().st_size > 40 if out else len(done.stdout) >= 40


def test_what_it_says_has_the_present_names(lesson: str) -> None:
    """One seed, one place of the data, one message, which is the last one given, and sizes of training and held out."""
    old = json.loads(Path("old/run.json").read_text("utf-8"))
    old["arguments"]["message"] = "given again"
    Path("old/run.json").write_text(json.dumps(old), "utf-8")
    found = experiment.find(ROOT / lesson, "old").record
    assert found.message == "given again"
    assert found.data["path"] == old["data"]["path"]
    assert not {"data_dir", "message"} & found.arguments.keys()
    assert found.arguments["seed"] == old["network"]["seed"]
    assert "seed" not in found.network
    assert found.data["skipped"] == old["data"]["set_aside"]
    data = old["data"]
    sizes = {"char_rnn": [3600, 400], "midi_rnn": data.get("symbols"), "wavenet": data.get("samples")}
    assert found.data["symbols"] == sizes[lesson]
    assert found.history == [msgspec.convert(entry, Measured) for entry in old["history"]]


def _read_or_refused(kind: Callable[[experiment.Experiment], object], lesson: str, content: dict[str, Any]) -> None:
    """Open the old experiment with this content of its run.json."""
    Path("old/run.json").write_text(json.dumps(content), "utf-8")
    with contextlib.suppress(UserError):
        kind(experiment.find(ROOT / lesson, "old"))


ODD: list[Any] = [None, "1", True, [], {}, [None], -1, math.nan, math.inf, 10**400, "a\0b", {"a": {}}]


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:12])
def test_whatever_it_says_it_is_read_or_refused(lesson: str, odd: Any) -> None:
    whole = json.loads(Path("old/run.json").read_text("utf-8"))
    parts = [whole, *(whole[part] for part in ("data", "arguments", "network", "sampling"))]
    kind = import_module(f"{lesson}.trained").Trained
    for part in parts:
        for name, value in list(part.items()):
            part[name] = odd
            _read_or_refused(kind, lesson, whole)
            if odd is None:  # and without it at all
                del part[name]
                _read_or_refused(kind, lesson, whole)
            part[name] = value


@pytest.mark.slow
@pytest.mark.usefixtures("read_here")
def test_it_goes_on_as_it_did_then(lesson: str, run_main: Run) -> None:
    before = json.loads(Path("old/run.json").read_text("utf-8"))["history"]
    data = FIXTURES / lesson / "data"
    args = ["--resume", "--experiment_dir", "old", "--data_dir", data, "--num_epochs", "3"]
    done = run_main(import_module(f"{lesson}.train"), *args, compiled=True)
    assert done.returncode == 0, done.stderr
    history = json.loads(Path("old/run.json").read_text("utf-8"))["history"]
    measured = [entry for entry in before if entry["step"] in {other["step"] for other in history}]
    assert measured == history[: len(measured)]
    assert history[-1]["epoch"] == 3
    assert history[-1]["validation"] == pytest.approx(THIRD_EPOCH[lesson], rel=1e-3)
