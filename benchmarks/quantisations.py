"""What a level says of a sample: 256 levels of mu-law and 256 at equal distances, in bits of the same recordings.

    python benchmarks/quantisations.py --data_dir data/audio/fsdd_jackson

Trains the network of `audio_rnn --size tiny` on the same samples for the same steps with both. Their losses are about
other levels; what can be compared is what they say of the 16 bits of a sample, where each value that a level stands for
is as likely as the others. It counts in steps, so other programs make no difference. Five minutes.
"""

import argparse
import math
from pathlib import Path

import compare
import numpy as np

from workshop.quiet import quietly

with quietly():
    from audio_rnn.lesson import LESSON
    from audio_rnn.model import stacked
    from workshop.audio import excerpts, library
    from workshop.audio.mu_law import LEVELS
    from workshop.audio.quantisation import QUANTISATIONS, Quantisation
    from workshop.run.learner import NextSymbolLearner, cross_entropy

RATE = 8000
#: Held-out samples, and those that are read before they are counted.
MEASURED, CONTEXT = 40_000, 1000


def left_open(quantisation: Quantisation, levels: np.ndarray) -> float:
    """Bits of 16 that levels leave open: the mean of the log2 of how many values a level stands for."""
    every = (np.arange(65536) - 32768) / 32767
    return float(np.log2(np.bincount(quantisation.encode(every), minlength=LEVELS)[levels]).mean())


def bits(train: np.ndarray, held_out: np.ndarray, steps: int, seed: int) -> float:
    """Bits a held-out level after so many steps."""
    size = LESSON.sizes["tiny"]
    shape = {name: size[name] for name in ("rnn_size", "num_layers", "cell", "dropout")}
    model, average = (stacked(LEVELS, **shape, seed=seed) for _ in range(2))
    batches = excerpts.Streams([train], size["batch_size"], size["seq_length"], seed)
    learner = NextSymbolLearner(
        model, average, cross_entropy, learning_rate=size["learning_rate"], batch_size=size["batch_size"],
        held_out=list(excerpts.HeldOutStreams([held_out], [train], CONTEXT)),
    )  # fmt: skip
    for step in range(steps):
        learner.step(*batches.window(*divmod(step, batches.windows)))
    return learner.evaluate().loss / math.log(2)


def main() -> None:
    """Train with both, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True, help="folder of sounds")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    result: dict[str, object] = {"steps": args.steps, "seed": args.seed}
    print("| levels of | bits a sample | left open of 16 bits | together |")
    print("| --- | ---: | ---: | ---: |")
    for name, quantisation in QUANTISATIONS.items():
        sounds = library.load(args.data_dir, RATE, encode=quantisation.encode)
        train, held_out = (np.concatenate(part[0]) for part in (sounds.train, sounds.held_out))
        held_out = held_out[:MEASURED]
        found, still = bits(train, held_out, args.steps, args.seed), left_open(quantisation, held_out)
        print(f"| {name} | {found:.2f} | {still:.2f} | {found + still:.2f} |", flush=True)
        result[name] = {"bits": round(found, 4), "open": round(still, 4)}
    compare.finish(result)


if __name__ == "__main__":
    main()
