"""The command line of the player."""

import argparse
import http.client
import os
from pathlib import Path

from workshop import cli
from workshop.errors import UserError
from workshop.files import short_path
from workshop.host.ports import published_ports, read_port
from workshop.osc import ending, kept, settings
from workshop.osc.places import Places

#: Where its pages are, unless `--page_port` or this variable says otherwise.
PAGE_PORT, PAGE_VARIABLE = 7002, "WORKSHOP_PORT_PLAYER"


def _parser() -> cli.Parser:
    parser = cli.Parser(prog="python -m workshop.player", description="Exported networks, played without TensorFlow.")
    verbs = parser.add_subparsers(dest="verb", required=True, parser_class=cli.Parser)
    export = verbs.add_parser("export", help="export networks for the player")
    export.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help="experiments, by folder or name")
    export.add_argument(
        "--pretrained", action="store_true", help="those that come with the workshop, as far as they can be exported"
    )
    export.add_argument("--to", required=True, metavar="FOLDER", help="where each gets a folder of its own")
    export.add_argument("--overwrite", action="store_true", help="replace earlier exports of the same names")
    serve = verbs.add_parser("serve", help="serve their pages, and OSC, until Ctrl-C")
    serve.add_argument("folders", nargs="+", metavar="FOLDER", help="folders of exported networks and ONNX files")
    port = os.environ.get(PAGE_VARIABLE) or str(PAGE_PORT)
    serve.add_argument("--page_port", default=port, help="port of the pages")
    serve.add_argument(
        "--allow_host", action="append", default=[], metavar="NAME", help="name that the pages are reached by"
    )
    settings.add_arguments(serve, "data/generated/osc")
    verbs.add_parser("alive", help="whether the pages of a player on this computer answer")
    return parser


def main(argv: list[str] | None = None) -> None:
    """Do what the command line asks for.

    Raises:
        UserError: a network or a folder is missing or damaged, a file cannot be written, or a port is in use.
    """
    args = _parser().read(argv)
    if args.verb == "export":
        # Late, because the player itself does without what the export needs.
        from workshop.player import exporting

        if not args.experiments and not args.pretrained:
            raise UserError("no network is named: name experiments to export, or give --pretrained")
        if args.pretrained:
            exporting.export_pretrained(Path(args.to), args.overwrite)
        exporting.export(args.experiments, Path(args.to), args.overwrite)
    elif args.verb == "alive":
        check(read_port(os.environ.get(PAGE_VARIABLE) or str(PAGE_PORT), PAGE_VARIABLE))
    else:
        _serve(args)


def check(port: int) -> None:
    """Say that the pages on a port of this computer answer.

    Raises:
        UserError: they do not.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/alive")
        answers = connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        answers = False
    finally:
        connection.close()
    if not answers:
        raise UserError(f"the player's page on port {port} does not answer")
    cli.say("the page answers")


def _serve(args: argparse.Namespace) -> None:
    from workshop.osc import serving  # late, because the networks' libraries take a while
    from workshop.player import networks, pages, server

    places = Places.of_this_process()
    osc_port, page_port = read_port(args.port, "--port"), read_port(args.page_port, "--page_port")
    ended = ending.asked()
    found = networks.found([Path(folder) for folder in args.folders])
    asked_by_osc = networks.asked_by_osc(found)
    with settings.delivery_of(args.answer_to, osc_port) as deliver:
        files = kept.Kept(settings.allowed(args.allow, places), places, most=args.keep)
        web = server.PageServer(args.host, page_port, pages.addresses(found), args.allow_host)
        with web.serving(), serving.serve(asked_by_osc, files, deliver, args.host, osc_port):
            for one in found:
                cli.say(f"{one.name}: {one.makes}")
            for served in asked_by_osc:
                cli.say(f"{served.makes} by OSC: {served.name}")
            told = settings.in_words(args.answer_to)
            cli.say(f"asked by OSC on {args.host}:{osc_port} (UDP), it answers to {told}")
            cli.say(f"files go to {places.outward(short_path(files.folder))}")
            cli.say(
                f"the pages are on http://localhost:{published_ports().get(page_port, page_port)}; Ctrl-C ends them"
            )
            ending.wait(ended)
    cli.say("ended")
