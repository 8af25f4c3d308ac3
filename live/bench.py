"""What this computer can do: networks in a room whose time is paced as a sound card paces it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from live.networks import common_rate
from live.pacing import ticks
from live.room import Room
from workshop.machine import text_of
from workshop.run.voice import Block, PlayedNote, Voice

#: The test signal: beats with noise that dies away, so many a second, at this level.
_BEATS, _LEVEL = 2, 0.3
#: Blocks after which the test signal begins again.
_SIGNAL = 4096


@dataclass(frozen=True)
class Result:
    """How networks did together.

    Attributes:
        names: of the networks.
        rate: of the room, in Hz.
        block: samples in a block.
        blocks: that were played.
        late: blocks of any of them that came too late or not at all.
        worst: seconds that the slowest block took.
    """

    names: tuple[str, ...]
    rate: int
    block: int
    blocks: int
    late: int
    worst: float

    @property
    def verdict(self) -> str:
        """Whether that is good enough, in a word or two."""
        share = self.late / (self.blocks * len(self.names))
        return "keeps up" if not self.late else "drops out now and then" if share < 0.05 else "cannot keep up"


def measure(voices: Sequence[tuple[str, Voice]], block: int, prebuffer: int, seconds: float) -> Result:
    """Let networks play in time for so many seconds. They can be used again afterwards."""
    rate = common_rate(voices)
    count = max(round(seconds * rate / block), prebuffer + 1)
    names = tuple(name for name, _ in voices)
    with Room(voices, rate, block, prebuffer, lambda sentence: None) as room:
        for _ in played(room, count):
            pass
        late = sum(slot.counts.late for slot in room.slots)
        return Result(names, rate, block, count, late, max(slot.counts.worst for slot in room.slots))


def played(room: Room, count: int) -> Iterator[int]:
    """Let a room play so many blocks in time; gives the number of each after it was played."""
    block = room.block
    signal = beats(min(count, _SIGNAL) * block, room.rate)
    for number in ticks(count, block / room.rate):
        notes = (PlayedNote(0, 60, 80 * (number % 16 < 8)),) if number % 8 == 0 else ()
        at = number % _SIGNAL * block
        room.exchange(Block(signal[at : at + block], "\n" * (number % 64 == 0), notes))
        yield number


def beats(length: int, rate: int) -> np.ndarray:
    """The test signal, float32 [length]."""
    time = np.arange(length) % (rate // _BEATS) / rate
    noise = np.random.default_rng(0).normal(size=length)
    return (_LEVEL * noise * np.exp(-12 * time)).clip(-1, 1).astype(np.float32)


def table(results: Sequence[Result], prebuffer: int) -> Iterator[str]:
    """The results, line by line, and the smallest block with which everything keeps up."""
    yield "  rate Hz  block         worst   late of blocks             networks"
    for result in results:
        milliseconds = 1000 * result.block / result.rate
        yield (
            f"{result.rate:9,} {result.block:6} {milliseconds:4.0f} ms {1000 * result.worst:6.1f} ms "
            f"{result.late:6} of {result.blocks:<6} {result.verdict:22} {', '.join(result.names)}"
        )
    whole = max(len(result.names) for result in results)
    fit = [result.block for result in results if len(result.names) == whole and not result.late]
    what = "all of them together" if whole > 1 else "this network"
    if fit:
        yield f"{what}: --block {min(fit)} --prebuffer {prebuffer} keeps up"
    else:
        yield f"{what}: no block was large enough; take smaller networks, or fewer, or what else runs away"
    if pressure := text_of("/proc/pressure/cpu").partition("\n")[0]:
        yield f"other programs wanted the processor meanwhile: {pressure}"
