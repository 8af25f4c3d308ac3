"""The lessons on an NVIDIA card: whether each trains and generates there, comes to what the CPU comes to, and how fast.

    ./start.sh --gpu run python benchmarks/gpu.py
    ./start.sh --gpu run python benchmarks/gpu.py --torch_python PATH_TO_PYTHON
    python benchmarks/gpu.py --anyway --only char_rnn     without a card, to see that it works

Each lesson is trained for some steps on the CPU and on the card, with the same seed: their losses on held-out data
differ by at most 0.001 of it. Then its default size is trained for half a minute on each, for the ratio of their steps,
compiling included, and generates on the card; with --torch_python, training steps are compared with PyTorch's on the
same card. It ends with 1 where something differs or fails. About ten minutes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import compare

from workshop.lessons import lessons

#: The share of the held-out loss by which the card may differ from the CPU: its products are of lower precision.
MOST_APART = 1e-3
#: Without the card, and as it comes.
CPU, CARD = {"CUDA_VISIBLE_DEVICES": "-1"}, {}

#: What the card is called; one line for each.
NAMES = """
import tensorflow as tf
for card in tf.config.list_physical_devices("GPU"):
    print(tf.config.experimental.get_device_details(card).get("device_name", card.name))
"""


def said(*command: object, device: dict[str, str]) -> str:
    """What a command prints.

    Raises:
        SystemExit: it fails.
    """
    words = [sys.executable, *map(str, command)]
    done = subprocess.run(words, env={**os.environ, **device}, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"error: this has failed: {' '.join(words[1:])}")
    return done.stdout


def trained(lesson: str, experiment: Path, device: dict[str, str], *more: object) -> dict[str, Any]:
    """The run.json of a training."""
    script = compare.ROOT / lesson / "train.py"
    said(script, "--experiment_dir", experiment, "--seed", 0, "--sample_every", 10**6, *more, device=device)
    record: dict[str, Any] = json.loads((experiment / "run.json").read_text("utf-8"))
    return record


def measured(lesson: str, folder: Path, minutes: float) -> dict[str, float]:
    """How far the card's loss is from the CPU's, by how many times it is faster, and how long generating takes."""
    losses = [
        trained(lesson, folder / f"smoke-{name}", device, "--smoke")["best"]["validation"]
        for name, device in (("cpu", CPU), ("card", CARD))
    ]
    cpu, card = (
        trained(lesson, folder / name, device, "--max_minutes", minutes)
        for name, device in (("cpu", CPU), ("card", CARD))
    )
    begun = time.monotonic()
    said(
        compare.ROOT / lesson / "sample.py", "--experiment_dir", folder / "card", "--out", folder / "made", device=CARD
    )
    return {
        "apart": abs(losses[1] - losses[0]) / abs(losses[0]),
        "times_as_fast": card["step"] / card["minutes"] * cpu["minutes"] / cpu["step"],
        "steps_a_minute": card["step"] / card["minutes"],
        "seconds_to_generate": time.monotonic() - begun,
    }


def main() -> None:
    """Try all lessons, and compare with PyTorch where there is one."""
    names = [lesson.name for lesson in lessons()]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="these lessons alone")
    parser.add_argument("--minutes", type=float, default=0.5, help="of each training whose speed is measured")
    parser.add_argument("--torch_python", help="a Python with PyTorch for the same card")
    parser.add_argument("--anyway", action="store_true", help="also without a card")
    args = parser.parse_args()
    cards = said("-c", NAMES, device=CARD).split("\n")[:-1]
    if not cards and not args.anyway:
        sys.exit("error: TensorFlow finds no card here: ./start.sh doctor says why; --anyway measures the CPU twice")
    print(f"on {', '.join(cards) or 'no card'}", flush=True)
    result: dict[str, Any] = {"cards": cards}
    for lesson in args.only:
        with tempfile.TemporaryDirectory() as folder:
            found = result[lesson] = measured(lesson, Path(folder), args.minutes)
        print(
            f"{lesson}: the loss differs by {found['apart']:.1e} of the CPU's; {found['times_as_fast']:.2f} times as "
            f"fast, {found['steps_a_minute']:,.0f} steps a minute; generated in {found['seconds_to_generate']:.0f} s",
            flush=True,
        )
    if args.torch_python:
        speed = compare.ROOT / "benchmarks" / "training_speed.py"
        lines = said(speed, "--torch_python", args.torch_python, "--rounds", 3, device=CARD).splitlines()
        print("\n".join(lines[:-1]))
        result["training_speed"] = json.loads(lines[-1])
    compare.finish(result)
    sys.exit(any(result[lesson]["apart"] > MOST_APART for lesson in args.only))


if __name__ == "__main__":
    main()
