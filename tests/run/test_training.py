"""The training loop: exact resume, measurements, the best weights, and each of its endings."""

import json
import os
import shlex
import signal
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from records import entries
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from char_rnn.model import recurrent
from workshop.errors import UserError
from workshop.networks.layer_table import Row
from workshop.networks.sequence import SequenceModel
from workshop.run import checkpoint, experiment, learner, stopping
from workshop.run import session as sessions
from workshop.run.baseline import Baseline
from workshop.run.batches import EvalBatches, StatefulBatches
from workshop.run.board import TensorBoardWriter
from workshop.run.experiment import Experiment
from workshop.run.farewell import farewell
from workshop.run.learner import Measurement, NextSymbolLearner, cross_entropy
from workshop.run.record import Best
from workshop.run.session import Session, Settings
from workshop.run.signals import stop_signals

V, T, B = 5, 4, 3
#: 6 windows of T x B an epoch.
TEXT = np.random.default_rng(0).integers(0, V, 6 * T * B + 5).astype(np.uint8)
HELD_OUT = np.random.default_rng(1).integers(0, V, 60).astype(np.uint8)
WINDOWS = 6
BASELINE = Baseline({"1": 1.6, "2": 1.5})


class Table(keras.Model):
    """The least network: the next symbol depends on this one alone; its state counts the steps since the beginning."""

    def __init__(self) -> None:
        super().__init__()
        self.table = self.add_weight(shape=(V, V), initializer="zeros", name="table")
        self.built = True

    def layer_rows(self) -> list[Row]:
        return [("table", "Table", f"[T, B, {V}]", self.count_params())]

    def initial_state(self, batch_size: int) -> Any:
        return ops.zeros((batch_size,))

    def call(self, ids: Any, state: Any, training: bool = False) -> tuple[Any, Any]:
        return ops.take(self.table, ids, axis=0), state + ids.shape[0]


class Small(keras.Model):
    """All that makes resuming hard, and quick to compile: a recurrent state, and dropout with a random state."""

    def __init__(self) -> None:
        super().__init__()
        keras.utils.set_random_seed(7)
        self.seeds = keras.random.SeedGenerator(3)
        self.symbols, self.recurrent, self.out = (
            self.add_weight(shape=shape, initializer="glorot_uniform", name=name)
            for name, shape in (("symbols", (V, 4)), ("recurrent", (4, 4)), ("out", (4, V)))
        )
        self.built = True

    def layer_rows(self) -> list[Row]:
        return [("small", "Small", f"[T, B, {V}]", self.count_params())]

    def initial_state(self, batch_size: int) -> Any:
        return [(ops.zeros((batch_size, 4)),)]

    def call(self, ids: Any, state: Any, training: bool = False) -> tuple[Any, Any]:
        ((h,),) = state
        outputs = []
        for x in ops.unstack(ops.take(self.symbols, ids, axis=0)):
            h = ops.tanh(x + ops.matmul(h, self.recurrent))
            outputs.append(h)
        y = ops.stack(outputs)
        if training:
            y = keras.random.dropout(y, 0.4, seed=self.seeds)
        return ops.matmul(y, self.out), [(h,)]


class Silent:
    """A preview that shows nothing and lets a test look in, or interfere, at its step."""

    def __init__(self, look: Callable[[int], None] = lambda step: None):
        self.look = look

    def show(self, step: int, folder: Path, board: TensorBoardWriter) -> str:
        self.look(step)
        return f"shown at {step}"


def kill(number: int, at: int) -> Silent:
    """A preview during which somebody stops the training."""
    return Silent(lambda step: os.kill(os.getpid(), number) if step == at else None)


def make(path: Path, build: Callable[[], Any] = Table, preview: Silent | None = None, **given: Any) -> Session:
    """The session of a new experiment at `path`, or, resumed, of the one that is there."""
    lesson = path.parent / "some_rnn"
    there = (path / "run.json").exists()
    found = experiment.find(lesson, str(path)) if there else experiment.create(lesson, str(path), **entries())
    taught = NextSymbolLearner(
        build(), build(), cross_entropy, learning_rate=given.pop("learning_rate", 0.05), batch_size=B,
        held_out=EvalBatches(HELD_OUT, TEXT, 4, 10, 20),
    )  # fmt: skip
    settings = Settings(**{"num_epochs": 2, "save_every": 1000, "sample_every": 1, **given})
    streams = StatefulBatches(TEXT, B, T, seed=1)
    return Session(
        found, taught, streams, settings, unit="notes", preview=preview or Silent(), baseline=BASELINE, resume=there
    )


def fit(session: Session) -> int:
    """The loop of every lesson; returns the exit status."""
    taught: Any = session.learner
    with session:
        for inputs, targets in session:
            session.count(taught.step(inputs, targets))
    return session.status


def measuring(monkeypatch: pytest.MonkeyPatch, session: Session, measure: Callable[[], float]) -> None:
    """Let `measure` stand in for the measurement of the held-out data."""
    monkeypatch.setattr(session.learner, "evaluate", lambda asked=(): Measurement(measure()))


def content(made: Path | Experiment) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Everything of the latest checkpoint, but for how long it took."""
    path = made if isinstance(made, Path) else made.path
    arrays, meta = checkpoint.load(path / "checkpoints" / "latest.npz")
    assert meta.pop("minutes") >= 0
    return {name: array.tobytes() for name, array in arrays.items()}, meta


def record(path: Path) -> dict[str, Any]:
    return json.loads((path / "run.json").read_text("utf-8"))


@pytest.fixture(scope="module", autouse=True)
def _without_xla() -> Iterator[None]:
    """Compiling takes most of the time of these tests; test_resume.py and the slow ones do it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learner.tf.config, "list_logical_devices", lambda kind: ["a GPU, where XLA is not used"])
        yield


@pytest.fixture
def every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure at the end of each epoch, however short it is."""
    monkeypatch.setattr(sessions, "MIN_STEPS_BETWEEN_MEASUREMENTS", 1)


# ---- exact resume


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four epochs without a stop, of a network with dropout."""
    path = tmp_path_factory.mktemp("straight") / "experiment"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sessions, "MIN_STEPS_BETWEEN_MEASUREMENTS", 1)
        assert fit(make(path, Small, num_epochs=4)) == 0
    return path


@pytest.mark.usefixtures("every_epoch")
def test_two_epochs_and_two_more_are_four(straight: Path, tmp_path: Path) -> None:
    path = tmp_path / "experiment"
    assert fit(make(path, Small, num_epochs=2)) == 0
    assert content(path)[1]["step"] == 2 * WINDOWS
    assert fit(make(path, Small, num_epochs=4)) == 0
    (arrays, meta), (expected, expected_meta) = content(path), content(straight)
    assert arrays == expected
    assert meta == expected_meta
    assert [point["step"] for point in meta["history"]] == [6, 12, 18, 24]
    assert all({"train", "validation"} <= point.keys() for point in meta["history"])
    assert (path / "checkpoints" / "best.npz").read_bytes() == (straight / "checkpoints" / "best.npz").read_bytes()
    for key in ("history", "best", "step", "epoch", "status"):
        assert record(path)[key] == record(straight)[key]


@pytest.mark.usefixtures("every_epoch")
@pytest.mark.parametrize(("number", "at"), [(signal.SIGINT, 8), (signal.SIGTERM, 12)])
def test_stopped_anywhere_and_resumed_it_is_the_same_run(
    straight: Path, tmp_path: Path, number: signal.Signals, at: int
) -> None:
    path = tmp_path / "experiment"
    assert fit(make(path, Small, kill(number, at), num_epochs=4)) == 128 + number
    assert (content(path)[1]["step"], record(path)["status"]) == (at, "stopped")
    assert fit(make(path, Small, num_epochs=4)) == 0
    assert content(path) == content(straight)
    assert record(path)["history"] == record(straight)["history"]


@pytest.mark.usefixtures("every_epoch")
def test_the_comparison_of_runs_can_fail(straight: Path, tmp_path: Path) -> None:
    """Of a run that goes on without its random state, dropout makes another."""
    path = tmp_path / "experiment"
    assert fit(make(path, Small, kill(signal.SIGINT, 8), num_epochs=4)) == 130
    resumed = make(path, Small, num_epochs=4)
    state = resumed.learner.model.seeds.state
    state.assign(ops.convert_to_tensor(state) + 1)
    fit(resumed)
    assert content(path)[0] != content(straight)[0]


@pytest.mark.usefixtures("every_epoch")
@pytest.mark.slow
@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_the_networks_of_lesson_1_resume_exactly_too(
    tmp_path: Path, cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its LSTM does in test_resume.py, in processes of their own."""
    monkeypatch.setattr(learner.tf.config, "list_logical_devices", lambda kind: [])

    def build() -> SequenceModel:
        keras.utils.set_random_seed(7)
        return recurrent(V, 6, 2, cell, 0.4, 3)

    assert fit(make(tmp_path / "straight", build, num_epochs=2)) == 0
    assert fit(make(tmp_path / "parts", build, kill(signal.SIGINT, 3), num_epochs=2)) == 130
    assert fit(make(tmp_path / "parts", build, num_epochs=2)) == 0
    assert content(tmp_path / "parts") == content(tmp_path / "straight")


@pytest.mark.parametrize("at", [12, 29])
def test_a_resumed_run_is_measured_where_a_straight_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """With epochs that are too short to measure each of them."""
    monkeypatch.setattr(sessions, "MIN_STEPS_BETWEEN_MEASUREMENTS", 10)
    for name, stops in (("straight", []), ("parts", [at])):
        for stop in [*stops, 0]:
            fit(make(tmp_path / name, preview=kill(signal.SIGINT, stop), num_epochs=6, save_every=7))
    steps = [point["step"] for point in record(tmp_path / "straight")["history"]]
    assert steps == [7, 12, 14, 21, 24, 28, 30, 35, 36]
    assert record(tmp_path / "parts")["history"] == record(tmp_path / "straight")["history"]
    assert content(tmp_path / "parts") == content(tmp_path / "straight")


def test_the_measurement_at_the_end_of_a_part_leaves_no_trace_in_what_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MIN_STEPS_BETWEEN_MEASUREMENTS", 100)
    assert fit(make(tmp_path / "straight", num_epochs=4, save_every=7)) == 0
    assert fit(make(tmp_path / "parts", num_epochs=3, save_every=7)) == 0
    assert record(tmp_path / "parts")["history"][-1]["step"] == 18
    assert fit(make(tmp_path / "parts", num_epochs=4, save_every=7)) == 0
    assert record(tmp_path / "parts")["history"] == record(tmp_path / "straight")["history"]
    assert content(tmp_path / "parts") == content(tmp_path / "straight")


def test_a_run_killed_before_its_first_step_can_be_resumed(tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def window(epoch: int, number: int) -> Any:
        raise Killed

    trainer = make(tmp_path / "a")
    trainer.batches = type("Windows", (), {"batch_size": B, "windows": WINDOWS, "window": staticmethod(window)})()
    with pytest.raises(Killed):
        fit(trainer)
    assert fit(make(tmp_path / "a")) == 0
    assert fit(make(tmp_path / "b")) == 0
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_the_learning_rate_may_be_another_when_resumed(tmp_path: Path) -> None:
    fit(make(tmp_path / "a", num_epochs=1))
    resumed = make(tmp_path / "a", num_epochs=2, learning_rate=1e-9)
    before = np.asarray(resumed.learner.model.table).copy()
    fit(resumed)
    np.testing.assert_allclose(np.asarray(resumed.learner.model.table), before, atol=1e-6)


def test_a_checkpoint_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    trained = make(tmp_path / "a", num_epochs=1)
    fit(trained)
    latest = trained.experiment.latest
    arrays, meta = checkpoint.load(latest)
    lacking_state = {name: array for name, array in arrays.items() if not name.startswith("state/")}
    for changed_arrays, changed_meta in (
        (lacking_state, meta),
        (arrays | {"model/0": np.zeros((V, V + 1))}, meta),
        (arrays | {"state/0": np.zeros((1, 1), np.float32)}, meta),
        (arrays | {"state/0": arrays["state/0"].astype(np.float64)}, meta),
        (arrays, meta | {"bar": 1}),
        (arrays, meta | {"window": 10**6}),
        (arrays, meta | {"history": None}),
    ):
        checkpoint.save(latest, changed_arrays, changed_meta)
        with pytest.raises(UserError, match=r"latest\.npz is damaged"):
            make(tmp_path / "a")
    latest.unlink()
    with pytest.raises(UserError, match="there is no checkpoint"):
        make(tmp_path / "a")


def test_an_experiment_that_is_done_says_so(tmp_path: Path) -> None:
    fit(make(tmp_path / "a", num_epochs=1))
    before = (tmp_path / "a" / "run.json").read_bytes()
    with pytest.raises(UserError, match="all of its 1 epochs: to go on, give a higher --num_epochs"):
        fit(make(tmp_path / "a", num_epochs=1))
    assert (tmp_path / "a" / "run.json").read_bytes() == before


def test_a_session_goes_on_in_another_one_with_the_same_learner(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = make(tmp_path / "a", Small, num_epochs=None, max_steps=3)
    assert fit(first) == 0
    second = first.again(max_steps=7)
    assert second.learner is first.learner
    assert fit(second) == 0
    assert fit(make(tmp_path / "b", Small, num_epochs=None, max_steps=7)) == 0
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert capsys.readouterr().err.count("compiling the network") == 2  # of the three


def test_weights_are_kept_when_that_is_asked_for(tmp_path: Path) -> None:
    session = make(tmp_path / "a", max_steps=3)
    fit(session)
    session.keep()
    assert session.experiment.kept_steps == [3]
    arrays, meta = checkpoint.load(session.experiment.kept(3))
    assert meta == {"step": 3}
    assert arrays.keys() == session.learner.averaged().keys()


# ---- what a step does


def test_a_run_that_is_further_than_a_smoke_run_says_so(tmp_path: Path) -> None:
    fit(make(tmp_path / "a", num_epochs=1))
    again = make(tmp_path / "a", num_epochs=9, max_steps=3)
    with pytest.raises(UserError, match="has gone further than --smoke goes: leave it out to go on"):
        fit(again)


def test_the_state_is_carried_through_an_epoch_and_begins_again_with_the_next(tmp_path: Path) -> None:
    for steps, counted in ((WINDOWS, 0), (WINDOWS + 2, 2 * T)):
        trainer = make(tmp_path / str(steps), max_steps=steps)
        fit(trainer)
        assert np.asarray(trainer.learner.state).tolist() == [counted] * B


def test_a_step_is_adams_on_the_mean_loss_and_the_average_follows(tmp_path: Path) -> None:
    trainer = make(tmp_path / "a", max_steps=2, learning_rate=0.1)
    fit(trainer)
    # By hand: the gradient of the mean cross-entropy, Adam as in its paper, the average as the code says it.
    table = average = np.zeros((V, V))
    m = v = np.zeros((V, V))
    for step in (1, 2):
        inputs, targets = StatefulBatches(TEXT, B, T, seed=1).window(0, step - 1)
        gradient = np.zeros((V, V))
        for x, y in zip(inputs.ravel(), targets.ravel(), strict=True):
            p = np.exp(table[x]) / np.exp(table[x]).sum()
            gradient[x] += (p - np.eye(V)[y]) / inputs.size
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        table = table - 0.1 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-7)
        keep = step / (10 + step)
        average = keep * average + (1 - keep) * table
    np.testing.assert_allclose(np.asarray(trainer.learner.model.table), table, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(np.asarray(trainer.learner.average.table), average, rtol=1e-3, atol=1e-4)


class Biased(Table):
    """A table, and a bias that is the same for all rows."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = self.add_weight(shape=(V,), initializer="ones", name="bias")

    def call(self, inputs: Any, state: Any, training: bool = False) -> tuple[Any, Any]:
        ids, scales = inputs
        logits = ops.take(self.table, ids, axis=0) + self.bias
        return logits * scales[:, None], state + ids.shape[0]


def teach(model: Any, average: Any, l2: float = 0.0) -> NextSymbolLearner:
    """A learner that is not measured."""
    return NextSymbolLearner(model, average, cross_entropy, learning_rate=0.01, batch_size=B, held_out=[], l2=l2)


def stepped(l2: float) -> tuple[np.ndarray, np.ndarray]:
    """Table and bias after many steps on a window that says nothing (scales of 0), but for l2."""
    model, average = Biased(), Biased()
    model.table.assign(np.eye(V))
    taught = teach(model, average, l2)
    ids, targets = TEXT[: T * B].reshape(T, B).astype(np.int32), TEXT[1 : T * B + 1].reshape(T, B).astype(np.int32)
    inputs = (tf.constant(ids), tf.zeros(B))
    for _ in range(20):
        taught.step(inputs, targets)
    return np.asarray(model.table), np.asarray(model.bias)


def test_l2_draws_kernels_to_nothing_and_leaves_biases() -> None:
    table, bias = stepped(0.0)
    assert (table == np.eye(V)).all()
    assert (bias == 1).all()
    table, bias = stepped(0.1)
    assert (table.diagonal() < 0.9).all()
    assert (table[~np.eye(V, dtype=bool)] == 0).all()
    assert (bias == 1).all()


def test_each_sequence_keeps_its_own_of_several_inputs() -> None:
    """What belongs to a sequence goes with it into the half of the batch where it is trained on."""
    model, average = Biased(), Biased()
    model.table.assign(np.eye(V) * 3)
    ids = np.tile(np.arange(B, dtype=np.int32), (T, 1))
    scales = np.arange(B, dtype=np.float32)
    loss = teach(model, average).step((ids, scales), ids)
    logits = (np.eye(V)[:B] * 3 + 1) * scales[:, None]
    expected = np.mean([np.log(np.exp(row).sum()) - row[k] for k, row in enumerate(logits)])
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_a_long_gradient_is_shortened(tmp_path: Path) -> None:
    trainer = make(tmp_path / "a")
    assert trainer.learner.optimizer.global_clipnorm == learner.CLIP_NORM == 5


# ---- measurements


def test_a_measurement_is_the_loss_over_the_whole_held_out_text_in_one_stream(tmp_path: Path) -> None:
    trainer = make(tmp_path / "a", Small, max_steps=12)
    fit(trainer)
    # The text before it is read as well, so that the first held-out symbols are not predicted from nothing.
    everything = np.concatenate([TEXT, HELD_OUT]).astype(np.int32)
    logits, _ = trainer.learner.average(everything[:-1, None], trainer.learner.average.initial_state(1))
    logits = np.asarray(logits)[:, 0].astype(np.float64)
    losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(logits)), everything[1:]]
    plain = losses[len(TEXT) - 1 :].mean()
    assert trainer.learner.evaluate().loss == pytest.approx(plain, abs=2e-3)
    # In one part, with all that comes before it, the two are the same.
    trainer.learner.held_out = EvalBatches(HELD_OUT, TEXT, 1, 10, len(TEXT) - 1)
    assert trainer.learner.evaluate().loss == pytest.approx(plain, abs=1e-5)
    assert trainer.learner.evaluate().loss == trainer.learner.evaluate().loss


@pytest.mark.usefixtures("every_epoch")
def test_the_best_weights_are_those_of_the_lowest_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make(tmp_path / "a", max_steps=5, save_every=1)
    losses, weights = iter([3.0, 2.0, 2.5, 1.75, 1.9]), []

    def measure() -> float:
        weights.append(np.asarray(trainer.learner.average.table).copy())
        return next(losses)

    measuring(monkeypatch, trainer, measure)
    fit(trainer)
    arrays, meta = checkpoint.load(trainer.experiment.best)
    assert meta == {"step": 4, "validation": 1.75}
    assert arrays.keys() == {"average/0"}
    assert (arrays["average/0"] == weights[3]).all()
    assert (weights[3] != weights[4]).any()
    assert record(tmp_path / "a")["best"] == {"validation": 1.75, "step": 4}
    assert [point["validation"] for point in record(tmp_path / "a")["history"]] == [3.0, 2.0, 2.5, 1.75, 1.9]


def test_a_network_learns_what_can_be_learnt(tmp_path: Path) -> None:
    trainer = make(tmp_path / "a", num_epochs=40, sample_every=1000)
    scale = np.tile(np.arange(V, dtype=np.uint8), 40)
    trainer.batches, trainer.learner.held_out = StatefulBatches(scale, B, T), EvalBatches(scale[:50], scale, 2, 10, 5)
    before = trainer.learner.evaluate().loss
    fit(trainer)
    assert before == pytest.approx(np.log(V), abs=1e-3)
    assert trainer.learner.evaluate().loss < 0.1


def test_tensorboard_has_training_validation_and_baseline(tmp_path: Path) -> None:
    fit(make(tmp_path / "a", max_steps=5, save_every=3))
    history = record(tmp_path / "a")["history"]
    found = {}
    best = f"baseline/order_{BASELINE.order}"
    for curve in ("train", "validation", best):
        events = EventAccumulator(str(tmp_path / "a" / "tensorboard" / curve))
        events.Reload()
        found[curve] = [
            (event.step, float(tf.make_ndarray(event.tensor_proto))) for event in events.Tensors("loss/nats")
        ]
    assert found["validation"] == [(point["step"], pytest.approx(point["validation"])) for point in history]
    assert [step for step, _ in found["validation"]] == [3, 5]
    # The table knows nothing before its first step.
    assert found["train"][0] == (1, pytest.approx(np.log(V)))
    assert [value for _, value in found[best]] == pytest.approx([BASELINE.best] * len(found[best]))
    assert {step for step, _ in found[best]} >= {0, 3, 5}
    # Of the n-grams the best one alone is drawn.
    assert {path.name for path in (tmp_path / "a" / "tensorboard" / "baseline").iterdir()} == {Path(best).name}


def test_tensorboard_has_accuracy_pace_and_learning_rate(tmp_path: Path) -> None:
    trainer = make(tmp_path / "a", num_epochs=4, save_every=10, sample_every=1000)
    trainer.baseline = Baseline({"1": 1.5}, {"repeating the last": 0.125})
    fit(trainer)
    inputs, targets, counted = (np.concatenate(parts, axis=1) for parts in zip(*trainer.learner.held_out, strict=True))
    logits, _ = trainer.learner.average(inputs, trainer.learner.average.initial_state(inputs.shape[1]), training=False)
    right = (np.asarray(logits).argmax(axis=-1) == targets) * counted

    def points(curve: str, name: str) -> dict[int, float]:
        events = EventAccumulator(str(tmp_path / "a" / "tensorboard" / curve)).Reload()
        return {event.step: float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors(f"more/{name}")}

    end = trainer.position.step
    accuracy = points("validation", "accuracy")
    assert accuracy[end] == pytest.approx(right.sum() / counted.sum())
    assert 1 / V < accuracy[end] < 1
    assert points("baseline/order_1", "accuracy of repeating the last") == dict.fromkeys([0, *accuracy], 0.125)
    assert points("train", "learning rate")[end] == pytest.approx(0.05)
    pace = points("train", "notes a second")
    assert list(pace) == list(range(10, end + 1, 10))
    assert all(value > 0 for value in pace.values())


# ---- endings


@pytest.mark.parametrize(
    ("settings", "step"), [({"num_epochs": 2}, 12), ({"max_steps": 7}, 7), ({"max_steps": 99}, 12)]
)
def test_it_ends_where_it_should_and_measures_there(tmp_path: Path, settings: dict[str, Any], step: int) -> None:
    assert fit(make(tmp_path / "a", **settings)) == 0
    run = record(tmp_path / "a")
    assert (run["step"], run["status"], run["history"][-1]["step"]) == (step, "finished", step)
    assert content(tmp_path / "a")[1]["step"] == step


def test_time_ends_it_and_it_can_go_on(tmp_path: Path) -> None:
    assert fit(make(tmp_path / "a", max_minutes=1e-9)) == 0
    run = record(tmp_path / "a")
    assert (run["step"], run["status"]) == (1, "finished")
    assert [point["step"] for point in run["history"]] == [1]
    assert fit(make(tmp_path / "a", max_minutes=60)) == 0
    assert record(tmp_path / "a")["step"] == 2 * WINDOWS


def test_patience_ends_it_after_so_many_measurements_without_a_new_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = make(tmp_path / "a", num_epochs=2, save_every=1, patience=3)
    losses = iter([3.0, 3.1, 3.2, 2.9, 2.9, 3.0, 2.95, 1.0])
    measuring(monkeypatch, trainer, lambda: next(losses))
    assert fit(trainer) == 0
    run = record(tmp_path / "a")
    assert (run["step"], run["status"]) == (7, "finished: no new best for a while")
    assert run["best"] == {"validation": 2.9, "step": 4}


@pytest.mark.parametrize(
    ("settings", "end"),
    [
        ({"num_epochs": 2}, "ended: all 2 epochs are done"),
        ({"max_steps": 7}, "ended: step 7 is done"),
        ({"max_minutes": 1e-4}, "ended: the limit of 0.0001 minutes is reached (--max_minutes)"),
        (
            {"num_epochs": 9, "patience": 1, "save_every": 1, "learning_rate": 1e-30},
            "ended: the held-out loss has not improved for 1 measurement (best at step 1)",
        ),
    ],
)
def test_the_last_line_says_what_ended_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: dict[str, Any], end: str
) -> None:
    assert fit(make(tmp_path / "a", **settings)) == 0
    assert capsys.readouterr().err.splitlines()[-1] == end


@pytest.mark.parametrize(("number", "by"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_the_last_line_says_who_stopped_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], number: signal.Signals, by: str
) -> None:
    assert fit(make(tmp_path / "a", preview=kill(number, 3))) == 128 + number
    assert capsys.readouterr().err.splitlines()[-1] == f"ended: stopped by {by}; everything is saved"


#: A training without --num_epochs, measured at each step.
WITHOUT_EPOCHS: dict[str, Any] = dict(num_epochs=None, save_every=1, sample_every=10**6)


def losses_by_step(trainer: Session, best_step: int) -> Callable[[], float]:
    """Stands in for the measurement: falls up to a step, and rises after it."""
    return lambda *_: 1.0 + abs(trainer.position.step - best_step)


def test_a_training_without_epochs_ends_some_time_after_its_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stopping, "MIN_STEPS", 15)
    trainer = make(tmp_path / "a", **WITHOUT_EPOCHS)
    measuring(monkeypatch, trainer, losses_by_step(trainer, 8))
    assert fit(trainer) == 0
    run = record(tmp_path / "a")
    assert (run["step"], run["status"]) == (18, "finished: no new best for a while")
    assert run["best"] == {"validation": 1.0, "step": 8}
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first == "training: until the held-out loss stops improving, at most 20 minutes (--max_minutes changes it)"
    assert last == "ended: the held-out loss has not improved for 10 measurements (best at step 8)"


@pytest.mark.parametrize("stop", [5, 12, 17, 18])
def test_early_stopping_knows_what_came_before_an_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    monkeypatch.setattr(stopping, "MIN_STEPS", 15)
    for name, preview in (("straight", Silent()), ("parts", kill(signal.SIGINT, stop))):
        trainer = make(tmp_path / name, Small, preview, **{**WITHOUT_EPOCHS, "sample_every": 1})
        measuring(monkeypatch, trainer, losses_by_step(trainer, 8))
        assert fit(trainer) == (0 if name == "straight" else 130)
    assert record(tmp_path / "parts")["step"] == stop
    again = make(tmp_path / "parts", Small, **WITHOUT_EPOCHS)
    measuring(monkeypatch, again, losses_by_step(again, 8))
    if stop < 18:
        assert fit(again) == 0
    else:
        with pytest.raises(UserError, match=r"has stopped improving: .* give --num_epochs above 3 or --patience above"):
            fit(again)
    assert content(tmp_path / "parts") == content(tmp_path / "straight")


def test_without_epochs_it_is_measured_more_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MIN_STEPS_BETWEEN_MEASUREMENTS", 24)
    monkeypatch.setattr(stopping, "MEASURE_EVERY", 12)
    for name, settings, steps in (
        ("epochs", {"num_epochs": 9}, [24, 48, 54]),
        ("patience", {"num_epochs": None, "patience": 2}, [24, 48, 72]),
        ("plain", {"num_epochs": None}, [12 * k for k in range(1, 12)]),
    ):
        monkeypatch.setattr(stopping, "MIN_STEPS", 15)
        trainer = make(tmp_path / name, sample_every=10**6, **settings)
        measuring(monkeypatch, trainer, losses_by_step(trainer, 0))
        fit(trainer)
        assert [point["step"] for point in record(tmp_path / name)["history"]] == steps, name


def test_a_training_that_stopped_early_goes_on_with_epochs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "MIN_STEPS", 15)
    trainer = make(tmp_path / "a", **WITHOUT_EPOCHS)
    measuring(monkeypatch, trainer, losses_by_step(trainer, 8))
    fit(trainer)
    assert fit(make(tmp_path / "a", **{**WITHOUT_EPOCHS, "num_epochs": 5})) == 0
    assert record(tmp_path / "a")["step"] == 5 * WINDOWS
    fit(make(tmp_path / "b", num_epochs=5, save_every=1))
    assert content(tmp_path / "a")[0] == content(tmp_path / "b")[0]


@pytest.mark.parametrize("broken", ["model", "average"])
def test_a_loss_that_is_no_number_stops_it_and_keeps_what_was_saved(
    tmp_path: Path, broken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def spoil(step: int) -> None:
        if step == 5:
            getattr(trainer.learner, broken).table.assign(np.full((V, V), np.nan))

    trainer = make(tmp_path / "a", save_every=4, preview=Silent(spoil), learning_rate=0.05)
    with pytest.raises(UserError) as failure:
        fit(trainer)
    sentence = str(failure.value)
    assert "not a number" in sentence
    assert "lower --learning_rate than 0.05" in sentence
    assert "intact" in sentence
    assert record(tmp_path / "a")["status"].startswith("failed")
    arrays, meta = checkpoint.load(trainer.experiment.latest)
    assert meta["step"] == 4
    assert all(np.isfinite(array).all() for array in arrays.values())
    resumed = make(tmp_path / "a", learning_rate=0.01)
    assert fit(resumed) == 0
    assert record(tmp_path / "a")["status"] == "finished"


def test_a_full_disk_stops_it_and_keeps_what_was_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make(tmp_path / "a", save_every=4)
    true_save = checkpoint.save

    def save(path: Path, arrays: Any, meta: dict[str, Any]) -> None:
        with monkeypatch.context() as patch:
            if path.name == "latest.npz" and meta["step"] == 8:
                patch.setattr(os, "fsync", fail)
            true_save(path, arrays, meta)

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save", save)
    with pytest.raises(UserError, match=r"latest\.npz could not be saved: no space left .*--resume"):
        fit(trainer)
    monkeypatch.undo()
    assert content(tmp_path / "a")[1]["step"] in (4, 6)
    assert fit(make(tmp_path / "a")) == 0
    fit(make(tmp_path / "b"))
    assert content(tmp_path / "a")[0] == content(tmp_path / "b")[0]


def test_previews_come_when_asked_for_and_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps: list[int] = []
    fit(make(tmp_path / "a", preview=Silent(steps.append), sample_every=5))
    assert steps == [5, 10, 12]
    assert "shown at 10\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "shown"),
    [({"sample_every": 6}, [6, 12]), ({"sample_every": 1000}, [12]), ({"max_minutes": 1e-9, "sample_every": 5}, [1])],
)
def test_a_run_does_not_end_without_a_preview(tmp_path: Path, settings: dict[str, Any], shown: list[int]) -> None:
    steps: list[int] = []
    fit(make(tmp_path / "a", preview=Silent(steps.append), **settings))
    assert steps == shown


def test_a_preview_that_a_kill_prevented_is_shown_when_it_goes_on(tmp_path: Path) -> None:
    class Killed(BaseException):
        """Nothing of the program runs any more."""

    def die(step: int) -> None:
        if step == 4:
            raise Killed

    often = dict(save_every=4, sample_every=4)
    with pytest.raises(Killed):
        fit(make(tmp_path / "a", preview=Silent(die), **often))
    steps: list[int] = []
    trainer = make(tmp_path / "a", preview=Silent(steps.append), **often)
    assert trainer.position.step == 4
    fit(trainer)
    assert steps == [4, 8, 12]
    fit(make(tmp_path / "a", preview=Silent(steps.append), num_epochs=3, **often))
    assert steps == [4, 8, 12, 16, 18], "none is shown twice"


def test_who_stops_a_run_does_not_wait_for_a_preview(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    trainer = make(tmp_path / "a", preview=Silent(steps.append), sample_every=1000, save_every=4)

    def stopped_while_it_measures() -> float:
        os.kill(os.getpid(), signal.SIGINT)
        return 1.0

    measuring(monkeypatch, trainer, stopped_while_it_measures)
    assert fit(trainer) == 130
    assert record(tmp_path / "a")["step"] == 4
    assert steps == []


@pytest.mark.parametrize("place", ["first save", "first step", "last save", "last measurement", "last preview"])
def test_ctrl_c_before_and_after_the_steps_ends_like_any_other(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = make(tmp_path / "a", Small, max_steps=3, sample_every=1000)

    def interrupting(owner: Any, name: str, number: int) -> None:
        """Ctrl-C comes as the call of that number begins."""
        calls, plain = iter(range(1, 100)), getattr(owner, name)

        def call(*args: Any) -> Any:
            if next(calls) == number:
                signal.raise_signal(signal.SIGINT)
            return plain(*args)

        monkeypatch.setattr(owner, name, call)

    owner, name, number = {
        "first save": (trainer, "save", 1), "first step": (trainer.learner, "gradients", 1),
        "last save": (trainer, "save", 2), "last measurement": (trainer.learner, "_held_out_loss", 1),
        "last preview": (trainer.preview, "show", 1),
    }[place]  # fmt: skip
    interrupting(owner, name, number)
    assert fit(trainer) == 128 + signal.SIGINT
    run, (_, saved) = record(tmp_path / "a"), content(tmp_path / "a")
    assert run["status"] == "stopped"
    assert run["step"] == saved["step"] == {"first save": 0, "first step": 1}.get(place, 3)
    assert bool(run["history"]) == (place == "last preview")


def test_the_preview_at_the_end_comes_after_all_is_saved_and_leaves_no_trace_in_what_goes_on(tmp_path: Path) -> None:
    def look(step: int) -> None:
        assert record(tmp_path / "parts")["status"] == "finished"
        keras.random.uniform((3,))  # whatever it draws

    fit(make(tmp_path / "parts", Small, Silent(look), num_epochs=1, sample_every=1000))
    fit(make(tmp_path / "parts", Small, num_epochs=2, sample_every=1000))
    fit(make(tmp_path / "straight", Small, num_epochs=2, sample_every=1000))
    assert content(tmp_path / "parts") == content(tmp_path / "straight")


def test_it_says_how_it_goes_against_the_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit(make(tmp_path / "a", max_steps=1))
    err = capsys.readouterr().err
    assert err.startswith("compiling the network")
    assert "\nstep 1/1  epoch 0.17  loss 1.609 nats = 2.322 bits\n" in err
    assert "the best n-gram (1.500, order 2) is not beaten yet" in err


# ---- signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_noted_and_the_handlers_come_back(number: signal.Signals) -> None:
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    with stop_signals() as asked:
        assert asked == []
        os.kill(os.getpid(), number)
        assert asked == [number]
        assert {n: signal.getsignal(n) for n in before} == before
    assert {n: signal.getsignal(n) for n in before} == before
    with pytest.raises(ZeroDivisionError), stop_signals():
        raise ZeroDivisionError
    assert {n: signal.getsignal(n) for n in before} == before


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_process_at_once(second: signal.Signals) -> None:
    code = (
        "import os, signal, sys, time\nfrom workshop.run.signals import stop_signals\n"
        f"with stop_signals() as asked:\n    os.kill(os.getpid(), signal.SIGINT)\n    assert asked == [2]\n"
        f"    os.kill(os.getpid(), {int(second)})\n    time.sleep(30)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=25, check=False)
    # Ctrl-C is Python's own again, which unwinds; SIGTERM is the system's.
    assert result.returncode == -second
    assert ("KeyboardInterrupt" in result.stderr) == (second == signal.SIGINT)


# ---- the rest


def test_the_settings_are_those_of_the_command_line() -> None:
    given = dict(num_epochs=2, save_every=3, sample_every=4, max_minutes=5.0, patience=6, rnn_size=7, keep_every=9)
    assert Settings.of(Namespace(**given, smoke=True), 8) == Settings(2, 3, 4, 5.0, 6, 8, 9)
    assert Settings.of(Namespace(**given, smoke=False), 8).max_steps is None


def test_the_farewell_says_commands_that_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lesson = tmp_path / "some_rnn"
    made = experiment.create(lesson, "my songs/it's one", **entries())
    assert "not measured yet" in farewell(made, BASELINE, lesson)
    made.update(best=Best(1.25, 3))
    text = farewell(made, BASELINE, lesson)
    assert "best on held-out data: 1.250 nats; the best n-gram (1.500, order 2) is beaten" in text
    resume, sample = (shlex.split(line.partition(":")[2]) for line in text.splitlines()[-2:])
    assert resume == ["python", "some_rnn/train.py", "--resume", "--experiment_dir", "my songs/it's one"]
    assert sample == ["python", "some_rnn/sample.py", "--experiment_dir", "my songs/it's one"]


@pytest.mark.parametrize(
    ("planned", "info", "further"),
    [
        (50, {"epoch": 50, "status": "finished"}, " --num_epochs 100"),
        (50, {"epoch": 31, "status": "finished"}, ""),  # the time limit
        (50, {"epoch": 31, "status": "finished: no new best for a while"}, ""),
        (None, {"epoch": 31, "status": "finished: no new best for a while"}, " --num_epochs 62"),
        (None, {"epoch": 0, "status": "finished: no new best for a while"}, " --num_epochs 2"),
        (None, {"epoch": 31, "status": "finished"}, ""),
        (None, {"epoch": 31, "status": "stopped"}, ""),
    ],
)
def test_what_the_farewell_says_goes_on(
    tmp_path: Path, planned: int | None, info: dict[str, Any], further: str
) -> None:
    made = experiment.create(tmp_path / "some_rnn", str(tmp_path / "a"), **entries(arguments={"num_epochs": planned}))
    made.update(**info)
    (line,) = [line for line in farewell(made, BASELINE, tmp_path).splitlines() if "to go on:" in line]
    assert line.endswith(f"--experiment_dir {tmp_path / 'a'}{further}")
