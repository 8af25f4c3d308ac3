"""What the benchmarks share: a training as a person starts it, a peer in a process of its own, rounds in turn."""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from workshop.machine import usable_cores

ROOT = Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def trained(lesson: str, *arguments: object) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The experiment that a lesson's `train.py` makes with these arguments, and its run.json; gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        experiment = Path(folder) / "experiment"
        command = [sys.executable, str(ROOT / lesson / "train.py"), "--experiment_dir", str(experiment)]
        subprocess.run([*command, *map(str, arguments)], check=True)
        yield experiment, json.loads((experiment / "run.json").read_text("utf-8"))


def number(python: str, script: Path, *arguments: object) -> float:
    """The number that a script prints last, run in a process of its own: contestants that share one share threads
    too.
    """
    command = [python, str(script), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"error: {python} could not run {script.name}: --torch_python takes a Python with torch 2.13.0")
    return float(done.stdout.split()[-1])


def has_torch(python: str) -> bool:
    """Whether that Python finds torch."""
    asking = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"
    return subprocess.run([python, "-c", asking], check=False).returncode == 0


def parser(description: str | None, undisturbed: bool = False) -> argparse.ArgumentParser:
    """The arguments that all comparisons have; and --undisturbed, for those of our own loops."""
    arguments = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--torch_python", default="python3", help="a Python with `pip install torch==2.13.0`")
    arguments.add_argument("--rounds", type=int, default=7, help="rounds; all are measured in turn in each")
    if undisturbed:
        arguments.add_argument("--undisturbed", action="store_true", help="keep other programs away from our loops")
    return arguments


@contextlib.contextmanager
def undisturbed(wanted: bool) -> Iterator[None]:
    """Run this thread, and those that it starts, before all others (Linux, as root)."""
    if wanted:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    yield
    if wanted:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def instruction_set() -> str:
    """The widest vectors that the kernels are compiled for."""
    from workshop.networks.vectors import FEATURES

    names = {"+avx512f": "AVX-512", "+avx2": "AVX2", "+neon": "NEON"}
    return next((name for feature, name in names.items() if feature in FEATURES), "no vectors")


def in_turn(contestants: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median over the rounds of what each contestant says, all asked in turn in each round.

    In turn, because the speed of a shared machine changes from minute to minute: what is compared is measured side by
    side.
    """
    said: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, ask in contestants.items():
            said[name].append(ask())
    return {name: statistics.median(values) for name, values in said.items()}


def finish(result: dict[str, object]) -> None:
    """The last line of every benchmark: the figures as JSON."""
    print(json.dumps(result))


def finish_speeds(result: dict[str, object]) -> None:
    """The last lines of a benchmark of speed: what it ran on, and the figures as JSON with that."""
    machine = {"instructions": instruction_set(), "cores": usable_cores()}
    print(f"{machine['instructions']}, {machine['cores']} cores")
    finish(machine | result)
