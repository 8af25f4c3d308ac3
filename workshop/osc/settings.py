"""The arguments that all OSC servers of networks take, and what they mean."""

import argparse
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from workshop import cli
from workshop.errors import UserError
from workshop.host.ports import OSC_PORT, OSC_VARIABLE
from workshop.osc import delivery, kept
from workshop.osc.places import Places

#: Where answers go unless another place is named: where the clients of TechnoGAN listen.
ANSWER_TO = "127.0.0.1:10101"
#: What `--answer_to` is in the container, from where this computer's own ports cannot be reached.
OUTPUT = "output"


def add_arguments(parser: argparse.ArgumentParser, folder: str) -> None:
    """Where a server listens, whom it answers, and where files may go.

    Args:
        parser: gets the arguments.
        folder: where they go anyway, in words.
    """
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
        help=f"a folder that files may go to and prompts be read from, besides {folder}; may be given again",
    )
    parser.add_argument("--keep", type=cli.count, default=kept.MOST, help="how many of the newest files to keep")


def delivery_of(answer_to: str, port: int) -> AbstractContextManager[Callable[[bytes], None]]:
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


def in_words(answer_to: str) -> str:
    """Where answers go, as a person reads it."""
    return "the program that started this" if answer_to == OUTPUT else answer_to


def allowed(folders: list[str], places: Places) -> list[Path]:
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
