"""The one argument convention: what `train.py` and `sample.py` of every lesson understand, and how they say no.

Names have underscores and are accepted with hyphens too. Every argument has help and shows its default; older spellings
stay as hidden aliases. Nothing heavy is imported here, so that `--help` answers at once.
"""

import argparse
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from workshop.errors import UserError
from workshop.nearest import did_you_mean
from workshop.places import kept
from workshop.stopping import DEFAULT_MINUTES, MIN_MEASUREMENTS
from workshop.visible import visible_line

#: The slowest and the fastest tempo, in beats a minute.
TEMPOS = (10, 1000)
#: Sample rates that can be real; a damaged one could make any amount of sound of a small file.
RATES = range(1000, 1_000_001)
#: Stands for "not given on the command line" while arguments are parsed.
_MISSING = object()


class Formatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows every default, but not those of switches and of arguments whose help explains what happens without them."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        # By identity, because 0 is a default to be shown, and 0 == False.
        if any(action.default is hidden for hidden in (None, False, argparse.SUPPRESS)) or action.default == "":
            return action.help
        return super()._get_help_string(action)


class Parser(argparse.ArgumentParser):
    """An argument parser that answers a mistake with one sentence and knows which arguments were given."""

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("formatter_class", Formatter)
        super().__init__(allow_abbrev=False, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Print one sentence, without the usage, and exit with status 2."""
        self.exit(2, f"error: {message[:1].lower() + message[1:]} ({self.prog} --help lists all arguments)\n")

    def options(self) -> list[str]:
        """All spellings that are shown in the help."""
        return [s for a in self._actions if a.help is not argparse.SUPPRESS for s in a.option_strings]

    def alias(self, name: str, *spellings: str) -> None:
        """Accept older spellings of the argument `name` without showing them."""
        action = next(a for a in self._actions if a.dest == name)
        for spelling in spellings:
            self.add_argument(
                spelling, dest=name, type=action.type or str, default=argparse.SUPPRESS, help=argparse.SUPPRESS,
                choices=action.choices, metavar=action.metavar,
            )  # fmt: skip

    def obsolete(self, spelling: str) -> None:
        """Accept an argument of older tutorials that is not needed any more, with any value."""
        self.add_argument(spelling, default=argparse.SUPPRESS, help=argparse.SUPPRESS)

    def read(self, argv: Sequence[str] | None = None) -> argparse.Namespace:
        """Parse the command line; `given` of the result is the set of the arguments that stood on it."""
        arguments = [_with_underscores(a) for a in (sys.argv[1:] if argv is None else argv)]
        names = {a.dest: a.default for a in self._actions if a.default is not argparse.SUPPRESS}
        parsed, unknown = self.parse_known_args(arguments, argparse.Namespace(**dict.fromkeys(names, _MISSING)))
        if unknown:
            name = unknown[0].split("=")[0]
            self.error(f"there is no argument {name}{did_you_mean(name, self.options())}")
        given = {name for name in names if getattr(parsed, name) is not _MISSING}
        for name, default in names.items():
            if name not in given:
                setattr(parsed, name, default)
        parsed.given, parsed.fits = given, self.fits
        return parsed

    def fits(self, name: str, value: Any) -> bool:
        """Whether the argument `name` can have this value, which was kept in JSON."""
        action = next(a for a in self._actions if a.dest == name)
        if value is None or isinstance(action.default, bool):
            return value is action.default or isinstance(value, bool)
        try:
            read = self._get_value(action, str(value))
        except argparse.ArgumentError:
            return False
        return type(read) is type(value) and (action.choices is None or read in action.choices)


def _with_underscores(argument: str) -> str:
    """`--data-dir=x-y` as `--data_dir=x-y`; values stay as they are."""
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument.partition("=")
    return "--" + name[2:].replace("-", "_") + equals + value


def _number(kind: type, check: Callable[[Any], bool], wanted: str) -> Callable[[str], Any]:
    def convert(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not check(value):
            raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
        return value

    return convert


whole = _number(int, lambda v: v >= 0, "a whole number of at least 0")
count = _number(int, lambda v: v >= 1, "a whole number of at least 1")
seed = _number(int, lambda v: 0 <= v < 1 << 32, "a whole number from 0 to 4294967295")
not_negative = _number(float, lambda v: 0 <= v < float("inf"), "a number of at least 0")
positive = _number(float, lambda v: 0 < v < float("inf"), "a number above 0")
threshold = _number(float, lambda v: -200 <= v < 1, "a level in dB below 0, 0, or a root mean square below 1")
share = _number(float, lambda v: 0 <= v < 1, "a number from 0 up to, but not including, 1")
held_out_share = _number(float, lambda v: 0 < v < 1, "a number between 0 and 1")
tempo = _number(float, lambda v: TEMPOS[0] <= v <= TEMPOS[1], "a number from {} to {}".format(*TEMPOS))
sample_rate = _number(int, lambda v: v in RATES, f"a whole number from {RATES[0]} to {RATES[-1]}")
probability = _number(float, lambda v: 0 < v <= 1, "a number above 0 and at most 1")


def folder_or_file(text: str) -> str:
    """The word `folder`, or the path of a file as run.json keeps it."""
    return text if text == "folder" else kept(text)


#: The parts of a recurrent network.
RECURRENT = ("rnn_size", "num_layers", "cell", "dropout")


def train_parser(
    description: str, sizes: dict[str, dict[str, Any]], size: str, data: str, unit: str,
    counts: Sequence[str] = (),
) -> Parser:  # fmt: skip
    """The parser of a lesson's `train.py`, with all that the lessons have in common.

    Args:
        description: what the script does, for `--help`.
        sizes: what each value of `--size` stands for; any of it can be overridden by an argument of its own.
        size: the default size.
        data: the lesson's starter set, as a path.
        unit: what a step of the sequence is called ("characters").
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
        "--val_split", type=held_out_share, default=0.1, help="share of the data that is held out to measure with"
    )
    group.add_argument("--message", "-m", default="", help="a note kept with the run")

    group = parser.add_argument_group("network (--size sets all of it; each part can be set by itself)")
    group.add_argument(
        "--size",
        choices=sizes,
        default=size,
        help="the one dial: " + "; ".join(_size_help(n, s) for n, s in sizes.items()),
    )
    for name in counts:
        group.add_argument(f"--{name}", type=count, help=name.replace("_", " "))
    if not counts:
        _add_recurrent(parser, group)

    group = parser.add_argument_group("training")
    group.add_argument("--seq_length", type=count, help=f"{unit} in a training window")
    group.add_argument("--batch_size", type=count, help="windows trained on at once")
    group.add_argument("--learning_rate", type=positive, help="Adam's step size")
    group.add_argument(
        "--num_epochs",
        type=count,
        help="times through the data, all resumed parts together; without it, until the held-out loss stops improving",
    )
    limit = f"stop after this time; without it and --num_epochs, after {DEFAULT_MINUTES:g} minutes"
    group.add_argument("--max_minutes", type=positive, help=limit)
    patience = f"without it and --num_epochs, {MIN_MEASUREMENTS}, and more in a long training"
    group.add_argument(
        "--patience", type=count, help=f"stop after this many measurements without a new best one; {patience}"
    )
    group.add_argument(
        "--save_every",
        type=count,
        default=500,
        help="steps between checkpoints, each with a measurement on held-out data",
    )
    group.add_argument("--sample_every", type=count, default=500, help="steps between previews")
    group.add_argument("--seed", type=seed, default=0, help="the same seed, data and machine give the same run")
    group.add_argument(
        "--smoke", action="store_true", help="a run of seconds: a tiny network and a few steps, to see that all works"
    )
    parser.alias("seq_length", "--window_size", "--sample_size")
    return parser


def _add_recurrent(parser: Parser, group: Any) -> None:
    group.add_argument("--rnn_size", type=count, help="units in each recurrent layer")
    group.add_argument("--num_layers", type=count, help="recurrent layers")
    group.add_argument("--cell", choices=("lstm", "gru", "rnn"), help="kind of recurrent layer")
    group.add_argument("--dropout", type=share, help="share of each layer's outputs dropped in training")
    parser.alias("rnn_size", "--rnn_units")


def _size_help(name: str, settings: dict[str, Any]) -> str:
    if "rnn_size" in settings:
        return f"{name} = {settings['num_layers']} x {settings['rnn_size']} units"
    blocks = f"{settings['stacks']} x {settings['layers']} blocks of {settings['residual_channels']} channels"
    return f"{name} = {blocks}, {settings['sample_rate'] / 1000:g} kHz"


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
    group.add_argument("--length", "-n", type=count, default=length, help=f"{unit} to generate")
    group.add_argument(
        "--num_samples", type=count, default=num_samples, help="how many to generate, together in one batch"
    )
    group.add_argument("--out", help="file, or folder for several")

    group = parser.add_argument_group("how to choose")
    group.add_argument(
        "--temperature",
        type=positive,
        help="softmax temperature: below 1 more conservative, above 1 more random; without it, the one that its "
        "previews were drawn at",
    )
    group.add_argument("--top_k", type=count, help="choose among the k likeliest only")
    group.add_argument(
        "--top_p", type=probability, help="choose among the likeliest that together have this probability"
    )
    group.add_argument(
        "--seed",
        type=seed,
        help="the same seed gives the same sample; without it, a new one each time (printed)",
    )
    parser.alias("length", "--file_length", "--samples")
    parser.alias("num_samples", "--num_files")
    parser.alias("prime", "--prime_file", "--wav_seed")
    return parser


def say(message: str) -> None:
    """Print a line beside what a script gives out, not in it."""
    print(visible_line(message), file=sys.stderr, flush=True)


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a script's `main` and exit: the status that it returns, or 2 with one sentence after a `UserError`, or 130
    after Ctrl-C.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A text may hold characters that the terminal's own encoding lacks, and a file's name need not be text at all.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        status = main()
        sys.stdout.flush()
    except UserError as error:
        print(f"error: {visible_line(str(error))}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        # The reader of a pipe has gone (`sample.py | head`); Python would complain again when it closes standard
        # output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    sys.exit(status or 0)
