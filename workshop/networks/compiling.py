"""The decorator of the functions that kernels are made of: numba compiles them, and keeps what it has compiled.

Numba looks whether the file of a function has changed, and not whether another one has that it calls, though that one's
code is in what it keeps. So what is compiled lies in a folder that is named by all sources of kernels.
"""

import functools
import hashlib
from pathlib import Path
from typing import Any

import numba

_config: Any = numba.config

#: What a file has in it that kernels are made of.
MARKS = (b"import numba", b"from numba", b"networks.compiling")


def compiled(function: Any = None, **options: Any) -> Any:
    """Compile a function when it is called, to machine code that holds no lock of Python.

    Args:
        function: what numba can compile.
        options: of `numba.njit`, such as ``fastmath=True``.
    """
    if function is None:
        return functools.partial(compiled, **options)
    file = Path(function.__code__.co_filename)
    shared = _config.CACHE_DIR  # librosa's, too; empty where nobody has set NUMBA_CACHE_DIR
    _config.CACHE_DIR = str(Path(shared or file.parent / "__pycache__") / f"kernels-{sources_hash(file.parent)}")
    try:
        return numba.njit(nogil=True, cache=True, error_model="numpy", **options)(function)
    finally:
        _config.CACHE_DIR = shared


@functools.cache
def sources_hash(folder: Path, rooms: Path = Path(__file__).parent) -> str:
    """What changes with any file of kernels in a folder, and in the one whose functions all kernels call."""
    texts = [file.read_bytes() for place in sorted({folder, rooms}) for file in sorted(place.glob("*.py"))]
    kernels = [text for text in texts if any(mark in text for mark in MARKS)]
    return hashlib.sha256(b"\0".join(kernels)).hexdigest()[:12]
