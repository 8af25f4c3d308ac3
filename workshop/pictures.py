"""Pictures for TensorBoard and for files: drawn in memory, without a window and without matplotlib's global state."""

import gc
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
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
BLACK_KEYS, LINES, TEXT = "#f0f1f4", "#9aa0ac", "#3a3f4b"

#: Samples of which a spectrum is made.
SPECTRUM = 512

#: A note is drawn with at least so many pixels, so that a short one in a long piece can be seen.
SHORTEST = 1.5


def piano_roll(notes: np.ndarray, title: str = "") -> np.ndarray:
    """Draw notes: time to the right, pitch upwards, the louder the warmer.

    Args:
        notes: float64 [N, 4]: start and end in seconds, pitch 0 to 127, velocity 1 to 127.
        title: printed above.

    Returns:
        uint8 [HEIGHT, WIDTH, 3].
    """
    figure, axes = _figure()
    low, high = _pitches(notes)
    end = max(float(notes[:, 1].max()), 1.0) if len(notes) else 1.0
    # A little room, so that the first and the last note do not touch the frame.
    axes.set_xlim(-0.01 * end, 1.01 * end)
    axes.set_ylim(low - 0.5, high + 0.5)
    _draw_keys(axes, low, high)
    _draw_notes(axes, notes, 1.02 * end / WIDTH)
    axes.set_xlabel("seconds")
    return _drawn(figure, axes, title)


def spectrogram(samples: np.ndarray, rate: int, title: str = "") -> np.ndarray:
    """Draw a sound: its waveform above, and below which frequencies it has, the louder the brighter.

    Args:
        samples: [N] from -1 to 1.
        rate: samples a second.
        title: printed above.

    Returns:
        uint8 [HEIGHT, WIDTH, 3].
    """
    figure, (above, below) = _figure(2, height_ratios=[1, 2.5], sharex=True)
    end = max(len(samples) / rate, 1e-3)
    shown = _envelope(samples)
    above.fill_between(np.linspace(0, end, len(shown)), shown[:, 0], shown[:, 1], color=SOFT_TO_LOUD[2], linewidth=0)
    above.set_ylim(-1, 1)
    above.set_xlim(0, end)
    below.imshow(
        _decibels(samples), origin="lower", aspect="auto", extent=(0, end, 0, rate / 2000), cmap="magma",
        vmin=-80, vmax=0, interpolation="nearest",
    )  # fmt: skip
    below.set_xlabel("seconds")
    below.set_ylabel("kHz", color=TEXT)
    return _drawn(figure, above, title)


def draw_curves(file: Path | BytesIO, run: dict[str, Any], title: str) -> None:
    """Write as PNG what TensorBoard shows of a run.json: the losses, and the best n-gram as a level line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    for key, label, colour in (("train", "training data", "#4292c6"), ("validation", "held-out data", "#d6336c")):
        points = np.array([(point["step"], point[key]) for point in run["history"] if key in point])
        axes.plot(*points.T, color=colour, label=label)
    axes.axhline(min(run["baseline"].values()), color="#9aa0ac", linestyle="--", label="best n-gram")
    axes.set_title(_fitted(title), parse_math=False)
    axes.set_xlabel("steps")
    axes.set_ylabel("loss in nats")
    axes.set_ylim(0, min(axes.get_ylim()[1], 6))
    axes.legend()
    with _boxes_for_unknown():
        figure.savefig(file, dpi=DPI, metadata={"Software": None})


def clear_away() -> None:
    """Free what drawing has left: each figure is a knot of some megabytes that Python would leave lying for dozens of
    pictures. It takes a fifth of a second where TensorFlow is loaded, so it is for once in a while.
    """
    gc.collect()


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


def _figure(rows: int = 1, **layout: Any) -> tuple[Any, Any]:
    """An empty figure and its axes: one, or an array of several, one below the other."""
    # At its very first import matplotlib says that it builds a cache of the fonts; nobody asked.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    made: Any = figure.subplots(rows, **layout)
    for axes in np.atleast_1d(made):
        axes.tick_params(colors=TEXT, labelsize=9, length=3)
        axes.xaxis.label.set_color(TEXT)
        for spine in axes.spines.values():
            spine.set_color(LINES)
    return figure, made


def _drawn(figure: Any, axes: Any, title: str) -> np.ndarray:
    """The pixels of a figure, uint8 [HEIGHT, WIDTH, 3], with a title above the axes."""
    if title:
        axes.set_title(_fitted(title), loc="left", color=TEXT, fontsize=11, parse_math=False)
    with _boxes_for_unknown():
        figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[:, :, :3].copy()


@contextmanager
def _boxes_for_unknown() -> Iterator[None]:
    """A title may hold characters that the font lacks; they are drawn as boxes, without a warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


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
    """A title in one line that fits, of what can be drawn: the name of a file need not be text."""
    line = " ".join(title.encode("utf-8", "replace").decode("utf-8").split())
    return line if len(line) <= 110 else line[:109] + "…"


def _envelope(samples: np.ndarray) -> np.ndarray:
    """Lowest and highest sample in each column of the picture, [K, 2]."""
    if not len(samples):
        return np.zeros((1, 2))
    columns = np.array_split(samples, min(WIDTH, len(samples)))
    return np.array([(part.min(), part.max()) for part in columns])


def _decibels(samples: np.ndarray) -> np.ndarray:
    """The level of each frequency at each time in dB, 0 the loudest: [bands, windows]."""
    hop = max(SPECTRUM // 4, len(samples) // WIDTH)
    padded = np.pad(samples, SPECTRUM // 2)
    starts = np.arange(0, max(len(padded) - SPECTRUM, 0) + 1, hop)
    windows = padded[starts[:, None] + np.arange(SPECTRUM)] * np.hanning(SPECTRUM)
    power = np.abs(np.fft.rfft(windows)).T ** 2
    return 10 * np.log10(np.maximum(power / max(power.max(), 1e-20), 1e-10))
