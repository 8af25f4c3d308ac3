"""Drawing what a network thought: how likely each symbol was at each place, and which one stands there."""

from collections.abc import Sequence

import numpy as np

from workshop.pictures import TEXT, drawn, figure_of_rows

#: The colour around the symbols that stand there, to be seen on dark and on bright.
HERE = "#2fb8f0"
#: Rows that can have a name each.
MAX_ROWS = 40
#: A symbol that is nowhere as likely as this has no row.
LEAST = 0.01
#: Places of which each can have its symbol below it.
MAX_PLACES = 120


def heatmap(
    probabilities: np.ndarray, values: np.ndarray, start: int = 0, unit: str = "sample", names: Sequence[str] = ()
) -> np.ndarray:
    """Draw distributions, the likelier the brighter.

    Args:
        probabilities: [T, V] of each symbol at each place.
        values: [T] the symbols that stand there.
        start: number of the first of these places.
        unit: what a place is called.
        names: what the V symbols are called; then only the rows of those that were likely somewhere are drawn, and the
            symbols stand below their places. Without names the rows are levels.

    Returns:
        uint8 [HEIGHT, WIDTH, 3].
    """
    rows = _likely_rows(probabilities, values) if names else np.arange(probabilities.shape[1])
    figure, axes = figure_of_rows()
    steps = len(values)
    extent = (start - 0.5, start + steps - 0.5, -0.5, len(rows) - 0.5)
    # The root, because most of what a network considers is far less likely than the best.
    shown = np.sqrt(probabilities[:, rows].T)
    axes.imshow(shown, origin="lower", aspect="auto", extent=extent, cmap="magma", interpolation="nearest")
    places, heights = start + np.arange(steps), np.searchsorted(rows, values)
    if names:
        there = np.isin(values, rows)
        axes.scatter(places[there], heights[there], s=9, facecolors="none", edgecolors=HERE, linewidths=1)
        _write_names(axes, rows, places, values, names)
    else:
        axes.plot(places, heights, color="white", linewidth=0.7, alpha=0.6)
    axes.set_xlabel(unit)
    what = "symbol" if names else "level"
    axes.set_ylabel(what, color=TEXT)
    return drawn(figure, axes, f"how likely each {what} was, and which {'stands there' if names else 'was drawn'}")


def _likely_rows(probabilities: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The numbers, in order, of the symbols that were likely anywhere, but first of those that stand somewhere."""
    score = probabilities.max(axis=0, initial=0.0) + np.isin(np.arange(probabilities.shape[1]), values)
    likeliest = np.argsort(-score, kind="stable")[:MAX_ROWS]
    return np.sort(likeliest[score[likeliest] >= LEAST])


def _write_names(axes: object, rows: np.ndarray, places: np.ndarray, values: np.ndarray, names: Sequence[str]) -> None:
    """Name the rows, and where there is room the places."""
    axes.set_yticks(range(len(rows)), [_plain(names[row]) for row in rows], fontsize=6)  # type: ignore[attr-defined]
    if len(places) <= MAX_PLACES:
        labels = [_plain(names[value]) for value in values]
        rotation = 90 if any(len(label) > 1 for label in labels) else 0
        axes.set_xticks(places, labels, fontsize=6, rotation=rotation)  # type: ignore[attr-defined]


def _plain(name: str) -> str:
    """A name that matplotlib does not take for a formula."""
    return name.replace("$", r"\$")
