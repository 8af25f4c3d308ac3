"""What was heard and played, kept: two wav files, and the knobs, notes and words as a MIDI file.

A tick of the MIDI file is a block, and samples are kept as they were, in floating point: rendered again from them, the
sound is the same, sample for sample.
"""

import queue
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import mido
import numpy as np
import soundfile

from live.controls import Controls, Turn, message_for
from live.room import Mixed
from workshop.audio import audiofiles
from workshop.errors import UserError
from workshop.files import explain, reading
from workshop.run.voice import Block, Knobs, PlayedNote

#: Ticks of a beat last about so many seconds, because players of MIDI files want a tempo.
_BEAT_SECONDS = 0.5
#: How the file says what a tick is, and how that is read: numbers above 0, of a rate and a block that can be.
_ROOM = "{} samples a second, {} in a block"
_IN_ROOM = re.compile("([1-9][0-9]{3,6}) samples a second, ([1-9][0-9]{0,4}) in a block")


@dataclass(frozen=True)
class Happening:
    """What happens at the beginning of a block: knobs that are turned, keys, words."""

    turns: tuple[Turn, ...] = ()
    notes: tuple[PlayedNote, ...] = ()
    words: str = ""


@dataclass(frozen=True)
class KeptKnobs:
    """What a MIDI file of knobs, notes and words holds.

    Attributes:
        happenings: for each block in which something happens.
        rate: samples a second of the room; None where the file does not say, as for `block`.
        block: samples in a block.
    """

    happenings: Mapping[int, Happening] = field(default_factory=dict)
    rate: int | None = None
    block: int | None = None


class Recorder:
    """Writes as it goes, in a thread of its own. Where nothing comes, no file is left.

    Args:
        stem: path without suffix: `stem.wav` gets what is given out, `stem.input.wav` what is heard, `stem.mid` the
            rest.
        rate: samples a second.
        block: samples in a block.

    Raises:
        UserError: the files are there already, or cannot be written.
    """

    def __init__(self, stem: Path, rate: int, block: int):
        self.files = [stem.with_name(f"{stem.name}{suffix}") for suffix in (".wav", ".input.wav", ".mid")]
        if there := [file for file in self.files if file.exists()]:
            raise UserError(f"{there[0]} is there already, of another recording: choose another name for --record")
        try:
            stem.parent.mkdir(parents=True, exist_ok=True)
            self._sounds = [_opened(file, rate) for file in self.files[:2]]
        except OSError as error:
            raise _cannot(self.files[0], error) from error
        beat = max(round(_BEAT_SECONDS * rate / block), 1)
        self._midi = mido.MidiFile(ticks_per_beat=beat)
        self._track = self._midi.add_track("knobs of the live room")
        self._track.append(mido.MetaMessage("set_tempo", tempo=min(round(1e6 * beat * block / rate), (1 << 24) - 1)))
        self._track.append(mido.MetaMessage("text", text=_ROOM.format(rate, block)))
        self._knobs: Knobs | None = None
        self._is_empty = True
        self._since = 0
        self._queue: queue.SimpleQueue[tuple[Block, Mixed] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._thread.start()
        #: Why nothing is written any more.
        self.problem = ""

    def add(self, heard: Block, mixed: Mixed) -> None:
        """Keep a block: what was heard, and what was given out meanwhile, with the knobs at that time."""
        if self.problem:  # nobody takes from the queue any more
            return
        for message in self._messages(heard, mixed.knobs):
            self._track.append(message.copy(time=self._since))
            self._since = 0
        self._since += 1
        self._is_empty = False
        self._queue.put((heard, mixed))

    def close(self) -> None:
        """Finish the files.

        Raises:
            UserError: they could not all be written.
        """
        self._queue.put(None)
        self._thread.join()
        if self._is_empty:
            for file in self.files[:2]:
                file.unlink(missing_ok=True)
            self.files = []
            return
        if self.problem:
            raise UserError(self.problem)
        try:
            self._midi.save(self.files[2])
        except OSError as error:
            raise _cannot(self.files[2], error) from error

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _messages(self, heard: Block, knobs: Knobs) -> Iterator[mido.Message | mido.MetaMessage]:
        before = asdict(self._knobs) if self._knobs else {}
        self._knobs = knobs
        for name, position in asdict(knobs).items():
            if before.get(name) != position:
                yield mido.Message.from_bytes(message_for(name, position))
        for note in heard.notes:
            yield mido.Message("note_on", note=note.pitch, velocity=note.velocity)
        if heard.words:
            yield mido.MetaMessage("lyrics", text=heard.words.encode().decode("latin-1"))

    def _work(self) -> None:
        try:
            while item := self._queue.get():
                heard, mixed = item
                self._sounds[0].write(mixed.samples)
                self._sounds[1].write(np.asarray(heard.samples, np.float32))
        except (OSError, soundfile.LibsndfileError) as error:
            self.problem = f"the recording ends early, because {self.files[0]} cannot be written: {error}"
        finally:
            for sound in self._sounds:
                sound.close()


def _opened(file: Path, rate: int) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(file, "w", rate, 1, "FLOAT", format="WAV")
    except soundfile.LibsndfileError as error:
        raise OSError(0, str(error)) from error


def _cannot(file: Path, error: OSError) -> UserError:
    return UserError(f"{file} cannot be written: {explain(error, file)}; free some space or choose another folder")


def read_knobs(path: Path) -> KeptKnobs:
    """What a MIDI file of knobs, notes and words holds.

    Raises:
        UserError: it cannot be read.
    """
    try:
        with reading(path) as (content, _):
            file = mido.MidiFile(file=content)
    except (OSError, EOFError, ValueError, KeyError, IndexError, mido.KeySignatureError) as error:
        raise UserError(
            f"{path} cannot be read as a MIDI file of knobs: {error}; give one that was recorded"
        ) from error
    controls, found, now = Controls(), dict[int, Happening](), 0
    rate = block = None
    for message in mido.merge_tracks(file.tracks):
        now += message.time
        before = found.get(now, Happening())
        if message.type == "text" and (room := _IN_ROOM.fullmatch(message.text)):
            rate, block = int(room[1]), int(room[2])
        elif message.type == "lyrics":
            words = before.words + message.text.encode("latin-1").decode("utf-8", "replace")
            found[now] = Happening(before.turns, before.notes, words)
        elif not message.is_meta:
            match controls.read(bytes(message.bytes())):
                case Turn() as turn:
                    found[now] = Happening((*before.turns, turn), before.notes, before.words)
                case PlayedNote() as note:
                    found[now] = Happening(before.turns, (*before.notes, note), before.words)
    return KeptKnobs(found, rate, block)


def read_sound(path: Path, rate: int) -> np.ndarray:
    """The samples float32 [N] of a sound file at a rate: as they are in a wav file of that rate with one channel, or
    else as the lessons read it.

    Raises:
        UserError: it cannot be read.
    """
    as_it_is = _as_it_is(path, rate)
    return audiofiles.read(path, rate) if as_it_is is None else as_it_is


def _as_it_is(path: Path, rate: int) -> np.ndarray | None:
    """The samples of a wav file that needs no care; None for others, such as one of several recordings, or one that was
    never finished.
    """
    try:
        with reading(path) as (file, _):
            if file.read(4) != b"RIFF":
                return None
            file.seek(0)
            samples, found = soundfile.read(file, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError, TypeError):  # a TypeError for .raw, which may have any format
        return None
    return samples[:, 0] if len(samples) and found == rate and samples.shape[1] == 1 else None
