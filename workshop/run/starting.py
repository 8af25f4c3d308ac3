"""What every `train.py` does around its lesson: taking up the run that `--resume` continues, or starting a new one."""

import argparse
import dataclasses
import math
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from workshop.errors import UserError
from workshop.lessons import Lesson
from workshop.run import arguments, compiled, experiment, finetuning, joining, pretrained
from workshop.run.baseline import Baseline
from workshop.run.experiment import Experiment
from workshop.run.finetuning import earlier_data, initialise
from workshop.run.record import DataInfo, Sampling
from workshop.run.team import Team
from workshop.run.trained import Trained
from workshop.words import NGRAM

if TYPE_CHECKING:
    from workshop.run.session import Batches, Learner, Preview, Session

__all__ = [
    "check_data", "earlier_data", "initialise", "most_weights", "network_of", "open_session", "take_up", "temperature",
]  # fmt: skip


def take_up(lesson: Lesson, args: argparse.Namespace) -> tuple[Experiment | None, Trained | None]:
    """Complete the arguments: by those of the run that `--resume` goes on with, or of the network that `--init_from`
    begins with, and by what `--size` stands for.

    Args:
        lesson: whose `train.py` this is.
        args: the command line; it is changed, and its `team` is the one that trains.

    Returns:
        the experiment to go on with, or None for a new one; and the trained network that a new one begins with, or
            None for random weights.

    Raises:
        UserError: there is no such experiment, an argument contradicts it, another process trains it, or another worker
            does not come.
    """
    workers = args.team = joining.join(lesson, args)
    resumed = workers.opened(experiment.find(lesson.folder, args.experiment_dir)) if args.resume else None
    source = None
    if resumed:
        if pretrained.contains(resumed.path):
            raise UserError(
                f"{resumed.path} comes trained with the workshop, without the state of its training: "
                f"train from its weights with --init_from {resumed.path.name}"
            )
        finetuning.check_resumed(args, resumed)
        experiment.take_over(args, resumed, fixed=lesson.fixed_arguments)
    else:
        source = finetuning.source_of(lesson, args)
    arguments.apply_size(args, lesson)
    compiled.keep()
    workers.assemble(args.batch_size)
    return resumed, source


def check_data(resumed: Experiment | None, facts: DataInfo, data_dir: Path) -> None:
    """Refuse to go on with other data than a run began with.

    Args:
        resumed: what `take_up` returned.
        facts: what run.json says of the data.
        data_dir: where it is.

    Raises:
        UserError: the data is another.
    """
    if resumed:
        experiment.check_same_data(resumed, facts.fingerprint, data_dir)


def network_of(lesson: Lesson, args: argparse.Namespace, **more: int | str) -> dict[str, Any]:
    """The description of the network: the name of its function in `model.py`, and the arguments of that.

    Args:
        lesson: says which arguments describe a network.
        args: the command line.
        more: arguments that the data or the lesson decides, such as the number of symbols.
    """
    return {name: getattr(args, name) for name in (*lesson.network, "seed")} | more | {"name": args.network}


def most_weights(resumed: Experiment | None) -> float:
    """How many weights a network may have: those that the checkpoints hold, so that a damaged run.json cannot ask for
    more; infinite for a new experiment.
    """
    return resumed.most_weights if resumed else math.inf


def temperature(resumed: Experiment | None, default: float) -> float:
    """The softmax temperature that the previews are drawn at: that of the resumed run, or a lesson's default."""
    return resumed.record.sampling.temperature if resumed else default


def best(resumed: Experiment | None) -> float:
    """The least loss that the resumed run has measured; infinite where there is none."""
    return min((one.validation for one in resumed.record.history), default=math.inf) if resumed else math.inf


def open_session(
    lesson: Lesson, args: argparse.Namespace, resumed: Experiment | None, learner: "Learner", batches: "Batches", *,
    network: Mapping[str, Any], source: Trained | None, symbols: Sequence[Hashable], data: DataInfo, skipped: list[str],
    temperature: float, preview: "Preview | None", baseline: Baseline | None, smoke_steps: int,
) -> "Session":  # fmt: skip
    """The session that trains `learner`: in the resumed experiment, or in a new one with its run.json.

    Args:
        lesson: whose `train.py` this is.
        args: the command line, completed by `take_up`.
        resumed: what `take_up` returned.
        learner: what is trained.
        batches: to learn from.
        network: as `network_of` gives it.
        source: the trained network that it begins with, as `take_up` returned it.
        symbols: what the network's numbers stand for, in their order.
        data: what run.json says of the data.
        skipped: why files were left out, a sentence each.
        temperature: to generate with, where `sample.py` is not told one.
        preview: of the network; None for no previews.
        baseline: what the loss is compared with; None for nothing.
        smoke_steps: where `--smoke` ends.

    Raises:
        UserError: the folder cannot be made or written to, or its checkpoint is damaged.
    """
    # Late, because TensorFlow comes with it.
    from workshop.run import unwritten
    from workshop.run.learner import WindowLearner
    from workshop.run.session import Session, Settings

    # The seed is in run.json once, among the arguments.
    network = {name: value for name, value in network.items() if name != "seed"}
    workers: Team = args.team
    make = experiment.create if workers.leads else unwritten.create
    opened = resumed or make(
        lesson.folder, args.experiment_dir, arguments=experiment.arguments(args), network=network,
        init_from=finetuning.origin_of(source, symbols, baseline) if source else None, data=msgspec.to_builtins(data),
        baseline=baseline.losses if baseline else {}, baseline_kind=baseline.kind if baseline else NGRAM,
        sampling=Sampling(temperature), message=args.message,
    )  # fmt: skip
    opened.report(skipped)
    workers.begin(opened, args, data)
    origin = opened.record.init_from
    if resumed and baseline and origin:
        baseline = dataclasses.replace(baseline, earlier=origin.ngram)
    offered = None if resumed else finetuning.offer(lesson, args, symbols, sum(data.symbols))
    if offered:
        print(offered)
    if workers.size > 1:
        assert isinstance(learner, WindowLearner), f"{lesson.name} is not divisible"
        learner.join(workers)
    return Session(
        opened, learner, batches, Settings.of(args, smoke_steps), unit=lesson.unit,
        preview=preview if workers.leads else None, baseline=baseline, resume=bool(resumed), is_trained=bool(source),
        team=workers,
    )  # fmt: skip
