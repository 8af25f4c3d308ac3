"""The program that `./start.sh freeze` makes an application of: it serves one generator of loops by OSC.

It needs no console and no workshop: the network lies in the application, and files and the log go to a folder of the
user's. It ends by Ctrl-C, by SIGTERM, or by the address `/quit`.
"""

import contextlib
import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path

from workshop import cli
from workshop.errors import UserError
from workshop.export.names import MODEL
from workshop.files import explain
from workshop.host.ports import read_port
from workshop.osc import ending, kept, onnx_loops, serving, settings
from workshop.osc.places import Places
from workshop.osc.server import Argument, Route

#: Bytes of a log; the one before it is kept too.
LONGEST_LOG = 1 << 20


def inside() -> Path:
    """The folder that PyInstaller has put the network into."""
    return Path(getattr(sys, "_MEIPASS", "."))


def _parser(name: str) -> cli.Parser:
    parser = cli.Parser(prog=name, description="Makes loops for other programs, which ask by OSC (Open Sound Control).")
    folder = str(Path("~") / "ml4music" / name)
    parser.add_argument("--folder", default=folder, help="where loops and the log go; it is made")
    settings.add_arguments(parser, "--folder")
    return parser


@contextlib.contextmanager
def _logging(file: Path) -> Iterator[None]:
    """Let a file tell what happens.

    Raises:
        UserError: it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(file, maxBytes=LONGEST_LOG, backupCount=1, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file} cannot be written: {explain(error, file)}; choose another --folder") from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.INFO)
    try:
        yield
    except BaseException as error:
        logging.error("%s", error, exc_info=not isinstance(error, UserError))
        raise
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()


def _tell(sentence: str) -> None:
    """Say something on the console, if there is one, and in the log."""
    logging.info("%s", sentence)
    cli.say(sentence)


def main(argv: Sequence[str] | None = None, model: Path | None = None, name: str = "") -> None:
    """Serve until it is ended.

    Args:
        argv: the arguments; None for those of the command line.
        model: the network; None for the one in the application.
        name: of the application; by default that of its program.

    Raises:
        UserError: the network is damaged, a folder cannot be used, or the port is in use.
    """
    name = name or Path(sys.executable).stem
    args = _parser(name).read(argv)
    folder = Path(args.folder).expanduser().absolute()
    with _logging(folder / f"{name}.log"):
        port = read_port(args.port, "--port")
        places = Places(folder, str(folder))
        net = serving.Served(onnx_loops.opened(model or inside() / MODEL), "loops", name)
        net.warm_up()
        with settings.delivery_of(args.answer_to, port) as deliver:
            files = kept.Kept(settings.allowed(args.allow, places), places, folder, args.keep)
            ended = ending.asked()  # before anybody can know that this serves
            more = {"/quit": Route((), lambda: _quit(ended), "end the program")}
            with serving.serve([net], files, deliver, args.host, port, more) as server:
                _tell(f"listening to OSC on {args.host}:{server.port} (UDP), and answering to {args.answer_to}")
                _tell(f"files go to {folder}; Ctrl-C or the address /quit ends it")
                ending.wait(ended)
        _tell("ended")


def _quit(ended: threading.Event) -> Sequence[Argument]:
    ended.set()
    return []


if __name__ == "__main__":
    cli.run(main)
