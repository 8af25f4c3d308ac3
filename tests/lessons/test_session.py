"""The session of lesson 4: trained in instalments is trained at once, and what is asked of it is done or said.

What Blekota got wrong is tested where it is done: the level of 1.0 in tests/audio/test_quantisation.py; the first
input, silence and not nothing, in test_audio_rnn.py; the gradient through a carried state in
tests/networks/test_sequence.py; and here the softmax at low temperatures, channels and rates of a hint, pickles, the
position between two trainings.
sounddevice is needed by `play` alone (tests/audio/test_listening.py), and `train.py` and `sample.py` need no prompt.
"""

import argparse
import json
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tiny import RATE, without_xla

from audio_rnn import sample, session, train
from audio_rnn.classifier import Classifier
from audio_rnn.generate import Generator
from workshop import load
from workshop.audio import audiofiles, mu_law
from workshop.audio.quantisation import LINEAR
from workshop.errors import UserError
from workshop.run import checkpoint

#: The way Blekota spells them: a network of one layer.
SMALL = ["--layers", "1", "--hidden", "16", "--seq-length", "50", "--batch-size", "20", "--alpha", "0.01"]


def read(*arguments: str | Path) -> argparse.Namespace:
    return session.parser().read([*map(str, arguments)])


def opened(*arguments: str | Path) -> Classifier:
    return session.opened(read(*arguments))


def new(data: Path, folder: Path, *more: str) -> Classifier:
    return opened(data, "--model-name", folder, "--sample_rate", str(RATE), *SMALL, *more)


def saved(clf: Classifier) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Everything that training goes on from, but the time that it took."""
    arrays, meta = checkpoint.load(clf.experiment.latest)
    return arrays, {name: value for name, value in meta.items() if name != "minutes"}


@pytest.mark.slow
def test_a_sound_is_asked_for_by_name_and_in_linear_levels(tones: Path, tmp_path: Path, uncompiled: None) -> None:
    """Both are part of the experiment: nobody has to say so again."""
    for number, file in enumerate(sorted(tones.glob("*.wav"))):
        (tmp_path / "data" / f"kind {number % 2}").mkdir(parents=True, exist_ok=True)
        shutil.copy(file, tmp_path / "data" / f"kind {number % 2}")
    clf = new(tmp_path / "data", tmp_path / "made", "--condition", "folder", "--quantisation", "linear")
    clf.train(5)
    for table in clf.model.conditions:  # so that the names differ after so few steps
        table.assign(np.random.default_rng(0).normal(size=table.shape))
    first, again, other = (clf.sample(50, seed=1, condition=f"kind {number}") for number in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()
    for sound in (first, other):
        assert (LINEAR.decode(LINEAR.encode(sound)) == sound).all()
    named = clf.heatmap(0, 20)
    clf.sample(50, seed=1, condition="kind 0")
    assert (clf.heatmap(0, 20) != named).any()
    assert repr(clf).endswith("samples a second; makes kind 0, kind 1")
    with pytest.raises(UserError, match="there is no condition 'kind 2'"):
        clf.sample(5, condition="kind 2")
    back = opened(tmp_path / "made")
    assert (back.sample(50, seed=1, condition="kind 1") != back.sample(50, seed=2, condition="kind 1")).any()
    with pytest.raises(UserError, match="--quantisation mu-law contradicts the experiment"):
        opened(tmp_path / "made", "--quantisation", "mu-law")


@pytest.fixture(scope="module")
def clf(trained_audio_rnn: Path, tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """An experiment that train.py has made, opened and trained for 2 iterations more."""
    folder = tmp_path_factory.mktemp("session") / "tones"
    shutil.copytree(trained_audio_rnn, folder)
    with pytest.MonkeyPatch.context() as patch:
        without_xla(patch)
        clf = opened(folder)
        clf.train(2)
    return clf


@pytest.mark.slow
def test_a_hundred_and_a_hundred_are_two_hundred(tones: Path, tmp_path: Path) -> None:
    """Number for number, with much in between."""
    once, twice = new(tones, tmp_path / "once"), new(tones, tmp_path / "twice")
    once.train(200)
    twice.train(100)
    twice.sample(30, temperature=0.5)
    twice.checkpoint(20)
    twice.train(100)
    (arrays, meta), (expected, meta_expected) = saved(twice), saved(once)
    assert arrays.keys() == expected.keys()
    assert all((arrays[name] == expected[name]).all() for name in expected)
    assert meta == meta_expected
    assert meta["step"] == 200
    assert (twice.sample(30, seed=1) == once.sample(30, seed=1)).all()


def test_a_few_iterations_more_are_part_of_the_experiment(clf: Classifier, trained_audio_rnn: Path) -> None:
    before, after = (
        json.loads((path / "run.json").read_text("utf-8")) for path in (trained_audio_rnn, clf.experiment.path)
    )
    assert after["step"] == before["step"] + 2 == clf.step
    lines = (clf.experiment.path / "log.txt").read_text("utf-8").splitlines()
    assert any(line.endswith("  $ clf.train(2)") for line in lines)
    assert any(line.endswith("  ended: step 74 is done") for line in lines)
    assert after["arguments"] == before["arguments"]
    assert len(load(clf.experiment.path, "latest").generate(length=50).samples) == 50


@pytest.mark.slow
def test_what_is_trained_is_an_experiment_like_others(
    tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uncompiled: None
) -> None:
    """train.py goes on with it, sample.py generates, and then it is opened again."""
    new(tones, tmp_path / "made").train(3)
    arguments = json.loads((tmp_path / "made" / "run.json").read_text("utf-8"))["arguments"]
    assert (arguments["num_layers"], arguments["learning_rate"], arguments["save_every"]) == (1, 0.01, 1000)
    assert not {"what", "model_name"} & arguments.keys()
    where = ["--experiment_dir", str(tmp_path / "made")]
    monkeypatch.setattr(sys, "argv", ["train.py", "--resume", *where, "--num_epochs", "1", "--sample_every", "1000"])
    assert train.main() == 0
    monkeypatch.setattr(sys, "argv", ["sample.py", *where, "-n", "50"])
    sample.main()
    back = opened(tmp_path / "made")
    at = back.step
    assert at > 3
    back.train(1)  # although its one epoch is done
    assert back.step == at + 1


def test_a_sample_is_an_array_and_follows_its_seed_and_its_hint(clf: Classifier, tones: Path) -> None:
    hint = audiofiles.read(tones / "0.wav", RATE)
    first, again, other, from_array, from_file = (
        clf.sample(60, **more)
        for more in (
            {"seed": 1},
            {"seed": 1},
            {"seed": 2},
            {"seed": 1, "hint": hint},
            {"seed": 1, "hint": tones / "0.wav"},
        )
    )
    assert first.shape == (60,)
    assert first.dtype == np.float32
    assert np.abs(first).max() <= 1
    assert (first == again).all()
    assert (first != other).any()
    assert (from_array == from_file).all()
    assert (from_array != first).any()
    assert (clf.sample(60) != clf.sample(60)).any()


def test_a_hint_is_brought_to_one_channel_and_the_rate_of_the_network(clf: Classifier, tmp_path: Path) -> None:
    time = np.arange(3 * RATE) / (3 * RATE)
    tone = 0.4 * np.sin(2 * np.pi * 300 * time)
    soundfile.write(tmp_path / "stereo.wav", np.stack([tone, -tone], axis=1), 3 * RATE)
    alone = 0.4 * np.sin(2 * np.pi * 300 * np.arange(RATE) / RATE)
    heard = []
    for hint in (tmp_path / "stereo.wav", alone):
        clf.sample(5, hint=hint)
        assert clf._last is not None
        heard.append(mu_law.decode(clf._last[0][-RATE + 100 : -100]))
    assert np.abs(heard[0] - heard[1]).max() < 0.03


def test_a_hint_may_lie_in_the_home_folder(
    clf: Classifier, tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = next(tones.rglob("*.wav"))
    (tmp_path / "hint.wav").write_bytes(sound.read_bytes())
    monkeypatch.setenv("HOME", str(tmp_path))
    assert (clf.sample(20, seed=1, hint="~/hint.wav") == clf.sample(20, seed=1, hint=sound)).all()


@pytest.mark.parametrize("temperature", [1e-30, 1e-6, 1e30])
def test_no_temperature_overflows(clf: Classifier, temperature: float) -> None:
    sound = clf.sample(40, temperature=temperature, seed=1)
    assert np.isfinite(sound).all()
    if temperature < 1:  # always the likeliest level, whatever is drawn
        assert (sound == clf.sample(40, temperature=temperature, seed=2)).all()


def test_ctrl_c_in_a_sample_leaves_what_there_is(
    clf: Classifier, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*args: Any) -> Any:
        yield np.full((5, 1), 200)
        raise KeyboardInterrupt

    monkeypatch.setattr(Generator, "generate", interrupted)
    assert (clf.sample(60) == mu_law.decode(np.full(5, 200))).all()
    assert "stopped after 5 samples" in capsys.readouterr().err


def test_checkpoints_are_numbered_and_opened_by_their_number(clf: Classifier) -> None:
    clf.checkpoint(0)
    clf.checkpoint(40)
    assert clf.experiment.kept_steps == [74]
    assert len(audiofiles.read(clf.experiment.samples / "step_000074.wav", RATE)) == 40
    then = opened(f"{clf.experiment.path}@74")
    assert (then.sample(30, seed=1) == clf.sample(30, seed=1)).all()
    assert repr(then) == repr(clf)
    for call in (lambda: then.train(1), lambda: then.checkpoint(1)):
        with pytest.raises(UserError, match=r"@74 is there to be sampled from: open .* to go on"):
            call()
    with pytest.raises(UserError, match="there is no checkpoint of step 21"):
        opened(f"{clf.experiment.path}@21")


def test_who_stops_the_training_from_elsewhere_ends_the_process(
    clf: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr("workshop.run.trainings.is_asked_to_stop", lambda entry: True)
        patch.setattr(signal, "raise_signal", received.append)
        clf.train(5)
    assert received == [signal.SIGTERM]
    assert clf.step == 74


@pytest.mark.slow
def test_a_training_that_breaks_down_goes_back_to_what_was_saved(
    tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uncompiled: None
) -> None:
    clf = new(tones, tmp_path / "made")
    clf.train(2)
    step = type(clf._training().learner).update_average

    def broken(learner: Any) -> None:
        step(learner)
        raise KeyboardInterrupt  # the second Ctrl-C, which does not wait

    with monkeypatch.context() as patch:
        patch.setattr(type(clf._training().learner), "update_average", broken)
        with pytest.raises(KeyboardInterrupt):
            clf.train(5)
    assert clf.step == 2
    clf.checkpoint(0)
    straight = new(tones, tmp_path / "straight")
    straight.train(2)
    assert all((saved(clf)[0][name] == array).all() for name, array in saved(straight)[0].items())


def test_the_heatmap_shows_what_was_generated_last(clf: Classifier) -> None:
    clf.sample(50, seed=3)
    assert (clf.heatmap(10, 20) != clf.heatmap(20, 20)).any()
    with pytest.raises(UserError, match="there is no sample 50 to look at: 50 were generated last"):
        clf.heatmap(50)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda clf: clf.train(0), "it: '0' is not a whole number of at least 1"),
        (lambda clf: clf.sample(-1), "n: '-1' is not"),
        (lambda clf: clf.sample(5, temperature=0), "temperature: '0' is not a number above 0"),
        (lambda clf: clf.sample(5, hint=[[1, 2]]), "that is no sound"),
        (lambda clf: clf.sample(5, hint="nowhere.wav"), "nowhere.wav"),
        (lambda clf: clf.checkpoint(-1), "n: '-1' is not"),
    ],
)
def test_what_cannot_be_done_is_said(clf: Classifier, call: Callable[[Classifier], Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        call(clf)


def test_what_cannot_be_opened_is_said(tones: Path, tmp_path: Path, clf: Classifier) -> None:
    for arguments, words in (
        (["bety.pkl"], "bety.pkl is a pickle, and to open one is to run the program in it"),
        (["nowhere"], "there is no experiment nowhere"),
        (["nowhere.wav"], "nowhere.wav"),
        ([tones, "--max-minutes", "3"], r"--max_minutes has no use in a session: clf.train\(it\) says"),
        ([tones, "--resume"], "--resume has no use in a session: name the experiment in place of a sound"),
        ([clf.experiment.path, "--model-name", "x"], "--model_name x is for a new experiment"),
        ([tones, "--model-name", clf.experiment.path], "is there already: open it with `python .*session.py .*tones`"),
        ([clf.experiment.path, "--hidden", "17"], "--rnn_size 17 contradicts the experiment"),
    ):
        with pytest.raises(UserError, match=words):
            opened(*arguments)


def test_a_plain_name_lies_beside_the_other_experiments() -> None:
    assert session.place("singer") in ("audio_rnn/experiments/singer", "experiments/singer")
    assert session.place("./singer") == "singer"
    assert session.place(None) is None


def test_nobody_is_left_with_an_experiment_that_was_never_trained(tones: Path, tmp_path: Path) -> None:
    clf = new(tones, tmp_path / "made")
    assert clf.sample(10).shape == (10,)
    assert (tmp_path / "made").exists()
    clf.experiment.discard_if_empty()  # as at exit
    assert not (tmp_path / "made").exists()
