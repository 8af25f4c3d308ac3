"""The line between the workers of a data-parallel training: how they meet, and how each hears that another is gone.

TensorFlow's workers wait for one another in the middle of a step, for ever where one has died, and do not even hear
signals meanwhile. So the first worker keeps a connection to each of the others beside TensorFlow's. The system closes
it with a process, however that ends, and asks again and again whether a silent computer is there; a thread waits for
that, and ends this process at once. Nothing is saved then: the last checkpoint is whole.
"""

import contextlib
import json
import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from workshop.errors import UserError
from workshop.run.cluster import Place

#: Minutes that the workers wait for one another at the beginning: those of a cluster start when there is room for them.
PATIENCE_MINUTES = 10.0
#: Seconds that this process has to end by itself, for the same reason as the other and with a better sentence.
GRACE_SECONDS = 5.0
#: Seconds after which the system asks a silent computer whether it is there, and how often: 20 seconds in all.
_ASK_SECONDS, _ASK_TIMES = 5, 3
#: Status of a process that ends because another one has.
LOST = 3
_LONGEST_MESSAGE = 1 << 20


class Line:
    """The connections of one worker: of the first one to all others, of the others to the first.

    Args:
        place: of this process.
        how: says in words how the worker of a rank has ended, where that is known here.
        last: is called before this process is ended.
    """

    def __init__(self, place: Place, how: Callable[[int], str], last: Callable[[], None]):
        self._place, self._how, self._last = place, how, last
        self._connections: dict[int, socket.socket] = {}
        self._heard: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._is_closed = False

    # ---- meeting -----------------------------------------------------------------------------------------------------

    def listen(self) -> socket.socket:
        """Open the place of the meeting.

        Raises:
            UserError: it is taken.
        """
        host, port = self._place.meeting
        try:
            # On this computer alone where all are here.
            return socket.create_server((host if len(self._place.neighbours) == self._place.size else "", port))
        except OSError as error:
            raise UserError(f"port {port} of {host}, where the workers meet, cannot be opened: {error}") from error

    def wait_for_all(self, server: socket.socket, is_hopeless: Callable[[], str]) -> None:
        """Wait until every other worker has come.

        Args:
            server: where they come to.
            is_hopeless: says why one will not come; empty as long as all may.

        Raises:
            UserError: one does not come.
        """
        end = time.monotonic() + 60 * PATIENCE_MINUTES
        with server:
            server.settimeout(0.5)
            while len(self._connections) < self._place.size - 1:
                if why := is_hopeless():
                    raise UserError(why)
                if time.monotonic() > end:
                    raise UserError(f"{self._missing()} has not come for {PATIENCE_MINUTES:g} minutes: start them all")
                with contextlib.suppress(TimeoutError):
                    self._welcome(server.accept()[0])
        self._watch_all()

    def _missing(self) -> str:
        ranks = set(range(1, self._place.size)) - self._connections.keys()
        return f"worker {', '.join(str(rank + 1) for rank in sorted(ranks))} of {self._place.size}"

    def _welcome(self, connection: socket.socket) -> None:
        """Keep the connection of a worker; anybody else is sent away."""
        rank = self._greeted(connection)
        if rank is None:
            connection.close()
        else:
            self._add(rank, connection)

    def _greeted(self, connection: socket.socket) -> int | None:
        """The rank of who has just come; None for anybody who is no worker that is waited for."""
        connection.settimeout(5)
        try:
            rank = json.loads(connection.makefile("rb").readline(100))["rank"]
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return rank if rank in range(1, self._place.size) and rank not in self._connections else None

    def come(self) -> None:
        """Come to the first worker.

        Raises:
            UserError: it is not there.
        """
        end, parent = time.monotonic() + 60 * PATIENCE_MINUTES, os.getppid()
        host, port = self._place.meeting
        while True:
            try:
                connection = socket.create_connection((host, port), timeout=5)
                break
            except OSError as error:
                # Whoever has started this process may have been killed, and nobody comes any more.
                if time.monotonic() > end or os.getppid() != parent:
                    where = f"{host}:{port}"
                    raise UserError(f"worker 1 of {self._place.size} cannot be reached at {where}: {error}") from error
                time.sleep(0.5)
        self._add(0, connection)
        connection.sendall(json.dumps({"rank": self._place.rank}).encode() + b"\n")
        self._watch_all()

    def _add(self, rank: int, connection: socket.socket) -> None:
        connection.settimeout(None)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        asking = {"TCP_KEEPIDLE": _ASK_SECONDS, "TCP_KEEPINTVL": _ASK_SECONDS, "TCP_KEEPCNT": _ASK_TIMES}
        for name, value in asking.items():
            if hasattr(socket, name):  # not every system has all of them
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        self._connections[rank] = connection

    def tell(self, message: dict[str, Any]) -> None:
        """Say something to all that this worker is connected to."""
        for connection in self._connections.values():
            with contextlib.suppress(OSError):  # who is gone is noticed elsewhere
                connection.sendall(json.dumps(message).encode() + b"\n")

    def heard(self) -> dict[str, Any]:
        """The next thing that the first worker says."""
        return self._heard.get()

    # ---- keeping watch -----------------------------------------------------------------------------------------------

    def _watch_all(self) -> None:
        """From now on, end this process when another one is gone."""
        for rank in self._connections:
            thread = threading.Thread(target=self._watch, args=(rank,), name=f"worker {rank + 1}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _watch(self, rank: int) -> None:
        # Too long a silence is an error, and what is no message comes from nobody of ours.
        with contextlib.suppress(OSError, ValueError), self._connections[rank].makefile("rb") as reader:
            while said := reader.readline(_LONGEST_MESSAGE):
                message = json.loads(said)
                if "over" in message:
                    with contextlib.suppress(OSError):  # it need not have read all that was said to it
                        reader.read(1)  # until it has ended
                    return
                self._heard.put(message)
        if self._place.rank == 0 and not self._is_closed:
            time.sleep(GRACE_SECONDS)
        if not self._is_closed:
            self.end(rank)

    def end(self, rank: int) -> None:
        """End this process, because that of `rank` is gone."""
        how = self._how(rank)
        self._last()
        with contextlib.suppress(Exception):  # whatever becomes of the sentence
            print(
                f"\nerror: worker {rank + 1} of {self._place.size} {how}, and without it nothing can be trained: "
                "go on from the last checkpoint with --resume",
                file=sys.stderr, flush=True,
            )  # fmt: skip
        os._exit(LOST)

    def part(self) -> None:
        """Say that all is done here. The first worker waits for a while until the others have ended, because TensorFlow
        in them still needs it.
        """
        self.tell({"over": self._place.rank})
        if self._place.rank == 0:
            for thread in self._threads:
                thread.join(60)
        self._is_closed = True

    def close(self) -> None:
        """Let go of all connections."""
        self._is_closed = True
        for connection in self._connections.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
