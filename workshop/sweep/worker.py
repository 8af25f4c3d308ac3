"""A worker: takes trials that nobody else has, several at a time if asked, until there are none left."""

import signal
import time
from collections.abc import Sequence

from workshop import cli
from workshop.sweep.claims import PATIENCE_SECONDS, Claims
from workshop.sweep.folder import Folder, Job, Result, wanted
from workshop.sweep.plan import Plan, in_words
from workshop.sweep.training import Training

#: Seconds between two looks at the trainings, and between two at the shared folder where there is nothing to do.
LOOK_SECONDS, WAIT_SECONDS = 0.3, 2.0


def ending(result: Result) -> str:
    """How a trial has ended, or a part of it, in one line."""
    if result.failed:
        return f"trial {result.trial} failed: {result.failed}"
    loss = "not measured" if result.loss is None else f"held-out loss {result.loss:.3f}"
    return f"trial {result.trial} has ended: {loss}, {result.minutes:.1f} minutes"


class Worker:
    """Works on a sweep.

    Args:
        folder: of the sweep, opened.
        plan: the plan.
        jobs: trials at a time.
        patience_seconds: see `claims.PATIENCE_SECONDS`.
        is_leaving: end where all that is left is being trained by others, without waiting whether they live.
    """

    def __init__(
        self, folder: Folder, plan: Plan, jobs: int = 1, patience_seconds: float = PATIENCE_SECONDS,
        is_leaving: bool = False,
    ):  # fmt: skip
        self._folder, self._plan, self._jobs, self._patience = folder, plan, jobs, patience_seconds
        self._is_leaving = is_leaving
        self._claims = Claims(folder.claims, patience_seconds)
        self._running: list[Training] = []
        self._said_waiting = False
        self._look_again = 0.0

    def work(self, asked: list[int]) -> bool:
        """Work until the sweep is over, or a signal comes to `asked`; returns whether it is over. A trial that somebody
        lets save and end counts as a signal: it would only be trained again.

        Raises:
            UserError: the folder cannot be written, or a result in it is damaged.
        """
        try:
            while not asked:
                self._follow(asked)
                if len(self._running) < self._jobs and time.monotonic() >= self._look_again and not self._take():
                    left = wanted(self._plan, self._folder.results())
                    if not self._running and (not left or self._is_leaving):
                        return not left
                    self._say_waiting(left)
                    self._look_again = time.monotonic() + WAIT_SECONDS
                time.sleep(LOOK_SECONDS)
            return False
        finally:
            self._stop()

    def _take(self) -> bool:
        """Claim what nobody else has; returns whether there was something."""
        for job in wanted(self._plan, self._folder.results()):
            if any(one.job == job for one in self._running):
                continue
            if claim := self._claims.take(job.name):
                self._running.append(Training(self._folder, self._plan, job, claim, self._patience))
                cli.say(f"trial {job.trial} of {len(self._plan.trials)} begins: {self._in_words(job)}")
                self._said_waiting = False
                return True
        return False

    def _follow(self, asked: list[int]) -> None:
        """Look at what runs, and say what has ended."""
        for one in [one for one in self._running if one.poll()]:
            self._running.remove(one)
            self._look_again = 0.0
            result = one.result
            if result:
                cli.say(ending(result))
            elif one.was_asked_to_stop:
                cli.say(f"trial {one.job.trial} was asked to stop, and so the sweep stops")
                asked.append(signal.SIGTERM)
            else:
                cli.say(f"trial {one.job.trial} has been taken over by another computer")

    def _stop(self) -> None:
        """Let all that runs save and end."""
        for one in self._running:
            one.stop()
        if self._running:
            cli.say("saving ...")
        while self._running:
            self._running = [one for one in self._running if not one.poll()]
            time.sleep(LOOK_SECONDS)

    def _say_waiting(self, left: Sequence[Job]) -> None:
        others = {job.trial for job in left} - {one.job.trial for one in self._running}
        if others and not self._running and not self._said_waiting:
            self._said_waiting = True
            names = ", ".join(str(trial) for trial in sorted(others)[:10])
            cli.say(f"others train what is left (trial {names}): waiting, in case one of them does not come to its end")

    def _in_words(self, job: Job) -> str:
        epochs = f", up to epoch {self._plan.epochs[job.rung - 1]}" if self._plan.epochs else ""
        return in_words(self._plan.trials[job.trial - 1], self._plan.varied) + epochs
