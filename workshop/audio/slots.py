"""How much the slots of a mix of loops hold, wherever they are turned: on a page, or by other programs."""

from typing import Any

from workshop.errors import UserError

#: Slots of a mix, loops of a slot, and how far a latent value may be from the middle.
MOST_SLOTS, MOST_STEPS, FARTHEST = 8, 16, 100.0
#: Beats a minute.
SLOWEST, FASTEST = 20.0, 999.0


def number(name: str, value: Any, least: float, most: float) -> float:
    """A number that somebody says.

    Raises:
        UserError: it is none, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise UserError(f"{name}: {str(value)!r:.40} is not a number from {least:g} to {most:g}")
    return float(value)
