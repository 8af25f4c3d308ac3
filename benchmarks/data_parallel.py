"""Data-parallel training on one computer: how far N workers come from one process, what they send, how fast they are.

    python benchmarks/data_parallel.py --workers 2 4

Trains lesson 1 for 200 steps without dropout, by one process and by each number of workers, and compares the losses on
held-out data every 20 steps. What is sent is counted by the system, on the loopback device: run it as root under
`unshare -n sh -c "ip link set lo up; ..."`, where nobody else sends anything. Takes some minutes on two cores.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from workshop import ROOT

STEPS, EVERY = 200, 20
BATCH_SIZE, SEQ_LENGTH, SIZE = 20, 50, ("--rnn_size", "128", "--num_layers", "2")


def sent() -> int:
    """Bytes that the loopback device has carried so far."""
    for line in Path("/proc/self/net/dev").read_text().splitlines():
        name, _, numbers = line.strip().partition(":")
        if name == "lo":
            return int(numbers.split()[8])
    return 0


def text_of(folder: Path, steps: int) -> Path:
    """A text on which an epoch has at least so many steps."""
    songs = sorted((ROOT / "data" / "lyrics" / "starter").glob("*.txt"))
    text = "\n\n".join(song.read_text("utf-8") for song in songs)
    # A tenth is held out, and what would stand on both sides of the cut is left out.
    symbols = int(1.25 * steps * BATCH_SIZE * SEQ_LENGTH)
    path = folder / f"{steps}.txt"
    path.write_text((text * (1 + symbols // len(text)))[:symbols], "utf-8")
    return path


def train(folder: Path, workers: int, steps: int = STEPS) -> dict[str, Any]:
    """Train, and say how it was: losses on held-out data by step, bytes that were sent, and milliseconds a step."""
    experiment = folder / f"{workers}_{steps}"
    command = [
        sys.executable, str(ROOT / "char_rnn" / "train.py"), "--data_dir", str(text_of(folder, steps)), *SIZE,
        "--dropout", "0", "--batch_size", str(BATCH_SIZE), "--seq_length", str(SEQ_LENGTH), "--num_epochs", "1",
        "--save_every", str(EVERY), "--sample_every", "100000", "--workers", str(workers),
        "--experiment_dir", str(experiment),
    ]  # fmt: skip
    before = sent()
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    run = json.loads((experiment / "run.json").read_text("utf-8"))
    paces = re.findall(r"([\d,]+) characters/s", (experiment / "log.txt").read_text("utf-8"))
    return {
        "losses": {measured["step"]: measured["validation"] for measured in run["history"]},
        "sent": sent() - before,
        "steps": run["step"],
        "ms a step": round(1000 * BATCH_SIZE * SEQ_LENGTH / int(paces[-1].replace(",", "")), 1),
    }


def main() -> None:
    """Train with each number of workers, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 4], help="numbers of workers to compare with one")
    args = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        alone = train(folder, 1)
        found["1"] = {"ms a step": alone["ms a step"]}
        for workers in args.workers:
            run = train(folder, workers)
            # Twice as many steps less once: what is sent before and after them is in both.
            shorter = train(folder, workers, STEPS // 2)
            differences = {
                step: abs(loss - alone["losses"][step]) / alone["losses"][step] for step, loss in run["losses"].items()
            }
            found[str(workers)] = {
                "relative difference of the loss by step": {step: float(f"{d:.1e}") for step, d in differences.items()},
                "bytes a step": (run["sent"] - shorter["sent"]) // (run["steps"] - shorter["steps"]),
                "ms a step": run["ms a step"],
            }
            print(workers, found[str(workers)], flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
