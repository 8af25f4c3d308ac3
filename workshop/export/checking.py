"""Compare an exported network with Keras: the same symbols, read one by one, have to give the same logits, and the same
latent values the same picture.
"""

from typing import TYPE_CHECKING

import numpy as np

from workshop.export.graph import BATCH, CONDITION, SYMBOL
from workshop.export.maker import LATENT, Maker
from workshop.export.step import Step

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

#: What is compared: so many steps of so many sequences of random symbols.
STEPS, SEQUENCES = 50, 3
#: So many pictures.
PICTURES = 8
#: The largest difference of logits that rounding explains, for logits up to 1; larger ones are rounded by more.
TOLERANCE = 1e-4


def session(content: bytes) -> "InferenceSession":
    """The content of an ONNX file, ready to run.

    Raises:
        ImportError: onnxruntime is not installed.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def logits(session: "InferenceSession", ids: np.ndarray, conditions: np.ndarray) -> np.ndarray:
    """Logits [T, B, V] after each of symbols [T, B], with condition numbers [B]."""
    inputs = session.get_inputs()
    kinds = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
    state = {
        one.name: np.zeros([ids.shape[1] if size == BATCH else size for size in one.shape], kinds[one.type])
        for one in inputs
        if one.name not in (SYMBOL, CONDITION)
    }
    fixed = {CONDITION: conditions} if any(one.name == CONDITION for one in inputs) else {}
    found = []
    for symbols in ids:
        predicted, *after = session.run(None, {SYMBOL: symbols, **fixed, **state})
        state = dict(zip(state, after, strict=True))
        found.append(predicted)
    return np.array(found)


def largest_difference(content: bytes, step: Step, sequences: int = SEQUENCES) -> tuple[float, float]:
    """The largest difference between the logits of an ONNX file and Keras', and the largest of Keras' logits.

    Args:
        content: of the file.
        step: what it was written from.
        sequences: B, side by side.

    Raises:
        ImportError: onnxruntime is not installed.
    """
    rng = np.random.default_rng(0)
    ids = rng.integers(step.symbols, size=(step.context + STEPS, sequences))
    conditions = rng.integers(max(step.conditions, 1), size=sequences)
    expected = step.reference(ids, conditions)
    found = logits(session(content), ids, conditions)[-STEPS:]
    return float(np.abs(found - expected).max()), float(np.abs(expected).max())


def difference_of_pictures(content: bytes, maker: Maker) -> float:
    """The largest difference between the pictures of an ONNX file and Keras', of values from -1 to 1.

    Args:
        content: of the file.
        maker: what it was written from.

    Raises:
        ImportError: onnxruntime is not installed.
    """
    latents = np.random.default_rng(0).standard_normal((PICTURES, maker.latent)).astype(np.float32)
    (found,) = session(content).run(None, {LATENT: latents})
    return float(np.abs(found - maker.reference(latents)).max())
