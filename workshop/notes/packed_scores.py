"""Scores of MIDI files in little memory: twenty thousand files of a collection would not fit as they are.

A score becomes some bytes, a fifth to a fifteenth of its tables, and is unpacked whenever it is asked for.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from workshop.notes.midifiles import Part, Score

#: The tables of a score and their columns.
TABLES = {"notes": 5, "tempos": 2, "bars": 2, "held": 2}
#: Of zlib: more would take several times as long and save little.
LEVEL = 1


def pack(score: Score) -> bytes:
    """A score as bytes."""
    tables = [getattr(score, name) for name in TABLES]
    parts = [[part.name, part.program, part.is_drums] for part in score.parts]
    head = json.dumps({"rows": list(map(len, tables)), "parts": parts}).encode()
    # Bytes of equal weight lie side by side, because they are alike.
    body = (np.ascontiguousarray(table.T, float).view(np.uint8).reshape(-1, 8).T.tobytes() for table in tables)
    return zlib.compress(b"".join([len(head).to_bytes(4, "big"), head, *body]), LEVEL)


def unpack(packed: bytes | memoryview) -> Score:
    """The score that `pack` was given."""
    content = zlib.decompress(packed)
    at = 4 + int.from_bytes(content[:4], "big")
    head = json.loads(content[4:at])
    tables = {}
    for (name, columns), rows in zip(TABLES.items(), head["rows"], strict=True):
        size = 8 * rows * columns
        shuffled = np.frombuffer(content, np.uint8, size, at).reshape(8, rows * columns)
        tables[name] = shuffled.T.copy().view(float).reshape(columns, rows).T.copy()
        at += size
    return Score(parts=tuple(Part(*part) for part in head["parts"]), **tables)


class PackedScores(Mapping[Path, Score]):
    """Scores by file, unpacked one at a time."""

    def __init__(self, packed: Mapping[Path, bytes | memoryview]):
        self._packed = packed

    def __getitem__(self, file: Path) -> Score:
        return unpack(self._packed[file])

    def __iter__(self) -> Iterator[Path]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)
