"""Whether networks play for long in the live room without dropping out, with other programs on the other cores.

    python benchmarks/live_floor.py EXPERIMENT EXPERIMENT EXPERIMENT --minutes 10
    python benchmarks/live_floor.py EXPERIMENT EXPERIMENT EXPERIMENT --minutes 2 --busy 1
    python benchmarks/live_floor.py EXPERIMENT EXPERIMENT EXPERIMENT --minutes 120    memory has to stay flat

It plays in silence, in the time of a sound card, as `python -m live bench` does, and takes as long as it is told to.
Printed each minute, and at the end: blocks, drop-outs of all networks together, blocks of input that were left out,
the slowest block of all in ms, and the memory of the process in MB after the first minute and at the end. The machine
has to be quiet: how much other programs wanted the processor is printed with it.
"""

import argparse
import contextlib
import subprocess
import sys
from collections.abc import Iterator

import compare
import psutil

from live import bench, networks
from live.room import Room
from workshop.machine import text_of


@contextlib.contextmanager
def busy(cores: int) -> Iterator[None]:
    """A block in which other processes keep so many cores busy."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores)]
    try:
        yield
    finally:
        for one in others:
            one.kill()
            one.wait()


def state(room: Room, blocks: int) -> dict[str, float]:
    """What has happened in a room so far."""
    counts = [slot.counts for slot in room.slots]
    return {
        "blocks": blocks,
        "late": sum(one.late for one in counts),
        "skipped": sum(one.skipped for one in counts),
        "slowest_ms": round(1000 * max(one.worst for one in counts), 1),
        "memory_mb": round(psutil.Process().memory_info().rss / 1e6),
    }


def main() -> None:
    """Play, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="+", help="one to three trained networks")
    parser.add_argument("--minutes", type=float, default=10, help="to play (default: %(default)s)")
    parser.add_argument("--block", type=int, default=512, help="samples (default: %(default)s)")
    parser.add_argument("--prebuffer", type=int, default=2, help="blocks to the answer (default: %(default)s)")
    parser.add_argument("--busy", type=int, default=0, help="cores that something else keeps busy (default: none)")
    args = parser.parse_args()
    voices = networks.opened(args.experiments, "continuous", 0)
    rate = networks.common_rate(voices)
    minute = round(60 * rate / args.block)
    count = round(args.minutes * minute)
    found: list[dict[str, float]] = []
    with Room(voices, rate, args.block, args.prebuffer) as room, busy(args.busy):
        for number in bench.played(room, count):
            if (number + 1) % minute == 0 or number + 1 == count:
                found.append(state(room, number + 1))
                print(found[-1], flush=True)
    compare.finish_speeds({
        "networks": len(voices), "rate": rate, "block": args.block, "prebuffer": args.prebuffer, "busy": args.busy,
        **found[-1], "memory_after_a_minute_mb": found[0]["memory_mb"],
        "pressure": text_of("/proc/pressure/cpu").partition("\n")[0],
    })  # fmt: skip


if __name__ == "__main__":
    main()
