"""Drawing pictures for TensorBoard and for files: in memory, without a window and without matplotlib's global state."""

import gc
import logging
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from workshop.errors import UserError
from workshop.files import atomic_write, explain

#: Pixels of a picture of rows: width, height, and how many make an inch.
WIDTH, HEIGHT, DPI = 1000, 400, 100

#: What a PNG file begins with.
PNG = b"\x89PNG\r\n\x1a\n"

#: Colours: from soft to loud, of lines, and of letters.
SOFT_TO_LOUD = ("#9ecae1", "#4292c6", "#6a51a3", "#d6336c")
LINES, TEXT = "#9aa0ac", "#3a3f4b"


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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as file:
            file.write(png(picture))
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {explain(error, path)}; free some space or choose another folder"
        ) from error


def png(picture: np.ndarray) -> bytes:
    """A picture, uint8 [H, W, 3], as the bytes of a PNG file."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")

    height, width, _ = picture.shape
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])  # 8 bits of red, green, blue
    rows = np.concatenate([np.zeros((height, 1), np.uint8), picture.reshape(height, -1)], axis=1)  # as they are
    return PNG + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows.tobytes())) + chunk(b"IEND", b"")


def blank(width: int, height: int, **layout: Any) -> Any:
    """An empty figure of that size in pixels."""
    # Suppresses the font cache message of the very first import.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # A little more, so that no number of pixels becomes the next lower one.
    size = (width + 1e-6) / DPI, (height + 1e-6) / DPI
    figure = Figure(figsize=size, dpi=DPI, facecolor="white", **layout)
    FigureCanvasAgg(figure)
    return figure


def page(width: int, height: int) -> tuple[Any, Any]:
    """An empty figure and its axes, whose units are pixels: to the right and downwards."""
    figure = blank(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    return figure, axes


def figure_of_rows(rows: int = 1, **layout: Any) -> tuple[Any, Any]:
    """An empty figure and its axes: one, or an array of several, one below the other."""
    figure = blank(WIDTH, HEIGHT, layout="constrained")
    made: Any = figure.subplots(rows, **layout)
    for axes in np.atleast_1d(made):
        axes.tick_params(colors=TEXT, labelsize=9, length=3)
        axes.xaxis.label.set_color(TEXT)
        for spine in axes.spines.values():
            spine.set_color(LINES)
    return figure, made


def drawn(figure: Any, axes: Any, title: str) -> np.ndarray:
    """The pixels of a figure, uint8 [HEIGHT, WIDTH, 3], with a title above the axes."""
    if title:
        axes.set_title(fitted(title), loc="left", color=TEXT, fontsize=11, parse_math=False)
    return pixels(figure)


def pixels(figure: Any) -> np.ndarray:
    """The pixels of a figure, uint8 [H, W, 3]."""
    with boxes_for_unknown():
        figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[:, :, :3].copy()


def points(pixels: float) -> float:
    """A size as matplotlib counts it."""
    return pixels * 72 / DPI


@contextmanager
def boxes_for_unknown() -> Iterator[None]:
    """A title may hold characters that the font lacks; they are drawn as boxes, without a warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def fitted(title: str, longest: int = 110) -> str:
    """A title in one line that fits, of what can be drawn: the name of a file need not be text."""
    line = " ".join(title.encode("utf-8", "replace").decode("utf-8").split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
