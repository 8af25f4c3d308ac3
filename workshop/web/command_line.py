"""The command line of the page on which trained networks are played."""

import argparse

from workshop import cli
from workshop.host.ports import PLAY, read_port, wanted_server
from workshop.quiet import quietly


def _parser() -> cli.Parser:
    usual = wanted_server(PLAY)
    parser = cli.Parser(prog="python -m workshop.play", description="The page on which trained networks are played.")
    parser.add_argument("--host", default=usual.host, help="address to listen on")
    parser.add_argument("--port", default=str(usual.port), help="port to listen on")
    parser.add_argument("--base_url", default="/", help="path that the page lies below, behind a proxy")
    parser.add_argument(
        "--allow_host",
        action="append",
        default=[],
        metavar="NAME",
        help="name that the page is reached by, behind a proxy; '*' is any",
    )
    return parser


def main() -> None:
    """Serve the page until Ctrl-C.

    Raises:
        UserError: the port is none, or in use.
    """
    args: argparse.Namespace = _parser().read()
    port = read_port(args.port, "--port")
    # Late: it loads TensorFlow, which takes seconds.
    with quietly():
        from workshop.web import server

    server.run(args.host, port, args.base_url, args.allow_host)
