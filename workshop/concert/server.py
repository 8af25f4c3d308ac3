"""The page that plays two pieces blind and takes the votes. Who may use it is decided as for the page of
`./start.sh play`, by the same token. Which of two pieces stands first is drawn for each listener and pair, and what
they are called is never sent.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import Application

from workshop.concert.media import Media
from workshop.concert.votes import Booth
from workshop.errors import UserError
from workshop.host.ports import Server, cannot_listen, read_port, refuse_in_class
from workshop.host.services import play_token
from workshop.visible import visible_line
from workshop.web import handlers
from workshop.web.ending import until_stopped
from workshop.web.security import Guard, Guarded, Refused
from workshop.web.sending import read

STATIC = Path(__file__).with_name("static")
NAME = "listen"
#: Bytes of a request, of which the page sends no more.
LARGEST_REQUEST = 4096
_LISTENER = re.compile(r"[0-9a-f]{32}")


class Stage:
    """What all connections share: the pairs, their pieces, and the secret that mixes the orders."""

    def __init__(self, booth: Booth):
        self.booth, self.pieces, self._secret = booth, booth.media(), secrets.token_bytes(16)

    def first(self, listener: str, number: int) -> int:
        """Which of a pair stands first for a listener, 0 or 1."""
        drawn = hmac.new(self._secret, f"{listener} {number}".encode(), hashlib.sha256).digest()
        return drawn[0] & 1

    def piece(self, listener: str, number: int, side: int) -> Media:
        """The piece that a listener sees first (0) or second (1)."""
        return self.pieces[number - 1][side ^ self.first(listener, number)]


class Listener(Guarded):
    """A handler that knows who listens, by a random number in a cookie."""

    def initialize(self, stage: Stage) -> None:
        """Take what all requests share."""
        self._stage = stage

    @property
    def listener(self) -> str:
        """The number of this browser; a new one gets it with the answer."""
        name = f"{self.guard.cookie}-listener"
        given = self.get_cookie(name) or ""
        if _LISTENER.fullmatch(given):
            return given
        made = secrets.token_hex(16)
        self.set_cookie(name, made, path=self.settings["base"], httponly=True, samesite="Lax")
        return made


class Next(Listener):
    """The pair that this listener has not voted on yet."""

    def get(self) -> None:
        """Answer with the pair, or that there is none left."""
        listener, booth = self.listener, self._stage.booth
        left = sorted(set(range(1, len(booth.pairs) + 1)) - booth.voted(listener))
        answer: dict[str, Any] = {"title": booth.listening.title, "pairs": len(booth.pairs), "left": len(left)}
        if left:
            number = left[0]
            pieces = [self._stage.piece(listener, number, side) for side in (0, 1)]
            answer |= {"number": number, "question": booth.pairs[number - 1].question, "kind": pieces[0].kind}
            if pieces[0].kind == "text/plain":
                answer["texts"] = [piece.text for piece in pieces]
        self.finish(answer)


class Piece(Listener):
    """A sound or picture of a pair."""

    def get(self, number: str, side: str) -> None:
        """Answer with it, or with a part of it.

        Raises:
            Refused: there is no such pair, or no such part.
        """
        if not 1 <= int(number) <= len(self._stage.pieces):
            raise Refused("There is no such pair.", HTTPStatus.NOT_FOUND)
        piece = self._stage.piece(self.listener, int(number), int(side))
        self.set_header("Content-Type", piece.kind)
        handlers.finish_part(self, piece.content)


class Choose(Listener):
    """Takes a vote."""

    def post(self) -> None:
        """Keep it.

        Raises:
            Refused: it is not one of the page, or cannot be kept.
        """
        listener, booth = self.listener, self._stage.booth
        said = read(self.request.body)
        number, side = said.get("number"), said.get("side")
        if type(number) is not int or type(side) is not int or side not in (0, 1):
            raise Refused("That is not a vote.", HTTPStatus.BAD_REQUEST)
        if not 1 <= number <= len(booth.pairs):
            raise Refused("There is no such pair.", HTTPStatus.NOT_FOUND)
        first = self._stage.first(listener, number)
        try:
            booth.add(listener, number, side ^ first, first)
        except UserError as error:
            raise Refused(str(error), HTTPStatus.INSUFFICIENT_STORAGE) from error
        self.finish({})


class Index(handlers.Index):
    """The page, behind the token."""

    page = STATIC / "index.html"


def application(guard: Guard, booth: Booth) -> Application:
    """The page as a tornado application.

    Raises:
        UserError: a piece cannot be read.
    """
    stage = {"stage": Stage(booth)}
    return Application(
        [
            ("/", Index),
            ("/alive", handlers.Alive),
            ("/next", Next, stage),
            (r"/piece/(\d{1,6})/([01])", Piece, stage),
            ("/choose", Choose, stage),
            ("/static/(.*)", handlers.Static, {"path": str(STATIC)}),
            ("/shared/(.*)", handlers.Static, {"path": str(handlers.STATIC)}),
        ],
        default_handler_class=handlers.Nothing,
        log_function=lambda handler: None,
        guard=guard,
        base="/",
    )


def serve(booth: Booth, host: str, port: str, names: tuple[str, ...]) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        UserError: the port is in use, a piece cannot be read, or this is a student's container in a class.
    """
    refuse_in_class("this page", "let somebody serve it on a computer that all reach, such as the teacher's")
    number = read_port(port, "--port")
    guard = Guard(play_token(), number, names)

    async def listen() -> None:
        app = application(guard, booth)
        server = HTTPServer(app, max_body_size=LARGEST_REQUEST, max_buffer_size=1 << 20, max_header_size=32 << 10)
        try:
            server.listen(number, host)
        except (OSError, UnicodeError) as error:
            raise cannot_listen(
                error, host, f"port {number} for the listening is not available", "choose another with --port"
            ) from error
        print(visible_line(f"listening is on {Server(NAME, host, number).url}/{guard.shown}"), flush=True)
        await until_stopped(server)

    asyncio.run(listen())
