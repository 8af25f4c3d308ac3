"""Read MIDI files as notes in beats, and write notes as MIDI files.

Files are written with mido. They are parsed here, because real collections hold many invalid files: notes that never
end, a tempo of zero, SMPTE time, keys with nine sharps, texts in unknown encodings. The reader is lenient where it can
be; otherwise it raises a `UserError` with the reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import mido
import numpy as np

from workshop import folders
from workshop.errors import UserError
from workshop.files import atomic_write, explain
from workshop.folders import find_files
from workshop.notes import other_formats
from workshop.notes.midi_drums import BANK, DrumSettings, drum_channels
from workshop.notes.midi_events import PORT, SET_TEMPO, TIME_SIGNATURE, TRACK_NAME, events, tracks
from workshop.notes.midi_pairing import ENDS_NOTES, PEDALS, RESET_CONTROLLERS, Control, Note, Place, held, paired

SUFFIXES = folders.SUFFIXES["MIDI"]

#: Raise it when `read` reads files differently, so that cached files are read again.
READER_VERSION = 5
#: A MIDI file of three hours of dense piano has 2 MB; what is larger is something else.
MAX_BYTES = 8 << 20
#: A file whose last note lies further away than this has a damaged clock.
MAX_HOURS = 24
#: A note that is never switched off lasts so long, in beats.
HANGING_BEATS = 4.0
#: Maximal length of a wrapper (MacBinary) before the MIDI header, in bytes; in .rmi pictures and texts may precede it.
WRAPPING_BYTES = 1024
#: Beats a minute where a file says nothing else, and in what `write` writes; and beats of a bar.
DEFAULT_TEMPO = 120.0
DEFAULT_BAR = 4.0
#: Meters are read up to sixteenths, as a power of two, so that bars are whole sixteenths.
FINEST_METER = 4
#: Control changes that say something about the lengths of notes.
USED_CONTROLLERS = {*PEDALS, RESET_CONTROLLERS, *ENDS_NOTES}
PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
#: Of what `write` writes: sixteenths, triplets and, at 120 beats a minute, hundredths of a second are whole ticks.
TICKS_PER_BEAT = 1200
#: The largest numbers that a file has room for: the ticks between two events, and the microseconds of a beat.
MAX_TICKS = (1 << 28) - 1
LONGEST_BEAT = (1 << 24) - 1


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
        bars: float64 [K, 2]: beat, and beats of a bar from there on; the first is at beat 0.
        held: float64 [H, 2]: what the sustain pedal holds: row of a note that sounds beyond its own end, and until
            which beat.
    """

    notes: np.ndarray
    parts: tuple[Part, ...]
    tempos: np.ndarray
    bars: np.ndarray = field(default_factory=lambda: np.array([(0.0, DEFAULT_BAR)]))
    held: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))

    def seconds(self, beats: np.ndarray) -> np.ndarray:
        """When beats fall, in seconds from the beginning, by the file's tempos."""
        starts, lengths = self.tempos.T
        elapsed = np.concatenate([[0.0], np.cumsum(np.diff(starts) * lengths[:-1])])
        at = np.searchsorted(starts, beats, side="right") - 1
        return elapsed[at] + (beats - starts[at]) * lengths[at]

    def timed(self, notes: np.ndarray) -> np.ndarray:
        """Notes [N, 4 or more] with their first two columns, start and end, turned from beats into seconds."""
        return np.column_stack([self.seconds(notes[:, 0]), self.seconds(notes[:, 1]), notes[:, 2:]])

    def with_pedal(self) -> "Score":
        """The same with notes that last as long as the sustain pedal holds them."""
        notes = self.notes.copy()
        notes[self.held[:, 0].astype(int), 1] = self.held[:, 1]
        return replace(self, notes=notes, held=np.empty((0, 2)))

    @property
    def pitched(self) -> np.ndarray:
        """The notes that are not drums."""
        return self.notes[~np.array([part.is_drums for part in self.parts], bool)[self.notes[:, 4].astype(int)]]


def pitch_name(pitch: int) -> str:
    """The name of a pitch with its octave: 60 is C4."""
    return f"{PITCH_CLASSES[pitch % 12]}{pitch // 12 - 1}"


def find_midi_files(path: Path) -> list[Path]:
    """The MIDI files at `path`: the file itself, or all files in the folder and below, sorted by name; among them what
    is of `other_formats`, which `read` refuses with the reason.

    Raises:
        UserError: there is no such path, or it holds no MIDI files.
    """
    return other_formats.without_exported(find_files(path, SUFFIXES, "MIDI", also=other_formats.SUFFIXES))


def read(path: Path) -> Score:
    """Read a MIDI file of format 0, 1 or 2.

    Raises:
        UserError: it cannot be read, is no MIDI file, or is damaged; the sentence names it and says why.
    """
    content = load(path)
    try:
        return parse(content)
    except ValueError as error:
        raise UserError(f"{path} {error}") from error


def load(path: Path) -> bytes:
    """The bytes of a file that may be a MIDI file.

    Raises:
        UserError: it cannot be read, is of one of the `other_formats`, or is too large for one.
    """
    try:
        other_formats.refuse(path)
        size = path.stat().st_size
        if size > MAX_BYTES:
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
    begin = content.find(b"MThd", 0, len(content) if content[8:12] == b"RMID" else WRAPPING_BYTES)
    if begin < 0:
        raise ValueError("is not a MIDI file: it does not begin with MThd")
    score = _score(*tracks(content[begin:]))
    if len(score.notes) and (hours := score.seconds(score.notes[:, 1]).max() / 3600) > MAX_HOURS:
        raise ValueError(f"is damaged: it would last {hours:,.0f} hours")
    return score


def _score(kind: int, division: int, tracks: list[bytes]) -> Score:
    scale, smpte = _clock(division)
    readers: list[_TrackReader] = []
    offset = number = 0
    for piece, track in enumerate(tracks):
        # The tracks of format 2 are separate pieces: they are played one after the other.
        reader = _TrackReader(offset, number, piece if kind == 2 else 0)
        reader.read(track)
        readers.append(reader)
        number = reader.number
        offset = reader.tick if kind == 2 else 0
    parts, table, ringing = _notes(readers, HANGING_BEATS * scale)
    table[:, :2] /= scale
    ringing[:, 1] /= scale
    order = np.lexsort((table[:, 2], table[:, 0]))
    ringing[:, 0] = np.argsort(order)[ringing[:, 0].astype(int)]
    tempos = [] if smpte else _changes(readers, "tempos", 60 / DEFAULT_TEMPO, kind)
    bars = [] if smpte else _changes(readers, "bars", DEFAULT_BAR, kind)
    return Score(
        table[order], parts, _map(tempos, 60 / DEFAULT_TEMPO, scale), _map(bars, DEFAULT_BAR, scale),
        ringing[np.argsort(ringing[:, 0])],
    )  # fmt: skip


def _notes(readers: list["_TrackReader"], longest: float) -> tuple[tuple[Part, ...], np.ndarray, np.ndarray]:
    """The parts of a file, its notes [N, 5] in ticks, part by part, and what the sustain pedal holds: rows of those
    notes and their ends in ticks [H, 2].
    """
    parts: list[Part] = []
    notes: list[tuple[float, float, int, int, int]] = []
    channels: dict[tuple[int, int, int], list[tuple[int, Note]]] = {}  # with the rows that the notes have
    controls: dict[tuple[int, int, int], list[Control]] = {}
    drums = drum_channels((reader.drums, {channel: reader.key(channel) for channel in range(16)}) for reader in readers)
    for reader in readers:
        for channel, changes in reader.controls.items():
            controls.setdefault(reader.key(channel), []).extend(changes)
    for changes in controls.values():
        changes.sort(key=lambda change: change.place)
    for reader in readers:
        for channel, keys in reader.presses.items():
            changes = controls.get(reader.key(channel), [])
            found = [note for pitch, presses in keys.items() for note in paired(pitch, presses, longest, changes)]
            if found:
                rows = enumerate(found, len(notes))
                channels.setdefault(reader.key(channel), []).extend(rows)
                notes += [(note.struck[0], note.end, note.pitch, note.velocity, len(parts)) for note in found]
                parts.append(Part(reader.name, reader.programs.get(channel, 0), reader.key(channel) in drums))
    ringing: list[tuple[int, float]] = []
    for key, numbered in channels.items():
        if key not in drums and any(change.controller in PEDALS for change in controls.get(key, [])):
            # Notes held by the pedal end with the file.
            end = max(reader.tick for reader in readers if reader.piece == key[0])
            last = min(end, max(note.end for _, note in numbered) + longest)
            ends = held([note for _, note in numbered], controls[key], last)
            ringing += [(row, end) for (row, note), end in zip(numbered, ends, strict=True) if end > note.end]
    return tuple(parts), np.array(notes, float).reshape(-1, 5), np.array(ringing, float).reshape(-1, 2)


def _clock(division: int) -> tuple[float, bool]:
    """Ticks in a beat, and whether time is counted in frames of a film: then a beat is taken to be half a second."""
    if division > 0:
        return float(division), False
    frames, ticks = -(division >> 8), division & 0xFF
    return (29.97 if frames == 29 else frames) * max(ticks, 1) * 60 / DEFAULT_TEMPO, True


def _changes(readers: list["_TrackReader"], what: str, default: float, kind: int) -> list[tuple[float, float]]:
    """The changes, of tempo or of meter, that the tracks name; behind each piece of format 2 the default holds."""
    found: list[tuple[float, float]] = []
    for reader in readers:
        found += getattr(reader, what)
        found += [(reader.tick, default)] if kind == 2 else []
    return found


def _map(changes: list[tuple[float, float]], default: float, scale: float) -> np.ndarray:
    """[K, 2] in beats from changes in (tick, value); of several at a place the last one holds."""
    at = {0.0: default} | {tick / scale: value for tick, value in sorted(changes, key=lambda change: change[0])}
    return np.array(sorted(at.items()))


def _readable(name: bytes) -> str:
    """A name as text: most are in UTF-8 today, and in Latin-1 none is an error."""
    try:
        text = name.decode("utf-8")
    except UnicodeError:
        text = name.decode("latin-1")
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


class _TrackReader:
    """Sorts what happens in a track, in ticks from `start`, by channel.

    Attributes:
        name: the first that is given.
        presses: by channel and key: place and velocity of note-ons and, with velocity 0, of note-offs.
        controls: by channel: changes of controllers that end notes or hold them.
        programs: by channel: the first one asked for.
        drums: what is said about channels of drums.
        tempos: tick and seconds a beat.
        bars: tick and beats a bar.
        tick: the end of what has been read.
        number: of its next event, counted through the file.
        piece: in a file of format 2 the number of the track; else 0.
    """

    def __init__(self, start: int, number: int, piece: int):
        self.start = self.tick = start
        self.number, self.piece = number, piece
        self.name = ""
        self.presses: dict[int, dict[int, list[tuple[Place, int]]]] = {}
        self.controls: dict[int, list[Control]] = {}
        self.programs: dict[int, int] = {}
        self.drums = DrumSettings()
        self.tempos: list[tuple[float, float]] = []
        self.bars: list[tuple[float, float]] = []
        self._port = 0

    def key(self, channel: int) -> tuple[int, int, int]:
        """What tells a channel from all others of the file: piece, port and number."""
        return self.piece, self._port, channel

    def read(self, track: bytes) -> None:
        """Read all events."""
        for tick, status, data, _ in events(track):
            self.tick = self.start + tick
            self.number += 1
            kind, channel = status >> 4, status & 0xF
            if kind in (0x8, 0x9):
                # Values above 127, which damaged files and some programs write, are taken as 127.
                pitch, velocity = min(data[0], 127), min(data[1], 127) if kind == 0x9 else 0
                presses = self.presses.setdefault(channel, {}).setdefault(pitch, [])
                presses.append(((self.tick, self.number), velocity))
            elif kind == 0xB and data[0] in USED_CONTROLLERS:
                change = Control((self.tick, self.number), data[0], min(data[1], 127))
                self.controls.setdefault(channel, []).append(change)
            elif kind == 0xB and data[0] == BANK and channel not in self.presses:
                self.drums.banks[channel] = data[1]
            elif kind == 0xC:
                self.programs.setdefault(channel, min(data[0], 127))
            elif status == 0xF0:
                self.drums.read(data)
            elif status > 0xFF:
                self._read_meta(status, data)

    def _read_meta(self, status: int, data: bytes) -> None:
        if status == SET_TEMPO and len(data) == 3 and any(data):  # a tempo of 0 would make all that follows one moment
            self.tempos.append((self.tick, int.from_bytes(data, "big") / 1e6))
        elif status == TIME_SIGNATURE and len(data) >= 2 and data[0] and data[1] <= FINEST_METER:
            self.bars.append((self.tick, 4 * data[0] / 2 ** data[1]))
        elif status == TRACK_NAME:
            self.name = self.name or _readable(data)
        elif status == PORT and len(data) == 1:
            self._port = data[0]


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
        with atomic_write(path) as out:
            file.save(file=out)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {explain(error, path)}; free some space or choose another folder"
        ) from error


def _messages(notes: np.ndarray) -> Iterator[tuple[int, str, int, int]]:
    """Tick, kind, pitch and velocity of note-ons and note-offs in their order: at a tick, the offs come first."""
    table = np.asarray(notes, float)[:, :4]
    furthest = (MAX_TICKS - 1) / TICKS_PER_BEAT
    start, end, pitch = table[:, :3].T
    table = table[np.isfinite(table).all(1) & (start <= furthest) & (end >= 0) & (pitch >= 0) & (pitch <= 127)]
    table[:, :2] = np.round(np.clip(table[:, :2], 0, furthest) * TICKS_PER_BEAT)
    table[:, 3] = np.clip(table[:, 3], 1, 127)
    events: list[tuple[int, int, int, int]] = []
    following: dict[int, int] = {}
    # From the end, so that it is known when a pitch is struck next; of several at once the longest is kept.
    for on, off, pitch, velocity in sorted(table.astype(int).tolist(), reverse=True):
        if following.get(pitch) != on:
            off = min(max(off, on + 1), following.get(pitch, MAX_TICKS))
            following[pitch] = on
            events += [(on, 1, pitch, velocity), (off, 0, pitch, 0)]
    for tick, is_on, pitch, velocity in sorted(events):
        yield tick, "note_on" if is_on else "note_off", pitch, velocity
