"""Drawing the curves of a training run as a picture."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from workshop.pictures import DPI, boxes_for_unknown, fitted
from workshop.words import NGRAM


def draw_curves(file: Path | BytesIO, run: dict[str, Any], title: str) -> None:
    """Write as PNG what TensorBoard shows of a run.json: the losses, and the best simple model as a level line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    for key, label, colour in (("train", "training data", "#4292c6"), ("validation", "held-out data", "#d6336c")):
        points = np.array([(point["step"], point[key]) for point in run["history"] if key in point])
        axes.plot(*points.T, color=colour, label=label)
    axes.axhline(
        min(run["baseline"].values()), color="#9aa0ac", linestyle="--", label=f"best {run.get('baseline_kind', NGRAM)}"
    )
    axes.set_title(fitted(title), parse_math=False)
    axes.set_xlabel("steps")
    axes.set_ylabel("loss in nats")
    axes.set_ylim(0, min(axes.get_ylim()[1], 6))
    axes.legend()
    with boxes_for_unknown():
        figure.savefig(file, dpi=DPI, metadata={"Software": None})
