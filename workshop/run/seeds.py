"""Seeds of what chance decides."""

import numpy as np


def new_seed() -> int:
    """A seed from the operating system's randomness, from 0 to 2**32 - 1."""
    return int(np.random.SeedSequence().generate_state(1)[0])
