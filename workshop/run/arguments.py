"""The one argument convention: what `train.py` and `sample.py` of every lesson have in common."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workshop import cli, settings_files
from workshop.cli import Parser
from workshop.lessons import Lesson
from workshop.run import old_arguments
from workshop.run.stopping import DEFAULT_MINUTES, MIN_MEASUREMENTS

#: Samples that are generated in one batch, and processes that train together: more would only fill the memory.
MAX_AT_ONCE, MAX_WORKERS = 10_000, 256

#: Weights are in single precision, which has no larger numbers.
MAX_LEARNING_RATE = 3e38

#: The arguments of a recurrent network.
RECURRENT = ("rnn_size", "num_layers", "cell", "dropout")


def train_parser(description: str, lesson: Lesson) -> Parser:
    """The parser of a lesson's `train.py`, with all that the lessons have in common.

    Args:
        description: what the script does, for `--help`.
        lesson: its record.
    """
    parser = Parser(description=description)
    group = parser.add_argument_group("data and results")
    group.add_argument("--data_dir", default=lesson.starter_path, help="folder or file to train on")
    group.add_argument(
        "--experiment_dir",
        help="folder of this run; by default the next free experiments/NN beside the script",
    )
    group.add_argument(
        "--resume",
        action="store_true",
        help="resume the latest run, or --experiment_dir, exactly from its last checkpoint",
    )
    begin = "begin with the weights of a trained network, by the name or folder of its experiment (fine-tuning)"
    group.add_argument("--init_from", type=_name_or_none, metavar="NAME|FOLDER", help=f"{begin}; none: random weights")
    group.add_argument(
        "--val_split", type=cli.held_out_share, default=0.1, help="share of the data held out for validation"
    )
    group.add_argument("--message", "-m", default="", help="a note saved with the run")
    _accept_settings(parser, group, lambda file, content: _arguments_of_run(file, content, lesson))

    parser.parts = {"size": {part for parts in lesson.sizes.values() for part in parts}}
    sizes = "; ".join(f"{name} = {lesson.size_words.format(**parts)}" for name, parts in lesson.sizes.items())
    group = parser.add_argument_group("network (--size sets all of it; each part can be set by itself)")
    group.add_argument(
        "--size",
        choices=lesson.sizes,
        default=lesson.size,
        help=f"preset: {sizes}",
    )
    group.add_argument("--network", metavar="NAME", default="default", help="one of NETWORKS in the lesson's model.py")
    if lesson.network == RECURRENT:
        _add_recurrent(group)
    else:
        for name in lesson.network:
            kind = cli.share if name == "dropout" else cli.count
            group.add_argument(f"--{name}", type=kind, help=name.replace("_", " "))

    group = parser.add_argument_group("training")
    group.add_argument("--seq_length", type=cli.count, help=f"{lesson.unit} per training window")
    group.add_argument("--batch_size", type=cli.count, help="windows per batch")
    group.add_argument("--learning_rate", type=_learning_rate, help="Adam's step size")
    group.add_argument(
        "--num_epochs",
        type=cli.count,
        help="passes over the data, resumed runs included; by default until the held-out loss stops improving",
    )
    limit = f"time limit in minutes; by default {DEFAULT_MINUTES:g}, or with --num_epochs no limit"
    group.add_argument("--max_minutes", type=cli.positive, help=limit)
    patience = f"by default {MIN_MEASUREMENTS} or more, growing with the training, or with --num_epochs no limit"
    group.add_argument(
        "--patience", type=cli.count, help=f"stop after this many validations without a new best loss; {patience}"
    )
    group.add_argument(
        "--save_every",
        type=cli.count,
        default=500,
        help="steps between checkpoints; each measures the loss on held-out data",
    )
    group.add_argument("--sample_every", type=cli.count, default=500, help="steps between previews")
    keep = "also keep the weights every KEEP_EVERY steps, for sample.py --checkpoint STEP; each checkpoint takes "
    group.add_argument("--keep_every", type=cli.count, help=f"{keep}4 bytes per weight")
    group.add_argument("--seed", type=cli.seed, default=0, help="the same seed, data and machine give the same run")
    workers = "processes that train together on this computer, each on its part of a batch; with GPUs, one for each"
    group.add_argument("--workers", type=_workers, help=workers)
    group.add_argument("--smoke", action="store_true", help="a quick test: a tiny network and a few steps")
    old_arguments.accept(parser, old_arguments.TRAIN_ALIASES, old_arguments.TRAIN)
    return parser


def _accept_settings(parser: Parser, group: Any, of_run: Callable[[Path, dict[str, Any]], Mapping[str, Any]]) -> None:
    """Give a parser its `--config`; `of_run` gives the arguments that an experiment's run.json stands for."""
    settings = "settings file (.yml or .json) with names and values of arguments, or an experiment's run.json"
    group.add_argument("--config", metavar="FILE", help=f"{settings}; what is typed here wins")

    def read(file: Path) -> Mapping[str, Any]:
        content = settings_files.read(file)
        is_run = isinstance(content.get("arguments"), dict) and "lesson" in content
        return settings_files.flat(dict(of_run(file, content)) if is_run else content)

    parser.read_settings = read


def _arguments_of_run(file: Path, content: dict[str, Any], lesson: Lesson) -> dict[str, Any]:
    """The arguments with which an experiment was trained, by its run.json.

    Raises:
        UserError: it is damaged, or another lesson's.
    """
    # Late, so that --help is quick.
    from workshop.places import found
    from workshop.run import experiment

    def here(path: str) -> str:
        return str(found(path, lesson.name) or path)

    record = experiment.record_of(content, file, lesson.name)
    given = {"data_dir": here(record.data["path"]), "message": record.message}
    return record.arguments | given | ({"init_from": here(record.init_from.path)} if record.init_from else {})


def _name_or_none(text: str) -> str | None:
    return None if text == "none" else text


def _add_recurrent(group: Any) -> None:
    group.add_argument("--rnn_size", type=cli.count, help="units in each recurrent layer")
    group.add_argument("--num_layers", type=cli.count, help="recurrent layers")
    group.add_argument("--cell", choices=("lstm", "gru", "rnn"), help="kind of recurrent layer")
    group.add_argument("--dropout", type=cli.share, help="share of each layer's outputs dropped in training")


def apply_size(args: argparse.Namespace, lesson: Lesson) -> None:
    """Fill in from `--size` what was not given by itself; `--smoke` means the smallest size unless one was asked
    for, and previews early enough to see one.
    """
    if args.smoke and "size" not in args.given:
        args.size = next(iter(lesson.sizes))
    if args.smoke and "sample_every" not in args.given:
        args.sample_every = 10
    for name, value in lesson.sizes[args.size].items():
        if getattr(args, name) is None:
            setattr(args, name, value)


def checkpoint_name(text: str) -> str | int:
    """An argument type: `best`, `latest`, or the number of a step, also as the programs print it (12,000)."""
    return text if text in ("best", "latest") else _step(text.replace(",", ""))


_step = cli.number(int, lambda v: v >= 0, "best, latest or the number of a step")
_learning_rate = cli.number(
    float, lambda v: 0 < v <= MAX_LEARNING_RATE, f"a number above 0 and at most {MAX_LEARNING_RATE}"
)
_workers, _samples = cli.whole_from(1, MAX_WORKERS), cli.whole_from(1, MAX_AT_ONCE)


def sample_parser(description: str, length: int | None, unit: str, prime_help: str, num_samples: int = 1) -> Parser:
    """The parser of a lesson's `sample.py`, with all that the lessons have in common.

    Args:
        description: what the script does, for `--help`.
        length: default of `--length`, in `unit`.
        unit: what a step of the sequence is called ("characters").
        prime_help: what `--prime` takes in this lesson.
        num_samples: default of `--num_samples`.
    """
    parser = Parser(description=description)
    group = parser.add_argument_group("model and prompt")
    group.add_argument("--experiment_dir", help="the experiment to sample from; by default the latest")
    group.add_argument(
        "--checkpoint",
        type=checkpoint_name,
        default="best",
        metavar="best|latest|STEP",
        help="the best on held-out data, the latest, or that of a step which train.py --keep_every kept",
    )
    group.add_argument("--prime", help=prime_help)
    _accept_settings(parser, group, lambda file, content: {"experiment_dir": str(file.parent)})

    group = parser.add_argument_group("output")
    group.add_argument("--length", "-n", type=cli.count, default=length, help=f"{unit} to generate")
    group.add_argument(
        "--num_samples", type=_samples, default=num_samples, help="number of samples, generated in one batch"
    )
    group.add_argument("--out", help="output file, or folder for several samples")

    group = parser.add_argument_group("sampling")
    group.add_argument(
        "--temperature",
        type=cli.positive,
        help="sampling temperature: below 1 more conservative, above 1 more random; by default that of the "
        "training's previews",
    )
    group.add_argument("--top_k", type=cli.count, help="sample only from the k most likely symbols")
    group.add_argument(
        "--top_p",
        type=cli.probability,
        help="nucleus sampling: sample only from the most likely symbols that together have this probability",
    )
    group.add_argument(
        "--seed",
        type=cli.seed,
        help="the same seed gives the same sample; by default a new seed each time, printed",
    )
    old_arguments.accept(parser, old_arguments.SAMPLE_ALIASES, old_arguments.SAMPLE)
    return parser
