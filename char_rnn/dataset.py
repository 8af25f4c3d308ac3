"""Text files on disk -> one long array of character numbers, the last part held out.

Files are read in pieces, twice: once to count the characters, once to number them. So a text of 1 GB takes 1 GB of
memory (a byte a character), not several times that. Nothing is cached on disk, because reading is fast and a cache can
be stale.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from char_rnn.vocab import NormalForm, Vocabulary, code_points, count_characters
from workshop import counting
from workshop.checks import Whole
from workshop.counting import counted
from workshop.errors import UserError
from workshop.places import kept
from workshop.run.experiment import print_skipped
from workshop.run.record import DataInfo
from workshop.text.textfiles import detect_encoding, find_text_files, read_chunks
from workshop.visible import visible_line
from workshop.words import plural

#: Characters read before a text is begun.
WARM_UP = 300
#: Stands between two files.
SEPARATOR = "\n\n"


class TextInfo(DataInfo, kw_only=True):
    """What run.json says of a text; `symbols` are characters.

    Attributes:
        encodings: how many files were read in each encoding.
        encoding_given: the one that they were said to have.
        normal_form: that of Unicode which the text has.
        distinct_characters: how many there are.
        vocabulary: how many of them are symbols of their own.
        folded_characters: places of the text that hold another, rare one.
        warm_up: its last lines, read before a text is begun.
    """

    encodings: dict[str, Whole] = msgspec.field(default_factory=dict)
    encoding_given: str | None = None
    normal_form: Literal["NFC", "NFD"] | None = None
    distinct_characters: Whole = 0
    vocabulary: Whole = 0
    folded_characters: Whole = 0
    warm_up: str = ""


@dataclass(frozen=True)
class Source:
    """A text file that can be read: where it is, its encoding, and a digest of its text."""

    path: Path
    encoding: str
    digest: str


@dataclass(frozen=True)
class Text:
    """A text as numbers.

    Attributes:
        ids: all of it, of the vocabulary's integer type.
        train_size: how many of them, from the first, are trained on; the rest is held out.
        vocabulary: what the numbers mean.
        facts: what run.json says about the data; `fingerprint` tells whether another text is the same one.
        skipped: files that could not be used, with the reason.
    """

    ids: np.ndarray
    train_size: int
    vocabulary: Vocabulary
    facts: TextInfo
    skipped: list[str]

    @property
    def train(self) -> np.ndarray:
        """The part that is trained on."""
        return self.ids[: self.train_size]

    @property
    def held_out(self) -> np.ndarray:
        """The part that is only measured on."""
        return self.ids[self.train_size :]


def load(path: Path, val_split: float = 0.1, encoding: str | None = None, vocabulary: Vocabulary | None = None) -> Text:
    """Read a text file, or all text files of a folder, in one.

    Several files are put in an order that depends on nothing but their content, so that the part that is held out is
    not simply the end of the alphabet; a file that is there twice is read once.

    Args:
        path: a file, or a folder with `input.txt` or with any `.txt` and `.abc` files.
        val_split: share that is held out: the last characters.
        encoding: of the files; found out for each if None.
        vocabulary: the numbers to use; made from the text if None.

    Raises:
        UserError: there is no text that can be used; the sentence says why.
    """
    form = NormalForm()
    sources, skipped, duplicates = _sources(find_text_files(path), encoding, form)
    counts = count_characters(_chunks(sources, "counting characters"))
    size = int(counts.sum())
    vocabulary = vocabulary or Vocabulary.from_counts(counts)
    if len(vocabulary) == 1:
        raise UserError(f"{path} is too short: no character occurs twice in it")
    ids = np.empty(size, vocabulary.dtype)
    at = 0
    for chunk in _chunks(sources, "numbering characters"):
        numbers = vocabulary.encode(chunk)
        ids[at : at + len(numbers)] = numbers
        at += len(numbers)
    known = int(counts[code_points(vocabulary.symbols[1:])].sum())
    train_size = min(size - 1, int(size * (1 - val_split)))
    facts = TextInfo(
        path=kept(path),
        fingerprint=hashlib.sha256("".join(source.digest for source in sources).encode()).hexdigest(),
        files=len(sources) + duplicates + len(skipped),
        used=len(sources),
        skipped=len(skipped),
        duplicate_files=duplicates,
        symbols=(train_size, size - train_size),
        encodings=dict(sorted(Counter(source.encoding.removesuffix("-sig") for source in sources).items())),
        encoding_given=encoding,
        normal_form=form.name,
        distinct_characters=int(np.count_nonzero(counts)),
        vocabulary=len(vocabulary),
        folded_characters=size - known,
        warm_up=_warm_up(vocabulary, ids[:train_size]),
    )
    return Text(ids, train_size, vocabulary, facts, skipped)


def describe(text: Text, path: Path) -> None:
    """Print what was found, and what could not be used and why."""
    facts = text.facts
    size = f"{plural(facts.used, 'file')}, {sum(facts.symbols):,} characters, {facts.vocabulary} symbols"
    print(f"data: {visible_line(str(path))}: {size}; the last {len(text.held_out):,} are held out")
    if facts.encodings.keys() != {"utf-8"}:
        print(f"  {_encodings(facts)}")
    if facts.folded_characters:
        print(f"  {facts.folded_characters:,} rare characters are read as one unknown symbol")
    if facts.duplicate_files:
        print(f"  {facts.duplicate_files} of the files have the same text as another one and are left out")
    print_skipped(text.skipped)


def _encodings(facts: TextInfo) -> str:
    """How the files were read, and what to do where that was a guess."""
    read_as = ", ".join(f"{name} ({plural(count, 'file')})" for name, count in facts.encodings.items())
    if facts.encoding_given or all(name.startswith(("utf-", "iso2022")) for name in facts.encodings):
        return f"read as {read_as}"
    return f"read as {read_as}; the encoding was guessed: if letters look wrong, give the right one with --encoding"


def _sources(files: list[Path], encoding: str | None, form: NormalForm) -> tuple[list[Source], list[str], int]:
    """Which files can be used, in the order to read them; the reasons why others cannot; and how many are there
    twice. `form` is fed their text.
    """
    sources: dict[str, Source] = {}
    skipped: list[str] = []
    used = 0
    for file in counted(files, len(files), "reading texts"):
        try:
            found = detect_encoding(file, encoding)
            digest = hashlib.sha256()
            for chunk in read_chunks(file, found):
                digest.update(chunk.encode("utf-8", "surrogatepass"))
                form.feed(chunk)
        except UserError as error:
            if len(files) == 1:
                raise
            skipped.append(str(error))
            continue
        used += 1
        sources.setdefault(digest.hexdigest(), Source(file, found, digest.hexdigest()))
    if not sources:
        raise UserError(f"none of the {len(files)} files can be used; the first: {skipped[0]}")
    return [sources[digest] for digest in sorted(sources)], skipped, used - len(sources)


def _chunks(sources: list[Source], doing: str) -> Iterator[str]:
    """The whole text in pieces, with a gap between files, and with a progress bar for what takes long."""
    size = sum(source.path.stat().st_size for source in sources)
    with counting.bar(size, "B", doing) as bar:
        for number, source in enumerate(sources):
            if number:
                yield SEPARATOR
            yield from read_chunks(source.path, source.encoding, tell=bar.update)


def _warm_up(vocabulary: Vocabulary, train: np.ndarray) -> str:
    """The last lines of the training text. Read before a text is begun, they bring the network's state to where it is
    used to be: it hardly ever sees the empty state while it learns.
    """
    text = vocabulary.decode(train[-WARM_UP:])
    return text[: text.rfind("\n") + 1] or text
