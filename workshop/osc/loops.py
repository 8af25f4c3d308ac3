"""Loops from a latent space, by OSC: what makes them, how they become files, and the addresses under `/gan`.

Z latent values, S steps, N samples of a loop.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from workshop.audio import latents
from workshop.audio.loop_files import write_loop
from workshop.audio.loop_picture import loop_picture
from workshop.audio.loop_spectrogram import resampled
from workshop.audio.rates import RATES
from workshop.errors import UserError
from workshop.osc.desk import Desk
from workshop.osc.generating import known_seed
from workshop.osc.kept import Kept
from workshop.osc.server import Argument, Id, Route
from workshop.pictures import write_png

#: Loops in a file.
MOST_STEPS = 64
#: The largest latent value.
FARTHEST = 1000.0


@runtime_checkable
class Loops(Protocol):
    """What makes loops.

    Attributes:
        latent_size: Z.
        rate: samples a second.
        samples: N.
        bpm: beats a minute.
        beats: in a loop.
    """

    latent_size: int
    rate: int
    samples: int
    bpm: float
    beats: int

    def sounds(self, latents: np.ndarray) -> np.ndarray:
        """Loops float32 [S, N] of latents [S, Z], each of which can be repeated for ever."""

    def row(self, latents: np.ndarray) -> np.ndarray:
        """The same loops one after the other, each going over into the next, float32 [S N]."""


class LoopFiles:
    """Makes files of points in a latent space.

    Args:
        net: makes the loops.
        kept: takes the files.
    """

    def __init__(self, net: Loops, kept: Kept):
        self.net, self.kept = net, kept
        #: Samples a second of the files, to which they are resampled.
        self.rate = net.rate
        #: What the files say that their rate is, where that is something else: as TechnoGAN's clients want it.
        self.stamp: int | None = None

    def write(self, kind: str, points: np.ndarray, has_picture: bool = False) -> list[str]:
        """Write the loops of points [S, Z] into one file; its path, and that of its picture, as the client sees them.

        Raises:
            UserError: a file cannot be written.
        """
        net, rate = self.net, self.rate
        sound = net.row(points)
        if rate != net.rate:
            sound = resampled(sound, round(len(sound) * rate / net.rate))
        stamped = self.stamp or rate
        bpm = net.bpm * stamped / rate
        saves = {".wav": lambda path: write_loop(path, sound, stamped, net.beats * len(points), bpm)}
        if has_picture:
            saves[".png"] = lambda path: write_png(path, loop_picture(sound))
        return [self.kept.places.outward(path) for path in self.kept.keep(kind, saves)]


def checked_rate(rate: int) -> int:
    """A rate that sound can have.

    Raises:
        UserError: it can not.
    """
    if rate not in RATES:
        raise UserError(f"{rate} is not a rate from {RATES[0]} to {RATES[-1]} samples a second")
    return rate


def checked_steps(steps: int) -> int:
    """So many loops as a file may have.

    Raises:
        UserError: they are too many, or none.
    """
    if not 1 <= steps <= MOST_STEPS:
        raise UserError(f"{steps} is not a number of steps from 1 to {MOST_STEPS}")
    return steps


def point(values: Sequence[float]) -> np.ndarray:
    """Latent values as float32 [Z].

    Raises:
        UserError: one is farther out than any number that makes sense.
    """
    outside = next((value for value in values if abs(value) > FARTHEST), None)
    if outside is not None:
        raise UserError(f"{outside:g} is not a latent value from -{FARTHEST:g} to {FARTHEST:g}; most are from -3 to 3")
    return np.array(values, np.float32)


@dataclass(frozen=True)
class GanRoutes:
    """The addresses under `/gan`.

    Attributes:
        files: makes the loops.
        desk: takes the requests.
    """

    files: LoopFiles
    desk: Desk

    def routes(self) -> dict[str, Route]:
        """All of them."""
        latent = (float,) * self.files.net.latent_size
        return {
            "/gan/generate": Route((Id, *latent), self._generate, "a loop: id, latent values"),
            "/gan/random": Route((Id, int), self._random, "a loop of random latent values: id, seed", least=1),
            "/gan/fade": Route(
                (Id, int, *latent, *latent), self._fade, "loops from here to there: id, steps, here, there"
            ),
            "/gan/pingpong": Route(
                (Id, int, *latent, *latent), self._pingpong, "there and back, to be repeated: id, steps, here, there"
            ),
            "/gan/walk": Route(
                (Id, int, float, int, *latent), self._walk, "a random walk: id, steps, morph from 0 to 1, seed, here"
            ),
            "/gan/rate": Route((int,), self._rate, "samples a second of files, to which they are resampled", least=0),
            "/gan/info": Route((), self._info, "latent values, rate, samples, beats a minute and beats of a loop"),
        }

    def _ask(self, kind: str, id: Argument, points: np.ndarray, *more: Argument, name: str = "") -> None:
        self.desk.ask(f"/gan/{name or kind}", id, lambda: [*self.files.write(kind, points), *more])

    def _generate(self, id: Argument, *values: float) -> None:
        self._ask("loop", id, point(values)[None], name="generate")

    def _random(self, id: Argument, seed: int = -1) -> None:
        seed = known_seed(seed)
        self._ask("loop", id, latents.drawn(1, self.files.net.latent_size, seed), seed, name="random")

    def _fade(self, id: Argument, steps: int, *values: float) -> None:
        here, there = np.split(point(values), 2)
        self._ask("fade", id, latents.fade(here, there, checked_steps(steps)))

    def _pingpong(self, id: Argument, steps: int, *values: float) -> None:
        here, there = np.split(point(values), 2)
        self._ask("pingpong", id, latents.pingpong(here, there, checked_steps(steps)))

    def _walk(self, id: Argument, steps: int, morph: float, seed: int, *values: float) -> None:
        if not 0 <= morph <= 1:
            raise UserError(f"{morph:g} is not a morph from 0 to 1")
        seed = known_seed(seed)
        self._ask("walk", id, latents.walk(point(values), checked_steps(steps), morph, seed), seed)

    def _rate(self, *rate: int) -> Sequence[Argument]:
        if rate:
            self.files.rate = checked_rate(rate[0])
        return [self.files.rate]

    def _info(self) -> Sequence[Argument]:
        net = self.files.net
        return [net.latent_size, net.rate, net.samples, float(net.bpm), net.beats]
