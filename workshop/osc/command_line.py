"""The server by which other programs ask trained networks for music, and turn the slots of the page of loops.

    python -m workshop.osc verse tunes

`./start.sh osc` calls this.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from workshop import cli
from workshop.audio import rates
from workshop.files import short_path
from workshop.host.ports import PLAY, class_path, read_port
from workshop.host.services import play_token
from workshop.osc import ending, kept, page, settings, slots
from workshop.osc.places import Places

#: Samples of the longest window of a Fourier transform, and beats of the longest loop.
MAX_WINDOW, MAX_BEATS = 1 << 16, 1024


def _parser() -> cli.Parser:
    parser = cli.Parser(prog="python -m workshop.osc", description="Other programs ask trained networks by OSC.")
    parser.add_argument(
        "experiments",
        nargs="*",
        metavar="EXPERIMENT",
        help="experiments, by folder or name, of any lesson, or an ONNX file: one of texts, one of notes, one of sound "
        "and one of loops at most; with none, only the slots of the page of loops are there",
    )
    group = parser.add_argument_group("an ONNX file of a generator of loops that says nothing of itself")
    group.add_argument(
        "--power", type=cli.positive, help="exponent that turns values of its pictures into magnitudes; by default 3"
    )
    window, beats = cli.whole_from(1, MAX_WINDOW), cli.whole_from(1, MAX_BEATS)
    group.add_argument("--n_fft", type=window, help="samples of a window; by default twice the rows of a picture")
    group.add_argument("--beats", type=beats, help="beats in a loop; by default one each 8,192 samples")
    group.add_argument("--rate", type=rates.sample_rate, help="samples a second; by default 43,691")
    settings.add_arguments(parser, "data/generated/osc")
    return parser


def main(argv: list[str] | None = None) -> None:
    """Serve until Ctrl-C.

    Raises:
        UserError: an experiment is missing or damaged, a folder is not there, or the port is in use.
    """
    args: argparse.Namespace = _parser().read(argv)
    places, port = Places.of_this_process(), read_port(args.port, "--port")
    with settings.delivery_of(args.answer_to, port) as deliver:
        files = kept.Kept(settings.allowed(args.allow, places), places, most=args.keep)
        _serve(args, places, files, deliver, port)
    # What is being generated cannot be interrupted, and there is nothing to save.
    os._exit(0)


def _serve(
    args: argparse.Namespace, places: Places, files: kept.Kept, deliver: Callable[[bytes], None], port: int
) -> None:
    from workshop.osc import onnx_loops, opening, serving  # late, because the networks' libraries take a while

    def opened(name: str) -> onnx_loops.Loops:
        return onnx_loops.opened(Path(name), args.power, args.n_fft, args.beats, args.rate)

    nets = opening.loaded(args.experiments, opened)
    ended = ending.asked()
    more = slots.routes(page.OpenPages(play_token()))
    with serving.serve(nets, files, deliver, args.host, port, more) as server:
        told = settings.in_words(args.answer_to)
        cli.say(f"listening to OSC on {args.host}:{server.port} (UDP), and answering to {told}; Ctrl-C ends it")
        if not nets:
            cli.say("no network is named, so only the slots of the page of loops (/slots, /slot/1) can be reached")
        cli.say(f"files go to {places.outward(short_path(files.folder))}")
        if class_path(PLAY):
            cli.say("in a class only programs in this container of yours reach it")
        elif args.host not in ("127.0.0.1", "::1", "localhost") and not places.is_elsewhere:
            cli.say("every computer that reaches this address can ask: OSC knows no password")
        ending.wait(ended)
