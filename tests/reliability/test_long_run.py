"""Training and generating for a long time take no more memory than for a short one."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from tiny import LESSONS

from workshop import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from Linux' /proc"),
]

Amount = Callable[[int, int], int]
Figure = Callable[[str, str, str], None]
Begun = Callable[[], bool]

HERE = Path(__file__).parent
PAGE_BYTES, MB = 4096, 2**20
#: So much may come in the second half, in MB: what is made on first use may come late in a short run, and a history of
#: measurements grows, but by bytes.
MAX_GROWTH_MB = 20
#: Of the starter sets, for the long form.
LONG = ["--size", "tiny", "--save_every", "50"]


class Growth(NamedTuple):
    """Of a process: MB at its end; by how many MB a straight line through the second half rises, and MB an hour of it;
    what it printed.
    """

    end: float
    rise: float
    slope: float
    output: str


def growth(command: list[str], place: Path, begun: Begun) -> Growth:
    """Run a command to its end, and look at its memory five times a second from when it has begun."""
    process = subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    statm, seen = Path(f"/proc/{process.pid}/statm"), []
    while process.poll() is None:
        pages = int(statm.read_text().split()[1])
        if pages and begun():
            seen.append((time.monotonic(), pages * PAGE_BYTES / MB))
        time.sleep(0.2)
    output, _ = process.communicate()
    assert process.returncode == 0, command
    times, sizes = np.array(seen).T
    late = times >= (times[0] + times[-1]) / 2
    slope = float(np.polyfit(times[late], sizes[late], 1)[0])
    return Growth(float(sizes[-1]), slope * float(np.ptp(times[late])), 3600 * slope, output)


def two_by_two(jobs: dict[str, tuple[list[str], Path, Begun]]) -> dict[str, Growth]:
    """The growth of several commands, of which two run at the same time: of more, none would be done with what it makes
    on first use when half of the time is over.
    """
    found: dict[str, Growth] = {}

    def run(name: str) -> None:
        found[name] = growth(*jobs[name])

    names = list(jobs)
    for at in range(0, len(names), 2):
        threads = [threading.Thread(target=run, args=(name,)) for name in names[at : at + 2]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(found) == set(jobs), "the others did not end well"
    return found


def previewed(experiment: Path) -> bool:
    return any((experiment / "samples").glob("*"))


def note(figure: Figure, what: str, tried: str, found: Growth) -> None:
    figure(what, tried, f"{found.end:,.0f} MB; {found.slope:+.1f} MB an hour in the second half")
    assert found.rise < MAX_GROWTH_MB, f"{what}: {found.rise:.0f} MB more in the second half"


def test_memory_stays_flat(tmp_path: Path, request: pytest.FixtureRequest, amount: Amount, figure: Figure) -> None:
    """The lessons train, two at the same time, with previews; then their networks generate."""
    seconds, generated_seconds = amount(20, 1800, 20), amount(10, 600, 10)
    jobs = {}
    for lesson, (data, arguments) in LESSONS.items():
        where = ["--data_dir", str(request.getfixturevalue(data)), *arguments] if seconds < 60 else LONG
        length = ["--num_epochs", "1000000", "--max_minutes", str(seconds / 60), "--sample_every", "50"]
        path = tmp_path / lesson
        command = [sys.executable, "train.py", *where, *length, "--experiment_dir", str(path)]
        # From the first preview on: what it needs is compiled then, which takes memory once.
        jobs[lesson] = (command, ROOT / lesson, partial(previewed, path))
    for lesson, found in two_by_two(jobs).items():
        steps = json.loads((tmp_path / lesson / "run.json").read_text("utf-8"))["step"]
        note(figure, f"memory of {lesson} in training", f"{seconds / 60:.3g} minutes, {steps:,} steps", found)
    for lesson in LESSONS:
        begun = tmp_path / f"{lesson} generates"
        command = [str(tmp_path / lesson), str(generated_seconds), str(begun)]
        jobs[lesson] = ([sys.executable, str(HERE / "generating.py"), *command], HERE, begun.exists)
    for lesson, found in two_by_two(jobs).items():
        tried = f"{generated_seconds / 60:.3g} minutes, {int(found.output):,} symbols"
        note(figure, f"memory of {lesson} in generating", tried, found)


def test_growth_is_seen(tmp_path: Path) -> None:
    grow = "import time; kept = []\nfor _ in range(30): kept.append(b'x' * (2 << 20)); time.sleep(0.1)"
    found = growth([sys.executable, "-c", grow], HERE, tmp_path.exists)
    assert found.rise > 15
    assert found.slope > 10_000
