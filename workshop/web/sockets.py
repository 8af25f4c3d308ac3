"""The connection of a page: it asks for something to be generated, and gets it piece by piece."""

import asyncio
import functools
import json
import logging
from collections.abc import Callable
from typing import Any

from workshop.errors import UserError
from workshop.web import making
from workshop.web.connected import Connected
from workshop.web.jobs import Job, Line
from workshop.web.making import Message, Wish
from workshop.web.networks import Networks
from workshop.web.prompts import Prompts
from workshop.web.results import Results
from workshop.web.security import MISTAKE
from workshop.web.sending import read, send


class Play(Connected):
    """A page's connection. What the page sends is an object with a `type`:

    warm   {experiment}           the network is wanted soon: load it, if there is nothing else to do
    start  {experiment, values}   generate
    stop   {}                     end that

    What it gets: `queued` with its place, `begun`, then `text`, `notes` or binary samples, each followed by `progress`,
    `score` after a text of tunes, and `done`, or `error` with a sentence; in any case `free` at the end.
    """

    def initialize(
        self, networks: Networks, results: Results, prompts: Prompts, line: Line, pages: set["Play"]
    ) -> None:
        """Take what all connections share; `pages` are those that are open."""
        self._networks, self._results, self._prompts = networks, results, prompts
        self._line, self._pages = line, pages
        self._job: Job | None = None
        self._has_begun = False
        self._warming: Job | None = None

    def open(self, *_: str) -> None:
        """Take the connection, unless there are too many."""
        self._loop = asyncio.get_running_loop()
        super().open()

    def on_close(self) -> None:
        """Nobody waits for it any more."""
        super().on_close()
        for job in (self._job, self._warming):
            if job:
                self._line.stop(job)

    def on_message(self, message: str | bytes) -> None:
        """Do what the page asks for."""
        said = read(message)
        try:
            match said.get("type"):
                case "warm":
                    self._warm(str(said.get("experiment")))
                case "start":
                    self._start(str(said.get("experiment")), said.get("values"))
                case "stop":
                    self._stop()
                case _:
                    self.close(1003, "not a message of the page")
        except UserError as error:
            self._say({"type": "error", "sentence": str(error)})

    def _warm(self, name: str) -> None:
        if self._warming:
            self._line.stop(self._warming)
            self._warming = None
        if not self._line.is_busy:
            self._warming = self._job_of(lambda job: making.warm_up(self._networks, name, job))
            self._line.add(self._warming)

    def _start(self, name: str, values: Any) -> None:
        if self._job:
            raise UserError("this page is generating already: stop that first")
        wish = Wish(name, values if isinstance(values, dict) else {})

        def work(job: Job) -> None:
            tell = functools.partial(self._tell, job)
            making.make(self._networks, self._results, self._prompts, wish, tell, job)

        self._job, self._has_begun = self._job_of(work), False
        try:
            self._line.add(self._job)
        except UserError as error:
            self._tell_of_end(self._job, str(error))

    def _stop(self) -> None:
        """End the page's work. A network that is being loaded is loaded to the end, but the page does not wait."""
        if self._job and (self._line.stop(self._job) or not self._has_begun):
            self._tell_of_end(self._job)

    def _job_of(self, work: Callable[[Job], None]) -> Job:
        """Work for a thread whose errors are told to the page."""

        def safely(job: Job) -> None:
            sentence = ""
            try:
                work(job)
            except UserError as error:
                sentence = str(error)
            except Exception:
                logging.exception("generating failed")
                sentence = MISTAKE
            self._loop.call_soon_threadsafe(self._tell_of_end, job, sentence)

        return Job(safely, lambda place: self._say({"type": "queued", "place": place}))

    def _tell_of_end(self, job: Job, sentence: str = "") -> None:
        """Say that a job has ended, and why, if something went wrong. What the page did not ask for goes wrong
        silently: it is said when the page asks.
        """
        if job is self._job:
            self._job = None
            if sentence:
                self._say({"type": "error", "sentence": sentence})
            self._say({"type": "free"})
        if job is self._warming:
            self._warming = None
            self._say({"type": "warm"})

    def _tell(self, job: Job, message: Message) -> None:
        """Send a message of a job from its thread, unless the page does not wait for that job any more."""
        self._loop.call_soon_threadsafe(self._deliver, job, message)

    def _deliver(self, job: Job, message: Message) -> None:
        if job is self._job:
            self._has_begun = True
            self._say(message)

    def _say(self, message: Message) -> None:
        """Send a message. To a page that has been closed there is nothing to say."""
        send(self, message if isinstance(message, bytes) else json.dumps(message))
