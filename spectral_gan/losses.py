"""The adversarial losses of the two networks.

Each takes the discriminator's logits [B] for real and for generated pictures: the higher, the more real.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keras import ops

Tensor = Any


@dataclass(frozen=True)
class Loss:
    """An adversarial loss.

    Attributes:
        discriminator: (real, made) -> the loss of the discriminator [B].
        generator: (real, made) -> the loss of the generator [B].
        uses_real: whether the generator's loss depends on the real pictures.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    uses_real: bool = False


LOSSES = {
    # Binary cross-entropy, as DCGAN has it (non-saturating: Goodfellow et al. 2014, arXiv:1406.2661).
    "bce": Loss(lambda real, made: ops.softplus(-real) + ops.softplus(made), lambda real, made: ops.softplus(-made)),
    # Lim and Ye 2017, arXiv:1705.02894.
    "hinge": Loss(lambda real, made: ops.relu(1 - real) + ops.relu(1 + made), lambda real, made: -made),
    # Pairs a generated picture with a real one (Jolicoeur-Martineau 2018, arXiv:1807.00734), against mode collapse.
    "relativistic": Loss(
        lambda real, made: ops.softplus(made - real), lambda real, made: ops.softplus(real - made), uses_real=True
    ),
}
