"""The results of a sweep: a table, best first, as text and as CSV, and one chart."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from workshop import pictures
from workshop.commands import command
from workshop.errors import UserError
from workshop.files import atomic_write, explain, write_text
from workshop.sweep.folder import Folder, Job, Result, of_plan, ranked, wanted
from workshop.sweep.plan import Plan, in_word, words
from workshop.sweep.training import arguments_of, record_of
from workshop.visible import visible_line

#: Pixels of a panel of the chart, and of its height.
PANEL, HEIGHT = 420, 400
#: Arguments that get a panel, and the colours of the best curves.
MOST_PANELS, COLOURS = 4, ("#d6336c", "#6a51a3", "#4292c6", "#2b8a3e", "#e8890c")
#: Values of an argument that are all written below its panel.
_MOST_NAMED = 6


def rows(plan: Plan, results: Sequence[Result]) -> list[list[str]]:
    """The table: a line of names, and a line for each trial that has ended."""
    lines = [["place", "trial", *plan.varied, "held-out loss", "at step", "steps", "epochs", "minutes", "remark"]]
    for place, result in enumerate(ranked(results), 1):
        trial = plan.trials[result.trial - 1]
        loss = "-" if result.loss is None else f"{result.loss:.4f}"
        remark = result.failed or ("" if result.rung == plan.rungs else "stopped early")
        lines.append(
            [
                str(place), str(result.trial), *(in_word(trial[name]) for name in plan.varied), loss,
                str(result.best_step), str(result.step), str(result.epoch), f"{result.minutes:.1f}", remark,
            ]
        )  # fmt: skip
    return lines


def as_text(lines: Sequence[Sequence[str]]) -> str:
    """The table in aligned columns."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    aligned = ("  ".join(cell.rjust(width) for cell, width in zip(line[:-1], widths, strict=False)) for line in lines)
    return "\n".join(visible_line(f"{text}  {line[-1]}".rstrip()) for text, line in zip(aligned, lines, strict=True))


def write(folder: Folder, plan: Plan) -> str:
    """Write table.txt, table.csv and the chart; returns what to print: the table, and the commands for the best.

    Raises:
        UserError: a file cannot be written, or a result is damaged.
    """
    results = of_plan(plan, folder.results())
    lines = rows(plan, results)
    write_text(folder.path / "table.txt", as_text(lines) + "\n")
    cells = io.StringIO()
    csv.writer(cells, lineterminator="\n").writerows(lines)
    write_text(folder.path / "table.csv", cells.getvalue())
    best = next((result for result in ranked(results) if result.loss is not None), None)
    left = len({job.trial for job in wanted(plan, results)})
    said = [as_text(lines)] if results else ["no trial has ended yet"]
    if left:
        said.append(f"{left} of {len(plan.trials)} trials are still to be trained")
    if best:
        _draw(folder, plan, results)
        script = plan.lesson.folder
        again = arguments_of(plan, Job(best.trial, best.rung))
        sampled = command(script / "sample.py", "--experiment_dir", folder.experiment(best.trial))
        said.append(f"the best again:  {command(script / 'train.py', *words(again))}")
        said.append(f"to generate:     {sampled}")
        said.append(f"table and chart: {visible_line(str(folder.path))}")
    return "\n".join(said)


def _draw(folder: Folder, plan: Plan, results: Sequence[Result]) -> None:
    """Draw the held-out loss of each trial over its steps, and its lowest over each argument that varies.

    Raises:
        UserError: the file cannot be written.
    """
    order = [result for result in ranked(results) if result.loss is not None]
    shown = plan.varied[:MOST_PANELS]
    figure = pictures.blank(PANEL * (1 + len(shown)), HEIGHT, layout="constrained")
    panels: Any = figure.subplots(1, 1 + len(shown), squeeze=False)[0]
    colours = [*COLOURS, *[pictures.LINES] * len(order)]
    for place, result in reversed(list(enumerate(order))):
        record = record_of(folder, plan, result.trial)
        steps = [measured.step for measured in record.history] if record else []
        losses = [measured.validation for measured in record.history] if record else []
        label = f"trial {result.trial}" if place < len(COLOURS) else None
        # A single measurement is a point.
        panels[0].plot(steps, losses, color=colours[place], label=label, marker="." if len(steps) < 2 else "")
        for axes, name in zip(panels[1:], shown, strict=True):
            value = plan.trials[result.trial - 1][name]
            axes.plot([_position(plan, name, value)], [result.loss], "o", color=colours[place])
    panels[0].set(xlabel="training step", ylabel="held-out loss")
    handles, labels = panels[0].get_legend_handles_labels()
    panels[0].legend(handles[::-1], labels[::-1], fontsize=8)
    for axes, name in zip(panels[1:], shown, strict=True):
        axes.set(xlabel=name, ylabel="lowest held-out loss")
        _label(axes, plan, name)
    for suffix in ("png", "svg"):
        path = folder.path / f"chart.{suffix}"
        try:
            with atomic_write(path) as file, pictures.boxes_for_unknown():
                figure.savefig(file, format=suffix, metadata={"Date": None} if suffix == "svg" else None)
        except OSError as error:
            raise UserError(f"{path} cannot be written: {explain(error, path)}; free some space there") from error


def _values(plan: Plan, name: str) -> list[Any]:
    """The different values of an argument."""
    return list(dict.fromkeys(trial[name] for trial in plan.trials))


def _is_number(plan: Plan, name: str) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in _values(plan, name))


def _position(plan: Plan, name: str, value: Any) -> float:
    """Where a value stands: a number by itself, anything else by its order."""
    return float(value) if _is_number(plan, name) else float(_values(plan, name).index(value))


def _label(axes: Any, plan: Plan, name: str) -> None:
    values = _values(plan, name)
    if _is_number(plan, name) and min(values) > 0 and max(values) >= 30 * min(values):
        axes.set_xscale("log")
    elif len(values) <= _MOST_NAMED or not _is_number(plan, name):
        places = [_position(plan, name, value) for value in values]
        axes.set_xticks(places, [pictures.fitted(in_word(value), 20) for value in values], parse_math=False)
