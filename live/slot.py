"""A place for a network in the room: a thread of its own, with what waits for it and what it has answered."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from live.answers import checked
from live.resampling import at_rate
from workshop.errors import UserError
from workshop.run.voice import Block, Knobs, Voice
from workshop.visible import visible_line

#: Blocks in the queue of a network at most, in real time: older ones are skipped.
BACKLOG = 8
#: Answers that are kept until they are asked for.
_KEPT = 64
#: Seconds after which a network hangs that should end.
_HANGS = 2.0


@dataclass
class Counts:
    """What has happened in a slot.

    Attributes:
        blocks: that were answered.
        late: blocks whose answer was not there in time, and was silence.
        skipped: blocks whose sound the network never heard, because it was too far behind.
        broken: answers that were not numbers, or not there because of a mistake, and became silence.
        worst: seconds that the slowest answer took.
    """

    blocks: int = 0
    late: int = 0
    skipped: int = 0
    broken: int = 0
    worst: float = 0.0


class Slot:
    """Lets a network answer blocks in its own thread, which alone ever uses it.

    Args:
        name: of the network, for messages.
        voice: the network.
        rate: of the room, in Hz.
        waits: whether `take` waits for answers, as with files: then nothing is skipped.
        say: is told what goes wrong.
    """

    def __init__(self, name: str, voice: Voice, rate: int, waits: bool, say: Callable[[str], None]):
        self.name, self.counts = name, Counts()
        self._voice, self._rate, self._waits, self._say = at_rate(voice, rate), rate, waits, say
        self._next: tuple[str, Voice] | None = None
        #: The network whose mistakes have been told of.
        self._told: Voice | None = None
        self._waiting: deque[tuple[int, Block, Knobs]] = deque()
        self._answers: dict[int, Block] = {}
        #: Words and notes of answers that came too late to be heard: they come with the next one.
        self._owed = Block(np.zeros(0, np.float32))
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name=f"network {name}", daemon=True)
        self._thread.start()

    def give(self, number: int, block: Block, knobs: Knobs) -> None:
        """Let the network answer the block of this number."""
        with self._changed:
            self._waiting.append((number, block, knobs))
            if not self._waits and len(self._waiting) > BACKLOG:
                self._skip()
            self._changed.notify_all()

    def take(self, number: int, patience: float = 0.0) -> Block | None:
        """The answer to the block of this number; None where it is not there, and then its sound is not wanted later.

        Args:
            number: of the block.
            patience: seconds to wait for it, where not for as long as it takes.
        """
        with self._changed:
            if self._waits or patience:
                timeout = None if self._waits else patience
                self._changed.wait_for(lambda: number in self._answers or self._ended, timeout)
            for older in sorted(other for other in self._answers if other < number):
                self._owed = _with_words_of(self._owed, self._answers.pop(older))
            answer = self._answers.pop(number, None)
            if answer is None:
                self.counts.late += 1
                return None
            owed, self._owed = self._owed, replace(self._owed, words="", notes=())
            return _with_words_of(owed, answer)

    def swap(self, name: str, voice: Voice) -> None:
        """Put another network in the place of this one. Both sound for a block, from the one to the other."""
        with self._changed:
            self._next = name, at_rate(voice, self._rate)

    def close(self) -> None:
        """Let the network rest, behind the block that it is at; one that hangs is not waited for."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join(_HANGS)

    def _skip(self) -> None:
        """Leave out the oldest block that waits; its words and notes come with the next one, so that no key hangs."""
        _, skipped, _ = self._waiting.popleft()
        number, block, knobs = self._waiting[0]
        self._waiting[0] = number, _with_words_of(skipped, block), knobs
        self.counts.skipped += 1

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if self._ended:
                    return
                number, block, knobs = self._waiting.popleft()
                coming, self._next = self._next, None
            begun = time.perf_counter()
            answer = self._answer(block, knobs)
            if coming:
                answer = self._changed_over(answer, coming, block, knobs)
            self.counts.worst = max(self.counts.worst, time.perf_counter() - begun)
            self.counts.blocks += 1
            with self._changed:
                self._answers[number] = answer
                if len(self._answers) > _KEPT:
                    self._owed = _with_words_of(self._owed, self._answers.pop(min(self._answers)))
                self._changed.notify_all()

    def _changed_over(self, answer: Block, coming: tuple[str, Voice], block: Block, knobs: Knobs) -> Block:
        """The answers of the network that goes, and of the one that comes, crossfaded."""
        self.name, self._voice = coming
        other = self._answer(block, knobs)
        rise = np.linspace(0, 1, len(block.samples), dtype=np.float32)
        samples = (1 - rise) * answer.samples + rise * other.samples
        return Block(samples, answer.words + other.words, answer.notes + other.notes)

    def _answer(self, block: Block, knobs: Knobs) -> Block:
        """What the network answers; silence where it fails or gives what is no number."""
        silence = np.zeros(len(block.samples), np.float32)
        try:
            return checked(self._voice.process(block, knobs), block)
        except UserError as error:
            return self._broken(f"{error}", silence)
        except Exception as error:  # whatever goes wrong in one network, the others play on
            return self._broken(f"{type(error).__name__}: {error}", silence)

    def _broken(self, why: str, silence: np.ndarray) -> Block:
        if self._told is not self._voice:
            self._told = self._voice
            self._say(f"network {self.name} is silent where this happens: {visible_line(why)}")
        self.counts.broken += 1
        return Block(silence)


def _with_words_of(earlier: Block, block: Block) -> Block:
    """A block that also has the words and notes of an earlier one."""
    return replace(block, words=earlier.words + block.words, notes=earlier.notes + block.notes)
