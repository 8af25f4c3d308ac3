"""A web server on this machine that misbehaves, for the tests of downloads."""

import contextlib
import hashlib
import http.server
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

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
        ignores_range: it sends the whole file whatever it is asked for.
        wrong_range: it sends from another place than it is asked for.
        statuses: errors that it answers first, one a request.
        redirect: where it sends everybody.
        length: what it says of the length; '' for the truth.
        instead: what it sends instead of everything else, by the number of the request and the place that it is asked
            to send from: all bytes of an answer, with its head.
        ranges: the Range header of each request, '' where there was none.
    """

    url: str = ""
    content: bytes = CONTENT
    cut_after: int | None = None
    stall_after: int | None = None
    ignores_range: bool = False
    wrong_range: bool = False
    statuses: list[int] = field(default_factory=list)
    redirect: str = ""
    length: str = ""
    instead: Callable[[int, int], Iterator[bytes]] | None = None
    ranges: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def remote(self, content: bytes = CONTENT) -> Remote:
        return Remote(self.url + "/set/input.txt", len(content), hashlib.sha256(content).hexdigest())


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
            asked = self.headers.get("Range", "")
            state.ranges.append(asked)
            if state.instead:
                start = int(asked.removeprefix("bytes=").rstrip("-") or 0)
                with contextlib.suppress(ConnectionError):
                    for part in state.instead(len(state.ranges), start):
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
            start = 0 if state.ignores_range or not asked else int(asked.removeprefix("bytes=").rstrip("-"))
            if asked and start >= len(state.content):
                self.send_error(416)
                return
            start += state.wrong_range and bool(asked)
            body = state.content[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(state.content) - 1}/{len(state.content)}")
            self.send_header("Content-Length", state.length or str(len(body)))
            self.end_headers()
            self.answer(body)

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
