"""A training session: everything around the loop that `train.py` shows.

    with Session(experiment, learner, batches, settings, unit="characters") as session:
        for inputs, targets in session:
            loss, gradients = learner.gradients(inputs, targets)
            learner.descend(gradients)
            session.count(loss)

It gives the batches from where the last session ended, measures, saves, shows previews, and stops when it should; at
the end it saves and measures once more. Of what is trained it knows the `Learner` interface and no more: networks
trained against each other, or a density of spectra, go through it as next-symbol networks do.
"""

import argparse
import math
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import msgspec
import numpy as np

from workshop.errors import UserError
from workshop.files import write_text
from workshop.networks.layer_table import Row
from workshop.networks.picture import network_markdown, network_svg
from workshop.run import checkpoint, keys, stopping, trainings
from workshop.run.baseline import Baseline
from workshop.run.board import EARLIER, TensorBoardWriter
from workshop.run.experiment import Experiment
from workshop.run.farewell import STATUSES
from workshop.run.learner import Measurement
from workshop.run.position import Position
from workshop.run.progress import Pace, Progress, loss_in_words
from workshop.run.record import Best, Measured
from workshop.run.signals import in_words, stop_signals
from workshop.run.stopping import Ending, Limits
from workshop.run.team import Team

#: With little data an epoch takes seconds: not every one is measured. A training that has to find its own end is
#: measured more often (`stopping.MEASURE_EVERY`).
MIN_STEPS_BETWEEN_MEASUREMENTS = 100


class Batches(Protocol):
    """Training data: `StatefulBatches` or anything like it."""

    @property
    def windows(self) -> int:
        """Batches in an epoch."""

    def window(self, epoch: int, number: int) -> tuple[Any, ...]:
        """One batch; the product of the first two dimensions of its last array is what the speed counts."""


class Learner(Protocol):
    """What a session knows of what it trains. The training step is the loop's."""

    @property
    def in_nats(self) -> bool:
        """Whether its loss is in nats per symbol, and so has a meaning in bits."""

    @property
    def learning_rate(self) -> float:
        """How far a step goes."""

    def layer_rows(self) -> Sequence[Row]:
        """The layers of what it trains, from input to output, for the picture of the network."""

    def begin_epoch(self) -> None:
        """The next batch is the first of an epoch."""

    def evaluate(self, asked: Sequence[int] = ()) -> Measurement:
        """Measure on the held-out data.

        Raises:
            KeyboardInterrupt: there is a signal in `asked`, so that the measurement was given up.
        """

    def averaged(self) -> dict[str, np.ndarray]:
        """The weights to generate with, by name."""

    def arrays(self) -> dict[str, np.ndarray]:
        """What it goes on from besides `averaged`, by name."""

    def restore(self, arrays: dict[str, np.ndarray], path: Path) -> None:
        """Go back to `arrays`, `averaged` among them, which are from the checkpoint `path`.

        Raises:
            UserError: they do not fit.
        """


class Preview(Protocol):
    """Lets a person see or hear what the network would make so far."""

    def show(self, step: int, folder: Path, board: TensorBoardWriter) -> str:
        """Generate, write to `folder` and to TensorBoard, and return a few lines for the terminal."""


@dataclass(frozen=True)
class Settings:
    """How long to train and what to do meanwhile; times in minutes, the rest in steps or epochs. The defaults for what
    is None are in `workshop/run/stopping.py`.
    """

    num_epochs: int | None
    save_every: int
    sample_every: int
    max_minutes: float | None = None
    patience: int | None = None
    max_steps: int | None = None
    keep_every: int | None = None

    @classmethod
    def of(cls, args: argparse.Namespace, smoke_steps: int) -> "Settings":
        """The settings that the command line gives; with `--smoke` the training ends after `smoke_steps`."""
        given = {f.name: getattr(args, f.name) for f in fields(cls) if f.name in args and f.name != "max_steps"}
        return cls(max_steps=smoke_steps if args.smoke else None, **given)


class Session:
    """Gives the batches of a training, and keeps everything in `experiment`.

    Args:
        experiment: the folder to write to.
        learner: what is trained.
        batches: to learn from.
        settings: how long to train, and when to measure, save and show.
        unit: what is counted in a second ("characters").
        preview: of the averaged network; None for no previews.
        baseline: the losses that a network has to beat; None where there are none to compare with.
        resume: go on from the latest checkpoint.
        is_trained: the network has been trained before, so that it is measured before the first step.
        team: the processes that train it together, of which this is one; None for this one alone.

    Raises:
        UserError: there is no checkpoint to go on from, or it is damaged.
    """

    def __init__(
        self, experiment: Experiment, learner: Learner, batches: Batches, settings: Settings, *, unit: str,
        preview: Preview | None = None, baseline: Baseline | None = None, resume: bool = False,
        is_trained: bool = False, team: Team | None = None,
    ):  # fmt: skip
        self.experiment, self.learner, self.batches, self.settings = experiment, learner, batches, settings
        self.unit, self.preview, self.baseline = unit, preview, baseline
        self.team = team or Team()
        self._is_trained, self._is_compiled = is_trained, False
        self.position = Position()
        self.board = experiment.board
        #: 0, or 128 + the number of the signal that ended the training, when it has ended.
        self.status = 0
        #: The signals that came to this process, and those that are obeyed: the same in a team of one.
        self._received: list[int] = []
        self._asked: list[int] = []
        self._has_quit = False
        self._ending: Ending = "stopped"
        self._pace = Pace()
        self._stack = ExitStack()
        if resume:
            self._resume()

    @property
    def limits(self) -> Limits:
        """Where the training ends."""
        given = self.settings
        return Limits(self.batches.windows, given.num_epochs, given.max_minutes, given.patience, given.max_steps)

    # ---- around the loop ---------------------------------------------------------------------------------------------

    def __enter__(self) -> "Session":
        """Begin; from here on Ctrl-C and the like are noted and obeyed after the step.

        Raises:
            UserError: the training is over already.
        """
        at, limits = self.position, self.limits
        limits.check(at, self.experiment.path)
        self.experiment.keep_log()
        self._progress = Progress(
            limits.total, at.step, self.unit, limits.minutes, limits.stops_early, self.learner.in_nats
        )
        if plan := limits.plan():
            self._progress.say(plan)
        self._received = self._stack.enter_context(stop_signals())
        self._asked = self.team.agreed(self._received)
        # What a key asks for, this process would do alone: several workers obey signals only.
        alone = self.team.size == 1
        self._keys = self._stack.enter_context(keys.listening()) if alone else keys.Keys(None)
        if self._keys.are_there:
            self._progress.say(keys.IN_WORDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End: save, measure and show, unless the loop broke down. A loop that is left early is one that was stopped.

        Raises:
            UserError: a checkpoint cannot be written.
        """
        with self._stack:
            if error:
                return
            self._progress.close()
            self._finish()
            self.team.finish()
        self._progress.say(f"ended: {self._reason()}")
        self.status = 128 + self._asked[0] if self._asked else 0

    def _reason(self) -> str:
        """What ended the training, in words."""
        if self._asked:
            return in_words(self._asked[0])
        if self._has_quit:
            return f"stopped by the key {keys.QUIT}; everything is saved"
        if self._ending == "stopped":
            return "the training loop was left; everything is saved"
        return self.limits.reason(self._ending, self.position)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """The batches, until a limit is reached or a signal asks for the end; `count` is due after each.

        Raises:
            UserError: `count` was not called.
        """
        at = self.position
        self._minutes_before, self._started = at.minutes, time.monotonic()
        self._begin()
        if not self._is_compiled:
            self._progress.say("compiling the network: the first step takes from some seconds to a minute ...")
        ending: Ending | None = None
        while ending is None and not self._asked and not self._obey(self._keys.typed()):
            if trainings.is_asked_to_stop(self.experiment.entry):
                self._received.append(signal.SIGTERM)
                if self._asked:
                    break
            batch = self.batches.window(at.epoch, at.window)
            step, self._size, self._begun = at.step, math.prod(np.shape(batch[-1])[:2]), time.monotonic()
            self.team.before_step(self._minutes_so_far)
            yield self.team.part(batch)
            if at.step == step:
                raise UserError("the training loop does not call session.count(loss): it has to after each batch")
            self._is_compiled = True
            self._after_step()
            ending = self.limits.ending(at, self.team.minutes(self._minutes_so_far))
        self._ending = "stopped" if self._asked or ending is None else ending
        # No step follows in which the team could agree: what comes to this process from now on counts here.
        self._asked = self._asked or self._received

    @property
    def _minutes_so_far(self) -> float:
        """Since the first step of this session."""
        return (time.monotonic() - self._started) / 60

    def _obey(self, key: str) -> bool:
        """Do what a key asks for; whether the training is to end."""
        if key == keys.QUIT:
            self._has_quit = True
        elif key == keys.SAVE:
            self.save()
            self._progress.say(f"saved at step {self.position.step:,}")
        elif key == keys.PAUSE:
            self._pause()
        return self._has_quit

    def _pause(self) -> None:
        """Wait until a key or a signal ends the pause, whose time does not count."""
        begun = time.monotonic()
        self._progress.say(f"paused at step {self.position.step:,}: {keys.PAUSE} goes on, {keys.QUIT} saves and stops")
        while not self._asked and not trainings.is_asked_to_stop(self.experiment.entry) and self._keys.are_there:
            key = self._keys.typed(keys.PATIENCE)
            if key == keys.PAUSE or self._obey(key):
                break
        paused = time.monotonic() - begun
        self._started += paused
        self._progress.skip(paused)

    def count(self, loss: Any, **curves: Any) -> None:
        """Count the step that was just taken.

        Args:
            loss: of its batch, a number or a tensor.
            curves: further numbers for TensorBoard, by name.

        Raises:
            UserError: the loss is not a number any more.
        """
        at, loss = self.position, float(loss)
        self._pace.count(self._size, time.monotonic() - self._begun)
        self._check_finite(loss)
        at.step += 1
        at.window += 1
        at.epoch_loss += loss
        if at.step % 10 == 0 or at.step == 1:
            self._draw_loss("train", loss)
            for name, value in curves.items():
                self.board.more("train", name, float(value), at.step)
            if pace := self._pace.take():
                self.board.more("train", f"{self.unit} a second", pace, at.step)
        self._progress.step(at.step, at.epoch + at.window / self.batches.windows, loss, self._size)
        at.minutes = self._minutes_before + self._minutes_so_far

    # ---- what happens between the steps ------------------------------------------------------------------------------

    def _begin(self) -> None:
        at = self.position
        self._draw_baseline()
        if at.step == 0:
            # Before the first step, so that a run that is killed early can be resumed; or there is no trace of it.
            with self.experiment.beginning():
                self._show_network()
                if self._is_trained:
                    self._measure_and_save()
                else:
                    self.save()
        elif at.step % self.settings.sample_every == 0 and not self._is_previewed():
            # It was killed between saving and showing this step.
            self._show_preview()

    def _show_network(self) -> None:
        """Draw the network, for the folder, and list its layers in TensorBoard."""
        rows = self.learner.layer_rows()
        title = f"{self.experiment.record.lesson}, {self.experiment.path.name}"
        self.experiment.add("network.svg", lambda path: write_text(path, network_svg(rows, title)))
        self.board.text("network/layers", network_markdown(rows), self.position.step)

    def _after_step(self) -> None:
        at, settings = self.position, self.settings
        if settings.keep_every and at.step % settings.keep_every == 0:
            # Before this step is saved to go on from: a run that is killed in between comes by here again.
            self.keep()
        if at.window == self.batches.windows:
            self._end_epoch()
        elif at.step % settings.save_every == 0:
            self._measure_and_save()
        if at.step % settings.sample_every == 0:
            self._show_preview()

    def _end_epoch(self) -> None:
        at = self.position
        mean = at.epoch_loss / at.window
        at.epoch, at.window, at.epoch_loss = at.epoch + 1, 0, 0.0
        self.learner.begin_epoch()
        # Decided by the step alone: a run that was stopped and resumed is measured where a straight one is.
        before = at.step - self.batches.windows
        every = stopping.MEASURE_EVERY if self.limits.finds_its_end else MIN_STEPS_BETWEEN_MEASUREMENTS
        due = at.step // every > before // every
        if due or at.step % self.settings.save_every == 0:
            self._measure_and_save(epoch_loss=mean)

    # ---- measuring ---------------------------------------------------------------------------------------------------

    def _measure(self, asked: Sequence[int] = ()) -> Measurement:
        measured = self.team.measured(lambda: self.learner.evaluate(asked))
        self._check_finite(measured.loss)
        return measured

    def _check_finite(self, loss: float) -> None:
        """Stop before broken weights are saved."""
        if not math.isfinite(loss):
            self.experiment.update(status="failed: the loss was not a number")
            raise UserError(
                f"the loss is not a number any more after step {self.position.step}: train again with a lower "
                f"--learning_rate than {self.learner.learning_rate}; the checkpoints from before are intact"
            )

    def _measure_and_save(self, epoch_loss: float | None = None) -> None:
        at, measured = self.position, self._measure()
        at.history.append(self._record(measured))
        if epoch_loss is not None:
            at.history[-1].train = epoch_loss
        at.without_best += 1
        if measured.loss < at.best:
            at.best, at.best_step, at.without_best = measured.loss, at.step, 0
            self._save_best(measured)
        self.save()
        self._report(measured)

    def _record(self, measured: Measurement) -> Measured:
        at = self.position
        return Measured(at.step, at.epoch + at.window / self.batches.windows, measured.loss)

    def _report(self, measured: Measurement) -> None:
        at, loss = self.position, measured.loss
        self._draw_loss("validation", loss)
        for name, value in measured.more.items():
            self.board.more("validation", name, value, at.step)
        self._draw_baseline()
        mark = f"the best was {at.best:.3f} at step {at.best_step}" if at.best < loss else "the best so far"
        compared = f"; {self.baseline.comparison(loss)}" if self.baseline else ""
        self._progress.say(f"held-out data: {loss_in_words(loss, self.learner.in_nats)}, {mark}{compared}")
        for remark in measured.remarks:
            self._progress.say(f"  {remark}")

    def _draw_loss(self, curve: str, loss: float) -> None:
        if self.learner.in_nats:
            self.board.loss(curve, loss, self.position.step)
        else:
            self.board.plain_loss(curve, loss, self.position.step)

    def _draw_baseline(self) -> None:
        """Level lines, as long as the curves are: the best n-gram and the simplest guesses."""
        step = self.position.step
        self.board.more("train", "learning rate", self.learner.learning_rate, step)
        if self.baseline:
            curve = f"baseline/order_{self.baseline.order}"
            self._draw_loss(curve, self.baseline.best)
            if self.baseline.earlier is not None:
                self.board.loss(f"baseline/{EARLIER}", self.baseline.earlier, step)
            for name, accuracy in self.baseline.accuracies.items():
                self.board.more(curve, f"accuracy of {name}", accuracy, step)

    # ---- previews ----------------------------------------------------------------------------------------------------

    def _show_preview(self) -> None:
        if self.preview:
            self._progress.say(self.preview.show(self.position.step, self.experiment.samples, self.board))
            self.experiment.update(previewed=self.position.step)

    def _is_previewed(self) -> bool:
        """Whether a preview of this very step has been shown."""
        return self.experiment.record.previewed == self.position.step

    # ---- the end -----------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Save; measure and show a preview, unless that was just done or a signal came, which may be now as well."""
        at, ending, asked = self.position, self._ending, self._asked
        self.save()
        if ending != "stopped" and not (at.history and at.history[-1].step == at.step):
            # Not part of the position: a run that goes on from here has not been measured here, as a straight one has
            # not.
            with suppress(KeyboardInterrupt):
                self._measure_last()
        self.experiment.update(status=STATUSES["stopped" if asked else ending])
        if ending != "stopped" and not asked and not self._is_previewed():
            self._show_preview()
            if asked:
                self.experiment.update(status=STATUSES["stopped"])
        self.board.flush()

    def _measure_last(self) -> None:
        measured = self._measure(self._asked)
        self.experiment.record.history = [*self.position.history, self._record(measured)]
        if measured.loss < self.position.best:
            self._save_best(measured)
            self.experiment.record.best = Best(measured.loss, self.position.step)
        self._report(measured)

    # ---- saving and going on -----------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write everything that is needed to go on exactly, and the run's record.

        Raises:
            UserError: it cannot be written, or there are weights that are not numbers.
        """
        at = self.position
        self.experiment.save(self.experiment.latest, self.learner.arrays() | self._averaged(), msgspec.to_builtins(at))
        self.experiment.update(
            status="training", step=at.step, epoch=at.epoch, minutes=round(at.minutes, 2), history=at.history,
            best=Best(at.best, at.best_step) if at.history else None,
        )  # fmt: skip
        self.board.flush()

    def keep(self) -> None:
        """Keep the weights to generate with under the number of this step.

        Raises:
            UserError: they cannot be written, or there are some that are not numbers.
        """
        step = self.position.step
        self.experiment.save(self.experiment.kept(step), self._averaged(), {"step": step})

    def again(self, **changes: Any) -> "Session":
        """A session that goes on from what this one has saved last, with the same learner and some other settings.

        Raises:
            UserError: nothing was saved, or it is damaged.
        """
        session = Session(
            self.experiment, self.learner, self.batches, replace(self.settings, **changes), unit=self.unit,
            preview=self.preview, baseline=self.baseline, resume=True, team=self.team,
        )  # fmt: skip
        session._is_compiled = self._is_compiled
        return session

    def _save_best(self, measured: Measurement) -> None:
        meta = {"step": self.position.step, "validation": measured.loss}
        self.experiment.save(self.experiment.best, self._averaged(), meta)

    def _averaged(self) -> dict[str, np.ndarray]:
        """The weights to generate with.

        Raises:
            UserError: there are some that are not numbers.
        """
        averaged = self.learner.averaged()
        self._check_finite(sum(float(np.sum(weights)) for weights in averaged.values()))
        return averaged

    def _resume(self) -> None:
        """Go back to where `save` was called last."""
        path = self.experiment.latest
        self.experiment.clear_leftovers()
        arrays, meta = checkpoint.load(path)
        self.position = Position.of(meta, path, self.batches.windows)
        self.learner.restore(arrays, path)
