"""Time as a sound card gives it, without one."""

import time
from collections.abc import Iterator


def ticks(count: int, seconds: float) -> Iterator[int]:
    """Count from 0, one number every so many seconds; what comes late is not made up for by haste."""
    due = time.perf_counter()
    for number in range(count):
        pause = due - time.perf_counter()
        if pause > 0:
            time.sleep(pause)
        else:
            due -= pause
        yield number
        due += seconds
