"""Tunes in ABC notation as text: where each begins and ends, its fields, and its music without what is only printed."""

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from workshop.notes.abc_fields import AbcError, read_key

#: `c:|` is music: what follows the colon of a field is neither a bar line nor another colon.
_FIELD = re.compile(r"([A-Za-z]):(?!\s*[|:\]])(.*)")
#: Fields that change the music when they stand among the notes; the others speak to people or to printers.
_BODY_FIELDS = "KML"
#: Fields above the first tune of a file that hold for all of its tunes.
_FILE_FIELDS = "MLQUI"
#: What stands in brackets; a bar line would end it, but for the meter C|.
_VALUE = r"(?:[^\]|]{0,300}|\s{0,9}[Cc]\|\s{0,9})"
_INLINE = re.compile(rf"\[([A-Za-z]):(?![|:])({_VALUE})\]")
_VOICE = re.compile(r"\[V:\s*([^\]]{0,300})\]")
_PART = re.compile(r"^P:.*|\[P:[^\]|]{0,300}\]")
_KEPT = rf"(?P<kept>\[[KLMP]:{_VALUE}\])"
#: Marks for the typesetter, and bowings.
_PRINTED = re.compile(_KEPT + r"|[`!*$\\uvk]")
_DECORATION = re.compile(r"!([^!\s|]{1,40})!|!([A-Za-z.][A-Za-z. ]{1,30})!|\+([^+\s|]{1,40})\+")
#: What is written over notes: chord symbols and texts, in which a backslash precedes a quote; not all are closed.
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"?')
#: Remarks among the notes: a bar line is part of their text.
_INLINE_TEXT = re.compile(r"\[[NRTWrw]:[^\]\[]{0,300}\]")
#: A variant ending with a text, ["1st" or ["Coda": unlike in a chord a bar line or a chord comes before a bracket that
#: closes.
_NAMED_ENDING = re.compile(r'(?:^|(?<=[|:\]]))\s{0,9}\["([^"|]{0,40})"(?![^|\[]{0,300}\])')
#: Directives that change what is played; like all of them they may be written as a field I.
_DIRECTIVE = re.compile(r"%%\s{0,9}((?:propagate-accidentals|MIDI\s+r?transpose)\s.*)")
_SHIFT = re.compile(r"MIDI\s+r?transpose\s+([+-]?\d{1,2})\s*")
_SPREAD = re.compile(r"propagate-accidentals\s+(not|octave|pitch)\b")
#: Chords as they were written before 1996.
_OLD_CHORD = re.compile(r"(?:(?:\^\^?|__?|=)?[A-Ga-g][,']*[\d/]*){2,}")
_NAMES = """
    trill trill( trill) tr lowermordent uppermordent mordent pralltriller roll turn turnx invertedturn invertedturnx
    arpeggio > accent emphasis fermata invertedfermata tenuto 0 1 2 3 4 5 + plus snap slide wedge upbow downbow open
    thumb breath pppp ppp pp p mp mf f ff fff ffff sfz sf fp crescendo( <( crescendo) <) diminuendo( >( diminuendo)
    >) cresc cresc. dim dim. segno coda d.s. d.c. d.s d.c dacoda dacapo dalsegno fine d.c.alfine d.c.alcoda d.s.alfine
    d.s.alcoda dcalfine dcalcoda dsalfine dsalcoda shortphrase mediumphrase longphrase marcato ^ staccato
    staccatissimo xstem / // /// //// 8va( 8va) 8vb( 8vb) 15ma( 15ma) 15mb( 15mb) ped ped-up ped( ped) editorial
    courtesy nil none gmark -( -) ~( ~) beambr1 beambr2 rbstop repeatbar repeatbar2 stemless invisible
    style=normal style=harmonic style=rhythm style=x style=triangle
"""
_DECORATIONS = frozenset(_NAMES.split())
#: No note, rest or usual sign has one of these letters, and nearly every word has.
_NO_MUSIC = re.compile("[hijl-tI-KNQRUVWY]|[^\x00-\x7f]")
#: Letters that are decorations, also where a tune does not define them.
_SYMBOLS = "HIJLMOPRSTuvk"
#: Letters beyond ASCII in a title: \'e, \aa, \u00e9.
_ESCAPE = re.compile(
    r"\\(?:u([0-9A-Fa-f]{4})|(ss|AE|ae|OE|oe|AA|aa|/O|/o|DH|dh|TH|th)|([`'^~\"cvuH=])([A-Za-z])|([%&\\]))"
)
_ACCENTS = dict(zip("`'^~\"cvuH=", "\u0300\u0301\u0302\u0303\u0308\u0327\u030c\u0306\u030b\u0304", strict=True))
_LETTERS = dict(
    zip(["ss", "AE", "ae", "OE", "oe", "AA", "aa", "/O", "/o", "DH", "dh", "TH", "th"], "ßÆæŒœÅåØøÐðÞþ", strict=True)
)


@dataclass(frozen=True)
class Tune:
    """One tune.

    ``meter``, ``unit``, ``key``, ``tempo`` and ``parts`` are the values of the fields M, L, K, Q and P; '' is a missing
    one. ``collection`` is the folder that the tune comes from. ``voices`` is how many voices it was written for, of
    which ``body`` has the first, and ``remarks`` say what was skipped in the text. ``spread`` is how far accidentals
    hold within a bar: 'not' beyond their note, in their 'octave', or for the 'pitch' in all octaves.
    """

    title: str
    meter: str
    unit: str
    key: str
    body: str
    collection: str = ""
    tempo: str = ""
    parts: str = ""
    voices: int = 1
    remarks: tuple[str, ...] = ()
    spread: str = "pitch"

    def text(self, number: int) -> str:
        """Return the tune in ABC notation with ``number`` as its X field, without a blank line after it."""
        fields = (
            ("X", str(number)), ("T", self.title), ("P", self.parts), ("M", self.meter), ("L", self.unit),
            ("Q", self.tempo), ("I", "" if self.spread == "pitch" else f"propagate-accidentals {self.spread}"),
            ("K", self.key),
        )  # fmt: skip
        return "".join(f"{name}:{value}\n" for name, value in fields if value) + self.body


def split_tunes(text: str) -> tuple[str, list[str]]:
    """Return what stands before the first tune, and the text of each tune; each begins with a field X."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    before, *pieces = re.split(r"^[ \t]{0,40}(?=X:)", text, flags=re.MULTILINE)
    return before, pieces


def parse_tunes(text: str) -> Iterator[Tune]:
    """Yield the tunes of an ABC file, without credits, comments, remarks, fingerings and spaces that align bars.

    Left out are pieces without a key or without notes, and those that declare voices (V:): one stream of text is one
    voice. Tempos and the order of parts are left out as well.
    """
    before, pieces = split_tunes(text)
    for piece in pieces:
        try:
            tune = read_piece(piece, before)
        except AbcError:
            continue
        if not re.search("^V:", piece, re.MULTILINE):
            lines = (_PART.sub("", line).strip() for line in tune.body.splitlines())
            body = "".join(f"{line}\n" for line in lines if line)
            yield replace(tune, body=body, tempo="", parts="", remarks=())


def read_piece(piece: str, before: str) -> Tune:
    """Return the tune of a text that begins with its field X; of several voices the first.

    Args:
        piece: lines up to the next tune; text after an empty line is skipped.
        before: what stands above the first tune of the file: fields there hold for all of its tunes.

    Raises:
        AbcError: it has no key or no notes.
    """
    reading = _Reading(_file_fields(before))
    for line in _without_blocks(piece):
        if not reading.take(line):
            break
    return reading.tune()


def _file_fields(before: str) -> list[tuple[str, str]]:
    found = (_FIELD.fullmatch(line) for line in _without_blocks(before))
    return [(one[1], one[2].strip()) for one in found if one and one[1] in _FILE_FIELDS]


def _without_blocks(piece: str) -> Iterator[str]:
    """Yield the lines of a piece without comments and without blocks such as %%begintext to %%endtext; directives that
    change the music come as fields I.
    """
    lines = piece.splitlines()
    last_end = max((at for at, line in enumerate(lines) if line.startswith("%%end")), default=-1)
    in_block = False
    for at, line in enumerate(lines):
        if not in_block and (directive := _DIRECTIVE.fullmatch(_uncommented(line, 2))):
            yield f"I:{directive[1]}"
        elif line.startswith("%%"):
            in_block = at < last_end and (line.startswith("%%begin") or (in_block and not line.startswith("%%end")))
        elif not in_block and not line.startswith("%"):
            yield _uncommented(line)


def _uncommented(line: str, begin: int = 0) -> str:
    """Return a line without the comment behind its first `begin` characters."""
    return line[:begin] + re.split(r"(?<!\\)%", line[begin:], maxsplit=1)[0].strip()


@dataclass
class _Reading:
    """What is known of a tune while its lines are read."""

    #: Fields of the file.
    defaults: list[tuple[str, str]]
    header: dict[str, str] = field(default_factory=dict)
    #: The lines of each voice, and the one that is being read.
    voices: dict[str, list[str]] = field(default_factory=dict)
    voice: str = "1"
    #: What the fields of the voices say of clefs and octaves.
    settings: dict[str, str] = field(default_factory=dict)
    #: Letters defined as decorations (U:).
    symbols: str = ""
    #: Whether the sign ! ends lines and no decoration is written with it.
    is_line_break: bool = False
    #: Fields behind an empty line, which are the tune's if music follows.
    pending: list[str] = field(default_factory=list)
    is_over: bool = False
    #: Whether there was a note, in any voice.
    has_music: bool = False
    remarks: list[str] = field(default_factory=list)
    #: How far accidentals hold, and by how many semitones the whole tune is shifted.
    spread: str = "pitch"
    semitones: int = 0

    def __post_init__(self) -> None:
        for name, value in self.defaults:
            self._define(name, value)

    def take(self, line: str) -> bool:
        """Read a line without comment; return whether the tune may go on behind it."""
        if not line:
            self.is_over = self.has_music
            return True
        found = _FIELD.fullmatch(line)
        if found is not None:
            self._field(found[1], " ".join(found[2].split()))
        elif "K" in self.header and not line.startswith("+:"):
            if _is_words(line, self.is_over, self.symbols):
                self._remark("words left out")
                return not self.is_over
            self._music(line)
        return True

    def _remark(self, remark: str) -> None:
        if remark not in self.remarks:
            self.remarks.append(remark)

    def _define(self, name: str, value: str) -> None:
        """Take note of a field that says how others are to be read."""
        symbol = re.match(r"([H-Wh-w~])\s*=", value)
        if name == "U" and symbol and symbol[1] not in self.symbols:
            self.symbols += symbol[1]
        elif name == "I" and re.match(r"linebreak.*!|decoration\s*\+", value):
            self.is_line_break = True
        elif name == "I" and (spread := _SPREAD.match(value)):
            self.spread = spread[1]
        elif name == "I" and (shift := _SHIFT.fullmatch(value)):
            self._shift(int(shift[1]))
        elif name == "m":
            self._remark("macros (m:) left out")

    def _shift(self, semitones: int) -> None:
        """Transpose the tune, or what follows of the voice that is being read."""
        if "K" in self.header:
            self.pending.append(f"K:transpose={semitones}")
        else:
            self.semitones = semitones

    def _field(self, name: str, value: str) -> None:
        if name == "V":
            self._turn_to(value)
        elif "K" not in self.header:
            # Of several titles the first is the tune's name; of other fields the last holds.
            if (value and name != "T") or not self.header.get(name):
                self.header[name] = value
            self._define(name, value)
        elif name in _BODY_FIELDS and value:
            self.pending.append(f"{name}:{_short_key(value) if name == 'K' else value}")
        elif name == "P" and self.header.get("P"):
            self.pending.append(f"P:{value[:1]}")
        elif name == "Q":
            self._tempo(value)
        else:
            self._define(name, value)
        if not self.is_over:
            self._settle()

    def _tempo(self, value: str) -> None:
        if self.has_music:
            self._remark("change of tempo (Q:) not played")
        else:
            self.header["Q"] = value

    def _turn_to(self, value: str) -> None:
        """Read on in the voice that a field V names."""
        if "K" in self.header:
            self._settle()
        found = re.match(r'("[^"]*"|\S*)(.*)', value)
        assert found is not None, value
        name, rest = found.groups()
        if name == "*":
            return
        if rest not in self.settings.get(name, ""):
            self.settings[name] = self.settings.get(name, "") + rest
        if "K" in self.header or not self.voices:
            self.voice = name
        self.voices.setdefault(name, [])

    def _settle(self) -> None:
        if self.pending:
            self.voices.setdefault(self.voice, []).extend(self.pending)
            self.pending.clear()

    def _music(self, line: str) -> None:
        """Append a line of music, piece by piece where it names voices itself."""
        self._settle()
        self.is_over = False
        music, *others = _VOICE.split(line)
        for value, more in zip(others[::2], others[1::2], strict=True):
            before = self.voice
            self._turn_to(value)
            if self.voice == before:
                music = f"{music} {more}"
            else:
                self._append(before, music)
                music = more
        self._append(self.voice, music)

    def _append(self, voice: str, music: str) -> None:
        cleaned = self._clean(music)
        if cleaned:
            self.voices.setdefault(voice, []).append(cleaned)
            self.has_music = self.has_music or _has_notes([cleaned])

    def _clean(self, music: str) -> str:
        """Return music with nothing in it that is only printed."""
        music = _NAMED_ENDING.sub(self._ending, _INLINE_TEXT.sub("", music))
        music = _QUOTED.sub("", _INLINE.sub(self._inline, music))
        music = _DECORATION.sub(self._decoration, music)
        if self.symbols:
            music = re.sub(rf"{_KEPT}|[{self.symbols}]", lambda found: found["kept"] or "", music)
        return " ".join(_PRINTED.sub(lambda found: found["kept"] or "", music).split())

    def _inline(self, found: re.Match[str]) -> str:
        name, value = found[1], " ".join(found[2].split())
        if name in _BODY_FIELDS and value:
            return f"[{name}:{_short_key(value) if name == 'K' else value}]"
        if name == "P" and self.header.get("P"):
            return f"[P:{value[:1]}]"
        if name == "Q":
            # Among the notes of a line it is a change; the first signs of the line show whether there are any.
            in_front = _INLINE.sub("", found.string[: min(found.start(), 100)])
            self.has_music = self.has_music or bool(re.search("[A-Ga-g]", in_front))
            self._tempo(value)
        else:
            self._define(name, value)
        return ""

    def _ending(self, found: re.Match[str]) -> str:
        """Return the passes that the text of an ending names: 1,2 for "1st and 2nd"; as written where it names none."""
        plain = re.sub(r"(?<=\d)(?:st|nd|rd|th)?\.?|\s+", "", found[1].lower())
        passes = re.match(r"\d+(?:[,-]\d+)*", re.sub(r"and|&|\+", ",", plain))
        return f" [{passes[0]} " if passes else found[0]

    def _decoration(self, found: re.Match[str]) -> str:
        name = found[1] or found[2] or found[3]
        plain = name.replace(" ", "").lower()
        if plain in _DECORATIONS and not (self.is_line_break and not found[3]):
            return ""
        if (self.is_line_break and not found[3]) or (found[2] and not _NO_MUSIC.search(name)):
            return name
        if found[3] and _OLD_CHORD.fullmatch(name):
            return f"[{name}]"
        self._remark(f"unknown decoration {found[0]}")
        return ""

    def tune(self) -> Tune:
        """Return what has been read.

        Raises:
            AbcError: there is no key, or no note in any voice.
        """
        if "K" not in self.header:
            raise AbcError("it has no key (K:)")
        written = {name: lines for name, lines in self.voices.items() if _has_notes(lines)}
        if not written:
            raise AbcError("it has no notes")
        first, body = next(iter(written.items()))
        # What stands above the first voice holds for all of them.
        above = [line for line in self.voices.get("1", []) if first != "1" and _FIELD.fullmatch(line)]
        if len(written) > 1:
            self.remarks.insert(0, f"the first of {len(written)} voices (V:) is played")
        header = dict(self.defaults) | {name: value for name, value in self.header.items() if value}
        shift = f" transpose={self.semitones}" if self.semitones else ""
        return Tune(
            header.get("T", "").replace("\u2019", "'").rstrip(" .,"),
            header.get("M", ""),
            header.get("L", ""),
            _short_key(header.get("K", ""), f"{self.settings.get(first, '')}{shift}"),
            "".join(f"{line}\n" for line in above + body),
            tempo=header.get("Q", ""),
            parts=header.get("P", ""),
            voices=len(written),
            remarks=tuple(self.remarks),
            spread=self.spread,
        )


def readable_title(title: str) -> str:
    """Return a title with the letters that are written as escapes of ABC or HTML."""

    def letter(found: re.Match[str]) -> str:
        code, name, accent, base, sign = found.groups()
        if code:
            return chr(int(code, 16))
        return _LETTERS[name] if name else sign or unicodedata.normalize("NFC", base + _ACCENTS[accent])

    return "".join(filter(str.isprintable, html.unescape(_ESCAPE.sub(letter, title)))).strip()


def _has_notes(lines: list[str]) -> bool:
    return any(re.search("[A-Ga-g]", line) for line in lines if not _FIELD.fullmatch(line))


def _is_words(line: str, is_over: bool, symbols: str) -> bool:
    """Return whether a line that is no field holds words and no music; behind an empty line one word is enough.

    ``symbols`` are letters that the tune defines as decorations: in front of a note they make no word.
    """
    plain = re.sub(r"\[[A-Za-z]:[^\]]{0,300}\]", "", _QUOTED.sub("", _DECORATION.sub("", line)))
    plain = re.sub(rf"\b[{_SYMBOLS}{symbols}]+(?=[A-Ga-g](?![A-Za-z]))", "", plain)
    runs = re.findall(r"[^\W\d_]{2,}", plain)
    words = [run for run in runs if _NO_MUSIC.search(run)]
    if "|" in plain:
        return len(words) > 3 and 2 * len(words) > len(runs)
    return len(words) >= (1 if is_over else 2) and 2 * len(words) >= len(runs)


def _short_key(value: str, settings: str = "") -> str:
    """Return a key in its short spelling: ``E Minor`` and ``Emin`` are both ``Em``, ``A Mixolydian`` is ``Amix``.

    ``settings`` are those of a voice, such as ``clef=treble-8``, of which only what is heard is taken.
    """
    try:
        key = read_key(value)
        shift = read_key(f"C {settings}").semitones if settings else None
    except AbcError:
        return value
    if key.unknown:
        return value
    if shift:
        key = replace(key, semitones=(key.semitones or 0) + shift)
    return key.text() or value
