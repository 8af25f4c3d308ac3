"""The fields of a tune in ABC notation: meter, unit of length, key, tempo and the order of parts, read as values."""

import re
from dataclasses import dataclass
from fractions import Fraction

from workshop.notes.tempos import TEMPOS

#: Ticks of a whole note: 2048ths, and the tuplets of 3, 5, 7 and 9 notes among quarters, are whole ticks.
WHOLE = 2048 * 9 * 5 * 7
#: The order of a tune's parts has no more of them, however it multiplies.
MAX_PARTS = 200

_FIFTHS = "FCGDAEB"
_TONICS = {"C": 0, "D": 2, "E": 4, "F": -1, "G": 1, "A": 3, "B": 5}
#: How many sharps a mode has more than the major key of the same name.
_MODES = {"maj": 0, "ion": 0, "mix": -1, "dor": -2, "min": -3, "aeo": -3, "phr": -4, "loc": -5, "lyd": 1}
_ALTERED = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
#: The scale of the Highland bagpipe.
_PIPES = {"F": 1, "C": 1}
_CLEF = re.compile(
    r"(?:clef=)?(?:treble|mezzosoprano|mezzo|soprano|alto|tenor|baritone|bass|perc|none|auto|[GCFP](?=[\d+-]|$))"
    r"\d?(?P<octave>[+-](?:8|15))?"
)
_SETTING = re.compile(
    r"(?:middle|m|stafflines|staffscale|staves|name|nm|subname|sname|snm|stem|stems|gchord|gstem|cue|style|space|clef|"
    r"shift|score|sound|instrument|program|map|microscale|dyn|lyrics|scale|strings|merge|up|down|brace|bracket|uscale)"
    r"(?:=.*)?"
)
_SHIFT = re.compile(r"(octave|transpose|t)=([+-]?\d{1,2})")
_ACCIDENTALS = re.compile(r"(?:(?:\^\^?|__?|=)[A-Ga-g])+")

#: Quarter notes a minute of the usual words, where a tune gives no number; they are those of abc2midi.
_WORDS = {
    "larghissimo": 40, "adagissimo": 44, "lentissimo": 48, "largo": 56, "adagio": 59, "lento": 62, "larghetto": 66,
    "adagietto": 76, "andante": 88, "andantino": 96, "moderato": 104, "allegretto": 112, "allegro": 120, "vivace": 168,
    "vivo": 180, "presto": 192, "allegrissimo": 208, "vivacissimo": 220, "prestissimo": 240,
}  # fmt: skip


class AbcError(ValueError):
    """A tune that cannot be understood without guessing; the message is the reason in a few words."""


def read_meter(value: str) -> tuple[int, int]:
    """Return notes of a bar and what note each is: (4, 4) for C, (5, 8) for 2+3/8.

    Raises:
        AbcError: it is none.
    """
    value = {"C": "4/4", "C|": "2/2", "c": "4/4", "c|": "2/2"}.get(value, value.replace(" ", ""))
    found = re.fullmatch(r"\(?([1-9]\d?(?:\+[1-9]\d?)*)\)?/(1|2|4|8|16|32|64)", value)
    if found is None:
        raise AbcError("unknown meter")
    notes = sum(int(number) for number in found[1].split("+"))
    if notes > 99:
        raise AbcError("unknown meter")
    return notes, int(found[2])


def read_unit(value: str) -> int:
    """Return a unit of length in ticks: 1/8, also 1, 1/1, 1/512 or 3/8.

    Raises:
        AbcError: it is none.
    """
    found = re.fullmatch(r"([1-9]\d?)(?: ?/ ?(1|2|4|8|16|32|64|128|256|512))?", value)
    if found is None:
        raise AbcError("unknown unit of length")
    return WHOLE * int(found[1]) // int(found[2] or 1)


def default_unit(meter: tuple[int, int]) -> int:
    """Return the unit where a tune names none, in ticks: a sixteenth in short meters, else an eighth."""
    return WHOLE // 16 if meter[0] / meter[1] < 0.75 else WHOLE // 8


@dataclass(frozen=True)
class Key:
    """What a field K says.

    Attributes:
        name: the key in its short spelling, such as Em or Amix; '' where only a clef and the like is given.
        altered: by how many semitones it alters letters; None where no key is given.
        semitones: transposition of the notes; None if the field has none.
        accidentals: those that it names itself, as written.
        unknown: words that are not part of a key.
    """

    name: str
    altered: dict[str, int] | None
    semitones: int | None = None
    accidentals: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def text(self) -> str:
        """Return it in the shortest spelling that says the same."""
        shift = (f"transpose={self.semitones}",) if self.semitones else ()
        return " ".join((self.name, *self.accidentals, *shift)).strip()


def read_key(value: str) -> Key:
    """Parse a key field (K:); clefs and printing options are skipped.

    Raises:
        AbcError: it does not begin with a key and has nothing else that belongs into this field.
    """
    value = re.sub(r"([a-z]{4,20})\s*=\s*", r"\1=", value)
    value = re.sub(r'="[^"]*"', "=text", value).replace("\u266f", "#").replace("\u266d", "b")
    name, altered, rest = _tonic(value.strip())
    accidentals: list[str] = []
    unknown: list[str] = []
    semitones: int | None = None
    for word in rest.split():
        clef = _CLEF.fullmatch(word)
        shift = _SHIFT.fullmatch(word)
        if _ACCIDENTALS.fullmatch(word):
            accidentals += re.findall(r"(?:\^\^?|__?|=)[A-Ga-g]", word)
        elif word.lower() in ("exp", "explicit"):
            name, altered = f"{name} exp".strip(), {}
        elif shift:
            semitones = (semitones or 0) + int(shift[2]) * (12 if shift[1] == "octave" else 1)
        elif clef:
            octaves = {"8": 12, "15": 24}.get((clef["octave"] or " ")[1:], 0)
            semitones = semitones if not octaves else (semitones or 0) + int(f"{clef['octave'][0]}{octaves}")
        elif not _SETTING.fullmatch(word):
            unknown.append(word)
    if altered is None and not accidentals and len(unknown) == len(rest.split()):
        raise AbcError("unknown key")
    if accidentals:
        altered = dict(altered or {}) | {sign[-1].upper(): _ALTERED[sign[:-1]] for sign in accidentals}
    return Key(name, altered, semitones, tuple(accidentals), tuple(unknown))


def _tonic(value: str) -> tuple[str, dict[str, int] | None, str]:
    """Return name and signature of the key at the beginning, and the rest; '' and None where there is none."""
    if not value:
        return "none", {}, ""
    special = re.match(r"(HP|Hp|none)(?=\s|$)", value)
    if special:
        return special[1], dict(_PIPES) if special[1] != "none" else {}, value[special.end() :]
    found = re.match(r"([A-G])([b#]?)(?:(?!\s+m=)\s*([A-Za-z]+))?", value)
    if found is None:
        return "", None, value
    tonic, sign, word = found.groups()
    mode, end = (word or "").lower(), found.end()
    mode = "min" if mode == "m" else mode[:3]
    if mode not in _MODES:
        mode, end = "maj", found.end(2)
    sharps = _TONICS[tonic] + {"#": 7, "b": -7, "": 0}[sign] + _MODES[mode]
    name = tonic + sign + {"maj": "", "min": "m"}.get(mode, mode)
    return name, _signature(sharps), value[end:]


def _signature(sharps: int) -> dict[str, int]:
    """Return the alterations of a number of sharps, or flats if negative; beyond seven some are doubled."""
    altered = {letter: (sharps - 1 - place) // 7 + 1 for place, letter in enumerate(_FIFTHS)}
    return {letter: by for letter, by in altered.items() if by}


def read_tempo(value: str, unit: int) -> float:
    """Return quarter notes a minute of a field Q.

    Args:
        value: such as 3/8=50, "Slow" 1/4=60, 1/4 3/8=40, C3=40 for three units, or a word that is usual for a tempo. A
            number alone counts quarter notes, as in abc2midi.
        unit: the tune's unit of length in ticks.

    Raises:
        AbcError: it names no tempo, or none that can be played.
    """
    plain = re.sub(r'"[^"]*"?', " ", value).strip()
    beats, equals, number = (part.strip() for part in plain.partition("="))
    if re.fullmatch(r"\d{1,4}/\d{1,4}", number):
        beats, number = number, beats
    quarters = _beat(beats, unit) if equals else Fraction(1)
    if not plain:
        known = [_WORDS[word] for word in re.findall("[a-z]+", value.lower()) if word in _WORDS]
        if known:
            return float(known[0])
        raise AbcError("no number in the tempo")
    number = number if equals else plain
    if quarters is None or not re.fullmatch(r"\d{1,4}(\.\d{1,3})?", number):
        raise AbcError("unknown tempo")
    tempo = float(quarters * Fraction(number))
    if not TEMPOS[0] <= tempo <= TEMPOS[1]:
        raise AbcError("impossible tempo")
    return tempo


def _beat(written: str, unit: int) -> Fraction | None:
    """Return how many quarter notes the beat of a tempo lasts: 1/4, several of them, or C3 for three units."""
    older = re.fullmatch(r"[A-Ga-g](\d{0,2})(?:/(\d{1,2}))?", written)
    if older:
        return Fraction(4 * unit, WHOLE) * int(older[1] or 1) / (int(older[2] or 1) or 1)
    parts = written.split()
    if not parts or not all(re.fullmatch(r"[1-9]\d{0,2}/[1-9]\d{0,2}", part) for part in parts):
        return None
    return 4 * sum((Fraction(part) for part in parts), Fraction(0))


def read_parts(value: str) -> list[str]:
    """Return the letters of a field P in the order of playing: A2B and (AB)2C are written out.

    Raises:
        AbcError: a bracket is not closed, a sign is none of a part, or there are too many.
    """
    groups: list[list[str]] = [[]]
    last: list[str] = []
    for letter, number, sign in re.findall(r"([A-Za-z])|(\d+)|(\S)", value):
        if letter:
            last = [letter]
            groups[-1] += last
        elif number:
            times = int(number) if len(number) < 4 else MAX_PARTS + 1
            if times * len(last) + sum(map(len, groups)) > MAX_PARTS:
                raise AbcError("too many parts")
            groups[-1] += last * (times - 1)
            last = []
        elif sign == "(":
            groups.append([])
            last = []
        elif sign == ")" and len(groups) > 1:
            last = groups.pop()
            groups[-1] += last
        elif sign not in ".,":
            raise AbcError("unknown order of parts")
    if len(groups) > 1:
        raise AbcError("unknown order of parts")
    return groups[0]
