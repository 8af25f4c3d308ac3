"""Sound files whose header was never finished: a recorder that is cut off leaves zeros where the length belongs, and
all that it had written stands behind them.
"""

import os
import struct
from collections.abc import Mapping
from typing import BinaryIO, NamedTuple, cast

from workshop.audio.concatenated import Part

#: Chunks that are looked through for the sound.
MOST_CHUNKS = 1000
#: The length in a header that stands for "to the end": of AU files, and of CAF files.
AU_TO_END, CAF_TO_END = b"\xff" * 4, b"\xff" * 8
#: Where an AU file says how long it is, and where a RF64 file does: behind the length of the file as a whole.
AU_LENGTH, RF64_LENGTH = 8, 8


class _Form(NamedTuple):
    """How the chunks of a format begin: their name, and their length as `struct` reads it; `first` is where."""

    first: int
    length: struct.Struct
    data: bytes
    padding: int


class _Chunk(NamedTuple):
    """A chunk's name, where its length stands, where it begins behind that, and its length."""

    name: bytes
    length_at: int
    begin: int
    length: int


_RIFF = _Form(12, struct.Struct("<I"), b"data", 2)
_FORMS = {
    b"RIFF": _RIFF,
    b"RF64": _RIFF,
    b"RIFX": _Form(12, struct.Struct(">I"), b"data", 2),
    b"FORM": _Form(12, struct.Struct(">I"), b"SSND", 2),
    b"caff": _Form(8, struct.Struct(">q"), b"data", 1),
}


class _Corrected(Part):
    """A file with other bytes in some places.

    Args:
        file: as it is.
        size: bytes of it.
        corrections: what stands in a place instead.
    """

    def __init__(self, file: BinaryIO, size: int, corrections: Mapping[int, bytes]):
        super().__init__(file, 0, size)
        self._bytes = {at + i: byte for at, content in corrections.items() for i, byte in enumerate(content)}

    def readinto(self, buffer: object) -> int:
        """Fill as much of a buffer as there is left; return how many bytes that are."""
        begin = self.tell()
        count = super().readinto(buffer)
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        for at, byte in self._bytes.items():
            if begin <= at < begin + count:
                view[at - begin] = byte
        return count


def finished(file: BinaryIO) -> BinaryIO | None:
    """A file in which no samples were found, with the length of what stands behind its header; None where nothing does,
    or another thing than sound, and where the format is none of these.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    name = file.read(4)
    if name == b".snd":
        corrections = {AU_LENGTH: AU_TO_END}
    elif name in _FORMS:
        corrections = _of_chunks(file, name, size)
    else:
        return None
    return cast(BinaryIO, _Corrected(file, size, corrections)) if corrections else None


def _of_chunks(file: BinaryIO, name: bytes, size: int) -> dict[int, bytes]:
    """What to correct in a file of chunks; nothing where it has an end."""
    form = _FORMS[name]
    before = _chunks(file, form, form.first, size)
    found = {chunk.name: chunk for chunk in before}
    data = found.get(form.data)
    if data is None or _is_over(file, form, data, size):
        return {}
    rest = size - data.begin
    if name == b"RF64" and b"ds64" in found:
        return {found[b"ds64"].begin + RF64_LENGTH: rest.to_bytes(8, "little")}
    if name == b"caff":
        return {data.length_at: CAF_TO_END}
    return {data.length_at: form.length.pack(min(rest, 0xFFFFFFFF))}


def _chunks(file: BinaryIO, form: _Form, at: int, size: int) -> list[_Chunk]:
    """The chunks from byte `at` on, up to that of the sound or to one that goes beyond the end."""
    found: list[_Chunk] = []
    header = 4 + form.length.size
    while at + header <= size and len(found) < MOST_CHUNKS:
        file.seek(at)
        content = file.read(header)
        (length,) = form.length.unpack(content[4:])
        found.append(_Chunk(content[:4], at + 4, at + header, length))
        if content[:4] == form.data or length < 0:
            break
        at += header + length + length % form.padding
    return found


def _is_over(file: BinaryIO, form: _Form, data: _Chunk, size: int) -> bool:
    """Whether nothing but further chunks stands behind a chunk of sound, which holds none."""
    rest = size - data.begin
    behind = _chunks(file, form, data.begin + (data.length if 0 <= data.length < rest else 0), size)
    if not behind:
        return True
    last = behind[-1]
    named = all(chunk.name.isascii() and chunk.name.decode("ascii").isprintable() for chunk in behind)
    return named and 0 <= last.length <= size - last.begin
