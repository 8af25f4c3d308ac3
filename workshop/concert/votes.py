"""Listening blind: pairs of pieces, what people prefer, and how sure one can be of it.

    title = "Which is better?"

    [[pair]]
    question = "Which one do you like better?"
    labels = ["temperature 0.8", "temperature 1.2"]     nobody who listens sees these
    files = ["cool.wav", "hot.wav"]                     sounds, MIDI or texts, seen from this file

Pairs with the same question and labels are counted together. Each vote is a JSON file of its own, so that nothing is
lost and anybody can count again.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workshop.checks import Whole, typed
from workshop.concert import program
from workshop.concert.media import Media, load
from workshop.errors import UserError
from workshop.files import read_json, write_text

#: Of the normal distribution, for 95 in 100 intervals to hold the truth.
Z = 1.959964
#: Seconds of a piece.
SECONDS = 60.0


class Pair(msgspec.Struct, forbid_unknown_fields=True):
    """Two pieces to choose from."""

    question: str
    labels: tuple[str, str]
    files: tuple[str, str]


class Listening(msgspec.Struct, forbid_unknown_fields=True):
    """What is listened to."""

    pair: list[Pair]
    title: str = "Which one?"


class Vote(msgspec.Struct, forbid_unknown_fields=True):
    """A choice.

    Attributes:
        listener: a random number of the browser.
        pair: number of the pair, from 1.
        of: fingerprint of what was asked: votes for something else are not counted.
        chosen: 0 or 1, in the order of `labels`.
        first: which of the two stood first on the page.
    """

    listener: str
    pair: Whole
    of: str
    chosen: Whole
    first: Whole


@dataclass(frozen=True)
class Count:
    """How often the first of two labels was chosen, in how many votes of how many listeners.

    Attributes:
        independent: so many votes as can be counted on, as `independent` has it.
    """

    question: str
    labels: tuple[str, str]
    first: int
    votes: int
    listeners: int
    independent: float

    @property
    def interval(self) -> tuple[float, float]:
        """Between which shares the true one is, in 95 of 100 such counts of other listeners (Wilson 1927)."""
        share = self.first / self.votes if self.votes else 0.0
        return wilson(share * self.independent, self.independent)

    @property
    def verdict(self) -> str:
        """What can be said."""
        low, high = self.interval
        if low > 0.5:
            return f"{self.labels[0]} is preferred"
        if high < 0.5:
            return f"{self.labels[1]} is preferred"
        return "no difference can be told"


def independent(votes: Sequence[int]) -> float:
    """The number of independent votes that those of listeners, so many of each, are worth at least (L. Kish 1965,
    "Survey sampling"): as many as there are listeners, where all have voted equally often. Those of one listener may be
    the same taste again and again.
    """
    return sum(votes) ** 2 / sum(many * many for many in votes) if votes else 0.0


def wilson(chosen: float, votes: float) -> tuple[float, float]:
    """The interval of a share that was counted (E. B. Wilson 1927, "Probable inference, the law of succession, and
    statistical inference"); from 0 to 1 where nothing was.
    """
    if not votes:
        return 0.0, 1.0
    share, z2 = chosen / votes, Z * Z
    middle = (share + z2 / (2 * votes)) / (1 + z2 / votes)
    half = Z / (1 + z2 / votes) * math.sqrt(share * (1 - share) / votes + z2 / (4 * votes * votes))
    # At the ends rounding leaves a little.
    return middle - half if chosen else 0.0, middle + half if chosen < votes else 1.0


class Booth:
    """The pairs of a file, loaded, and the folder of the votes.

    Args:
        path: the TOML file.
        votes: folder of the votes; made with the first one.

    Raises:
        UserError: the file or a piece cannot be read, or the two pieces of a pair are of different kinds.
    """

    def __init__(self, path: Path, votes: Path):
        self.listening = program.read(path, Listening)
        self._folder, self._votes = path.parent, votes
        if not self.listening.pair:
            raise UserError(f"{path} has no pair: write a [[pair]] with question, labels and files for each")

    @property
    def pairs(self) -> Sequence[Pair]:
        """The pairs."""
        return self.listening.pair

    def media(self) -> list[tuple[Media, Media]]:
        """The two pieces of each pair.

        Raises:
            UserError: one cannot be read, or two are of different kinds.
        """
        found = []
        for number, pair in enumerate(self.pairs, 1):
            first, second = (load(self._folder / file, SECONDS) for file in pair.files)
            if first.kind != second.kind:
                raise UserError(
                    f"pair {number}: {' and '.join(pair.files)} are of different kinds: give two of one kind"
                )
            found.append((first, second))
        return found

    def add(self, listener: str, number: int, chosen: int, first: int) -> None:
        """Keep a vote, unless this listener has voted on the pair already, whose first vote counts.

        Raises:
            UserError: it cannot be written.
        """
        vote = Vote(listener, number, fingerprint(self.pairs[number - 1]), chosen, first)
        file = self._votes / f"{listener}-{number}-{vote.of}.json"
        if not file.exists():
            write_text(file, f"{msgspec.json.encode(vote).decode()}\n")

    def voted(self, listener: str) -> set[int]:
        """The pairs that a listener has voted on."""
        numbers = range(1, len(self.pairs) + 1)
        names = {n: f"{listener}-{n}-{fingerprint(self.pairs[n - 1])}.json" for n in numbers}
        return {n for n, name in names.items() if (self._votes / name).exists()}

    def counts(self) -> list[Count]:
        """The votes, counted, for each question and its labels. A file that is no vote is left out."""
        # By listener and pair: a file that somebody has copied counts once.
        votes: dict[Hashable, Vote] = {}
        for file in sorted(self._votes.glob("*.json")):
            try:
                vote = typed(Vote, read_json(file), file)
            except UserError:
                continue
            votes.setdefault((vote.listener, vote.pair, vote.of), vote)
        groups: dict[Hashable, list[tuple[Pair, list[Vote]]]] = {}
        for number, pair in enumerate(self.pairs, 1):
            of = fingerprint(pair)
            mine = [vote for vote in votes.values() if (vote.pair, vote.of) == (number, of) and vote.chosen in (0, 1)]
            groups.setdefault((pair.question, pair.labels), []).append((pair, mine))
        found = []
        for group in groups.values():
            all_votes = [vote for _, mine in group for vote in mine]
            chosen = sum(vote.chosen == 0 for vote in all_votes)
            each = Counter(vote.listener for vote in all_votes)
            asked = group[0][0]
            worth = independent(list(each.values()))
            found.append(Count(asked.question, asked.labels, chosen, len(all_votes), len(each), worth))
        return found


def fingerprint(pair: Pair) -> str:
    """Tells pairs apart, so that an old vote is not counted for a pair that was changed."""
    return hashlib.sha256(msgspec.json.encode(pair)).hexdigest()[:12]


def table(counts: Sequence[Count]) -> str:
    """The counts as lines of text."""
    lines = []
    for count in counts:
        lines.append(count.question)
        if not count.votes:
            lines.append("  no votes yet")
            continue
        low, high = (100 * share for share in count.interval)
        share, (one, other) = 100 * count.first / count.votes, count.labels
        margin = f"{share:.0f} % (95 in 100 such counts: {low:.0f} to {high:.0f} %)"
        lines.append(f"  {one}: {count.first} of {count.votes} votes, {margin}")
        lines.append(f"  {other}: {count.votes - count.first} of {count.votes} votes")
        lines.append(f"  {count.verdict}; listeners: {count.listeners}")
    return "\n".join(lines)
