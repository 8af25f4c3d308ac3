"""The report on data before training, laid out the same for texts, notes and sounds."""

from workshop import lessons
from workshop.run.stopping import DEFAULT_MINUTES, expected_minutes


def format_report(rows: list[tuple[str, str]], aside: str, skipped: list[str], verdict: str) -> str:
    """Return aligned rows of a name and a value, then what files of other kinds there are, as `folders.left_aside` says
    it, the reasons for skipped files, and the verdict.
    """
    others = [("not read", aside)] if aside else []
    rows = [*rows, *others, *(("skipped", reason) for reason in skipped), ("verdict", verdict)]
    return "\n".join(f"{name:<12}{value}" for name, value in rows)


def training_time(amount: float, kind: str) -> str:
    """Return how long a plain ``train.py`` takes with each --size, in the first lesson that learns from this kind.

    Args:
        amount: of data, in the unit of the lesson's record.
        kind: of the data, a name in `workshop.folders.KINDS`.
    """
    lesson = lessons.of_kind(kind)
    assert lesson is not None, kind
    minutes = {size: expected_minutes(amount, lesson.step, speed) for size, speed in lesson.speeds.items()}
    times = ", ".join(f"{size} {_minutes(value)}" for size, value in minutes.items())
    how = f"while the held-out loss improves, for at most {DEFAULT_MINUTES:g} min (--max_minutes changes it)"
    return f"{times} (estimate on two laptop cores: {how})"


def _minutes(minutes: float) -> str:
    if minutes < 1:
        return "under 1 min"
    return f"{minutes:,.0f} min"
