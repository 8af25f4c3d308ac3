"""The verbs of `python -m live`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workshop import cli
from workshop.cli import Parser

#: Samples in a block, and blocks between hearing and answering, where nothing else is said.
BLOCK, PREBUFFER = 512, 2


def _parser() -> Parser:
    parser = Parser(prog="python -m live", description="Sound goes to up to three networks, and they answer, live.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)

    def verb(name: str, run: Callable[[argparse.Namespace], None], words: str) -> Parser:
        made: Parser = verbs.add_parser(name, help=words, description=f"{words[:1].upper()}{words[1:]}.")
        made.set_defaults(run=run)
        return made

    file = verb("file", _file, "let networks answer a sound file, without any device")
    file.add_argument("input", metavar="IN.wav", help="the sound that they hear, in any format")
    file.add_argument("output", metavar="OUT.wav", help="the wav file that gets their answer")
    _add_networks(file)
    file.add_argument("--knobs", metavar="FILE.mid", help="knobs, notes and words that a recording kept")

    bench = verb("bench", _bench, "measure what this computer can do with these networks")
    _add_networks(bench, block=False)
    bench.add_argument("--blocks", type=cli.count, nargs="+", default=[256, 512, 1024, 2048], help="blocks to try")
    bench.add_argument("--seconds", type=cli.positive, default=4.0, help="to play with each")
    bench.add_argument("--prebuffer", type=cli.count, default=PREBUFFER, help="blocks between hearing and answering")
    return parser


def _add_networks(parser: Parser, block: bool = True) -> None:
    parser.add_argument(
        "experiments",
        nargs="+",
        metavar="EXPERIMENT",
        help="one to three experiments, by folder or name, of any lesson",
    )
    parser.add_argument(
        "--mode", choices=("continuous", "call"), default="continuous",
        help="answer all the time, or after each call: when what is heard, played or typed has come to a rest",
    )  # fmt: skip
    parser.add_argument("--seed", type=cli.seed, default=0, help="the same seed, sound and knobs give the same answer")
    if block:
        parser.add_argument("--rate", type=cli.count, help="samples a second; by default the highest of the networks")
        parser.add_argument("--block", type=cli.count, default=BLOCK, help="samples that are heard at once")


def _file(args: argparse.Namespace) -> None:
    from live import files, networks, recording
    from live.room import Room

    happenings = recording.read_happenings(Path(args.knobs)) if args.knobs else {}
    voices = networks.opened(args.experiments, args.mode, args.seed)
    rate = args.rate or networks.common_rate(voices)
    samples = recording.read_sound(Path(args.input), rate)
    with Room(voices, rate, args.block, 0) as room:
        answer = files.rendered(room, samples, happenings)
    files.write_sound(Path(args.output), answer, rate)
    print(args.output)
    cli.say(f"{len(answer) / rate:.2f} s at {rate:,} Hz, seed {args.seed}")


def _bench(args: argparse.Namespace) -> None:
    from live import bench, networks

    voices = networks.opened(args.experiments, args.mode, args.seed)
    groups: list[Any] = [[voice] for voice in voices] + ([voices] if len(voices) > 1 else [])
    cli.say(f"playing for {len(groups) * len(args.blocks) * args.seconds:.0f} s, in silence ...")
    results = [
        bench.measure(group, block, args.prebuffer, args.seconds) for group in groups for block in sorted(args.blocks)
    ]
    for line in bench.table(results, args.prebuffer):
        print(line)


def main(argv: list[str] | None = None) -> None:
    """Do what the command line asks for.

    Raises:
        UserError: something that was named is not there.
    """
    args = _parser().read(argv)
    args.run(args)
