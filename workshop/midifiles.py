"""MIDI files: what they play, as notes on beats; and notes as a MIDI file.

Files are written with mido, and read here, because a collection from anywhere holds what no file should: notes that
never end, a tempo of zero, time counted in frames of a film, keys with nine sharps, texts in unknown encodings. What
can be understood is; what cannot is a `UserError` with the reason.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mido
import numpy as np

from workshop.errors import UserError
from workshop.files import explain, replacing
from workshop.folders import find_files

SUFFIXES = (".mid", ".midi", ".kar", ".smf", ".rmi")

#: Counted up whenever `read` understands a file in another way, so that what was kept of it is read anew.
READER_VERSION = 2
#: A MIDI file of three hours of dense piano has 2 MB; what is larger is something else.
MOST_BYTES = 8 << 20
#: A file whose last note lies further away than this has a damaged clock.
MOST_HOURS = 24
#: A note that is never switched off lasts so long, in beats.
HANGING_BEATS = 4.0
#: Some files are wrapped in another format (.rmi, MacBinary), and begin after so many bytes at the most.
WRAPPING_BYTES = 1024
#: General MIDI plays drums on this channel, counted from 0.
DRUM_CHANNEL = 9
#: Where a file says nothing else, and in what `write` writes.
DEFAULT_TEMPO = 120.0
PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
#: Of what `write` writes: sixteenths, triplets and, at 120 beats a minute, hundredths of a second are whole ticks.
TICKS_PER_BEAT = 1200
#: The largest numbers that a file has room for: the ticks between two events, and the microseconds of a beat.
MOST_TICKS = (1 << 28) - 1
LONGEST_BEAT = (1 << 24) - 1

#: Bytes that follow each status, the first byte of an event, where their number does not stand in the file.
DATA_BYTES = {status: 1 if 0xC0 <= status < 0xE0 else 2 for status in range(0x80, 0xF0)} | {
    0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0,
}  # fmt: skip
#: Meta events: 0xFF, and a byte that says what they are.
TRACK_NAME, END_OF_TRACK, SET_TEMPO = 0xFF03, 0xFF2F, 0xFF51


@dataclass(frozen=True)
class Part:
    """What one channel of one track plays: the name of the track, its General MIDI program from 0, and whether it is
    drums.
    """

    name: str
    program: int
    is_drums: bool


@dataclass(frozen=True)
class Score:
    """What a MIDI file plays.

    Attributes:
        notes: float64 [N, 5]: start and end in beats (quarter notes), pitch 0..127, velocity 1..127, number of the
            part; in the order of start, then pitch. Ends lie after starts.
        parts: who plays them.
        tempos: float64 [K, 2]: beat, and seconds a beat lasts from there on; the first is at beat 0.
    """

    notes: np.ndarray
    parts: tuple[Part, ...]
    tempos: np.ndarray

    def seconds(self, beats: np.ndarray) -> np.ndarray:
        """When beats fall, in seconds from the beginning, by the file's tempos."""
        starts, lengths = self.tempos.T
        elapsed = np.concatenate([[0.0], np.cumsum(np.diff(starts) * lengths[:-1])])
        at = np.searchsorted(starts, beats, side="right") - 1
        return elapsed[at] + (beats - starts[at]) * lengths[at]

    def timed(self, notes: np.ndarray) -> np.ndarray:
        """Notes [N, 4 or more] with their first two columns, start and end, turned from beats into seconds."""
        return np.column_stack([self.seconds(notes[:, 0]), self.seconds(notes[:, 1]), notes[:, 2:]])

    @property
    def pitched(self) -> np.ndarray:
        """The notes that are not drums."""
        return self.notes[~np.array([part.is_drums for part in self.parts], bool)[self.notes[:, 4].astype(int)]]


def pitch_name(pitch: int) -> str:
    """The name of a pitch with its octave: 60 is C4."""
    return f"{PITCH_CLASSES[pitch % 12]}{pitch // 12 - 1}"


def find_midi_files(path: Path) -> list[Path]:
    """The MIDI files that `path` stands for: itself, or all in the folder and below, sorted by name.

    Raises:
        UserError: there is no such path, or it holds no MIDI files.
    """
    return find_files(path, SUFFIXES, "MIDI")


def read(path: Path) -> Score:
    """Read a MIDI file of format 0, 1 or 2.

    Raises:
        UserError: it cannot be read, or is no MIDI file, or makes no sense; the sentence names it and says why.
    """
    content = load(path)
    try:
        return parse(content)
    except ValueError as error:
        raise UserError(f"{path} {error}") from error


def load(path: Path) -> bytes:
    """The bytes of a file that may be a MIDI file.

    Raises:
        UserError: it cannot be read, or is too large for one.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise UserError(f"{path} is too large for a MIDI file ({size / 2**20:,.0f} MB)")
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {explain(error, path)}") from error


def parse(content: bytes) -> Score:
    """What the bytes of a MIDI file play.

    Raises:
        ValueError: they are no MIDI file, or a damaged one; the message goes on from the file's name ("is empty").
    """
    if not content:
        raise ValueError("is empty")
    begin = content.find(b"MThd", 0, WRAPPING_BYTES)
    if begin < 0:
        raise ValueError("is not a MIDI file: it does not begin with MThd")
    score = _score(*_tracks(content[begin:]))
    if len(score.notes) and (hours := score.seconds(score.notes[:, 1]).max() / 3600) > MOST_HOURS:
        raise ValueError(f"is damaged: it would last {hours:,.0f} hours")
    return score


def _tracks(content: bytes) -> tuple[int, int, list[bytes]]:
    """Format, unit of time, and the bytes of each track; chunks of other kinds are passed over."""
    if len(content) < 14:
        raise ValueError("is cut short")
    size, kind, count, division = struct.unpack(">LHHh", content[4:14])
    if division == 0:
        raise ValueError("is damaged: its beat has no length")
    tracks: list[bytes] = []
    at = 8 + size
    while len(tracks) < count:
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "big")
        at += 8
        if at + size > len(content):
            raise ValueError(f"is cut short or damaged: {len(tracks)} of its {count} tracks are whole")
        if name == b"MTrk":
            tracks.append(content[at : at + size])
        at += size
    return kind, division, tracks


def _score(kind: int, division: int, tracks: list[bytes]) -> Score:
    scale, smpte = _clock(division)
    tables = [np.empty((0, 5))]
    tempos: list[tuple[float, float]] = []
    parts: list[Part] = []
    offset = 0
    for track in tracks:
        reader = _TrackReader(offset)
        reader.read(track)
        for channel, found in reader.notes.items():
            tables.append(np.insert(np.array(found, float), 4, len(parts), axis=1))
            parts.append(Part(reader.name, reader.programs.get(channel, 0), channel == DRUM_CHANNEL))
        tempos += reader.tempos
        if kind == 2:
            # The tracks of format 2 are pieces of their own: they are played one after the other.
            offset = reader.tick
            tempos.append((offset, 60e6 / DEFAULT_TEMPO))
    table = np.concatenate(tables)
    table[:, :2] /= scale
    hanging = np.isinf(table[:, 1])
    table[hanging, 1] = table[hanging, 0] + HANGING_BEATS
    table = table[np.lexsort((table[:, 2], table[:, 0]))]
    return Score(table, tuple(parts), _tempo_map([] if smpte else tempos, scale))


def _clock(division: int) -> tuple[float, bool]:
    """Ticks in a beat, and whether time is counted in frames of a film: then a beat is taken to be half a second."""
    if division > 0:
        return float(division), False
    frames, ticks = -(division >> 8), division & 0xFF
    return (29.97 if frames == 29 else frames) * max(ticks, 1) * 60 / DEFAULT_TEMPO, True


def _tempo_map(changes: list[tuple[float, float]], scale: float) -> np.ndarray:
    """[K, 2] from changes in (tick, microseconds a beat); of several at a place the last one holds."""
    at = {0.0: 60 / DEFAULT_TEMPO}
    for tick, tempo in sorted(changes, key=lambda change: change[0]):
        if tempo > 0:  # a tempo of 0 would make all that follows one moment
            at[tick / scale] = tempo / 1e6
    return np.array(sorted(at.items()))


def _readable(name: bytes) -> str:
    """A name as text: most are in UTF-8 today, and in Latin-1 none is an error."""
    try:
        text = name.decode("utf-8")
    except UnicodeError:
        text = name.decode("latin-1")
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _events(track: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The events of a track: ticks from its beginning, status, and data. The status of a meta event is 0xFF and the
    byte of its kind.

    Raises:
        ValueError: the track is damaged.
    """
    tick = at = running = 0
    try:
        while at < len(track):
            ticks, at = _number(track, at)
            tick += ticks
            status = track[at]
            if status < 0x80:
                status = running  # that of the event before, which is not repeated
            else:
                at += 1
            if status == 0xFF:
                status = 0xFF00 | track[at]
                size, at = _number(track, at + 1)
            elif status in (0xF0, 0xF7):
                size, at = _number(track, at)
            else:
                size = DATA_BYTES[status]
                running = status if status < 0xF0 else running
            if at + size > len(track):
                raise IndexError
            yield tick, status, track[at : at + size]
            at += size
            if status == END_OF_TRACK:
                return
    except IndexError:
        raise ValueError("is damaged: a track ends in the middle of an event") from None
    except KeyError:
        raise ValueError(f"is damaged: there is no event with the status {status:02X}") from None


def _number(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at a place, of up to four bytes with seven bits each, and the place behind it."""
    value = 0
    for place in range(at, at + 4):
        byte = data[place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + 1
    raise ValueError("is damaged: it holds a number of more than four bytes")


class _TrackReader:
    """Puts the notes of a track together, in ticks from `start`, by channel.

    Attributes:
        name: the first that is given.
        notes: by channel: start, end (infinite where the note is never switched off), pitch, velocity.
        programs: by channel: the first one asked for.
        tempos: tick and microseconds a beat.
        tick: the end of what has been read.
    """

    def __init__(self, start: int):
        self.start = self.tick = start
        self.name = ""
        self.notes: dict[int, list[tuple[float, float, int, int]]] = {}
        self.programs: dict[int, int] = {}
        self.tempos: list[tuple[float, float]] = []
        self._sounding: dict[tuple[int, int], tuple[int, int]] = {}
        #: When a key was last struck while it was sounding.
        self._struck_again: dict[tuple[int, int], int] = {}

    def read(self, track: bytes) -> None:
        """Read all events, and close what still sounds at the end."""
        for tick, status, data in _events(track):
            self.tick = self.start + tick
            kind, channel = status >> 4, status & 0xF
            if kind in (0x8, 0x9):
                # Values above 127, which damaged files and some programs write, are taken as 127.
                pitch, velocity = min(data[0], 127), min(data[1], 127)
                if kind == 0x9 and velocity > 0:
                    self._strike(channel, pitch, velocity)
                elif self._struck_again.pop((channel, pitch), -1) != self.tick:
                    self._end(channel, pitch, self.tick)
            elif kind == 0xC:
                self.programs.setdefault(channel, min(data[0], 127))
            elif status == SET_TEMPO and len(data) == 3:
                self.tempos.append((self.tick, int.from_bytes(data, "big")))
            elif status == TRACK_NAME:
                self.name = self.name or _readable(data)
        for channel, pitch in list(self._sounding):
            self._end(channel, pitch, math.inf)

    def _strike(self, channel: int, pitch: int, velocity: int) -> None:
        """A key that is struck again ends the note that it was playing; that note's own end may stand behind it, at the
        same tick. Struck twice at once, it plays one note.
        """
        key = (channel, pitch)
        if key in self._sounding and self._sounding[key][0] < self.tick:
            self._end(channel, pitch, self.tick)
            self._struck_again[key] = self.tick
        self._sounding[key] = (self.tick, velocity)

    def _end(self, channel: int, pitch: int, tick: float) -> None:
        struck = self._sounding.pop((channel, pitch), None)
        if struck is not None:
            start, velocity = struck
            # Some programs write notes without length; they are meant to be heard.
            self.notes.setdefault(channel, []).append((start, max(tick, start + 1), pitch, velocity))


def write(
    path: Path, notes: np.ndarray, tempo: float = DEFAULT_TEMPO, program: int = 0, name: str = "",
    meter: tuple[int, int] | None = None,
) -> None:  # fmt: skip
    """Write notes as a MIDI file of one track, in place of `path`, making its folder where it is missing.

    A note ends at the latest where the next one of its pitch begins. What no file can hold is left out: notes before
    the beginning or days behind it, and pitches outside 0..127.

    Args:
        path: the file.
        notes: [N, 4 or more]: start and end in beats, pitch, velocity.
        tempo: beats a minute.
        program: General MIDI program, from 0.
        name: of the track.
        meter: beats of a bar and what note a beat is, such as (6, 8), where known.

    Raises:
        UserError: it cannot be written.
    """
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("track_name", name=name.encode("utf-8", "replace").decode("latin-1")))
    microseconds = min(max(round(60e6 / tempo), 1), LONGEST_BEAT)
    track.append(mido.MetaMessage("set_tempo", tempo=microseconds))
    if meter:
        track.append(mido.MetaMessage("time_signature", numerator=meter[0], denominator=meter[1]))
    track.append(mido.Message("program_change", program=program))
    before = 0
    for tick, kind, pitch, velocity in _messages(notes):
        track.append(mido.Message(kind, note=pitch, velocity=velocity, time=tick - before))
        before = tick
    file = mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_BEAT)
    file.tracks.append(track)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as out:
            file.save(file=out)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {explain(error, path)}; free some space or choose another folder"
        ) from error


def _messages(notes: np.ndarray) -> Iterator[tuple[int, str, int, int]]:
    """Tick, kind, pitch and velocity of note-ons and note-offs in their order: at a tick, the offs come first."""
    table = np.asarray(notes, float)[:, :4]
    furthest = (MOST_TICKS - 1) / TICKS_PER_BEAT
    start, end, pitch = table[:, :3].T
    table = table[np.isfinite(table).all(1) & (start <= furthest) & (end >= 0) & (pitch >= 0) & (pitch <= 127)]
    table[:, :2] = np.round(np.clip(table[:, :2], 0, furthest) * TICKS_PER_BEAT)
    table[:, 3] = np.clip(table[:, 3], 1, 127)
    events: list[tuple[int, int, int, int]] = []
    following: dict[int, int] = {}
    # From the end, so that it is known when a pitch is struck next; of several at once the longest is kept.
    for on, off, pitch, velocity in sorted(table.astype(int).tolist(), reverse=True):
        if following.get(pitch) != on:
            off = min(max(off, on + 1), following.get(pitch, MOST_TICKS))
            following[pitch] = on
            events += [(on, 1, pitch, velocity), (off, 0, pitch, 0)]
    for tick, is_on, pitch, velocity in sorted(events):
        yield tick, "note_on" if is_on else "note_off", pitch, velocity


def describe(score: Score) -> dict[str, Any]:
    """Counts for a report: notes that are not drums, drum notes, and minutes."""
    pitched = len(score.pitched)
    seconds = float(score.seconds(score.notes[:, 1]).max()) if len(score.notes) else 0.0
    return {"notes": pitched, "drum_notes": len(score.notes) - pitched, "minutes": seconds / 60}
