"""The lessons in the container, watched from the host."""

import os
import time
from pathlib import Path

import pytest
from containers import Workshop, calling_user, until

from workshop.host.ports import TENSORBOARD_PORTS

pytestmark = pytest.mark.container

#: What lets a lesson's network sound for a moment, into the experiment's folder.
SAMPLES = {
    "char_rnn": ["--length", "60"],
    "midi_rnn": ["--length", "16", "--wav", "--png", "--out", "made"],
    "wavenet": ["--seconds", "0.2", "--png", "--out", "made"],
    "audio_rnn": ["--seconds", "0.2", "--png", "--out", "made"],
    "spectral_rnn": ["--seconds", "0.2", "--png", "--out", "made"],
    "spectral_gan": ["--png", "--out", "made"],
}

#: A training that goes on until somebody ends it, and is measured twice a second.
ENDLESS = ["--size", "tiny", "--num_epochs", "1000000", "--save_every", "50", "--sample_every", "1000000"]


@pytest.mark.parametrize("lesson", TENSORBOARD_PORTS)
def test_a_lesson_trains_is_seen_and_speaks(workshop: Workshop, lesson: str) -> None:
    run = workshop.trained(lesson)
    assert (run / "checkpoints" / "latest.npz").is_file()
    until(lambda: any("loss" in tag for tags in workshop.tags(lesson).values() for tag in tags), "the loss's curve")
    place = ["--experiment_dir", f"experiments/{run.name}"]
    workshop.inside("python", "sample.py", *place, *SAMPLES[lesson], folder=lesson, timeout=300)


def test_edits_on_the_host_are_live(workshop: Workshop) -> None:
    mine = workshop.clone / "char_rnn" / "mine.py"
    mine.write_text("print('edited on the host')\n")
    assert workshop.inside("python", "mine.py", folder="char_rnn") == "edited on the host\n"
    mine.unlink()


def test_experiments_outlive_the_container(workshop: Workshop) -> None:
    before = workshop.container
    run = workshop.trained("char_rnn")
    workshop.remove()
    assert workshop.container == ""
    workshop.up()
    assert workshop.container != before
    place = ["--experiment_dir", f"experiments/{run.name}"]
    said = workshop.inside("python", "sample.py", *place, "--length", "60", folder="char_rnn")
    assert len(said) >= 60


def test_stopping_the_container_saves_the_training(workshop: Workshop) -> None:
    place = ["--experiment_dir", "experiments/stopped"]
    training = workshop.begin("python", "train.py", *ENDLESS, *place, folder="char_rnn")
    checkpoint = workshop.clone / "char_rnn" / "experiments" / "stopped" / "checkpoints" / "latest.npz"
    until(checkpoint.exists, "the first checkpoint")
    assert training.stdout is not None
    for line in training.stdout:
        if line.startswith("held-out data:"):
            break
    written = checkpoint.stat().st_mtime_ns
    begun = time.monotonic()
    workshop.docker("stop", "--time", "30", workshop.container)
    assert time.monotonic() - begun < 25
    assert workshop.inspect(workshop.container, "{{.State.ExitCode}}") == "0"
    assert checkpoint.stat().st_mtime_ns > written
    assert "to go on:" in training.communicate(timeout=30)[0]

    workshop.up()
    resumed = workshop.inside("python", "train.py", "--resume", *place, "--max_minutes", "0.05", folder="char_rnn")
    assert "to go on:" in resumed


def test_everything_in_the_clone_belongs_to_the_calling_user(workshop: Workshop) -> None:
    workshop.inside("python", "-m", "workshop.tunes")
    owners: dict[int, Path] = {}
    for folder, folders, files in os.walk(workshop.clone):
        for name in (*folders, *files):
            path = Path(folder, name)
            owners[path.stat().st_uid] = path
    assert set(owners) == {calling_user()}, owners
    assert (workshop.clone / "data" / "midi" / "tunes").is_dir()
