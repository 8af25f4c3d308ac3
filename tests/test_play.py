"""The page's server, on a free port, with a network that writes the alphabet as slowly as a test wants."""

import asyncio
import contextlib
import hashlib
import io
import json
import re
import shutil
import threading
import time
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
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
from workshop.errors import UserError
from workshop.run import experiment
from workshop.run.record import Best
from workshop.run.stream import Stream
from workshop.run.trained import checked
from workshop.text.generated import GeneratedText
from workshop.web import experiments, networks, results
from workshop.web.jobs import Line
from workshop.web.security import Guard
from workshop.web.server import application
from workshop.web.tunes import GeneratedTunes, is_tune

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
    for folder in ("char_rnn/experiments/01", "char_rnn/experiments/03", "pretrained/verse"):
        experiment.create(root / "char_rnn", str(root / folder), **entries(**facts))
    experiment.create(root / "wavenet", str(root / "wavenet/experiments/01"), **entries(message="sound"))
    (root / "char_rnn/experiments/02").mkdir()
    (root / "char_rnn/experiments/02/run.json").write_text("{")
    (top / "secret").mkdir()
    shutil.copy(root / "pretrained/verse/run.json", top / "secret")
    return top


@pytest.fixture
def clone(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of that clone, in which the server is."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    root = tmp_path / "clone"
    for module in (lessons, experiments, results):
        monkeypatch.setattr(module, "ROOT", root)
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

    async def connect(self, **headers: str) -> WebSocketClientConnection:
        given = {"Host": self.host, "Origin": f"http://{self.host}", **self.cookie, **headers}
        request = HTTPRequest(f"ws://127.0.0.1:{self.port}{self.base}play", headers=given)
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

    asyncio.run(asyncio.wait_for(whole(), 30))


async def until(connection: WebSocketClientConnection, *types: str) -> list[Any]:
    """What a page gets, up to a message of one of these types."""
    heard: list[Any] = []
    while True:
        message = await connection.read_message()
        assert message is not None, f"closed: {connection.close_reason}"
        heard.append(message if isinstance(message, bytes) else json.loads(message))
        if isinstance(message, str) and heard[-1]["type"] in types:
            return heard


async def start(connection: WebSocketClientConnection, name: str = "pretrained/verse", **values: Any) -> None:
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


# ---- who may use it


def test_the_token_opens_the_page_once_and_then_the_cookie_does(clone: Path) -> None:
    async def visit(page: Page) -> None:
        nobody = {"Cookie": ""}
        assert (await page.ask("", headers=nobody)).code == 403
        assert (await page.ask("?token=wrong", headers=nobody)).code == 403
        assert (await page.ask("?token=%FF%C3%A9", headers=nobody)).code in (400, 403)
        for path in ("listing", "static/page.js", "made/" + "0" * 32 + ".wav"):
            refused = await page.ask(path, headers=nobody)
            assert refused.code == 403
            assert b"asks for its token" in refused.body
        answer = await page.ask(f"?token={TOKEN}", headers=nobody)
        assert (answer.code, answer.headers["Location"]) == (302, "./")
        cookie = answer.headers["Set-Cookie"]
        assert TOKEN not in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        opened = await page.ask("", headers={"Cookie": cookie.split(";")[0]})
        assert opened.code == 200
        assert b"<title>Play" in opened.body
        assert (await page.ask("", headers={"Cookie": f"{page.guard.cookie}={TOKEN}"})).code == 403

    visiting(visit)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7005", "localhost.evil.example", "[", "127.0.0.1.nip.io"]
)
def test_another_name_of_this_computer_is_refused(clone: Path, host: str) -> None:
    """A name can be made to point here; then that site's scripts could read the page."""

    async def visit(page: Page) -> None:
        for path in ("", "alive", "listing", "static/page.js"):
            assert (await page.ask(path, headers={"Host": host})).code in (400, 403)
        answer = await page.ask("play", headers={**UPGRADE, "Host": host, "Origin": f"http://{host}"})
        assert answer.code in (400, 403)

    visiting(visit)


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1:7005", "[::1]:7005", "192.168.0.7:7005", "LOCALHOST"])
def test_addresses_of_this_computer_are_accepted(host: str) -> None:
    assert Guard(TOKEN, 7005).is_host(host)


def test_a_name_behind_a_proxy_is_accepted_when_it_was_given() -> None:
    guard = Guard(TOKEN, 7005, ("hub.school.example",))
    assert guard.is_host("hub.school.example")
    assert guard.is_origin("https://hub.school.example", "127.0.0.1:7005")
    assert not guard.is_origin("https://other.example", "127.0.0.1:7005")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "https://", ""])
def test_another_site_may_not_drive_the_page(clone: Path, origin: str) -> None:
    async def visit(page: Page) -> None:
        assert (await page.ask("play", headers={**UPGRADE, "Origin": origin})).code == 403
        kept = await page.ask("keep/" + "0" * 32, method="POST", body=b"", headers={"Origin": origin})
        assert (kept.code, b"comes from another page" in kept.body) == (403, True)
        assert (await page.ask("listing", headers={"Origin": origin})).code == 403

    visiting(visit)


def test_what_another_page_embeds_is_refused_and_a_link_is_not(clone: Path) -> None:
    async def visit(page: Page) -> None:
        for site in ("cross-site", "same-site"):
            assert (
                await page.ask("listing", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"})
            ).code == 403
            assert (await page.ask("", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"})).code == 200
        # Without an Origin nothing is driven either.
        assert (await page.ask("keep/" + "0" * 32, method="POST", body=b"")).code == 403

    visiting(visit)


def test_every_answer_keeps_the_browser_strict(clone: Path) -> None:
    async def visit(page: Page) -> None:
        for path in ("", "static/page.js", "listing", "nothing", "../secret"):
            headers = (await page.ask(path)).headers
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "http" not in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert "Server" not in headers

    visiting(visit)


@pytest.mark.parametrize(
    "path",
    ["static/../server.py", "static/%2e%2e/server.py", "static//etc/passwd", "made/../../secret/run.json", "nothing"],
)
def test_no_path_leads_out_of_the_page(clone: Path, path: str) -> None:
    async def visit(page: Page) -> None:
        answer = await page.ask(path)
        assert answer.code in (403, 404)
        assert len(answer.body) < 200

    visiting(visit)


def test_nothing_of_the_page_is_loaded_from_elsewhere() -> None:
    static = ROOT / "workshop" / "web" / "static"
    for file in (*static.glob("*.html"), *static.glob("*.css"), *static.glob("*.js")):
        text = file.read_text("utf-8")
        assert "://" not in text, file
        if file.suffix == ".html":
            assert "<style" not in text
            assert ' style="' not in text
            assert 'src="/' not in text
            assert 'href="/' not in text


# ---- what is offered


def test_the_experiments_of_the_lessons_and_those_that_come_trained_are_listed(clone: Path) -> None:
    async def visit(page: Page) -> None:
        listing = json.loads((await page.ask("listing")).body)
        found = {entry["id"]: entry for entry in listing["experiments"]}
        assert list(found)[-1] == "pretrained/verse"
        assert set(found) == {
            "char_rnn/experiments/01", "char_rnn/experiments/02", "char_rnn/experiments/03", "wavenet/experiments/01",
            "pretrained/verse",
        }  # fmt: skip
        verse = found["pretrained/verse"]
        assert (verse["makes"], verse["name"], verse["pretrained"]) == ("text", "verse", True)
        assert (verse["message"], verse["loss"], verse["ngram"], verse["order"]) == ("of the tests", 1.5, 1.8, "5")
        assert "not valid JSON" in found["char_rnn/experiments/02"]["problem"]
        assert found["wavenet/experiments/01"]["makes"] == "sound"
        assert "Flute" in listing["instruments"]

    visiting(visit)


@pytest.mark.parametrize(
    "name", ["../secret", "char_rnn/../../secret", "/etc", "", "char_rnn/experiments/99", "x" * 9999]
)
def test_an_experiment_outside_of_the_list_cannot_be_named(
    clone: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    loaded = slow(monkeypatch, 0)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, name)
        *_, error = await until(connection, "error")
        assert "the page has no experiment" in error["sentence"]
        assert len(error["sentence"]) < 200
        await until(connection, "free")
        assert loaded == []

    visiting(visit)


def test_a_damaged_experiment_is_one_sentence(clone: Path) -> None:
    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, "char_rnn/experiments/02")
        *_, error = await until(connection, "error")
        assert "run.json is damaged" in error["sentence"]

    visiting(visit)


# ---- generating


def test_a_text_comes_piece_by_piece(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, 0)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, prompt="Oh: ", length="10", seed="", temperature="0.5")
        begun, *heard, free = await until(connection, "free")
        assert begun == {"type": "begun", "makes": "text", "seed": 7, "length": 10}
        assert [message["type"] for message in heard] == ["text", "progress"] * 3 + ["done"]
        assert text_of(heard[:-1]) == "Oh: abcdefghij"
        assert [message["made"] for message in heard if message["type"] == "progress"] == [4, 8, 10]
        done = heard[-1]
        assert (done["formats"], done["stopped"], free) == (["txt"], False, {"type": "free"})
        file = await page.ask(f"made/{done['id']}.txt?download")
        assert file.body == b"Oh: abcdefghij\n"
        assert file.headers["Content-Disposition"].endswith("''char_rnn-verse.txt")

    visiting(visit)


def test_what_was_made_is_kept_under_the_next_free_name(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, 0)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, length="3")
        *_, done = await until(connection, "done")
        own = {"Origin": f"http://{page.host}"}
        for number in ("01", "02"):
            kept = await page.ask(f"keep/{done['id']}", method="POST", body=b"", headers=own)
            assert json.loads(kept.body) == {"files": [f"data/generated/char_rnn-verse-{number}.txt"]}
            assert (clone / f"data/generated/char_rnn-verse-{number}.txt").read_text() == "abc\n"
        unknown = await page.ask("keep/" + "0" * 32, method="POST", body=b"", headers=own)
        assert (unknown.code, b"generate it again" in unknown.body) == (400, True)
        assert (await page.ask(f"made/{done['id']}.wav")).code == 400

    visiting(visit)


def test_sound_comes_as_samples_and_its_file_in_parts(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, 0, Tone)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, "wavenet/experiments/01", seconds="0.3")
        begun, *heard, done = await until(connection, "done")
        assert begun["rate"] == 100
        samples = np.frombuffer(b"".join(piece for piece in heard if isinstance(piece, bytes)), "<i2")
        np.testing.assert_allclose(samples / 32767, np.arange(30) / 100, atol=1e-4)
        whole = await page.ask(f"made/{done['id']}.wav")
        assert whole.body[:4] == b"RIFF"
        part = await page.ask(f"made/{done['id']}.wav", headers={"Range": "bytes=4-9"})
        assert (part.code, part.body) == (206, whole.body[4:10])
        assert part.headers["Content-Range"] == f"bytes 4-9/{len(whole.body)}"
        assert (await page.ask(f"made/{done['id']}.wav", headers={"Range": "bytes=9999-"})).code == 416

    visiting(visit)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"temperature": "0"}, "temperature: '0' is not a number above 0"),
        ({"length": "many"}, "length: 'many' is not a whole number of at least 1"),
        ({"length": "20001"}, "length: 20001 is more than the page makes at once, which is 20,000"),
        ({"prompt": "x" * 10_001}, "prompt: it is longer than the page takes"),
        ({"checkpoint": "/etc/passwd"}, "the page has no setting 'checkpoint' for text"),
        ({"length": ["5"]}, "the page has no setting 'length' for text"),
        ({"seconds": "5"}, "the page has no setting 'seconds' for text"),
    ],
)
def test_a_value_out_of_range_is_answered_as_on_the_command_line(
    clone: Path, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], sentence: str
) -> None:
    slow(monkeypatch, 0)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, **values)
        *_, error = await until(connection, "error")
        assert error["sentence"].startswith(sentence)
        await until(connection, "free")
        await start(connection, length="2")
        assert text_of(await until(connection, "free")) == "ab"

    visiting(visit)


def test_a_mistake_of_the_program_is_said_and_the_page_goes_on(
    clone: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slow(monkeypatch, 0)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, prompt="crash")
        *_, error = await until(connection, "error")
        assert "play.log says more" in error["sentence"]
        await until(connection, "free")
        await start(connection, length="1")
        await until(connection, "done")

    visiting(visit)
    assert "a mistake of the program" in caplog.text


@pytest.mark.parametrize(
    "message", ["", "{", "[1]", '{"type": "close"}', '{"type": ["start"]}', b"\x00\xff", "[" * 9999]
)
def test_what_no_page_says_closes_the_connection(clone: Path, message: str | bytes) -> None:
    async def visit(page: Page) -> None:
        connection = await page.connect()
        await connection.write_message(message, binary=isinstance(message, bytes))
        assert await connection.read_message() is None
        assert connection.close_code == 1003

    visiting(visit)


# ---- stop, and many at once


async def count_stays(network: Alphabet) -> None:
    """See that no piece is made any more, but for the one that was being made."""
    await asyncio.sleep(2 * network.pause)
    before = network.pieces
    await asyncio.sleep(5 * network.pause)
    assert network.pieces == before


def test_stop_ends_the_work_within_a_piece_and_what_was_made_stays(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = slow(monkeypatch, 0.05)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, length="10000")
        await until(connection, "progress")
        stopped = time.monotonic()
        await connection.write_message('{"type": "stop"}')
        *_, done, _ = await until(connection, "free")
        assert time.monotonic() - stopped < 1
        assert done["stopped"]
        assert (await page.ask(f"made/{done['id']}.txt")).body.startswith(b"abcd")
        await count_stays(loaded[0])

    visiting(visit)


def test_nobody_waits_for_a_network_that_is_being_loaded(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, gate = slow(monkeypatch, 0), threading.Event()
    load = networks.trained.load
    monkeypatch.setattr(networks.trained, "load", lambda path: gate.wait(10) and load(path))

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, length="8")
        await connection.write_message('{"type": "stop"}')
        assert await until(connection, "free") == [{"type": "free"}]
        await start(connection, length="4")
        gate.set()
        heard = await until(connection, "free")
        assert [message["type"] for message in heard] == ["begun", "text", "progress", "done", "free"]
        assert text_of(heard) == "abcd"
        assert loaded[0].pieces == 1

    visiting(visit)


def test_a_closed_page_ends_its_work(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = slow(monkeypatch, 0.05)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, length="10000")
        await until(connection, "progress")
        connection.close()
        await count_stays(loaded[0])
        assert not page.line.is_busy

    visiting(visit, at_once=1)


def test_so_many_run_so_many_wait_and_the_next_one_is_told(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = slow(monkeypatch, 0.02)

    async def visit(page: Page) -> None:
        connections = [await page.connect() for _ in range(5)]
        told = []
        for connection in connections:
            await start(connection, length="10000")
            told.append((await until(connection, "begun", "queued", "error"))[-1])
        assert [message["type"] for message in told] == ["begun", "begun", "queued", "queued", "error"]
        assert [message["place"] for message in told[2:4]] == [1, 2]
        assert told[4]["sentence"].startswith("2 are generating and 2 wait already")
        await until(connections[4], "free")
        for connection in connections[:2] * 3:
            await until(connection, "progress")  # in turn: neither takes the network for itself
        await connections[0].write_message('{"type": "stop"}')
        assert (await until(connections[2], "begun"))[-1]["type"] == "begun"
        assert (await until(connections[3], "queued"))[-1] == {"type": "queued", "place": 1}
        await connections[3].write_message('{"type": "stop"}')
        await until(connections[3], "free")
        # Of one network a piece is made at a time, whoever wants it.
        assert len(loaded) == 1
        assert loaded[0].most_at_once == 1

    visiting(visit, at_once=2, waiting=2)


def test_a_page_generates_one_thing_at_a_time(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, 0.02)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, length="10000")
        await start(connection, length="10000")
        *_, error = await until(connection, "error")
        assert "generating already" in error["sentence"]

    visiting(visit)


def test_a_full_line_takes_nothing_on() -> None:
    """Without a server, so that the number of the queue is seen at once."""

    async def scenario() -> None:
        from workshop.web.jobs import Job

        line, gate, places = Line(1, 1), threading.Event(), []
        line.add(Job(lambda job: gate.wait(5) and None))
        line.add(Job(lambda job: None, places.append))
        assert places == [1]
        with pytest.raises(UserError, match="1 are generating and 1 wait already"):
            line.add(Job(lambda job: None))
        gate.set()
        while line.is_busy:
            await asyncio.sleep(0.01)
        line.stop_all()

    asyncio.run(scenario())


# ---- networks


def test_the_last_networks_stay_loaded_and_a_changed_one_is_loaded_again(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = slow(monkeypatch, 0)
    shelf = networks.Networks(most=2)
    first = shelf.get("pretrained/verse")
    assert shelf.get("pretrained/verse") is first
    shelf.get("char_rnn/experiments/01")
    shelf.get("char_rnn/experiments/03")
    assert len(loaded) == 3
    assert shelf.get("pretrained/verse") is not first
    record = clone / "pretrained/verse/run.json"
    record.write_text(record.read_text() + "\n")
    shelf.get("pretrained/verse")
    assert len(loaded) == 5
    shutil.rmtree(clone / "pretrained/verse")
    with pytest.raises(UserError, match="the page has no experiment"):
        shelf.get("pretrained/verse")


def test_a_network_that_is_there_does_not_wait_for_one_that_is_loaded(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(monkeypatch, 0)
    shelf = networks.Networks()
    first = shelf.get("pretrained/verse")
    gate, load = threading.Event(), networks.trained.load
    monkeypatch.setattr(networks.trained, "load", lambda path: gate.wait(10) and load(path))
    loading = [threading.Thread(target=shelf.get, args=["char_rnn/experiments/01"]) for _ in range(2)]
    for thread in loading:
        thread.start()
    assert shelf.get("pretrained/verse") is first
    assert all(thread.is_alive() for thread in loading)
    gate.set()
    for thread in loading:
        thread.join(10)
    assert len(shelf._loaded) == 2


def test_the_network_is_warmed_up_when_there_is_nothing_else_to_do(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = slow(monkeypatch, 0)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await connection.write_message('{"type": "warm", "experiment": "pretrained/verse"}')
        await until(connection, "warm")
        assert loaded[0].pieces == 1
        await start(connection, length="4")
        await until(connection, "done")
        assert len(loaded) == 1

    visiting(visit)


# ---- behind a path


def test_the_page_lies_below_any_path(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, 0)

    async def visit(page: Page) -> None:
        answer = await page.ask(f"?token={TOKEN}", headers={"Cookie": ""})
        assert answer.headers["Location"] == "./"
        assert "Path=/user/ada/play/" in answer.headers["Set-Cookie"]
        assert (await page.ask("listing")).code == 200
        assert (await page.ask("static/page.css")).code == 200
        connection = await page.connect()
        await start(connection, length="1")
        await until(connection, "done")
        outside = HTTPRequest(f"http://127.0.0.1:{page.port}/listing", headers={"Host": page.host, **page.cookie})
        assert (await AsyncHTTPClient().fetch(outside, raise_error=False)).code == 404
        without = HTTPRequest(
            f"http://127.0.0.1:{page.port}/user/ada/play?token=x", headers={"Host": page.host}, follow_redirects=False
        )
        led = await AsyncHTTPClient().fetch(without, raise_error=False)
        assert (led.code, led.headers["Location"]) == (302, "/user/ada/play/?token=x")

    visiting(visit, base="/user/ada/play/")


def test_the_last_results_are_remembered_and_fewer_of_their_files() -> None:
    kept = results.Results(most=6)
    names = [kept.add(results.Made("char_rnn", "01", "text", GeneratedText(str(number)))) for number in range(3)]
    assert [kept.get(name).file("txt") for name in names] == [b"0\n", b"1\n", b"2\n"]
    for number in range(3, 7):
        kept.add(results.Made("char_rnn", "01", "text", GeneratedText(str(number))))
    with pytest.raises(UserError, match="generate it again"):
        kept.get(names[0])
    assert kept.get(names[1]).files == {}
    assert kept.get(names[1]).file("txt") == b"1\n"


# ---- tunes


def test_a_text_of_tunes_can_be_played(tmp_path: Path) -> None:
    slow_tune = "T:One\nM:4/4\nL:1/4\nQ:1/4=60\nK:C\nCDEF|\n"
    text = f"{slow_tune}\nX:2\nT:Two\nM:4/4\nL:1/4\nQ:1/4=120\nK:C\ncccc|\n\nX:3\nT:ha"
    assert is_tune(text)
    tunes = GeneratedTunes(text)
    assert tunes == f"X:1\n{text}"
    np.testing.assert_allclose(tunes.notes[:, 0], [0, 2, 4, 6, 10, 11, 12, 13])  # in beats of half a second
    assert tunes.notes[:, 2].tolist() == [60, 62, 64, 65, 72, 72, 72, 72]
    made = results.Made("char_rnn", "tunes", "text", tunes)
    assert made.formats == ["abc", "mid", "wav"]
    assert made.file("abc").decode() == f"X:1\n{text}\n"
    assert made.file("mid")[:4] == b"MThd"
    with wave.open(io.BytesIO(made.file("wav"))) as sound:
        assert sound.getnframes() / sound.getframerate() > 6


def test_other_texts_are_no_tunes() -> None:
    assert not is_tune("K: Oh, you\nX marks the spot")
    assert results.Made("char_rnn", "01", "text", GeneratedTunes("X:1\nK:C\n")).formats == ["abc"]


def test_the_libraries_of_others_are_what_their_packages_hold() -> None:
    vendor = ROOT / "workshop" / "web" / "static" / "vendor"
    sums = dict(re.findall(r"^\| `([\w.-]+)`.*`([0-9a-f]{64})` \|$", (vendor / "README.md").read_text(), re.MULTILINE))
    assert set(sums) == {file.name for file in vendor.glob("*.js")}
    for name, expected in sums.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == expected
