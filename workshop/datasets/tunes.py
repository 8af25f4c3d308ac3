"""Traditional tunes in ABC notation, exported from the corpus that music21 carries: a text that can be heard.

    python -m workshop.tunes

Writes ``data/lyrics/tunes/input.txt`` and ``SOURCE.txt`` with the collections, their counts and their licence, then the
same tunes as MIDI files to ``data/midi/tunes`` (see `midi_tunes.py`), and some of them as sound to
``data/audio/starter`` (see `starter_sounds.py`). music21 itself is never imported, so this takes a second, and the MIDI
and sound files some more; when all is up to date, it does nothing.
"""

import argparse
import hashlib
import sys
from pathlib import Path

from workshop import ROOT
from workshop.datasets import corpus, midi_tunes, starter_sounds
from workshop.errors import UserError
from workshop.files import atomic_write, explain, write_text
from workshop.notes.abc_text import Tune


def export(folder: Path) -> bool:
    """Write ``input.txt`` and ``SOURCE.txt`` to ``folder`` unless up to date; return whether they were written.

    An ``input.txt`` that was modified by the user stays as it is.

    Raises:
        UserError: music21 is not installed, or ``folder`` cannot be written to.
    """
    place, version = corpus.find_corpus()
    stamp = f"Exported by python -m workshop.tunes (export {corpus.EXPORT_VERSION}) from music21 {version}."
    if is_exported(folder, stamp):
        return False
    tunes = corpus.collect(place)
    text = "\n".join(tune.text(number) for number, tune in enumerate(tunes, start=1))
    target = folder / "input.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(target) as file:
            file.write(text.encode("utf-8"))
            file.flush()
            # In this order a stop at any point leaves no tunes that belong to another SOURCE.txt, and a disk without
            # room for the new ones leaves the old.
            target.unlink(missing_ok=True)
            write_text(folder / "SOURCE.txt", _source(stamp, text, tunes))
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


def _source(stamp: str, text: str, tunes: list[Tune]) -> str:
    lines = [
        f"{len(tunes):,} traditional tunes in ABC notation.",
        "",
        stamp,
        f"input.txt has the sha256 {hashlib.sha256(text.encode('utf-8')).hexdigest()}",
        "",
        *corpus.credits_of(tunes),
        "Thank you to all who typed them in. Titles, meters, note lengths, keys and notes are kept; credits,",
        "remarks, fingerings and exact duplicates are left out, and the order is shuffled.",
        "",
    ]
    return "\n".join(lines)


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
