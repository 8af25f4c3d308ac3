"""Pictures for TensorBoard and for files: drawn in memory, without a window and without matplotlib's global state."""

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from workshop.errors import UserError
from workshop.files import explain, replacing
from workshop.midifiles import pitch_name

#: Pixels: width, height, and how many make an inch.
WIDTH, HEIGHT, DPI = 1000, 400, 100

#: The colour of a note from the softest to the loudest velocity, and what is around the notes.
SOFT_TO_LOUD = ("#9ecae1", "#4292c6", "#6a51a3", "#d6336c")
BLACK_KEYS, LINES, BEATS, TEXT = "#f0f1f4", "#9aa0ac", "#d5d8df", "#3a3f4b"

#: A note is drawn with at least so many pixels, so that a short one in a long piece can be seen.
SHORTEST = 1.5


def piano_roll(notes: np.ndarray, title: str = "", beats: np.ndarray | None = None) -> np.ndarray:
    """Draw notes: time to the right, pitch upwards, the louder the warmer.

    Args:
        notes: float64 [N, 4]: start and end in seconds, pitch 0 to 127, velocity 1 to 127.
        title: printed above.
        beats: float64 [K], seconds at which a thin line is drawn.

    Returns:
        uint8 [HEIGHT, WIDTH, 3].
    """
    figure, axes = _axes()
    low, high = _pitches(notes)
    end = max(float(notes[:, 1].max()), 1.0) if len(notes) else 1.0
    # A little room, so that the first and the last note do not touch the frame.
    axes.set_xlim(-0.01 * end, 1.01 * end)
    axes.set_ylim(low - 0.5, high + 0.5)
    _draw_keys(axes, low, high)
    if beats is not None:
        axes.vlines(beats[beats <= end], low - 0.5, high + 0.5, colors=BEATS, linewidths=0.6, zorder=1)
    _draw_notes(axes, notes, 1.02 * end / WIDTH)
    axes.set_xlabel("seconds")
    if title:
        axes.set_title(_fitted(title), loc="left", color=TEXT, fontsize=11, parse_math=False)
    with warnings.catch_warnings():
        # A title may hold characters that the font lacks; they are drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[:, :, :3].copy()


def write_png(path: Path, picture: np.ndarray) -> None:
    """Write a picture, uint8 [H, W, 3], in place of `path`.

    Raises:
        UserError: the file cannot be written.
    """
    from PIL import Image

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            Image.fromarray(picture).save(file, format="PNG")
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {explain(error, path)}; free some space or choose another folder"
        ) from error


def _axes() -> tuple[Any, Any]:
    """An empty figure and its axes."""
    # At its very first import matplotlib says that it builds a cache of the fonts; nobody asked.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.tick_params(colors=TEXT, labelsize=9, length=3)
    axes.xaxis.label.set_color(TEXT)
    for spine in axes.spines.values():
        spine.set_color(LINES)
    return figure, axes


def _pitches(notes: np.ndarray) -> tuple[int, int]:
    """Lowest and highest pitch to show: two more than there are on both sides, and more than an octave in all."""
    low, high = (int(notes[:, 2].min()), int(notes[:, 2].max())) if len(notes) else (60, 72)
    missing = max(0, 12 - (high - low))
    return low - missing // 2 - 2, high + (missing + 1) // 2 + 2


def _draw_keys(axes: Any, low: int, high: int) -> None:
    """Shade the rows of the black keys, and draw a line and write the name at every C."""
    rows = np.arange(low, high + 1)
    names = [pitch_name(int(row)) for row in rows]
    for row, name in zip(rows, names, strict=True):
        if "#" in name:
            axes.axhspan(row - 0.5, row + 0.5, color=BLACK_KEYS, linewidth=0, zorder=0)
    octaves = rows[rows % 12 == 0]
    axes.hlines(octaves - 0.5, 0, 1, transform=axes.get_yaxis_transform(), colors=LINES, linewidths=0.8, zorder=1)
    # As many names as there is room for: every white key, or C, E and G, or C alone.
    degrees = {0, 2, 4, 5, 7, 9, 11} if len(rows) <= 30 else {0, 4, 7} if len(rows) <= 50 else {0}
    named = [(row, name) for row, name in zip(rows, names, strict=True) if row % 12 in degrees]
    axes.set_yticks([row for row, _ in named], [name for _, name in named])


def _draw_notes(axes: Any, notes: np.ndarray, pixel: float) -> None:
    """Draw all notes as one collection; `pixel` is its width in seconds."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    start, pitch = notes[:, 0], notes[:, 2]
    end = np.maximum(notes[:, 1], start + SHORTEST * pixel)
    left_to_right, bottom_to_top = np.stack([start, start, end, end], 1), pitch[:, None] + [-0.42, 0.42, 0.42, -0.42]
    corners: Any = np.stack([left_to_right, bottom_to_top], 2)
    shapes = PolyCollection(
        corners,
        array=notes[:, 3],
        cmap=LinearSegmentedColormap.from_list("soft to loud", SOFT_TO_LOUD),
        norm=Normalize(1, 127),
        # An edge keeps repeated notes apart, but would hide the narrow ones of a long piece.
        edgecolors="white",
        linewidths=np.where(end - start > 6 * pixel, 0.5, 0),
        zorder=2,
    )
    axes.add_collection(shapes, autolim=False)
    bar = axes.figure.colorbar(shapes, ax=axes, pad=0.01, aspect=30, ticks=[1, 32, 64, 96, 127])
    bar.set_label("velocity", color=TEXT)
    bar.ax.tick_params(colors=TEXT, labelsize=8, length=2)
    bar.outline.set_edgecolor(LINES)


def _fitted(title: str) -> str:
    """A title in one line that fits."""
    line = " ".join(title.split())
    return line if len(line) <= 110 else line[:109] + "…"
