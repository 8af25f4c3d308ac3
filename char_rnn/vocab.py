"""Characters as numbers: the representation of lesson 1.

Every character of the text gets a number, the most frequent one the lowest. Number 0 is the unknown symbol: it stands
for characters that are too rare to learn from, and for those of a prime that the network has never seen. It is never
generated.
"""

import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from workshop.errors import UserError
from workshop.files import explain, read_json, write_json

#: How the unknown symbol is shown: the replacement character.
UNKNOWN = "\ufffd"
#: A character that occurs less often than this in the whole text is folded into the unknown symbol.
MIN_COUNT = 2

_CODE_POINTS = 0x110000


def code_points(text: str) -> np.ndarray:
    """The characters of a text as uint32 numbers of Unicode."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def count_characters(chunks: Iterable[str]) -> np.ndarray:
    """How often each character of Unicode occurs: int64 [0x110000]."""
    counts = np.zeros(_CODE_POINTS, np.int64)
    for chunk in chunks:
        times = np.bincount(code_points(chunk))
        counts[: len(times)] += times
    return counts


class NormalForm:
    """Finds out in which normal form of Unicode a text is: é as one character (NFC), or as e and an accent (NFD).

    macOS and PDFs write the latter. A text may have both; the one that occurs more often is its form.
    """

    #: Characters of each piece that are looked at.
    SAMPLE = 1 << 16

    def __init__(self) -> None:
        self._composed = self._decomposed = 0

    def feed(self, text: str) -> None:
        """Take the next piece of text."""
        sample = text[: self.SAMPLE]
        if not sample.isascii():
            self._composed += len(unicodedata.normalize("NFD", sample)) - len(sample)
            self._decomposed += len(sample) - len(unicodedata.normalize("NFC", sample))

    @property
    def name(self) -> Literal["NFC", "NFD"]:
        """`NFC` or `NFD`; `NFC` for a text in which both are the same."""
        return "NFD" if self._decomposed > self._composed else "NFC"


class Vocabulary:
    """V symbols, of which number 0 is the unknown one.

    Args:
        characters: all others, in the order of their numbers from 1.

    Raises:
        ValueError: a character occurs twice, or is not a single character.
    """

    def __init__(self, characters: str):
        self.symbols = UNKNOWN + characters
        if len(set(self.symbols)) != len(self.symbols):
            raise ValueError("a character occurs twice")
        self._numbers = np.zeros(_CODE_POINTS, np.uint32)
        self._numbers[code_points(self.symbols)] = np.arange(len(self.symbols))
        #: The smallest integer type that holds all numbers, so that a long text takes little memory.
        self.dtype = np.min_scalar_type(len(self.symbols) - 1)

    def __len__(self) -> int:
        return len(self.symbols)

    @classmethod
    def from_counts(cls, counts: np.ndarray, min_count: int = MIN_COUNT) -> "Vocabulary":
        """The characters that occur at least `min_count` times in `counts` [0x110000], the most frequent first."""
        frequent = np.flatnonzero(counts >= min_count)
        frequent = frequent[frequent != ord(UNKNOWN)]
        ordered = frequent[np.argsort(-counts[frequent], kind="stable")]
        return cls(ordered.astype(np.uint32).tobytes().decode("utf-32-le", "surrogatepass"))

    def encode(self, text: str) -> np.ndarray:
        """Numbers of the characters of `text`; 0 for those that are not in the vocabulary."""
        return self._numbers[code_points(text)].astype(self.dtype)

    def decode(self, ids: np.ndarray) -> str:
        """The text of numbers; the unknown symbol becomes the replacement character."""
        return "".join(self.symbols[i] for i in np.asarray(ids).tolist())

    def unseen(self, text: str) -> str:
        """The characters of `text` that are not in the vocabulary, each once, in order."""
        return "".join(dict.fromkeys(c for c, i in zip(text, self.encode(text).tolist(), strict=True) if i == 0))

    def spelled(self, text: str, form: str | None) -> str:
        """`text` in the normal form in which the fewest of its characters are unknown: `form`, that of the data, where
        all are alike.
        """
        forms: list[Literal["NFC", "NFD"]] = ["NFD", "NFC"] if form == "NFD" else ["NFC", "NFD"]
        spellings = [*(unicodedata.normalize(one, text) for one in forms), text]
        if form is None:  # of an experiment that does not say it
            spellings.insert(0, text)
        return min(spellings, key=lambda spelling: np.count_nonzero(self.encode(spelling) == 0))

    def save(self, path: Path) -> None:
        """Write the vocabulary as JSON.

        Raises:
            UserError: it cannot be written; what was there is untouched.
        """
        try:
            write_json(path, {"format": 1, "characters": self.symbols[1:]})
        except OSError as error:
            raise UserError(f"{path} could not be written: {explain(error, path)}") from error

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Read what `save` has written.

        Raises:
            UserError: the file is missing or damaged.
        """
        characters: Any = read_json(path).get("characters")
        try:
            if not isinstance(characters, str) or not characters:
                raise ValueError("its characters are missing")
            return cls(characters)
        except ValueError as error:
            raise UserError(f"{path} is damaged: {error}") from error
