"""The one argument convention: what `train.py` and `sample.py` of every lesson have in common."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from workshop import cli
from workshop.cli import Parser
from workshop.run import old_arguments
from workshop.run.stopping import DEFAULT_MINUTES, MIN_MEASUREMENTS

#: The parts of a recurrent network.
RECURRENT = ("rnn_size", "num_layers", "cell", "dropout")


def train_parser(
    description: str, sizes: dict[str, dict[str, Any]], size: str, data: str, unit: str,
    in_words: Callable[[dict[str, Any]], str], counts: Sequence[str] = (),
) -> Parser:  # fmt: skip
    """The parser of a lesson's `train.py`, with all that the lessons have in common.

    Args:
        description: what the script does, for `--help`.
        sizes: what each value of `--size` stands for; any of it can be overridden by an argument of its own.
        size: the default size.
        data: the lesson's starter set, as a path.
        unit: what a step of the sequence is called ("characters").
        in_words: what a size stands for, for `--help`, such as `recurrent`.
        counts: names of the parts of a network that is not recurrent; all are whole numbers.
    """
    parser = Parser(description=description)
    group = parser.add_argument_group("data and results")
    group.add_argument("--data_dir", default=data, help="folder, or one file, to learn from")
    group.add_argument(
        "--experiment_dir",
        help="where everything of this run goes; without it, the next free experiments/NN beside the script",
    )
    group.add_argument(
        "--resume", action="store_true", help="go on with that experiment, or else the newest, exactly where it stopped"
    )
    group.add_argument(
        "--val_split", type=cli.held_out_share, default=0.1, help="share of the data that is held out to measure with"
    )
    group.add_argument("--message", "-m", default="", help="a note kept with the run")

    group = parser.add_argument_group("network (--size sets all of it; each part can be set by itself)")
    group.add_argument(
        "--size",
        choices=sizes,
        default=size,
        help="the one dial: " + "; ".join(f"{name} = {in_words(parts)}" for name, parts in sizes.items()),
    )
    group.add_argument("--network", metavar="NAME", default="default", help="one of NETWORKS in the lesson's model.py")
    for name in counts:
        group.add_argument(f"--{name}", type=cli.count, help=name.replace("_", " "))
    if not counts:
        _add_recurrent(parser, group)

    group = parser.add_argument_group("training")
    group.add_argument("--seq_length", type=cli.count, help=f"{unit} in a training window")
    group.add_argument("--batch_size", type=cli.count, help="windows trained on at once")
    group.add_argument("--learning_rate", type=cli.positive, help="Adam's step size")
    group.add_argument(
        "--num_epochs",
        type=cli.count,
        help="times through the data, all resumed parts together; without it, until the held-out loss stops improving",
    )
    limit = f"stop after this time; without it and --num_epochs, after {DEFAULT_MINUTES:g} minutes"
    group.add_argument("--max_minutes", type=cli.positive, help=limit)
    patience = f"without it and --num_epochs, {MIN_MEASUREMENTS}, and more in a long training"
    group.add_argument(
        "--patience", type=cli.count, help=f"stop after this many measurements without a new best one; {patience}"
    )
    group.add_argument(
        "--save_every",
        type=cli.count,
        default=500,
        help="steps between checkpoints, each with a measurement on held-out data",
    )
    group.add_argument("--sample_every", type=cli.count, default=500, help="steps between previews")
    group.add_argument("--seed", type=cli.seed, default=0, help="the same seed, data and machine give the same run")
    group.add_argument(
        "--smoke", action="store_true", help="a run of seconds: a tiny network and a few steps, to see that all works"
    )
    old_arguments.accept(parser, old_arguments.TRAIN_ALIASES, old_arguments.TRAIN)
    return parser


def _add_recurrent(parser: Parser, group: Any) -> None:
    group.add_argument("--rnn_size", type=cli.count, help="units in each recurrent layer")
    group.add_argument("--num_layers", type=cli.count, help="recurrent layers")
    group.add_argument("--cell", choices=("lstm", "gru", "rnn"), help="kind of recurrent layer")
    group.add_argument("--dropout", type=cli.share, help="share of each layer's outputs dropped in training")


def recurrent(parts: dict[str, Any]) -> str:
    """The size of a recurrent network in words."""
    return f"{parts['num_layers']} x {parts['rnn_size']} units"


def apply_size(args: argparse.Namespace, sizes: dict[str, dict[str, Any]], names: Sequence[str]) -> None:
    """Fill in from `--size` what was not given by itself; `--smoke` means the smallest size unless one was asked
    for, and previews early enough to see one.
    """
    if args.smoke and "size" not in args.given:
        args.size = next(iter(sizes))
    if args.smoke and "sample_every" not in args.given:
        args.sample_every = 10
    for name in names:
        if getattr(args, name) is None:
            setattr(args, name, sizes[args.size][name])


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
    group = parser.add_argument_group("what to generate from")
    group.add_argument("--experiment_dir", help="the experiment to sample from; without it, the newest")
    group.add_argument(
        "--checkpoint",
        choices=("best", "latest"),
        default="best",
        help="its best state on held-out data, or its latest",
    )
    group.add_argument("--prime", help=prime_help)

    group = parser.add_argument_group("how much, and where to")
    group.add_argument("--length", "-n", type=cli.count, default=length, help=f"{unit} to generate")
    group.add_argument(
        "--num_samples", type=cli.count, default=num_samples, help="how many to generate, together in one batch"
    )
    group.add_argument("--out", help="file, or folder for several")

    group = parser.add_argument_group("how to choose")
    group.add_argument(
        "--temperature",
        type=cli.positive,
        help="softmax temperature: below 1 more conservative, above 1 more random; without it, the one that its "
        "previews were drawn at",
    )
    group.add_argument("--top_k", type=cli.count, help="choose among the k likeliest only")
    group.add_argument(
        "--top_p", type=cli.probability, help="choose among the likeliest that together have this probability"
    )
    group.add_argument(
        "--seed",
        type=cli.seed,
        help="the same seed gives the same sample; without it, a new one each time (printed)",
    )
    old_arguments.accept(parser, old_arguments.SAMPLE_ALIASES, old_arguments.SAMPLE)
    return parser
