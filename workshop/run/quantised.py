"""Weights in a quarter of the space, by symmetric 8-bit quantisation with a scale for each output channel; or in half
of it, in half precision.

A matrix [..., N] becomes integers from -127 to 127 and a scale for each of its N columns, w = integer * scale: the
network computes in single precision as before. What that costs in loss is measured for each network that is kept so.
"""

import numpy as np

#: What the name of an array of scales ends in, and that of one in half precision.
SCALES, HALF = "/scale", "/half"
_LARGEST = 127


def quantised(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Matrices as 8-bit integers with their scales; vectors, which are few, and what are no weights, as they are.

    Args:
        arrays: weights by name, float32, and others.
    """
    packed: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if not _is_matrix(array):
            packed[name] = array
            continue
        scale = np.abs(array).max(axis=tuple(range(array.ndim - 1))).astype(np.float32) / np.float32(_LARGEST)
        # A channel of zeros, or of what is too small for a scale in full precision, becomes zeros.
        scale = np.where(scale >= np.finfo(np.float32).tiny, scale, np.float32(1))
        packed[name] = np.rint(array / scale).astype(np.int8)
        packed[name + SCALES] = scale
    return packed


def halved(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Matrices in half precision, where 8 bits are too few; vectors, and what are no weights, as they are.

    Args:
        arrays: weights by name, float32 up to 65,504, and others.
    """
    packed: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if _is_matrix(array):
            packed[name + HALF] = array.astype(np.float16)
        else:
            packed[name] = array
    return packed


def _is_matrix(array: np.ndarray) -> bool:
    """Whether an array is one of the weights that take the space."""
    return array.ndim > 1 and array.dtype == np.float32


def restored(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The counterpart of both: float32 weights; what is neither in half precision nor has scales passes as it is.

    Raises:
        ValueError: scales do not fit what they belong to, or what is said to be in half precision is not.
    """
    if any(name.endswith(HALF) and array.dtype != np.float16 for name, array in arrays.items()):
        raise ValueError("its halves are none")
    weights = {
        name.removesuffix(HALF): array.astype(np.float32) if name.endswith(HALF) else array
        for name, array in arrays.items()
        if not name.endswith(SCALES)
    }
    for name in (name for name in arrays if name.endswith(SCALES)):
        integers, scale = weights.get(name.removesuffix(SCALES)), arrays[name]
        if (
            integers is None
            or integers.dtype != np.int8
            or scale.dtype != np.float32
            or scale.shape != integers.shape[-1:]
        ):
            raise ValueError("its scales do not fit its weights")
        weights[name.removesuffix(SCALES)] = integers * scale
    return weights
