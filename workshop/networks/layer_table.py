"""The layers of a network as a table: output shapes and numbers of parameters."""

from collections.abc import Iterable

#: A layer: its name, its kind, the shape of its output, and its number of parameters.
Row = tuple[str, str, str, int]
#: Lines of a table.
MAX_LINES = 12


def layer_table(rows: Iterable[Row]) -> str:
    """One line a layer and at most 12 lines. Layers of the same kind, shape and number of parameters share a line,
    wherever they are; of more lines than there can be, the last ones are added up.
    """
    groups: dict[tuple[str, str, int], list[str]] = {}
    for name, kind, shape, weights in rows:
        groups.setdefault((kind, shape, weights), []).append(name)
    lines = [
        (names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}", *key[:2], len(names), key[2])
        for key, names in groups.items()
    ]
    if len(lines) > MAX_LINES:
        rest = lines[MAX_LINES - 1 :]
        lines = lines[: MAX_LINES - 1]
        lines.append((f"and {len(rest)} more", "", "", 1, sum(number * weights for *_, number, weights in rest)))
    cells = [
        (name, kind, shape, f"{number} x {weights:,}" if number > 1 and weights else f"{weights:,}")
        for name, kind, shape, number, weights in lines
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        f"  {name:<{widths[0]}}  {kind:<{widths[1]}}  {shape:<{widths[2]}}  {weights:>{widths[3]}}"
        for name, kind, shape, weights in cells
    )
