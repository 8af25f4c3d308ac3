"""The pages in docs/ as a site that works offline.

    python -m workshop.docs build
    python -m workshop.docs serve

Both build the pictures, sounds and pages that have changed into ``build/docs``; `serve` shows them until Ctrl-C, by
default on localhost:7000. `./start.sh docs` and the container call it. Without Sphinx, the pages in docs/ can be read
as they are.
"""

import argparse
import contextlib
import functools
import http.server
import importlib.util
import io
import json
import os
import re
import socket
import socketserver
import subprocess
import sys
import threading
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any

from workshop import ROOT, cli
from workshop.commands import start_sh
from workshop.errors import UserError
from workshop.host.ports import DOCS, PORTS, Server, class_path, published_ports, read_port, wanted_server

SOURCES = ROOT / "docs"
SITE = ROOT / "build" / "docs"
NEEDED = ("sphinx", "myst_parser", "furo", "sphinx_copybutton")

#: The page shown while the site is built; the browser asks again every two seconds.
NOT_YET = b"<!doctype html><title>ml4music workshop</title><p>The pages are being made. This takes some seconds."


def build(site: Path = SITE) -> Path:
    """Build the site and return its first page; a warning is an error, but the other pages are built.

    Args:
        site: the output folder; media are written to `site_extra` beside it, and Sphinx's state to `site_state`.

    Raises:
        UserError: Sphinx is not installed, or a page has a mistake.
    """
    check_installed()
    extra, state = site.with_name("site_extra"), site.with_name("site_state")
    _run([str(SOURCES / "make_media.py"), str(extra / "media")], "its pictures and sounds could not be made")
    options = ["--fail-on-warning", "--keep-going", "--quiet", "--builder", "html", "--doctree-dir", str(state)]
    settings = ["-D", f"html_extra_path={extra}"]
    _run(["-m", "sphinx", *options, *settings, str(SOURCES), str(site)], "a page has a mistake")
    return site / "index.html"


def check_installed() -> None:
    """Raise a `UserError` if a package that builds the site is not installed."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"the site needs {', '.join(missing)}, which is not installed: {start_sh('docs')} brings it and shows the "
            "site; the pages in docs can be read without"
        )


def _run(command: list[str], what: str) -> None:
    done = subprocess.run([sys.executable, *command], cwd=ROOT, check=False)
    if done.returncode:
        raise UserError(f"the site could not be made, because {what}; the lines above say which")


def places() -> dict[str, int | str]:
    """Where each server is, by its default port: its published port, or its path behind the hub of a class."""
    published = published_ports()
    return {
        str(usual): class_path(name) or published.get(usual) or wanted_server(name).port
        for name, usual in PORTS.items()
    }


class Pages(http.server.SimpleHTTPRequestHandler):
    """Serves only the files of a site: no directory listings, and no links that lead out of it."""

    def send_head(self) -> IO[bytes] | None:  # type: ignore[override]
        """Send the status and headers; return the content, or None after an error."""
        site = Path(self.directory)
        if self.path == "/ports.json":
            return self._send_start(HTTPStatus.OK, json.dumps(places()).encode(), {"Content-Type": "application/json"})
        file = self.translate_path(self.path)
        if os.path.isdir(file):
            file = os.path.join(file, "index.html")
        if os.path.isfile(file) and Path(file).resolve().is_relative_to(site.resolve()):
            return self._send_part(Path(file)) or super().send_head()
        if (site / "index.html").exists():
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return self._send_start(HTTPStatus.SERVICE_UNAVAILABLE, NOT_YET, {"Content-Type": "text/html", "Refresh": "2"})

    def _send_part(self, file: Path) -> IO[bytes] | None:
        """Answer a valid range request: without it, Safari plays no sound."""
        asked = re.fullmatch(r"bytes=(\d{1,12})-(\d{0,12})", self.headers.get("Range", ""))
        if not asked:
            return None
        data = file.read_bytes()
        first, end = int(asked[1]), min(int(asked[2] or len(data)) + 1, len(data))
        if first >= end:
            return None
        place = {"Content-Type": self.guess_type(file), "Content-Range": f"bytes {first}-{end - 1}/{len(data)}"}
        return self._send_start(HTTPStatus.PARTIAL_CONTENT, data[first:end], place)

    def _send_start(self, status: HTTPStatus, content: bytes, headers: dict[str, str]) -> IO[bytes]:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        return io.BytesIO(content)

    def log_request(self, *_: Any) -> None:
        """Log no requests; errors are logged."""


class SiteServer(http.server.ThreadingHTTPServer):
    """Serves the files of a site."""

    def __init__(self, site: Path, host: str, port: int):
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), functools.partial(Pages, directory=str(site)))

    def server_bind(self) -> None:
        """Bind without the DNS look-up of the host name that HTTPServer does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]


def serve(site: Path, host: str, port: int) -> SiteServer:
    """Return a server of a site's files that is ready for `serve_forever`.

    Raises:
        UserError: the port is in use.
    """
    try:
        return SiteServer(site, host, port)
    except OSError as error:
        raise UserError(
            f"port {port} for the site is not available ({error.strerror}): set WORKSHOP_PORT_DOCS to another number"
        ) from error


def show(site: Path, host: str, port: int) -> None:
    """Serve the site until Ctrl-C while it is built; the previous site is shown meanwhile.

    Raises:
        UserError: Sphinx is not installed, the port is in use, or there is nothing to show.
    """
    check_installed()
    with serve(site, host, port) as server, contextlib.suppress(KeyboardInterrupt):
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        print(f"the site is on {Server(DOCS, host, server.server_port).url} until Ctrl-C", flush=True)
        try:
            build(site)
        except UserError as error:
            # A mistake in one page must not hide the others.
            if not (site / "index.html").exists():
                raise
            print(f"error: {error}; the pages that were made are shown", file=sys.stderr, flush=True)
        serving.join()


def main() -> None:
    """Build the site, and show it if that was asked for."""
    usual = wanted_server(DOCS)
    parser = cli.Parser(prog="python -m workshop.docs", description="The pages in docs/ as a site that works offline.")
    parser.add_argument("what", choices=("build", "serve"), help="make the site, or make it and show it")
    parser.add_argument("--host", default=usual.host, help="address to listen on")
    parser.add_argument("--port", default=str(usual.port), help="port to listen on")
    args: argparse.Namespace = parser.read()
    if args.what == "build":
        print(build())
    else:
        show(SITE, args.host, read_port(args.port, "--port"))
