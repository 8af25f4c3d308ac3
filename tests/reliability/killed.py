"""A lesson's training that is killed with -9 at a random moment, by itself, for nobody else can aim so well.

    python tests/reliability/killed.py LESSON MOMENT SEED FOLDER [arguments of train.py]

MOMENT is `start` (reading data, compiling, loading a checkpoint), `step` (in the middle of training), `save` (while
something is being written) or `never`. SEED chooses within it. FOLDER gets a file `step` with the last step that was
trained, and the caches of what is read.
"""

import os
import random
import runpy
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from workshop import ROOT
from workshop.audio import library as sounds
from workshop.notes import midilibrary
from workshop.run.progress import Progress

#: A moment lies within so many seconds of the process's start, of its first step, or of a file's being opened.
START_SECONDS, STEP_SECONDS, WRITE_SECONDS = 6.0, 0.3, 0.004
#: One of so many files that are opened or renamed is the moment; a save has three.
EVENTS = 24


def kill(*_: Any) -> None:
    """End this process as the kernel does."""
    os.kill(os.getpid(), signal.SIGKILL)


def kill_after(seconds: float) -> None:
    """The same in so many seconds."""
    timer = threading.Timer(seconds, kill)
    timer.daemon = True
    timer.start()


def kill_in_a_save(chance: random.Random) -> None:
    """The same when a certain file is opened aside or renamed, or while it is written to."""
    left = [chance.randrange(1, EVENTS)]
    act = kill if chance.random() < 0.4 else lambda: kill_after(chance.uniform(0, WRITE_SECONDS))

    def watch(event: str, values: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(values[1], str) and not {"w", "x"}.isdisjoint(values[1])
        if (writes or event == "os.rename") and str(values[0]).endswith(".part"):
            left[0] -= 1
            if left[0] == 0:
                act()

    sys.addaudithook(watch)


def note_steps(folder: Path, after_the_first: Any) -> None:
    """Keep the number of the last step in a file, without waiting for the disk; call something after the first one."""
    descriptor = os.open(folder / "step", os.O_WRONLY | os.O_CREAT, 0o600)
    original, first = Progress.step, [True]

    def step(self: Progress, step: int, epoch: float, loss: float, symbols: int) -> None:
        os.pwrite(descriptor, f"{step:012d}".encode(), 0)
        if first.pop() if first else False:
            after_the_first()
        original(self, step, epoch, loss, symbols)

    Progress.step = step  # type: ignore[method-assign]


def main() -> None:
    """Arrange for the end, and train."""
    lesson, moment, seed, folder, *arguments = sys.argv[1:]
    chance, place = random.Random(seed), Path(folder)
    midilibrary.CACHE, sounds.CACHE = place / "midi", place / "audio"
    when_training = {
        "step": lambda: kill_after(chance.uniform(0, STEP_SECONDS)),
        "save": lambda: kill_in_a_save(chance),
    }
    if moment == "start":
        kill_after(chance.uniform(0, START_SECONDS))
    note_steps(place, when_training.get(moment, lambda: None))
    script = ROOT / lesson / "train.py"
    sys.argv = [str(script), *arguments]
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    main()
