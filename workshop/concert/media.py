"""Untrusted media files as content of a page: never embedded as they are, always decoded and encoded again.

A sound becomes MP3, which every browser plays, and a picture PNG; MIDI is rendered with the workshop's instruments, and
a text stays text. Other files are refused.
"""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workshop.audio import audiofiles, synthesis
from workshop.errors import UserError
from workshop.files import explain, reading
from workshop.folders import SUFFIXES
from workshop.notes import midifiles

#: Samples a second of the sounds on a page.
RATE = 44100
#: Limits: bytes of a file, pixels of a picture, and characters of a text.
MAX_BYTES, MAX_PIXELS, MAX_CHARACTERS = 200 << 20, 20_000_000, 20_000


@dataclass(frozen=True)
class Media:
    """Something to hear, see or read: `audio/mpeg` or `image/png` with its bytes, or `text/plain` in UTF-8."""

    kind: str
    content: bytes

    @property
    def text(self) -> str:
        """The text of a text."""
        return self.content.decode("utf-8")

    @property
    def address(self) -> str:
        """It as a data URL, for a page that is one file."""
        return f"data:{self.kind};base64,{base64.b64encode(self.content).decode('ascii')}"


def load(path: Path, most_seconds: float) -> Media:
    """Read a file and encode it for a page.

    Args:
        path: a sound, MIDI file, text or PNG.
        most_seconds: maximal length of a sound; the rest is cut off.

    Raises:
        UserError: it cannot be read, or is of another kind.
    """
    suffix = path.suffix.lower()
    try:
        with reading(path) as (file, size):
            if size > MAX_BYTES:
                raise UserError(f"{path} is larger than what a page can hold ({MAX_BYTES >> 20} MB)")
            if suffix == ".png":
                return Media("image/png", _picture(path, file.read(size)))
            if suffix in SUFFIXES["text"]:
                text = file.read(4 * MAX_CHARACTERS).decode("utf-8", "replace")[:MAX_CHARACTERS]
                return Media("text/plain", text.encode())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {explain(error, path)}") from error
    if suffix in SUFFIXES["MIDI"]:
        return Media("audio/mpeg", _mp3(_played(midifiles.read(path)), most_seconds))
    if suffix in SUFFIXES["audio"]:
        return Media("audio/mpeg", _mp3(audiofiles.read(path, RATE), most_seconds))
    raise UserError(f"{path} is neither a sound nor MIDI, a text or a PNG picture: give one of these")


def _played(score: midifiles.Score) -> np.ndarray:
    """The notes of a MIDI file, all played by the instrument that has most of them; drums are left out."""
    notes = score.with_pedal().pitched
    program = score.parts[int(np.bincount(notes[:, 4].astype(int)).argmax())].program if len(notes) else 0
    return synthesis.render(score.timed(notes)[:, :4], program, RATE)


def _mp3(samples: np.ndarray, most_seconds: float) -> bytes:
    # Late, because most pages need none.
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.clip(samples[: int(most_seconds * RATE)], -1, 1), RATE, format="MP3")
    return file.getvalue()


def _picture(path: Path, content: bytes) -> bytes:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            file = io.BytesIO()
            picture.convert("RGB").save(file, format="PNG")
    except Image.DecompressionBombError as error:  # of twice as many Pillow says it itself
        raise UserError(f"{path} is larger than what a page can hold ({MAX_PIXELS:,} pixels)") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise UserError(f"{path} is damaged: it is no PNG picture") from error
    return file.getvalue()
