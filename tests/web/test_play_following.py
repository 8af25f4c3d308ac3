"""Open pages of loops that follow what other programs say by OSC, from the datagram to the page and back."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

pytest.importorskip("pythonosc")

from osc_clients import Client
from playing import TOKEN, Page, visiting
from tornado.websocket import WebSocketClientConnection

from workshop.host.ports import PLAY, Server
from workshop.osc import page as osc_page
from workshop.osc.page import OpenPages
from workshop.osc.server import ERROR, OscServer
from workshop.osc.slots import routes
from workshop.web import connected, following

Ask = Callable[..., Awaitable[list[Any]]]


def talking(talk: Callable[[Page, Ask], Awaitable[None]], token: str = TOKEN) -> None:
    """Do something with the page's server, and with what sends it messages by OSC and waits for the answers."""

    async def visit(page: Page) -> None:
        told = OpenPages(token, lambda: Server(PLAY, "127.0.0.1", page.port))
        with Client() as client, OscServer(routes(told), 0, deliver=client.deliver) as server:
            client.to = server.port
            await talk(page, lambda *words: asyncio.to_thread(client.ask, *words))

    visiting(visit)


async def follow(page: Page) -> WebSocketClientConnection:
    """A page of loops that is open."""
    return await page.connect("loops/following")


async def hear(connection: WebSocketClientConnection) -> dict[str, Any]:
    message = await connection.read_message()
    assert isinstance(message, str)
    heard: dict[str, Any] = json.loads(message)
    return heard


def test_a_message_reaches_the_page_and_its_answer_comes_back() -> None:
    async def talk(page: Page, ask: Ask) -> None:
        connection = await follow(page)
        for value in (0.25, 0.75):
            answer = asyncio.ensure_future(ask("/slot/3/level", value))
            heard = await hear(connection)
            assert (heard["what"], heard["slot"], heard["values"]) == ("level", 3, [value])
            # What does not belong to it is not taken for it.
            for other in ("{", "[]", '{"number": [1]}', '{"number": 99, "values": [0]}'):
                await connection.write_message(other)
            await connection.write_message(json.dumps({"number": heard["number"], "values": [value]}))
            assert await answer == ["/slot/3/level", value]

    talking(talk)


def test_what_the_page_cannot_do_is_answered_by_its_sentence() -> None:
    async def talk(page: Page, ask: Ask) -> None:
        connection = await follow(page)
        answer = asyncio.ensure_future(ask("/slot/2/random"))
        number = (await hear(connection))["number"]
        await connection.write_message(json.dumps({"number": number, "sentence": "slot 2 is\nlocked"}))
        address, sentence = await answer
        assert (address, sentence.startswith("/slot/2/random: slot 2 is"), "\n" in sentence) == (ERROR, True, False)

    talking(talk)


def test_all_open_pages_are_told_and_the_first_answer_counts() -> None:
    async def talk(page: Page, ask: Ask) -> None:
        one, other = await follow(page), await follow(page)
        answer = asyncio.ensure_future(ask("/slots/tempo", 90))
        numbers = [(await hear(connection))["number"] for connection in (one, other)]
        await other.write_message(json.dumps({"number": numbers[1], "values": [91]}))
        assert await answer == ["/slots/tempo", 91]
        await one.write_message(json.dumps({"number": numbers[0], "values": [92]}))  # nobody waits for it
        other.close()
        answer = asyncio.ensure_future(ask("/slots/tempo"))
        heard = await hear(one)
        await one.write_message(json.dumps({"number": heard["number"], "values": [92]}))
        assert await answer == ["/slots/tempo", 92]

    talking(talk)


def test_that_no_page_is_open_or_answers_or_stays_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PATIENCE", 0.1)

    async def talk(page: Page, ask: Ask) -> None:
        address, sentence = await ask("/slots/play", 1)
        assert (address, "no page of loops is open: open the page of" in sentence) == (ERROR, True)
        connection = await follow(page)
        assert "does not answer: reload it" in (await ask("/slots/play", 1))[1]
        monkeypatch.setattr(following, "PATIENCE", 20)
        answer = asyncio.ensure_future(ask("/slots/play", 1))
        for _ in range(2):
            await hear(connection)
        connection.close()
        assert "has been closed" in (await answer)[1]
        assert "no page of loops is open" in (await ask("/slots/play", 1))[1]

    talking(talk)


def test_only_who_knows_the_token_tells_and_only_the_page_follows() -> None:
    async def talk(page: Page, ask: Ask) -> None:
        assert "asks for its token" in (await ask("/slots/play", 1))[1]
        own, other = {"Origin": f"http://{page.host}"}, {"Origin": "http://evil.example"}
        for headers in ({**own}, {**other, osc_page.TOKEN: TOKEN}, {**own, osc_page.TOKEN: "no"}):
            answer = await page.ask("loops/tell", method="POST", body=b"{}", headers=headers)
            assert answer.code == 403
        for headers in (other, {"Cookie": ""}):
            with pytest.raises(Exception, match="403"):
                await page.connect("loops/following", **headers)

    talking(talk, token="0" * 32)


def test_too_many_pages_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connected, "MOST_PAGES", 1)

    async def talk(page: Page, ask: Ask) -> None:
        await follow(page)
        second = await page.connect("loops/following")
        assert await second.read_message() is None
        assert second.close_code == 1013

    talking(talk)
