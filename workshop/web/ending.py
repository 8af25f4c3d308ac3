"""How the servers of pages end."""

import asyncio
import signal

from tornado.httpserver import HTTPServer


async def until_stopped(server: HTTPServer) -> None:
    """Let a server that listens serve until SIGTERM or Ctrl-C."""
    end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    await end.wait()
    server.stop()
