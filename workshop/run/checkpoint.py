"""Checkpoints: named arrays and a JSON object in one file, written aside and renamed. Nothing in it is code.

The file is numpy's `.npz` without compression and without pickled objects; its checksums tell a damaged file.
"""

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np

from workshop.checks import Whole, typed
from workshop.errors import UserError
from workshop.files import atomic_write, explain, reading
from workshop.machine import memory
from workshop.run.quantised import restored

_META = "meta.json"


class Saved(msgspec.Struct):
    """What the object of a lesson's checkpoint says besides what only going on with it needs: after which step."""

    step: Whole


#: Characters of the reason why a file is damaged.
MAX_QUOTED = 100

#: What zipfile and json raise over a file that is cut short, altered or of another kind.
_DAMAGE = (
    ValueError,
    TypeError,
    KeyError,
    EOFError,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    MemoryError,
    OverflowError,
    struct.error,
)


def save(path: Path, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> None:
    """Write a checkpoint in place of `path`.

    Raises:
        UserError: it cannot be written; the checkpoint that was there is untouched.
    """
    content: dict[str, Any] = {**arrays, _META: np.frombuffer(json.dumps(meta).encode(), np.uint8)}
    try:
        with atomic_write(path) as file:
            np.savez(file, **content)
    except OSError as error:
        before = any(path.parent.glob("*.npz"))
        kept = "; the one saved before is intact, so free some space and go on with --resume" if before else ""
        raise UserError(f"the checkpoint {path} could not be saved: {explain(error, path)}{kept}") from error


def load(path: Path, kind: Any = dict[str, Any]) -> tuple[dict[str, np.ndarray], Any]:
    """Read a checkpoint: its arrays by name, quantised ones in single precision, and its JSON object.

    Args:
        path: the file.
        kind: the type of the object, which is returned as one of it.

    Raises:
        UserError: there is none, it cannot be read, or it is damaged.
    """
    try:
        with reading(path) as (file, size):
            arrays = _arrays(file, size)
        meta = json.loads(arrays.pop(_META).tobytes())
        arrays = restored(arrays)
    except FileNotFoundError as error:
        raise UserError(
            f"there is no checkpoint {path}: this experiment was stopped before its first one was saved"
        ) from error
    except OSError as error:
        raise UserError(f"the checkpoint {path} cannot be read: {explain(error, path)}") from error
    except _DAMAGE as error:
        # In brief, because it can quote what stands in the file.
        raise UserError(f"the checkpoint {path} is damaged ({str(error)[:MAX_QUOTED]})") from error
    return arrays, typed(kind, meta, f"the checkpoint {path}")


def _arrays(file: IO[bytes], size: int) -> dict[str, np.ndarray]:
    """The arrays by name in an open file of so many bytes.

    Raises:
        ValueError: its parts cannot be those of a checkpoint.
    """
    if size > memory()[0]:
        raise ValueError("it is larger than this computer's memory")
    # All arrays together cannot be larger than the file that holds them uncompressed: refuse to believe a file that
    # says so before making room for them. Parts that share their bytes say so, too.
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        stored = all(member.compress_type == zipfile.ZIP_STORED for member in members)
        if not stored or sum(member.file_size for member in members) > size:
            raise ValueError("its parts do not fit its size")
        return {name.removesuffix(".npy"): _array(archive.read(name)) for name in archive.namelist()}


def _array(part: bytes) -> np.ndarray:
    """The array in a part of the file. The part is read whole before, because its checksum is compared at its end: an
    altered header that asks for less than there is would be believed otherwise.

    Raises:
        ValueError: it is none.
    """
    file = io.BytesIO(part)
    try:
        array = np.lib.format.read_array(file, allow_pickle=False)
    except Exception as error:  # numpy reads the header as Python's own literals, and lets most of their errors pass
        raise ValueError("one of its arrays cannot be read") from error
    if file.read(1):
        raise ValueError("an array is smaller than its part")
    return array


def assign(variables: list[Any], arrays: dict[str, np.ndarray], prefix: str, path: Path) -> None:
    """Set Keras variables from the arrays named `prefix` and the variable's place in the list.

    Raises:
        UserError: an array is missing, or has another shape or type; no variable has been changed.
    """
    for variable, array in zip(variables, fitting(variables, arrays, prefix, path), strict=True):
        variable.assign(array)


def fitting(wanted: list[Any], arrays: dict[str, np.ndarray], prefix: str, path: Path) -> list[np.ndarray]:
    """The arrays named `prefix` and a place in the list `wanted`, each with the shape and type of what stands there.

    Raises:
        UserError: an array is missing, or has another shape or type.
    """
    found = []
    for k, one in enumerate(wanted):
        array = arrays.get(f"{prefix}/{k}")
        if array is None or array.shape != tuple(one.shape) or array.dtype != np.asarray(one).dtype:
            raise UserError(f"the checkpoint {path} is damaged: it does not fit the network that run.json describes")
        found.append(array)
    return found


def collect(variables: list[Any], prefix: str) -> dict[str, np.ndarray]:
    """The values of Keras variables as named arrays, the counterpart of `assign`."""
    return {f"{prefix}/{k}": np.asarray(variable) for k, variable in enumerate(variables)}


def copy_weights(source: Any, target: Any) -> None:
    """Give the weights of one Keras model to another of the same shape."""
    for variable, value in zip(target.trainable_variables, source.trainable_variables, strict=True):
        variable.assign(value)
