"""What the server answers, but for the connections of pages, which are in `sockets.py`."""

import asyncio
import dataclasses
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from tornado.web import StaticFileHandler

from workshop.errors import UserError
from workshop.notes.instruments import INSTRUMENTS
from workshop.web import experiments, own_files, settings, training
from workshop.web.networks import Networks
from workshop.web.results import Results
from workshop.web.security import Guarded, Refused

#: The page and its parts.
STATIC = Path(__file__).with_name("static")

#: What the files are that can be downloaded.
TYPES = {
    "txt": "text/plain; charset=utf-8",
    "abc": "text/plain; charset=utf-8",
    "mid": "audio/midi",
    "wav": "audio/wav",
    "png": "image/png",
}

Answer = TypeVar("Answer")


class Index(Guarded):
    """The page; with the token in its address it is remembered by a cookie, and the address loses the token."""

    needs_token = False
    #: The file with the page.
    page = STATIC / "index.html"

    def get(self) -> None:
        """Answer with the page.

        Raises:
            Refused: neither the token nor the cookie is right.
        """
        given = self.get_query_argument("token", None)
        if given is not None and self.guard.knows_token(given):
            path = self.settings["base"]
            self.set_cookie(self.guard.cookie, self.guard.pass_value, path=path, httponly=True, samesite="Lax")
            self.set_status(HTTPStatus.FOUND)
            self.set_header("Location", "./")  # relative, because a proxy may add a prefix to the path
            return
        if not self.has_cookie:
            self.set_status(HTTPStatus.FORBIDDEN)
            self.finish((STATIC / "token.html").read_bytes())
            return
        self.finish(self.page.read_bytes())


class Below(Guarded):
    """The path of the page without the slash at its end, to which all links of the page are relative."""

    needs_token = False

    def get(self) -> None:
        """Lead to the page."""
        query = f"?{self.request.query}" if self.request.query else ""
        self.redirect(f"{self.settings['base']}{query}")


class Alive(Guarded):
    """Says that the server runs; the container's health check asks for it."""

    needs_token = False

    def get(self) -> None:
        """Answer with a word."""
        self.finish("alive\n")


class Listing(Guarded):
    """What the page offers."""

    def get(self) -> None:
        """The experiments, the instruments, the largest values, which files are taken, and what can be trained."""
        longest = {makes: most for makes, (_, most, _) in settings.LONGEST.items()}
        entries = [dataclasses.asdict(entry) for entry in experiments.listed()]
        self.finish(
            {
                "experiments": entries,
                "instruments": INSTRUMENTS,
                "longest": longest,
                "files": own_files.accepted(),
                "lessons": training.offered(),
            }
        )


class Threaded(Guarded):
    """A handler that lets threads do what may take seconds."""

    _threads: ThreadPoolExecutor

    async def in_thread(self, work: Callable[..., Answer], *args: Any) -> Answer:
        """What work gives that may take seconds.

        Raises:
            Refused: it raised a `UserError`, whose sentence is passed on.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
        except UserError as error:
            raise Refused(str(error), HTTPStatus.BAD_REQUEST) from error


def finish_part(handler: Guarded, content: bytes) -> None:
    """Answer with content, or with the part of it that is asked for: without parts, Safari plays no sound.

    Raises:
        Refused: there is no such part.
    """
    handler.set_header("Accept-Ranges", "bytes")
    asked = re.fullmatch(r"bytes=(\d{1,12})-(\d{0,12})", handler.request.headers.get("Range", ""))
    if asked:
        first, end = int(asked[1]), min(int(asked[2] or len(content)) + 1, len(content))
        if first >= end:
            raise Refused("There is no such part of it.", HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        handler.set_status(HTTPStatus.PARTIAL_CONTENT)
        handler.set_header("Content-Range", f"bytes {first}-{end - 1}/{len(content)}")
        content = content[first:end]
    handler.finish(content)


class Shared(Threaded):
    """A handler that asks for what has been made."""

    def initialize(self, results: Results, threads: ThreadPoolExecutor) -> None:
        """Take what all requests share."""
        self._results, self._threads = results, threads


class Picture(Threaded):
    """The picture of a network."""

    def initialize(self, networks: Networks, threads: ThreadPoolExecutor) -> None:
        """Take what all requests share."""
        self._networks, self._threads = networks, threads

    async def get(self) -> None:
        """Answer with the picture of the network of `experiment`: drawn here, because a file could be anybody's."""
        picture = await self.in_thread(self._networks.picture, self.get_query_argument("experiment", ""))
        self.set_header("Content-Type", "image/svg+xml; charset=utf-8")
        self.set_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
        self.finish(picture)


class File(Shared):
    """A thing that was made, as a file."""

    async def get(self, name: str, suffix: str) -> None:
        """Answer with the file, or a part of it."""
        made = await self.in_thread(self._results.get, name)
        content = await self.in_thread(made.file, suffix)
        self.set_header("Content-Type", TYPES[suffix])
        if self.get_query_argument("download", None) is not None:
            self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(f'{made.stem}.{suffix}')}")
        finish_part(self, content)


class Keep(Shared):
    """Keeps what was made."""

    async def post(self, name: str) -> None:
        """Write it to `data/generated`, and answer with the names of the files."""
        files = await self.in_thread(self._results.keep, name)
        self.finish({"files": [file.as_posix() for file in files]})


class Static(Guarded, StaticFileHandler):
    """The parts of the page."""


class Nothing(Guarded):
    """Whatever else is asked for."""

    def prepare(self) -> None:
        """Look who asks, and refuse in any case.

        Raises:
            Refused: always.
        """
        super().prepare()
        raise Refused("There is no such page.", HTTPStatus.NOT_FOUND)
