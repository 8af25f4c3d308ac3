"""How well ten minutes of training on a CPU learn spoken digits: bits a sample on a tenth of the files, against
n-grams of the same samples.

    python -m workshop.datasets get fsdd_jackson
    python benchmarks/spoken_digits.py --data_dir data/audio/fsdd_jackson

Runs the one command `wavenet/train.py --size small --max_minutes 10`, or the same of `--lesson audio_rnn`. The figure
is the training's own best measurement: each held-out sample is predicted once, from all that the network can see.
Eleven minutes. The split: the files are ordered by the sha256 of their bytes, and the last tenth is held out.

Further arguments are those of `train.py`: `--quantisation linear`, or `--num_epochs 9 --max_minutes 9999` to count in
steps on a machine that does other work.
"""

import argparse
from pathlib import Path

import compare
import numpy as np


def main() -> None:
    """Train, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True, help="folder of spoken digits")
    parser.add_argument("--minutes", type=float, default=10, help="of training, measurements and previews included")
    parser.add_argument("--lesson", choices=("wavenet", "audio_rnn"), default="wavenet")
    parser.add_argument("--size", default="small", help="of the network")
    args, more = parser.parse_known_args()
    options = ("--data_dir", args.data_dir, "--size", args.size, "--max_minutes", args.minutes, *more)
    with compare.trained(args.lesson, *options) as (_, info):
        bits = info["best"]["validation"] / np.log(2)
    train, held_out = info["data"]["symbols"]
    print(f"{train:,} samples to train on, {held_out:,} held out, at {info['data']['sample_rate']:,} Hz")
    print(f"{bits:.3f} bits a sample after {info['step']:,} steps")
    result = {"bits": bits, "steps": info["step"]}
    for order, loss in info["baseline"].items():
        counted = loss / np.log(2)
        below = 1 - bits / counted
        print(f"n-gram of order {order}, which knows {int(order) - 1} samples: {counted:.3f}; {below:.1%} lower")
        result |= {f"order_{order}": counted, f"below_order_{order}": below}
    compare.finish(result)


if __name__ == "__main__":
    main()
