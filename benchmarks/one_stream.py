"""Measuring a network apart from its own training: the held-out sequence is read once, from its first symbol to its
last, in one stream, with the state carried all the way from the end of the training sequence.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

#: Symbols of the training sequence that are read before the held-out one begins.
CONTEXT = 1000
WINDOW = 500


def best_network(experiment: Path, build: Any, vocab_size: int) -> tuple[Any, dict]:
    """The network of an experiment's best checkpoint, and its run.json."""
    from workshop.run import checkpoint

    info = json.loads((experiment / "run.json").read_text())
    model = build(info["network"], vocab_size)
    path = experiment / "checkpoints" / "best.npz"
    checkpoint.assign(model.trainable_variables, checkpoint.load(path)[0], "average", path)
    return model, info


def losses(model: Any, before: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """The loss of each held-out symbol in nats, float64 [len(held_out)]."""
    import tensorflow as tf
    from keras import ops

    @tf.function(jit_compile=True)
    def window_losses(inputs, targets, state):
        logits, state = model(inputs, state)
        return ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)[:, 0], state

    before = before[-CONTEXT:]
    ids = np.concatenate([before, held_out]).astype(np.int32)
    filled = np.concatenate([ids, np.zeros(-(len(ids) - 1) % WINDOW, np.int32)])
    state, found = model.initial_state(1), []
    for at in range(0, len(filled) - 1, WINDOW):
        window = filled[at : at + WINDOW + 1, None]
        loss, state = window_losses(tf.constant(window[:-1]), tf.constant(window[1:]), state)
        found.append(loss.numpy())
    # The loss at place k is that of symbol k + 1.
    return np.concatenate(found)[len(before) - 1 : len(ids) - 1].astype(np.float64)
