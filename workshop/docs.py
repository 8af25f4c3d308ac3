"""The pages in docs/ as a site that works offline.

    python -m workshop.docs build
    python -m workshop.docs serve

Both make pictures, sounds and pages, as far as they have changed, in ``build/docs``; `serve` then shows them on
localhost:7000 until Ctrl-C. Whoever has no Sphinx reads the pages in docs/ as they are.
"""

import argparse
import functools
import http.server
import importlib.util
import subprocess
import sys
from pathlib import Path

from workshop import ROOT, cli, services
from workshop.errors import UserError

PORT = 7000
SOURCES = ROOT / "docs"
SITE = ROOT / "build" / "docs"
NEEDED = ("sphinx", "myst_parser", "furo")


def build(site: Path = SITE) -> Path:
    """Bring the site up to date and return its first page; a warning is an error.

    Args:
        site: the folder that it is made in; what the pages show and play is made in `site_extra` beside it.

    Raises:
        UserError: what makes the site is not installed, or a page has a mistake.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"the site needs {', '.join(missing)}, which is not installed: pip install --require-hashes -r "
            "requirements/docs.txt in the workshop's folder brings it; the pages in docs can be read without"
        )
    media = site.with_name("site_extra") / "media"
    _run([str(SOURCES / "make_media.py"), str(media)], "its pictures and sounds could not be made")
    options = ["--fail-on-warning", "--keep-going", "--quiet", "--builder", "html"]
    extra = f"html_extra_path={site.with_name('site_extra')}"
    _run(["-m", "sphinx", *options, "-D", extra, str(SOURCES), str(site)], "a page has a mistake")
    return site / "index.html"


def _run(command: list[str], what: str) -> None:
    done = subprocess.run([sys.executable, *command], cwd=ROOT, check=False)
    if done.returncode:
        raise UserError(f"the site could not be made, because {what}; the lines above say which")


def serve(site: Path, host: str, port: int) -> http.server.ThreadingHTTPServer:
    """Return a server of a site's files that is ready for `serve_forever`.

    Raises:
        UserError: the port is in use.
    """
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(site))
    try:
        return http.server.ThreadingHTTPServer((host, port), handler)
    except OSError as error:
        raise UserError(
            f"port {port} for the site cannot be had ({error.strerror}): set WORKSHOP_PORT_DOCS to another number"
        ) from error


def main() -> None:
    """Build the site, and show it if that was asked for."""
    parser = cli.Parser(prog="python -m workshop.docs", description="The pages in docs/ as a site that works offline.")
    parser.add_argument("what", choices=("build", "serve"), help="make the site, or make it and show it")
    args: argparse.Namespace = parser.read()
    host, port = services.wanted_host(), services.wanted_port("WORKSHOP_PORT_DOCS", PORT)
    page = build()
    if args.what == "build":
        print(page)
        return
    with serve(page.parent, host, port) as server:
        print(f"the site is on http://localhost:{server.server_port} until Ctrl-C", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    cli.run(main)
