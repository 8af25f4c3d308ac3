"""A web server on this machine that misbehaves, for the tests of downloads."""

import contextlib
import hashlib
import http.server
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from workshop.datasets.download import WORKERS, Remote

CONTENT = random.Random(0).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Server:
    """A server on this machine and how it misbehaves.

    Attributes:
        content: what it sends.
        cut_after: bytes of each answer after which it drops the connection; None for never.
        stall_after: bytes of the first answer after which it falls silent; None for never.
        statuses: errors that it answers first, one a request.
        redirect: where it sends everybody.
        length: what it says of the length; '' for the truth.
        instead: what it sends instead of everything else, by the number of the request: all bytes, with the head.
        asked: how often it was asked.
    """

    url: str = ""
    content: bytes = CONTENT
    cut_after: int | None = None
    stall_after: int | None = None
    statuses: list[int] = field(default_factory=list)
    redirect: str = ""
    length: str = ""
    instead: Callable[[int], Iterator[bytes]] | None = None
    asked: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)

    def remote(self, target: Path) -> Remote:
        return Remote(self.url + "/set/input.txt", len(CONTENT), SHA256, target)


class Listening(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # Connections beyond the five of the default would wait for a second.
    request_queue_size = 4 * WORKERS


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """A server for as long as the block takes."""
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            with state.lock:
                state.asked += 1
                number = state.asked
            if state.instead:
                with contextlib.suppress(ConnectionError):
                    for part in state.instead(number):
                        self.wfile.write(part)
                        self.wfile.flush()
                self.close_connection = True
                return
            if state.redirect and self.path != "/elsewhere":
                self.send_response(302)
                self.send_header("Location", state.redirect)
                self.end_headers()
                return
            if state.statuses:
                self.send_error(state.statuses.pop(0))
                return
            self.send_response(200)
            self.send_header("Content-Length", state.length or str(len(state.content)))
            self.end_headers()
            self.answer(state.content)

        def answer(self, body: bytes) -> None:
            if state.stall_after is not None:
                self.wfile.write(body[: state.stall_after])
                state.stall_after = None
                state.over.wait(5)
            else:
                self.wfile.write(body[: state.cut_after])
            self.close_connection = True

    listening = Listening(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True).start()
    state.url = f"http://127.0.0.1:{listening.server_address[1]}"
    yield state
    state.over.set()
    listening.shutdown()
    listening.server_close()
