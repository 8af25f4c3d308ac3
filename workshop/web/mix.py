"""Loops from a latent space that are played together or one after the other: the slots of the page of loops, as sound.

Z latent values, S loops of a slot, N samples of a loop, B bars, each of which is as long as a loop.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from workshop.audio import latents
from workshop.audio.generated import GeneratedSound
from workshop.audio.loop_files import write_loop
from workshop.audio.slots import FARTHEST, MOST_STEPS, number
from workshop.errors import UserError

#: Bars of a mix that is kept.
MOST_BARS = 64
#: How loud a slot of level 1 is in the mix, so that several of them have room.
ROOM = 0.5
#: How a slot goes through the latent space.
WAYS: dict[str, Callable[[np.ndarray, np.ndarray, int], np.ndarray]] = {
    "stay": lambda start, end, steps: start[None],
    "fade": latents.fade,
    "pingpong": latents.pingpong,
}


class Loops(Protocol):
    """What makes sound of latent values."""

    def at_length(self, samples: int) -> "Loops":
        """The same loops with another number of samples each."""

    def row(self, latents: np.ndarray) -> np.ndarray:
        """Loops [S, Z] one after the other, float32 [S N]."""


class Generator(Protocol):
    """A trained network that makes loops.

    Attributes:
        latent_size: Z.
        rate: samples a second.
        samples: N, at its own tempo.
        bpm: beats a minute.
        beats: in a loop.
        loops: make its sound.
    """

    latent_size: int
    rate: int
    samples: int
    bpm: float
    beats: int
    loops: Loops

    def pictures(self, points: np.ndarray) -> np.ndarray:
        """Pictures [N, T, D] of latents [N, Z]."""


@dataclass(frozen=True)
class Slot:
    """What a slot plays, again and again.

    Attributes:
        start: latent values float32 [Z].
        end: where its way leads, float32 [Z].
        way: one of `WAYS`.
        steps: S, of a way that goes anywhere.
        level: from 0 to 1.
    """

    start: np.ndarray
    end: np.ndarray
    way: str = "stay"
    steps: int = 1
    level: float = 1.0

    @classmethod
    def read(cls, said: Any, size: int) -> "Slot":
        """The slot that the page says; its network has `size` latent values.

        Raises:
            UserError: it is none.
        """
        if not isinstance(said, dict) or said.get("way", "stay") not in list(WAYS):  # it may be anything
            raise UserError(f"a slot has a start, an end, and a way: {', '.join(WAYS)}")
        start = _point(said.get("start"), size)
        return cls(
            start,
            _point(said["end"], size) if said.get("end") is not None else start,
            said.get("way", "stay"),
            int(number("steps", said.get("steps", 1), 1, MOST_STEPS)),
            number("level", said.get("level", 1), 0, 1),
        )

    def sound(self, loops: Loops) -> np.ndarray:
        """Its loops one after the other, float32 [S N]."""
        return loops.row(WAYS[self.way](self.start, self.end, self.steps))


@dataclass(frozen=True)
class MixedLoops(GeneratedSound):
    """A mix that says its tempo.

    Attributes:
        beats: in it.
        bpm: beats a minute.
    """

    beats: int
    bpm: float

    def save(self, path: Any) -> Any:
        """Write it as `GeneratedSound.save` does; the WAV file says that it is a loop, and its tempo.

        Raises:
            UserError: the file cannot be written.
        """
        if str(path).lower().endswith(".wav"):
            write_loop(path, self.samples, self.rate, self.beats, self.bpm)
            return path
        return super().save(path)


def _point(said: Any, size: int) -> np.ndarray:
    if not isinstance(said, list) or len(said) != size:
        raise UserError(f"this network makes a loop of {size} latent values: reload the page")
    return np.array([number("a latent value", value, -FARTHEST, FARTHEST) for value in said], np.float32)


def at_tempo(net: Generator, bpm: float) -> Loops:
    """What makes the loops at a tempo in beats a minute, as high as at their own.

    Raises:
        UserError: they would be too short.
    """
    return net.loops.at_length(round(net.samples * net.bpm / bpm))


def space(net: Generator) -> dict[str, Any]:
    """What the page has to know of a network: its latent values, its tempo, and the directions of the pad [2, Z]."""
    points = latents.drawn(4 * net.latent_size, net.latent_size, seed=0)
    return {
        "latent_size": net.latent_size,
        "rate": net.rate,
        "samples": net.samples,
        "bpm": net.bpm,
        "beats": net.beats,
        "directions": latents.principal(points, net.pictures(points)).round(5).tolist(),
    }


def mixed(net: Generator, slots: Sequence[Slot], bpm: float, bars: int, in_turn: bool) -> MixedLoops:
    """A mix as one sound. It is made softer where it would be louder than 1.

    Args:
        net: makes the loops.
        slots: one or more; in a bar each plays the next one of its loops.
        bpm: beats a minute.
        bars: B.
        in_turn: whether the slots are heard one after the other, a bar each; otherwise all together.

    Raises:
        UserError: the tempo is too fast for the loops.
    """
    loops = at_tempo(net, bpm)
    mix: np.ndarray = np.zeros(0, np.float32)
    for place, slot in enumerate(slots):
        sound = ROOM * slot.level * slot.sound(loops).reshape(-1, round(net.samples * net.bpm / bpm))
        heard = sound[np.arange(bars) % len(sound)]
        if in_turn:
            heard[np.arange(bars) % len(slots) != place] = 0
        mix = heard.reshape(-1) if not len(mix) else mix + heard.reshape(-1)
    mix /= max(float(np.abs(mix).max()), 1)
    return MixedLoops(mix, net.rate, bars * net.beats, bpm)
