"""Files in place of devices: a sound file goes through the room, with the knobs of a recording."""

import contextlib
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from live.limiter import AHEAD
from live.recording import Happening
from live.room import Mixed, Room
from workshop.errors import UserError
from workshop.files import atomic_write, explain
from workshop.run.voice import Block

#: The number of the form of wav files whose samples are in floating point.
_FLOAT = 3


def render(room: Room, samples: np.ndarray, happenings: Mapping[int, Happening]) -> Iterator[Mixed]:
    """Let a room hear samples [N], filled up with silence to whole blocks, and turn its knobs meanwhile.

    Yields:
        what it gives out, block by block.
    """
    blocks = -(-len(samples) // room.block)
    filled = np.zeros(blocks * room.block, np.float32)
    filled[: len(samples)] = samples
    for number, heard in enumerate(np.split(filled, blocks) if blocks else []):
        happening = happenings.get(number, Happening())
        for turn in happening.turns:
            room.turn(turn.knob, turn.position)
        yield room.exchange(Block(heard, happening.words, happening.notes))


def rendered(room: Room, samples: np.ndarray, happenings: Mapping[int, Happening]) -> np.ndarray:
    """The sound that answers samples [N], float32 [N]: each answer at the block that it answers to."""
    padded = np.append(np.asarray(samples, np.float32), np.zeros(AHEAD, np.float32))
    pieces = [mixed.samples for mixed in render(room, padded, happenings)]
    return np.concatenate(pieces)[AHEAD : AHEAD + len(samples)]


def check_output(path: Path, heard: Path) -> None:
    """Refuse a path for the answer before anything is made.

    Raises:
        UserError: it is no wav file's, a folder's, or that of the sound that is heard.
    """
    if path.suffix.lower() != ".wav" or path.is_dir():
        raise UserError(f"{path} is no place for the answer, which is a wav file: name one, such as answer.wav")
    with contextlib.suppress(OSError):
        if path.samefile(heard):
            raise UserError(f"{path} is the sound that is heard, and would be lost: name another file for the answer")


def write_sound(path: Path, samples: np.ndarray, rate: int) -> None:
    """Write samples [N] as a wav file in floating point, as they are.

    Raises:
        UserError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as file:
            file.write(_wav(np.asarray(samples, "<f4"), rate))
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {explain(error, path)}; free some space or choose another folder"
        ) from error


def _wav(samples: np.ndarray, rate: int) -> bytes:
    """A wav file of float32 samples [N]; libsndfile's would hold the time at which it was made."""
    form = struct.pack("<HHIIHHH", _FLOAT, 1, rate, 4 * rate, 4, 32, 0)
    chunks = [(b"fmt ", form), (b"fact", struct.pack("<I", len(samples))), (b"data", samples.tobytes())]
    body = b"WAVE" + b"".join(name + struct.pack("<I", len(content)) + content for name, content in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body
