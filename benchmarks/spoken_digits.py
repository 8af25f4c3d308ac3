"""How well ten minutes of training on a CPU learn spoken digits: bits a sample on a tenth of the files, against
n-grams of the same samples.

    python -m workshop.datasets get fsdd_jackson
    python benchmarks/spoken_digits.py --data_dir data/audio/fsdd_jackson

Runs the one command `wavenet/train.py --size small --max_minutes 10`. The figure is the training's own best
measurement: each held-out sample is predicted once, from all that the network can see. Eleven minutes. The split: the
files are ordered by the sha256 of their bytes, and the last tenth is held out.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import compare
import numpy as np

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Train, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True, help="folder of spoken digits")
    parser.add_argument("--minutes", type=float, default=10, help="of training, measurements and previews included")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        experiment = Path(folder) / "experiment"
        command = [sys.executable, str(ROOT / "wavenet" / "train.py"), "--data_dir", str(args.data_dir)]
        command += ["--size", "small", "--max_minutes", str(args.minutes), "--experiment_dir", str(experiment)]
        subprocess.run(command, check=True)
        info = json.loads((experiment / "run.json").read_text())
    bits = info["best"]["validation"] / np.log(2)
    orders = {order: loss / np.log(2) for order, loss in info["baseline"].items()}
    bigram = min(orders["1"], orders["2"])
    train, held_out = info["data"]["samples"]
    print(f"{train:,} samples to train on, {held_out:,} held out, at {info['data']['sample_rate']:,} Hz")
    print(f"{bits:.3f} bits a sample after {info['step']:,} steps")
    for order, value in orders.items():
        print(f"n-gram of order {order}: {value:.3f}; the network is {1 - bits / value:.1%} lower")
    compare.finish({"bits": bits, "bigram": bigram, "below_bigram": 1 - bits / bigram, "steps": info["step"]})


if __name__ == "__main__":
    main()
