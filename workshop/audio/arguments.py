"""The arguments that the lessons about sound have in common, besides those of every lesson."""

from workshop import cli
from workshop.audio import rates
from workshop.audio.quantisation import MU_LAW, QUANTISATIONS
from workshop.cli import Parser
from workshop.lessons import Lesson
from workshop.run import arguments

#: Length of a sound in seconds where none is asked for.
SECONDS = 3


def train_parser(description: str, lesson: Lesson) -> Parser:
    """The parser of a lesson's `train.py`, with what decides how sound files are read."""
    parser = arguments.train_parser(description, lesson)
    group = parser.add_argument_group("sound")
    group.add_argument("--sample_rate", type=rates.sample_rate, help="samples a second; other files are resampled")
    silence = "leave out what is quieter at both ends: dB below the file's loudest moment, such as -40; 0: nothing"
    group.add_argument("--silence_threshold", type=rates.threshold, default=0.0, help=silence)
    return parser


def learn_conditions(parser: Parser) -> None:
    """Let `train.py` learn sounds by name."""
    wanted = "learn sounds by name: `folder`, each subfolder a name, or a JSON file that names one for each file"
    group = parser.add_argument_group("sounds by name")
    group.add_argument("--condition", type=cli.folder_or_file, metavar="folder|FILE.json", help=wanted)


def choose_quantisation(parser: Parser) -> None:
    """Let `train.py` choose what the 256 levels of a sample are."""
    wanted = "mu-law: 256 levels, close together near silence; linear: at equal distances, as in a WAV file of 8 bits"
    group = parser.add_argument_group("levels")
    group.add_argument("--quantisation", choices=QUANTISATIONS, default=MU_LAW.name, help=wanted)


def ask_for_condition(parser: Parser) -> None:
    """Let `sample.py` make a sound that is known by name."""
    group = parser.add_argument_group("sounds by name")
    group.add_argument("--condition", metavar="NAME", help="which of the sounds it learnt by name; else all in turn")


def sample_parser(description: str, prime_help: str = "sound file to go on from", seconds: float = SECONDS) -> Parser:
    """The parser of a lesson's `sample.py`, with what decides how sound is written.

    Args:
        description: what the script does, for `--help`.
        prime_help: what `--prime` takes in this lesson.
        seconds: how long a sound is that nothing else is said of.
    """
    parser = arguments.sample_parser(description, None, "samples", prime_help)
    parser.alias("out", "--wav_out", "--wav_out_path")
    group = parser.add_argument_group("sound")
    group.add_argument(
        "--seconds", type=cli.positive, help=f"the same as --length, in seconds; without both, {seconds:g}"
    )
    group.add_argument("--with_prime", action="store_true", help="begin the file with the sound that it goes on from")
    group.add_argument("--save_every", type=cli.count, default=16000, help="samples between two writings of the files")
    group.add_argument("--png", action="store_true", help="draw waveform and spectrogram too")
    return parser
