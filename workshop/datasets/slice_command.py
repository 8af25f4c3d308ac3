"""Cut songs into slices for a network that makes loops: all at one tempo, of one length, each beginning on a beat.

    python -m workshop.datasets slice data/audio/SONGS --bpm 160 --beats 4

Where --bpm, the tempo of the songs, is left out, it is found for each of them. Each song is stretched in time to the
tempo of --to_bpm, and laid onto an even grid beat by beat, so that a tempo that drifts does not.
"""

import argparse
from pathlib import Path

from workshop import cli


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    whole = cli.whole_from(1, 64)
    tempo = cli.number(float, lambda v: 30 <= v <= 400, "beats a minute, from 30 to 400")
    side = cli.number(int, lambda v: 16 <= v <= 1024 and v % 16 == 0, "a multiple of 16, from 16 to 1024")
    parser.add_argument("songs", metavar="SONGS", type=Path, help="a folder of songs, in any format, or one of them")
    parser.add_argument("--bpm", type=tempo, help="tempo of the songs, beats a minute (default: found for each)")
    parser.add_argument("--to_bpm", type=tempo, help="tempo of the slices (default: --bpm, else the middle one found)")
    parser.add_argument("--beats", type=whole, default=4, help="beats of a slice (default: %(default)s)")
    parser.add_argument("--jump", type=whole, help="beats from one slice to the next (default: --beats)")
    parser.add_argument(
        "--sample_rate", type=cli.number(int, lambda v: 4000 <= v <= 96000, "samples a second, from 4000 to 96000"),
        default=22_050, help="samples a second (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, help="folder of the slices (default: SONGS with _slices behind its name)")
    parser.add_argument(
        "--check", type=Path, metavar="FILE",
        help="write one slice, its picture and the sound from it instead: FILE.wav, FILE.png, FILE_again.wav",
    )  # fmt: skip
    parser.add_argument("--frames", type=side, default=128, help="of the picture of --check (default: %(default)s)")
    parser.add_argument("--bands", type=side, default=256, help="of the picture of --check (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Cut the songs, or check one slice.

    Raises:
        UserError: as `slicing.run` says.
    """
    from workshop.datasets import slicing  # it imports NumPy, for which the other verbs do not wait

    return slicing.run(arguments)
