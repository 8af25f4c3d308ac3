"""What a training says at its end: where everything is, how good it became, how to go on, how to sample."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from workshop.commands import command
from workshop.files import short_path
from workshop.run.baseline import Baseline
from workshop.run.experiment import Experiment
from workshop.run.stopping import Ending
from workshop.visible import visible_line

#: What run.json says of a training that has ended.
STATUSES: dict[Ending, str] = {
    "steps": "finished", "time": "finished", "stalled": "finished: no new best for a while", "stopped": "stopped",
}  # fmt: skip


def farewell(experiment: Experiment, baseline: Baseline | None, lesson: Path) -> str:
    """The last lines of a training in the folder of a lesson; `baseline` is what the loss is compared with."""
    best = experiment.record.best
    measured = "not measured yet"
    if best:
        measured = f"best on held-out data: {best.validation:.3f}"
        if baseline:
            measured += f"{baseline.unit}; {baseline.comparison(best.validation)}"
    where = visible_line(shlex.quote(str(short_path(experiment.path))))
    resume = ("--resume", "--experiment_dir", experiment.path)
    return (
        f"\nThe experiment is in {where} ({measured}).\n"
        f"  to go on:     {command(lesson / 'train.py', *resume, *_further(experiment))}\n"
        f"  to generate:  {command(lesson / 'sample.py', '--experiment_dir', experiment.path)}"
    )


def _further(experiment: Experiment) -> Sequence[str]:
    """What `--resume` needs besides where the plan of a training is done: twice the epochs; else nothing."""
    planned, done = experiment.record.arguments.get("num_epochs"), experiment.record.epoch
    has_stalled = experiment.record.status == STATUSES["stalled"]
    is_over = has_stalled if planned is None else done >= planned
    return ("--num_epochs", str(2 * max(1, done))) if is_over else ()
