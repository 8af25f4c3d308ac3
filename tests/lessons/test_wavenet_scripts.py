"""Lesson 3 as a person uses it: train, go on, listen."""

import json
import shutil
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny import RATE, TINY_WAVENET

from wavenet import sample, train
from workshop.audio.synthesis import write_wav

Run = Callable[..., subprocess.CompletedProcess[str]]
Refused = Callable[..., str]


def trained_for(tones: Path, path: Path, *more: str) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        where = ["--data_dir", str(tones), "--experiment_dir", str(path)]
        patch.setattr(sys, "argv", ["train.py", *where, *TINY_WAVENET, *more])
        assert train.main() == 0
    return path


def sound_of(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels()) == (RATE, 1)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767


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


# ---- sounds by name

#: What a network needs more to make both.
LARGER = ["--stacks", "2", "--seq_length", "100"]


@pytest.fixture(scope="session")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment on two kinds of sounds that even a tiny network tells apart: a low tone and a high one."""
    folder = tmp_path_factory.mktemp("named")
    for name, frequency in (("low", 200), ("high", 900)):
        for number in range(5):
            tone = 0.5 * np.sin(2 * np.pi * frequency * np.arange(RATE // 2) / RATE + number)
            noise = np.random.default_rng(number).normal(0, 0.01, len(tone))
            write_wav(folder / "data" / name / f"{number}.wav", tone + noise, RATE)
    args = ["--condition", "folder", "--num_epochs", "15", "--sample_every", "100"]
    return trained_for(folder / "data", folder / "experiment", *args, *LARGER)


def pitch(path: Path) -> float:
    """The loudest frequency of a sound, in Hz."""
    sound = sound_of(path)
    return float(np.abs(np.fft.rfft(sound * np.hanning(len(sound)))).argmax() * RATE / len(sound))


@pytest.mark.slow
def test_a_sound_is_made_by_name(named: Path, tmp_path: Path, run_main: Run) -> None:
    info = json.loads((named / "run.json").read_text("utf-8"))
    assert info["data"]["conditions"] == ["high", "low"]
    for name, frequency in (("low", 200), ("high", 900)):
        args = ["--experiment_dir", named, "--condition", name, "--out", tmp_path / f"{name}.wav", "--seed", "1"]
        done = run_main(sample, *args, "--seconds", "1", "--top_p", "0.9")
        assert done.returncode == 0, done.stderr
        assert f"{name}.wav, {name}: 1.00 s" in done.stderr
        assert pitch(tmp_path / f"{name}.wav") == pytest.approx(frequency, rel=0.01)


@pytest.mark.slow
def test_without_a_name_all_are_made_in_turn(named: Path, tmp_path: Path, run_main: Run) -> None:
    args = ["--experiment_dir", named, "--num_samples", "3", "--length", "100", "--out", tmp_path]
    said = run_main(sample, *args).stderr
    assert [said.index(line) for line in ("01.wav, high", "02.wav, low", "03.wav, high")]


@pytest.mark.slow
def test_previews_are_of_each_name(named: Path) -> None:
    files = {file.name for file in (named / "samples").glob("step_000100*")}
    assert files == {f"step_000100_{name}.{kind}" for name in ("low", "high") for kind in ("wav", "png")}


@pytest.mark.slow
def test_an_unknown_name_is_answered_with_the_known_ones(refused: Refused, named: Path, trained_wavenet: Path) -> None:
    said = refused(sample, "--experiment_dir", named, "--condition", "hihg")
    assert "there is no condition 'hihg' (did you mean \"high\"?): the network knows high, low" in said
    assert "trained without --condition" in refused(sample, "--experiment_dir", trained_wavenet, "--condition", "high")


@pytest.mark.slow
@pytest.mark.usefixtures("uncompiled")
def test_a_run_with_names_goes_on_with_them(refused: Refused, named: Path, tmp_path: Path) -> None:
    experiment = Path(shutil.copytree(named, tmp_path / "copy"))
    args = ["--experiment_dir", experiment, "--resume"]
    assert "contradicts the experiment" in refused(train, *args, "--condition", "other.json")
    trained_for(named.parent / "data", experiment, "--resume", "--num_epochs", "16", *LARGER)
    assert json.loads((experiment / "run.json").read_text("utf-8"))["arguments"]["condition"] == "folder"
