"""Fetch one file whose length and hash are known: resumed where it stopped, verified, and only then put in its place.

What has arrived lies in ``NAME.part`` beside the target. Whatever happens - a cut connection, Ctrl-C, a closed laptop -
the next call goes on from there, and the target itself is only ever the whole and verified file.
"""

import hashlib
import http.client
import os
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workshop.errors import UserError

BLOCK_BYTES = 1 << 16

#: Answers of a server that may be different in a moment.
PASSING_STATUS = (408, 425, 429, 500, 502, 503, 504)

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
    failures = 0
    while (had := _size(part)) != remote.bytes:
        try:
            _receive(remote, part, timeout, progress)
        except _Interrupted as error:
            failures = 1 if _size(part) > had else failures + 1
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
        raise UserError(
            f"the mirror has no {source}; copy the file there, or leave out --mirror to fetch it from its source"
        )
    with _WritingErrors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        part = part_of(target)
        with open(source, "rb") as reader, open(part, "wb") as writer:
            while block := reader.read(1 << 20):
                writer.write(block)
        install(part, target, remote, str(source))


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
        raise UserError(
            f"{source} is not the file that the catalogue names (its contents differ), so it was thrown away; "
            "try again, or use another source by --mirror"
        )
    os.replace(part, target)


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
    headers = {"User-Agent": "ml4music-workshop", "Accept-Encoding": "identity"}
    request = urllib.request.Request(remote.url, headers=headers)  # noqa: S310 - _opener knows http and https only
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
            f"{remote.url} is longer than the {remote.bytes:,} bytes that the catalogue names, so it was thrown away; "
            "use another source by --mirror"
        )
    if arrived < remote.bytes:
        length = response.headers.get("Content-Length", "")
        if not resumed and length.isdigit() and int(length) == arrived:
            part.unlink()
            raise UserError(
                f"{remote.url} has {arrived:,} bytes and not the {remote.bytes:,} that the catalogue names, "
                "so it was thrown away; use another source by --mirror"
            )
        raise _Interrupted("the connection was cut")


def _read(response: http.client.HTTPResponse, most: int) -> bytes:
    # read1 returns what is there: a slow line then shows progress, and an interruption loses nothing that has arrived.
    return response.read1(min(BLOCK_BYTES, most))


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
            answer = " ".join(f"{error.code} {error.reason}".split())
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


class _WritingErrors:
    """Turn a failure to write into a sentence about the target and its disk."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise UserError(
                f"{self.target} cannot be written ({error.strerror or error}); "
                "free some space or choose another --data_dir"
            ) from None


def _reason(error: object) -> str:
    """Say a network error in a few words."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
