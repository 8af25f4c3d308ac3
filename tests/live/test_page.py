"""The page of the live room, without a browser: who may use it, what it is answered, and one at a time."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.websocket import WebSocketClientConnection, websocket_connect
from voices import Echo

from live.controls import Controls
from live.page import RATES, Converter, Sayer, application, serve
from live.room import Room
from live.stage import Stage
from workshop.errors import UserError
from workshop.web.security import Guard

TOKEN = "0123456789abcdef0123456789abcdef"
PIECE = 512
Make = Callable[..., Room]


class Page:
    """A server with the live room, and a visitor who has shown the token."""

    def __init__(self, stage: Stage):
        self.stage, self.guard = stage, Guard(TOKEN, 7004)
        self._server = HTTPServer(application(self.guard, stage, set()))
        socket, port = bind_unused_port()
        self._server.add_sockets([socket])
        self.host = f"localhost:{port}"
        self._connections: list[WebSocketClientConnection] = []

    async def ask(self, path: str, **headers: str) -> Any:
        given = {"Host": self.host, "Cookie": f"{self.guard.cookie}={self.guard.pass_value}", **headers}
        request = HTTPRequest(f"http://{self.host}/{path}", headers=given, follow_redirects=False)
        return await AsyncHTTPClient().fetch(request, raise_error=False)

    async def connect(self, **headers: str) -> WebSocketClientConnection:
        given = {
            "Host": self.host,
            "Origin": f"http://{self.host}",
            "Cookie": f"{self.guard.cookie}={self.guard.pass_value}",
            **headers,
        }
        self._connections.append(await websocket_connect(HTTPRequest(f"ws://{self.host}/sound", headers=given)))
        return self._connections[-1]

    async def close(self) -> None:
        for connection in self._connections:
            is_open = connection.close_code is None
            connection.close()
            while is_open and await connection.read_message() is not None:
                pass
        self._server.stop()
        await self._server.close_all_connections()


def visiting(room: Room, visit: Callable[[Page], Awaitable[None]]) -> None:
    async def whole() -> None:
        page = Page(Stage(room, Controls(), lambda name, place: Echo(0.5), say=room.said.append))
        try:
            await visit(page)
        finally:
            await page.close()

    asyncio.run(asyncio.wait_for(whole(), 30))


async def told(connection: WebSocketClientConnection, kind: str) -> Any:
    """The next message of a kind."""
    while True:
        message = await connection.read_message()
        assert message is not None, f"closed: {connection.close_reason}"
        if isinstance(message, bytes):
            if kind == "piece":
                return np.frombuffer(message, "<f4")
        elif json.loads(message)["type"] == kind:
            return json.loads(message)


def test_only_whoever_has_the_token_hears_the_room(room: Make) -> None:
    async def visit(page: Page) -> None:
        for path in ("static/live.js", "shared/page.css"):
            assert (await page.ask(path)).code == 200
            assert (await page.ask(path, Cookie="")).code == 403
        opened = await page.ask("")
        assert b"<title>Live" in opened.body
        assert "default-src 'none'" in opened.headers["Content-Security-Policy"]
        assert (await page.ask("", Cookie="")).code == 403
        assert (await page.ask(f"?token={TOKEN}", Cookie="")).code == 302
        assert (await page.ask("", Host="evil.example")).code == 403
        for headers in ({"Origin": "http://evil.example"}, {"Cookie": ""}, {"Host": "evil.example"}):
            with pytest.raises(HTTPClientError, match="403"):
                await page.connect(**headers)

    visiting(room(Echo()), visit)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_pieces_come_back_with_what_the_networks_made_of_them(rate: int, room: Make) -> None:
    tone = (0.3 * np.sin(2 * np.pi * 300 * np.arange(40 * PIECE) / rate)).astype("<f4")

    async def visit(page: Page) -> None:
        connection = await page.connect()
        assert (await told(connection, "room"))["networks"] == ["net1"]
        await connection.write_message(json.dumps({"type": "begin", "rate": rate}))
        assert "latency:" in (await told(connection, "said"))["sentence"]
        heard = []
        for piece in np.split(tone, 40):
            await connection.write_message(piece.tobytes(), binary=True)
            heard.append(await told(connection, "piece"))
        assert {len(piece) for piece in heard} == {PIECE}
        assert np.abs(np.concatenate(heard)).max() == pytest.approx(0.3, abs=0.02)

    # Blocks come in bursts, so the page's room has patience; the time of this one does not depend on the machine.
    made = room(Echo(), prebuffer=2, patience=10.0)
    visiting(made, visit)
    assert made.slots[0].counts.blocks > 20
    assert made.slots[0].counts.late == 0


@pytest.mark.parametrize("rate", [8000, 44100])
def test_what_a_piece_gives_is_always_whole(rate: int, room: Make) -> None:
    converter = Converter(rate, Stage(room(Echo()), Controls(), lambda name, place: Echo()))
    rng = np.random.default_rng(0)
    for _ in range(200):
        piece = rng.normal(size=rng.integers(1, 700)).astype(np.float32)
        assert len(converter.exchange(piece)[0]) == len(piece)


def test_what_the_page_asks_for_is_done(room: Make) -> None:
    made = room(Echo(), Echo())

    async def visit(page: Page) -> None:
        connection = await page.connect()
        for message in (
            {"type": "begin", "rate": 8000},
            {"type": "knob", "name": "mix", "value": 1},
            {"type": "midi", "data": [0xB0, 7, 100]},
            {"type": "words", "words": "oh my\n"},
            {"type": "note", "pitch": 60, "velocity": 90},
            {"type": "swap", "place": 2, "name": "other"},
            {"type": "swap", "place": 9, "name": "other"},
        ):
            await connection.write_message(json.dumps(message))
        while "there are 2" not in (await told(connection, "said"))["sentence"]:
            pass
        for _ in range(20):
            await connection.write_message(np.zeros(PIECE, "<f4").tobytes(), binary=True)
        words = await told(connection, "words")
        assert (words["place"], words["words"]) == (1, "oh my\n")
        notes = (await told(connection, "notes"))["notes"]
        assert {tuple(note) for note in notes} == {(1, 60, 90), (2, 60, 90)}
        state = await told(connection, "state")
        assert (state["knobs"]["mix"], state["knobs"]["volume"]) == (1, 100 / 127)

    visiting(made, visit)
    assert made.slots[1].name == "other"


def test_a_second_page_is_told_and_the_first_one_that_is_closed_makes_room(room: Make) -> None:
    async def visit(page: Page) -> None:
        first = await page.connect()
        await told(first, "room")
        second = await page.connect()
        assert await second.read_message() is None
        assert "open in another page" in (second.close_reason or "")
        first.close()
        while await first.read_message() is not None:
            pass
        page._connections.remove(first)
        await asyncio.sleep(0.05)
        third = await page.connect()
        await told(third, "room")

    visiting(room(Echo()), visit)


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "[]",
        "{}",
        json.dumps({"type": "begin"}),
        json.dumps({"type": "knob", "name": "__class__", "value": 1}),
        json.dumps({"type": "knob", "name": "mix", "value": "x"}),
        json.dumps({"type": "knob", "name": "mix", "value": float("nan")}),
        json.dumps({"type": "begin", "rate": float("inf")}),
        json.dumps({"type": "note", "pitch": 900, "velocity": 1}),
        json.dumps({"type": "midi", "data": [999]}),
        b"\0\0\0",
        b"\0" * 4,
    ],
)
def test_what_no_page_sends_closes_the_connection(message: str | bytes, room: Make) -> None:
    async def visit(page: Page) -> None:
        connection = await page.connect()
        await connection.write_message(message, binary=isinstance(message, bytes))
        while await connection.read_message() is not None:
            pass
        assert connection.close_code == 1003

    visiting(room(Echo()), visit)


def test_a_rate_that_no_sound_has_is_said(room: Make) -> None:
    async def visit(page: Page) -> None:
        connection = await page.connect()
        await connection.write_message(json.dumps({"type": "begin", "rate": RATES[-1] + 1}))
        assert "192000" in (await told(connection, "said"))["sentence"]

    visiting(room(Echo()), visit)


def test_a_port_that_the_container_does_not_show_is_refused(room: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSHOP_PUBLISHED", "7006:7106 7004:7104")
    stage = Stage(room(Echo()), Controls(), lambda name, place: Echo())
    with pytest.raises(UserError, match=r"7104.*WORKSHOP_PORT_LIVE"):
        serve(stage, set(), Sayer(set()), "127.0.0.1", "7104")
