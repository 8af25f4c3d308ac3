"""Progress through what takes long: a bar in a terminal, and for files in a log or a notebook a line now and then."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from workshop.words import duration

Item = TypeVar("Item")

#: Seconds until the first line of progress, and between two lines in a log.
FIRST_SECONDS = 2.0
LOG_SECONDS = 10.0
#: Totals from this on are said in thousands or millions.
MANY = 10_000


def bar(total: int, unit: str, doing: str = "", *, begun: int = 0, stays: bool = False, hidden: bool = False) -> Any:
    """Tqdm's bar, in a terminal alone: it would fill a log.

    Args:
        total: what there is to do.
        unit: what is counted.
        doing: what stands before the bar.
        begun: what of it is done already.
        stays: it is there from the beginning and after the end; else only while something takes some seconds.
        hidden: in a terminal neither.
    """
    from tqdm import tqdm

    return tqdm(
        desc=doing or None, total=total, initial=begun, unit=unit, unit_scale=total >= MANY, leave=stays,
        delay=0 if stays else FIRST_SECONDS, disable=hidden or None,
    )  # fmt: skip


def counted(items: Iterable[Item], total: int, doing: str, unit: str = "files") -> Iterator[Item]:
    """Pass items on and say on standard error how many of them there have been, where that takes some seconds.

    Args:
        items: what is gone through.
        total: their number.
        doing: "reading MIDI files".
        unit: what is counted.
    """
    due = time.monotonic() + FIRST_SECONDS
    with bar(total, f" {unit}", doing) as shown:
        for number, item in enumerate(items):
            if shown.disable and time.monotonic() >= due:
                print(f"{doing}: {number:,} of {total:,} {unit}", file=sys.stderr, flush=True)
                due = time.monotonic() + LOG_SECONDS
            yield item
            shown.update()


@contextmanager
def told(total: int, of_one: int, doing: str, unit: str) -> Iterator[Callable[[int], None]]:
    """Say on standard error how far something is, with the time that is left, where it takes some seconds.

    Args:
        total: what there is to do; 0 where that is not known, and nothing is said.
        of_one: how much of it is one of `unit`.
        doing: "reading a.flac".
        unit: what is counted, in the plural.

    Yields:
        what is to be called with how much more has been done.
    """
    begun = due = time.monotonic()
    due += FIRST_SECONDS
    done = 0
    with bar(total, "", doing, hidden=not total) as shown:

        def tell(more: int) -> None:
            nonlocal done, due
            done = min(done + more, total)
            shown.update(done - shown.n)
            now = time.monotonic()
            if shown.disable and done < total and now >= due:
                left = duration((now - begun) * (total - done) / max(done, 1))
                minutes = f"{done / of_one:,.0f} of {total / of_one:,.0f} {unit}"
                print(f"{doing}: {minutes}, {left} left", file=sys.stderr, flush=True)
                due = now + LOG_SECONDS

        yield tell
