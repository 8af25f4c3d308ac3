"""One trial in training: started, watched, taken up where another worker has left it, and its result kept."""

import contextlib
import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping

from workshop.errors import UserError
from workshop.files import read_json
from workshop.places import found
from workshop.run import experiment, trainings
from workshop.run.farewell import STATUSES
from workshop.run.record import Record
from workshop.sweep import process
from workshop.sweep.claims import Claim
from workshop.sweep.folder import Folder, Job, Result
from workshop.sweep.plan import Plan, Value, in_words, words

#: So often may a trial break down, of too little memory for example, before it is given up.
MOST_CRASHES = 3
#: With fewer bytes free, it is the disk that a training has failed for; what it has said may not be on it any more.
_LEAST_FREE = 64 << 20
#: What the sentence of a mistake has in it where a disk, or the user's share of it, is full.
_FULL = tuple(os.strerror(number).lower() for number in (errno.ENOSPC, errno.EDQUOT))
#: The exit status of a mistake that is said in a sentence.
_MISTAKE = 2
#: That of a training that was asked to save and end.
_TERMINATED = 128 + signal.SIGTERM
#: What ends as it should.
_FINISHED = (STATUSES["steps"], STATUSES["stalled"])
#: Minutes that a trial gets at least when it is taken up.
_FEWEST_MINUTES = 0.01
#: Arguments that are paths, and are looked for in the clone of each computer.
_PATHS = ("data_dir", "init_from")


class Training:
    """A trial, or a part of one, that this process has claimed.

    Args:
        folder: of the sweep.
        plan: the plan.
        job: what to train.
        claim: to it.
        patience_seconds: after so many seconds without a beat the others take it over, so that it ends here.
    """

    def __init__(self, folder: Folder, plan: Plan, job: Job, claim: Claim, patience_seconds: float):
        self._folder, self._plan, self.job, self._claim = folder, plan, job, claim
        self._patience = patience_seconds
        self._path = folder.experiment(job.trial)
        self._process: subprocess.Popen[bytes] | None = None
        self._resumed = self._is_stopped = False
        #: Whether somebody else has let it save and end, as `workshop.trainings stop` does.
        self.was_asked_to_stop = False
        #: How it has ended; None as long as it has not, and where it has not ended here.
        self.result: Result | None = None

    def poll(self) -> bool:
        """Go on with it; returns whether it is over here.

        Raises:
            UserError: the folder cannot be written.
        """
        lost = self._is_lost()
        if self._process is None:
            if self._is_stopped and not lost:
                self._claim.release()
            if lost or self._is_stopped:
                return True
            # Another one may be about to save and end.
            if not trainings.is_locked(self._path / "checkpoints"):
                self._start()
            return self.result is not None
        if lost:
            self.stop()
        status = self._process.poll()
        if status is None:
            return False
        process.ask_to_end(self._process)  # closes the pipe
        self._process = None
        if lost:
            return True
        self._ended(status)
        return self.result is not None or self._is_stopped

    def stop(self) -> None:
        """Let it save and end; `poll` until it has."""
        self._is_stopped = True
        if self._process:
            process.ask_to_end(self._process)

    def _is_lost(self) -> bool:
        try:
            if self._claim.is_lost:
                return True
            self._claim.beat()
        except OSError:  # the drive is away, for a while perhaps
            return self._claim.silent_seconds > self._patience
        return False

    def _start(self) -> None:
        record = record_of(self._folder, self._plan, self.job.trial)
        if record and self._is_finished(record):
            self._finish(record)
            return
        self._resumed = record is not None and (self._path / "checkpoints" / "latest.npz").is_file()
        if not self._resumed:
            shutil.rmtree(self._path, ignore_errors=True)
        command = [sys.executable, str(self._plan.lesson.folder / "train.py"), *self._words(record)]
        self._process = process.start(command, self._folder.output(self.job.trial))

    def _words(self, record: Record | None) -> list[str]:
        """The arguments of train.py."""
        arguments = arguments_of(self._plan, self.job)
        if self._resumed and record and "max_minutes" in arguments:
            # Each part has its own limit, and together they have one.
            arguments["max_minutes"] = max(float(arguments["max_minutes"]) - record.minutes, _FEWEST_MINUTES)
        if self._resumed:
            arguments.pop("init_from", None)  # its weights are in the checkpoint, and it may be elsewhere here
            arguments["resume"] = True
        return words({**arguments, "experiment_dir": str(self._path)})

    def _is_finished(self, record: Record) -> bool:
        """Whether it has been trained as far as it should be."""
        epochs = self._plan.epochs[self.job.rung - 1] if self._plan.epochs else 0
        return record.status in _FINISHED and record.epoch >= epochs

    def _ended(self, status: int) -> None:
        """Decide what the end of the process means: it is done, a mistake, or an accident that another try may mend.

        Raises:
            UserError: the disk is full, for which no trial is to blame.
        """
        record = record_of(self._folder, self._plan, self.job.trial)
        if status == 0 and record and self._is_finished(record):
            self._finish(record)
        elif self._is_stopped:
            self._claim.release()
        elif status == _TERMINATED and record and record.status == STATUSES["stopped"]:
            self.was_asked_to_stop = self._is_stopped = True
            self._claim.release()
        elif self._is_full():
            place = self._folder.path
            raise UserError(
                f"{place} cannot be written: {self._last_words() or 'there is no room'}; free some space there: "
                "the same command goes on"
            )
        elif status == _MISTAKE and self._resumed:
            # It cannot be taken up, whatever the reason: from its beginning it comes to the same numbers.
            if not trainings.is_locked(self._path / "checkpoints"):
                shutil.rmtree(self._path, ignore_errors=True)
        elif status == _MISTAKE:
            self._fail(self._last_words())
        elif self._claim.crash() >= MOST_CRASHES:
            self._fail(f"it broke down {MOST_CRASHES} times, with the exit status {status}: {self._last_words()}")

    def _is_full(self) -> bool:
        """Whether the disk has no room for what the training writes."""
        with contextlib.suppress(OSError):
            if shutil.disk_usage(self._folder.path).free < _LEAST_FREE:
                return True
        return any(words in self._last_words() for words in _FULL)

    def _finish(self, record: Record) -> None:
        best = record.best
        self._keep(
            Result(
                trial=self.job.trial, rung=self.job.rung, loss=best.validation if best else None,
                best_step=best.step if best else 0, step=record.step, epoch=record.epoch, minutes=record.minutes,
                computer=socket.gethostname(),
            )
        )  # fmt: skip

    def _fail(self, reason: str) -> None:
        self._keep(
            Result(trial=self.job.trial, rung=self.job.rung, computer=socket.gethostname(), failed=reason or "unknown")
        )

    def _keep(self, result: Result) -> None:
        self._folder.add(result)
        self.result = result

    def _last_words(self) -> str:
        """The last line that it has said."""
        try:
            lines = self._folder.output(self.job.trial).read_text("utf-8", errors="replace").split("\n")
        except OSError:
            return ""
        return next((line.strip()[-300:] for line in reversed(lines) if line.strip()), "").removeprefix("error: ")


def record_of(folder: Folder, plan: Plan, trial: int) -> Record | None:
    """What the run.json of a trial says; None where there is none that can be gone on with."""
    file = folder.experiment(trial) / "run.json"
    try:
        return experiment.record_of(read_json(file), file, plan.lesson.name)
    except UserError:
        return None


def arguments_of(plan: Plan, job: Job) -> dict[str, Value]:
    """The arguments of train.py for a trial, or a part of one."""
    trial: Mapping[str, Value] = plan.trials[job.trial - 1]
    arguments = {"message": f"trial {job.trial}: {in_words(trial, plan.varied)}", **trial}
    for name in _PATHS:
        if name in arguments and (place := found(str(arguments[name]), plan.lesson.name)):
            arguments[name] = str(place)
    if plan.epochs:
        arguments["num_epochs"] = plan.epochs[job.rung - 1]
    return arguments
