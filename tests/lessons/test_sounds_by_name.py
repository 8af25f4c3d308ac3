"""Sounds that the lessons about sound learn by name (`--condition`), as a person asks for them."""

import json
import shutil
import subprocess
import sys
import wave
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
from tiny import RATE, TINY_AUDIO, TINY_WAVENET

from workshop import load
from workshop.audio.synthesis import write_wav

Run = Callable[..., subprocess.CompletedProcess[str]]
Refused = Callable[..., str]

pytestmark = pytest.mark.slow

#: The two kinds of sounds, in Hz, which even a tiny network tells apart.
TONES = {"low": 200, "high": 900}
#: What each lesson's network takes to make both.
LARGER = {
    "wavenet": [*TINY_WAVENET, "--num_epochs", "15", "--stacks", "2", "--seq_length", "100"],
    "audio_rnn": [
        *TINY_AUDIO, "--num_epochs", "40", "--rnn_size", "64", "--num_layers", "2", "--seq_length", "100",
        "--batch_size", "10", "--learning_rate", "0.005", "--save_every", "100",
    ],
}  # fmt: skip
#: How far the loudest frequency may be off: a window of a GRU of this size is five periods of the low tone.
OFF = {"wavenet": 0.01, "audio_rnn": 0.1}
#: The step of the first preview.
PREVIEWED = 100


class Named(NamedTuple):
    """A lesson, the sounds that it has learnt by name, and the experiment."""

    train: ModuleType
    sample: ModuleType
    arguments: list[str]
    data: Path
    path: Path


def trained(train: ModuleType, data: Path, path: Path, *more: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train.py", "--data_dir", str(data), "--experiment_dir", str(path), *more])
        assert train.main() == 0


@pytest.fixture(scope="module", params=LARGER)
def named(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Named:
    """An experiment of each lesson on a low tone and a high one."""
    folder = tmp_path_factory.mktemp("named")
    for name, frequency in TONES.items():
        for number in range(5):
            tone = 0.5 * np.sin(2 * np.pi * frequency * np.arange(RATE // 2) / RATE + number)
            noise = np.random.default_rng(number).normal(0, 0.01, len(tone))
            write_wav(folder / "data" / name / f"{number}.wav", tone + noise, RATE)
    train, sample = (import_module(f"{request.param}.{script}") for script in ("train", "sample"))
    made = Named(train, sample, LARGER[request.param], folder / "data", folder / "experiment")
    args = [*made.arguments, "--condition", "folder", "--sample_every", str(PREVIEWED)]
    trained(train, made.data, made.path, *args)
    return made


def pitch(sound: np.ndarray) -> float:
    """The loudest frequency of a sound, in Hz."""
    return float(np.abs(np.fft.rfft(sound * np.hanning(len(sound)))).argmax() * RATE / len(sound))


def test_a_sound_is_made_by_name(named: Named, tmp_path: Path, run_main: Run) -> None:
    info = json.loads((named.path / "run.json").read_text("utf-8"))
    assert info["data"]["conditions"] == ["high", "low"]
    assert info["network"]["conditions"] == 2
    for name, frequency in TONES.items():
        args = ["--experiment_dir", named.path, "--condition", name, "--out", tmp_path / f"{name}.wav", "--seed", "1"]
        done = run_main(named.sample, *args, "--seconds", "1", "--top_p", "0.9")
        assert done.returncode == 0, done.stderr
        assert f"{name}.wav, {name}: 1.00 s" in done.stderr
        with wave.open(str(tmp_path / f"{name}.wav")) as file:
            made = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
        assert pitch(made) == pytest.approx(frequency, rel=OFF[named.train.LESSON.name])
        loaded = load(named.path).generate(condition=name, seconds=1, seed=1, top_p=0.9)
        assert np.abs(loaded.samples - made).max() < 1e-4


def test_without_a_name_all_are_made_in_turn(named: Named, tmp_path: Path, run_main: Run) -> None:
    args = ["--experiment_dir", named.path, "--num_samples", "3", "--length", "100", "--out", tmp_path]
    said = run_main(named.sample, *args).stderr
    assert [said.index(line) for line in ("01.wav, high", "02.wav, low", "03.wav, high")]


def test_previews_are_of_each_name(named: Named) -> None:
    files = {file.name for file in (named.path / "samples").glob(f"step_{PREVIEWED:06d}*")}
    assert files == {f"step_{PREVIEWED:06d}_{name}.{kind}" for name in TONES for kind in ("wav", "png")}


def test_an_unknown_name_is_answered_with_the_known_ones(
    refused: Refused, named: Named, request: pytest.FixtureRequest
) -> None:
    said = refused(named.sample, "--experiment_dir", named.path, "--condition", "hihg")
    assert "there is no condition 'hihg' (did you mean \"high\"?): the network knows high, low" in said
    plain = request.getfixturevalue(f"trained_{named.train.LESSON.name}")
    said = refused(named.sample, "--experiment_dir", plain, "--condition", "high")
    assert "trained without --condition" in said


def test_conditions_that_are_not_those_of_the_network(refused: Refused, named: Named, tmp_path: Path) -> None:
    experiment = Path(shutil.copytree(named.path, tmp_path / "copy"))
    info = json.loads((experiment / "run.json").read_text("utf-8"))
    info["data"]["conditions"] = ["high"]
    (experiment / "run.json").write_text(json.dumps(info), "utf-8")
    said = refused(named.sample, "--experiment_dir", experiment)
    assert "is damaged: its conditions ['high'] are not those of its network" in said


@pytest.mark.usefixtures("uncompiled")
def test_a_run_with_names_goes_on_with_them(refused: Refused, named: Named, tmp_path: Path) -> None:
    experiment = Path(shutil.copytree(named.path, tmp_path / "copy"))
    args = ["--experiment_dir", experiment, "--resume"]
    assert "contradicts the experiment" in refused(named.train, *args, "--condition", "other.json")
    trained(
        named.train, named.data, experiment, *named.arguments, "--resume", "--num_epochs", "99", "--max_minutes", "0.02"
    )
    assert json.loads((experiment / "run.json").read_text("utf-8"))["arguments"]["condition"] == "folder"


@pytest.mark.usefixtures("uncompiled")
def test_names_are_taken_over_in_fine_tuning(named: Named, tmp_path: Path) -> None:
    """A name that it knows keeps its sound; sounds without names begin with the mean of all."""
    for name, frequency in (("low", 200), ("other", 500)):
        for number in range(2):
            tone = 0.5 * np.sin(2 * np.pi * frequency * np.arange(RATE // 2) / RATE + number)
            write_wav(tmp_path / "data" / name / f"{number}.wav", tone, RATE)
    start = ["--init_from", str(named.path), "--max_minutes", "0.02", "--sample_every", "1000000"]
    trained(named.train, tmp_path / "data", tmp_path / "two", *start, "--condition", "folder", "--batch_size", "4")
    trained(named.train, tmp_path / "data", tmp_path / "none", *start, "--batch_size", "4")
    origins = [json.loads((tmp_path / name / "run.json").read_text("utf-8"))["init_from"] for name in ("two", "none")]
    assert [(origin["shared"], origin["new"]) for origin in origins] == [(1, 1), (0, 0)]
    assert load(tmp_path / "two").conditions == ["low", "other"]
    assert len(load(tmp_path / "none").generate(length=20).samples) == 20
