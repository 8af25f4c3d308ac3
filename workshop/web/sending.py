"""Send a page a message, although it may be closed at any moment, and read what it says."""

import asyncio
import json
from typing import Any

from tornado.websocket import WebSocketClosedError, WebSocketHandler


def send(connection: WebSocketHandler, message: str | bytes) -> None:
    """Send text, or bytes, without waiting; where the page has closed, its `on_close` is called, and nothing is said.

    Args:
        connection: an open one, or one that was.
        message: what to send.
    """
    try:
        sent = connection.write_message(message, binary=isinstance(message, bytes))
    except WebSocketClosedError:
        connection.on_close()
    else:
        sent.add_done_callback(_closed_meanwhile)


def _closed_meanwhile(sent: "asyncio.Future[None]") -> None:
    """Take an error that nobody waits for: asyncio would log it. `on_close` is called by tornado."""
    if not sent.cancelled():
        sent.exception()


def parsed(message: str | bytes) -> Any:
    """What a message holds as JSON; None where it holds something else."""
    try:
        return json.loads(message)
    except (ValueError, RecursionError):
        return None


def read(message: str | bytes) -> dict[str, Any]:
    """The object that a message holds; an empty one where it holds something else."""
    said = parsed(message)
    return said if isinstance(said, dict) else {}
