"""The command line of concerts."""

import argparse
from pathlib import Path

from workshop import cli
from workshop.concert import program, votes
from workshop.errors import UserError
from workshop.visible import visible, visible_line

#: Where the page for listening is, unless another place is named.
HOST, PORT = "127.0.0.1", "7003"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workshop.concert", description="The pieces of a class.")
    verbs = parser.add_subparsers(dest="verb", required=True, parser_class=cli.Parser)
    page = verbs.add_parser("page", help="write the programme as one page with all its pieces")
    page.add_argument("program", metavar="PROGRAM.toml", help="the pieces; docs/concert.md describes it")
    page.add_argument("--out", default="concert.html", help="the page")
    listen = verbs.add_parser("listen", help="serve a page that plays pairs blind and takes votes, until Ctrl-C")
    results = verbs.add_parser("results", help="count the votes")
    for verb in (listen, results):
        verb.add_argument("pairs", metavar="PAIRS.toml", help="what is compared; docs/concert.md describes it")
        verb.add_argument("--votes", help="folder of the votes; by default one beside PAIRS.toml, named like it")
    listen.add_argument("--host", default=HOST, help="address to listen on; 0.0.0.0 for other computers")
    listen.add_argument("--port", default=PORT, help="port to listen on")
    listen.add_argument(
        "--allow_host", action="append", default=[], metavar="NAME", help="name that the page is reached by"
    )
    return parser


def main() -> None:
    """Do what the command line asks for.

    Raises:
        UserError: a file cannot be read or written, or the port is in use.
    """
    args = _parser().parse_args()
    if args.verb == "page":
        count = program.write(Path(args.program), Path(args.out))
        print(visible_line(f"written: {args.out}, with {count} pieces"))
        return
    pairs = Path(args.pairs)
    if pairs.is_dir():
        raise UserError(f"{pairs} is a folder: name the file of the pairs in it")
    booth = votes.Booth(pairs, Path(args.votes) if args.votes else pairs.with_name(f"{pairs.stem}-votes"))
    if args.verb == "listen":
        # Late, because counting needs no server.
        from workshop.concert import server

        server.serve(booth, args.host, args.port, tuple(args.allow_host))
    print(visible(votes.table(booth.counts())))
