"""Progress through what takes long: a bar in a terminal, and for files in a log or a notebook a line now and then."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

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
