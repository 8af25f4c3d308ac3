"""Networks that answer in phrases: they think beside the sound, and begin to answer at a moment fixed before."""

import abc
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from workshop.run.voice import Block, Knobs, Mode, PlayedNote

#: Seconds between the end of a call and the beginning of the answer, in which the network thinks.
THINKING = 1.0


@dataclass(frozen=True)
class Phrase:
    """An answer.

    Attributes:
        samples: float32 [N].
        words: written as it begins.
        notes: played in it, in order, at samples from its beginning.
    """

    samples: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    words: str = ""
    notes: tuple[PlayedNote, ...] = ()


class PhraseVoice(abc.ABC):
    """Answers each call by a phrase, and in the continuous mode makes phrases of its own while nobody calls.

    An answer is made by a thread of its own. It begins `THINKING` seconds after the call, or behind the phrase before,
    whenever it was ready, so that the same calls give the same sound.

    Args:
        rate: samples a second.
        mode: of answering.
    """

    def __init__(self, rate: int, mode: Mode):
        self.rate, self._mode = rate, mode
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="phrase")
        self._calls: deque[Callable[[], Phrase]] = deque()
        self._coming: Future[Phrase] | None = None
        self._now = self._due = 0
        #: What is being played, the sample of all time at which it has begun, and the number of its next note.
        self._phrase, self._begun, self._next_note = Phrase(), 0, 0

    @abc.abstractmethod
    def hear(self, block: Block, knobs: Knobs) -> Callable[[], Phrase] | None:
        """Listen to a block; where a call is complete with it, return what makes the answer."""

    @abc.abstractmethod
    def own(self, knobs: Knobs) -> Callable[[], Phrase]:
        """What makes a phrase that nobody has called for."""

    def process(self, block: Block, knobs: Knobs) -> Block:
        """Hear a block and answer, as `Voice` says."""
        end = self._now + len(block.samples)
        if call := self.hear(block, knobs):
            self._calls.append(call)
        if self._coming is None and (self._calls or self._mode == "continuous"):
            call = self._calls.popleft() if self._calls else self.own(knobs)
            self._coming = self._thread.submit(call)
            self._due = max(end + round(THINKING * self.rate), self._begun + len(self._phrase.samples))
        answer = Block(self._played(self._now, end), notes=self._notes(self._now, end))
        if self._coming and self._due < end:
            coming, self._coming = self._coming, None
            self._phrase, self._begun, self._next_note = coming.result(), self._due, 0
            answer = Block(
                answer.samples + self._played(self._now, end),
                self._phrase.words,
                answer.notes + self._notes(self._now, end),
            )
        self._now = end
        return answer

    def _played(self, begin: int, end: int) -> np.ndarray:
        """The samples of the phrase between two moments, and silence around it."""
        samples = np.zeros(end - begin, np.float32)
        first = max(self._begun - begin, 0)
        at = begin + first - self._begun
        part = self._phrase.samples[at : at + len(samples) - first]
        samples[first : first + len(part)] = part
        return samples

    def _notes(self, begin: int, end: int) -> tuple[PlayedNote, ...]:
        """The notes of the phrase up to a moment that have not been played, at samples from the other one."""
        found: list[PlayedNote] = []
        notes = self._phrase.notes
        while self._next_note < len(notes) and self._begun + notes[self._next_note].at < end:
            note = notes[self._next_note]
            found.append(replace(note, at=max(self._begun + note.at - begin, 0)))
            self._next_note += 1
        return tuple(found)
