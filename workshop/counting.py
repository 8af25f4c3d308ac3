"""Progress through many things, such as files: a bar in a terminal, and in a log or a notebook a line now and then."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

#: Seconds until the first line of progress, and between two lines in a log.
FIRST_SECONDS = 2.0
LOG_SECONDS = 10.0


def counted(items: Iterable[Item], total: int, doing: str, unit: str = "files") -> Iterator[Item]:
    """Pass items on and say on standard error how many of them there have been, where that takes some seconds.

    Args:
        items: what is gone through.
        total: their number.
        doing: "reading MIDI files".
        unit: what is counted.
    """
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(items, doing, total, unit=f" {unit}", leave=False, delay=FIRST_SECONDS)
        return
    due = time.monotonic() + FIRST_SECONDS
    for number, item in enumerate(items):
        if time.monotonic() >= due:
            print(f"{doing}: {number:,} of {total:,} {unit}", file=sys.stderr, flush=True)
            due = time.monotonic() + LOG_SECONDS
        yield item
