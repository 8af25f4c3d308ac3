"""What the two networks descend: ways to score how real pictures look.

Each takes scores [B] of real and of made pictures, any real number, the higher the more real.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keras import ops

Tensor = Any


@dataclass(frozen=True)
class Loss:
    """A game of two networks.

    Attributes:
        discriminator: (real, made) -> what the discriminator descends, each pair [B].
        generator: (real, made) -> what the generator descends.
        uses_real: whether the generator's depends on the real ones.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    uses_real: bool = False


LOSSES = {
    # Binary cross-entropy, as DCGAN has it (non-saturating: Goodfellow et al. 2014, arXiv:1406.2661).
    "bce": Loss(lambda real, made: ops.softplus(-real) + ops.softplus(made), lambda real, made: ops.softplus(-made)),
    # Lim and Ye 2017, arXiv:1705.02894.
    "hinge": Loss(lambda real, made: ops.relu(1 - real) + ops.relu(1 + made), lambda real, made: -made),
    # Each made one against a real one (Jolicoeur-Martineau 2018, arXiv:1807.00734): no mode can be left out unnoticed.
    "relativistic": Loss(
        lambda real, made: ops.softplus(made - real), lambda real, made: ops.softplus(real - made), uses_real=True
    ),
}
