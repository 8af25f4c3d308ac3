"""Fine-tuning: what a training takes from a trained network (`--init_from`), and what it refuses.

That a fine-tuned run goes on exactly is tested in test_lessons.py.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import warm as warm_python
from damage import change_run, truncated
from hypothesis import given
from hypothesis import strategies as st
from tiny import LESSONS, TRAINED

from char_rnn import train
from char_rnn.lesson import LESSON
from char_rnn.model import build
from wavenet.model import Shape, WaveNet, with_condition, without_conditions
from workshop import ROOT
from workshop.errors import UserError
from workshop.networks.sequence import SequenceModel
from workshop.networks.vocabularies import give_weights, remapped
from workshop.run import finetuning, pretrained

Refused = Callable[..., str]
OLD_EXPERIMENTS = ROOT / "tests" / "fixtures" / "v1"

vocabularies = st.lists(st.characters(), min_size=1, max_size=20, unique=True)


# ---- the weights


@given(old=vocabularies, new=vocabularies, axis=st.sampled_from([0, 1, -1]))
def test_known_symbols_keep_their_weights_and_new_ones_get_the_mean(old: list[str], new: list[str], axis: int) -> None:
    shape = [3, 3]
    shape[axis] = len(old)
    weights = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    made = remapped(weights, axis, old, new)
    assert made.dtype == weights.dtype
    before, after = np.moveaxis(weights, axis, 0), np.moveaxis(made, axis, 0)
    assert after.shape == (len(new), 3)
    for symbol, row in zip(new, after, strict=True):
        np.testing.assert_array_equal(row, before[old.index(symbol)] if symbol in old else before.mean(0))


def network(symbols: str, seed: int, **changes: Any) -> SequenceModel:
    shape = {"rnn_size": len("abcd"), "num_layers": 2, "cell": "gru", "dropout": 0.0} | changes
    return build({**shape, "vocab_size": len(symbols), "seed": seed}, len(symbols))


def logits(model: SequenceModel, symbols: str, text: str) -> np.ndarray:
    """Of the symbol after each of `text`: [T, V]."""
    ids = np.array([[symbols.index(symbol)] for symbol in text], np.int32)
    return np.asarray(model(ids, model.initial_state(1))[0])[:, 0]


def test_a_network_predicts_the_same_of_the_symbols_that_it_knows() -> None:
    """As many symbols as units, so that the shapes do not tell which axis is that of the symbols."""
    source, target = network("abcd", 1), network("dxab", 2)
    source.sequence[-1].bias.assign(np.arange(4.0))
    give_weights(source, target, "abcd", "dxab")
    before, after = logits(source, "abcd", "dabbad"), logits(target, "dxab", "dabbad")
    np.testing.assert_allclose(after[:, [2, 3, 0]], before[:, [0, 1, 3]], rtol=1e-5)
    np.testing.assert_allclose(after[:, 1], before.mean(1), rtol=1e-5)


def test_dropout_may_be_another_and_layers_may_not() -> None:
    source = network("abcd", 1)
    give_weights(source, network("abc", 2, dropout=0.5), "abcd", "abc")
    other = network("abc", 2, num_layers=1)
    before = other.get_weights()
    with pytest.raises(UserError, match="the trained network has other layers than the new one"):
        give_weights(source, other, "abcd", "abc")
    for weights, same in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weights, same)


def test_the_symbols_of_a_wavenet_are_its_conditions() -> None:
    shape = Shape(1, 2, 2, 4, 4, 8, conditions=2)
    source, target = WaveNet(shape, seed=1), WaveNet(Shape(1, 2, 2, 4, 4, 8, conditions=3), seed=2)
    give_weights(source, target, ["bell", "drum"], ["horn", "drum", "bell"])
    for variable, same in zip(source.trainable_variables[:-1], target.trainable_variables[:-1], strict=True):
        np.testing.assert_array_equal(variable, same)
    bell, drum = np.asarray(source.conditions)
    np.testing.assert_array_equal(target.conditions, [(bell + drum) / 2, drum, bell])


def test_a_wavenet_loses_and_gets_conditions() -> None:
    """A network with a single condition predicts the same without it; one that gets a condition predicts as before."""
    conditional = WaveNet(Shape(1, 2, 2, 4, 4, 8, conditions=1), seed=1)
    ids, label = np.random.default_rng(0).integers(0, 256, (9, 2)), np.zeros(2, int)
    expected = np.asarray(conditional((ids, label))[0])
    plain = without_conditions(conditional)
    np.testing.assert_allclose(plain(ids)[0], expected, atol=1e-5)
    np.testing.assert_allclose(with_condition(plain)((ids, label))[0], expected, atol=1e-5)


# ---- a training


@pytest.fixture
def source(trained: Path, tmp_path: Path) -> Path:
    """A copy of a trained network of lesson 1."""
    return Path(shutil.copytree(trained, tmp_path / "source"))


@pytest.fixture
def fine_tuned(run_main: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Fine-tune for some steps of lesson 1, and give the run.json."""

    def run(data: Path, source: Path, *args: str) -> dict[str, Any]:
        monkeypatch.setattr(train, "SMOKE_STEPS", 2)
        where = ["--data_dir", data, "--experiment_dir", "tuned", "--init_from", source]
        done = run_main(train, *where, "--smoke", "--sample_every", "1000000", *args)
        assert done.returncode == 0, done.stderr
        return json.loads(Path("tuned/run.json").read_text("utf-8")) | {"printed": done.stdout}

    return run


@pytest.mark.usefixtures("uncompiled")
def test_it_begins_where_the_trained_network_is(
    tiny_text: Path, source: Path, fine_tuned: Callable[..., dict[str, Any]]
) -> None:
    began = json.loads((source / "run.json").read_text("utf-8"))
    tuned = fine_tuned(tiny_text, source)
    assert tuned["history"][0]["step"] == 0
    assert tuned["history"][0]["validation"] == pytest.approx(began["best"]["validation"], rel=1e-5)
    assert tuned["history"][-1]["validation"] == pytest.approx(began["best"]["validation"], rel=0.02)
    # The network's shape is that of the source, the rest that of the size which is named there, at a lower rate.
    shape = ("size", "network", *LESSON.network)
    assert {name: tuned["arguments"][name] for name in shape} == {name: began["arguments"][name] for name in shape}
    usual = LESSON.sizes[began["arguments"]["size"]]
    assert tuned["arguments"]["seq_length"] == usual["seq_length"]
    expected = round(finetuning.LEARNING_RATE_SHARE * usual["learning_rate"], 6)
    assert tuned["arguments"]["learning_rate"] == expected
    assert tuned["init_from"] == {
        "path": str(source), "created": began["created"], "step": began["best"]["step"],
        "fingerprint": began["data"]["fingerprint"], "shared": began["data"]["vocabulary"], "new": 0,
        "ngram": tuned["init_from"]["ngram"],
    }  # fmt: skip
    assert "init_from" not in tuned["arguments"]
    # What is held out is part of the earlier data here, so that counting that knows nearly all of it.
    assert tuned["init_from"]["ngram"] < 0.5 * min(tuned["baseline"].values())
    assert "an n-gram of the earlier data as well" in tuned["printed"]
    known = began["data"]["vocabulary"]
    assert f"begins with the weights of {source}" in tuned["printed"]
    assert f"{known} of {known} characters known\n" in tuned["printed"]


@pytest.mark.slow
@pytest.mark.usefixtures("uncompiled")
def test_other_symbols_and_given_arguments(
    source: Path, tmp_path: Path, fine_tuned: Callable[..., dict[str, Any]]
) -> None:
    (tmp_path / "earlier.txt").write_text("something else\n" * 20, "utf-8")
    earlier = json.loads((source / "run.json").read_text("utf-8"))["data"] | {"path": str(tmp_path / "earlier.txt")}
    change_run(source, data=earlier)
    (tmp_path / "songs.txt").write_text("la la la, où est-ce que tu es, où\n" * 90, "utf-8")
    tuned = fine_tuned(tmp_path / "songs.txt", source, "--learning_rate", "0.5", "--dropout", "0", "--rnn_size", "16")
    assert tuned["init_from"]["new"] == 1
    assert tuned["init_from"]["ngram"] is None, "the earlier data has changed"
    assert ", 1 new begin at the mean\n" in tuned["printed"]
    assert (tuned["arguments"]["learning_rate"], tuned["arguments"]["dropout"]) == (0.5, 0)


@pytest.mark.slow
@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.usefixtures("read_here")
def test_at_step_0_each_lesson_has_the_loss_of_its_source(
    lesson: str, request: pytest.FixtureRequest, run_main: Callable[..., Any]
) -> None:
    data, arguments = LESSONS[lesson]
    source = request.getfixturevalue(TRAINED[lesson])
    where = ["--data_dir", request.getfixturevalue(data), "--experiment_dir", "tuned", "--init_from", source]
    as_then = lesson != "spectral_rnn"  # compiled, or not, as the source was measured
    done = run_main(import_module(f"{lesson}.train"), *where, "--smoke", *arguments, compiled=as_then)
    assert done.returncode == 0, done.stderr
    tuned = json.loads(Path("tuned/run.json").read_text("utf-8"))
    if tuned["init_from"]["ngram"] is None:
        assert lesson in ("spectral_rnn", "spectral_gan"), "the earlier data has been counted"
    else:
        assert tuned["init_from"]["ngram"] < min(tuned["baseline"].values())
    first = tuned["history"][0]
    assert first["step"] == 0
    assert first["validation"] == json.loads((source / "run.json").read_text("utf-8"))["best"]["validation"]


@pytest.mark.slow
def test_the_benchmark_runs(trained: Path, warm: str) -> None:
    command = [sys.executable, ROOT / "benchmarks" / "finetune.py", "--text_source", trained, "--smoke"]
    done = subprocess.run(command, env=warm_python.environment(warm), capture_output=True, text=True, check=True)
    table, figures = done.stdout.splitlines()[-5:-1], json.loads(done.stdout.splitlines()[-1])
    assert [row.split(" | ")[0] for row in table] == [
        "| data, seed", "| ---", "| 17 KB of text, 0", "| 100 KB of text, 0"
    ]  # fmt: skip
    assert figures.keys() == {"17 KB of text", "100 KB of text"}
    assert all(-1 < lower < 1 for lower in figures.values())


# ---- what is offered


def offer(args: list[str], amount: int = 1000, symbols: str = "abc") -> str | None:
    from workshop.run import arguments

    read = arguments.train_parser("", LESSON).read(args)
    arguments.apply_size(read, LESSON)
    return finetuning.offer(LESSON, read, symbols, amount)


def test_fine_tuning_is_offered_for_little_data(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "pretrained")
    assert offer([]) is None, "there is no trained network"
    folder = tmp_path / "pretrained" / LESSON.name
    for name in ("songs", "verse"):
        shutil.copytree(trained, folder / name)
    vocabulary = folder / "songs" / "vocab.json"
    characters = json.loads(vocabulary.read_text("utf-8"))["characters"]
    vocabulary.write_text(json.dumps({"format": 1, "characters": characters.replace("b", "ß")}), "utf-8")
    (folder / "damaged").mkdir()
    (folder / "damaged" / "run.json").write_text("{", "utf-8")
    offered = offer(["--data_dir", str(tmp_path)])
    assert offered is not None
    assert offered.endswith(f"train.py --data_dir {tmp_path} --init_from verse")
    assert offer(["--init_from", "none"]) is None, "it was declined"
    assert offer([], amount=LESSON.little) is None


# ---- what is refused


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--rnn_size", "32"], r"^--rnn_size 32 contradicts the trained network .*source, which has 16: leave it out"),
        (["--size", "medium"], r"^--size medium, which means --rnn_size 384 contradicts the trained network"),
        (["--cell", "gru"], r"^--cell gru contradicts the trained network .* which has lstm"),
    ],
)
def test_a_contradiction_is_named(source: Path, refused: Refused, arguments: list[str], sentence: str) -> None:
    assert re.search(sentence, refused(train, "--init_from", source, *arguments))
    assert not Path("experiments").exists()


@pytest.mark.parametrize(
    ("lesson", "name", "value"), [("midi_rnn", "encoding", "performance"), ("wavenet", "sample_rate", "16000")]
)
def test_another_representation_is_refused(lesson: str, name: str, value: str, refused: Refused) -> None:
    source = OLD_EXPERIMENTS / lesson / "experiment"
    said = refused(import_module(f"{lesson}.train"), "--init_from", source, f"--{name}", value)
    assert said.startswith(f"--{name} {value} contradicts the trained network ")


def test_a_source_that_is_none_is_refused(source: Path, refused: Refused) -> None:
    assert refused(train, "--init_from", "nowhere").startswith("there is no experiment nowhere")
    assert "is not an experiment" in refused(train, "--init_from", "")
    other = refused(train, "--init_from", OLD_EXPERIMENTS / "midi_rnn" / "experiment")
    assert other.endswith("is an experiment of midi_rnn, not of char_rnn")
    best = source / "checkpoints" / "best.npz"
    whole = best.read_bytes()
    best.write_bytes(truncated(whole))
    assert refused(train, "--init_from", source).startswith(f"the checkpoint {best} is damaged")
    best.write_bytes(whole)
    change_run(source, format=3)
    assert "has the format 3, and this version reads 2" in refused(train, "--init_from", source)


def test_a_resumed_run_keeps_what_it_began_with(source: Path, refused: Refused) -> None:
    said = refused(train, "--resume", "--experiment_dir", source, "--init_from", "verse")
    assert said.startswith("--init_from verse contradicts the experiment ")
    assert "which began with none: leave it out to go on" in said
    origin = {"path": "/verse", "created": "", "step": 1, "fingerprint": "", "shared": 1, "new": 1}
    change_run(source, init_from=origin)
    said = refused(train, "--resume", "--experiment_dir", source, "--init_from", "none")
    assert "--init_from none contradicts" in said
    assert "which began with /verse" in said
    for same in ("/verse", "verse"):
        # No contradiction: the next thing that is wrong is told.
        said = refused(train, "--resume", "--experiment_dir", source, "--init_from", same, "--data_dir", "nowhere")
        assert said.startswith("there is no nowhere")
