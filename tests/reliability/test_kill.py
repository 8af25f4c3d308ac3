"""A training that is killed with -9 again and again, also while it saves, is in the end the run that nobody disturbed.

Number for number: losses, weights, the optimiser's state and the previews. Of each kill at most `--save_every` steps
are lost, and neither half-written files nor processes stay.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny import LESSONS

from workshop.run import checkpoint

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
#: Epochs for each kill, so that a run is not over before.
EPOCHS = {"char_rnn": 5, "midi_rnn": 20, "wavenet": 20, "audio_rnn": 12, "spectral_rnn": 15, "spectral_gan": 20}
#: What else is varied and shown, so that it has to be gone on with too.
FURTHER = {"midi_rnn": ["--transpose", "2"]}
MOMENTS = ("step", "save", "save", "start")
#: The lessons that are killed at each of these in the short form: one that predicts what comes next, and the one with
#: two networks. The others share all that saves and resumes with the first, and are killed in a save.
OFTEN = ("char_rnn", "spectral_gan")


class Victim:
    """An experiment whose training is killed and taken up again."""

    def __init__(self, lesson: str, folder: Path, data: Path, arguments: list[str]):
        self.path, self._folder = folder / "experiment", folder
        folder.mkdir()
        self._command = [sys.executable, str(HERE / "killed.py"), lesson]
        self._begin = ["--experiment_dir", str(self.path), "--data_dir", str(data), *arguments]

    def train(self, moment: str, seed: int) -> int:
        """Train on until the moment, and return the exit status."""
        goes_on = (self.path / "checkpoints" / "latest.npz").exists()
        arguments = ["--resume", "--experiment_dir", str(self.path)] if goes_on else self._begin
        # A session of its own, by which the processes that it starts are known.
        process = subprocess.Popen(
            [*self._command, moment, str(seed), str(self._folder), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        output, _ = process.communicate(timeout=300)
        assert process.returncode in (0, -signal.SIGKILL), output
        assert nobody_is_left(process.pid), "a process that it had started lives on"
        return process.returncode

    def steps_lost(self) -> int:
        """Steps that had been trained and are not in the checkpoint, after a kill."""
        _, meta = checkpoint.load(self.path / "checkpoints" / "latest.npz")
        return int((self._folder / "step").read_text()) - meta["step"]


def nobody_is_left(session: int, patience_seconds: float = 10.0) -> bool:
    """Whether all processes of a session end by themselves."""
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        try:
            os.killpg(session, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def state(path: Path) -> dict[str, Any]:
    """All that a training has come to, but for the time that it took."""
    found: dict[str, Any] = {}
    for file in sorted((path / "checkpoints").iterdir()):
        arrays, meta = checkpoint.load(file)
        meta.pop("minutes", None)
        found[file.name] = ({key: array.tobytes() for key, array in arrays.items()}, meta)
    info = json.loads((path / "run.json").read_text("utf-8"))
    found |= {key: info[key] for key in ("history", "best", "status", "step", "epoch", "network", "data", "baseline")}
    previews = (path / "samples").iterdir()
    found["previews"] = {file.name: file.read_bytes() for file in previews}
    # Each part of a run has event files of its own.
    found["files"] = {file.name for file in path.rglob("*") if "tfevents" not in file.name}
    return found


@pytest.mark.parametrize("lesson", LESSONS)
def test_killed_again_and_again_it_is_the_run_that_nobody_disturbed(
    lesson: str, tmp_path: Path, request: pytest.FixtureRequest,
    amount: Callable[[int, int], int], figure: Callable[[str, str, str], None], compiling: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    fixture, arguments = LESSONS[lesson]
    data = request.getfixturevalue(fixture)
    moments = MOMENTS if lesson in OFTEN else MOMENTS[amount(1, 0) : amount(2, len(MOMENTS))]
    kills = amount(len(moments), 50, 8)
    length = ["--num_epochs", str(EPOCHS[lesson] * kills), "--sample_every", "150", "--keep_every", "70"]
    arguments = [*arguments, *FURTHER.get(lesson, []), *length]
    save_every = int(arguments[arguments.index("--save_every") + 1])
    straight = Victim(lesson, tmp_path / "straight", data, arguments)
    assert straight.train("never", 0) == 0
    compiling.undo()

    # Repeated as well as it can be in the short form, and other ones each time in the long one.
    seed = amount(1, random.randrange(2**32))
    print(f"the moments are those of the seed {seed}")
    victim = Victim(lesson, tmp_path / "killed", data, arguments)
    lost = []
    while len(lost) < kills:
        moment = moments[len(lost) % len(moments)]
        assert victim.train(moment, seed + len(lost)) == -signal.SIGKILL, "it ended too early to be killed so often"
        lost.append(victim.steps_lost())
    assert max(lost) <= save_every
    assert victim.train("never", 0) == 0
    assert state(victim.path) == state(straight.path)
    steps = state(victim.path)["step"]
    figure(
        f"{lesson} killed with -9 in training, in saves and at the start, then resumed",
        f"{kills} times in {steps:,} steps",
        f"equal to the undisturbed run; at most {max(lost)} steps lost with `--save_every {save_every}`; nothing left",
    )
