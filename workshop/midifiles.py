"""MIDI files: what they play, as notes on beats; and notes as a MIDI file.

A file is read with mido, and its notes are put together here, because a collection from anywhere holds what no file
should: notes that never end, a tempo of zero, time counted in frames of a film, texts in unknown encodings. What can be
understood is; what cannot is a `UserError` with the reason.
"""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mido
import numpy as np

from workshop.errors import UserError
from workshop.files import explain, replacing
from workshop.folders import find_files

SUFFIXES = (".mid", ".midi", ".kar", ".smf")

#: Counted up whenever `read` understands a file in another way, so that what was kept of it is read anew.
READER_VERSION = 1
#: A MIDI file of three hours of dense piano has 2 MB; what is larger is something else, and takes minutes to read.
MOST_BYTES = 8 << 20
#: A file whose last note lies further away than this has a damaged clock.
MOST_HOURS = 24
#: A note that is never switched off lasts so long, in beats.
HANGING_BEATS = 4.0
#: General MIDI plays drums on this channel, counted from 0.
DRUM_CHANNEL = 9
#: Where a file says nothing else, and in what `write` writes.
DEFAULT_TEMPO = 120.0
PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
#: Of what `write` writes: sixteenths, triplets and, at 120 beats a minute, hundredths of a second are whole ticks.
TICKS_PER_BEAT = 1200


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
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise UserError(f"{path} is too large for a MIDI file ({size / 2**20:.0f} MB)")
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {explain(error, path)}") from error
    try:
        return parse(content)
    except ValueError as error:
        raise UserError(f"{path} {error}") from error


def parse(content: bytes) -> Score:
    """What the bytes of a MIDI file play.

    Raises:
        ValueError: they are no MIDI file, or a damaged one; the message goes on from the file's name ("is empty").
    """
    if not content:
        raise ValueError("is empty")
    if not content.startswith(b"MThd"):
        raise ValueError("is not a MIDI file: it does not begin with MThd")
    try:
        # Values above 127, which damaged files and some programs write, are taken as 127.
        file = mido.MidiFile(file=io.BytesIO(content), clip=True)
    except EOFError:
        raise ValueError("is cut short") from None
    except Exception as error:  # mido says what bytes are wrong in many ways, not all of them its own
        raise ValueError(f"is damaged ({type(error).__name__}: {str(error)[:80]})") from error
    if file.ticks_per_beat == 0:
        raise ValueError("is damaged: its beat has no length")
    score = _score(file)
    if len(score.notes) and (hours := score.seconds(score.notes[:, 1]).max() / 3600) > MOST_HOURS:
        raise ValueError(f"is damaged: it would last {hours:,.0f} hours")
    return score


def _score(file: mido.MidiFile) -> Score:
    scale, smpte = _clock(file.ticks_per_beat)
    notes: list[tuple[float, float, int, int, int]] = []
    tempos: list[tuple[float, float]] = []
    parts: list[Part] = []
    offset = 0
    for track in file.tracks:
        reader = _TrackReader(offset)
        reader.read(track)
        for channel, found in reader.notes.items():
            notes += [(start, end, pitch, velocity, len(parts)) for start, end, pitch, velocity in found]
            parts.append(Part(_readable(track.name), reader.programs.get(channel, 0), channel == DRUM_CHANNEL))
        tempos += reader.tempos
        # The tracks of format 2 are pieces of their own: they are played one after the other.
        offset = reader.tick if file.type == 2 else 0
    table = np.array(notes, float).reshape(-1, 5)
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


def _readable(name: str) -> str:
    """A name as text: mido has read its bytes as Latin-1, and today most files are in UTF-8."""
    try:
        return name.encode("latin-1").decode("utf-8").strip()
    except UnicodeError:
        return name.strip()


class _TrackReader:
    """Puts the notes of a track together, in ticks from `start`, by channel.

    Attributes:
        notes: by channel: start, end (infinite where the note is never switched off), pitch, velocity.
        programs: by channel: the first one asked for.
        tempos: tick and microseconds a beat.
        tick: the end of what has been read.
    """

    def __init__(self, start: int):
        self.tick = start
        self.notes: dict[int, list[tuple[float, float, int, int]]] = {}
        self.programs: dict[int, int] = {}
        self.tempos: list[tuple[float, float]] = []
        self._sounding: dict[tuple[int, int], tuple[int, int]] = {}

    def read(self, track: mido.MidiTrack) -> None:
        """Read all messages, and close what still sounds at the end."""
        for message in track:
            self.tick += message.time
            kind = message.type
            if kind == "note_on" and message.velocity > 0:
                # A key that is struck again ends the note that it was playing.
                self._end(message.channel, message.note, self.tick)
                self._sounding[message.channel, message.note] = (self.tick, message.velocity)
            elif kind in ("note_on", "note_off"):
                self._end(message.channel, message.note, self.tick)
            elif kind == "program_change":
                self.programs.setdefault(message.channel, message.program)
            elif kind == "set_tempo":
                self.tempos.append((self.tick, message.tempo))
        for channel, pitch in list(self._sounding):
            self._end(channel, pitch, math.inf)

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
    track.append(mido.MetaMessage("track_name", name=name.encode("ascii", "replace").decode()))
    track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo)))
    if meter:
        track.append(mido.MetaMessage("time_signature", numerator=meter[0], denominator=meter[1]))
    track.append(mido.Message("program_change", program=program))
    before = 0
    for tick, kind, pitch, velocity in _events(notes):
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


def _events(notes: np.ndarray) -> Iterator[tuple[int, str, int, int]]:
    """Tick, kind, pitch and velocity of note-ons and note-offs in their order: at a tick, the offs come first."""
    events: list[tuple[int, int, int, int]] = []
    for start, end, pitch, velocity in np.asarray(notes)[:, :4].tolist():
        on = round(start * TICKS_PER_BEAT)
        off = max(round(end * TICKS_PER_BEAT), on + 1)
        events += [(on, 1, int(pitch), int(velocity)), (off, 0, int(pitch), 0)]
    for tick, is_on, pitch, velocity in sorted(events):
        yield tick, "note_on" if is_on else "note_off", pitch, velocity


def describe(score: Score) -> dict[str, Any]:
    """Counts for a report: notes that are not drums, drum notes, and minutes."""
    pitched = len(score.pitched)
    seconds = float(score.seconds(score.notes[:, 1]).max()) if len(score.notes) else 0.0
    return {"notes": pitched, "drum_notes": len(score.notes) - pitched, "minutes": seconds / 60}
