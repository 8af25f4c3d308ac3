"""Loops as WAV files that say their tempo, so that samplers and sequencers play them in time without being told.

Beside the samples stand two chunks that such programs read: `acid` holds the number of beats and the tempo, and `smpl`
that the whole sound is to be repeated.
"""

import io
import struct
from pathlib import Path

import numpy as np

from workshop.errors import UserError
from workshop.files import atomic_write, explain

#: What `--bits` may be, and what libsndfile calls it; 32 are floating point numbers.
FORMATS = {16: "PCM_16", 24: "PCM_24", 32: "FLOAT"}
#: Beats in a bar, and what a beat is: quarter notes in bars of four.
METRE = (4, 4)
#: In an acid chunk: the sound is a loop, not a single stroke, and it has no key.
NO_KEY = 0x3C


def write_loop(path: Path, samples: np.ndarray, rate: int, beats: int, bpm: float, bits: int = 16) -> None:
    """Write a loop in place of `path`.

    Args:
        path: a `.wav` file; its folder is made.
        samples: [N]; what is beyond -1 and 1 is clipped where the format knows nothing beyond.
        rate: samples a second.
        beats: in the whole sound.
        bpm: beats a minute.
        bits: 16, 24, or 32 for floating point numbers.

    Raises:
        UserError: the file cannot be written.
    """
    content = wav(samples, rate, beats, bpm, bits)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as file:
            file.write(content)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {explain(error, path)}; free some space or choose --out") from error


def wav(samples: np.ndarray, rate: int, beats: int, bpm: float, bits: int = 16) -> bytes:
    """The bytes of such a file; the arguments are those of `write_loop`."""
    import soundfile

    buffer = io.BytesIO()
    heard = samples if bits == 32 else np.clip(samples, -1, 1)
    soundfile.write(buffer, heard.astype(np.float32), rate, subtype=FORMATS[bits], format="WAV")
    content = buffer.getvalue() + _chunk(b"acid", _acid(beats, bpm)) + _chunk(b"smpl", _sampler(len(samples), rate))
    return content[:4] + struct.pack("<I", len(content) - 8) + content[8:]


def tempo(content: bytes) -> tuple[int, float] | None:
    """Beats and beats a minute that a WAV file of these bytes says; None where it says none."""
    at = 12
    while at + 8 <= len(content):
        name, size = content[at : at + 4], struct.unpack("<I", content[at + 4 : at + 8])[0]
        if name == b"acid" and len(content) >= at + 32:
            beats, bpm = struct.unpack("<I4xf", content[at + 20 : at + 32])
            return int(beats), float(bpm)
        at += 8 + size + size % 2
    return None


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content


def _acid(beats: int, bpm: float) -> bytes:
    """Its flags, the key, two numbers that nobody knows, beats, the metre (lower number first), and the tempo."""
    return struct.pack("<IHHfIHHf", 0, NO_KEY, 0x8000, 0.0, beats, METRE[1], METRE[0], bpm)


def _sampler(samples: int, rate: int) -> bytes:
    """Nine numbers of which only the length of a sample in nanoseconds and middle C are of use, and one loop: its
    number, its kind (forwards), its first and last sample, no fraction, and that it never ends.
    """
    head = struct.pack("<9I", 0, 0, round(1e9 / rate), 60, 0, 0, 0, 1, 0)
    return head + struct.pack("<6I", 0, 0, 0, max(samples - 1, 0), 0, 0)
