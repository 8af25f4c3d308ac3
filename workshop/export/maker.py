"""What a lesson says, for the export, of a network that makes a whole thing at once out of latent values.

B things at once, Z latent values.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from workshop.export.graph import Graph

#: How the input and the output of its graph are called.
LATENT, PICTURE = "latent", "picture"


@dataclass(frozen=True)
class Maker:
    """A trained generator.

    Attributes:
        meaning: what is to be known of what comes out, as JSON holds it: `kind` (loops), and what the kind needs
            besides.
        latent: Z.
        add: writes it into a graph, from `LATENT` [B, Z] to `PICTURE`.
        reference: what Keras makes of latents [B, Z].
    """

    meaning: dict[str, Any]
    latent: int
    add: Callable[["Graph"], None]
    reference: Callable[[np.ndarray], np.ndarray]
