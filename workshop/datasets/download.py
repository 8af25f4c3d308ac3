"""Fetch files whose hashes are known: verified, and only then put in their place.

pooch speaks with the servers. Storing is left to `workshop.files`: what `pooch.retrieve` stores may be read by its user
alone, a power cut may take it away, and what it leaves after kill -9 has a name that a student's file could have.
"""

import contextlib
import hashlib
import http.client
import io
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

from workshop.errors import UserError
from workshop.files import atomic_write, explain

#: How many files are asked for at a time.
WORKERS = 8
#: After this many missing or wrong files the source is given up.
MAX_WRONG = 20
#: How long an end that comes early waits for the threads, in seconds; those that a server keeps waiting stay behind.
PATIENCE = 2.0
BLOCK_BYTES = 1 << 16
#: Answers of a server that may be different in a moment.
PASSING_STATUS = (408, 425, 429, 500, 502, 503, 504)
#: Maximal number of characters of a server's error to print.
MAX_SAID = 200

MIRROR_HINT = "check the network and run the command again, or give a folder or address with the files by --mirror"


@dataclass(frozen=True)
class Remote:
    """A file to fetch.

    Attributes:
        source: its http or https address, or a file in a mirror folder.
        most_bytes: it is not longer, in bytes.
        sha256: its hash in hexadecimal.
        target: where it goes; its folder is made where it is missing.
    """

    source: str | Path
    most_bytes: int
    sha256: str
    target: Path


@dataclass(frozen=True)
class Asking:
    """How a server is asked.

    Attributes:
        timeout: seconds without a byte after which a connection counts as broken.
        attempts: how often a file is asked for when the connection fails.
        pause: seconds before the second attempt; doubled before each further one.
    """

    timeout: float = 20.0
    attempts: int = 4
    pause: float = 0.5


class _Unreachable(UserError):
    """The network fails: what is true of one file is so of all."""


def is_web_address(address: str) -> bool:
    """Return whether ``address`` can be asked over http or https."""
    try:
        parts = urllib.parse.urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def fetch(file: Remote, asking: Asking = Asking(), bar: Any = False) -> None:
    """Bring one file to its target, which is at any moment as it was, or the whole and verified file.

    Args:
        file: the file, and what it must turn out to be.
        asking: how the server is asked.
        bar: a progress bar as of tqdm, which counts bytes.

    Raises:
        UserError: no connection, a refusal by the server, wrong contents, or no room to write.
    """
    _put(file, _read(file, asking, threading.Event(), bar))


def fetch_all(files: list[Remote], asking: Asking = Asking(), progress: Callable[[], object] = lambda: None) -> None:
    """Bring many small files, several at a time; each is in its place as soon as it has arrived and is verified.

    A file that is missing or wrong does not hold up the others: all that can be had are there when this fails. Where
    the network fails, it fails at once.

    Args:
        files: what to bring; what lies at a target is written over.
        asking: how the server is asked.
        progress: called after each file that has been put in its place.

    Raises:
        UserError: no connection, files that are missing or wrong (their names are in the sentence), or no room to
            write.
    """
    wrong: dict[Path, UserError] = {}
    with _arriving(files, asking) as arriving:
        # Writing is left to this thread, so that Ctrl-C, which only the main thread feels, finds no file half written.
        for file, content in arriving:
            if isinstance(content, _Unreachable):
                raise content
            if isinstance(content, UserError):
                wrong[file.target] = content
            else:
                _put(file, content)
                progress()
            if len(wrong) == MAX_WRONG:
                break
    if wrong:
        raise UserError(_summary(wrong))


@contextlib.contextmanager
def _arriving(files: list[Remote], asking: Asking) -> Iterator[Iterator[tuple[Remote, bytes | UserError]]]:
    """Give each file with its content, or with why it cannot be had, as they arrive; the end of the block ends it."""
    stop = threading.Event()
    idle = threading.Semaphore(WORKERS)

    def work(file: Remote) -> tuple[Remote, bytes | UserError]:
        with idle:
            try:
                return file, b"" if stop.is_set() else _read(file, asking, stop)
            except UserError as error:
                return file, error

    # Not a ThreadPoolExecutor: the end of the program would wait for its threads, and so for a server that is silent.
    with ThreadPool(WORKERS) as pool:
        try:
            yield pool.imap_unordered(work, files)
        finally:
            stop.set()
            # Python can crash where a thread wakes up while the program ends, so as many as possible end before.
            for _ in range(WORKERS):
                idle.acquire(timeout=PATIENCE / WORKERS)


def _read(file: Remote, asking: Asking, stop: threading.Event, bar: Any = False) -> bytes:
    """Return the verified content of a file; it is held in memory, because no set has a large one."""
    if isinstance(file.source, Path):
        content = _read_mirror(file.source, file.most_bytes)
    else:
        content = _download(file.source, file.most_bytes, asking, stop, bar)
    if len(content) > file.most_bytes or hashlib.sha256(content).hexdigest() != file.sha256:
        raise UserError(
            f"{file.source} is not the file that the catalogue names (its contents differ), so it was discarded; "
            "try again, or use another source by --mirror"
        )
    return content


def _read_mirror(source: Path, most_bytes: int) -> bytes:
    """Return the contents of a file in a mirror folder; what is too long comes back one byte too long."""
    try:
        with open(source, "rb") as file:
            return file.read(most_bytes + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise UserError(
            f"the mirror has no {source}; copy the file there, or leave out --mirror to fetch it from its source"
        ) from None
    except OSError as error:
        raise UserError(f"{source} in the mirror cannot be read ({error.strerror}); correct that there") from None


def _download(url: str, most_bytes: int, asking: Asking, stop: threading.Event, bar: Any) -> bytes:
    """Return what lies at ``url``, asking again where the failure may pass; what is too long comes back too long."""
    if not is_web_address(url):
        raise UserError(f"{url} is no http or https address; give one, or a folder, by --mirror")
    from pooch import HTTPDownloader  # it takes a third of a second

    for attempt in range(1, asking.attempts + 1):
        arrived = _Limited(most_bytes)
        if bar:
            bar.reset()
        try:
            with _said_in_a_sentence(url), _answers_closed() as take:
                HTTPDownloader(
                    progressbar=bar,
                    chunk_size=BLOCK_BYTES,
                    timeout=asking.timeout,
                    headers={"User-Agent": "ml4music-workshop", "Accept-Encoding": "identity"},
                    hooks={"response": take},
                )(url, arrived, None)
            if arrived.tell():
                break
            # No set has an empty file: where the head of an answer is cut, nothing says that more should come.
        except _Unreachable:
            if attempt == asking.attempts:
                raise
        if attempt == asking.attempts or stop.wait(asking.pause * 2 ** (attempt - 1)):
            break
    return arrived.getvalue()


class _Limited(io.BytesIO):
    """What has arrived, of which a server that sends without end cannot make more than is wanted."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__()
        self.most_bytes = most_bytes

    def write(self, block: Any) -> int:
        written = super().write(block)
        if self.tell() > self.most_bytes:
            raise _TooLong
        return written


class _TooLong(Exception):
    """More has arrived than the file has; what there is will not have its hash."""


@contextlib.contextmanager
def _answers_closed() -> Iterator[Callable[..., None]]:
    """Give a hook for the answers of a server, which are all closed at the end.

    pooch leaves an answer that it does not read to its end, such as a 404, and with it the connection, to the garbage
    collector. Requests reads what comes with a redirect to its end, and there may be none: that is closed at once.
    """
    with contextlib.ExitStack() as answers:

        def take(response: Any, **options: Any) -> None:
            answers.callback(response.close)
            if response.is_redirect:
                response.close()

        yield take


@contextlib.contextmanager
def _said_in_a_sentence(url: str) -> Iterator[None]:
    """Sort what goes wrong on the line into what may pass (_Unreachable) and what will not (another UserError)."""
    import requests
    import urllib3

    try:
        yield
    except _TooLong:
        return
    except requests.HTTPError as error:
        status, said = getattr(error.response, "status_code", 0), getattr(error.response, "reason", "")
        answer = f"answers {status} {_cleaned(said)}".rstrip()
        if status in PASSING_STATUS:
            raise _Unreachable(f"{url} could not be fetched (the server {answer}); {MIRROR_HINT}") from None
        raise UserError(f"{url} cannot be fetched: the server {answer}; use another source by --mirror") from None
    except requests.TooManyRedirects:
        raise UserError(
            f"{url} cannot be fetched: the server redirects in circles; use another source by --mirror"
        ) from None
    except requests.exceptions.InvalidSchema as error:
        raise UserError(
            f"{url} redirects to what is no web address ({_cleaned(error)}); use another source by --mirror"
        ) from None
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
        raise _Unreachable(f"{url} could not be fetched ({_reason(error)}); {MIRROR_HINT}") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, OverflowError) as error:
        raise UserError(
            f"{url} cannot be fetched: the server's answer is not valid HTTP ({_cleaned(error)}); "
            "use another source by --mirror"
        ) from None


def _reason(error: BaseException) -> str:
    """Say in a few words what broke a connection: what all the libraries' errors come from says it best."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection was cut"
    return error.strerror if isinstance(error, OSError) and error.strerror else _cleaned(error)


def _cleaned(said: object) -> str:
    """What an error says, in one short line: some quote arbitrary data from the server."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in str(said)).split())
    return line[:MAX_SAID]


def _put(file: Remote, content: bytes) -> None:
    try:
        file.target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(file.target) as opened:
            opened.write(content)
    except OSError as error:
        raise UserError(
            f"{file.target} cannot be written ({explain(error, file.target)}); free some space or choose another folder"
        ) from None


def _summary(wrong: dict[Path, UserError]) -> str:
    """Say in one sentence which files could not be had, and why the first of them."""
    first = next(iter(wrong.values()))
    if len(wrong) == 1:
        return f"one file could not be fetched: {first}"
    names = ", ".join(target.name for target in list(wrong)[:3]) + (
        f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    )
    return f"{len(wrong)} files could not be fetched ({names}), the first because {first}"
