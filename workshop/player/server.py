"""A web server for the pages of exported networks.

Whoever reaches its port may look, and nothing can be changed there. Another site cannot read it under a name of its
own.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from types import MappingProxyType
from urllib.parse import parse_qsl, unquote, urlsplit

from workshop.errors import UserError
from workshop.host.names import is_ours
from workshop.host.ports import cannot_listen
from workshop.player.pages import TYPES, Content

#: Sent with every answer. A browser then loads nothing from elsewhere and runs no script but the page's files.
HEADERS = MappingProxyType({
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
})  # fmt: skip
#: Where it says that it serves.
ALIVE = "/alive"
#: Seconds after which a visitor who sends or takes nothing is given up.
PATIENCE = 30


class Visit(BaseHTTPRequestHandler):
    """Answers a browser."""

    server: "PageServer"
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE

    def do_GET(self) -> None:
        """Send what is at an address."""
        if not is_ours(self.headers.get("Host", ""), self.server.names):
            self._say(HTTPStatus.FORBIDDEN, "This page is not known by that name; --allow_host NAME lets it be.")
            return
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        if path == ALIVE:
            self._say(HTTPStatus.OK, "alive")
        elif path.endswith("/"):
            self._give(f"{path}index.html", {})
        elif f"{path}/index.html" in self.server.contents:
            self._say(HTTPStatus.PERMANENT_REDIRECT, "It is a folder.", {"Location": f"{parts.path}/"})
        else:
            self._give(path, dict(parse_qsl(parts.query)))

    do_HEAD = do_GET

    def _give(self, path: str, asked: Mapping[str, str]) -> None:
        content = self.server.contents.get(path)
        if content is None:
            self._say(HTTPStatus.NOT_FOUND, "There is nothing here.")
            return
        try:
            body = content(asked)
        except UserError as error:
            self._say(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except OSError:
            self._say(HTTPStatus.NOT_FOUND, "There is nothing here any more.")
        else:
            self._send(HTTPStatus.OK, body, TYPES[PurePosixPath(path).suffix])

    def _say(self, status: HTTPStatus, sentence: str, more: Mapping[str, str] = MappingProxyType({})) -> None:
        self._send(status, f"{sentence}\n".encode(), "text/plain; charset=utf-8", more)

    def _send(self, status: HTTPStatus, body: bytes, kind: str, more: Mapping[str, str] = MappingProxyType({})) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **HEADERS, **more}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self) -> str:
        """Nothing that tells what it runs on."""
        return "player"

    def log_message(self, *words: object) -> None:
        """Nothing: who has looked at what is nobody's business."""


class PageServer(ThreadingHTTPServer):
    """Serves contents by their paths.

    Args:
        host: the address to listen on.
        port: 0 takes a free one.
        contents: what there is.
        names: of hosts that it may be reached by, besides localhost and addresses.

    Raises:
        UserError: the port cannot be had.
    """

    daemon_threads = True

    def __init__(self, host: str, port: int, contents: Mapping[str, Content], names: Sequence[str] = ()):
        self.contents, self.names = contents, names
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), Visit)
        except (OSError, UnicodeError) as error:
            raise cannot_listen(
                error, host, f"port {port} for the player's page is not available", "choose another --page_port"
            ) from error

    @contextlib.contextmanager
    def serving(self) -> Iterator[int]:
        """Serve from a thread of its own until the block ends; gives the port."""
        thread = threading.Thread(target=self.serve_forever, args=(0.1,), name="pages", daemon=True)
        thread.start()
        try:
            yield self.server_address[1]
        finally:
            self.shutdown()
            self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of visitors that go away while they are answered."""
