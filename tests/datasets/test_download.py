"""Downloads over bad lines, from servers that misbehave."""

import http.server
import io
import itertools
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from damage import fill
from serving import CONTENT, SHA256, Listening, Server
from tqdm import tqdm

from workshop.datasets.download import (
    MAX_WRONG,
    WORKERS,
    Asking,
    Remote,
    fetch,
    fetch_all,
    is_web_address,
)
from workshop.errors import UserError

IMPATIENT = Asking(timeout=3.0, attempts=3, pause=0.01)


def assert_whole(target: Path) -> None:
    assert target.read_bytes() == CONTENT
    assert os.listdir(target.parent) == [target.name]


def test_a_download_arrives_whole_and_shows_its_progress(server: Server, target: Path) -> None:
    with tqdm(total=1, file=io.StringIO()) as bar:
        fetch(server.remote(target), bar=bar)
        assert_whole(target)
        assert (bar.n, bar.total) == (len(CONTENT), len(CONTENT))


def test_everybody_may_read_what_was_fetched(server: Server, target: Path) -> None:
    """As any other file that a program of this user makes."""
    fetch(server.remote(target))
    (target.parent / "other").touch()
    assert target.stat().st_mode == (target.parent / "other").stat().st_mode


@pytest.mark.parametrize("cut_after", [0, 80_000])
def test_a_line_that_always_breaks_is_given_up(server: Server, target: Path, cut_after: int) -> None:
    server.cut_after = cut_after
    with pytest.raises(UserError, match=r"could not be fetched \(the connection was cut\); check the network"):
        fetch(server.remote(target), IMPATIENT)
    assert server.asked == 3
    assert os.listdir(target.parent.parent.parent) == []


def test_a_silent_server_is_left_and_asked_again(server: Server, target: Path) -> None:
    server.stall_after = 50_000
    start = time.monotonic()
    fetch(server.remote(target), replace(IMPATIENT, timeout=0.3))
    assert_whole(target)
    assert server.asked == 2
    assert time.monotonic() - start < 3


def test_a_busy_server_is_asked_again(server: Server, target: Path) -> None:
    server.statuses = [503, 429]
    fetch(server.remote(target), IMPATIENT)
    assert_whole(target)


def test_a_missing_file_is_said_at_once(server: Server, target: Path) -> None:
    server.statuses = [404, 404]
    with pytest.raises(UserError, match=r"input\.txt cannot be fetched: the server answers 404 .*--mirror"):
        fetch(server.remote(target), IMPATIENT)
    assert server.asked == 1


def test_an_answer_that_is_not_read_leaves_no_connection_open(server: Server, target: Path) -> None:
    def open_sockets() -> int:
        return sum(name.is_socket() for name in Path("/proc/self/fd").iterdir())

    before = open_sockets()
    server.statuses = [404]
    with pytest.raises(UserError) as refused:
        fetch(server.remote(target), IMPATIENT)
    server.content = CONTENT + b"more" * len(CONTENT)
    with pytest.raises(UserError) as too_long:
        fetch(server.remote(target), IMPATIENT)
    # The server's end is closed by its own thread. The errors are still held, and with them what they refer to.
    for _ in range(200):
        if open_sockets() <= before:
            break
        time.sleep(0.01)
    assert open_sockets() <= before, (refused, too_long)


@pytest.mark.parametrize("content", [b"x" * len(CONTENT), CONTENT + b"more", CONTENT[:-5], b""])
def test_wrong_contents_are_thrown_away(server: Server, target: Path, content: bytes) -> None:
    server.content = content
    with pytest.raises(UserError, match=r"contents differ.*discarded.*--mirror"):
        fetch(server.remote(target), IMPATIENT)
    assert not target.parent.exists()
    assert server.asked == (1 if content else IMPATIENT.attempts)


def test_wrong_contents_leave_what_was_there(server: Server, target: Path) -> None:
    server.content = b"x" * len(CONTENT)
    target.parent.mkdir(parents=True)
    target.write_text("mine")
    with pytest.raises(UserError):
        fetch(server.remote(target), IMPATIENT)
    assert target.read_text() == "mine"


def test_no_network_is_one_sentence_with_a_way_out(target: Path) -> None:
    with pytest.raises(UserError, match=r"could not be fetched \(Connection refused\); check the network.*--mirror"):
        fetch(Remote("http://127.0.0.1:9/x", len(CONTENT), SHA256, target), IMPATIENT)


def test_a_redirect_to_the_web_is_followed(server: Server, target: Path) -> None:
    server.redirect = server.url + "/elsewhere"
    fetch(server.remote(target), IMPATIENT)
    assert_whole(target)


def test_a_redirect_in_circles_is_one_line(server: Server, target: Path) -> None:
    server.redirect = server.url + "/again"
    with pytest.raises(UserError, match=r"^[^\n]*redirects in circles[^\n]*$"):
        fetch(server.remote(target), IMPATIENT)


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/plain,x"])
def test_a_redirect_away_from_the_web_is_refused(server: Server, target: Path, to: str) -> None:
    server.redirect = to
    with pytest.raises(UserError, match=r"(?i)redirect.*--mirror"):
        fetch(server.remote(target), IMPATIENT)
    assert not target.exists()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a/b", "input.txt", "http://", "http://[broken"])
def test_other_addresses_are_refused(target: Path, url: str) -> None:
    assert not is_web_address(url)
    with pytest.raises(UserError, match="is no http or https address"):
        fetch(Remote(url, 1, SHA256, target))


def test_a_place_that_cannot_be_written_is_said(server: Server, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UserError, match=r"taken/input\.txt cannot be written .*choose another folder"):
        fetch(server.remote(tmp_path / "taken" / "input.txt"), IMPATIENT)


def test_a_redirect_with_a_body_without_end_is_followed(server: Server, target: Path) -> None:
    def answer(number: int) -> Iterator[bytes]:
        if number > 1:
            return iter([f"HTTP/1.1 200 OK\r\nContent-Length: {len(CONTENT)}\r\n\r\n".encode(), CONTENT])
        head = f"HTTP/1.1 302 Found\r\nLocation: {server.url}/elsewhere\r\n\r\n".encode()
        return itertools.chain([head], itertools.repeat(bytes(1 << 16)))

    server.instead = answer
    fetch(server.remote(target), IMPATIENT)
    assert_whole(target)


# ---- mirror folders


def test_a_mirror_folder_is_copied_and_verified(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "mirror.txt"
    source.write_bytes(CONTENT)
    file = Remote(source, len(CONTENT), SHA256, target)
    fetch(file)
    assert_whole(target)
    source.write_bytes(CONTENT[:-1])
    target.unlink()
    with pytest.raises(UserError, match=r"mirror\.txt is not the file that the catalogue names"):
        fetch(file)
    assert os.listdir(target.parent) == []
    with pytest.raises(UserError, match=r"the mirror has no .*gone"):
        fetch(replace(file, source=tmp_path / "gone"))


# ---- many small files


def many(server_url: str, folder: Path, count: int = 12) -> list[Remote]:
    return [
        Remote(f"{server_url}/set/{n}.mid", len(CONTENT), SHA256, folder / "set" / f"{n}.mid") for n in range(count)
    ]


def get_all(files: list[Remote]) -> int:
    """Fetch files; return how many were reported as done."""
    seen: list[int] = []
    fetch_all(files, IMPATIENT, progress=lambda: seen.append(1))
    return len(seen)


def test_many_files_arrive_whole(server: Server, tmp_path: Path) -> None:
    files = many(server.url, tmp_path)
    assert get_all(files) == 12
    assert sorted(os.listdir(tmp_path / "set")) == sorted(f"{n}.mid" for n in range(12))
    assert all(file.target.read_bytes() == CONTENT for file in files)
    assert get_all([]) == 0


def test_many_files_are_asked_for_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    together = threading.Barrier(WORKERS)

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            together.wait(5)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(CONTENT)

    with Listening(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{listening.server_address[1]}"
        assert get_all(many(url, tmp_path, 2 * WORKERS)) == 2 * WORKERS
        listening.shutdown()


def test_a_busy_server_is_asked_for_many_files_again(server: Server, tmp_path: Path) -> None:
    server.statuses = [503, 429]
    assert get_all(many(server.url, tmp_path)) == 12
    assert server.asked == 14


@pytest.mark.parametrize("cut_after", [0, 1000])
def test_a_line_that_breaks_stops_many_files(server: Server, tmp_path: Path, cut_after: int) -> None:
    server.cut_after = cut_after
    with pytest.raises(UserError, match=r"mid could not be fetched \(the connection was cut\); check the network"):
        get_all(many(server.url, tmp_path, 200))
    assert server.asked < 60
    assert not (tmp_path / "set").exists()


def test_no_network_stops_many_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"could not be fetched \(Connection refused\); check the network.*--mirror"):
        get_all(many("http://127.0.0.1:9", tmp_path, 200))


@pytest.mark.parametrize("content", [b"x" * len(CONTENT), CONTENT + b"more", CONTENT[:-5], b""])
def test_files_with_other_contents_are_named(server: Server, tmp_path: Path, content: bytes) -> None:
    server.content = content
    words = (
        r"12 files could not be fetched \(.*\.mid, .*\.mid, .*\.mid and 9 more\), the first because .*contents differ"
    )
    with pytest.raises(UserError, match=words):
        get_all(many(server.url, tmp_path))
    assert not (tmp_path / "set").exists()


def test_a_wrong_file_leaves_the_others_and_what_was_there(server: Server, tmp_path: Path) -> None:
    files = many(server.url, tmp_path)
    wrong = files[3] = replace(files[3], sha256="0" * 64)
    wrong.target.parent.mkdir()
    wrong.target.write_text("mine")
    with pytest.raises(UserError, match=r"^one file could not be fetched: http.*/set/3\.mid is not the file"):
        get_all(files)
    assert wrong.target.read_text() == "mine"
    assert [file.target.read_bytes() == CONTENT for file in files].count(True) == 11


def test_another_source_is_not_asked_for_all_files(server: Server, tmp_path: Path) -> None:
    server.statuses = [404] * 500
    with pytest.raises(UserError, match=rf"^{MAX_WRONG} files could not be fetched .*the server answers 404"):
        get_all(many(server.url, tmp_path, 500))
    assert server.asked < 200


def test_a_place_for_many_files_that_cannot_be_written_is_said(server: Server, tmp_path: Path) -> None:
    (tmp_path / "set").write_text("a file")
    with pytest.raises(UserError, match=r"set/\d+\.mid cannot be written .*choose another folder"):
        get_all(many(server.url, tmp_path))


def test_many_files_of_a_mirror_folder(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(CONTENT)
    (tmp_path / "b.mid").mkdir()
    names = ("a", "b", "a.mid/c")
    files = [Remote(tmp_path / f"{name}.mid", len(CONTENT), SHA256, tmp_path / "set" / f"{name}.mid") for name in names]
    assert get_all(files[:1]) == 1
    for file in files[1:]:
        with pytest.raises(UserError, match=r"fetched: the mirror has no .*\.mid; copy the file there"):
            get_all([file])


def test_what_goes_wrong_in_a_thread_is_not_lost(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr("workshop.datasets.download._download", broken)
    with pytest.raises(ZeroDivisionError):
        get_all(many(server.url, tmp_path))


# ---- what a server can make of an answer


@pytest.mark.parametrize("to", ["http://[", "http://[::1", "http://[x]/", "//]", f"http://{'a' * 70}.test/x"])
def test_a_redirect_to_what_is_no_address_is_one_line(server: Server, target: Path, to: str) -> None:
    server.redirect = to
    said = r"http[^\n]*(answer is not valid HTTP|no web address|could not be fetched)[^\n]*--mirror$"
    with pytest.raises(UserError, match=f"^{said}"):
        fetch(server.remote(target), IMPATIENT)
    with pytest.raises(UserError, match=said):
        get_all(many(server.url, target.parent, 1))


@pytest.mark.parametrize("length", ["\xb2\xb3", "1" * 9000, "-1", "", "1_0", "x"])
def test_a_length_that_is_no_number_is_one_line(server: Server, target: Path, length: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode("latin-1")
    server.instead = lambda number: iter([head, CONTENT[:100]])
    with pytest.raises(UserError, match=r"^http[^\n]*--mirror$"):
        fetch(server.remote(target), IMPATIENT)
    with pytest.raises(UserError):
        get_all(many(server.url, target.parent, 1))


def test_what_is_no_web_server_is_quoted_in_brief(server: Server, target: Path) -> None:
    server.instead = lambda number: iter([b"\x1b[2J " * 9000 + b"\n"])
    with pytest.raises(UserError, match="could not be fetched") as failure:
        fetch(server.remote(target), IMPATIENT)
    assert len(str(failure.value)) < 400


def test_what_could_not_be_copied_from_a_mirror_is_not_left(tmp_path: Path, target: Path, small_disk: Path) -> None:
    (tmp_path / "mirror.txt").write_bytes(CONTENT)
    fill(small_disk, 65536)
    with pytest.raises(UserError, match=r"cannot be written \(no space left on device \(0 MB free there\)\)"):
        fetch(Remote(tmp_path / "mirror.txt", len(CONTENT), SHA256, small_disk / "input.txt"))
    assert os.listdir(small_disk) == ["filler"]
