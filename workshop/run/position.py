"""Where a training stands: with the arrays of a checkpoint, all that is needed to go on exactly."""

import math
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from workshop.checks import Finite, NotNegative, Whole, typed
from workshop.errors import UserError
from workshop.run.record import Measured


class Position(msgspec.Struct, forbid_unknown_fields=True):
    """Where a run stands; with the arrays of a checkpoint it is all that is needed to go on exactly."""

    step: Whole = 0
    epoch: Whole = 0
    window: Whole = 0
    epoch_loss: Finite = 0.0
    best: Annotated[float, Meta(ge=-1e308)] = math.inf  # before the first measurement
    best_step: Whole = 0
    without_best: Whole = 0
    minutes: NotNegative = 0.0
    history: list[Measured] = []

    @classmethod
    def of(cls, meta: dict[str, Any], path: Path, windows: int) -> "Position":
        """The position that a checkpoint describes.

        Args:
            meta: its description.
            path: its file.
            windows: how many windows an epoch has.

        Raises:
            UserError: it is damaged.
        """
        position = typed(cls, meta, f"the checkpoint {path}")
        if missing := set(cls.__struct_fields__) - meta.keys():
            raise UserError(f"the checkpoint {path} is damaged: its entry {min(missing)!r} is missing")
        if not position.window < windows:
            raise UserError(
                f"the checkpoint {path} is damaged: its position is window {position.window:,} of {windows:,}"
            )
        return position
