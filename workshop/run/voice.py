"""A network that answers block by block, with a state that goes on: what the live room asks of a lesson."""

from dataclasses import dataclass, fields, replace
from typing import Literal, Protocol

import numpy as np

#: Positions of a knob, those of a MIDI controller, so that a recording of them in MIDI is exact; and the middle.
POSITIONS, MIDDLE = 128, 64
#: Whether a network answers all the time, or whenever what it hears has come to a rest.
Mode = Literal["continuous", "call"]

#: Positions of `follow` that double how often a network takes up what it hears, and seconds at the lowest.
_DOUBLING, _SLOWEST = 16, 4.0


@dataclass(frozen=True)
class PlayedNote:
    """A key that goes down or up.

    Attributes:
        at: the sample of the block.
        pitch: 0 to 127.
        velocity: 1 to 127; 0 where the key goes up.
    """

    at: int
    pitch: int
    velocity: int


@dataclass(frozen=True)
class Block:
    """A piece of time, of what goes into a network or comes out of it.

    Attributes:
        samples: float32 [N], from -1 to 1.
        words: what was typed or written meanwhile.
        notes: what was played meanwhile, in order.
    """

    samples: np.ndarray
    words: str = ""
    notes: tuple[PlayedNote, ...] = ()


@dataclass(frozen=True)
class Knobs:
    """Positions of the knobs, 0 to 127; the same for a whole block.

    Attributes:
        mix: crossfades network 1 (0) and the mix of the others (127).
        mix23: crossfades network 2 (0) and network 3 (127).
        temperature: of the draws; in the middle that of the network's previews.
        volume: of everything.
        bend: bends the temperature up or down, as a pitch wheel that springs back.
        follow: how often a network takes up what it hears; at 0 it goes on by itself.
        press: adds to `follow`, as a key that is pressed harder.
    """

    mix: int = 0
    mix23: int = 0
    temperature: int = MIDDLE
    volume: int = POSITIONS - 1
    bend: int = MIDDLE
    follow: int = 48
    press: int = 0

    @property
    def heat(self) -> float:
        """Factor of the temperature: 1 in the middle, halved or doubled by `temperature` and again by `bend`."""
        return 2 ** ((self.temperature - MIDDLE) / MIDDLE + (self.bend - MIDDLE) / MIDDLE)

    @property
    def gain(self) -> float:
        """Factor of the loudness, from 0 to 1."""
        return (self.volume / (POSITIONS - 1)) ** 2

    @property
    def patience(self) -> float:
        """Seconds after which a network takes up what it hears."""
        position = min(self.follow + self.press, POSITIONS - 1)
        return _SLOWEST * 2 ** (-position / _DOUBLING) if position else float("inf")

    def turned(self, name: str, position: float) -> "Knobs":
        """The same with one knob at another position, brought into range."""
        return replace(self, **{name: min(max(round(position), 0), POSITIONS - 1)})


#: The names of the knobs.
KNOBS = tuple(entry.name for entry in fields(Knobs))


class Voice(Protocol):
    """A network in a place of the live room; used by one thread alone."""

    @property
    def rate(self) -> int:
        """Samples a second, in and out."""

    def process(self, block: Block, knobs: Knobs) -> Block:
        """Hear a block and answer with one of the same length; any length is possible. The same seed, blocks and knobs
        give the same answers, however long each of them takes.
        """
