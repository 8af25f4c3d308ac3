"""Bach's chorales as MIDI files: music in four voices to learn from without a network.

`data/midi/chorales` is made when it is first trained on, or by `python -m workshop.datasets get chorales`, and not when
the workshop is set up: music21 takes most of a minute to read the scores. Unlike those of `chorales.py` these know
which notes are sung again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workshop import ROOT
from workshop.counting import counted
from workshop.datasets import corpus, generated_folder
from workshop.errors import UserError
from workshop.files import write_text

if TYPE_CHECKING:
    import numpy as np

#: Counted up whenever the files below change, so that older ones are made again.
EXPORT_VERSION = 1

FOLDER = ROOT / "data" / "midi" / "chorales"
VOICES = ("Soprano", "Alto", "Tenor", "Bass")
#: A chorale that shares so many notes in a row with an earlier one, in whatever key, is left out: some stand under two
#: numbers, and what training holds out must be new.
SAME_NOTES = 30
LICENCE = (
    "The music is in the public domain. The scores are distributed with music21 by permission of their makers, and "
    "state no restriction."
)

#: Whether a folder has what is made here, or the user's own.
is_exported = generated_folder.is_there


def make_if_missing(folder: Path) -> None:
    """Make the set where it is missing; see `generated_folder.make_if_missing`."""
    said = f"Bach's chorales are written into {folder}, once: a minute"
    generated_folder.make_if_missing(folder, FOLDER, export, said)


def export(folder: Path) -> bool:
    """Write the chorales and ``SOURCE.txt`` to ``folder`` unless up to date; return whether they were written.

    A folder that was modified by the user stays as it is.

    Raises:
        UserError: music21 is not installed, or ``folder`` cannot be written to.
    """
    place, version = corpus.find_corpus()
    stamp = f"Exported by workshop.datasets.bach (export {EXPORT_VERSION}) from music21 {version}."
    return generated_folder.make(folder, stamp, lambda aside: _write_all(aside, stamp, place / "bach"))


def notes_of(score: Any) -> "np.ndarray":
    """The notes that the four voices of a score sing.

    Args:
        score: music21's, with the parts `VOICES`; what instruments play beside them is left out.

    Returns:
        float64 [N, 4]: start and end in beats, pitch, velocity; in the order of start, then pitch. An upbeat begins
        within a bar. [0, 4] where a voice is missing.
    """
    import numpy as np

    from workshop.datasets.chorales import VELOCITY

    parts = {part.partName: part for part in score.parts}
    if not all(voice in parts for voice in VOICES):
        return np.empty((0, 4))
    upbeat = parts["Soprano"].getElementsByClass("Measure").first().paddingLeft
    notes = [
        (note.offset + upbeat, note.offset + upbeat + note.quarterLength, note.pitch.midi, VELOCITY)
        for voice in VOICES
        for note in parts[voice].flatten().stripTies().getElementsByClass("Note")
    ]
    return np.array(sorted(notes, key=lambda note: (note[0], note[2])), float)


def _runs(notes: "np.ndarray") -> set[bytes]:
    """All runs of `SAME_NOTES` notes of a piece, by how much higher and later than the one before each note is."""
    import numpy as np

    steps = np.diff(notes[:, [0, 2]], axis=0)
    return {steps[at : at + SAME_NOTES].tobytes() for at in range(max(1, len(steps) - SAME_NOTES + 1))}


def _scores(folder: Path) -> Iterator[tuple[str, Any]]:
    """The scores of a folder as music21 reads them, with their names. It would keep them as pickles if it were let."""
    from music21 import converter

    files = sorted(folder.glob("*.mxl"))
    if not files:
        raise UserError(f"{folder} has no chorales; reinstall music21 with its corpus")
    for file in counted(files, len(files), "reading chorales"):
        yield file.stem, converter.parse(file, forceSource=True, storePickle=False)


def _write_all(folder: Path, stamp: str, source: Path) -> None:
    """Write the chorales, then SOURCE.txt."""
    from workshop.datasets.chorales import CHURCH_ORGAN, TEMPO
    from workshop.notes import midifiles

    seen: set[bytes] = set()
    written = 0
    for name, score in _scores(source):
        notes = notes_of(score)
        runs = _runs(notes)
        if len(notes) and not runs & seen:
            meter = score.recurse().getElementsByClass("TimeSignature").first()
            of_bar = meter.numerator, meter.denominator
            midifiles.write(folder / f"{name}.mid", notes, TEMPO, CHURCH_ORGAN, name, of_bar)
            seen |= runs
            written += 1
    write_text(folder / "SOURCE.txt", _source(stamp, generated_folder.digest(folder), written))


def _source(stamp: str, digest: str, number: int) -> str:
    lines = [
        f"{number} chorales by Johann Sebastian Bach, in four voices, by their numbers in the BWV.",
        "",
        stamp,
        f"The MIDI files have the sha256 {digest}",
        "",
        LICENCE,
        "They were typed in by Margaret Greentree and others.",
        "",
        "Tempo and loudness are this workshop's; what instruments play beside the voices is left out.",
        "",
    ]
    return "\n".join(lines)
