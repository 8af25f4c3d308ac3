"""Fine-tuning: a training that begins with the weights of a trained network (`--init_from`), not with random ones.

The network keeps its shape, and the data its representation; the vocabulary may be another one. Once begun, such a
training is like any other: `--resume` does not need the trained network any more.
"""

import argparse
import contextlib
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workshop.commands import command
from workshop.errors import UserError
from workshop.lessons import Lesson
from workshop.networks.vocabularies import give_weights
from workshop.places import found, kept
from workshop.run import experiment, pretrained, trained
from workshop.run.baseline import Baseline
from workshop.run.experiment import Experiment
from workshop.run.record import Origin
from workshop.run.trained import Trained
from workshop.visible import visible_line
from workshop.words import plural

#: Adam's step size in fine-tuning, as a share of that for training from nothing. Measured on 17 KB of songs, from a
#: network of 2 x 384 units that has read verse: with 0.1 the held-out loss gets as low, in three times the steps; with
#: 1 it is less low, reached in 20 steps, and has risen again when it is first measured.
LEARNING_RATE_SHARE = 0.3
#: Earlier data of more symbols is not read and counted.
MAX_EARLIER = 10_000_000
#: Arguments of a network that have no weights, so that fine-tuning may change them.
WITHOUT_WEIGHTS = ("dropout",)


def source_of(lesson: Lesson, args: argparse.Namespace) -> Trained | None:
    """The trained network that `--init_from` names, or None; the arguments that it decides are filled in.

    Args:
        lesson: whose `train.py` this is.
        args: the command line; it is changed.

    Raises:
        UserError: there is no such network, it is damaged, or an argument contradicts it.
    """
    if args.init_from is None:
        return None
    # Without a name `find` would take the newest experiment: an empty one means the current folder.
    source = trained.of(lesson, experiment.find(lesson.folder, args.init_from or "."))
    _take_over(lesson, args, source.experiment)
    return source


def _take_over(lesson: Lesson, args: argparse.Namespace, source: Experiment) -> None:
    """Fill in what the weights of a trained network decide, and the lower learning rate.

    Raises:
        UserError: an argument contradicts them, and is named.
    """
    names = ("network", *lesson.network, *lesson.representation)
    saved = experiment.saved_arguments(args, source, ("size", *names))
    # --size stands for the values of its parts, unless they are given by themselves.
    asked = dict(lesson.sizes[args.size]) if "size" in args.given else {}
    asked |= {name: getattr(args, name) for name in args.given}
    for name in names:
        if name in asked and name in WITHOUT_WEIGHTS:
            setattr(args, name, asked[name])
        elif name in asked and asked[name] != saved[name]:
            size = "" if name in args.given else f"--size {args.size}, which means "
            raise UserError(
                f"{size}--{name} {asked[name]} contradicts the trained network {source.path}, which has {saved[name]}: "
                "leave it out, or train from nothing with --init_from none"
            )
        else:
            setattr(args, name, saved[name])
    if "size" not in args.given:
        args.size = saved["size"]
        args.given.add("size")  # so that --smoke does not take another one
    if args.learning_rate is None:
        args.learning_rate = round(LEARNING_RATE_SHARE * lesson.sizes[args.size]["learning_rate"], 6)


def check_resumed(args: argparse.Namespace, resumed: Experiment) -> None:
    """Refuse `--init_from` beside `--resume`, unless it names what the run began with.

    Raises:
        UserError: it names something else.
    """
    origin = resumed.record.init_from
    began = origin.path if origin else None
    # Told by the text alone, because the trained network may be gone: its path, or the name that it was found by.
    same = (kept(args.init_from), args.init_from) if args.init_from else (None,)
    if "init_from" in args.given and began not in same and (began and Path(began).name) not in same:
        raise UserError(
            f"--init_from {args.init_from or 'none'} contradicts the experiment {resumed.path}, which began with "
            f"{began or 'none'}: leave it out to go on, or train again without --resume"
        )


def earlier_data(args: argparse.Namespace, source: Trained | None, symbols: Sequence[Hashable]) -> np.ndarray | None:
    """The data that a trained network was trained on, in the numbers of the new symbols, for an n-gram to count it too:
    [N]; None without a network, or where its data is not there any more or is too much to count quickly.

    Args:
        args: the command line.
        source: the trained network.
        symbols: those of the new data, in the order of their numbers.
    """
    record = source.experiment.record if source else None
    place = found(record.data["path"], record.lesson) if record else None
    if not source or not record or not place or sum(record.data["symbols"]) > MAX_EARLIER:
        return None
    with contextlib.suppress(UserError):
        saved = experiment.saved_arguments(args, source.experiment, source.lesson.fixed)
        numbers, fingerprint = source.training_data(place, saved, symbols)
        if fingerprint == record.data["fingerprint"]:
            return numbers
    return None


def initialise(model: Any, source: Trained | None, symbols: Sequence[Hashable]) -> None:
    """Give a new network the weights of a trained one, and say so; without one it keeps its random weights.

    Args:
        model: the new network.
        source: the trained network.
        symbols: those of the new data, in the order of their numbers.

    Raises:
        UserError: the networks do not have the same layers, or the checkpoint is damaged.
    """
    if source is None:
        return
    give_weights(source.network_for(symbols), model, source.symbols, symbols)
    origin = origin_of(source, symbols)
    known = f"; {origin.shared:,} of {plural(len(symbols), source.symbol)} known" if symbols else ""
    new = f", {origin.new:,} new begin at the mean" if origin.new else ""
    print(visible_line(f"  begins with the weights of {source.experiment.path} (step {source.step:,}){known}{new}"))


def origin_of(source: Trained, symbols: Sequence[Hashable], baseline: Baseline | None = None) -> Origin:
    """What run.json says of the trained network that a training began with."""
    shared = len(set(source.symbols).intersection(symbols))
    record = source.experiment.record
    return Origin(
        kept(source.experiment.path), record.created, source.step, record.data["fingerprint"], shared,
        len(symbols) - shared, baseline.earlier if baseline else None,
    )  # fmt: skip


def offer(lesson: Lesson, args: argparse.Namespace, symbols: Sequence[Hashable], amount: int) -> str | None:
    """A line that offers fine-tuning for little data: of the trained networks that there are, the one that knows most
    of the symbols; None where the data is not little, there is none, or `--init_from` was given.

    Args:
        lesson: whose `train.py` this is.
        args: the command line, completed.
        symbols: those of the data, in the order of their numbers.
        amount: how much data there is, in the lesson's unit.
    """
    if "init_from" in args.given or amount >= lesson.little:
        return None
    fitting: list[Trained] = []
    for folder in pretrained.networks(lesson):
        with contextlib.suppress(UserError):
            source = trained.of(lesson, experiment.find(lesson.folder, str(folder)))
            saved = experiment.saved_arguments(args, source.experiment, lesson.representation)
            if all(getattr(args, name) == value for name, value in saved.items()):
                fitting.append(source)
    if not fitting:
        return None
    best = max(fitting, key=lambda source: origin_of(source, symbols).shared)
    name = best.experiment.path.name
    typed = command(lesson.folder / "train.py", "--data_dir", Path(args.data_dir), "--init_from", name)
    return f"this is little data: a network that is trained already learns more from it: {typed}"
