"""The shared folder of a sweep.

plan.json      the trials, numbered from 1
trials/007     the experiment of a trial, as train.py makes it
output/007.txt what its train.py has said
claims/        who is at work on what
ray.txt        what Ray has said, where it has helped
results/       one file for each trial, or for each part of one, that has ended
table.txt, table.csv, chart.png, chart.svg     the results, best first, so far
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workshop.checks import Count, Finite, NotNegative, Whole, typed
from workshop.errors import UserError
from workshop.files import explain, read_json, short_path, write_json
from workshop.sweep.plan import Plan


class Result(msgspec.Struct, kw_only=True):
    """How a trial has ended, or a part of it.

    Attributes:
        trial: its number.
        rung: which part, from 1.
        loss: the lowest held-out loss; None where there is none.
        best_step: after how many steps that was.
        step: steps in all.
        epoch: whole epochs.
        minutes: of training.
        computer: that has trained the last part.
        failed: why it could not be trained; empty where it was.
    """

    trial: Count
    rung: Count
    loss: Finite | None = None
    best_step: Whole = 0
    step: Whole = 0
    epoch: Whole = 0
    minutes: NotNegative = 0.0
    computer: str = ""
    failed: str = ""

    @property
    def name(self) -> str:
        """Of its file, and of the claim to what it is the result of."""
        return Job(self.trial, self.rung).name


@dataclass(frozen=True)
class Job:
    """A part of a trial, to be trained: the trial's number and which part, both from 1."""

    trial: int
    rung: int

    @property
    def name(self) -> str:
        """Of its claim and its result."""
        return f"{self.trial:03d}.{self.rung}"


class Folder:
    """The shared folder.

    Args:
        path: of it.
    """

    def __init__(self, path: Path):
        self.path = path
        self.claims = path / "claims"
        #: Results do not change any more, and a drive may be slow.
        self._read: dict[str, Result] = {}

    def open(self, plan: Plan) -> None:
        """Make the folder for a plan, or see that it is the folder of this plan. A plan may have got further trials.

        Raises:
            UserError: it cannot be written, or belongs to another plan.
        """
        wanted, file = plan.as_json(), self.path / "plan.json"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            # What another computer is writing at this moment has a name with a dot.
            there = {path.name for path in self.path.iterdir() if not path.name.startswith(".")}
            if file.name in there:
                held = read_json(file)
                trials = held.get("trials")
                begun = wanted["trials"][: len(trials)] if isinstance(trials, list) else None
                if held != {**wanted, "trials": begun}:
                    raise UserError(
                        f"{self.path} belongs to another plan: name another folder with --folder, or give the plan "
                        "that it was begun with (further trials may stand behind those)"
                    )
            elif there:
                raise UserError(f"{self.path} holds something else than a sweep: name another folder with --folder")
            # The plan first: by it, another computer that opens the folder at this moment knows whose it is.
            write_json(file, wanted)
            for place in (self.path / "trials", self.path / "output", self.path / "results", self.claims):
                place.mkdir(exist_ok=True)
        except OSError as error:
            reason = explain(error, self.path)
            raise UserError(
                f"a sweep cannot be kept in {self.path}: {reason}; name another folder with --folder"
            ) from error

    def experiment(self, trial: int) -> Path:
        """The folder of a trial's experiment."""
        return short_path(self.path / "trials" / f"{trial:03d}")

    def output(self, trial: int) -> Path:
        """The file with what a trial has said."""
        return short_path(self.path / "output" / f"{trial:03d}.txt")

    def add(self, result: Result) -> None:
        """Keep how a trial has ended.

        Raises:
            UserError: it cannot be written.
        """
        file = self.path / "results" / f"{result.name}.json"
        try:
            write_json(file, msgspec.to_builtins(result))
        except OSError as error:
            raise UserError(f"{file} cannot be written: {explain(error, file)}; free some space there") from error

    def results(self) -> list[Result]:
        """What has ended so far.

        Raises:
            UserError: a result is damaged.
        """
        for file in (self.path / "results").glob("[!.]*.json"):
            if file.name not in self._read:
                self._read[file.name] = typed(Result, read_json(file), file)
        return [self._read[name] for name in sorted(self._read)]


def ranked(results: Sequence[Result]) -> list[Result]:
    """The last result of each trial, the best first: those that were trained furthest, and among them the lowest loss.
    The next are those that were stopped early, and the last those that failed.
    """
    last: dict[int, Result] = {}
    for result in results:
        if result.trial not in last or result.rung > last[result.trial].rung:
            last[result.trial] = result

    def place(result: Result) -> tuple[bool, int, float, int]:
        loss = float("inf") if result.loss is None else result.loss
        return bool(result.failed), -result.rung, loss, result.trial

    return sorted(last.values(), key=place)


def of_plan(plan: Plan, results: Sequence[Result]) -> list[Result]:
    """Those of its own trials: another computer may have got a plan with further ones meanwhile."""
    return [result for result in results if result.trial <= len(plan.trials)]


def wanted(plan: Plan, results: Sequence[Result]) -> list[Job]:
    """What is to be trained next, in this order; empty when the sweep is over.

    Without halving that is each trial. With it, a trial that is among the best of those which have come as far as it
    goes on; where there is none, the next one begins. Nobody waits for the others.
    """
    results = of_plan(plan, results)
    done = {(result.trial, result.rung) for result in results}
    jobs: list[Job] = []
    is_complete = len({result.trial for result in results if result.rung == 1}) == len(plan.trials)
    for rung in range(1, plan.rungs):
        there = [result for result in results if result.rung == rung and not result.failed and result.loss is not None]
        there.sort(key=lambda result: (result.loss, result.trial))
        # One goes on in any case, when no further one can come.
        count = max(len(there) // plan.keep, 1 if is_complete and there else 0)
        going_on = [Job(result.trial, rung + 1) for result in there[:count]]
        missing = [job for job in going_on if (job.trial, job.rung) not in done]
        jobs = missing + jobs
        is_complete = is_complete and not missing
    return jobs + [Job(trial, 1) for trial in range(1, len(plan.trials) + 1) if (trial, 1) not in done]
