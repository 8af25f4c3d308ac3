"""Open pages of loops that follow another program: what it says comes from the server of OSC, and goes to all pages."""

import asyncio
import itertools
import json
from http import HTTPStatus
from typing import Any

from workshop.commands import start_sh
from workshop.osc.page import TOKEN
from workshop.web.connected import Connected
from workshop.web.security import ASKS, Guarded, Refused
from workshop.web.sending import read, send

#: Seconds in which a page answers. What takes longer, as loops do that are made, goes on after the answer.
PATIENCE = 3


class Follower(Connected):
    """The connection of a page. It gets `{number, what, slot, values}`, and answers with the same number: `{number,
    values}`, what then holds, or `{number, sentence}`, why it cannot be.
    """

    def initialize(self, pages: set["Follower"]) -> None:
        """Take the set of open pages, which all connections share."""
        self._pages = pages
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}

    def on_close(self) -> None:
        """Whoever waits for its answer need not wait longer."""
        super().on_close()
        for number in list(self._asked):
            self._answer(number, {})

    def on_message(self, message: str | bytes) -> None:
        """Take an answer."""
        said = read(message)
        if isinstance(number := said.get("number"), int):
            self._answer(number, said)

    def ask(self, said: dict[str, Any]) -> asyncio.Future[dict[str, Any]]:
        """Tell the page, and return its answer, which comes later: an empty one where the page is closed instead."""
        number, answer = next(self._numbers), asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        send(self, json.dumps({**said, "number": number}))
        return answer

    def forget(self, answer: asyncio.Future[dict[str, Any]]) -> None:
        """Nobody waits for an answer any more."""
        self._asked = {number: one for number, one in self._asked.items() if one is not answer}

    def _answer(self, number: int, said: dict[str, Any]) -> None:
        if answer := self._asked.pop(number, None):
            answer.set_result(said)


class Tell(Guarded):
    """Tells all open pages what a program says that knows the token, as the server of OSC does. Answered with `values`,
    as the first of them answers, or refused with its sentence.
    """

    needs_token = False  # as a cookie

    def initialize(self, pages: set[Follower]) -> None:
        """Take the set of open pages."""
        self._pages = pages

    async def post(self) -> None:
        """Tell them.

        Raises:
            Refused: the token is not right, no page is open, none answers, or the first one cannot.
        """
        if not self.guard.knows_token(self.request.headers.get(TOKEN, "")):
            raise Refused(ASKS)
        said = await self._first(read(self.request.body))
        if "sentence" in said:
            raise Refused(str(said["sentence"]), HTTPStatus.BAD_REQUEST)
        self.finish({"values": said.get("values")})

    async def _first(self, said: dict[str, Any]) -> dict[str, Any]:
        asked = {page.ask(said): page for page in list(self._pages)}
        if not asked:
            how = f"open the page of {start_sh('play')}, and in it 'Mix loops'"
            raise Refused(f"no page of loops is open: {how}", HTTPStatus.CONFLICT)
        try:
            for answer in asyncio.as_completed(asked, timeout=PATIENCE):
                if holds := await answer:
                    return holds
        except TimeoutError as late:
            raise Refused("the page of loops does not answer: reload it", HTTPStatus.GATEWAY_TIMEOUT) from late
        finally:
            for answer, page in asked.items():
                page.forget(answer)
        raise Refused("the page of loops has been closed", HTTPStatus.CONFLICT)
