"""Fetch files whose hashes are known: verified, and only then put in their place.

`fetch` brings one file. What has arrived lies in ``NAME.part`` beside the target. Whatever happens - a cut connection,
Ctrl-C, a closed laptop - the next call goes on from there, and the target itself is only ever the whole and verified
file. `fetch_all` brings many small ones, several at a time, and keeps no parts of them.
"""

import contextlib
import hashlib
import http.client
import os
import queue
import re
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from workshop.errors import UserError
from workshop.files import atomic_write, explain

BLOCK_BYTES = 1 << 16

#: How many small files are asked for at a time.
WORKERS = 8
#: After this many missing or wrong files the source is given up.
MAX_WRONG = 20
#: How long an end that comes early waits for the threads, in seconds; those that a server keeps waiting stay behind.
PATIENCE = 2.0

#: Answers of a server that may be different in a moment.
PASSING_STATUS = (408, 425, 429, 500, 502, 503, 504)

#: Maximal number of characters of a server's error to print.
MAX_SAID = 200

MIRROR_HINT = "check the network and run the command again, or give a folder or address with the files by --mirror"


@dataclass(frozen=True)
class Remote:
    """A file to fetch.

    Attributes:
        url: its http or https address.
        bytes: its length in bytes.
        sha256: its hash in hexadecimal.
    """

    url: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class SmallFile:
    """One of many files to fetch.

    Attributes:
        source: its http or https address, or a file in a mirror folder.
        sha256: its hash in hexadecimal.
        target: where it goes.
    """

    source: str | Path
    sha256: str
    target: Path


def is_web_address(address: str) -> bool:
    """Return whether ``address`` can be asked over http or https."""
    try:
        parts = urllib.parse.urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


class _Interrupted(Exception):
    """The connection failed in a way that may pass; what has arrived is kept."""


class _OnlyHttp(urllib.request.HTTPRedirectHandler):
    """Follow a redirect to another web address, and to nothing else: ``file:`` would read the student's own disk."""

    def redirect_request(  # type: ignore[no-untyped-def]
        self, req, fp, code, msg, headers, newurl
    ) -> urllib.request.Request | None:
        if not is_web_address(newurl):
            raise UserError(
                f"{req.full_url} redirects to {newurl}, which is no web address; use another source by --mirror"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(
    remote: Remote,
    target: Path,
    *,
    timeout: float = 20.0,
    attempts: int = 4,
    pause: float = 0.5,
    progress: Callable[[int], None] = lambda arrived: None,
) -> None:
    """Download ``remote`` to ``target``.

    Args:
        remote: the file, and what it must turn out to be.
        target: where it goes; its folder is made where it is missing.
        timeout: seconds without a byte after which a connection counts as broken.
        attempts: how often in a row a connection may fail without bringing anything.
        pause: seconds before the second attempt; doubled before each further one.
        progress: called with the number of bytes that lie on the disk.

    Raises:
        UserError: no connection, a refusal by the server, wrong contents, or no room to write.
    """
    if not is_web_address(remote.url):
        raise UserError(f"{remote.url} is no http or https address; give one, or a folder, by --mirror")
    part = part_of(target)
    with _WritingErrors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        for resuming in (_size(part) > 0, False):
            _complete(remote, part, timeout, attempts, pause, progress)
            if not resuming or _matches(part, remote):
                break
            # The part may have been that of an older version; only a file fetched whole speaks about its source.
            part.unlink()
        install(part, target, remote, remote.url)


def _complete(
    remote: Remote, part: Path, timeout: float, attempts: int, pause: float, progress: Callable[[int], None]
) -> None:
    """Fetch what is missing of ``part``, over as many connections as it takes."""
    failures = most = 0
    while _size(part) != remote.bytes:
        try:
            _receive(remote, part, timeout, progress)
        except _Interrupted as error:
            # More than ever before, not only more than just now: a damaged part may have been discarded meanwhile.
            failures = 1 if _size(part) > most else failures + 1
            most = max(most, _size(part))
            if failures >= attempts:
                raise UserError(f"{remote.url} could not be fetched ({error}); {MIRROR_HINT}") from None
            time.sleep(pause * 2 ** (failures - 1))
    progress(remote.bytes)


def copy(source: Path, remote: Remote, target: Path) -> None:
    """Copy ``source``, the same file in a mirror folder, to ``target``, and verify it on the way.

    Raises:
        UserError: the mirror has no such file, its contents are wrong, or there is no room to write.
    """
    if not source.is_file():
        raise _not_in_mirror(source)
    with _WritingErrors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        part = part_of(target)
        try:
            with open(source, "rb") as reader, open(part, "wb") as writer:
                while block := reader.read(1 << 20):
                    writer.write(block)
        except OSError:
            part.unlink(missing_ok=True)  # unlike a download, it starts over
            raise
        install(part, target, remote, str(source))


def _not_in_mirror(source: Path) -> UserError:
    return UserError(
        f"the mirror has no {source}; copy the file there, or leave out --mirror to fetch it from its source"
    )


def fetch_all(
    files: list[SmallFile],
    most_bytes: int,
    *,
    timeout: float = 20.0,
    attempts: int = 4,
    pause: float = 0.5,
    progress: Callable[[], None] = lambda: None,
) -> None:
    """Bring many small files, several at a time; each is in its place as soon as it has arrived and is verified.

    A file that is missing or wrong does not hold up the others: all that can be had are there when this fails. Where
    the network fails, it fails at once.

    Args:
        files: what to bring; what lies at a target is written over.
        most_bytes: no file is longer, in bytes.
        timeout: seconds without a byte after which a connection counts as broken.
        attempts: how often a file is asked for when the connection fails.
        pause: seconds before the second attempt; doubled before each further one.
        progress: called after each file that has been put in its place.

    Raises:
        UserError: no connection, files that are missing or wrong (their names are in the sentence), or no room to
            write.
    """
    stop = threading.Event()
    opener = _opener()

    def read(file: SmallFile) -> bytes:
        if isinstance(file.source, Path):
            return _read_mirror(file.source, most_bytes)
        for attempt in range(attempts):
            try:
                return _read_small(opener, file.source, file.target, most_bytes, timeout)
            except _Interrupted:
                if attempt == attempts - 1 or stop.wait(pause * 2**attempt):
                    raise
        raise AssertionError("attempts is at least 1")

    wrong: dict[Path, UserError] = {}
    with contextlib.closing(_arriving(files, read, stop)) as arriving:
        for file, content in arriving:
            if isinstance(content, UserError):
                wrong[file.target] = content
            elif hashlib.sha256(content).hexdigest() != file.sha256:
                wrong[file.target] = _other_contents(str(file.source))
            else:
                _write(file.target, content)
                progress()
            if len(wrong) == MAX_WRONG:
                break
    if wrong:
        raise UserError(_summary(wrong))


def _arriving(
    files: list[SmallFile], read: Callable[[SmallFile], bytes], stop: threading.Event
) -> Generator[tuple[SmallFile, bytes | UserError], None, None]:
    """Yield each file with its content, or with why it cannot be had, as they arrive; closing it ends the reading.

    The threads only read. All writing is left to the caller, so that Ctrl-C, which only the main thread feels, finds
    no file half written.
    """
    waiting: queue.SimpleQueue[SmallFile] = queue.SimpleQueue()
    arrived: queue.SimpleQueue[tuple[SmallFile, bytes | Exception]] = queue.SimpleQueue()
    for file in files:
        waiting.put(file)

    def work() -> None:
        while not stop.is_set():
            try:
                file = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                arrived.put((file, read(file)))
            except Exception as error:  # the main thread waits for a result in any case
                arrived.put((file, error))

    # Not a ThreadPoolExecutor: the end of the program would wait for its threads, and so for a server that is silent.
    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(WORKERS, len(files)))]
    for thread in threads:
        thread.start()
    try:
        for _ in files:
            file, content = arrived.get()
            if isinstance(content, _Interrupted):
                raise UserError(f"{file.source} could not be fetched ({content}); {MIRROR_HINT}")
            if isinstance(content, Exception) and not isinstance(content, UserError):
                raise content
            yield file, content
    finally:
        stop.set()
        # Python can crash where a thread wakes up while the program ends, so as many as possible end before.
        deadline = time.monotonic() + PATIENCE
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))


def _read_mirror(source: Path, most_bytes: int) -> bytes:
    """Return the contents of a file in a mirror folder; what is too long comes back one byte too long."""
    try:
        with open(source, "rb") as file:
            return file.read(most_bytes + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise _not_in_mirror(source) from None
    except OSError as error:
        raise UserError(f"{source} in the mirror cannot be read ({error.strerror}); correct that there") from None


def _read_small(
    opener: urllib.request.OpenerDirector, url: str, target: Path, most_bytes: int, timeout: float
) -> bytes:
    """Return what lies at ``url``; what is too long comes back one byte too long."""
    with _PassingErrors(url, part_of(target)), opener.open(_request(url), timeout=timeout) as response:
        content: bytes = response.read(most_bytes + 1)
    if len(content) < min(_length(response), most_bytes + 1):
        raise _Interrupted("the connection was cut")
    return content


def _write(target: Path, content: bytes) -> None:
    with _WritingErrors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(target) as file:
            file.write(content)


def _summary(wrong: dict[Path, UserError]) -> str:
    """Say in one sentence which files could not be had, and why the first of them."""
    first = next(iter(wrong.values()))
    if len(wrong) == 1:
        return f"one file could not be fetched: {first}"
    names = ", ".join(target.name for target in list(wrong)[:3]) + (
        f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    )
    return f"{len(wrong)} files could not be fetched ({names}), the first because {first}"


def part_of(target: Path) -> Path:
    """Return where the bytes of ``target`` lie until all have arrived."""
    return target.with_name(target.name + ".part")


def install(part: Path, target: Path, remote: Remote, source: str) -> None:
    """Rename ``part`` to ``target`` if it is what ``remote`` says; else remove it.

    Args:
        part: the file as it has arrived.
        target: the name that it gets.
        remote: the length and the hash that it must have.
        source: where it came from, for the message.

    Raises:
        UserError: the contents are others.
    """
    if not _matches(part, remote):
        part.unlink()
        raise _other_contents(source)
    os.replace(part, target)


def _other_contents(source: str) -> UserError:
    return UserError(
        f"{source} is not the file that the catalogue names (its contents differ), so it was discarded; "
        "try again, or use another source by --mirror"
    )


def _matches(part: Path, remote: Remote) -> bool:
    with open(part, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return _size(part) == remote.bytes and digest == remote.sha256


def _size(part: Path) -> int:
    """Return the length of what has arrived, in bytes."""
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0


def _receive(remote: Remote, part: Path, timeout: float, progress: Callable[[int], None]) -> None:
    """Ask for what is missing of ``part`` and append it; raise _Interrupted when less than all has come."""
    had = _size(part)
    if had > remote.bytes:
        # The rest of an older version of the file: nothing of it can be used.
        part.unlink()
        had = 0
    request = _request(remote.url)
    if had:
        request.add_header("Range", f"bytes={had}-")
    with _PassingErrors(remote.url, part), _opener().open(request, timeout=timeout) as response:
        # A server that ignores the range answers 200 and sends the whole file again.
        resumed = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {had}-")
        if response.status == 206 and not resumed:
            part.unlink(missing_ok=True)
            raise _Interrupted("the server sent another part than it was asked for")
        arrived = had if resumed else 0
        with open(part, "ab" if resumed else "wb") as file:
            # One byte more than expected is enough to know that it is another file.
            while arrived <= remote.bytes and (block := _read(response, remote.bytes + 1 - arrived)):
                file.write(block)
                arrived += len(block)
                progress(min(arrived, remote.bytes))
    if arrived > remote.bytes:
        part.unlink()
        raise UserError(
            f"{remote.url} is longer than the {remote.bytes:,} bytes that the catalogue names, so it was discarded; "
            "use another source by --mirror"
        )
    if arrived < remote.bytes:
        if not resumed and _length(response) == arrived:
            part.unlink()
            raise UserError(
                f"{remote.url} has {arrived:,} bytes and not the {remote.bytes:,} that the catalogue names, "
                "so it was discarded; use another source by --mirror"
            )
        raise _Interrupted("the connection was cut")


def _read(response: http.client.HTTPResponse, most: int) -> bytes:
    # read1 returns the available bytes: a slow connection shows progress, and an interruption loses nothing.
    return response.read1(min(BLOCK_BYTES, most))


def _length(response: http.client.HTTPResponse) -> int:
    """Return how many bytes an answer promises, -1 where it does not say."""
    length = response.headers.get("Content-Length", "")
    return int(length) if re.fullmatch("[0-9]{1,18}", length) else -1


def _request(url: str) -> urllib.request.Request:
    headers = {"User-Agent": "ml4music-workshop", "Accept-Encoding": "identity"}
    return urllib.request.Request(url, headers=headers)  # noqa: S310 - _opener knows http and https only


def _opener() -> urllib.request.OpenerDirector:
    """Return an opener that knows http and https only, unlike urllib's own, which also opens ``file:`` and ``ftp:``."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        _OnlyHttp(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


class _PassingErrors:
    """Sort what goes wrong on the line into what may pass (_Interrupted) and what will not (UserError)."""

    def __init__(self, url: str, part: Path) -> None:
        self.url, self.part = url, part

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
            # urllib tells of a redirect in circles in several lines.
            answer = f"{error.code} {_reason(error.reason)}" if error.reason else str(error.code)
            if error.code == 416:
                # What is here goes beyond what the server has, so it is no part of it.
                self.part.unlink(missing_ok=True)
                raise _Interrupted("the server refused to go on from where the last download stopped") from None
            if error.code in PASSING_STATUS:
                raise _Interrupted(f"the server answers {answer}") from None
            raise UserError(
                f"{self.url} cannot be fetched: the server answers {answer}; use another source by --mirror"
            ) from None
        if isinstance(error, urllib.error.URLError):
            raise _Interrupted(_reason(error.reason)) from None
        if isinstance(error, (http.client.HTTPException, ssl.SSLError, TimeoutError, ConnectionError)):
            raise _Interrupted(_reason(error)) from None
        if isinstance(error, (ValueError, OverflowError)):
            # What urllib says of addresses and numbers that it cannot make anything of.
            raise UserError(
                f"{self.url} cannot be fetched: the server's answer is not valid HTTP ({_reason(error)}); "
                "use another source by --mirror"
            ) from None


class _WritingErrors:
    """Turn a failure to write into a sentence about the target and its disk."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise UserError(
                f"{self.target} cannot be written ({explain(error, self.target)}); "
                "free some space or choose another folder"
            ) from None


def _reason(error: object) -> str:
    """Say a network error in a few words."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    # Some errors quote arbitrary data from the server.
    said = " ".join("".join(letter if letter.isprintable() else " " for letter in str(error)).split())
    return said[:MAX_SAID] or type(error).__name__
