"""Downloads from servers that lie, stall and cut, and downloads that are killed: a target is absent or whole.

What tests/test_download.py tries once in each way is tried here in many, at random places. No archive is unpacked by
the workshop: that is kept here, too.
"""

import itertools
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from damage import everything, fill
from serving import CONTENT, SHA256, Server, serving

from workshop import ROOT
from workshop.datasets.download import Remote, fetch, part_of
from workshop.errors import UserError

pytestmark = pytest.mark.slow

Amount = Callable[[int, int], int]
Figure = Callable[[str, str, str], None]
Answer = Callable[[int, int], Iterator[bytes]]

SIZE = len(CONTENT)


def get(remote: Remote, target: Path, attempts: int = 3) -> None:
    fetch(remote, target, timeout=0.5, pause=0.001, attempts=attempts)


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")


def rest(start: int, length: int | None = None) -> bytes:
    """The head of an honest answer to being asked for what follows `start`."""
    length = SIZE - start if length is None else length
    if not start:
        return head(f"Content-Length: {length}")
    return head(f"Content-Length: {length}", f"Content-Range: bytes {start}-{SIZE - 1}/{SIZE}", status="206 Partial")


# ---- lines that break ------------------------------------------------------------------------------------------------


def test_cut_at_random_places(server: Server, target: Path, amount: Amount, figure: Figure) -> None:
    cuts = 0
    downloads = amount(20, 300)
    for seed in range(downloads):
        chance = random.Random(seed)

        def answer(number: int, start: int, chance: random.Random = chance) -> Iterator[bytes]:
            nonlocal cuts
            whole = rest(start) + CONTENT[start:]
            # Each fifth one is whole: a part that is almost all there would be cut in the head, again and again.
            end = chance.randrange(1, len(whole) + 1) if number % 5 else len(whole)
            cuts += end < len(whole)
            yield whole[:end]

        server.instead = answer
        get(server.remote(), target, attempts=6)
        assert target.read_bytes() == CONTENT
        assert os.listdir(target.parent) == ["input.txt"]
        target.unlink()
    figure(
        "connections cut at random places, also within the header", f"{cuts} cuts in {downloads} downloads", "all whole"
    )


def test_stalled_at_random_places(server: Server, target: Path, amount: Amount, figure: Figure) -> None:
    stalls = amount(3, 20)
    slowest = 0.0
    for seed in range(stalls):
        end = random.Random(seed).randrange(1, SIZE)

        def answer(number: int, start: int, end: int = end) -> Iterator[bytes]:
            whole = rest(start) + CONTENT[start:]
            if number % 2:
                yield whole[:end]
                server.over.wait(5)
            else:
                yield whole

        server.instead = answer
        server.ranges.clear()
        started = time.monotonic()
        get(server.remote(), target)
        slowest = max(slowest, time.monotonic() - started)
        assert target.read_bytes() == CONTENT
        target.unlink()
    assert slowest < 5
    figure(
        "servers that fall silent at random places (left after 0.5 s here, 20 s in use)",
        f"{stalls} times",
        f"all whole, the slowest after {slowest:.1f} s",
    )


# ---- servers that lie ------------------------------------------------------------------------------------------------


def endless(part: bytes) -> Iterator[bytes]:
    return itertools.repeat(part)


def chunked(*chunks: bytes) -> Iterator[bytes]:
    yield head("Transfer-Encoding: chunked")
    yield from chunks


#: What a server can send. Each is given the number of the request and the place that it is asked to send from.
LIES: dict[str, Answer] = {
    "no end": lambda n, start: itertools.chain([head()], endless(bytes(1 << 16))),
    "chunks without end": lambda n, start: itertools.chain(chunked(), endless(b"1000\r\n" + bytes(0x1000) + b"\r\n")),
    "a chunk of no size": lambda n, start: chunked(b"zz\r\n" + CONTENT),
    "a chunk of a huge size": lambda n, start: chunked(b"f" * 30 + b"\r\n" + CONTENT),
    "a chunk of a negative size": lambda n, start: chunked(b"-5\r\n" + CONTENT),
    "a size line without end": lambda n, start: itertools.chain(chunked(), endless(b"0" * (1 << 16))),
    "a head without end": lambda n, start: itertools.chain([b"HTTP/1.1 200 OK\r\n"], endless(b"A: x\r\n" * 99)),
    "a line without end": lambda n, start: itertools.chain([b"HTTP/1.1 200 OK\r\nA: "], endless(b"x" * 4096)),
    "a status without end": lambda n, start: endless(b"HTTP/1.1 200 " + b"x" * 4096),
    "no head": lambda n, start: iter([CONTENT]),
    "nothing": lambda n, start: iter([]),
    "an old head": lambda n, start: iter([b"\r\n" + CONTENT]),
    "a head of zeros": lambda n, start: iter([bytes(1000)]),
    "a length that is larger": lambda n, start: iter([head(f"Content-Length: {SIZE + 9}"), CONTENT]),
    "a length that is smaller": lambda n, start: iter([head(f"Content-Length: {SIZE - 9}"), CONTENT]),
    "a length that is negative": lambda n, start: iter([head("Content-Length: -1"), bytes(SIZE)]),
    "a length that is huge": lambda n, start: iter([head("Content-Length: " + "9" * 40), bytes(SIZE)]),
    "a length that is no number": lambda n, start: iter([head("Content-Length: many"), bytes(SIZE)]),
    "a length of other digits": lambda n, start: iter([head("Content-Length: \xb2\xb3"), CONTENT[:100]]),
    "a length of many digits": lambda n, start: iter([head("Content-Length: " + "1" * 9000), CONTENT[:100]]),
    "two lengths": lambda n, start: iter([head("Content-Length: 5", f"Content-Length: {SIZE}"), CONTENT]),
    "a part that was not asked for": lambda n, start: iter([rest(9), CONTENT[9:]]),
    "a part from elsewhere": lambda n, start: iter([rest(start), CONTENT[:SIZE - start][::-1]]),
    "a part that lies about its start": lambda n, start: iter([rest(start + 1, SIZE), CONTENT]),
    "a part of no range": lambda n, start: iter([head("Content-Range: all", status="206 Partial"), CONTENT[start:]]),
    "a part without a range": lambda n, start: iter([head(status="206 Partial"), CONTENT[start:]]),
    "the rest as if it were all": lambda n, start: iter([head(f"Content-Length: {SIZE - start}"), CONTENT[start:]]),
    "no such range": lambda n, start: iter([head("Content-Length: 0", status="416 No")]),
    "nothing changed": lambda n, start: iter([head(status="304 Not Modified")]),
    "no content": lambda n, start: iter([head(status="204 No Content")]),
    "an unknown status": lambda n, start: iter([head("Content-Length: 0", status="999 \x1b[2J")]),
    "no status": lambda n, start: iter([head("Content-Length: 0", status="abc")]),
    "compressed": lambda n, start: iter([head("Content-Encoding: gzip"), b"\x1f\x8b" + CONTENT]),
}  # fmt: skip
#: Where a server can send one.
REDIRECTS = [
    "file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/plain,x", "//", "http://", "http:///x", "http://[broken",
    "http://127.0.0.1:99999/x", "http://127.0.0.1:abc/x", "http://127.0.0.1:-1/x", f"http://{'a' * 70}.test/x",
    "http://\xff\xfe/x", "http://127.0.0.1:9/x", "https://127.0.0.1:9/x", "http://a@b@c/", "jar:http://x!/", "\x1b[2J",
    "", "gopher://127.0.0.1/", "unix:///run/x", "http://127.0.0.1:9/\r\nX: y", "http://" + "x" * 70_000, "HTTP://[",
]  # fmt: skip


def lied_to(remote: Remote, target: Path, content: bytes) -> bool:
    """Fetch from a faulty server: return whether the file is there all the same. It is whole or absent."""
    started, said = time.monotonic(), ""
    try:
        get(remote, target)
    except UserError as error:
        said = str(error)
    assert time.monotonic() - started < 10
    assert "\n" not in said
    assert len(said) < 500
    assert target.exists() == (not said)
    if not said:
        assert target.read_bytes() == content
        target.unlink()
    if (part := part_of(target)).exists():
        assert part.stat().st_size <= remote.bytes
        part.unlink()
    return not said


def moved(to: str) -> Answer:
    """A redirect."""
    return lambda number, start: iter([head(f"Location: {to}", "Content-Length: 0", status="302 Found")])


def test_lies(server: Server, target: Path, figure: Figure) -> None:
    """From the beginning, and going on with a part of the right file, of another one, and one that is too long."""
    parts = [b"", CONTENT[:1000], CONTENT[:-1], b"x" * 1000, CONTENT + b"more"]
    tried = whole = 0
    for lie, part in itertools.product(LIES.values(), parts):
        server.instead = lie
        target.parent.mkdir(parents=True, exist_ok=True)
        if part:
            part_of(target).write_bytes(part)
        whole += lied_to(server.remote(), target, CONTENT)
        tried += 1
    figure("faulty server responses", f"{tried} answers of {len(LIES)} kinds", f"{whole} files whole, no other there")


def test_redirects(server: Server, target: Path, figure: Figure) -> None:
    for to in REDIRECTS:
        server.instead = moved(to)
        assert not lied_to(server.remote(), target, CONTENT), to
    server.instead = lambda n, start: iter([head("Content-Length: 0", status="302 Found")])
    assert not lied_to(server.remote(), target, CONTENT)
    with serving() as other:
        other.redirect = f"{server.url}/x"
        server.instead = moved(f"{other.url}/x")
        assert not lied_to(server.remote(), target, CONTENT)
        other.redirect = ""
        assert lied_to(server.remote(), target, CONTENT)
    figure(
        "redirects: to files and other schemes, to what is no address, in circles over two servers",
        f"{len(REDIRECTS) + 2} times",
        "all refused in one sentence; one to another server is followed",
    )


def test_a_right_hash_and_a_wrong_length(server: Server, target: Path, figure: Figure) -> None:
    for length in (0, 1, SIZE - 1, SIZE + 1, 2 * SIZE):
        assert not lied_to(Remote(f"{server.url}/x", length, SHA256), target, CONTENT)
    for sha256 in ("", "0" * 64, SHA256.upper(), SHA256[:-1]):
        assert not lied_to(Remote(f"{server.url}/x", SIZE, sha256), target, CONTENT)
    figure("files with the right hash and a wrong length, and the reverse", "9 times", "none is accepted")


def test_a_disk_that_becomes_full(server: Server, small_disk: Path, amount: Amount, figure: Figure) -> None:
    target = small_disk / "set" / "input.txt"
    times = amount(3, 20)
    for seed in range(times):
        filler = fill(small_disk, random.Random(seed).randrange(SIZE - 8192))
        with pytest.raises(
            UserError, match=r"input\.txt cannot be written \(no space left on device \(0 MB free there\)\)"
        ):
            get(server.remote(), target)
        assert not target.exists()
        filler.unlink()
        assert not part_of(target).exists() or CONTENT.startswith(part_of(target).read_bytes())
        get(server.remote(), target)
        assert everything(small_disk / "set") == {"input.txt": CONTENT}
        target.unlink()
    figure(
        "the disk full at a random place of a download",
        f"{times} times",
        "an error is reported; whole once there is room",
    )


# ---- killed ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def workshop_of_one_set(tmp_path: Path) -> Path:
    """A copy of the program with a catalogue of its own: one file, and one set of many."""
    root = tmp_path / "clone"
    shutil.copytree(ROOT / "workshop", root / "workshop", ignore=shutil.ignore_patterns("__pycache__", "jupyter"))
    (root / "data").mkdir()
    common = (
        'kind = "midi"\nwhat = "w"\nlicence = "l"\nattribution = "a"\nmade = "download"\nrepo = "r"\ncommit = "c"\n'
    )
    (root / "data" / "many.sha256").write_text("".join(f"{SHA256}  {number}.mid\n" for number in range(20)))
    (root / "data" / "catalog.toml").write_text(
        f'address = "http://127.0.0.1:9/{{path}}"\n'
        f'[one]\n{common}target = "midi/one/1.mid"\npath = "1.mid"\nbytes = {SIZE}\nsha256 = "{SHA256}"\n'
        f'[many]\n{common}target = "midi/many"\npath = "m"\nbytes = {SIZE}\nmanifest = "many.sha256"\nfiles = 20\n'
    )
    return root


@pytest.mark.parametrize("name", ["one", "many"])
def test_killed_and_resumed(
    name: str, server: Server, workshop_of_one_set: Path, amount: Amount, figure: Figure
) -> None:
    """`python -m workshop.datasets get` is killed with -9 at random moments, and called again until it has all."""
    command = [sys.executable, "-m", "workshop.datasets", "get", name, "--mirror", server.url]
    environment = {**os.environ, "PYTHONPATH": str(workshop_of_one_set), "no_proxy": "*"}
    folder = workshop_of_one_set / "data" / "midi" / name

    def answer(number: int, start: int) -> Iterator[bytes]:
        yield rest(start)
        for at in range(start, SIZE, SIZE // 20):  # slow, so that there is something to kill
            yield CONTENT[at : at + SIZE // 20]
            server.over.wait(0.02 if name == "one" else 0.005)

    server.instead = answer
    kills, chance = amount(3, 50), random.Random(amount(1, random.randrange(1 << 32)))
    killed = 0
    while killed < kills:
        asked = len(server.ranges)
        process = subprocess.Popen(command, cwd=workshop_of_one_set, env=environment, stderr=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL)  # fmt: skip
        deadline = time.monotonic() + 30
        while len(server.ranges) == asked and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.45))
        process.send_signal(signal.SIGKILL)
        if process.wait(30) == 0:
            shutil.rmtree(folder)  # it was faster: it begins again
            continue
        killed += 1
        for file in folder.glob("*.mid"):
            assert file.read_bytes() == CONTENT
        for part in folder.glob("[!.]*.part"):
            assert CONTENT.startswith(part.read_bytes())
    for leftover in folder.glob(".*.part"):  # those of a process that may still be at work are left alone for an hour
        os.utime(leftover, (0, 0))
    subprocess.run(command, cwd=workshop_of_one_set, env=environment, check=True, capture_output=True, timeout=120)
    count = 1 if name == "one" else 20
    assert sorted(everything(folder).values()) == [CONTENT] * count
    figure(
        f"`python -m workshop.datasets get` killed with -9, a set of {count} file{'s' if count > 1 else ''}",
        f"{kills} times",
        "each file is absent or whole at any moment, and in the end all are there and nothing else",
    )


def test_no_archive_is_unpacked() -> None:
    """Nothing of the workshop writes files whose names stand in an archive; checkpoints are read part by part."""
    unpacking = re.compile(r"\b(tarfile|extractall|unpack_archive|\.extract\()")
    sources = [path for path in ROOT.glob("*/**/*.py") if path.relative_to(ROOT).parts[0] not in ("tests", ".venv")]
    assert len(sources) > 80
    assert [str(path) for path in sources if unpacking.search(path.read_text("utf-8"))] == []
    assert unpacking.search("zipfile.ZipFile(path).extractall()")
