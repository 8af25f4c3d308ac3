"""What any command needs to fail, to write files and to speak politely. It knows no music, no network and no server.

The rooms are packages in here, each with the sentence that says what belongs in it. They build on each other from the
first to the last, never the other way round (`ROOMS`); a lesson builds on all of them, and nothing in here imports a
lesson. A module beside this one that is named like a command (`python -m workshop.doctor`) is only that command's name.

    from workshop import load

    net = load("char_rnn/experiments/01")
    print(net.generate(prompt="oh my", length=300, temperature=0.8))
"""

import os
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workshop.run.trained import Trained

# TensorFlow talks about itself while it is imported; what a person has to know, the workshop says.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


class _KerasAlone(MetaPathFinder):
    """Hides packages from Keras alone.

    Keras imports them where they are installed, for wrappers and pictures that nothing here uses: a third of the time
    in which a command starts. What other modules import meanwhile, in other threads, they get.
    """

    hidden = frozenset({"sklearn", "matplotlib"})

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        """Find nothing, like any finder that does not know a module.

        Raises:
            ModuleNotFoundError: Keras asks for one that is hidden, which it is prepared for.
        """
        if fullname in self.hidden and _importer().startswith("keras."):
            raise ModuleNotFoundError(fullname, name=fullname)


def _importer() -> str:
    """The name of the module that is importing something just now, in this thread."""
    frame: FrameType | None = sys._getframe()
    while frame and frame.f_globals.get("__name__") in (__name__, "importlib._bootstrap"):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__")) if frame else ""


sys.meta_path.insert(0, _KerasAlone())

#: The clone: every path that the workshop works with is given relative to it or by the user.
ROOT = Path(__file__).resolve().parent.parent

#: The rooms in the order in which they build on each other.
ROOMS = (
    "networks", "run", "sweep", "text", "notes", "audio", "export", "datasets", "host", "osc", "player", "web",
    "concert", "classroom",
)  # fmt: skip

#: Modules that are only the name of a command: they import from their room, and nothing imports them.
COMMANDS = (
    "abc_to_midi", "class_hub", "docs", "doctor", "freeze", "leaderboard", "play", "reset", "server_files", "services",
    "trainings", "tunes",
)  # fmt: skip


def load(path: str | Path, checkpoint: str | int = "best") -> "Trained":
    """Load the trained network of an experiment, of any lesson.

    Its `generate(prompt=..., length=..., temperature=...)` gives a text, notes or sound, which show themselves in a
    notebook, have a `save(path)`, and are described by `help(net.generate)`.

    Args:
        path: the experiment's folder, relative to the current folder or to the clone; or a lesson's, for its newest.
        checkpoint: `best`, `latest`, or the step of a checkpoint that `train.py --keep_every` has kept.

    Raises:
        UserError: there is no such experiment or checkpoint, or it is damaged.
    """
    # Here, so that importing `workshop` stays quick.
    from workshop.run import trained

    return trained.load(path, checkpoint)
