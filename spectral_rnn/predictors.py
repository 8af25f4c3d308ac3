"""The linear predictors of frames: what a network begins as, and has to beat."""

import numpy as np

from spectral_rnn import baseline, dataset, turning
from spectral_rnn.baseline import ORDERS, Var
from spectral_rnn.dataset import Representation
from spectral_rnn.turning import Turns
from workshop.audio.bands import Bands
from workshop.audio.parts import Parts
from workshop.run.baseline import Baseline


def fitted(train: np.ndarray, held_out: np.ndarray, representation: Representation) -> tuple[Var | Turns, Baseline]:
    """The best linear predictor of training frames [N, D] in steps, and the losses of all on held-out ones."""
    predictors: list[Var] | list[Turns]
    parts: tuple[Parts, ...] = ()
    if isinstance(representation, Bands):
        # They are fitted to no more, and frames with dither take many times the memory.
        train, held_out = dataset.with_dither(train[-baseline.MAX_FITTED :]), dataset.with_dither(held_out)
        predictors = [baseline.fit(train, order) for order in ORDERS]
    else:
        parts = (representation,)
        predictors = [turning.fit(train, representation, order) for order in ORDERS]
    losses = {}
    for one in predictors:
        frames = np.concatenate([train[-one.order :], held_out])
        losses[str(one.order)] = float(one.losses(frames, *parts).mean())
    found = Baseline(losses, kind="linear predictor")
    return predictors[ORDERS.index(int(found.order))], found
