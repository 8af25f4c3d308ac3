"""Look at texts before training on them: how much there is, what is odd about it, and whether it will train.

Every file is read once, piece by piece; the memory needed depends on no file's size.
"""

import hashlib
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from workshop import counting
from workshop.datasets.inspection_report import format_report, training_time
from workshop.errors import UserError
from workshop.folders import left_aside
from workshop.text.textfiles import detect_encoding, find_text_files, read_chunks
from workshop.words import plural

if TYPE_CHECKING:
    import numpy as np

#: Training itself is content with far less: one window, and the tenth that is held out. But below one classic batch (50
#: rows of 50 characters) and that tenth a network learns little, and a longer text is the better advice.
MINIMUM_CHARACTERS = 3_000

#: Below this a network soon knows the text by heart and writes it out again.
COMFORTABLE_CHARACTERS = 100_000

#: A character seen less often than this in the whole set, so only once, is one that a network cannot learn to use.
#: The vocabulary of char_rnn folds characters into its unknown symbol at the same count (char_rnn.vocab.MIN_COUNT).
RARE_BELOW = 2


class LineCounter:
    """Counts lines and how many of them are repeats, in bounded memory.

    Up to ``most`` different lines the share of repeats is exact (but for rare accidents of a 32-bit checksum). Beyond
    that it keeps to a sample of all different lines, chosen by their checksum: a line is either counted each time or
    never, so the share stays unbiased. Empty lines are not counted: they are the pauses between verses.

    Attributes:
        longest: the length of the longest line, in characters.
    """

    def __init__(self, most: int = 200_000) -> None:
        self.longest = 0
        self._most = most
        self._every = 1
        self._counts: dict[int, int] = {}
        self._length = 0
        self._checksum = 0

    def feed(self, text: str) -> None:
        """Take the next piece of text; a line may go on from one piece to the next."""
        *whole, rest = text.split("\n")
        for line in whole:
            self._extend(line)
            self.end_line()
        self._extend(rest)

    def end_line(self) -> None:
        """Count the current line; also called after each file, because its last line may have no line break."""
        if self._length and self._checksum % self._every == 0:
            self._counts[self._checksum] = self._counts.get(self._checksum, 0) + 1
            if len(self._counts) > self._most:
                self._every *= 2
                self._counts = {line: count for line, count in self._counts.items() if line % self._every == 0}
        self.longest = max(self.longest, self._length)
        self._length, self._checksum = 0, 0

    def _extend(self, text: str) -> None:
        # Only the checksum is carried over: a file may be a single line of a gigabyte.
        self._checksum = zlib.crc32(text.encode("utf-8", "surrogatepass"), self._checksum)
        self._length += len(text)

    @property
    def repeated(self) -> float:
        """The share of lines, from 0 to 1, that are the same as an earlier one."""
        total = sum(self._counts.values())
        return 1 - len(self._counts) / total if total else 0.0


@dataclass
class Inspection:
    """What was found out about a set of texts.

    Attributes:
        path: the file or folder that was looked at.
        files: the files that can be used.
        broken: files that cannot be used, and why.
        aside: what else is there, as `folders.left_aside` says it.
        bytes: their length on the disk, in bytes.
        characters: their length as text.
        distinct: different characters.
        rare: characters of the text, counted each time, that are seen less than RARE_BELOW times in all: only once.
        rare_distinct: how many different ones these are.
        encodings: number of files by encoding.
        duplicates: groups of files with exactly the same bytes.
        repeated_lines: share of lines, from 0 to 1, that came before.
        longest_line: in characters.
    """

    path: Path
    files: list[Path] = field(default_factory=list)
    broken: dict[Path, str] = field(default_factory=dict)
    aside: str = ""
    bytes: int = 0
    characters: int = 0
    distinct: int = 0
    rare: int = 0
    rare_distinct: int = 0
    encodings: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    duplicates: list[list[Path]] = field(default_factory=list)
    repeated_lines: float = 0.0
    longest_line: int = 0

    @property
    def will_train(self) -> bool:
        """Whether a lesson that trains on this has enough to learn from."""
        return self.characters >= MINIMUM_CHARACTERS and self.distinct > 1


def inspect_text(path: Path, encoding: str | None = None) -> Inspection:
    """Read the texts at ``path`` and return their statistics.

    A broken file is skipped with its reason.

    Args:
        path: a folder or a file, as in training.
        encoding: how all of them are encoded; None to detect it for each.

    Raises:
        UserError: there is no such path, or no text file in it.
    """
    import numpy as np

    inspection = Inspection(path)
    lines = LineCounter()
    counts = np.zeros(0x110000, np.int64)
    copies: dict[bytes, list[Path]] = defaultdict(list)
    files = find_text_files(path)
    inspection.aside = left_aside(path, files, "text")
    with counting.bar(sum(map(_size, files)), "B") as bar:
        for file in files:
            try:
                found = detect_encoding(file, encoding)
                copies[_digest(file)].append(file)
                inspection.characters += _count(file, found, counts, lines)
            except (UserError, OSError) as error:
                inspection.broken[file] = str(error)
                continue
            finally:
                bar.update(_size(file))
            inspection.files.append(file)
            # A byte-order mark does not matter for training, so it does not count as another encoding.
            inspection.encodings[found.removesuffix("-sig")] += 1
            inspection.bytes += _size(file)
    rare = (counts > 0) & (counts < RARE_BELOW)
    inspection.distinct = int(np.count_nonzero(counts))
    inspection.rare, inspection.rare_distinct = int(counts[rare].sum()), int(np.count_nonzero(rare))
    inspection.duplicates = [files for files in copies.values() if len(files) > 1]
    inspection.repeated_lines, inspection.longest_line = lines.repeated, lines.longest
    return inspection


def _size(file: Path) -> int:
    """Return the length of ``file`` in bytes; 0 for one that is gone meanwhile, which reading it will report."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _digest(file: Path) -> bytes:
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()


def _count(file: Path, encoding: str, counts: "np.ndarray", lines: LineCounter) -> int:
    """Add the characters of ``file`` to ``counts``, shape (0x110000,), its lines to ``lines``; return its length."""
    import numpy as np

    characters = 0
    for text in read_chunks(file, encoding):
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        found = np.bincount(codes)
        counts[: len(found)] += found
        lines.feed(text)
        characters += len(text)
    lines.end_line()
    return characters


def report(inspection: Inspection) -> str:
    """Return what a person should know, in aligned lines, the verdict last."""
    rows = [("files", _files(inspection))]
    if inspection.files:
        rows += [
            ("size", f"{inspection.characters:,} characters in {inspection.bytes:,} bytes"),
            (
                "encoding",
                ", ".join(f"{name} ({plural(n, 'file')})" for name, n in sorted(inspection.encodings.items())),
            ),
            ("alphabet", _alphabet(inspection)),
            (
                "lines",
                f"{inspection.repeated_lines:.0%} repeated; the longest has {inspection.longest_line:,} characters",
            ),
            ("duplicates", _duplicates(inspection)),
        ]
    if inspection.will_train:
        rows.append(("training", training_time(inspection.characters, "text")))
    return format_report(rows, inspection.aside, list(inspection.broken.values()), verdict(inspection))


def verdict(inspection: Inspection) -> str:
    """Return whether it will train, and what would make it better or possible."""
    if not inspection.files:
        return "will not train: none of the files can be read; see above"
    if inspection.distinct < 2:
        return "will not train: the text is one character over and over, so there is nothing to learn"
    if not inspection.will_train:
        has = f"{inspection.characters:,}"
        return f"too short: needs at least {MINIMUM_CHARACTERS:,} characters, has {has}; add more texts"
    if inspection.characters < COMFORTABLE_CHARACTERS:
        return (
            "will train, but with so little text the network soon learns it by heart: "
            f"add more, up to {COMFORTABLE_CHARACTERS:,} characters"
        )
    return "will train"


def _files(inspection: Inspection) -> str:
    there = f"{plural(len(inspection.files), 'text')} in {inspection.path}"
    return there + (f", {len(inspection.broken):,} skipped" if inspection.broken else "")


def _alphabet(inspection: Inspection) -> str:
    alphabet = f"{inspection.distinct:,} different characters"
    if inspection.rare_distinct:
        share = inspection.rare / inspection.characters
        amount = f"{share:.2%}" if share >= 0.0001 else "less than 0.01%"
        rare = f"{inspection.rare_distinct:,} {'is' if inspection.rare_distinct == 1 else 'are'} seen only once"
        alphabet += f"; {rare}, {amount} of the text, and will be read as one unknown symbol"
    return alphabet


def _duplicates(inspection: Inspection) -> str:
    """Name the first few groups of equal files: a text that is there twice is learned by heart, or is tested on."""
    if not inspection.duplicates:
        return "none"
    groups = [" = ".join(file.name for file in files) for files in inspection.duplicates]
    more = f" and {len(groups) - 3:,} more" if len(groups) > 3 else ""
    return f"{', '.join(groups[:3])}{more}; keep one of each"
