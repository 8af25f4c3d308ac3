"""What the comparisons share: a peer in a process of its own, rounds in turn, and a table."""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


class Torch:
    """PyTorch in a process of its own, started with the Python given by --torch_python."""

    def __init__(self, python: str):
        script = Path(__file__).with_name("peers.py")
        self._process = subprocess.Popen(
            [python, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, command: str) -> float:
        """One number for one command of `peers.py`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            sys.exit("error: PyTorch did not answer: give a Python that has torch 2.13.0 with --torch_python")
        return float(answer)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def parser(description: str | None) -> argparse.ArgumentParser:
    """The arguments that all comparisons have."""
    arguments = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--torch_python", default="python3", help="a Python with `pip install torch==2.13.0`")
    arguments.add_argument("--rounds", type=int, default=7, help="rounds; all are measured in turn in each")
    return arguments


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
