"""How well ten minutes of training on a CPU learn Shakespeare: nats per character on the last 10 % of the text.

    python benchmarks/tinyshakespeare.py --data_dir data/lyrics/tinyshakespeare

Runs the one command `char_rnn/train.py --size medium --max_minutes 10` and then measures its best checkpoint again,
apart from the training's own measurement: the held-out text is read once, from its first character to its last, in one
stream, with the state carried all the way from the end of the training text. Eleven minutes. Known figures for the same
split: nanoGPT 1.4697 after three minutes of an A100, and 1.56 with its CPU configuration after ten minutes on two
cores; the best n-gram 1.669.
"""

import argparse
import time
from pathlib import Path

import compare
import numpy as np
import one_stream


def measure(experiment: Path, data_dir: Path) -> tuple[float, int]:
    """Nats per character over the whole held-out text in one stream, and its length."""
    from workshop.quiet import quietly

    with quietly():
        from char_rnn import dataset
        from char_rnn.model import build
        from char_rnn.vocab import Vocabulary

    vocabulary = Vocabulary.load(experiment / "vocab.json")
    model, info = one_stream.best_network(experiment, build, len(vocabulary))
    text = dataset.load(data_dir, info["arguments"]["val_split"], None, vocabulary)
    losses = one_stream.losses(model, text.train, text.held_out)
    return float(losses.mean()), len(losses)


def main() -> None:
    """Train, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True, help="folder of tinyshakespeare")
    parser.add_argument("--minutes", type=float, default=10, help="of training, measurements and previews included")
    args = parser.parse_args()
    started = time.monotonic()
    options = ("--data_dir", args.data_dir, "--size", "medium", "--max_minutes", args.minutes)
    with compare.trained("char_rnn", *options) as (experiment, info):
        minutes = (time.monotonic() - started) / 60
        nats, characters = measure(experiment, args.data_dir)
    print(f"{nats:.4f} nats = {nats / np.log(2):.4f} bits a character on all {characters:,} held-out ones")
    print(f"{minutes:.1f} minutes in all, {info['step']:,} steps; while training: {info['best']['validation']:.4f}")
    compare.finish({"nats": nats, "measured_in_training": info["best"]["validation"], "steps": info["step"]})


if __name__ == "__main__":
    main()
