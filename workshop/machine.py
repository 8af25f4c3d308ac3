"""How much of the computer there is to use: in a container, that can be less than there is."""

import os
import re
from pathlib import Path

#: Where Linux says what the control group of this process may take.
CONTROL_GROUP = Path("/sys/fs/cgroup")


def text_of(path: str | Path) -> str:
    """The text of a file, or nothing where there is none."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> tuple[int, int]:
    """The memory of the computer, or of the container if that is less, and the free part of it (all of it where that
    is not told), in bytes.
    """
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    available = re.search(r"^MemAvailable:\s+(\d+) kB", text_of("/proc/meminfo"), re.MULTILINE)
    free = int(available[1]) << 10 if available else total
    limit, used = (text_of(CONTROL_GROUP / name).strip() for name in ("memory.max", "memory.current"))
    if limit.isdigit():  # without a limit, it is "max"
        total = min(total, int(limit))
        free = min(free, max(0, int(limit) - int(used or 0)))
    return total, free
