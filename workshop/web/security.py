"""Who may use the page: whoever has the token, from the page itself, at an address of this computer.

Without the check of the Host, another site could let its name point to this computer and read what is here (DNS
rebinding); without that of the Origin, another site that is open in the browser could drive the page with its cookie.
"""

import base64
import hashlib
import hmac
import sys
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError, RequestHandler

from workshop.host.names import is_ours
from workshop.networks.picture import STYLE

#: The one style sheet inside a picture, that of networks, by its hash: a browser asks the page's policy about it too.
_PICTURES = f"sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}"

#: Sent with every answer. A browser then loads nothing from elsewhere and runs no script but the page's files.
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src 'self'; style-src 'self' '{_PICTURES}'; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), midi=(self), camera=(), geolocation=(), payment=()",
    "Cache-Control": "no-store",
}

#: What a visitor without the token reads, and one who has met a mistake of the program.
ASKS = "The page asks for its token: open the whole address that ./start.sh play, or live, prints."
MISTAKE = "Something went wrong that should not: the end of .workshop/play.log says more."


@dataclass(frozen=True)
class Guard:
    """Decides on requests.

    Attributes:
        token: the password of the page.
        port: that the server listens on; part of the cookie's name, because cookies are shared between ports.
        names: of hosts that the page may be reached by, besides localhost and addresses; '*' is any, for a page behind
            a hub that asks people who they are at its own address.
    """

    token: str
    port: int
    names: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The token as the end of an address that is printed; only to a terminal, because a log does not need it."""
        return f"?token={self.token}" if sys.stdout.isatty() else ""

    @property
    def cookie(self) -> str:
        """The name of the cookie."""
        return f"ml4music-play-{self.port}"

    @property
    def pass_value(self) -> str:
        """What the cookie holds. It opens this page and does not tell the token."""
        return hmac.new(self.token.encode(), b"cookie of the page", hashlib.sha256).hexdigest()

    def knows_token(self, given: str) -> bool:
        """Whether this is the token."""
        return hmac.compare_digest(given.encode(), self.token.encode())

    def knows_cookie(self, given: str) -> bool:
        """Whether this is the content of the cookie."""
        return hmac.compare_digest(given.encode(), self.pass_value.encode())

    def is_host(self, host: str) -> bool:
        """Whether a Host header names this computer."""
        return is_ours(host, self.names)

    def is_origin(self, origin: str, host: str) -> bool:
        """Whether an Origin header names the page itself. A proxy may change the Host, but not the names we know."""
        try:
            parts = urlsplit(origin)
            return parts.scheme in ("http", "https") and (parts.netloc == host or parts.hostname in self.names)
        except ValueError:
            return False


def refusal(guard: Guard, request: HTTPServerRequest, drives: bool) -> str:
    """Why a request is refused before anybody looks at its cookie, in one sentence; '' where it is not.

    Args:
        guard: the rules.
        request: the request.
        drives: whether it changes something or opens a connection: then it must come from the page itself.
    """
    host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
    if not guard.is_host(host):
        return f"The page is not known as {host!r:.80}: open the address that ./start.sh play, or live, prints."
    if origin is not None or drives:
        is_own = guard.is_origin(origin or "", host)
    else:
        # A link or a typed address leads to the page; what another page embeds does not.
        is_elsewhere = request.headers.get("Sec-Fetch-Site", "none") in ("cross-site", "same-site")
        is_own = not is_elsewhere or request.headers.get("Sec-Fetch-Mode") == "navigate"
    return "" if is_own else "The request comes from another page, which may not use this one."


class Refused(HTTPError):
    """A request that is answered with one sentence.

    Args:
        sentence: why, and what to do.
        status: of the answer.
    """

    def __init__(self, sentence: str, status: HTTPStatus = HTTPStatus.FORBIDDEN):
        super().__init__(status)
        self.sentence = sentence


class Guarded(RequestHandler):
    """A handler that answers only whoever may use the page, and sends the headers that keep it safe."""

    #: Whether the cookie is asked for.
    needs_token = True

    @property
    def guard(self) -> Guard:
        """The rules."""
        found: Guard = self.settings["guard"]
        return found

    def set_default_headers(self) -> None:
        """Those of `HEADERS`, with every answer."""
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.clear_header("Server")

    def prepare(self) -> None:
        """Refuse who may not use the page.

        Raises:
            Refused: with the reason.
        """
        drives = self.request.method not in ("GET", "HEAD") or "Upgrade" in self.request.headers
        if reason := refusal(self.guard, self.request, drives):
            raise Refused(reason)
        if self.needs_token and not self.has_cookie:
            raise Refused(ASKS)

    def accept_body(self, most: int) -> None:
        """Take a body of at most so many bytes; for handlers to which it comes piece by piece, in `prepare`."""
        connection = self.request.connection
        assert isinstance(connection, HTTP1Connection)
        connection.set_max_body_size(most)

    @property
    def has_cookie(self) -> bool:
        """Whether the request comes from a browser that has shown the token."""
        return self.guard.knows_cookie(self.get_cookie(self.guard.cookie) or "")

    def write_error(self, status_code: int, **details: object) -> None:
        """Say in one sentence what is wrong; of a mistake of the program, where its log is."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        info = details.get("exc_info")
        sentence = HTTPStatus(status_code).phrase
        if isinstance(info, tuple) and isinstance(info[1], Refused):
            sentence = info[1].sentence
        elif status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            sentence = MISTAKE
        self.finish(f"{sentence}\n")
