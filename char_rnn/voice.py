"""A network of lesson 1 in the live room: each line that is typed is answered by one."""

from collections.abc import Callable
from typing import Protocol

from workshop.run.phrases import Phrase, PhraseVoice
from workshop.run.voice import Block, Knobs, Mode

#: A text makes no sound; this is how its time is counted, in samples a second.
RATE = 8000
#: The longest answer, and the longest text that is remembered, in characters.
LONGEST_ANSWER, REMEMBERED = 300, 1000


class Writer(Protocol):
    """What writes with a network."""

    def __call__(self, text: str, length: int, heat: float, seed: int) -> str:
        """The `length` characters after a text, at the network's temperature times `heat`."""


class TextVoice(PhraseVoice):
    """Answers lines by lines, with what has been typed and written before them in mind.

    Args:
        write: with the network; by this voice alone.
        mode: when it answers.
        seed: of the draws.
    """

    def __init__(self, write: Writer, mode: Mode, seed: int):
        super().__init__(RATE, mode)
        self._write, self._seed = write, seed
        self._typed = self._text = ""

    def hear(self, block: Block, knobs: Knobs) -> Callable[[], Phrase] | None:
        """Take what is typed; a call is complete with its line."""
        self._typed += block.words
        if "\n" not in self._typed:
            return None
        line, _, self._typed = self._typed.rpartition("\n")
        return lambda: self._phrase_after(f"{line}\n", knobs)

    def own(self, knobs: Knobs) -> Callable[[], Phrase]:
        """Write another line."""
        return lambda: self._phrase_after("", knobs)

    def _phrase_after(self, line: str, knobs: Knobs) -> Phrase:
        """What the network writes after a line, up to the end of its first line."""
        self._text = (self._text + line)[-REMEMBERED:]
        written = self._write(self._text, LONGEST_ANSWER, knobs.heat, self._seed).lstrip("\n").partition("\n")[0] + "\n"
        self._text += written
        self._seed = (self._seed + 1) % (1 << 32)
        return Phrase(words=written)
