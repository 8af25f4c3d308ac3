"""A server on this machine that answers whatever it likes."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from fuzz import Reader
from hypothesis import strategies as st

from foreign.mutations import files, mostly
from workshop.datasets.download import Asking, Remote, fetch, fetch_all

CONTENT = b"la la la\n" * 100
IMPATIENT = Asking(timeout=0.3, attempts=2, pause=0.0)
DIGEST = hashlib.sha256(CONTENT).hexdigest()

STATUSES = [
    "HTTP/1.1 200 OK", "HTTP/1.1 206 Partial Content", "HTTP/1.1 302 Found", "HTTP/1.1 308 Moved", "HTTP/1.1 401 No",
    "HTTP/1.1 404 Not Found", "HTTP/1.1 416 Range", "HTTP/1.1 503 Later", "HTTP/1.1 100 Continue", "HTTP/1.1 204 None",
    "HTTP/1.1 999 ?", "HTTP/1.1 99 ?", "HTTP/1.1 -1 ?", "HTTP/9.9 200 OK", "HTTP/1.1 200", "HTTP/1.1", "", "ICY 200 OK",
    "HTTP/1.1 2000000000000 x", "HTTP/1.1 \u00b2\u00b2 x", "HTTP/1.0 200 " + "x" * 70000,
]  # fmt: skip
LENGTHS = ["0", "1", "899", "900", "901", "-1", "\u00b2", "9" * 30, "9" * 5000, "nan", "", " 900 ", "900, 900", "0x10"]
RANGES = [
    "bytes 300-899/900", "bytes 0-899/900", "bytes 300-", "bytes 300-\u00b2/9", "bytes */900", "x", "",
    "bytes 300-99999999999999999999/1",
]  # fmt: skip
PLACES = [
    "/", "", "/elsewhere", "//", "http://", "http://[", "http://[::1", "http://127.0.0.1:x/", "http://127.0.0.1:99999/",
    "http://\u00b2/", "http:///x", "file:///etc/passwd", "ftp://127.0.0.1/x", "javascript:1", "http://127.0.0.1:1/",
    "\u00e9 \u00b2", "http://a@b:c@d/", "?" + "x" * 9000, "http://127.0.0.1\u00b2:80/",
]  # fmt: skip
HEADERS = st.one_of(
    st.sampled_from(LENGTHS).map(lambda value: f"Content-Length: {value}"),
    st.just("Content-Length: 900"),
    st.sampled_from(RANGES).map(lambda value: f"Content-Range: {value}"),
    st.sampled_from(PLACES).map(lambda value: f"Location: {value}"),
    st.sampled_from(["chunked", "gzip", "chunked, chunked", "x"]).map(lambda value: f"Transfer-Encoding: {value}"),
    st.sampled_from([":", "no colon", " folded", "A" * 70000 + ": 1", "Connection: keep-alive", "\0: \0"]),
)
BODIES = [
    CONTENT, CONTENT[300:], b"", b"x", CONTENT + b"x", b"384\r\n" + CONTENT + b"\r\n0\r\n\r\n", b"zz\r\n",
    b"ffffffffffffffff\r\n" + CONTENT, b"-1\r\n" + CONTENT, b"_3_84\r\n" + CONTENT, b"1;" + b"x" * 70000,
]  # fmt: skip


@st.composite
def _answer(draw: st.DrawFn) -> bytes:
    """What the server sends to a request."""
    if draw(st.integers(0, 3)) == 0:
        length = draw(st.sampled_from(["Content-Length: 900", "Transfer-Encoding: chunked", "Connection: close"]))
        head = ["HTTP/1.1 200 OK", length]
    else:
        head = [draw(st.sampled_from(STATUSES[:8]) | st.sampled_from(STATUSES)), *draw(st.lists(HEADERS, max_size=4))]
    head += ["X: 1"] * (200 if draw(st.integers(0, 30)) == 0 else 0)
    lines = "\r\n".join([*head, "", ""]).encode("latin-1")
    return lines + draw(mostly(st.sampled_from(BODIES), files(BODIES)))


class Server:
    """Sends to one request after another the next of some answers, again and again, and hangs up; or falls silent for
    longer than anybody waits.
    """

    def __init__(self) -> None:
        self.answers: Iterator[bytes] = cycle([b""])
        self.silent = False
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/set/song.txt"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.settimeout(5)
                asked = b""
                while b"\r\n\r\n" not in asked and (block := connection.recv(1 << 16)):
                    asked += block
                connection.sendall(next(self.answers))
                if self.silent:
                    threading.Event().wait(2 * IMPATIENT.timeout)
            except OSError:
                return


#: Among others, so that some downloads come to their end.
_RIGHT = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(CONTENT), CONTENT)
#: Some answers, and whether the server falls silent after them.
CASES = st.tuples(
    st.lists(_answer() | st.just(_RIGHT), min_size=1, max_size=5),
    st.sampled_from([False] * 19 + [True]),
)


def download(scratch: Path) -> Reader:
    """One file."""
    server = Server()

    def read(case: tuple[list[bytes], bool], folder: Path) -> None:
        answers, server.silent = case
        server.answers = cycle(answers)
        target = folder / "song.txt"
        try:
            fetch(Remote(server.url, len(CONTENT), DIGEST, target), IMPATIENT)
        finally:
            assert not target.exists() or target.read_bytes() == CONTENT
            assert {file.name for file in folder.iterdir()} <= {"song.txt"}

    return Reader(CASES, read)


def download_many(scratch: Path) -> Reader:
    """Several small files at a time."""
    server = Server()

    def read(case: tuple[list[bytes], bool], folder: Path) -> None:
        answers, server.silent = case
        server.answers = cycle(answers)
        names = [f"{number}.txt" for number in range(min(3, len(answers)))]
        wanted = [Remote(server.url, 2000, DIGEST, folder / "set" / name) for name in names]
        try:
            fetch_all(wanted, IMPATIENT)
        finally:
            assert all(file.target.read_bytes() == CONTENT for file in wanted if file.target.exists())
            assert {file.name for file in folder.rglob("*")} <= {"set", "0.txt", "1.txt", "2.txt"}

    return Reader(CASES, read)
