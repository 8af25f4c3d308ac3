"""Sounds that have been read once, kept as files of 16-bit samples, and read from there as far as they are needed.

A file is: SHA-256 of all that follows, 32 bytes; the samples; what was changed in them, as JSON; and the length of
that, 4 bytes.
"""

import contextlib
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from workshop.files import atomic_write

DIGEST, LENGTH = 32, 4
#: Bytes that are read at once to be checked.
CHECKED = 1 << 22
#: What a sample of full scale is kept as.
FULL_SCALE = 32767


class KeptSamples:
    """Samples of a sound: it has a length, and its slices are float32 from -1 to 1.

    Args:
        file: open to be read, as `write` made it; it is closed by `close`.

    Raises:
        ValueError: it is damaged.
    """

    def __init__(self, file: IO[bytes]):
        self._file = file
        file.seek(0)
        known, digest = file.read(DIGEST), hashlib.sha256()
        while content := file.read(CHECKED):
            digest.update(content)
        if digest.digest() != known:
            raise ValueError("it is not what was written")
        end = file.seek(-LENGTH, io.SEEK_END)
        length = int.from_bytes(file.read(), "little")
        self._count = (file.seek(end - length) - DIGEST) // 2
        #: What was changed in the sound.
        self.remarks: tuple[str, ...] = tuple(json.loads(file.read(length)))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, part: slice) -> np.ndarray:
        """Samples in a row."""
        begin, end, step = part.indices(self._count)
        if step != 1:
            raise ValueError("only samples in a row can be read")
        self._file.seek(DIGEST + 2 * begin)
        content = self._file.read(2 * max(end - begin, 0))
        return np.frombuffer(content, "<i2").astype(np.float32) / FULL_SCALE

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def opened(path: Path) -> KeptSamples | None:
    """What is kept in a file, or None where there is nothing, or it is damaged."""
    with contextlib.suppress(OSError):
        file = open(path, "rb")  # noqa: SIM115 - closed with what is kept
        try:
            return KeptSamples(file)
        except (OSError, ValueError):
            file.close()
    return None


def keep(path: Path, pieces: Iterable[np.ndarray], remarks: Sequence[str]) -> KeptSamples:
    """Keep samples, float32 [any number] each, in a file, as they come; where that cannot be written, in memory.

    Args:
        path: the file; its folder is made.
        pieces: the samples, which can be gone through twice.
        remarks: what was changed in the sound.
    """
    with contextlib.suppress(OSError):  # where it cannot be kept, it is read again the next time
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as file:
            write(file, pieces, remarks)
        if found := opened(path):
            return found
    memory = io.BytesIO()
    write(memory, pieces, remarks)
    return KeptSamples(memory)


def write(file: IO[bytes], pieces: Iterable[np.ndarray], remarks: Sequence[str]) -> None:
    """Write samples into an empty file as they come."""
    digest = hashlib.sha256()

    def put(content: bytes) -> None:
        digest.update(content)
        file.write(content)

    file.write(bytes(DIGEST))
    for piece in pieces:
        put(np.round(piece * FULL_SCALE).astype("<i2").tobytes())
    said = json.dumps(list(remarks)).encode()
    put(said)
    put(len(said).to_bytes(LENGTH, "little"))
    file.seek(0)
    file.write(digest.digest())
