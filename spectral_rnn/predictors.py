"""The linear predictors of frames: what a network begins as, and has to beat."""

import numpy as np

from spectral_rnn import baseline, dataset, turning
from spectral_rnn.baseline import ORDERS, Var
from spectral_rnn.dataset import Representation
from spectral_rnn.turning import Turns
from workshop.audio.bands import Bands
from workshop.run.baseline import Baseline


def fitted(train: np.ndarray, held_out: np.ndarray, representation: Representation) -> tuple[Var | Turns, Baseline]:
    """The best linear predictor of training frames [N, D] in steps, and the losses of all on held-out ones."""
    if isinstance(representation, Bands):
        # They are fitted to no more, and frames with dither take many times the memory.
        known, measured = dataset.with_dither(train[-baseline.MAX_FITTED :]), dataset.with_dither(held_out)
        levels = [baseline.fit(known, order) for order in ORDERS]
        found = baseline.baseline_of(levels, known, measured)
        return levels[ORDERS.index(int(found.order))], found
    parts = [turning.fit(train, representation, order) for order in ORDERS]
    losses = {}
    for one in parts:
        frames = np.concatenate([train[-one.order :], held_out])
        losses[str(one.order)] = float(one.losses(frames, representation).mean())
    found = Baseline(losses, kind="linear predictor")
    return parts[ORDERS.index(int(found.order))], found
