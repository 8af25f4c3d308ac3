"""The training loop of all lessons: compiled steps, exact resume, averaged weights, measurements, previews, and a good
ending.

What it trains is any model with `initial_state(B)` and `call(x, state, training) -> (logits [T, B, V], state)`, on any
data with windows; x is one array or a tuple of them, B being the last dimension of each. Two copies of the network are
held: the one that learns, and one that holds the running average of its weights (Polyak and Juditsky 1992), which is
measured, previewed and sampled from. The average makes a schedule of learning rates unnecessary, so that going on with
a run later, for longer than was planned, is the same as having planned it.
"""

import argparse
import math
import os
import shlex
import signal
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from workshop.commands import command
from workshop.errors import UserError
from workshop.files import short_path
from workshop.run import checkpoint, log, stopping, trainings
from workshop.run.baseline import Baseline
from workshop.run.board import BIT, Board
from workshop.run.experiment import Experiment
from workshop.run.position import Position
from workshop.run.progress import Pace, Progress
from workshop.run.stopping import Ending, Limits
from workshop.visible import visible_line

#: The average of the weights follows them within about this many steps, and faster in the beginning.
AVERAGE_STEPS = 500
#: With little data an epoch takes seconds: not every one is measured. A training that has to find its own end is
#: measured more often (`stopping.MEASURE_EVERY`).
LEAST_BETWEEN_MEASUREMENTS = 100
#: The signal of a terminal that is closed; None where there is no such signal.
HANG_UP: signal.Signals | None = getattr(signal, "SIGHUP", None)
#: Gradients longer than this are shortened to it.
CLIP_NORM = 5.0
#: What run.json says of a training that has ended.
STATUSES: dict[Ending, str] = {
    "steps": "finished", "time": "finished", "stalled": "finished: no new best for a while", "stopped": "stopped",
}  # fmt: skip


class Windows(Protocol):
    """Training data: `Streams` or anything like it."""

    @property
    def batch_size(self) -> int:
        """Windows that are read side by side."""

    @property
    def windows(self) -> int:
        """Windows in an epoch."""

    def window(self, epoch: int, number: int) -> tuple[Any, np.ndarray]:
        """Inputs and targets of one window."""


class Preview(Protocol):
    """Lets a person see or hear what the network would make so far."""

    def show(self, step: int, folder: Path, board: Board) -> str:
        """Generate, write to `folder` and to TensorBoard, and return a few lines for the terminal."""


@dataclass(frozen=True)
class Settings:
    """How long and how fast to train, and how strongly the weights are held back (`l2`); times in minutes, the rest in
    steps or epochs. What is None for lack of an argument is in `workshop/run/stopping.py`.
    """

    learning_rate: float
    num_epochs: int | None
    save_every: int
    sample_every: int
    max_minutes: float | None = None
    patience: int | None = None
    max_steps: int | None = None
    l2: float = 0.0
    keep_every: int | None = None

    @classmethod
    def of(cls, args: argparse.Namespace, max_steps: int | None = None) -> "Settings":
        """The settings that the command line gives."""
        given = {f.name: getattr(args, f.name) for f in fields(cls) if f.name in args and f.name != "max_steps"}
        return cls(max_steps=max_steps, **given)


class Stepper:
    """The compiled part of training: a step of Adam, the average of the weights, and the loss of the averaged network.

    On a CPU the sequences of a window are trained on in two halves at the same time: the small products inside the
    loops of a recurrent layer keep only one core busy, so two loops side by side take the time of one.

    Args:
        model: the network that learns.
        average: a network of the same shape; gets the weights of `model`, and from then on their running average.
        learning_rate: Adam's step size.
        l2: the loss that is descended has this times half the sum of the squares of all kernels in it; biases are free.
    """

    def __init__(self, model: keras.Model, average: keras.Model, learning_rate: float, l2: float = 0.0):
        self._model, self._average, self._l2 = model, average, l2
        self.optimizer = keras.optimizers.Adam(learning_rate, global_clipnorm=CLIP_NORM)
        self.optimizer.build(model.trainable_variables)
        checkpoint.copy_weights(model, average)
        # XLA compiles the loops of the recurrent layers on a CPU; cuDNN, which runs them on a GPU, cannot be compiled
        # by it.
        on_cpu = not tf.config.list_logical_devices("GPU")
        self._shards = 2 if on_cpu else 1
        self._gradients: Callable = tf.function(self._find_gradients, jit_compile=on_cpu, autograph=False)
        self._update: Callable = tf.function(self._apply_gradients, jit_compile=on_cpu, autograph=False)
        self.step: Callable = tf.function(self._step, autograph=False)
        self.held_out_loss: Callable = tf.function(self._held_out_loss, jit_compile=on_cpu, autograph=False)

    def _step(self, inputs: Any, targets: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
        """Learn from windows [T, B]: their mean loss in nats per symbol, and the state after them."""
        # Read once and handed over as tensors, so that TensorFlow sees that the shards do not wait for one another.
        weights = [tf.convert_to_tensor(weight.value) for weight in self._model.trainable_variables]
        randomness = [tf.convert_to_tensor(variable.value) for variable in self._model.non_trainable_variables]
        shards = [
            self._gradients(weights, [value + shard for value in randomness], *parts)
            for shard, parts in enumerate(self._split(inputs, targets, state))
        ]
        losses, gradients, new_states, new_randomness = zip(*shards, strict=True)
        self._update(gradients, new_randomness[0], tf.size(targets, out_type=tf.float32))
        state = keras.tree.map_structure(lambda *parts: tf.concat(parts, axis=0), *new_states)
        return tf.add_n(losses) / tf.size(targets, out_type=tf.float32), state

    def _split(self, inputs: Any, targets: tf.Tensor, state: Any) -> list[tuple[Any, tf.Tensor, Any]]:
        """Inputs, targets and state of each shard: the sequences of a batch in parts of about the same number."""
        batch_size = targets.shape[1]
        ends = [batch_size * shard // self._shards for shard in range(self._shards + 1)]
        parts = [slice(start, end) for start, end in pairwise(ends) if end > start]
        return [
            (
                keras.tree.map_structure(lambda value, part=part: value[..., part], inputs),
                targets[:, part],
                keras.tree.map_structure(lambda value, part=part: value[part], state),
            )
            for part in parts
        ]

    def _find_gradients(
        self, weights: list[tf.Tensor], randomness: list[tf.Tensor], inputs: Any, targets: tf.Tensor, state: Any
    ) -> tuple[tf.Tensor, list[tf.Tensor], Any, list[tf.Tensor]]:
        """Sum of the losses of windows [T, B], its gradients, the state after them, and the next random state."""
        with tf.GradientTape() as tape:
            tape.watch(weights)
            (logits, state), randomness = self._model.stateless_call(weights, randomness, inputs, state, training=True)
            loss = ops.sum(ops.sparse_categorical_crossentropy(targets, logits, from_logits=True))
        return loss, tape.gradient(loss, weights), state, randomness

    def _apply_gradients(self, gradients: Any, randomness: list[tf.Tensor], count: tf.Tensor) -> None:
        """A step of Adam with the mean over `count` symbols of the shards' gradients; then the averages follow."""
        weights = self._model.trainable_variables
        means = [tf.add_n(parts) / count for parts in zip(*gradients, strict=True)]
        if self._l2:
            means = [m + self._l2 * w if len(w.shape) > 1 else m for m, w in zip(means, weights, strict=True)]
        self.optimizer.apply(means, weights)
        for variable, value in zip(self._model.non_trainable_variables, randomness, strict=True):
            variable.assign(value)
        steps = ops.cast(self.optimizer.iterations, "float32")
        keep = ops.minimum(1 - 1 / AVERAGE_STEPS, steps / (10 + steps))
        for averaged, weight in zip(self._average.trainable_variables, weights, strict=True):
            averaged.assign(averaged * keep + weight * (1 - keep))

    def _held_out_loss(
        self, inputs: Any, targets: tf.Tensor, counted: tf.Tensor, state: Any
    ) -> tuple[tf.Tensor, tf.Tensor, Any]:
        """Sum of the losses in nats of windows [T, B], each times `counted` [T, B]; how many of the symbols counted are
        the likeliest ones; and the state after them.
        """
        logits, state = self._average(inputs, state, training=False)
        losses = ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)
        right = ops.cast(ops.argmax(logits, axis=-1) == ops.cast(targets, "int32"), "float32")
        return ops.sum(counted * losses), ops.sum(counted * right), state


class Trainer:
    """Trains `model` and keeps everything in `experiment`.

    Args:
        model: the network that learns.
        average: a second network of the same shape, for the averaged weights.
        experiment: the folder to write to.
        training: windows to learn from.
        held_out: gives (inputs, targets, weights) of the windows to measure with, the same each time it is asked.
        unit: what is counted in a second ("characters").
        preview: of the averaged network.
        baseline: the losses that a network has to beat.
    """

    def __init__(
        self,
        model: keras.Model,
        average: keras.Model,
        experiment: Experiment,
        training: Windows,
        held_out: Iterable[tuple],
        settings: Settings,
        unit: str,
        preview: Preview,
        baseline: Baseline,
    ):
        self.model, self.average = model, average
        self.experiment, self.settings = experiment, settings
        self.training, self.held_out = training, held_out
        self.unit, self.preview, self.baseline = unit, preview, baseline
        self.stepper = Stepper(model, average, settings.learning_rate, settings.l2)
        self.position = Position()
        self.state = model.initial_state(training.batch_size)
        self.board = Board(experiment.tensorboard)
        self.pace = Pace()
        #: Share of the held-out symbols that were the likeliest ones when it was measured last.
        self.accuracy = math.nan

    def measure(self, asked: Sequence[int] = ()) -> float:
        """Mean loss of the averaged network on the held-out data, in nats per symbol, with the state carried through.

        Raises:
            KeyboardInterrupt: there is a signal in `asked`.
            UserError: it is not a number.
        """
        total = count = right = 0.0
        state = None
        for inputs, targets, counted in self.held_out:
            if asked:
                raise KeyboardInterrupt
            state = self.average.initial_state(targets.shape[1]) if state is None else state
            loss, likeliest, state = self.stepper.held_out_loss(
                _tensors(inputs), tf.constant(targets), tf.constant(counted), state
            )
            total += float(loss)
            right += float(likeliest)
            count += float(counted.sum())
        loss, self.accuracy = total / count, right / count
        self._check_finite(loss)
        return loss

    @property
    def limits(self) -> Limits:
        """Where the training ends."""
        given = self.settings
        return Limits(self.training.windows, given.num_epochs, given.max_minutes, given.patience, given.max_steps)

    # ---- the loop ----------------------------------------------------------------------------------------------------

    def fit(self) -> int:
        """Train until the end is reached or asked for. Returns the exit status: 0, or 128 + the number of the signal
        that asked.

        Raises:
            UserError: the loss is not a number any more, or a checkpoint cannot be written.
        """
        at, limits = self.position, self.limits
        limits.check(at, self.experiment.path)
        log.keep_in(self.experiment.path)
        progress = Progress(limits.total, at.step, self.unit, limits.minutes, limits.stops_early)
        if plan := limits.plan():
            progress.say(plan)
        with stop_signals() as asked:
            ending = self._train(progress, asked)
            progress.close()
            self._finish(ending, progress, asked)
        progress.say(f"ended: {_who_stopped(asked[0]) if asked else limits.reason(ending, at)}")
        return 128 + asked[0] if asked else 0

    def _train(self, progress: Progress, asked: list[int]) -> Ending:
        """Take steps until a limit is reached or `asked` has a signal in it; returns why it ended."""
        at, settings, windows = self.position, self.settings, self.training.windows
        minutes_before, started = at.minutes, time.monotonic()
        self._draw_baseline()
        if at.step == 0:
            self._save_first()
        elif at.step % settings.sample_every == 0 and not self._is_previewed():
            # It was killed between saving and showing this step.
            self._show_preview(progress)
        progress.say("compiling the network: the first step takes from some seconds to a minute ...")
        ending: Ending | None = None
        while ending is None and not asked:
            if trainings.is_asked_to_stop(self.experiment.entry):
                asked.append(signal.SIGTERM)
                break
            inputs, targets = self.training.window(at.epoch, at.window)
            loss = self._advance(inputs, targets)
            progress.step(at.step, at.epoch + at.window / windows, loss, targets.size)
            at.minutes = minutes_before + (time.monotonic() - started) / 60
            if settings.keep_every and at.step % settings.keep_every == 0:
                # Before this step is saved to go on from: a run that is killed in between comes by here again.
                self._keep()
            if at.window == windows:
                self._end_epoch(progress)
            elif at.step % settings.save_every == 0:
                self._measure_and_save(progress)
            if at.step % settings.sample_every == 0:
                self._show_preview(progress)
            ending = self.limits.ending(at, (time.monotonic() - started) / 60)
        return "stopped" if asked or ending is None else ending

    def _advance(self, inputs: Any, targets: np.ndarray) -> float:
        at, begun = self.position, time.monotonic()
        loss, self.state = self.stepper.step(_tensors(inputs), tf.constant(targets), self.state)
        loss = float(loss)
        self.pace.count(targets.size, time.monotonic() - begun)
        self._check_finite(loss)
        at.step += 1
        at.window += 1
        at.epoch_loss += loss
        if at.step % 10 == 0 or at.step == 1:
            self.board.loss("train", loss, at.step)
            if pace := self.pace.take():
                self.board.more("train", f"{self.unit} a second", pace, at.step)
        return loss

    def _check_finite(self, loss: float) -> None:
        """Stop before broken weights are saved."""
        if not math.isfinite(loss):
            self.experiment.update(status="failed: the loss was not a number")
            raise UserError(
                f"the loss is not a number any more after step {self.position.step}: train again with a lower "
                f"--learning_rate than {self.settings.learning_rate}; the checkpoints from before are intact"
            )

    def _draw_baseline(self) -> None:
        """Level lines, as long as the curves are: the best n-gram and the simplest guesses."""
        curve, step = f"baseline/order_{self.baseline.order}", self.position.step
        self.board.loss(curve, self.baseline.best, step)
        for name, accuracy in self.baseline.accuracies.items():
            self.board.more(curve, f"accuracy of {name}", accuracy, step)
        self.board.more("train", "learning rate", self.settings.learning_rate, step)

    def _end_epoch(self, progress: Progress) -> None:
        """Measure, and begin the next epoch with the state of a new text."""
        at = self.position
        mean = at.epoch_loss / at.window
        at.epoch, at.window, at.epoch_loss = at.epoch + 1, 0, 0.0
        self.state = self.model.initial_state(self.training.batch_size)
        # Decided by the step alone: a run that was stopped and resumed is measured where a straight one is.
        before = at.step - self.training.windows
        every = stopping.MEASURE_EVERY if self.limits.finds_its_end else LEAST_BETWEEN_MEASUREMENTS
        due = at.step // every > before // every
        if due or at.step % self.settings.save_every == 0:
            self._measure_and_save(progress, epoch_loss=mean)

    def _measure_and_save(self, progress: Progress, epoch_loss: float | None = None) -> None:
        at = self.position
        loss = self.measure()
        at.history.append(self._record(loss))
        if epoch_loss is not None:
            at.history[-1]["train"] = epoch_loss
        at.without_best += 1
        if loss < at.best:
            at.best, at.best_step, at.without_best = loss, at.step, 0
            self._save_best(loss)
        self.save()
        self._report(progress, loss)

    def _record(self, loss: float) -> dict[str, float]:
        at = self.position
        return {"step": at.step, "epoch": at.epoch + at.window / self.training.windows, "validation": loss}

    def _save_best(self, loss: float) -> None:
        checkpoint.save(self.experiment.best, self._averaged(), {"step": self.position.step, "validation": loss})

    def _keep(self) -> None:
        """Write the averaged weights of this step to a checkpoint that stays."""
        step = self.position.step
        checkpoint.save(self.experiment.kept(step), self._averaged(), {"step": step})

    def _report(self, progress: Progress, loss: float) -> None:
        at = self.position
        self.board.loss("validation", loss, at.step)
        self.board.more("validation", "accuracy", self.accuracy, at.step)
        self._draw_baseline()
        mark = f"the best was {at.best:.3f} at step {at.best_step}" if at.best < loss else "the best so far"
        progress.say(
            f"held-out data: {loss:.3f} nats = {loss / BIT:.3f} bits, {mark}; {self.baseline.comparison(loss)}"
        )

    def _show_preview(self, progress: Progress) -> None:
        progress.say(self.preview.show(self.position.step, self.experiment.samples, self.board))
        self.experiment.update(previewed=self.position.step)

    def _is_previewed(self) -> bool:
        """Whether a preview of this very step has been shown."""
        return bool(self.experiment.info.get("previewed") == self.position.step)

    def _finish(self, ending: Ending, progress: Progress, asked: list[int]) -> None:
        """Save; measure and show a preview, unless that was just done or a signal is in `asked`, which may arrive in
        here as well.
        """
        at = self.position
        self.save()
        if ending != "stopped" and not (at.history and at.history[-1]["step"] == at.step):
            # Not part of the position: a run that goes on from here has not been measured here, as a straight one has
            # not.
            with suppress(KeyboardInterrupt):
                self._measure_last(progress, asked)
        self.experiment.update(status=STATUSES["stopped" if asked else ending])
        if ending != "stopped" and not asked and not self._is_previewed():
            self._show_preview(progress)
            if asked:
                self.experiment.update(status=STATUSES["stopped"])
        self.board.flush()

    def _measure_last(self, progress: Progress, asked: list[int]) -> None:
        loss = self.measure(asked)
        self.experiment.info["history"] = [*self.position.history, self._record(loss)]
        if loss < self.position.best:
            self._save_best(loss)
            self.experiment.info["best"] = {"validation": loss, "step": self.position.step}
        self._report(progress, loss)

    # ---- saving and going on -----------------------------------------------------------------------------------------

    def _save_first(self) -> None:
        """Save before the first step, so that a run that is killed early can be resumed; or leave no trace of it."""
        with self.experiment.beginning():
            self.save()

    def save(self) -> None:
        """Write everything that is needed to go on exactly, and the run's record.

        Raises:
            UserError: it cannot be written, or there are weights that are not numbers.
        """
        arrays = checkpoint.collect(self.model.variables, "model")
        arrays |= self._averaged()
        arrays |= checkpoint.collect(self.stepper.optimizer.variables, "optimizer")
        arrays |= {f"state/{k}": np.asarray(value) for k, value in enumerate(keras.tree.flatten(self.state))}
        checkpoint.save(self.experiment.latest, arrays, vars(self.position))
        at = self.position
        self.experiment.update(
            status="training", step=at.step, epoch=at.epoch, minutes=round(at.minutes, 2), history=at.history,
            best={"validation": at.best, "step": at.best_step} if at.history else None,
        )  # fmt: skip
        self.board.flush()

    def _averaged(self) -> dict[str, np.ndarray]:
        """The averaged weights by name.

        Raises:
            UserError: there are some that are not numbers.
        """
        averaged = checkpoint.collect(self.average.trainable_variables, "average")
        self._check_finite(sum(float(np.sum(weights)) for weights in averaged.values()))
        return averaged

    def resume(self) -> None:
        """Go back to where `save` was called last.

        Raises:
            UserError: there is no checkpoint, or it is damaged.
        """
        path = self.experiment.latest
        self.experiment.clear_leftovers()
        arrays, meta = checkpoint.load(path)
        self.position = Position.of(meta, path, self.training.windows)
        checkpoint.assign(self.model.variables, arrays, "model", path)
        checkpoint.assign(self.average.trainable_variables, arrays, "average", path)
        checkpoint.assign(self.stepper.optimizer.variables, arrays, "optimizer", path)
        self.stepper.optimizer.learning_rate = self.settings.learning_rate
        flat = checkpoint.fitting(keras.tree.flatten(self.state), arrays, "state", path)
        self.state = keras.tree.pack_sequence_as(self.state, [tf.constant(value) for value in flat])


def _tensors(inputs: Any) -> Any:
    return keras.tree.map_structure(tf.constant, inputs)


def _who_stopped(number: int) -> str:
    """In words, for the line at the end of a training that a signal stopped."""
    return f"stopped by {'Ctrl-C' if number == signal.SIGINT else signal.Signals(number).name}; everything is saved"


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Turn Ctrl-C, SIGTERM and the closing of the terminal into an entry in the list that is given; a second one ends
    the process at once.
    """
    received: list[int] = []

    def receive(number: int, frame: Any) -> None:
        received.append(number)
        if number == HANG_UP:
            leave_terminal()
        for again in previous:
            signal.signal(again, previous[again])

    numbers = [signal.SIGINT, signal.SIGTERM]
    # `nohup` lets a training outlive its terminal.
    if HANG_UP is not None and signal.getsignal(HANG_UP) != signal.SIG_IGN:
        numbers.append(HANG_UP)
    previous = {number: signal.signal(number, receive) for number in numbers}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def leave_terminal() -> None:
    """Say nothing more to a terminal that is gone: each line to it would be an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        # A terminal that is gone is not known as one any more, but still for a device.
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(number).st_mode):
                os.dup2(nowhere, number)
    os.close(nowhere)


def farewell(experiment: Experiment, baseline: Baseline, lesson: Path) -> str:
    """What to tell at the end of a training: where everything is, how good it became, how to go on, how to sample."""
    best = experiment.info.get("best")
    measured = "not measured yet"
    if best:
        measured = f"best on held-out data: {best['validation']:.3f} nats; {baseline.comparison(best['validation'])}"
    where = visible_line(shlex.quote(str(short_path(experiment.path))))
    resume = ("--resume", "--experiment_dir", experiment.path)
    return (
        f"\nThe experiment is in {where} ({measured}).\n"
        f"  to go on:     {command(lesson / 'train.py', *resume, *_further(experiment))}\n"
        f"  to generate:  {command(lesson / 'sample.py', '--experiment_dir', experiment.path)}"
    )


def _further(experiment: Experiment) -> Sequence[str]:
    """What `--resume` needs besides where the plan of a training is done: twice the epochs; else nothing."""
    planned, done = experiment.info["arguments"].get("num_epochs"), experiment.info.get("epoch", 0)
    has_stalled = experiment.info.get("status") == STATUSES["stalled"]
    is_over = has_stalled if planned is None else done >= planned
    return ("--num_epochs", str(2 * max(1, done))) if is_over else ()
