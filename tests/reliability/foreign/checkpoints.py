"""Checkpoints: bytes changed, and files that are whole but hold something else than a network's weights."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from fuzz import Reader
from hypothesis import strategies as st

from foreign.mutations import files, mostly, values, written
from workshop.run import checkpoint
from workshop.run.position import Position
from workshop.run.record import Measured

#: What a network of two layers, its optimizer and its state would be, and how an epoch is divided.
ARRAYS = {
    "model/0": np.ones((4, 8), np.float32), "model/1": np.ones(8, np.float32), "optimizer/0": np.array(7),
    "optimizer/1": np.zeros((4, 8), np.float32), "state/0": np.zeros((2, 4), np.float32),
}  # fmt: skip
WINDOWS = 20
HISTORY = [{"step": 20, "epoch": 1.0, "validation": 2.5, "train": 2.75}, {"step": 40, "epoch": 2.0, "validation": 2.25}]
META = msgspec.to_builtins(
    Position(47, 2, 7, 16.5, best=2.25, best_step=40, history=[Measured(**one) for one in HISTORY])
)

#: Shapes that a header can name; the data is as long as that of the original.
SHAPES = [(), (1,), (8, 4), (32,), (4, 8, 1), (2**20, 2**20), (-1,), (0,), (2**62,), (3.0,), "x"]
TYPES = ["<f4", ">f4", "<f8", "<i4", "<u8", "|b1", "<c8", "|O", "<U1", "|S4", "|V4", "<M8[s]", "x", [("a", "<f4")]]
#: What a header says wrongly.
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "descr": st.sampled_from(TYPES),
        "shape": st.sampled_from(SHAPES),
        "fortran_order": st.sampled_from([True, 1, None]),
        "more": st.just(1),
    },
)
OTHERS = [np.zeros((4, 8)), np.array("a"), np.array(1j), np.ones((4, 8, 0))]


class Variable:
    """What `checkpoint.assign` needs of a variable."""

    def __init__(self, value: np.ndarray):
        self.value, self.shape = value, value.shape

    def assign(self, value: np.ndarray) -> None:
        self.value[...] = value

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        return self.value


def _part(header: dict[str, Any], data: bytes, version: tuple[int, int] = (1, 0)) -> bytes:
    """An array in numpy's format, with any header."""
    text = (repr(header) + " " * 30 + "\n").encode("latin-1", "replace")
    return b"\x93NUMPY" + bytes(version) + len(text).to_bytes(2 if version == (1, 0) else 4, "little") + text + data


@st.composite
def _rewritten(draw: Any) -> bytes:
    """A file whose checksums are right, with some of its parts replaced, removed, renamed or added."""
    parts = {f"{name}.npy": _npy(array) for name, array in ARRAYS.items()}
    meta = draw(values(META))
    parts["meta.json.npy"] = _npy(np.frombuffer(written(meta), np.uint8))
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(sorted(parts)))
        kind = draw(st.sampled_from(["header", "header", "bytes", "remove", "rename", "replace"]))
        content = parts.get(name, b"")
        if kind == "header":
            header = {"descr": "<f4", "fortran_order": False, "shape": (4, 8)} | draw(HEADERS)
            parts[name] = _part(header, content[-128:], draw(st.sampled_from([(1, 0), (2, 0), (3, 0), (9, 9)])))
        elif kind == "bytes":
            parts[name] = draw(files([content]))
        elif kind == "remove":
            parts.pop(name, None)
        elif kind == "rename":
            new = draw(st.sampled_from(["../x", "/x", "model/00.npy", "state/9.npy", "x" * 300, "é\u20ac"]))
            parts[new] = parts.pop(name, b"")
        else:
            parts[name] = _npy(draw(st.sampled_from(OTHERS)))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def checkpoints(scratch: Path) -> Reader:
    """Loads a checkpoint as sampling and going on do."""
    checkpoint.save(scratch / "made.npz", ARRAYS, json.loads(json.dumps(META)))

    def read(case: bytes, folder: Path) -> None:
        path = folder / "latest.npz"
        path.write_bytes(case)
        _, saved = checkpoint.load(path, checkpoint.Saved)
        assert f"{saved.step:,}"
        arrays, meta = checkpoint.load(path)
        position = Position.of(meta, path, WINDOWS)
        assert position.history == [] or position.history[-1].step >= 0
        assert msgspec.to_builtins(position).keys() == META.keys()
        for prefix in ("model", "optimizer"):
            wanted = [Variable(array.copy()) for name, array in ARRAYS.items() if name.startswith(prefix)]
            checkpoint.assign(wanted, arrays, prefix, path)
        checkpoint.fitting([ARRAYS["state/0"]], arrays, "state", path)

    return Reader(mostly(_rewritten(), files([(scratch / "made.npz").read_bytes()])), read)
