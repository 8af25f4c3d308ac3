"""Traditional tunes in ABC notation, exported from the corpus that music21 carries: a text that can be heard.

    python -m workshop.tunes

Writes ``data/lyrics/tunes/input.txt`` and ``SOURCE.txt`` with the collections, their counts and their licence, then the
same tunes as MIDI files to ``data/midi/tunes`` (see `workshop/midi_tunes.py`), and some of them as sound to
``data/audio/starter`` (see `workshop/starter_sounds.py`). The files are read as text and music21 itself is never
imported, so this takes a second, and the MIDI and sound files some more; when all is up to date, it does nothing.
"""

import argparse
import hashlib
import importlib.metadata
import importlib.util
import random
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from workshop import ROOT, cli
from workshop.abc_text import Tune, parse_tunes
from workshop.commands import start_sh
from workshop.errors import UserError
from workshop.files import explain, replacing, write_text

#: Counted up whenever the export below changes, so that older exports are made anew.
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


def collect(corpus: Path) -> tuple[list[Tune], dict[str, int]]:
    """Return the tunes of all collections without duplicates, and how many come from each folder.

    Two tunes are the same when their notes are, whatever their titles and ornaments, or when a title comes back with
    the same beginning (some pages of O'Neill were typed in twice): training holds out a tenth, and what is held out
    must be new. The order is shuffled, always in the same way, so that this tenth has something of every collection.

    Args:
        corpus: music21's folder ``corpus``.

    Raises:
        UserError: a collection is missing.
    """
    tunes: list[Tune] = []
    counts: dict[str, int] = {}
    seen: set[tuple[str, str]] = set()
    for collection in COLLECTIONS:
        files = sorted((corpus / collection.folder).glob("*.abc"))
        if not files:
            raise UserError(f"{corpus / collection.folder} has no tunes; install music21 anew with its corpus")
        before = len(tunes)
        for file in files:
            for tune in parse_tunes(file.read_text(encoding="utf-8", errors="replace")):
                notes = re.sub("[^A-Ga-g,']", "", tune.body)
                marks = {("", notes), (re.sub(r"\W", "", tune.title).lower(), notes[:12])}
                if not marks & seen:
                    tunes.append(replace(tune, collection=collection.folder))
                seen |= marks
        counts[collection.folder] = len(tunes) - before
    random.Random(0).shuffle(tunes)
    return tunes, counts


def export(folder: Path) -> bool:
    """Write ``input.txt`` and ``SOURCE.txt`` to ``folder`` unless up to date; return whether they were written.

    An ``input.txt`` that somebody has changed or brought is theirs and stays as it is.

    Raises:
        UserError: music21 is not installed, or ``folder`` cannot be written to.
    """
    corpus, version = find_corpus()
    stamp = f"Exported by python -m workshop.tunes (export {EXPORT_VERSION}) from music21 {version}."
    if is_exported(folder, stamp):
        return False
    tunes, counts = collect(corpus)
    text = "\n".join(tune.text(number) for number, tune in enumerate(tunes, start=1))
    target = folder / "input.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(target) as file:
            file.write(text.encode("utf-8"))
            file.flush()
            # In this order a stop at any point leaves no tunes that belong to another SOURCE.txt, and a disk without
            # room for the new ones leaves the old.
            target.unlink(missing_ok=True)
            write_text(folder / "SOURCE.txt", _source(stamp, text, counts))
    except OSError as error:
        raise UserError(
            f"{target} cannot be written: {explain(error, target)}; free some space or choose another folder"
        ) from error
    return True


def is_exported(folder: Path, stamp: str = "") -> bool:
    """Return whether ``folder`` has tunes that are exported as ``stamp`` says, or that were not exported at all."""
    try:
        digest = hashlib.sha256((folder / "input.txt").read_bytes()).hexdigest()
        source = (folder / "SOURCE.txt").read_text(encoding="utf-8")
    except FileNotFoundError:
        return (folder / "input.txt").exists()
    return stamp in source or digest not in source


def find_corpus() -> tuple[Path, str]:
    """Return music21's folder ``corpus`` and its version, without importing it, which takes seconds.

    Raises:
        UserError: music21 is not installed.
    """
    spec = importlib.util.find_spec("music21")
    if spec is None or spec.origin is None:
        raise UserError(f"music21, which carries the tunes, is not installed; run {start_sh()}, which installs it")
    return Path(spec.origin).parent / "corpus", importlib.metadata.version("music21")


def _source(stamp: str, text: str, counts: dict[str, int]) -> str:
    lines = [
        f"{sum(counts.values()):,} traditional tunes in ABC notation.",
        "",
        stamp,
        f"input.txt has the sha256 {hashlib.sha256(text.encode('utf-8')).hexdigest()}",
        "",
        *credits_of(counts),
        "Thank you to all who typed them in. Titles, meters, note lengths, keys and notes are kept; credits,",
        "remarks, fingerings and exact duplicates are left out, and the order is shuffled.",
        "",
    ]
    return "\n".join(lines)


def credits_of(counts: dict[str, int]) -> list[str]:
    """Return the lines of a SOURCE.txt that name the licence, the collections with their counts, and their makers."""
    lines = [LICENCE, ""]
    for collection in COLLECTIONS:
        lines.append(f"{counts[collection.folder]:,} tunes (music21: corpus/{collection.folder}): {collection.title}.")
        lines.append(f"    Transcribed by {collection.credit}.")
    return [*lines, ""]


def main(argv: list[str] | None = None) -> int:
    """Export the tunes; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m workshop.tunes",
        description="Export traditional tunes in ABC notation, as MIDI files and as sound.",
    )
    parser.add_argument(
        "--data_dir", "--data-dir", type=Path, default=ROOT / "data", help="the data folder (default: %(default)s)"
    )
    data_dir = parser.parse_args(argv).data_dir
    # They import this module, so they can only come now.
    from workshop import midi_tunes, starter_sounds

    steps = (
        ("tunes", export, data_dir / "lyrics" / "tunes"),
        ("tunes", midi_tunes.export, data_dir / "midi" / "tunes"),
        ("sounds", starter_sounds.export, data_dir / "audio" / "starter"),
    )
    try:
        for what, make, folder in steps:
            written = make(folder)
            print(f"{what}: {'written to' if written else 'up to date in'} {folder}", flush=True)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command makes what is missing", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    cli.run(main)
