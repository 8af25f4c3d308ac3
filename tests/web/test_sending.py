"""What is sent to a page that closes meanwhile."""

import asyncio
import gc
from typing import Any

import pytest
from tornado.websocket import WebSocketClosedError

from workshop.web.sending import send


class Connection:
    """A connection of which one can say when it closes."""

    def __init__(self, closes: str) -> None:
        self.closes, self.sent, self.closed = closes, [], 0

    def write_message(self, message: str | bytes, binary: bool) -> "asyncio.Future[None]":
        if self.closes == "before":
            raise WebSocketClosedError
        self.sent.append((message, binary))

        async def written() -> None:
            if self.closes == "meanwhile":
                raise WebSocketClosedError

        return asyncio.ensure_future(written())

    def on_close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize(("closes", "sent", "closed"), [("never", 2, 0), ("before", 0, 2), ("meanwhile", 2, 0)])
def test_a_page_that_closes_is_no_error(closes: str, sent: int, closed: int, caplog: pytest.LogCaptureFixture) -> None:
    connection: Any = Connection(closes)

    async def talk() -> None:
        send(connection, "words")
        send(connection, b"sound")
        await asyncio.sleep(0.01)

    asyncio.run(talk())
    gc.collect()
    assert connection.sent == [("words", False), (b"sound", True)][:sent]
    assert connection.closed == closed
    assert caplog.records == []
