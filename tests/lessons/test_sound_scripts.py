"""The lessons about sound as a person uses them: train, go on, listen. All of it is the same in each of them."""

import json
import shutil
import subprocess
import wave
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny import LESSONS, RATE

from workshop import load
from workshop.audio import preview
from workshop.audio.synthesis import write_wav
from workshop.errors import UserError

Run = Callable[..., subprocess.CompletedProcess[str]]
Refused = Callable[..., str]


class Made(NamedTuple):
    """A lesson about sound: its scripts, its small training, and an experiment that it has made."""

    train: ModuleType
    sample: ModuleType
    arguments: list[str]
    path: Path


@pytest.fixture(scope="session", params=["wavenet", pytest.param("audio_rnn", marks=pytest.mark.slow)])
def made(request: pytest.FixtureRequest) -> Made:
    train, sample = (import_module(f"{request.param}.{script}") for script in ("train", "sample"))
    return Made(train, sample, LESSONS[request.param][1], request.getfixturevalue(f"trained_{request.param}"))


def sound_of(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels()) == (RATE, 1)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767


def test_a_training_leaves_a_complete_experiment(made: Made) -> None:
    info = json.loads((made.path / "run.json").read_text("utf-8"))
    assert info["lesson"] == made.train.LESSON.name
    assert info["status"] == "finished"
    assert info["data"]["files"] == info["data"]["used"] == 10
    assert list(info["baseline"]) == ["1", "2", "3"]
    assert info["best"]["validation"] < info["history"][0]["validation"] < np.log(256)
    step = max(int(file.stem.removeprefix("step_")) for file in (made.path / "samples").glob("*.wav"))
    assert len(sound_of(made.path / "samples" / f"step_{step:06d}.wav")) == int(preview.SECONDS * RATE)
    with Image.open(made.path / "samples" / f"step_{step:06d}.png") as picture:
        assert picture.size == (1000, 400)
    events = EventAccumulator(str(made.path / "tensorboard" / "train")).Reload()
    assert {"loss/nats", "loss in bits", "preview/sound", "preview/spectrogram"} <= set(events.Tags()["tensors"])


def test_sounds_are_written_and_never_over_each_other(made: Made, tmp_path: Path, run_main: Run) -> None:
    experiment = Path(shutil.copytree(made.path, tmp_path / "copy"))
    args = ["--experiment_dir", experiment, "--seconds", "0.5", "--num_samples", "2", "--png"]
    done = run_main(made.sample, *args, "--seed", "1")
    assert done.returncode == 0, done.stderr
    files = [Path(line) for line in done.stdout.splitlines()]
    assert [file.name for file in files] == ["01.wav", "02.wav"]
    first, second = (sound_of(file) for file in files)
    assert len(first) == RATE // 2
    assert (first != second).any()
    assert np.sqrt(np.mean(first**2)) > 0.01
    assert files[0].with_suffix(".png").exists()
    assert "real time" in done.stderr
    again = [Path(line) for line in run_main(made.sample, *args, "--seed", "1").stdout.splitlines()]
    assert [file.name for file in again] == ["03.wav", "04.wav"]
    assert (sound_of(again[0]) == first).all()


#: What the lessons share to the letter is tried with the one whose network is the quicker to load.
once = pytest.mark.parametrize("made", ["wavenet"], indirect=True)


@once
def test_the_old_command_works(made: Made, tmp_path: Path, run_main: Run) -> None:
    done = run_main(made.sample, "--experiment_dir", made.path, "--samples", "1000", "--wav_out", tmp_path / "a.wav")
    assert done.stdout.splitlines() == [str(tmp_path / "a.wav")]
    assert len(sound_of(tmp_path / "a.wav")) == 1000


def test_a_sound_can_be_gone_on_from(made: Made, tones: Path, tmp_path: Path, run_main: Run) -> None:
    args = ["--experiment_dir", made.path, "--prime", tones / "0.wav", "--length", "500", "--seed", "2"]
    assert run_main(made.sample, *args, "--with_prime", "--out", tmp_path / "with.wav").returncode == 0
    both, prime = sound_of(tmp_path / "with.wav"), sound_of(tones / "0.wav")
    assert len(both) == len(prime) + 500
    assert np.abs(both[:-500] - prime).max() < 0.02
    net = load(made.path)
    without = net.generate(prompt=tones / "0.wav", length=500, seed=2)
    assert without.rate == RATE
    assert np.abs(without.samples - both[-500:]).max() < 1e-4
    # A young network forgets a sound soon, but it begins after another one than without.
    assert np.abs(net.generate(length=500, seed=2).samples - both[-500:]).max() > 1e-3


@once
def test_a_prime_of_another_rate_is_resampled(made: Made, tmp_path: Path, run_main: Run) -> None:
    write_wav(tmp_path / "fast.wav", 0.4 * np.sin(2 * np.pi * 300 * np.arange(48000) / 48000), 48000)
    args = ["--experiment_dir", made.path, "--prime", tmp_path / "fast.wav", "--with_prime", "--length", "10"]
    assert run_main(made.sample, *args, "--out", tmp_path / "o.wav").returncode == 0
    assert len(sound_of(tmp_path / "o.wav")) == RATE + 10
    assert np.abs(np.fft.rfft(sound_of(tmp_path / "o.wav")[:RATE])).argmax() == 300


def test_a_prime_that_is_no_sound_is_said(refused: Refused, made: Made, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("la la la " * 100)
    args = ["--experiment_dir", made.path, "--prime"]
    assert "is not sound that can be read" in refused(made.sample, *args, tmp_path / "text.wav")
    assert "cannot be read" in refused(made.sample, *args, tmp_path / "missing.wav")
    write_wav(tmp_path / "silence.wav", np.zeros(RATE), RATE)
    assert "is silent" in refused(made.sample, *args, tmp_path / "silence.wav")


@pytest.mark.parametrize("wrong", [np.zeros((5, 2)), np.full(5, np.nan), 5], ids=["stereo", "no numbers", "a number"])
def test_samples_that_are_no_sound_are_no_prompt(made: Made, wrong: Any) -> None:
    with pytest.raises(UserError, match="that is no sound"):
        load(made.path).generate(prompt=wrong, length=5)


def test_no_sound_at_all_is_said_at_once(refused: Refused, made: Made, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("la")
    assert "has no audio files" in refused(made.train, "--data_dir", tmp_path, *made.arguments)
    (tmp_path / "a.wav").write_text("la")
    (tmp_path / "b.wav").touch()
    assert "none of the 2 sound files" in refused(made.train, "--data_dir", tmp_path, *made.arguments)


@pytest.mark.parametrize("lesson", ["wavenet", "audio_rnn"])
@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros(RATE), "is silent"),
        (np.full(RATE, 0.3), "is silent"),
        (np.full(RATE, np.nan), "holds samples that are not numbers"),
        (np.zeros(0), "holds no samples"),
    ],
)
def test_sound_that_is_none_is_said(
    refused: Refused, tmp_path: Path, lesson: str, samples: np.ndarray, words: str
) -> None:
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    train = import_module(f"{lesson}.train")
    assert words in refused(train, "--data_dir", tmp_path / "a.wav", *LESSONS[lesson][1])


def test_too_little_sound_is_said(refused: Refused, made: Made, tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", np.sin(np.arange(500)), RATE)
    said = refused(made.train, "--data_dir", tmp_path, *made.arguments, "--seq_length", "1000")
    assert "is too short" in said
    assert "samples are left to train on, and a window takes 1001" in said


def test_a_rate_that_is_not_the_experiments_is_said(refused: Refused, made: Made, tmp_path: Path) -> None:
    experiment = Path(shutil.copytree(made.path, tmp_path / "copy"))
    said = refused(made.train, "--experiment_dir", experiment, "--resume", "--sample_rate", "8000")
    assert f"--sample_rate 8000 contradicts the experiment {experiment}, which has {RATE}" in said


def test_help_is_instant(run_script: Run, made: Made) -> None:
    for name, argument in (("train", "--silence_threshold"), ("sample", "--seconds")):
        done = run_script(f"{made.train.LESSON.name}/{name}.py", "--help", timeout=10)
        assert done.returncode == 0
        assert argument in done.stdout
