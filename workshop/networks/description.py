"""Checks of the description of a network before memory is allocated for it: a run.json can come from anywhere."""

import math
from collections.abc import Mapping
from typing import Any

from workshop.checks import Check
from workshop.errors import UserError


def check_network(network: dict[str, Any], checks: Mapping[str, Check], most_weights: float = math.inf) -> None:
    """Refuse a description that is not that of a network of this lesson.

    Args:
        network: what the command line or run.json says.
        checks: the entries that there must be.
        most_weights: how many weights the checkpoints hold; infinite for a new network.

    Raises:
        UserError: an entry is missing, is one too many, or is invalid.
    """
    if network.keys() != checks.keys() or not all(is_valid(network[name]) for name, is_valid in checks.items()):
        what = "these arguments describe" if most_weights == math.inf else "run.json is damaged: it describes"
        raise UserError(f"{what} no network of this lesson ({network})")


def check_size(weights: int, most_weights: float) -> None:
    """Refuse a network with so many weights, or more, where the checkpoints hold fewer: allocating it could take all
    the memory that there is.

    Raises:
        UserError: they do.
    """
    if weights > most_weights:
        raise UserError(
            f"run.json is damaged: it describes a network of {weights:,} weights, and the checkpoints hold fewer"
        )
