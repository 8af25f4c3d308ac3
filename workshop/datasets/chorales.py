"""Bach's chorales, from the data set of 16th steps that networks are compared on, as MIDI files.

The set knows what each of the four voices sings on each step, and nothing else: a pitch that goes on from step to step
may be one held note or the same note sung again, and it is taken to be held. Keys, fermatas and tempos are not in it.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from workshop.notes import midifiles

#: The fixed split of the set, so that published results are comparable.
SPLITS = ("train", "valid", "test")
#: What a voice sings in the set's numbers when it is silent.
REST = -1
STEPS_PER_BEAT = 4
#: Beats a minute: a step is then exactly 150 ms.
TEMPO = 100.0
CHURCH_ORGAN = 19
#: An organ knows no louder and softer.
VELOCITY = 80


def notes_of(chorale: Sequence[Sequence[int]]) -> np.ndarray:
    """The notes of a chorale.

    Voices that meet on a pitch become one note of it, as on a keyboard: it sounds until the last of them leaves it, and
    is struck again where one of them comes to it.

    Args:
        chorale: for each step the pitches of soprano, alto, tenor and bass, `REST` where a voice is silent.

    Returns:
        float64 [N, 5]: start and end in beats, pitch, velocity, and 0 as the number of the part; in the order of start,
        then pitch. No two notes of a pitch overlap.
    """
    notes: list[tuple[float, float, int, int, int]] = []
    sounding: dict[int, int] = {}
    silence = [REST] * max(map(len, chorale), default=0)
    before: Sequence[int] = silence
    for step, pitches in enumerate([*chorale, silence]):
        struck = {now for now, last in zip(pitches, before, strict=True) if now not in (last, REST)}
        for pitch in [one for one in sounding if one in struck or one not in pitches]:
            notes.append((sounding.pop(pitch) / STEPS_PER_BEAT, step / STEPS_PER_BEAT, pitch, VELOCITY, 0))
        sounding |= dict.fromkeys(struck, step)
        before = pitches
    return np.array(sorted(notes, key=lambda note: (note[0], note[2])), float).reshape(-1, 5)


def export(source: Path, folder: Path, progress: Callable[[], None] = lambda: None) -> None:
    """Write each chorale of the set as a MIDI file, such as ``train/001.mid``; files that are there stay as they are.

    Args:
        source: the set's verified file, `Jsb16thSeparated.json`.
        folder: where the folders train, valid and test go.
        progress: called for each chorale.

    Raises:
        UserError: a file cannot be written.
    """
    chorales = json.loads(source.read_bytes())
    for split in SPLITS:
        for number, chorale in enumerate(chorales[split], 1):
            path = folder / split / f"{number:03d}.mid"
            if not path.exists():
                midifiles.write(path, notes_of(chorale), TEMPO, CHURCH_ORGAN, name=f"chorale {split} {number}")
            progress()
