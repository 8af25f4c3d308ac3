"""An experiment whose run.json was changed by hand: sampled from, and gone on with, as the scripts do it.

The scripts run as they are, but for two things: a network that is as it was is not built again for each case, and what
follows the checks is left out: the generating, and the training.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from fuzz import Reader
from melodies import melody

from foreign.mutations import objects
from workshop import ROOT
from workshop.notes import midifiles, midilibrary

SHORT = ["--num_epochs", "1", "--save_every", "1000", "--sample_every", "1000000", "--batch_size", "4"]
SYMBOLS = [*SHORT, "--rnn_size", "4", "--num_layers", "1", "--seq_length", "20", "--dropout", "0.2"]
WAVENET = [
    *SHORT, "--stacks", "1", "--layers", "3", "--residual_channels", "4", "--dilation_channels", "4",
    "--skip_channels", "8", "--seq_length", "400", "--sample_rate", "4000", "--condition", "folder",
]  # fmt: skip
#: Where half of the changes are made; what else is in a run.json is not read, but for a few words.
PARTS = ("arguments", "network", "data")


class Checked(Exception):
    """All of what a script reads from run.json has been accepted."""


def run(script: ModuleType, *args: str | Path) -> None:
    """Run a script's main with these arguments, up to where it would train."""
    sys.argv = [f"{script.__name__}.py", *map(str, args)]
    try:
        script.main()
    except Checked:
        return


def reader(lesson: str, experiment: Path, generated: Callable[[Any, int, int], np.ndarray]) -> Reader:
    """Samples and goes on with copies of a small experiment of a lesson."""
    from importlib import import_module

    from workshop.run import trainings
    from workshop.run.session import Session

    trainings.FOLDER = Path("trainings")  # in the folder of the case
    sample, train, model, generate = (
        import_module(f"{lesson}.{name}") for name in ("sample", "train", "model", "generate")
    )
    info = json.loads((experiment / "run.json").read_text("utf-8"))
    build = model.build
    sizes = (info["network"]["vocab_size"],) if "vocab_size" in info["network"] else ()
    built = [build(info["network"], *sizes) for _ in range(2)]
    at_hand: list[Any] = []

    def built_once(network: dict[str, Any], *rest: Any) -> Any:
        described = {name: value for name, value in network.items() if name != "seed"}
        if described != info["network"]:
            return build(network, *rest)
        if hasattr(model, "check"):
            model.check({name: value for name, value in described.items() if name != "name"}, *rest)
        return at_hand.pop()

    class Generator(generate.Generator):  # type: ignore[name-defined, misc]
        def generate(self, prompt: Any, length: int, *rest: Any) -> Iterator[np.ndarray]:
            count = rest[0] if len(rest) == 3 else prompt.shape[1]
            yield generated(prompt, length, count)

    def stop(session: Any) -> Any:
        raise Checked

    model.build, generate.Generator, Session.__enter__ = built_once, Generator, stop

    def read(case: bytes, folder: Path) -> None:
        shutil.copytree(experiment, folder / "experiment")
        (folder / "experiment" / "run.json").write_bytes(case)
        at_hand[:] = built
        from workshop.errors import UserError

        try:
            run(sample, "--experiment_dir", "experiment", "--length", "8")
        except UserError:
            at_hand[:] = built
            run(train, "--experiment_dir", "experiment", "--resume")
            raise
        at_hand[:] = built
        run(train, "--experiment_dir", "experiment", "--resume")

    return Reader(objects(info, PARTS), read)


def run_char(scratch: Path) -> Reader:
    """Lesson 1."""
    from char_rnn import train

    songs = sorted((ROOT / "data" / "lyrics" / "starter").glob("*.txt"))
    (scratch / "songs.txt").write_text(songs[0].read_text("utf-8")[:800], "utf-8")
    run(train, "--data_dir", scratch / "songs.txt", "--experiment_dir", scratch / "made", *SYMBOLS)
    return reader("char_rnn", scratch / "made", lambda prime, length, count: np.ones((length, count), np.int32))


def run_midi(scratch: Path) -> Reader:
    """Lesson 2, with the encoding that has limits."""
    from midi_rnn import train

    midilibrary._read_apart = lambda found, timeout: map(midilibrary._reason, found)  # type: ignore[assignment]
    midilibrary.CACHE = scratch / "cache"
    midifiles.write(scratch / "tune.mid", melody(1))
    where = ["--data_dir", scratch / "tune.mid", "--experiment_dir", scratch / "made", "--encoding", "performance"]
    run(train, *where, *SYMBOLS)
    midilibrary.CACHE = Path("cache")  # in the folder of the case
    return reader("midi_rnn", scratch / "made", lambda prime, length, count: np.zeros((length, count), np.int32))


def run_wavenet(scratch: Path) -> Reader:
    """Lesson 3, with conditions."""
    from wavenet import train
    from workshop.audio import library
    from workshop.audio.synthesis import write_wav

    library.CACHE = scratch / "cache"
    for number in range(4):
        tone = np.sin(np.arange(2000) * (0.2 + 0.1 * number)).astype(np.float32) / 2
        write_wav(scratch / "sounds" / ("low" if number % 2 else "high") / f"{number}.wav", tone, 4000)
    run(train, "--data_dir", scratch / "sounds", "--experiment_dir", scratch / "made", *WAVENET)
    library.CACHE = Path("cache")  # in the folder of the case
    return reader("wavenet", scratch / "made", lambda prime, length, count: np.full((length, count), 9, np.uint8))
