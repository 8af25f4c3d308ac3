"""The server by which other programs ask trained networks for music.

    python -m workshop.osc verse tunes

`./start.sh osc` calls this.
"""

import argparse
import os
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from workshop import cli
from workshop.audio import rates
from workshop.errors import UserError
from workshop.files import short_path
from workshop.host.ports import OSC_PORT, OSC_VARIABLE, read_port
from workshop.osc import delivery, kept
from workshop.osc.places import Places

#: Where answers go unless another place is named: where the clients of TechnoGAN listen.
ANSWER_TO = "127.0.0.1:10101"
#: What `--answer_to` is in the container, from where this computer's own ports cannot be reached.
OUTPUT = "output"


def _parser() -> cli.Parser:
    parser = cli.Parser(prog="python -m workshop.osc", description="Other programs ask trained networks by OSC.")
    parser.add_argument(
        "experiments",
        nargs="+",
        metavar="EXPERIMENT",
        help="experiments, by folder or name, of any lesson, or an ONNX file: one of texts, one of notes, one of sound "
        "and one of loops at most",
    )
    group = parser.add_argument_group("an ONNX file of a generator of loops that says nothing of itself")
    group.add_argument("--power", type=cli.positive, help="of the values of its pictures; by default 3")
    group.add_argument("--n_fft", type=cli.count, help="samples of a window; by default twice the rows of a picture")
    group.add_argument("--beats", type=cli.count, help="in a loop; by default one each 8,192 samples")
    group.add_argument("--rate", type=rates.sample_rate, help="samples a second; by default 43,691")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    port = os.environ.get(OSC_VARIABLE) or str(OSC_PORT)
    parser.add_argument("--port", default=port, help="UDP port to listen on")
    parser.add_argument(
        "--answer_to",
        default=ANSWER_TO,
        metavar="HOST:PORT",
        help="where all answers go; a port is one of this computer",
    )
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="FOLDER",
        help="a folder that files may go to and prompts be read from, besides data/generated/osc; may be given again",
    )
    parser.add_argument("--keep", type=cli.count, default=kept.MOST, help="files that are kept: the newest")
    return parser


def _delivery(answer_to: str, port: int) -> AbstractContextManager[Callable[[bytes], None]]:
    """What sends the answers, until the block ends.

    Raises:
        UserError: it is no address, or the server's own.
    """
    if answer_to == OUTPUT:
        return nullcontext(delivery.to_output)
    there, at = delivery.read_address(answer_to)
    if at == port and there in ("127.0.0.1", "localhost", "::1"):
        raise UserError(f"--answer_to {answer_to} is where the server itself listens: give another port")
    return delivery.ToPort(there, at)


def _allowed(folders: list[str], places: Places) -> list[Path]:
    """The folders of `--allow`.

    Raises:
        UserError: one is not there, or cannot be seen from the container.
    """
    found = [places.inward(folder) for folder in folders]
    for folder, text in zip(found, folders, strict=True):
        if not folder.is_dir():
            seen = f", and the container sees what is in {places.there} alone" if places.is_elsewhere else ""
            raise UserError(f"--allow {text}: there is no such folder{seen}")
    return found


def main(argv: list[str] | None = None) -> None:
    """Serve until Ctrl-C.

    Raises:
        UserError: an experiment is missing or damaged, a folder is not there, or the port is in use.
    """
    args: argparse.Namespace = _parser().read(argv)
    places, port = Places.of_this_process(), read_port(args.port, "--port")
    with _delivery(args.answer_to, port) as deliver:
        files = kept.Kept(_allowed(args.allow, places), places, most=args.keep)
        _serve(args, places, files, deliver, port)
    # What is being generated cannot be interrupted, and there is nothing to save.
    os._exit(0)


def _serve(
    args: argparse.Namespace, places: Places, files: kept.Kept, deliver: Callable[[bytes], None], port: int
) -> None:
    from workshop.osc import onnx_loops, serving  # late, because the networks' libraries take a while

    def opened(name: str) -> onnx_loops.OnnxLoops:
        return onnx_loops.OnnxLoops(Path(name), args.power, args.n_fft, args.beats, args.rate)

    nets = serving.loaded(args.experiments, opened)
    with serving.serve(nets, files, deliver, args.host, port) as server:
        told = "the program that started this" if args.answer_to == OUTPUT else args.answer_to
        cli.say(f"listening to OSC on {args.host}:{server.port} (UDP), and answering to {told}; Ctrl-C ends it")
        cli.say(f"files go to {places.outward(short_path(files.folder))}")
        if args.host not in ("127.0.0.1", "::1", "localhost") and not places.is_elsewhere:
            cli.say("every computer that reaches this address can ask: OSC knows no password")
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        while not ended.wait(1):  # with a limit, because Windows does not interrupt a wait
            pass
