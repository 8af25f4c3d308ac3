"""What identifies a process for good: its number alone does not, because numbers are given out again."""

import os
import socket
import sys
from pathlib import Path

import psutil


def this_computer() -> str:
    """A name for this computer since its last start, and for the container: where it is the same, so are the process
    ids.
    """
    parts = [socket.gethostname(), f"{psutil.boot_time():.0f}"]
    if sys.platform == "linux":
        # The start of a computer is corrected with its clock; this number is not.
        parts = [socket.gethostname(), Path("/proc/sys/kernel/random/boot_id").read_text().strip()]
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def began(process: psutil.Process) -> float:
    """When a process began, in seconds: the same number whenever one asks, also after the clock was set.

    Raises:
        psutil.Error: it is not there any more, or may not be asked.
    """
    time = process.create_time()
    # Linux counts from the computer's start, and psutil adds that to it as it is by the clock of now.
    return round(time - psutil.boot_time(), 2) if sys.platform == "linux" else time
