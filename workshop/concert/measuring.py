"""Measuring trained networks again, on data that nobody has seen: what a run.json says is its author's own word.

`train.py --init_from` measures the network before its first step, on the held-out part of the new data, which is made
most of it. All are measured with the symbols of that data, so that networks with other vocabularies can be compared:
a symbol that one of them does not know costs it bits, as it should.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from workshop.concert.entries import Entry
from workshop.errors import UserError
from workshop.files import read_json
from workshop.run import experiment

#: The share of the data that is measured. The rest is trained on for a few steps, of which nothing is kept.
SHARE = 0.9


def loss(entry: Entry, data: Path) -> float:
    """The loss on the data, as `Entry.shown` has it, by the best checkpoint of an experiment.

    Raises:
        UserError: it cannot be measured.
    """
    with tempfile.TemporaryDirectory(prefix="measured_") as folder:
        place = Path(folder) / "experiment"
        command = [
            sys.executable, str(entry.lesson.folder / "train.py"), f"--init_from={entry.path.resolve()}",
            f"--data_dir={data.resolve()}", f"--val_split={SHARE}", "--smoke", f"--experiment_dir={place}",
        ]  # fmt: skip
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", check=False
        )
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no reason was given"])[-1].removeprefix("error: ")
            raise UserError(f"{entry.path} cannot be measured: {said:.300}")
        file = place / "run.json"
        record = experiment.record_of(read_json(file), file, entry.lesson.name)
        at_start = [measured.validation for measured in record.history if measured.step == 0]
        if not at_start:
            raise UserError(f"{entry.path} cannot be measured: this lesson does not measure before the first step")
        return entry.shown(at_start[0])
