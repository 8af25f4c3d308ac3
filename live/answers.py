"""What a network answers is looked at before anything is done with it: a mistake in one block stays in that block."""

from dataclasses import replace

import numpy as np

from workshop.errors import UserError
from workshop.run.voice import Block


def checked(answer: Block, heard: Block) -> Block:
    """The answer to a block, with samples float32 [N], as many as in what was heard.

    Raises:
        UserError: they are not as many, or no numbers.
    """
    if answer.samples.shape != heard.samples.shape:
        raise UserError("it answered with another number of samples than it had heard")
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite
        samples = answer.samples.astype(np.float32)
    if not np.isfinite(samples).all():
        raise UserError("it answered with what is no number")
    return replace(answer, samples=samples)
