"""Where a training stands: with the arrays of a checkpoint, all that is needed to go on exactly."""

import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from workshop.checks import Check, expect, number, whole
from workshop.errors import UserError


@dataclass
class Position:
    """Where a run stands; with the arrays of a checkpoint it is all that is needed to go on exactly."""

    step: int = 0
    epoch: int = 0
    window: int = 0
    epoch_loss: float = 0.0
    best: float = math.inf
    best_step: int = 0
    without_best: int = 0
    minutes: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)

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
        expect(meta, CHECKS, f"the checkpoint {path}")
        if unknown := meta.keys() - CHECKS.keys():
            raise UserError(f"the checkpoint {path} is damaged: it has an unexpected entry ({min(unknown)!r})")
        if not meta["window"] < windows:
            raise UserError(
                f"the checkpoint {path} is damaged: its position is window {meta['window']:,} of {windows:,}"
            )
        return cls(**{one.name: meta[one.name] for one in fields(cls)})


def _is_history(value: Any) -> bool:
    """Whether something from JSON is a list of measurements."""
    measured = {"step", "epoch", "validation"}
    return isinstance(value, list) and all(
        isinstance(entry, dict) and measured <= entry.keys() and all(map(number(), entry.values())) for entry in value
    )


CHECKS: dict[str, Check] = {
    "step": whole(),
    "epoch": whole(),
    "window": whole(),
    "epoch_loss": number(),
    "best": lambda value: value == math.inf or number()(value),  # infinite before the first measurement
    "best_step": whole(),
    "without_best": whole(),
    "minutes": number(0),
    "history": _is_history,
}
