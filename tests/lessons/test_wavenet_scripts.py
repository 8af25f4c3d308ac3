"""Lesson 3 as a person uses it: train, go on, listen."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny import RATE, TINY_WAVENET

from wavenet import sample, train
from workshop.audio.synthesis import write_wav

Run = Callable[..., subprocess.CompletedProcess[str]]
Refused = Callable[..., str]


def test_it_learns_the_tones(trained_wavenet: Path) -> None:
    """Forty steps are enough to beat what counting single samples says."""
    info = json.loads((trained_wavenet / "run.json").read_text("utf-8"))
    assert info["best"]["validation"] < info["baseline"]["1"]


def test_a_short_prime_is_heard_after_silence(trained_wavenet: Path, tmp_path: Path, run_main: Run) -> None:
    write_wav(tmp_path / "short.wav", 0.5 * np.sin(np.arange(20)), RATE)
    args = [
        "--experiment_dir",
        trained_wavenet,
        "--prime",
        tmp_path / "short.wav",
        "--length",
        "50",
        "--out",
        tmp_path / "o.wav",
    ]
    done = run_main(sample, *args)
    assert done.returncode == 0
    assert "shorter than the 0.01 s that the network sees" in done.stderr


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["--data_dir", "nowhere"], "there is no nowhere"),
        (["--silence_threshold", "5"], "--silence_threshold: '5' is not a level in dB"),
        (["--layers", "0"], "--layers: '0' is not a whole number of at least 1"),
        (["--rnn_size", "5"], "there is no argument --rnn_size"),
    ],
)
def test_what_cannot_be_trained_is_said(refused: Refused, args: list[str], reason: str) -> None:
    assert reason in refused(train, *args)


def test_a_network_that_cannot_be_is_said(refused: Refused, tones: Path) -> None:
    said = refused(train, "--data_dir", tones, *TINY_WAVENET, "--layers", "30")
    assert said.startswith("these arguments do not describe a network of this lesson")


def test_a_record_without_a_rate_is_damaged(refused: Refused, trained_wavenet: Path, tmp_path: Path) -> None:
    experiment = Path(shutil.copytree(trained_wavenet, tmp_path / "copy"))
    info = json.loads((experiment / "run.json").read_text("utf-8"))
    (experiment / "run.json").write_text(json.dumps(info | {"data": info["data"] | {"sample_rate": "fast"}}), "utf-8")
    assert "its entry 'data.sample_rate' is not valid" in refused(sample, "--experiment_dir", experiment)
    (experiment / "run.json").write_text(json.dumps(info | {"network": {"layers": 5, "conditions": 0}}), "utf-8")
    assert "do not describe a network of this lesson" in refused(sample, "--experiment_dir", experiment)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"skip_channels": 10**6}, "describes a network of"), ({"dilation_channels": 10**9}, "describes a network of"),
     ({"layers": 10**9}, "not describe a network"), ({"stacks": 10**9}, "not describe a network")],
)  # fmt: skip
def test_a_network_that_its_checkpoints_have_no_room_for(
    refused: Refused, trained_wavenet: Path, tmp_path: Path, changes: dict[str, int], words: str
) -> None:
    experiment = Path(shutil.copytree(trained_wavenet, tmp_path / "copy"))
    info = json.loads((experiment / "run.json").read_text("utf-8"))
    info = {**info, "network": info["network"] | changes, "arguments": info["arguments"] | changes}
    (experiment / "run.json").write_text(json.dumps(info), "utf-8")
    for script, args in ((train, ["--resume", "--num_epochs", "99"]), (sample, [])):
        assert words in refused(script, *args, "--experiment_dir", experiment)
