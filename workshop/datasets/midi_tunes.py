"""The traditional tunes of music21's corpus as MIDI files, one a tune: the starter set of lessons about notes.

`python -m workshop.tunes` writes them to ``data/midi/tunes``, with a ``SOURCE.txt``. Only tunes that fit their own
meter from the first bar to the last are taken, repeats are played out, and bars begin where MIDI says that they do.
"""

import re
import unicodedata
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.counting import counted
from workshop.datasets import corpus, generated_folder
from workshop.files import write_text
from workshop.notes.abc_fields import WHOLE, AbcError
from workshop.notes.abc_notation import Melody, read_tune
from workshop.notes.abc_text import Tune

if TYPE_CHECKING:
    import numpy as np

#: Raise it when the export changes, so that older exports are made again.
EXPORT_VERSION = 1

#: Quarter notes a minute, by meter: 104 dotted quarters for jigs, 88 halves for reels. The books give no tempos, and
#: these have five or six of the usual short notes a second in each.
TEMPOS = {(6, 8): 156, (9, 8): 156, (12, 8): 156, (2, 2): 176, (4, 4): 126, (2, 4): 92, (3, 4): 116, (3, 8): 116}
OTHER_TEMPO = 120
#: A flute, in General MIDI counted from 0.
PROGRAM = 73
#: The first beat of a bar is a little louder, so that the meter can be heard, and learned.
VELOCITY, ACCENT = 80, 92

#: What a flute, a fiddle and a voice have between them; a tune beyond was typed in wrongly.
PITCHES = range(48, 97)
#: An octave and a fifth: fiddlers leap so far from string to string. More is a forgotten octave mark.
WIDEST_LEAP = 19
FEWEST_NOTES = 16
#: A sixty-fourth; what is shorter is an ornament.
SHORTEST = WHOLE // 64
#: Tunes that begin with this many equal intervals and lengths are duplicates: many stand in two of the books,
#: some under other names or in another key, and what training holds out must be new.
SAME_NOTES = 20
#: Whether a folder has what is made here, or the user's own.
is_exported = generated_folder.is_there


def select(candidates: list[Tune]) -> tuple[list[tuple[int, Tune, Melody]], Counter[str]]:
    """Return the tunes that can be played with their numbers, counted from 1, and why others are left out, counted."""
    chosen: list[tuple[int, Tune, Melody]] = []
    reasons: Counter[str] = Counter()
    seen: set[tuple[tuple[int, int], ...]] = set()
    for number, tune in enumerate(candidates, start=1):
        try:
            melody = read_tune(tune)
            _check(melody)
        except AbcError as error:
            reasons[str(error)] += 1
            continue
        beginning = _beginning(melody)
        if beginning in seen:
            reasons["begins like another one"] += 1
        else:
            chosen.append((number, tune, melody))
        seen.add(beginning)
    return chosen, reasons


def _check(melody: Melody) -> None:
    pitches = [pitch for _, _, pitch in melody.notes]
    if len(pitches) < FEWEST_NOTES:
        raise AbcError("few notes")
    if min(pitches) not in PITCHES or max(pitches) not in PITCHES:
        raise AbcError("too high or too low")
    if max(abs(after - before) for before, after in pairwise(pitches)) > WIDEST_LEAP:
        raise AbcError("impossible leap")
    if min(length for _, length, _ in melody.notes) < SHORTEST:
        raise AbcError("impossible length")


def _beginning(melody: Melody) -> tuple[tuple[int, int], ...]:
    notes = melody.notes[: SAME_NOTES + 1]
    return tuple((after[2] - before[2], before[1]) for before, after in pairwise(notes))


def note_table(melody: Melody) -> "np.ndarray":
    """Return float64 [N, 4]: start and end in beats (quarter notes), pitch, velocity."""
    import numpy as np

    beat = WHOLE / 4
    return np.array(
        [
            (start / beat, (start + length) / beat, pitch, VELOCITY if start % melody.bar else ACCENT)
            for start, length, pitch in melody.notes
        ],
        float,
    )


def usual_tempo(melody: Melody) -> int:
    """Return quarter notes a minute that are usual in the meter of a melody."""
    return TEMPOS.get(melody.meter, OTHER_TEMPO)


def file_name(number: int, title: str) -> str:
    """Return a name that every file system takes: the number that the tune has in the ABC export, and its title."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "_", plain.replace("'", ""))[:40].strip("_")
    return f"{number:04d}_{words or 'untitled'}.mid"


def export(folder: Path) -> bool:
    """Write the tunes and ``SOURCE.txt`` to ``folder`` unless up to date; return whether they were written.

    A folder that was modified by the user stays as it is.

    Raises:
        UserError: music21 is not installed, or ``folder`` cannot be written to.
    """
    place, version = corpus.find_corpus()
    stamp = (
        f"Exported by python -m workshop.tunes (MIDI export {EXPORT_VERSION} of ABC export {corpus.EXPORT_VERSION}) "
        f"from music21 {version}."
    )
    return generated_folder.make(folder, stamp, lambda aside: _write_all(aside, stamp, corpus.collect(place)))


def _write_all(folder: Path, stamp: str, candidates: list[Tune]) -> None:
    """Write the tunes that can be played, then SOURCE.txt."""
    chosen, reasons = select(candidates)
    _write_files(folder, chosen)
    folder.mkdir(parents=True, exist_ok=True)
    tunes = [tune for _, tune, _ in chosen]
    write_text(folder / "SOURCE.txt", _source(stamp, generated_folder.digest(folder), tunes, reasons))


def _write_files(folder: Path, chosen: list[tuple[int, Tune, Melody]]) -> None:
    # Half the time is waiting for the disk, so several threads write.
    with ThreadPoolExecutor(4) as pool:
        writing = pool.map(partial(_write_one, folder), chosen)
        try:
            for _ in counted(writing, len(chosen), "writing MIDI files"):
                pass
        except BaseException:
            # Else all the others would still be written.
            pool.shutdown(cancel_futures=True)
            raise


def _write_one(folder: Path, numbered: tuple[int, Tune, Melody]) -> None:
    # Imported late: numpy and mido are not needed when the export is up to date.
    from workshop.notes import midifiles

    number, tune, melody = numbered
    midifiles.write(
        folder / file_name(number, tune.title),
        note_table(melody),
        tempo=usual_tempo(melody),
        program=PROGRAM,
        name=tune.title,
        meter=melody.meter,
    )


def _source(stamp: str, digest: str, tunes: list[Tune], reasons: Counter[str]) -> str:
    left_out = ", ".join(f"{reason} ({count})" for reason, count in reasons.most_common())
    lines = [
        f"{len(tunes):,} traditional tunes as MIDI files, one voice each.",
        "",
        stamp,
        f"The MIDI files have the sha256 {digest}",
        "",
        *corpus.credits_of(tunes),
        "Thank you to all who typed them in. The number in a file's name is that of the tune in the ABC export,",
        "data/lyrics/tunes/input.txt. Repeats are played out and grace notes left out; of a chord the highest note",
        "is kept. Tempos, the flute, and the louder first beat of a bar are this workshop's.",
        "",
        f"Left out, with the first reason found in each: {left_out or 'none'}.",
        "",
    ]
    return "\n".join(lines)
