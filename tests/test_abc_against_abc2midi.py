"""Our reader of ABC notation against abc2midi, note for note: the starter tunes, and tunes written for the purpose.

abc2midi (Debian's package abcmidi) is another program by other people, and the one that most users of ABC know. Onset,
length and pitch are compared. It shortens each note by two ticks, delays the lower notes of a chord by some more, and
plays upbeats at once where ours begin late in their bar, so onsets count from the first note and lengths up to a
sixty-fourth of a quarter note.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import mido
import pytest

from workshop.abc_fields import WHOLE
from workshop.abc_to_midi import playable, tunes_in

PROGRAM = shutil.which("abc2midi")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        PROGRAM is None and not os.environ.get("WORKSHOP_CI"),
        reason="abc2midi is not installed: apt-get install abcmidi",
    ),
]
#: Grace notes, fermatas and chord symbols are left to the player here, so they are there too.
QUIET = ("-NGRA", "-NFER", "-NGUI", "-silent")
#: In quarter notes: its chords are spread by 10 of 480 ticks, and the notes before them end early by as much.
NEAR = 0.03

Note = tuple[float, float, int]


def theirs(text: str, folder: Path) -> list[Note]:
    """What abc2midi plays of a text with one tune, of several notes at once the highest; nothing where it fails."""
    assert PROGRAM is not None, "abc2midi is missing, and WORKSHOP_CI says that nothing may be skipped"
    source, target = folder / "tune.abc", folder / "tune.mid"
    source.write_text(text, "utf-8")
    target.unlink(missing_ok=True)
    command = [PROGRAM, source, "-o", target, *QUIET]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False)
    # A tune that is too much for it is left half written.
    return _notes(target) if target.exists() and target.stat().st_size else []


def _notes(file: Path) -> list[Note]:
    midi = mido.MidiFile(file)
    found: list[Note] = []
    for track in midi.tracks:
        now = 0
        began: dict[int, list[int]] = {}
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity:
                began.setdefault(message.note, []).append(now)
            elif message.type in ("note_on", "note_off") and began.get(message.note):
                start = began[message.note].pop(0)
                found.append((start / midi.ticks_per_beat, (now - start) / midi.ticks_per_beat, message.note))
    return _highest(sorted(found))


def _highest(notes: Iterable[Note]) -> list[Note]:
    melody: list[Note] = []
    for start, length, pitch in notes:
        if melody and start - melody[-1][0] < NEAR:
            if pitch > melody[-1][2]:
                melody[-1] = (melody[-1][0], length, pitch)
        else:
            melody.append((start, length, pitch))
    return melody


def ours(text: str) -> list[Note]:
    ((_, tune),), _ = tunes_in(text)
    return [(start * 4 / WHOLE, length * 4 / WHOLE, pitch) for start, length, pitch in playable(tune)[0].notes]


def difference(mine: list[Note], others: list[Note]) -> str:
    """What kind of difference there is; '' where both play the same."""
    if not mine or not others:
        return "nothing played" if mine or others else ""
    begins = mine[0][0] - others[0][0]
    same = len(mine) == len(others)
    for one, other in zip(mine, others, strict=False):
        if one[2] != other[2]:
            # In the middle of the tune the same notes may come again, or not.
            return "pitch" if same else "repeats"
        if abs(one[0] - begins - other[0]) > NEAR:
            return "onset"
        if abs(one[1] - other[1]) > NEAR:
            return "length"
    return "" if same else "repeats"
