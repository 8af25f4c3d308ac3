"""Jobs that need the CPU: a thread pool with a bounded queue."""

import asyncio
import collections
import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from workshop.errors import UserError

#: Maximal numbers of running and of waiting jobs.
AT_ONCE, WAITING = 2, 8


@dataclass(eq=False)
class Job:
    """A piece of work that can be stopped.

    Attributes:
        work: what to do, in a thread; it checks `stopped` often, and returns when it is set.
        told: called with its place in the queue, from 1, whenever that has changed.
        stopped: set when the job is cancelled.
    """

    work: Callable[["Job"], None]
    told: Callable[[int], None] = lambda place: None
    stopped: threading.Event = field(default_factory=threading.Event)


class Line:
    """The running jobs and a first-in, first-out queue. Not thread-safe: use it in the event loop's thread.

    Args:
        at_once: jobs that run at the same time.
        waiting: jobs that may wait.
    """

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING):
        self._at_once, self._most = at_once, waiting
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="job")
        self._running: set[Job] = set()
        self._waiting: collections.deque[Job] = collections.deque()

    @property
    def is_busy(self) -> bool:
        """Whether another job would have to wait."""
        return len(self._running) >= self._at_once

    def add(self, job: Job) -> None:
        """Let a job run as soon as there is room.

        Raises:
            UserError: the queue is full.
        """
        if self.is_busy and len(self._waiting) >= self._most:
            raise UserError(
                f"{len(self._running)} are generating and {len(self._waiting)} wait already, which is all that this "
                "computer takes on: try again in a moment"
            )
        self._waiting.append(job)
        self._go_on()

    def stop(self, job: Job) -> bool:
        """Cancel a job; return whether it was waiting, and will never run. A running one ends at its next check."""
        job.stopped.set()
        if job not in self._waiting:
            return False
        self._waiting.remove(job)
        self._tell()
        return True

    def stop_all(self) -> None:
        """Cancel all jobs, and accept no more."""
        for job in (*self._waiting, *self._running):
            job.stopped.set()
        self._waiting.clear()
        self._threads.shutdown(wait=False)

    def _go_on(self) -> None:
        while self._waiting and not self.is_busy:
            job = self._waiting.popleft()
            self._running.add(job)
            done = asyncio.get_running_loop().run_in_executor(self._threads, job.work, job)
            done.add_done_callback(functools.partial(self._ended, job))
        self._tell()

    def _ended(self, job: Job, future: "asyncio.Future[Any]") -> None:
        self._running.discard(job)
        self._go_on()
        if not future.cancelled():
            future.result()  # a mistake of the program ends in the server's log

    def _tell(self) -> None:
        for place, job in enumerate(self._waiting, 1):
            job.told(place)
