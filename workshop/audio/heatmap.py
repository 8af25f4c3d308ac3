"""Drawing what a network thought: how likely each level was for each sample that it generated."""

import numpy as np

from workshop.pictures import TEXT, drawn, figure_of_rows


def heatmap(probabilities: np.ndarray, values: np.ndarray, start: int) -> np.ndarray:
    """Draw distributions, the likelier the brighter, and what was drawn from them.

    Args:
        probabilities: [T, V] of each level at each sample.
        values: [T] levels that were drawn.
        start: number of the first of these samples.

    Returns:
        uint8 [HEIGHT, WIDTH, 3].
    """
    figure, axes = figure_of_rows()
    steps, levels = probabilities.shape
    extent = (start - 0.5, start + steps - 0.5, -0.5, levels - 0.5)
    # The root, because most of what a network considers is far less likely than the best.
    axes.imshow(
        np.sqrt(probabilities.T), origin="lower", aspect="auto", extent=extent, cmap="magma", interpolation="nearest"
    )
    axes.plot(start + np.arange(steps), values, color="white", linewidth=0.7, alpha=0.6)
    axes.set_xlabel("sample")
    axes.set_ylabel("level", color=TEXT)
    return drawn(figure, axes, "how likely each level was, and which was drawn")
