"""What all notebooks share: finding an experiment, and showing what came out. Generating is theirs to show."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

import ipywidgets
import numpy as np
from IPython.display import Audio, Image, display
from matplotlib import rc_context
from msgspec import to_builtins
from PIL.Image import fromarray

from workshop import ROOT
from workshop.audio import drum_loops
from workshop.datasets import loops
from workshop.run import experiment
from workshop.run.curves import draw_curves

TEMPERATURES = (0.5, 0.8, 1.0, 1.3)


def experiments(lesson: str) -> list[experiment.Experiment]:
    """All experiments of a lesson, numbered ones and those with a name of their own, the oldest first."""
    folder = ROOT / lesson
    paths = sorted(experiment.all_of(folder), key=lambda path: (path / "run.json").stat().st_mtime_ns)
    return [experiment.find(folder, str(path)) for path in paths]


def newest(lesson: str, *arguments: str) -> experiment.Experiment:
    """The newest experiment of a lesson; where there is none, one of some steps is trained, with these arguments."""
    if not experiments(lesson):
        train(lesson, *arguments)
    found = experiment.find(ROOT / lesson, None)
    print(f"{lesson}: experiment {found.path.name}, {found.record.step:,} steps, {found.record.status}")
    return found


def train(lesson: str, *arguments: str) -> None:
    """Train a network for some steps, as `python train.py --smoke` does, which is too short to be good."""
    command = ["train.py", "--smoke", *arguments]
    print(f"training for some seconds: python {' '.join(command)} (without --smoke it becomes a good one)", flush=True)
    done = subprocess.run([sys.executable, *command], cwd=ROOT / lesson, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)


def few_loops() -> tuple[str, ...]:
    """The arguments that let `newest` train on some of the drum loops, since making all of them takes a while."""
    folder = ROOT / "data" / "audio" / "few_loops"
    if not experiments("spectral_gan") and not folder.is_dir():
        loops.write(folder, drum_loops.songs()[::16])
    return "--data_dir", str(folder)


def curves(found: experiment.Experiment) -> Image:
    """The loss curves of an experiment, with the best n-gram as a level line."""
    png = BytesIO()
    # With its points marked, because after a short run there is only one.
    with rc_context({"lines.marker": ".", "lines.markersize": 6}):
        draw_curves(png, to_builtins(found.record), f"{found.record.lesson}, experiment {found.path.name}")
    return Image(png.getvalue())


def see(pixels: np.ndarray) -> None:
    """Show a picture, uint8 [H, W, 3]."""
    display(fromarray(pixels))


def joined(pieces: Iterable[np.ndarray]) -> np.ndarray:
    """The samples [N] of pieces [n, 1] as they are generated."""
    return np.concatenate(list(pieces))[:, 0]


def hear(samples: np.ndarray, rate: int) -> None:
    """Show a player for samples from -1 to 1, as loud as they are."""
    display(Audio(samples, rate=rate, normalize=False))


def sweep(show: Callable[[float], Any]) -> None:
    """Call `show` with a temperature: the one that a slider is put to, or where nobody can move one, each in turn."""
    # Jupyter names a kernel's session where a person has opened the notebook.
    if os.environ.get("JPY_SESSION_NAME"):
        slider = ipywidgets.SelectionSlider(
            options=TEMPERATURES, value=0.8, continuous_update=False, style={"description_width": "initial"}
        )
        ipywidgets.interact(show, temperature=slider)
        return
    for temperature in TEMPERATURES:
        print(f"---- temperature {temperature}")
        show(temperature)
