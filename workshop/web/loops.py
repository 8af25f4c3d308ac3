"""What the page of loops asks its server for: what a generator's latent space is like, loops of points in it, and a mix
that is kept as any other result is.
"""

from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import numpy as np

from workshop.audio import latents
from workshop.audio.slots import FASTEST, MOST_SLOTS, SLOWEST, number
from workshop.errors import UserError
from workshop.osc.generating import SEEDS
from workshop.web import experiments, mix
from workshop.web.handlers import STATIC, Index, Threaded
from workshop.web.networks import Networks
from workshop.web.results import Made, Results
from workshop.web.security import Refused
from workshop.web.sending import read

#: Requests that may wait while one is made: each person has a slot on the way at a time, and sometimes all eight.
MOST_WAITING = 40


class LoopsPage(Index):
    """The page of loops."""

    page = STATIC / "loops.html"


class Waiting:
    """The requests that are being answered, one at a time."""

    def __init__(self) -> None:
        self.threads = ThreadPoolExecutor(1, thread_name_prefix="loops")
        self.count = 0


class _Asked(Threaded):
    """A handler that lets a generator make something of what is in the request's body, which is JSON."""

    def initialize(self, networks: Networks, results: Results, waiting: Waiting) -> None:
        """Take what all requests share."""
        self._networks, self._results, self._waiting = networks, results, waiting
        self._threads = waiting.threads

    async def post(self) -> None:
        """Answer with what was made.

        Raises:
            Refused: it cannot be made, or too many wait.
        """
        if self._waiting.count >= MOST_WAITING:
            raise Refused("Too many ask for loops at this moment: try again.", HTTPStatus.SERVICE_UNAVAILABLE)
        self._waiting.count += 1
        try:
            self.finish(await self.in_thread(self._made))
        finally:
            self._waiting.count -= 1

    def _made(self) -> bytes | dict[str, Any]:
        said = read(self.request.body)
        if not isinstance(said.get("experiment"), str):
            raise UserError("the request names no experiment: reload the page")
        entry = experiments.entry(said["experiment"])
        if not entry.is_generator:
            raise UserError(f"{entry.lesson} {entry.name} makes no loops from a latent space: choose one that does")
        loaded = self._networks.get(entry.id)
        with loaded.lock:
            return self.made(loaded.net, entry, said)

    def made(self, net: Any, entry: experiments.Entry, said: dict[str, Any]) -> bytes | dict[str, Any]:
        """What a generator makes of a request."""
        raise NotImplementedError


class Space(_Asked):
    """Tells what a latent space is like."""

    def made(self, net: Any, entry: experiments.Entry, said: dict[str, Any]) -> dict[str, Any]:
        """See `workshop.web.mix.space`."""
        return mix.space(net)


class Point(_Asked):
    """Draws a point of a latent space: for a seed, the one that `/gan/random` of the OSC server draws."""

    def made(self, net: Any, entry: experiments.Entry, said: dict[str, Any]) -> dict[str, Any]:
        """Its latent values."""
        seed = int(number("seed", said.get("seed"), 0, SEEDS - 1))
        return {"point": latents.drawn(1, net.latent_size, seed)[0].tolist()}


class Loop(_Asked):
    """Makes the loops of a slot."""

    def made(self, net: Any, entry: experiments.Entry, said: dict[str, Any]) -> bytes:
        """Samples of 16 bits, little-endian."""
        loops = mix.at_tempo(net, _tempo(said))
        sound = mix.Slot.read(said.get("slot"), net.latent_size).sound(loops)
        return np.round(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()


class Mix(_Asked):
    """Makes a mix, which is remembered as what a network has made."""

    def made(self, net: Any, entry: experiments.Entry, said: dict[str, Any]) -> dict[str, Any]:
        """The name of the result, and the files that it can be had as.

        Raises:
            UserError: there is nothing to mix.
        """
        said_slots = said.get("slots")
        if not isinstance(said_slots, list) or not 1 <= len(said_slots) <= MOST_SLOTS:
            raise UserError(f"a mix has 1 to {MOST_SLOTS} slots: fill one, and let it be heard")
        slots = [mix.Slot.read(one, net.latent_size) for one in said_slots]
        bars = int(number("bars", said.get("bars"), 1, mix.MOST_BARS))
        sound = mix.mixed(net, slots, _tempo(said), bars, said.get("in_turn") is True)
        made = Made(entry.lesson, entry.name, "sound", sound, source=entry.id)
        return {"id": self._results.add(made), "formats": made.formats}


def _tempo(said: dict[str, Any]) -> float:
    return number("beats a minute", said.get("bpm"), SLOWEST, FASTEST)
