"""music21's corpus of traditional tunes: which collections are taken, and their tunes without duplicates.

The files are read as text and music21 itself is never imported.
"""

import importlib.metadata
import importlib.util
import random
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from workshop.commands import start_sh
from workshop.errors import UserError
from workshop.notes.abc_text import Tune, parse_tunes

#: Raise it when the export changes, so that older exports are made again.
EXPORT_VERSION = 2

LICENCE = (
    "The tunes are in the public domain: they were printed between 1778 and 1903 and most are older. "
    "The transcriptions are distributed with music21 by permission of their makers, "
    "and their files state no restriction."
)


@dataclass(frozen=True)
class Collection:
    """A folder of music21's corpus.

    Attributes:
        folder: its name in the corpus.
        title: the printed book.
        credit: who typed it in, from the files themselves.
    """

    folder: str
    title: str
    credit: str


#: Only collections whose music is in the public domain and whose files name no restriction. Left out: Essen (its
#: licence calls its own status unclear, non-commercial), Nottingham (GPL elsewhere), Josquin (not tunes).
COLLECTIONS = (
    Collection(
        "airdsAirs",
        "James Aird: A Selection of Scotch, English, Irish and Foreign Airs, Glasgow 1778-1801",
        "Jack Campin",
    ),
    Collection(
        "oneills1850",
        "Francis O'Neill: Music of Ireland, 1850 melodies, Chicago 1903",
        "Henrik Norbeck, Bob Safranek, John Chambers, Trish O'Neil, Dan G. Petersen, Michael Hogan, Stephen Foy, "
        "Michael D. Long, John B. Walsh, Tom Keays, Chris Falt, Dave Wooldridge, Norbert Paap, Robert Thorpe, "
        "A. Lee Worman, Nick Terhorst, Ted Hastings and others",
    ),
    Collection(
        "ryansMammoth",
        "William Bradbury Ryan: Ryan's Mammoth Collection, 1050 reels and jigs, Boston 1883",
        "Ray Davies, John Chambers, Bob Puckette, John B. Walsh, Ivan Bradley and others",
    ),
)


def collect(corpus: Path) -> list[Tune]:
    """Return the tunes of all collections without duplicates.

    Two tunes are the same when their notes are, whatever their titles and ornaments, or when a title comes back with
    the same beginning (some pages of O'Neill were typed in twice): training holds out a tenth, and what is held out
    must be new. The order is shuffled, always in the same way, so that this tenth has something of every collection.

    Args:
        corpus: music21's folder ``corpus``.

    Raises:
        UserError: a collection is missing.
    """
    tunes: list[Tune] = []
    seen: set[tuple[str, str]] = set()
    for collection in COLLECTIONS:
        files = sorted((corpus / collection.folder).glob("*.abc"))
        if not files:
            raise UserError(f"{corpus / collection.folder} has no tunes; reinstall music21 with its corpus")
        for file in files:
            for tune in parse_tunes(file.read_text(encoding="utf-8", errors="replace")):
                notes = re.sub("[^A-Ga-g,']", "", tune.body)
                marks = {("", notes), (re.sub(r"\W", "", tune.title).lower(), notes[:12])}
                if not marks & seen:
                    tunes.append(replace(tune, collection=collection.folder))
                seen |= marks
    random.Random(0).shuffle(tunes)
    return tunes


def find_corpus() -> tuple[Path, str]:
    """Return music21's folder ``corpus`` and its version, without importing it, which takes seconds.

    Raises:
        UserError: music21 is not installed.
    """
    spec = importlib.util.find_spec("music21")
    if spec is None or spec.origin is None:
        raise UserError(f"music21, which carries the tunes, is not installed; run {start_sh()}, which installs it")
    return Path(spec.origin).parent / "corpus", importlib.metadata.version("music21")


def credits_of(tunes: Iterable[Tune]) -> list[str]:
    """Return the lines of a SOURCE.txt that name the licence, and the collections: how many of the tunes each has, and
    who typed them in.
    """
    counts = Counter(tune.collection for tune in tunes)
    lines = [LICENCE, ""]
    for collection in COLLECTIONS:
        lines.append(f"{counts[collection.folder]:,} tunes (music21: corpus/{collection.folder}): {collection.title}.")
        lines.append(f"    Transcribed by {collection.credit}.")
    return [*lines, ""]
