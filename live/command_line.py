"""The verbs of `python -m live` and their arguments; what they do is in `live/verbs.py`."""

import argparse
import importlib

from live.limits import MAX_BLOCK, MAX_PREBUFFER
from workshop import cli
from workshop.audio.rates import sample_rate
from workshop.cli import Parser
from workshop.host.ports import LIVE, wanted_server
from workshop.notes.tempos import tempo
from workshop.quiet import quietly

#: Blocks between hearing and answering, where nothing else is said.
PREBUFFER = 2
#: The longest measurement in seconds.
MAX_SECONDS = 86_400

_block, _prebuffer, _port = cli.whole_from(1, MAX_BLOCK), cli.whole_from(1, MAX_PREBUFFER), cli.whole_from(0, 65535)
_seconds = cli.number(float, lambda v: 0 < v <= MAX_SECONDS, f"a number above 0 and at most {MAX_SECONDS}")


def _parser() -> Parser:
    parser = Parser(prog="python -m live", description="Sound goes to up to three networks, and they answer, live.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)

    def verb(name: str, words: str) -> Parser:
        made: Parser = verbs.add_parser(name, help=words, description=f"{words[:1].upper()}{words[1:]}.")
        return made

    page = verb("page", "let networks hear and answer by the microphone and the loudspeaker of a browser")
    _add_networks(page, "*", " (without any, the page passes what it hears)")
    _add_blocks(page)
    _add_others(page)
    wanted = wanted_server(LIVE)
    page.add_argument("--host", default=wanted.host, help="address to listen on")
    page.add_argument("--port", default=f"{wanted.port}", help="port to listen on")

    play = verb("play", "let networks hear and answer by the sound devices of this computer")
    _add_networks(play)
    _add_devices(play)
    _add_others(play)
    play.add_argument(
        "--midi", metavar="NAME", help="MIDI port whose controllers turn the knobs, or a part of its name"
    )
    play.add_argument("--midi_out", metavar="NAME", help="MIDI port that gets the notes that networks play")
    play.add_argument("--clock", type=tempo, metavar="TEMPO", help="give MIDI clock to that port, in beats a minute")

    check = verb("check", "pass the input to the output, with meters and without any network")
    _add_devices(check)
    check.set_defaults(experiments=[], mode="continuous", seed=0)
    verb("devices", "list the sound devices and MIDI ports of this computer")

    file = verb("file", "let networks answer a sound file, without any device")
    file.add_argument("input", metavar="IN.wav", help="the sound that they hear, in any format")
    file.add_argument("output", metavar="OUT.wav", help="the wav file that gets their answer")
    _add_networks(file)
    _add_rate(file)
    file.add_argument("--knobs", metavar="FILE.mid", help="knobs, notes and words that a recording kept")

    bench = verb("bench", "measure what this computer can do with these networks")
    _add_networks(bench)
    bench.add_argument("--blocks", type=_block, nargs="+", default=[256, 512, 1024, 2048], help="blocks to try")
    bench.add_argument("--seconds", type=_seconds, default=4.0, help="to play with each")
    bench.add_argument("--prebuffer", type=_prebuffer, default=PREBUFFER, help="blocks between hearing and answering")
    return parser


def _add_networks(parser: Parser, count: str = "+", without: str = "") -> None:
    parser.add_argument(
        "experiments",
        nargs=count,
        metavar="EXPERIMENT",
        help=f"one to three experiments, by folder or name, of any lesson but 6{without}",
    )
    parser.add_argument(
        "--mode",
        choices=("continuous", "call"),
        default="continuous",
        help="answer all the time, or after each call: when what is heard, played or typed has come to a rest",
    )
    parser.add_argument("--seed", type=cli.seed, default=0, help="the same seed, sound and knobs give the same answer")


def _add_rate(parser: Parser) -> None:
    parser.add_argument("--rate", type=sample_rate, help="samples a second; by default the highest of the networks")
    parser.add_argument(
        "--block", type=_block, help="samples that are heard at once; by default up to a thirtieth of a second"
    )


def _add_blocks(parser: Parser) -> None:
    _add_rate(parser)
    parser.add_argument("--prebuffer", type=_prebuffer, help=f"blocks to the answer; by default {PREBUFFER}")
    parser.add_argument("--forget", action="store_true", help="begin without the settings that were kept")


def _add_devices(parser: Parser) -> None:
    parser.add_argument("--input", metavar="NAME", help="sound device to hear, or a part of its name")
    parser.add_argument("--output", metavar="NAME", help="sound device to play to; null plays to none")
    _add_blocks(parser)
    parser.add_argument("--seconds", type=cli.positive, help="end after this time; by default at /quit or Ctrl-C")


def _add_others(parser: Parser) -> None:
    parser.add_argument("--mapping", metavar="FILE.json", help="which MIDI controller turns which knob")
    parser.add_argument(
        "--wait",
        choices=("beat", "bar"),
        help="let changes wait for the next beat or bar of the MIDI clock that comes in",
    )
    parser.add_argument("--osc", type=_port, metavar="PORT", help="listen to OSC on this port, such as 9000")
    parser.add_argument("--record", metavar="NAME", help="keep NAME.wav, NAME.input.wav and, of the knobs, NAME.mid")


def main(argv: list[str] | None = None) -> None:
    """Do what the command line asks for.

    Raises:
        UserError: something that was named is not there, or not possible.
    """
    args: argparse.Namespace = _parser().read(argv)
    # Late, because the networks' libraries take a while.
    with quietly():
        verbs = importlib.import_module("live.verbs")
    getattr(verbs, args.verb)(args)
