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
from dataclasses import replace
from pathlib import Path

import pytest
from damage import everything, fill
from serving import CONTENT, SHA256, Server, serving

from workshop import ROOT
from workshop.datasets.download import Asking, Remote, fetch
from workshop.errors import UserError

pytestmark = pytest.mark.slow

Amount = Callable[[int, int], int]
Figure = Callable[[str, str, str], None]
Answer = Callable[[int], Iterator[bytes]]

SIZE = len(CONTENT)


IMPATIENT = Asking(timeout=0.5, attempts=3, pause=0.001)


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")


#: An honest answer.
WHOLE = head(f"Content-Length: {SIZE}") + CONTENT


# ---- lines that break ------------------------------------------------------------------------------------------------


def test_cut_at_random_places(server: Server, target: Path, amount: Amount, figure: Figure) -> None:
    cuts = 0
    downloads = amount(20, 300)
    for seed in range(downloads):
        chance = random.Random(seed)

        def answer(number: int, chance: random.Random = chance) -> Iterator[bytes]:
            nonlocal cuts
            # Each fifth one is whole: nothing is gone on with, so the others never are.
            end = chance.randrange(1, len(WHOLE)) if number % 5 else len(WHOLE)
            cuts += end < len(WHOLE)
            yield WHOLE[:end]

        server.instead = answer
        fetch(server.remote(target), replace(IMPATIENT, attempts=5))
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

        def answer(number: int, end: int = end) -> Iterator[bytes]:
            if number % 2:
                yield WHOLE[:end]
                server.over.wait(5)
            else:
                yield WHOLE

        server.instead = answer
        server.asked = 0
        started = time.monotonic()
        fetch(server.remote(target), IMPATIENT)
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


#: What a server can send. Each is given the number of the request.
LIES: dict[str, Answer] = {
    "no end": lambda n: itertools.chain([head()], endless(bytes(1 << 16))),
    "chunks without end": lambda n: itertools.chain(chunked(), endless(b"1000\r\n" + bytes(0x1000) + b"\r\n")),
    "a chunk of no size": lambda n: chunked(b"zz\r\n" + CONTENT),
    "a chunk of a huge size": lambda n: chunked(b"f" * 30 + b"\r\n" + CONTENT),
    "a chunk of a negative size": lambda n: chunked(b"-5\r\n" + CONTENT),
    "a size line without end": lambda n: itertools.chain(chunked(), endless(b"0" * (1 << 16))),
    "a head without end": lambda n: itertools.chain([b"HTTP/1.1 200 OK\r\n"], endless(b"A: x\r\n" * 99)),
    "a line without end": lambda n: itertools.chain([b"HTTP/1.1 200 OK\r\nA: "], endless(b"x" * 4096)),
    "a status without end": lambda n: endless(b"HTTP/1.1 200 " + b"x" * 4096),
    "no head": lambda n: iter([CONTENT]),
    "nothing": lambda n: iter([]),
    "an old head": lambda n: iter([b"\r\n" + CONTENT]),
    "a head of zeros": lambda n: iter([bytes(1000)]),
    "a length that is larger": lambda n: iter([head(f"Content-Length: {SIZE + 9}"), CONTENT]),
    "a length that is smaller": lambda n: iter([head(f"Content-Length: {SIZE - 9}"), CONTENT]),
    "a length that is negative": lambda n: iter([head("Content-Length: -1"), bytes(SIZE)]),
    "a length that is huge": lambda n: iter([head("Content-Length: " + "9" * 40), bytes(SIZE)]),
    "a length that is no number": lambda n: iter([head("Content-Length: many"), bytes(SIZE)]),
    "a length of other digits": lambda n: iter([head("Content-Length: \xb2\xb3"), CONTENT[:100]]),
    "a length of many digits": lambda n: iter([head("Content-Length: " + "1" * 9000), CONTENT[:100]]),
    "two lengths": lambda n: iter([head("Content-Length: 5", f"Content-Length: {SIZE}"), CONTENT]),
    "a part that was not asked for": lambda n: iter(
        [head(f"Content-Range: bytes 9-{SIZE - 1}/{SIZE}", f"Content-Length: {SIZE - 9}", status="206 P"), CONTENT[9:]]
    ),
    "a part of no range": lambda n: iter([head("Content-Range: all", status="206 Partial"), CONTENT[9:]]),
    "no such range": lambda n: iter([head("Content-Length: 0", status="416 No")]),
    "elsewhere, and no end": lambda n: itertools.chain([head("Location: /x", status="302 Found")], endless(bytes(999))),
    "nothing changed": lambda n: iter([head(status="304 Not Modified")]),
    "no content": lambda n: iter([head(status="204 No Content")]),
    "an unknown status": lambda n: iter([head("Content-Length: 0", status="999 \x1b[2J")]),
    "no status": lambda n: iter([head("Content-Length: 0", status="abc")]),
    "compressed": lambda n: iter([head("Content-Encoding: gzip"), b"\x1f\x8b" + CONTENT]),
}  # fmt: skip
#: Where a server can send one.
REDIRECTS = [
    "file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/plain,x", "//", "http://", "http:///x", "http://[broken",
    "http://127.0.0.1:99999/x", "http://127.0.0.1:abc/x", "http://127.0.0.1:-1/x", f"http://{'a' * 70}.test/x",
    "http://\xff\xfe/x", "http://127.0.0.1:9/x", "https://127.0.0.1:9/x", "http://a@b@c/", "jar:http://x!/", "\x1b[2J",
    "", "gopher://127.0.0.1/", "unix:///run/x", "http://127.0.0.1:9/\r\nX: y", "http://" + "x" * 70_000, "HTTP://[",
]  # fmt: skip


def lied_to(remote: Remote) -> bool:
    """Fetch from a faulty server: return whether the file is there all the same. It is whole or absent."""
    started, said = time.monotonic(), ""
    try:
        fetch(remote, IMPATIENT)
    except UserError as error:
        said = str(error)
    assert time.monotonic() - started < 10
    assert "\n" not in said
    assert len(said) < 500
    assert everything(remote.target.parent) == ({} if said else {"input.txt": CONTENT})
    remote.target.unlink(missing_ok=True)
    return not said


def moved(to: str) -> Answer:
    """A redirect."""
    return lambda number: iter([head(f"Location: {to}", "Content-Length: 0", status="302 Found")])


def test_lies(server: Server, target: Path, figure: Figure) -> None:
    for name, lie in LIES.items():
        server.instead = lie
        assert not lied_to(server.remote(target)), name
    figure("faulty server responses", f"{len(LIES)} kinds", "all refused in one sentence, no file there")


def test_redirects(server: Server, target: Path, figure: Figure) -> None:
    for to in REDIRECTS:
        server.instead = moved(to)
        assert not lied_to(server.remote(target)), to
    server.instead = lambda n: iter([head("Content-Length: 0", status="302 Found")])
    assert not lied_to(server.remote(target))
    with serving() as other:
        other.redirect = f"{server.url}/x"
        server.instead = moved(f"{other.url}/x")
        assert not lied_to(server.remote(target))
        other.redirect = ""
        assert lied_to(server.remote(target))
    figure(
        "redirects: to files and other schemes, to what is no address, in circles over two servers",
        f"{len(REDIRECTS) + 2} times",
        "all refused in one sentence; one to another server is followed",
    )


def test_a_wrong_hash_and_a_length_that_is_too_small(server: Server, target: Path, figure: Figure) -> None:
    for length in (0, 1, SIZE - 1):
        assert not lied_to(replace(server.remote(target), most_bytes=length))
    for sha256 in ("", "0" * 64, SHA256.upper(), SHA256[:-1]):
        assert not lied_to(replace(server.remote(target), sha256=sha256))
    figure("files that are longer than the catalogue says, or have another hash", "7 times", "none is accepted")


def test_a_disk_that_becomes_full(server: Server, small_disk: Path, amount: Amount, figure: Figure) -> None:
    target = small_disk / "set" / "input.txt"
    times = amount(3, 20)
    for seed in range(times):
        filler = fill(small_disk, random.Random(seed).randrange(SIZE - 8192))
        with pytest.raises(
            UserError, match=r"input\.txt cannot be written \(no space left on device \(0 MB free there\)\)"
        ):
            fetch(server.remote(target), IMPATIENT)
        assert not target.exists()
        filler.unlink()
        fetch(server.remote(target), IMPATIENT)
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

    def answer(number: int) -> Iterator[bytes]:
        yield head(f"Content-Length: {SIZE}")
        for at in range(0, SIZE, SIZE // 20):  # slow, so that there is something to kill
            yield CONTENT[at : at + SIZE // 20]
            server.over.wait(0.02 if name == "one" else 0.005)

    server.instead = answer
    kills, chance = amount(3, 50), random.Random(amount(1, random.randrange(1 << 32)))
    killed = 0
    while killed < kills:
        asked = server.asked
        process = subprocess.Popen(command, cwd=workshop_of_one_set, env=environment, stderr=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL)  # fmt: skip
        deadline = time.monotonic() + 30
        while server.asked == asked and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.45))
        process.send_signal(signal.SIGKILL)
        if process.wait(30) == 0:
            shutil.rmtree(folder)  # it was faster: it begins again
            continue
        killed += 1
        for file in folder.glob("*.mid"):
            assert file.read_bytes() == CONTENT
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
