"""Requests that are worked off one after the other, in the order in which they came."""

import collections
import logging
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from workshop.errors import UserError
from workshop.osc.server import Answer, Argument

#: Requests that may wait.
MOST = 64


class Form(Protocol):
    """How a request is answered: each method gives messages."""

    def done(self, seconds: float, what: Sequence[Argument]) -> Sequence[Answer]:
        """It has been worked off, which took so long since it came."""

    def failed(self, seconds: float, sentence: str) -> Sequence[Answer]:
        """It could not be."""

    def replaced(self, seconds: float) -> Sequence[Answer]:
        """A newer one has taken its place."""


@dataclass(eq=False)
class Request:
    """Something that was asked for.

    Attributes:
        form: how it is answered.
        work: what there is to do; what it returns goes into the answer.
        slot: what it is for: a newer request for the same takes its place while it waits. None for nothing.
        came: when, on the monotonic clock.
    """

    form: Form
    work: Callable[[], Sequence[Argument]]
    slot: Hashable | None = None
    came: float = field(default_factory=time.monotonic)

    @property
    def age(self) -> float:
        """Seconds since it came."""
        return time.monotonic() - self.came


class Line:
    """Works requests off in a thread of its own. Any thread may add some.

    Args:
        send: takes the answers.
        most: requests that may wait.
    """

    def __init__(self, send: Callable[[Answer], None], most: int = MOST):
        self._send, self._most = send, most
        self._waiting: collections.deque[Request] = collections.deque()
        self._changed = threading.Condition()
        threading.Thread(target=self._work, name="osc requests", daemon=True).start()

    def add(self, request: Request) -> None:
        """Let a request wait for its turn.

        Raises:
            UserError: too many wait.
        """
        with self._changed:
            older = self._same_slot(request)
            if older is not None:
                self._waiting[self._waiting.index(older)] = request
            elif len(self._waiting) >= self._most:
                raise UserError(f"{len(self._waiting)} requests wait already: wait for answers before you ask for more")
            else:
                self._waiting.append(request)
            self._changed.notify()
        if older is not None:
            self._answer(older.form.replaced(older.age))

    def _same_slot(self, request: Request) -> Request | None:
        """The request that waits for the same slot."""
        if request.slot is None:
            return None
        return next((one for one in self._waiting if one.slot == request.slot), None)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                request = self._waiting.popleft()
            try:
                what = request.work()
                answers = request.form.done(request.age, what)
            except UserError as error:
                answers = request.form.failed(request.age, str(error))
            except Exception:  # the next request may well succeed
                logging.exception("an OSC request failed")
                sentence = "something went wrong that should not; the program's output says more"
                answers = request.form.failed(request.age, sentence)
            self._answer(answers)

    def _answer(self, answers: Sequence[Answer]) -> None:
        for answer in answers:
            self._send(answer)
