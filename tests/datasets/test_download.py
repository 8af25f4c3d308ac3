"""Downloads over bad lines, from servers that misbehave."""

import http.client
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from damage import fill
from serving import CONTENT, SHA256, Listening, Server

from workshop.datasets.download import (
    MAX_WRONG,
    WORKERS,
    Remote,
    SmallFile,
    copy,
    fetch,
    fetch_all,
    is_web_address,
    part_of,
)
from workshop.errors import UserError


def get(remote: Remote, target: Path, **options: float) -> None:
    fetch(remote, target, **{"timeout": 3.0, "pause": 0.01, "attempts": 3} | options)  # type: ignore[arg-type]


def assert_whole(target: Path) -> None:
    assert target.read_bytes() == CONTENT
    assert os.listdir(target.parent) == [target.name]


def test_a_download_arrives_whole_and_shows_its_progress(server: Server, target: Path) -> None:
    seen: list[int] = []
    fetch(server.remote(), target, progress=seen.append)
    assert_whole(target)
    assert seen == sorted(seen)
    assert seen[-1] == len(CONTENT)


def test_a_cut_connection_is_taken_up_again_where_it_broke(server: Server, target: Path) -> None:
    server.cut_after = 80_000
    get(server.remote(), target)
    assert_whole(target)
    assert server.ranges == ["", "bytes=80000-", "bytes=160000-", "bytes=240000-"]


def test_a_part_from_yesterday_is_completed(server: Server, target: Path) -> None:
    target.parent.mkdir(parents=True)
    part_of(target).write_bytes(CONTENT[:1000])
    get(server.remote(), target)
    assert_whole(target)
    assert server.ranges == ["bytes=1000-"]


def test_a_server_that_ignores_ranges_sends_all_again(server: Server, target: Path) -> None:
    server.ignores_range = True
    target.parent.mkdir(parents=True)
    part_of(target).write_bytes(b"x" * 1000)
    get(server.remote(), target)
    assert_whole(target)


def test_a_server_that_sends_another_range_is_not_believed(server: Server, target: Path) -> None:
    server.wrong_range = True
    target.parent.mkdir(parents=True)
    part_of(target).write_bytes(CONTENT[:1000])
    get(server.remote(), target)
    assert_whole(target)
    assert server.ranges == ["bytes=1000-", ""]


def test_a_refused_range_begins_again(server: Server, target: Path) -> None:
    server.statuses = [416]
    target.parent.mkdir(parents=True)
    part_of(target).write_bytes(CONTENT[:1000])
    get(server.remote(), target)
    assert_whole(target)
    assert server.ranges == ["bytes=1000-", ""]


@pytest.mark.parametrize("stale", [b"x" * 1000, b"x" * len(CONTENT), b"x" * (len(CONTENT) + 5)])
def test_a_part_of_another_version_is_thrown_away(server: Server, target: Path, stale: bytes) -> None:
    target.parent.mkdir(parents=True)
    part_of(target).write_bytes(stale)
    get(server.remote(), target)
    assert_whole(target)


def test_a_complete_part_needs_no_network(target: Path) -> None:
    target.parent.mkdir(parents=True)
    part_of(target).write_bytes(CONTENT)
    fetch(Remote("http://127.0.0.1:9/x", len(CONTENT), SHA256), target)
    assert_whole(target)


def test_a_silent_server_is_left_and_asked_again(server: Server, target: Path) -> None:
    server.stall_after = 50_000
    start = time.monotonic()
    get(server.remote(), target, timeout=0.3)
    assert_whole(target)
    assert server.ranges == ["", "bytes=50000-"]
    assert time.monotonic() - start < 3


def test_a_busy_server_is_asked_again(server: Server, target: Path) -> None:
    server.statuses = [503, 429]
    get(server.remote(), target)
    assert_whole(target)


def test_a_missing_file_is_said_at_once(server: Server, target: Path) -> None:
    server.statuses = [404, 404]
    with pytest.raises(UserError, match=r"input\.txt cannot be fetched: the server answers 404 .*--mirror"):
        get(server.remote(), target)
    assert len(server.ranges) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x" * len(CONTENT), "contents differ"),
        (CONTENT + b"more", "is longer than the 300,000 bytes"),
        (CONTENT[:-5], "has 299,995 bytes and not the 300,000"),
        (b"", "has 0 bytes and not the 300,000"),
    ],
)
def test_wrong_contents_are_thrown_away(server: Server, target: Path, content: bytes, words: str) -> None:
    server.content = content
    with pytest.raises(UserError, match=f"{words}.*discarded.*--mirror"):
        get(server.remote(), target)
    assert os.listdir(target.parent) == []


def test_wrong_contents_leave_what_was_there(server: Server, target: Path) -> None:
    server.content = b"x" * len(CONTENT)
    target.parent.mkdir(parents=True)
    target.write_text("mine")
    with pytest.raises(UserError):
        get(server.remote(), target)
    assert target.read_text() == "mine"


def test_no_network_is_one_sentence_with_a_way_out_and_keeps_the_part(target: Path) -> None:
    target.parent.mkdir(parents=True)
    part_of(target).write_bytes(CONTENT[:10])
    with pytest.raises(UserError, match=r"could not be fetched \(Connection refused\); check the network.*--mirror"):
        get(Remote("http://127.0.0.1:9/x", len(CONTENT), SHA256), target)
    assert part_of(target).read_bytes() == CONTENT[:10]


def test_a_line_that_always_breaks_is_given_up(server: Server, target: Path) -> None:
    server.cut_after = 0
    with pytest.raises(UserError, match="connection was cut"):
        get(server.remote(), target)
    assert len(server.ranges) == 3


def test_a_server_that_has_less_and_does_not_say_how_much_is_given_up(server: Server, target: Path) -> None:
    """What has arrived is refused to be resumed and is discarded, again and again."""
    server.content, server.length = CONTENT[:9], "unknown"
    with pytest.raises(UserError, match="could not be fetched"):
        get(server.remote(), target)
    assert server.ranges == ["", "bytes=9-", ""]


def test_a_redirect_to_the_web_is_followed(server: Server, target: Path) -> None:
    server.redirect = server.url + "/elsewhere"
    get(server.remote(), target)
    assert_whole(target)


def test_a_redirect_in_circles_is_one_line(server: Server, target: Path) -> None:
    server.redirect = server.url + "/again"
    with pytest.raises(UserError, match=r"^[^\n]*answers 302 [^\n]*$"):
        get(server.remote(), target)


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/plain,x"])
def test_a_redirect_away_from_the_web_is_refused(server: Server, target: Path, to: str) -> None:
    server.redirect = to
    with pytest.raises(UserError, match=r"(?i)redirect.*--mirror"):
        get(server.remote(), target)
    assert not target.exists()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a/b", "input.txt", "http://", "http://[broken"])
def test_other_addresses_are_refused(target: Path, url: str) -> None:
    assert not is_web_address(url)
    with pytest.raises(UserError, match="is no http or https address"):
        fetch(Remote(url, 1, SHA256), target)


def test_a_place_that_cannot_be_written_is_said(server: Server, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UserError, match=r"taken/input\.txt cannot be written .*choose another folder"):
        get(server.remote(), tmp_path / "taken" / "input.txt")


def test_ctrl_c_leaves_a_part_to_go_on_from(server: Server, target: Path) -> None:
    server.stall_after = 120_000
    remote = server.remote()
    code = (
        "import sys; from pathlib import Path; from workshop.datasets.download import Remote, fetch\n"
        "fetch(Remote(sys.argv[1], int(sys.argv[2]), sys.argv[3]), Path(sys.argv[4]))"
    )
    command = [sys.executable, "-c", code, remote.url, str(remote.bytes), remote.sha256, str(target)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and (not part_of(target).exists() or not server.ranges):
            time.sleep(0.02)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
    assert process.returncode != 0
    assert CONTENT.startswith(part_of(target).read_bytes())
    assert part_of(target).stat().st_size == 120_000
    get(remote, target)
    assert_whole(target)
    assert server.ranges == ["", "bytes=120000-"]


# ---- mirror folders


def test_a_mirror_folder_is_copied_and_verified(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "mirror.txt"
    source.write_bytes(CONTENT)
    remote = Remote("", len(CONTENT), SHA256)
    copy(source, remote, target)
    assert_whole(target)
    source.write_bytes(CONTENT[:-1])
    target.unlink()
    with pytest.raises(UserError, match=r"mirror\.txt is not the file that the catalogue names"):
        copy(source, remote, target)
    assert os.listdir(target.parent) == []
    with pytest.raises(UserError, match=r"the mirror has no .*gone"):
        copy(tmp_path / "gone", remote, target)


# ---- many small files


def many(server_url: str, folder: Path, count: int = 12) -> list[SmallFile]:
    return [SmallFile(f"{server_url}/set/{n}.mid", SHA256, folder / "set" / f"{n}.mid") for n in range(count)]


def get_all(files: list[SmallFile], **options: float) -> int:
    """Fetch files; return how many were reported as done."""
    seen: list[int] = []
    all_options = {"timeout": 3.0, "pause": 0.01, "attempts": 3} | options
    fetch_all(files, len(CONTENT), progress=lambda: seen.append(1), **all_options)  # type: ignore[arg-type]
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
        assert get_all(many(url, tmp_path, 2 * WORKERS), timeout=6.0) == 2 * WORKERS
        listening.shutdown()


def test_a_busy_server_is_asked_for_many_files_again(server: Server, tmp_path: Path) -> None:
    server.statuses = [503, 429]
    assert get_all(many(server.url, tmp_path)) == 12
    assert len(server.ranges) == 14


@pytest.mark.parametrize("cut_after", [0, 1000])
def test_a_line_that_breaks_stops_many_files(server: Server, tmp_path: Path, cut_after: int) -> None:
    server.cut_after = cut_after
    with pytest.raises(UserError, match=r"mid could not be fetched \(the connection was cut\); check the network"):
        get_all(many(server.url, tmp_path, 200))
    assert len(server.ranges) < 60
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
    wrong = files[3] = SmallFile(files[3].source, "0" * 64, files[3].target)
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
    assert len(server.ranges) < 200


def test_a_place_for_many_files_that_cannot_be_written_is_said(server: Server, tmp_path: Path) -> None:
    (tmp_path / "set").write_text("a file")
    with pytest.raises(UserError, match=r"set/\d+\.mid cannot be written .*choose another folder"):
        get_all(many(server.url, tmp_path))


def test_many_files_of_a_mirror_folder(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(CONTENT)
    (tmp_path / "b.mid").mkdir()
    names = ("a", "b", "a.mid/c")
    files = [SmallFile(tmp_path / f"{name}.mid", SHA256, tmp_path / "set" / f"{name}.mid") for name in names]
    assert get_all(files[:1]) == 1
    for file in files[1:]:
        with pytest.raises(UserError, match=r"fetched: the mirror has no .*\.mid; copy the file there"):
            get_all([file])


def test_what_goes_wrong_in_a_thread_is_not_lost(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr("workshop.datasets.download._read_small", broken)
    with pytest.raises(ZeroDivisionError):
        get_all(many(server.url, tmp_path))


# ---- what a server can make of an answer


@pytest.mark.parametrize("to", ["http://[", "http://[::1", "http://[x]/", "//]", f"http://{'a' * 70}.test/x"])
def test_a_redirect_to_what_is_no_address_is_one_line(server: Server, target: Path, to: str) -> None:
    server.redirect = to
    said = r"http[^\n]*(answer is not valid HTTP|which is no web address)[^\n]*--mirror$"
    with pytest.raises(UserError, match=f"^{said}"):
        get(server.remote(), target)
    with pytest.raises(UserError, match=said):
        get_all(many(server.url, target.parent, 1))


@pytest.mark.parametrize("length", ["\xb2\xb3", "1" * 9000, "-1", "", "1_0", "x"])
def test_a_length_that_is_no_number_is_passed_over(server: Server, target: Path, length: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode("latin-1")
    server.instead = lambda number, start: iter([head, CONTENT[:100]])
    with pytest.raises(UserError, match="could not be fetched"):
        get(server.remote(), target)
    with pytest.raises(UserError):
        get_all(many(server.url, target.parent, 1))


def test_what_is_no_web_server_is_quoted_in_brief(server: Server, target: Path) -> None:
    server.instead = lambda number, start: iter([b"\x1b[2J " * 9000 + b"\n"])
    with pytest.raises(UserError, match="could not be fetched") as failure:
        get(server.remote(), target)
    assert len(str(failure.value)) < 400


def test_what_could_not_be_copied_from_a_mirror_is_not_left(tmp_path: Path, target: Path, small_disk: Path) -> None:
    (tmp_path / "mirror.txt").write_bytes(CONTENT)
    fill(small_disk, 65536)
    with pytest.raises(UserError, match=r"cannot be written \(no space left on device \(0 MB free there\)\)"):
        copy(tmp_path / "mirror.txt", Remote("", len(CONTENT), SHA256), small_disk / "input.txt")
    assert os.listdir(small_disk) == ["filler"]
