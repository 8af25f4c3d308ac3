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


def parser(description: str | None) -> argparse.ArgumentParser:
    """The arguments that all comparisons have."""
    arguments = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--torch_python", default="python3", help="a Python with `pip install torch==2.13.0`")
    arguments.add_argument("--rounds", type=int, default=7, help="rounds; all are measured in turn in each")
    return arguments


def without_avx512() -> None:
    """Begin again as on a processor without AVX-512: numba, XLA, oneDNN and PyTorch are told so, each in its own way,
    before they are loaded.
    """
    if os.environ.get("ATEN_CPU_CAPABILITY"):
        return
    import llvmlite.binding

    features = llvmlite.binding.get_host_cpu_features()
    wide = ("avx512", "avx10", "amx")
    kept = (f"{'+' if there and not name.startswith(wide) else '-'}{name}" for name, there in features.items())
    told = {
        "NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": ",".join(kept), "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2",
    }  # fmt: skip
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | told)


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
