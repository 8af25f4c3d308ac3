"""The leaderboard of a class: one page, the best first, of the experiments that can be compared."""

import argparse
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

from workshop import cli, counting
from workshop.concert import measuring, page
from workshop.concert.entries import Entry, found
from workshop.errors import UserError
from workshop.visible import visible_line

_NUMBERS = {0, 2, 3, 4, 5}
_NOTE = (
    "Bits a {unit} of held-out data, the fewer the better: so many yes-or-no questions the network needs for the next "
    "one. Only experiments on the same data, with the same held-out part and the same symbols, stand in one table."
)
_LOSS = "The loss on held-out data of those that were trained and measured on the same, the lower the better."
_MEASURED = "Measured again on {data}, which was not trained on. The numbers in brackets are those of run.json."


def _parser() -> cli.Parser:
    parser = cli.Parser(
        prog="python -m workshop.leaderboard", description="A page of the experiments of a class, the best first."
    )
    parser.add_argument("folders", metavar="FOLDER", nargs="+", help="folders with experiments in them or below")
    parser.add_argument("--out", default="leaderboard.html", help="the page")
    parser.add_argument("--measure", metavar="DIR", help="measure all again on this data, which nobody has seen")
    parser.add_argument("--title", default="Leaderboard", help="heading of the page")
    return parser


def main() -> None:
    """Write the page.

    Raises:
        UserError: there is no experiment, none can be measured, or the page cannot be written.
    """
    args: argparse.Namespace = _parser().read()
    entries, problems = found([Path(folder) for folder in args.folders])
    if not entries:
        raise UserError(f"there is no experiment in {', '.join(args.folders)}: name folders that experiments lie in")
    measured: dict[Path, float] = {}
    if args.measure:
        measured, failed = _measured(entries, Path(args.measure))
        if not measured:
            raise UserError(f"no experiment could be measured again: {failed[0]}")
        problems += failed
        entries = [entry for entry in entries if entry.path in measured]
    groups = grouped(entries, measured)
    parts = [_group(group, measured, args.measure) for group in groups]
    if problems:
        lines = "".join(f"<li>{page.plain(problem)}</li>" for problem in problems)
        parts.append(f"<h2>Not shown</h2><ul>{lines}</ul>")
    page.write(Path(args.out), args.title, "\n".join(parts))
    for problem in problems:
        cli.say(f"not shown: {problem}")
    for group in groups:
        best = group[0]
        loss = measured.get(best.path, best.loss)
        unit = "bits" if best.is_of_symbols else "as its loss"
        first = f"{best.name} with {loss:.3f} {unit}" if loss is not None else f"{best.name}, not measured yet"
        print(visible_line(f"{best.lesson.name}, {len(group)} experiments: the best is {first}"))
    print(visible_line(f"written: {args.out}"))


def grouped(entries: Sequence[Entry], measured: Mapping[Path, float]) -> list[list[Entry]]:
    """Those that can be compared, the best first; the largest group first. Of what was measured again on the same data
    that is all of a lesson with the same kind of symbols.
    """
    groups: dict[Hashable, list[Entry]] = {}
    for entry in entries:
        key = entry.representation if entry.path in measured else entry.comparable
        groups.setdefault(key, []).append(entry)

    def place(entry: Entry) -> tuple[float, str]:
        loss = measured.get(entry.path, entry.loss)
        return float("inf") if loss is None else loss, entry.name

    return sorted(
        (sorted(group, key=place) for group in groups.values()), key=lambda group: (-len(group), group[0].name)
    )


def _measured(entries: Sequence[Entry], data: Path) -> tuple[dict[Path, float], list[str]]:
    """The losses that are measured again, and why some cannot be."""
    found: dict[Path, float] = {}
    problems: list[str] = []
    for entry in counting.counted(entries, len(entries), "measured", "experiments"):
        try:
            found[entry.path] = measuring.loss(entry, data)
        except UserError as error:
            problems.append(str(error))
    return found, problems


def _group(group: Sequence[Entry], measured: Mapping[Path, float], data: str | None) -> str:
    """A table, and a sample of each."""
    first = group[0]
    where = data or first.record.data["path"]
    note = _NOTE.format(unit=first.lesson.unit.removesuffix("s")) if first.is_of_symbols else _LOSS
    what = "bits" if first.is_of_symbols else "loss"
    best = f"best {first.record.baseline_kind}"
    head = ["", "experiment", what, page.plain(best), "better by", "minutes", "network", "message"]
    if data:
        note += " " + _MEASURED.format(data=data)
    rows = [_row(place, entry, measured) for place, entry in enumerate(group, 1)]
    samples = "".join(_sample(entry) for entry in group)
    heading = f"<h2>{page.plain(first.lesson.name)}: {page.plain(where)}</h2>"
    return f"{heading}<p>{page.plain(note)}</p>{page.table(head, rows, _NUMBERS)}{samples}"


def _row(place: int, entry: Entry, measured: Mapping[Path, float]) -> list[str]:
    said, other = entry.loss, entry.baseline
    bits = "not measured" if said is None else f"{said:.3f}"
    if entry.path in measured:
        # What it is compared with has not been measured on this data.
        bits, other = f"{measured[entry.path]:.3f} ({bits})", None
    better = "" if said is None or other is None else f"{other - said:.3f}"
    cells = [
        place, entry.name, bits, "" if other is None else f"{other:.3f}", better, f"{entry.record.minutes:.1f}",
        entry.network, entry.record.message,
    ]  # fmt: skip
    return [page.plain(cell) for cell in cells]


def _sample(entry: Entry) -> str:
    made = "".join(page.media(one, f"the newest preview of {entry.name}") for one in entry.sample())
    return f"<article><h3>{page.plain(entry.name)}</h3>{made}</article>" if made else ""
