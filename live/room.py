"""The room: what goes in goes to all networks, and their answers are mixed, limited and given out, block by block.

Devices, the page and files all call `Room.exchange` with a block and get one. With files, the room waits for the
networks; otherwise it gives out what has been answered `prebuffer` blocks later, and a late network is silent in it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from live.limiter import AHEAD, Limiter
from live.slot import Slot
from live.watch import Watch
from workshop import cli
from workshop.run.voice import MIDDLE, POSITIONS, Block, Knobs, PlayedNote, Voice

#: Networks at most.
MOST = 3
#: Seconds in which a network that is late fades, and comes back.
_FADE = 0.005


@dataclass(frozen=True)
class Mixed:
    """What the room gives out in a block.

    Attributes:
        samples: float32 [N].
        words: that the networks write, with the number of the network, from 1.
        notes: that they play, likewise.
        knobs: as they were when the networks heard the block that this one is given out for.
    """

    samples: np.ndarray
    words: tuple[tuple[int, str], ...]
    notes: tuple[tuple[int, PlayedNote], ...]
    knobs: Knobs


class Room:
    """Up to three networks that hear the same.

    Args:
        voices: the networks, each with its name; from then on they belong to the room.
        rate: samples a second.
        block: samples in a block.
        prebuffer: blocks between hearing and answering; 0 means that the room waits for the networks, as for files.
        say: is told what goes wrong.
        patience: seconds that a block waits for a network which was in time before; for blocks that come in bursts, as
            through a connection.
    """

    def __init__(
        self, voices: Sequence[tuple[str, Voice]], rate: int, block: int, prebuffer: int,
        say: Callable[[str], None] = cli.say, patience: float = 0.0,
    ):  # fmt: skip
        assert len(voices) <= MOST
        self.rate, self.block, self.prebuffer, self._patience = rate, block, prebuffer, patience
        self.slots = [Slot(name, voice, rate, not prebuffer, say) for name, voice in voices]
        self.knobs = initial_knobs(len(voices))
        self.limiter = Limiter(rate)
        self.watch = Watch(self.slots, rate, block, say)
        self._number = 0
        self._heard: deque[Knobs] = deque()
        self._shares = shares(self.knobs, len(voices))
        # Of each network: its last sample, and whether it was late.
        self._last = [0.0] * len(voices)
        self._was_late = [False] * len(voices)

    def turn(self, name: str, position: float) -> None:
        """Turn a knob, from any thread; it counts from the next block on."""
        self.knobs = self.knobs.turned(name, position)

    def exchange(self, block: Block) -> Mixed:
        """Let the networks hear a block of `self.block` samples, and return the next one to be heard."""
        samples = np.asarray(block.samples, np.float32)
        self.watch.hear(samples)
        samples = np.clip(np.nan_to_num(samples, nan=0, posinf=0, neginf=0), -1, 1)
        knobs = self.knobs
        heard = replace(block, samples=samples)
        for slot in self.slots:
            slot.give(self._number, heard, knobs)
        self._heard.append(knobs)
        self._number += 1
        if self._number <= self.prebuffer:
            return Mixed(self.limiter.process(np.zeros(self.block)), (), (), knobs)
        return self._mixed(self._number - 1 - self.prebuffer, self._heard.popleft(), knobs)

    def close(self) -> None:
        """Let the networks rest."""
        for slot in self.slots:
            slot.close()

    def __enter__(self) -> "Room":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _mixed(self, number: int, knobs: Knobs, now: Knobs) -> Mixed:
        answers = [
            self._answer(place, slot.take(number, 0.0 if self._was_late[place] else self._patience))
            for place, slot in enumerate(self.slots)
        ]
        before, self._shares = self._shares, shares(knobs, len(self.slots))
        rise = np.linspace(0, 1, self.block)
        total = np.zeros(self.block)
        for answer, old, new in zip(answers, before, self._shares, strict=True):
            total += answer.samples * (old + (new - old) * rise)
        words = tuple((place, answer.words) for place, answer in enumerate(answers, 1) if answer.words)
        notes = tuple((place, note) for place, answer in enumerate(answers, 1) for note in answer.notes)
        samples = self.limiter.process(total)
        self.watch.answered(samples)
        return Mixed(samples, words, notes, now)

    def _answer(self, place: int, answer: Block | None) -> Block:
        """The answer of a network; one that is late fades from where it was, and comes back as softly."""
        fade = max(round(_FADE * self.rate), 1)
        if answer is None:
            samples = self._last[place] * np.exp(-np.arange(1, self.block + 1) / (fade / 4))
            answer, self._was_late[place] = Block(samples.astype(np.float32)), True
        elif self._was_late[place]:
            rise = np.minimum(np.arange(self.block) / fade, 1).astype(np.float32)
            answer, self._was_late[place] = replace(answer, samples=answer.samples * rise), False
        self._last[place] = float(answer.samples[-1])
        return answer


def initial_knobs(networks: int) -> Knobs:
    """The knobs at the beginning: a network alone sounds by itself, and several half and half, as in boii."""
    return Knobs(mix=MIDDLE if networks > 1 else 0, mix23=MIDDLE if networks > 2 else 0)


def shares(knobs: Knobs, networks: int) -> np.ndarray:
    """How much of each network is heard, [networks]: the first crossfades with the mix of the second and third; a place
    without a network is silent.
    """
    others, third = knobs.mix / (POSITIONS - 1), knobs.mix23 / (POSITIONS - 1)
    return knobs.gain * np.array([1 - others, others * (1 - third), others * third])[:networks]


def usual_block(rate: int) -> int:
    """The samples of a block, unless `--block` says otherwise: a power of two, at most a thirtieth of a second."""
    return 1 << max(rate // 30, 1).bit_length() - 1


def budget(rate: int, block: int, prebuffer: int, devices: float = 0.0) -> str:
    """What the time between hearing and answering is made of, in one line.

    Args:
        rate: of the room, in Hz.
        block: samples in a block.
        prebuffer: blocks.
        devices: seconds that the devices take, in and out together.
    """
    one, ahead = 1000 * block / rate, 1000 * AHEAD / rate
    parts = f"block {one:.1f} ms + network {prebuffer * one:.1f} ms ({prebuffer} blocks) + limiter {ahead:.1f} ms"
    total = one + prebuffer * one + ahead + 1000 * devices
    return f"latency: {parts} + devices {1000 * devices:.1f} ms = {total:.1f} ms"
