"""Drawing notes as a piano roll."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from workshop.notes.midifiles import pitch_name
from workshop.pictures import LINES, SOFT_TO_LOUD, TEXT, fitted, page, pixels, points

#: Piano rolls. TensorBoard's tab Images shows a picture 350 pixels wide, whatever its size, by leaving out pixels: a
#: roll is drawn twice as large, in even numbers of pixels. There are 20 for a sixteenth, and two bars in a row; on a
#: page, which is not made smaller, four.
ROLL_WIDTH, PAGE_WIDTH = 700, 1340
BEAT = 80
#: Maximal number of bars: in TensorBoard, and on a page.
ROLL_BARS, PAGE_BARS = 8, 128
#: Pixels around the bars: left of them, right of them, for the title, above a row, below the last one, and for the
#: scale of velocities.
LEFT, RIGHT, TITLE, ABOVE, BOTTOM, SCALE = 52, 8, 36, 28, 12, 40
#: Pixels of a semitone at least and at most, and of a row about.
LOWEST_SEMITONE, HIGHEST_SEMITONE, ROW = 6, 10, 220
#: Pixels of letters: height in a title, height elsewhere, and width in a title.
LARGE, SMALL, LETTER = 20, 18, 13
#: Where all are equally loud, they have the colour that is so far from the softest to the loudest.
ONE_COLOUR = 0.6
#: Minimal width of a note in pixels, so that a short one is visible.
SHORTEST = 3.0
BLACK_KEYS, FAINT = "#f0f1f4", "#dfe2e8"


def piano_roll(
    notes: np.ndarray, title: str = "", beats: int = 4, bars: int = ROLL_BARS, width: int = ROLL_WIDTH
) -> np.ndarray:
    """Draw notes in rows of bars, like the systems of a score: time to the right, pitch upwards.

    A row has as many whole bars as there is room for. Where velocities differ, the louder is the warmer, and a scale
    below says so.

    Args:
        notes: float64 [N, 4]: start and end in beats, pitch 0 to 127, velocity 1 to 127.
        title: printed above, with how many bars are shown where there are more.
        beats: in a bar.
        bars: that are drawn at most.
        width: pixels that the picture may be wide; one bar is drawn in any case.

    Returns:
        uint8 [H, W, 3].
    """
    layout = _Layout.of(notes, beats, bars, width)
    scaled = len(np.unique(notes[:, 3])) > 1
    figure, axes = page(layout.width, layout.height + SCALE * scaled)
    _draw_grid(axes, layout)
    _draw_names(axes, layout)
    _draw_notes(axes, layout, notes, scaled)
    cut = f"first {layout.bars} of {layout.bars_there:,} bars" if layout.bars < layout.bars_there else ""
    name = fitted(title, max((layout.width - LEFT) // LETTER - len(cut) - 2, 10))
    shown = ": ".join(part for part in (name, cut) if part)
    axes.text(LEFT, TITLE / 2, shown, va="center", parse_math=False, **_letters(LARGE))
    return pixels(figure)


def _letters(pixels: float) -> dict[str, Any]:
    """How a piano roll is written on: bold letters can be read where every other pixel is left out."""
    return {"color": TEXT, "fontsize": points(pixels), "fontweight": "bold"}


@dataclass(frozen=True)
class _Layout:
    """Where everything is in a piano roll: bars of `beats` beats in rows, and pitches from `low` to `high`.

    Attributes:
        bars_there: bars of the piece, of which `bars` are drawn.
        semitone: its height in pixels.
    """

    beats: int
    bars_a_row: int
    bars: int
    bars_there: int
    low: int
    high: int
    semitone: int

    @classmethod
    def of(cls, notes: np.ndarray, beats: int, bars: int, width: int) -> "_Layout":
        """The layout for notes [N, 4]: all pitches of those that are drawn, from one below to one above, and more than
        an octave in all.
        """
        there = max(math.ceil(float(notes[:, 1].max(initial=0)) / beats - 1e-6), 1)
        in_a_row = max((width - LEFT - RIGHT) // (beats * BEAT), 1)
        drawn = min(there, max(bars, in_a_row))
        pitches = notes[notes[:, 0] < drawn * beats, 2]
        low, high = (int(pitches.min()), int(pitches.max())) if len(pitches) else (60, 72)
        missing = max(0, 12 - (high - low))
        low, high = low - missing // 2 - 1, high + (missing + 1) // 2 + 1
        semitone = min(max(ROW // (high - low + 1) // 2 * 2, LOWEST_SEMITONE), HIGHEST_SEMITONE)
        return cls(beats, in_a_row, drawn, there, low, high, semitone)

    @property
    def rows(self) -> int:
        return -(-self.bars // self.bars_a_row)

    @property
    def row_height(self) -> int:
        return (self.high - self.low + 1) * self.semitone

    @property
    def width(self) -> int:
        return LEFT + self.bars_a_row * self.beats * BEAT + RIGHT

    @property
    def height(self) -> int:
        return TITLE + self.rows * (ABOVE + self.row_height) + BOTTOM

    def bars_of(self, row: int) -> int:
        """How many bars a row has."""
        return min(self.bars - row * self.bars_a_row, self.bars_a_row)

    def top(self, row: Any) -> Any:
        """The upper edge of a row, or of each of several."""
        return TITLE + row * (ABOVE + self.row_height) + ABOVE

    def middle(self, row: Any, pitch: Any) -> Any:
        """The height of a pitch in a row, or of each of several."""
        return self.top(row) + (self.high - pitch + 0.5) * self.semitone

    def rectangles(self, notes: np.ndarray) -> tuple[Any, np.ndarray]:
        """Corners [K, 4, 2] of the notes that are drawn, those across the end of a row in parts, and which note [K]
        each belongs to.
        """
        row_beats, end_of_all = self.bars_a_row * self.beats, self.bars * self.beats
        number = np.flatnonzero(notes[:, 0] < end_of_all)
        start = notes[number, 0]
        end = np.minimum(np.maximum(notes[number, 1], start + 1e-6), end_of_all)
        first = np.floor(start / row_beats).astype(int)
        parts = np.maximum(np.ceil(end / row_beats).astype(int) - first, 1)
        of = np.repeat(np.arange(len(number)), parts)
        row = first[of] + np.arange(len(of)) - np.repeat(np.cumsum(parts) - parts, parts)
        left = LEFT + np.clip(start[of] - row * row_beats, 0, row_beats) * BEAT
        right = np.maximum(LEFT + np.clip(end[of] - row * row_beats, 0, row_beats) * BEAT, left + SHORTEST)
        middle, half = self.middle(row, notes[number[of], 2]), self.semitone / 2
        across = np.stack([left, left, right, right], 1)
        down = np.stack([middle + half, middle - half, middle - half, middle + half], 1)
        return np.stack([across, down], 2), number[of]


def _draw_grid(axes: Any, layout: _Layout) -> None:
    """Shade the rows of the black keys, and draw a line for each beat, bar and octave."""
    from matplotlib.collections import LineCollection, PolyCollection

    shades: list[Any] = []
    faint: list[Any] = []
    strong: list[Any] = []
    for row in range(layout.rows):
        top, bottom = layout.top(row), layout.top(row) + layout.row_height
        right = LEFT + layout.bars_of(row) * layout.beats * BEAT
        for pitch in range(layout.low, layout.high + 1):
            lower = layout.middle(row, pitch) + layout.semitone / 2
            upper = lower - layout.semitone
            if "#" in pitch_name(pitch):
                shades.append([(LEFT, upper), (right, upper), (right, lower), (LEFT, lower)])
            if pitch % 12 == 0 and pitch > layout.low:
                faint.append([(LEFT, lower), (right, lower)])
        for beat in range(layout.bars_of(row) * layout.beats + 1):
            lines = faint if beat % layout.beats else strong
            lines.append([(LEFT + beat * BEAT, top), (LEFT + beat * BEAT, bottom)])
        strong += [[(LEFT, edge), (right, edge)] for edge in (top, bottom)]
    axes.add_collection(PolyCollection(shades, facecolors=BLACK_KEYS, linewidths=0, zorder=0), autolim=False)
    axes.add_collection(LineCollection(faint, colors=FAINT, linewidths=points(2), zorder=1), autolim=False)
    axes.add_collection(LineCollection(strong, colors=LINES, linewidths=points(2), zorder=2), autolim=False)


def _draw_names(axes: Any, layout: _Layout) -> None:
    """Write the number of each bar above it, and the names of some notes left of each row."""
    # As many as there is room for: C, E and G, or C and G.
    degrees = {0, 4, 7} if 3 * layout.semitone > SMALL else {0, 7}
    style = _letters(SMALL)
    for row in range(layout.rows):
        for bar in range(layout.bars_of(row)):
            at = LEFT + bar * layout.beats * BEAT
            axes.text(at, layout.top(row) - 5, f"{row * layout.bars_a_row + bar + 1}", **style)
        for pitch in range(layout.low, layout.high + 1):
            if pitch % 12 in degrees:
                place = LEFT - 6, layout.middle(row, pitch)
                axes.text(*place, pitch_name(pitch), ha="right", va="center", **style)


def _draw_notes(axes: Any, layout: _Layout, notes: np.ndarray, scaled: bool) -> None:
    """Draw all notes as one collection, and optionally the colour scale of velocities below them."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("soft to loud", SOFT_TO_LOUD)
    corners, number = layout.rectangles(notes)
    loudness = (notes[number, 3] - 1) / 126 if scaled else np.full(len(number), ONE_COLOUR)
    # An edge keeps repeated notes apart.
    style: Any = {"edgecolors": "white", "linewidths": points(2), "zorder": 3}
    axes.add_collection(PolyCollection(corners, facecolors=colours(loudness), **style), autolim=False)
    if scaled:
        middle, left, right = layout.height + SCALE / 2 - BOTTOM / 2, LEFT + 120, LEFT + 320
        edges = np.linspace(left, right, 128)
        axes.pcolormesh(edges, [middle - 7, middle + 7], np.arange(127)[None], cmap=colours, zorder=3)
        for at, word, side in ((left - 8, "velocity 1", "right"), (right + 8, "127", "left")):
            axes.text(at, middle, word, ha=side, va="center", **_letters(SMALL))
