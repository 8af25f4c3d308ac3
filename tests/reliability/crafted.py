"""Checkpoints as somebody would make them who means harm."""

import copy
import io
import os
import struct
import warnings
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

#: Bytes of the bombs: so many would be seen in the memory.
LARGE = 1 << 30


class Trap:
    """An object that makes a folder when it is unpickled."""

    def __init__(self, sprung: Path):
        self._sprung = sprung

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self._sprung),)


def array_with(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """A part of a checkpoint with any header."""
    size = struct.pack("<H" if version == b"\x01\x00" else "<I", len(header))
    return b"\x93NUMPY" + version + size + header.encode("latin-1") + data


def _shape(shape: str, descr: str = "'<f4'") -> bytes:
    return array_with(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n", bytes(24))


#: What can stand in place of an array.
ARRAYS: dict[str, bytes] = {
    "huge": _shape("(100000000000,)"),
    "huger than any integer": _shape(f"({10**30},)"),
    "a product beyond 64 bits": _shape("(4294967296, 4294967296)"),
    "negative": _shape("(-1,)"),
    "many of no bytes": _shape("(1000000000000,)", "'<U0'"),
    "objects": _shape("(3,)", "'|O'"),
    "a nested type": _shape("(1,)", "[('a', [('b', '<f4', (1000000, 1000000))])]"),
    "no type": _shape("(1,)", "{}"),
    "a call": array_with("__import__('os').mkdir('sprung')"),
    "a call in a header": _shape("(__import__('os').mkdir('sprung'),)"),
    "a comprehension": _shape("tuple(1 for _ in iter(int, 1))"),
    "unfinished": array_with("{'descr': '<f4'"),
    "not hashable": array_with("{[]: 1}"),
    "deeply nested": array_with("(" * 9000),
    "deeply negated": array_with("-" * 9000 + "1"),
    "a power": array_with("9**9**9**9"),
    "a long header": array_with("x" * (1 << 20), version=b"\x02\x00"),
    "a header longer than the file": b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}",
    "another version": array_with("{}", version=b"\x09\x00"),
    "a pickle": b"\x80\x04cos\nmkdir\n(S'sprung'\ntR.",
    "nothing": b"",
}


def _rewritten(content: bytes, changed: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A checkpoint with some of its parts changed or added."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()} | changed
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return made.getvalue()


def _again(content: bytes, times: int, offset: int = 0, renamed: bool = True, **lies: int) -> bytes:
    """A checkpoint whose directory names one part many times, or says something untrue of it."""
    made = io.BytesIO(content)
    with zipfile.ZipFile(made, "a") as archive:
        part = max(archive.filelist, key=lambda member: member.file_size)
        for number in range(times):
            again = copy.copy(part)
            again.filename = f"more/{number}.npy" if renamed else part.filename
            again.header_offset += offset
            for name, value in lies.items():
                setattr(again, name, value)
            archive.filelist.append(again)
        archive.comment = b"written again"
    return made.getvalue()


def _twice(content: bytes) -> bytes:
    """Each part is there twice, by the same name; the second is a pickle."""
    made = io.BytesIO(content)
    with zipfile.ZipFile(made, "a") as archive, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Duplicate name")
        for name in archive.namelist():
            archive.writestr(name, ARRAYS["a pickle"])
    return made.getvalue()


def _bomb(content: bytes) -> bytes:
    """A part of a gigabyte in a megabyte."""
    made = io.BytesIO(content)
    with (
        zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("x.npy", "w") as part,
    ):
        for _ in range(LARGE >> 24):
            part.write(bytes(1 << 24))
    return made.getvalue()


def _pickled(content: bytes, sprung: Path) -> bytes:
    """A part of objects, as numpy would have pickled it."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.array([Trap(sprung)], dtype=object), allow_pickle=True)
    return _rewritten(content, {"average/0.npy": file.getvalue()})


def _flags(content: bytes, flag: int) -> bytes:
    """A flag set in each header, such as that of an encrypted part."""
    changed = bytearray(content)
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(signature)
        while place >= 0:
            changed[place + at] |= flag
            place = content.find(signature, place + 4)
    return bytes(changed)


def harmful(content: bytes, sprung: Path) -> dict[str, Callable[[], bytes]]:
    """What somebody can make of a checkpoint, by name; each is made when it is asked for.

    Args:
        content: of a good one.
        sprung: the folder that is made where code of it is run.
    """
    made: dict[str, Callable[[], bytes]] = {
        f"an array: {name}": partial(_rewritten, content, {"average/0.npy": part}) for name, part in ARRAYS.items()
    }
    return made | {
        "an array: pickled objects": lambda: _pickled(content, sprung),
        "the description: a pickle": lambda: _rewritten(content, {"meta.json.npy": ARRAYS["a pickle"]}),
        "the file: a pickle": lambda: ARRAYS["a pickle"],
        "a bomb": lambda: _bomb(content),
        "compressed by lzma": lambda: _rewritten(content, {}, zipfile.ZIP_LZMA),
        "compressed by bzip2": lambda: _rewritten(content, {}, zipfile.ZIP_BZIP2),
        "each part twice": lambda: _twice(content),
        "a part of 10,000 names": lambda: _again(content, 10_000),
        "a part named 10,000 times": lambda: _again(content, 10_000, renamed=False),
        "a part of 10 TB": lambda: _again(content, 1, file_size=10 << 40, compress_size=10 << 40),
        "a part beyond the end": lambda: _again(content, 1, offset=1 << 40),
        "a part of another method": lambda: _again(content, 1, compress_type=99),
        "encrypted": lambda: _flags(content, 1),
        "patched": lambda: _flags(content, 0x20),
        "a directory of 2**64 entries": lambda: content[:-14] + b"\xff" * 12 + content[-2:],
    }


def with_names_that_lead_out(content: bytes, outside: Path) -> bytes:
    """A good checkpoint with further parts whose names are paths; nothing is wrong with it for who only reads it."""
    part = io.BytesIO()
    np.lib.format.write_array(part, np.ones(3))
    names = ("../../guard/x.npy", f"{outside}/x.npy", "..\\..\\guard\\x.npy", "a\x1b[2J/../x.npy", "x" * 60_000)
    return _rewritten(content, dict.fromkeys(names, part.getvalue()))
