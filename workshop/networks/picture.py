"""A picture of a network as SVG: a box for each layer, with its kind, the shape of its output and its weights.

It holds no scripts and refers to nothing outside, is readable on light and on dark ground, and says the same in words
to those who cannot see it.
"""

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

from workshop.networks.layer_table import Row
from workshop.visible import visible_line

#: Pixels: a box, the way from one to the next, the margin around, and where letters stand in a box.
WIDTH, HEIGHT, GAP, MARGIN, INSET = 420, 54, 26, 16, 14
#: Letters of a name that fit into half a box.
LONGEST = 24
#: Boxes, of which the last one stands for all further ones.
MOST = 60

#: Its style sheet, which is the same in every picture.
STYLE = """
    .ground { fill: #fff } .box { fill: #eef3fb; stroke: #4a6fa5 } .arrow { stroke: #5a6472; fill: none }
    .head { fill: #5a6472 } .name { font-weight: 600 } text { fill: #1d2330; font: 14px system-ui, sans-serif }
    .small { font-size: 12px; fill: #46505f }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #14171c } .box { fill: #1f2a3a; stroke: #7fa3d8 } .arrow { stroke: #aab4c2 }
      .head { fill: #aab4c2 } text { fill: #eef1f6 } .small { fill: #b9c2cf }
    }
"""


def network_svg(rows: Iterable[Row], title: str) -> str:
    """The picture of a network.

    Args:
        rows: its layers from input to output, as a model's `layer_rows` gives them. Neighbours of the same kind, shape
            and number of weights share a box.
        title: what the network is called.

    Returns:
        an SVG document. Each box has its number of weights as `data-weights`, and their sum is that of the network.
    """
    boxes = _boxes(rows)
    total = sum(weights for *_, weights in boxes)
    words = "; ".join(f"{name}, {kind}, {shape}, {weights:,} weights" for name, kind, shape, weights in boxes)
    height = 2 * MARGIN + 30 + len(boxes) * (HEIGHT + GAP) - GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title words" width="{WIDTH + 2 * MARGIN}"'
        f' height="{height}" viewBox="0 0 {WIDTH + 2 * MARGIN} {height}">',
        f'  <title id="title">{_text(title)}: {total:,} weights</title>',
        f'  <desc id="words">From input to output: {_text(words)}</desc>',
        f"  <style>{STYLE}</style>",
        '  <rect class="ground" width="100%" height="100%"/>',
        f'  <text class="name" x="{MARGIN}" y="{MARGIN + 14}">{_text(_short(title, 2 * LONGEST))}</text>',
        f'  <text class="small" x="{MARGIN + WIDTH}" y="{MARGIN + 14}" text-anchor="end">{total:,} weights</text>',
    ]
    for number, box in enumerate(boxes):
        top = MARGIN + 30 + number * (HEIGHT + GAP)
        parts += _arrow(top) if number else []
        parts += _box(box, top)
    return "\n".join([*parts, "</svg>\n"])


def network_markdown(rows: Iterable[Row]) -> str:
    """The same as a table in Markdown, for TensorBoard."""
    boxes = _boxes(rows)
    lines = [
        f"| {_cell(name)} | {_cell(kind)} | {_cell(shape)} | {weights:,} |" for name, kind, shape, weights in boxes
    ]
    total = sum(weights for *_, weights in boxes)
    head = ["| layer | kind | output | weights |", "| --- | --- | --- | ---: |"]
    return "\n".join([*head, *lines, f"| all | | | {total:,} |"])


def _boxes(rows: Iterable[Row]) -> list[Row]:
    """A row for each box: neighbours that are alike in one, with the sum of their weights."""
    groups: list[list[Row]] = []
    for row in rows:
        if groups and groups[-1][0][1:] == row[1:]:
            groups[-1].append(row)
        else:
            groups.append([row])
    boxes = [_joined(group) for group in groups]
    if len(boxes) > MOST:
        rest = boxes[MOST - 1 :]
        boxes[MOST - 1 :] = [(f"and {len(rest)} more", "", rest[-1][2], sum(weights for *_, weights in rest))]
    return boxes


def _joined(group: Sequence[Row]) -> Row:
    name, kind, shape, weights = group[0]
    if len(group) == 1:
        return group[0]
    return f"{name} to {group[-1][0]}", f"{len(group)} x {kind}", shape, len(group) * weights


def _box(row: Row, top: int) -> list[str]:
    name, kind, shape, weights = row
    left, right = MARGIN + INSET, MARGIN + WIDTH - INSET
    return [
        f'  <g data-weights="{weights}">',
        f'    <rect class="box" x="{MARGIN}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
        f'    <text class="name" x="{left}" y="{top + 23}">{_text(_short(name))}</text>',
        f'    <text class="small" x="{left}" y="{top + 42}">{_text(_short(kind))}</text>',
        f'    <text x="{right}" y="{top + 23}" text-anchor="end">{_text(_short(shape))}</text>',
        f'    <text class="small" x="{right}" y="{top + 42}" text-anchor="end">{weights:,} weights</text>',
        "  </g>",
    ]


def _arrow(top: int) -> list[str]:
    """From the box above to the one at `top`."""
    middle = MARGIN + WIDTH // 2
    return [
        f'  <path class="arrow" d="M{middle} {top - GAP} V{top - 7}"/>',
        f'  <path class="head" d="M{middle - 5} {top - 8} h10 l-5 8 z"/>',
    ]


def _short(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _text(text: str) -> str:
    """A text as XML can hold it: a layer can have any name."""
    printable = "".join(character if ord(character) < 0xD800 or ord(character) > 0xDFFF else "?" for character in text)
    return escape(visible_line(printable).replace("\ufffe", "?").replace("\uffff", "?"))


def _cell(text: str) -> str:
    """A text in a cell of a Markdown table."""
    return "".join(f"\\{character}" if character in "\\|*_`[]<>#" else character for character in visible_line(text))
