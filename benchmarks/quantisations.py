"""What a finer sample gains: 256 levels of mu-law, 256 at equal distances, and 16 bits, in bits of the same recordings.

    python benchmarks/quantisations.py --data_dir data/audio/fsdd_jackson

Trains the network of `audio_rnn --size tiny` on the same samples for the same steps in three ways. 16 bits are two
halves, as in WaveRNN (Kalchbrenner et al. 2018, arXiv:1802.08435): first the coarse 8 bits, then the fine ones, which
know the coarse ones; here they are two symbols one after the other. Every way is held against the others by what it
says of the 16 bits of a sample: where it knows a level alone, each value that the level stands for is as likely as the
others. The steps of 16 bits take twice as long. It counts in steps, so other programs make no difference. Ten minutes.
"""

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path

import compare
import numpy as np

from workshop.quiet import quietly

with quietly():
    from audio_rnn.lesson import LESSON
    from audio_rnn.model import stacked
    from workshop.audio import excerpts, library
    from workshop.audio.quantisation import QUANTISATIONS
    from workshop.run.learner import NextSymbolLearner, cross_entropy

RATE = 8000
#: Held-out samples, and those that are read before they are counted.
MEASURED, CONTEXT = 40_000, 1000
#: Values of a half.
HALF = 256

Encode = Callable[[np.ndarray], np.ndarray]


def values(samples: np.ndarray) -> np.ndarray:
    """The 16 bits of samples [N] from -1 to 1, as numbers from 0."""
    return np.round(samples * 32767).astype(np.int64) + 32768


def halves(samples: np.ndarray) -> np.ndarray:
    """Samples [N] as symbols [2 N]: the coarse half of each, and then the fine one, which has symbols of its own."""
    return np.stack(np.divmod(values(samples), HALF), axis=1).ravel() + np.tile([0, HALF], len(samples))


def width(encode: Encode, levels: np.ndarray) -> float:
    """Bits that levels leave open of the 16: the mean of the log2 of how many values a level stands for."""
    every = (np.arange(65536) - 32768) / 32767
    return float(np.log2(np.bincount(encode(every), minlength=HALF)[levels]).mean())


class Contestant:
    """A training on samples that are `each` symbols of `vocabulary`."""

    def __init__(self, sounds: library.Sounds, each: int, vocabulary: int, seed: int):
        shape = {name: LESSON.sizes["tiny"][name] for name in ("rnn_size", "num_layers", "cell", "dropout")}
        train, self.held_out = (np.concatenate(part[0]) for part in (sounds.train, sounds.held_out))
        self.held_out = self.held_out[: each * MEASURED]
        size = LESSON.sizes["tiny"]
        self.batches = excerpts.Streams([train], size["batch_size"], each * size["seq_length"], seed)
        self.measured = list(excerpts.HeldOutStreams([self.held_out], [train], each * CONTEXT))
        model, average = (stacked(vocabulary, **shape, seed=seed) for _ in range(2))
        self.learner = NextSymbolLearner(
            model, average, cross_entropy, learning_rate=size["learning_rate"], batch_size=size["batch_size"],
            held_out=self.measured,
        )  # fmt: skip
        self.each = each

    def train(self, steps: int) -> float:
        """Take so many steps; the seconds that they took."""
        begun = time.time()
        for step in range(steps):
            self.learner.step(*self.batches.window(*divmod(step, self.batches.windows)))
        return time.time() - begun

    def bits(self) -> list[float]:
        """Bits a sample of each of its symbols, the fine half last."""
        found = []
        for place in range(self.each):
            self.learner.held_out = [
                (inputs, targets, counted * (targets // HALF == place)) for inputs, targets, counted in self.measured
            ]
            found.append(self.learner.evaluate().loss / math.log(2))
        return found


def main() -> None:
    """Train in each way, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True, help="folder of sounds")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    result: dict[str, object] = {"steps": args.steps, "seed": args.seed}
    print("| a sample is | its bits | left open of 16 bits | together | seconds |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, encode in {**{each.name: each.encode for each in QUANTISATIONS.values()}, "16 bits": halves}.items():
        each = 2 if encode is halves else 1
        contestant = Contestant(library.load(args.data_dir, RATE, encode=encode), each, each * HALF, args.seed)
        seconds = contestant.train(args.steps)
        bits = contestant.bits()
        left = 0.0 if encode is halves else width(encode, contestant.held_out)
        shown = " + ".join(f"{part:.2f}" for part in bits)
        print(f"| {name} | {shown} | {left:.2f} | {sum(bits) + left:.2f} | {seconds:.0f} |", flush=True)
        result[name] = {"bits": [round(part, 4) for part in bits], "open": round(left, 4), "seconds": round(seconds)}
    compare.finish(result)


if __name__ == "__main__":
    main()
