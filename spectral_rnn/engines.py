"""What runs a network, and what makes sound of its frames, by what they are: levels, or real and imaginary parts."""

from typing import Any

import numpy as np

from spectral_rnn.generate import Engine, Frames
from spectral_rnn.guesses import Guesses
from workshop.audio.bands import Bands
from workshop.audio.parts import Parts
from workshop.audio.phase import LiveResynthesis, Resynthesis, Resynthesiser, WithPhase


def engine_of(model: Any, loudest: np.ndarray | None) -> Engine:
    """What runs a network frame by frame; `loudest` is for `Frames`."""
    return Frames(model, loudest) if model.shape.target == "levels" else Guesses(model)


def resynthesis(representation: Bands | Parts, phase: str = "best") -> Resynthesiser:
    """What makes sound of the frames of a stream; `phase` as `sample.py` has it."""
    if isinstance(representation, Parts):
        return WithPhase(representation.stft)
    return LiveResynthesis(representation.stft) if phase == "live" else Resynthesis(representation.stft)
