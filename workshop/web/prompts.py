"""What was recorded or played on the page, for a network to go on from: the last few sounds and melodies, in memory."""

import contextlib
import io
import secrets
import tempfile
import threading
import wave
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from workshop.errors import UserError
from workshop.notes import midifiles

#: How many are remembered, and the bytes of one.
MOST, LARGEST = 20, 4 << 20

#: Seconds of a sound: a recurrent network reads all of it before it begins.
LONGEST_SOUND = 30

#: Notes of a melody, and its length in seconds.
MOST_NOTES, LONGEST = 500, 120.0

#: The tempo of its MIDI file, in beats a minute.
TEMPO = 120.0

#: What each kind is kept as.
SUFFIXES = {"notes": "mid", "sound": "wav"}


class Prompts:
    """Sounds and melodies by names that cannot be guessed. Any thread may ask."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[str, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, makes: str, content: bytes) -> str:
        """Remember a melody as `melody_file` gives it, or a WAV file; return its name.

        Raises:
            UserError: it is no WAV file, or empty, or too large or too long.
        """
        if len(content) > LARGEST:
            raise UserError(f"the recording is too large: the page takes {LARGEST >> 20} MB")
        if makes == "sound":
            seconds = _seconds(content)
            if not seconds:
                raise UserError("the recording is empty: record again, for longer")
            if seconds > LONGEST_SOUND:
                raise UserError(f"the recording is too long: the page takes {LONGEST_SOUND} seconds")
        name = secrets.token_hex(16)
        with self._lock:
            self._kept[name] = makes, content
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return name

    def content(self, makes: str, name: str) -> bytes:
        """What has this name.

        Raises:
            UserError: it is forgotten, or of another kind.
        """
        with self._lock:
            kind, content = self._kept.get(name, ("", b""))
        if kind != makes:
            raise UserError("the server does not remember that recording any more: record or play it again")
        return content

    @contextlib.contextmanager
    def file(self, makes: str, name: str) -> Iterator[Path]:
        """It as a file, which is there within the block.

        Raises:
            UserError: see `content`.
        """
        content = self.content(makes, name)
        with tempfile.TemporaryDirectory(prefix="prompt_") as folder:
            path = Path(folder, f"recording.{SUFFIXES[makes]}")
            path.write_bytes(content)
            yield path


def _seconds(content: bytes) -> float:
    """The length of a WAV file.

    Raises:
        UserError: it is none.
    """
    try:
        with wave.open(io.BytesIO(content)) as file:
            return file.getnframes() / max(file.getframerate(), 1)
    except (wave.Error, EOFError) as error:
        raise UserError("the recording is no WAV file: record it again") from error


def melody_file(said: Any) -> bytes:
    """A MIDI file of notes as a page sends them.

    Args:
        said: a list of [start, end, pitch, velocity], with times in seconds.

    Raises:
        UserError: it is something else, or too long.
    """
    notes = said if isinstance(said, list) and 0 < len(said) <= MOST_NOTES else []
    if not notes or not all(_is_note(note) for note in notes):
        raise UserError(
            f"what was played cannot be used: it is up to {MOST_NOTES} notes within {LONGEST:.0f} seconds; play again"
        )
    table = np.array(sorted(notes), np.float64)
    table[:, :2] *= TEMPO / 60
    with tempfile.TemporaryDirectory(prefix="prompt_") as folder:
        path = Path(folder, "melody.mid")
        midifiles.write(path, table, TEMPO)
        return path.read_bytes()


def _is_note(note: Any) -> bool:
    if not (isinstance(note, list) and len(note) == 4 and all(type(value) in (int, float) for value in note)):
        return False
    start, end, pitch, velocity = note
    is_key = 0 <= pitch <= 127 and 1 <= velocity <= 127 and pitch == int(pitch) and velocity == int(velocity)
    return is_key and 0 <= start < end <= LONGEST
