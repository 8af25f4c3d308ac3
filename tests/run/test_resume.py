"""A training that is stopped equals one that was not: lesson 1 by Ctrl-C, SIGTERM and kill -9, each in a process of its
own, lesson 2 with performances and their variations. Each lesson is killed again and again in reliability/test_kill.py.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from midi_rnn import train
from workshop import ROOT
from workshop.run import checkpoint
from workshop.run.batches import ShuffledPieces

EPOCHS = 8  # of 44 steps


def start(text: Path, path: Path, arguments: list[str], *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "char_rnn" / "train.py"), "--data_dir", str(text), "--experiment_dir"]
    command += [str(path), "--num_epochs", str(EPOCHS), *more]
    return subprocess.Popen(
        [*command, *([] if "--resume" in more else arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stop(process: subprocess.Popen[str], number: signal.Signals, measurements: int) -> tuple[str, str]:
    """Send a signal after so many measurements, and wait for the end: what it had still to say."""
    assert process.stderr is not None
    seen = 0
    for line in process.stderr:
        seen += line.startswith("held-out data:")
        if seen == measurements:
            process.send_signal(number)
            break
    out, err = process.communicate(timeout=60)
    assert seen == measurements, err
    return out, err


def content(path: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    arrays, meta = checkpoint.load(path / "checkpoints" / "latest.npz")
    meta.pop("minutes")
    return {name: array.tobytes() for name, array in arrays.items()}, meta


@pytest.mark.slow
def test_stopped_three_ways_it_equals_a_run_without_a_stop(
    tiny_text: Path, tmp_path: Path, tiny_arguments: list[str], compiling: pytest.MonkeyPatch
) -> None:
    path, straight = tmp_path / "stopped", tmp_path / "straight"
    process = start(tiny_text, straight, tiny_arguments)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    compiling.undo()
    steps = []
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)):
        process = start(tiny_text, path, tiny_arguments, *(["--resume"] if steps else []))
        out, err = stop(process, number, measurements=3)
        assert process.returncode == status
        assert "Traceback" not in err
        reached = content(path)[1]
        steps.append(reached["step"])
        assert steps[-1] < EPOCHS * 44, "it was stopped too late to show anything"
        if number == signal.SIGKILL:
            # What was measured last had been saved: at most the steps since then are lost.
            assert steps[-1] - steps[-2] >= 30
            assert reached["step"] % 20 == 0 or reached["window"] == 0
        else:
            assert "--resume --experiment_dir" in out
            assert "sample.py --experiment_dir" in out
            assert json.loads((path / "run.json").read_text("utf-8"))["status"] == "stopped"
    assert steps == sorted(set(steps))
    assert any(step % 44 for step in steps), "none was stopped within an epoch"

    process = start(tiny_text, path, tiny_arguments, "--resume")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    (arrays, meta), (expected, expected_meta) = content(path), content(straight)
    assert meta == expected_meta
    assert meta["step"] == EPOCHS * 44
    assert arrays == expected
    best = [(where / "checkpoints" / "best.npz").read_bytes() for where in (path, straight)]
    assert best[0] == best[1]
    runs = [json.loads((where / "run.json").read_text("utf-8")) for where in (path, straight)]
    for key in ("history", "best", "status", "step", "epoch", "network", "data", "baseline"):
        assert runs[0][key] == runs[1][key]
    assert len(runs[0]["history"]) > 8
    assert not list(path.rglob(".*.part"))


@pytest.mark.slow
def test_a_training_on_performances_goes_on_exactly(
    trained_performance: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    run_main: Callable[..., subprocess.CompletedProcess[str]],
) -> None:  # fmt: skip
    """Stopped in the middle of an epoch, whose pieces are in an order, in keys and at speeds of their own."""
    straight = trained_performance
    run = json.loads((straight / "run.json").read_text("utf-8"))
    asked = run["arguments"] | {"data_dir": run["data"]["path"]}
    assert asked["encoding"] == "performance"
    assert asked["transpose"] > 0
    assert asked["stretch"] > 0
    window = ShuffledPieces.window

    def interrupting(self: ShuffledPieces, epoch: int, number: int) -> tuple[np.ndarray, np.ndarray]:
        if (epoch, number) == (2, 4):
            signal.raise_signal(signal.SIGINT)
        return window(self, epoch, number)

    names = ("data_dir", "encoding", "transpose", "stretch", "rnn_size", "num_layers", "dropout", "seq_length",
             "batch_size", "learning_rate", "num_epochs", "save_every", "sample_every")  # fmt: skip
    args = [part for name in names for part in (f"--{name}", str(asked[name]))]
    monkeypatch.setattr(ShuffledPieces, "window", interrupting)
    assert run_main(train, "--experiment_dir", "stopped", *args, compiled=True).returncode == 130
    reached = content(tmp_path / "stopped")[1]
    assert (reached["epoch"], reached["window"]) == (2, 5)
    monkeypatch.setattr(ShuffledPieces, "window", window)
    done = run_main(train, "--resume", "--experiment_dir", "stopped", compiled=True)
    assert done.returncode == 0, done.stderr
    (arrays, meta), (expected, expected_meta) = content(tmp_path / "stopped"), content(straight)
    assert meta == expected_meta
    assert arrays == expected
    best = [(where / "checkpoints" / "best.npz").read_bytes() for where in (tmp_path / "stopped", straight)]
    assert best[0] == best[1]
    runs = [json.loads((where / "run.json").read_text("utf-8")) for where in (tmp_path / "stopped", straight)]
    for key in ("history", "best", "status", "step", "epoch", "network", "data", "baseline"):
        assert runs[0][key] == runs[1][key]
