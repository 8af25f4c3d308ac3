"""Our reader of ABC notation against abc2midi, note for note: the starter tunes, and tunes written for the purpose.

abc2midi (Debian's package abcmidi) is another program by other people, and the one that most users of ABC know. Onset,
length and pitch are compared. It shortens each note by two ticks, delays the lower notes of a chord by some more, and
plays upbeats at once where ours begin late in their bar, so onsets count from the first note and lengths up to a
sixty-fourth of a quarter note.
"""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import mido
import pytest

from workshop.datasets import corpus
from workshop.datasets.abc_to_midi import playable, tunes_in
from workshop.notes.abc_fields import WHOLE

PROGRAM = shutil.which("abc2midi")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        PROGRAM is None and not os.environ.get("WORKSHOP_NEEDS_ABC2MIDI"),
        reason="abc2midi is not installed: apt-get install abcmidi",
    ),
]
#: Grace notes, fermatas and chord symbols are left to the player here, so they are there too.
QUIET = ("-NGRA", "-NFER", "-NGUI", "-silent")
#: In quarter notes: the notes of its chords come 10 of 480 ticks after each other, and those before them end early.
NEAR = 0.03
SPREAD = 0.1

Note = tuple[float, float, int]


def theirs(text: str, folder: Path) -> list[Note]:
    """What abc2midi plays of a text with one tune, of several notes at once the highest; nothing where it fails."""
    assert PROGRAM is not None, "abc2midi is missing, and .ci/run wants it: apt-get install abcmidi"
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
        late = start - melody[-1][0] if melody else SPREAD
        if late < min(SPREAD, melody[-1][1] / 2 if melody else 0):
            if pitch > melody[-1][2]:
                melody[-1] = (melody[-1][0], late + length, pitch)
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


def with_signs(body: str) -> str:
    """Write |: where a repeat without it goes back to: behind the last double bar or the end of the last repeat."""
    written: list[str] = []
    back: int | None = None  # where in `written` the sign would stand
    is_signed, ending = False, ""
    for number, piece in enumerate(re.split(r"((?:\[?\|\]?|:)+ *\[?[12]?|\[[12])", body)):
        line = piece.rstrip("12[ ")
        if number % 2 and (line.startswith(":") or piece.endswith("1")) and not is_signed and back is not None:
            written.insert(back, "|:")
            is_signed = True
        written.append(piece)
        if number % 2 == 0:
            continue
        opens, closes, divides = line.endswith(":"), line.startswith(":"), bool(re.search(r"\|\||\|\]|\[\|", line))
        if piece[-1] in "12":
            ending = piece[-1]
        elif ending == "2" and (closes or divides or opens):
            is_signed, back, ending = opens, len(written), ""
        elif not ending and (closes or opens or (divides and not is_signed)):
            is_signed, back = opens, len(written)
    return "".join(written)


def test_starter_tunes(tmp_path: Path) -> None:
    found = corpus.collect(corpus.find_corpus()[0])
    kinds: Counter[str] = Counter()
    unsigned = 0
    for number, tune in enumerate(found, start=1):
        text = tune.text(number)
        plain = replace(tune, title="", body=re.sub("[.~THS]", "", tune.body))
        kind = difference(ours(text), theirs(plain.text(number), tmp_path))
        if kind:
            kind = difference(ours(text), theirs(replace(plain, body=with_signs(plain.body)).text(number), tmp_path))
            unsigned += not kind
        kinds[kind] += 1
    print(f"{len(found)} tunes, of which equal: {kinds['']} ({unsigned} of them once repeats have their sign)")
    for kind, count in kinds.most_common():
        print(f"{kind or 'equal'}: {count}")
    assert len(found) > 4_000
    assert kinds[""] / len(found) >= 0.97
    assert (kinds[""] - unsigned) / len(found) >= 0.95


#: Each kind of writing that foreign files have, as abc2midi knows it too: what stands behind the fields M, L and K:C.
WRITTEN = {
    "decorations": ["C !>!D !accent!E F|!<(!G A !<)!B c|", "+accent+C D +trill(+E F|", "HC uD vE LF|!1!G !5!A MB c|"],
    "printed": [
        '"Am"C "^text"D E F|{cd}G A {e}B c|',
        "C y D y2 E F|`G`A B c|",
        "C D [r:a b c]E F|\nw:la la\ns:* *\nG A B c|",
    ],
    "text": ["C D E F|\n\nA fine dance, be sure to play it.\n", "%%begintext\nabc def\n%%endtext\nC D E F|% abc\n"],
    "voice": ["V:1 treble\nC D E F|", '[V:1 name="a b"]C D E F|[V:1]G A B c|', "V:Flute clef=treble\nC D E F|"],
    "key": [
        f"K:{key}\nC D E F|G A B c|"
        for key in (
            "D clef=treble",
            "D Phr ^f",
            "HP",
            "Hp",
            "none",
            "F#m",
            "Ebmaj",
            "Gmix",
            "Alyd",
            "Dm ^c",
            "D exp _b",
            "EDorian",
            "C octave=-1",
            "C transpose=3",
            "C clef=treble-8",
            "Bb bass",
            "Bloc",
            "Aaeo",
            "A minor",
        )
    ],
    "field": ["C D E F|G A B\nc:|\nc4|", "C D E F|G A B\nc :|\nc4|"],
    "overlay": ["C D E F & C,4|G A B c|", "C D E F & C,4 & E,4|G A B c|", "(& E4|F4 & C4|D4 &)|G4|"],
    "chord": ["[CEG]2 [DF]2|[C2E] F2|[EG]>A [Bd]/c/ e|", "[C-E-]2 [CE]2|[CE]4-|[CE]4|"],
    "rest": ["C D E F|Z2|G A B c|", "X|C4|Z|X3|D4|", "z2 C x|[M:3/4]C3|Z2|D3|"],
    "ending": [
        "|:C D E F|[1,2 G A B c:|[3 c4|]",
        "|:C4|1,3 D4:|2,4 E4:|F4|",
        "|:C4|[1-3 D4:|[4 E4|]F4|",
        "|:C4|1 D4:|2 E4||F4|",
        "|:C4:||:D4:|",
        "|:C4::D4:|",
        "C4:|D4|",
        "|:C4|1 D4:|2 E4:|3 F4|]",
    ],
    "unit": [f"L:{unit}\nC64 D64 E32 F32 G64|" for unit in ("1", "1/1", "1/2", "1/32", "1/64", "1/512")],
    "rhythm": [
        "C>D E<F|G>>A B<<c|",
        "(3CDE (3FGA B|(5CDEFG A2|",
        "(3:2:2C2D (3::4CDEF|",
        "C3/2D/ E//F// G|C2-|C2 D2|",
        "C4-|C4|",
    ],
    "accidental": ["^C C c C|C4|", "_E =E E ^^F|_F __B B F|", "^F4-|F4|F4|"],
    "part": ["P:A\nC4|\nP:B\nD4|\nP:C\nE4|"],
}


def test_tunes_written_for_the_purpose(tmp_path: Path) -> None:
    differing: Counter[str] = Counter()
    total = 0
    for kind, bodies in WRITTEN.items():
        for body in bodies:
            fields, key = ("P:(AB)2CA\n", "K:C\n") if kind == "part" else ("", "K:C\n")
            if body.startswith("K:"):
                key = ""
            text = f"X:1\nT:t\n{fields}M:4/4\nL:1/4\n{key}{body}\n"
            total += 1
            differing[kind] += bool(difference(ours(text), theirs(text, tmp_path)))
    print(f"{total} tunes; differing: {dict(+differing)}")
    assert total >= 60
    assert differing.total() <= 0.03 * total, +differing


@pytest.mark.parametrize(
    "tempo",
    ["1/4=60", '"Allegro" 1/4=132', "96", "3/8=50", "C=100", "C3=40", '"Andante"', "1/2=66", '1/4=72 "slow"'],
)
def test_tempos(tempo: str, tmp_path: Path) -> None:
    text = f"X:1\nT:t\nM:4/4\nL:1/8\nQ:{tempo}\nK:C\nC8|\n"
    assert theirs(text, tmp_path)
    messages = [message for track in mido.MidiFile(tmp_path / "tune.mid").tracks for message in track]
    their_tempo = next(60e6 / message.tempo for message in messages if message.type == "set_tempo")
    ((_, tune),), _ = tunes_in(text)
    assert playable(tune)[0].tempo == pytest.approx(their_tempo, rel=1e-3)


@pytest.mark.parametrize(
    ("mine", "others", "kind"),
    [
        ([(1, 1, 60)], [(0, 1, 60)], ""),
        ([(0, 1, 60)], [(0, 1, 61)], "pitch"),
        ([(0, 1, 60)], [(0, 0.5, 60)], "length"),
        ([(0, 1, 60), (1, 1, 60)], [(0, 1, 60), (2, 1, 60)], "onset"),
        ([(0, 1, 60)], [], "nothing played"),
        ([(0, 1, 60), (1, 1, 60)], [(0, 1, 60)], "repeats"),
    ],
)
def test_differences_are_found(mine: list[Note], others: list[Note], kind: str) -> None:
    assert difference(mine, others) == kind
