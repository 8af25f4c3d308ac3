"""The page's server on a free port, with a network that writes the alphabet as slowly as a test wants."""

import asyncio
import contextlib
import json
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from records import entries
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.websocket import WebSocketClientConnection, websocket_connect

from workshop import ROOT, cli, lessons
from workshop.audio.generated import GeneratedSound
from workshop.run import experiment, pretrained
from workshop.run.record import Best
from workshop.run.stream import Stream
from workshop.run.trained import checked
from workshop.text.generated import GeneratedText
from workshop.web import experiments, networks, own_files, results, training
from workshop.web.jobs import Line
from workshop.web.security import Guard
from workshop.web.server import application

TOKEN = "0123456789abcdef0123456789abcdef"
#: How a connection is asked for.
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFi",
}
#: Letters in a piece of the network's text.
PIECE = 4


class Alphabet:
    """A network that writes the alphabet again and again, and counts its pieces.

    Args:
        folder: of its experiment.
        pause: seconds that a piece takes.
    """

    def __init__(self, folder: Path, pause: float):
        self.checkpoint = folder / "run.json"
        self.experiment = SimpleNamespace(checkpoint=lambda which: self.checkpoint)
        self.pause, self.pieces, self.at_once, self.most_at_once = pause, 0, 0, 0

    def stream(self, prompt: str = "", length: str = "500", temperature: str = "1", seed: str = "7", **_: str) -> Any:
        if prompt == "crash":
            raise RuntimeError("a mistake of the program")
        count = checked("length", length, cli.count)
        checked("temperature", temperature, cli.positive)

        def pieces() -> Iterator[np.ndarray]:
            for at in range(0, count, PIECE):
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                time.sleep(self.pause)
                self.pieces, self.at_once = self.pieces + 1, self.at_once - 1
                yield np.arange(at, min(at + PIECE, count)) % 26

        def read(symbols: np.ndarray) -> GeneratedText:
            return GeneratedText(prompt + "".join(chr(97 + symbol) for symbol in symbols))

        return Stream(int(seed), count, pieces(), read)


class Tone(Alphabet):
    """The same for sound: the samples 0, 1/100, 2/100, ..."""

    def stream(self, seconds: str = "1", **_: str) -> Any:  # type: ignore[override]
        count = round(checked("seconds", seconds, cli.positive) * 100)
        pieces = (np.arange(at, at + 10) for at in range(0, count, 10))
        return Stream(1, count, pieces, lambda values: GeneratedSound(np.asarray(values) / 100, 100))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with experiments of two lessons, a damaged one, one that comes trained, and a secret beside it."""
    top = tmp_path_factory.mktemp("built")
    root = top / "clone"
    for lesson in ("char_rnn", "wavenet"):
        (root / lesson).mkdir(parents=True)
        shutil.copy(ROOT / lesson / "lesson.py", root / lesson)
    facts = {"baseline": {"4": 1.9, "5": 1.8}, "message": "of the tests", "best": Best(1.5, 40), "step": 50}
    for folder in ("char_rnn/experiments/01", "char_rnn/experiments/03", "pretrained/char_rnn/verse"):
        experiment.create(root / "char_rnn", str(root / folder), **entries(**facts))
    experiment.create(root / "wavenet", str(root / "wavenet/experiments/01"), **entries(message="sound"))
    (root / "char_rnn/experiments/02").mkdir()
    (root / "char_rnn/experiments/02/run.json").write_text("{")
    (top / "secret").mkdir()
    shutil.copy(root / "pretrained/char_rnn/verse/run.json", top / "secret")
    return top


@pytest.fixture
def play_clone(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of that clone, in which the server is."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    root = tmp_path / "clone"
    for module in (lessons, experiments, own_files, results, training):
        monkeypatch.setattr(module, "ROOT", root)
    monkeypatch.setattr(pretrained, "FOLDER", root / "pretrained")
    monkeypatch.chdir(root)
    lessons.lessons.cache_clear()
    yield root
    lessons.lessons.cache_clear()


class Page:
    """A server with the page, and a visitor who has shown the token."""

    def __init__(self, base: str = "/", **line: int):
        self.line = Line(**line)
        self.base = base
        self.guard = Guard(TOKEN, 7005)
        self._server = HTTPServer(application(self.guard, self.line, base))
        socket, self.port = bind_unused_port()
        self._server.add_sockets([socket])
        self.host = f"localhost:{self.port}"
        self._connections: list[WebSocketClientConnection] = []

    @property
    def cookie(self) -> dict[str, str]:
        return {"Cookie": f"{self.guard.cookie}={self.guard.pass_value}"}

    async def ask(self, path: str, **options: Any) -> HTTPResponse:
        headers = {"Host": self.host, **self.cookie, **options.pop("headers", {})}
        request = HTTPRequest(
            f"http://127.0.0.1:{self.port}{self.base}{path}", headers=headers, follow_redirects=False, **options
        )
        return await AsyncHTTPClient().fetch(request, raise_error=False)

    async def connect(self, path: str = "play", **headers: str) -> WebSocketClientConnection:
        given = {"Host": self.host, "Origin": f"http://{self.host}", **self.cookie, **headers}
        request = HTTPRequest(f"ws://127.0.0.1:{self.port}{self.base}{path}", headers=given)
        self._connections.append(await websocket_connect(request))
        return self._connections[-1]

    async def close(self) -> None:
        self.line.stop_all()
        while self.line._running:
            await asyncio.sleep(0.01)
        for connection in self._connections:
            is_open = connection.close_code is None
            connection.close()
            while is_open and await connection.read_message() is not None:
                pass
        self._server.stop()


@contextlib.asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Page]:
    page = Page(**options)
    try:
        yield page
    finally:
        await page.close()


def visiting(visit: Callable[[Page], Awaitable[None]], **options: Any) -> None:
    """Do something with a server that is there meanwhile."""

    async def whole() -> None:
        async with serving(**options) as page:
            await visit(page)

    in_a_loop(asyncio.wait_for(whole(), 30))


def in_a_loop(scenario: Coroutine[Any, Any, None]) -> None:
    """Run it in an event loop of its own thread: once a browser has been started, one runs in this thread."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, scenario).result()


async def until(connection: WebSocketClientConnection, *types: str) -> list[Any]:
    """What a page gets, up to a message of one of these types."""
    heard: list[Any] = []
    while True:
        message = await connection.read_message()
        assert message is not None, f"closed: {connection.close_reason}"
        heard.append(message if isinstance(message, bytes) else json.loads(message))
        if isinstance(message, str) and heard[-1]["type"] in types:
            return heard


async def start(connection: WebSocketClientConnection, name: str = "pretrained/char_rnn/verse", **values: Any) -> None:
    await connection.write_message(json.dumps({"type": "start", "experiment": name, "values": values}))


def text_of(heard: list[Any]) -> str:
    return "".join(message["text"] for message in heard if message["type"] == "text")


def slow(monkeypatch: pytest.MonkeyPatch, pause: float, kind: type[Alphabet] = Alphabet) -> list[Alphabet]:
    """Let such networks be loaded; return them."""
    loaded: list[Alphabet] = []

    def load(path: Path) -> Alphabet:
        loaded.append(kind(path, pause))
        return loaded[-1]

    monkeypatch.setattr(networks.trained, "load", load)
    return loaded
