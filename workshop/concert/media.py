"""Files of other people as something that a page can hold: never as they are, always read and encoded again.

A sound becomes MP3, which every browser plays, a picture PNG, MIDI is played by the workshop's instruments, and a text
is a text. What is no such file is refused.
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
#: Bytes of a file that is read, pixels of a picture, and characters of a text.
LARGEST, MOST_PIXELS, LONGEST_TEXT = 200 << 20, 20_000_000, 20_000


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
        """The whole of it as an address, for a page that is one file."""
        return f"data:{self.kind};base64,{base64.b64encode(self.content).decode('ascii')}"


def load(path: Path, most_seconds: float) -> Media:
    """What a page can hold of a file.

    Args:
        path: a sound, MIDI file, text or PNG.
        most_seconds: of sound, after which it is cut off.

    Raises:
        UserError: it cannot be read, or is of another kind.
    """
    suffix = path.suffix.lower()
    try:
        with reading(path) as (file, size):
            if size > LARGEST:
                raise UserError(f"{path} is larger than what a page can hold ({LARGEST >> 20} MB)")
            if suffix == ".png":
                return Media("image/png", _picture(path, file.read(size)))
            if suffix in SUFFIXES["text"]:
                text = file.read(4 * LONGEST_TEXT).decode("utf-8", "replace")[:LONGEST_TEXT]
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
            if picture.width * picture.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            file = io.BytesIO()
            picture.convert("RGB").save(file, format="PNG")
    except Image.DecompressionBombError as error:  # of twice as many Pillow says it itself
        raise UserError(f"{path} is larger than what a page can hold ({MOST_PIXELS:,} pixels)") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise UserError(f"{path} is damaged: it is no PNG picture") from error
    return file.getvalue()
