"""Averaged weights against a learning rate that is halved where the held-out loss no longer falls, in lesson 4.

    python benchmarks/learning_rate.py --data_dir data/audio/fsdd_jackson --steps 3000

Trains a small network on the same batches twice, at a rate that stays and at one that is halved after three
measurements without a new best loss, and measures of both the weights themselves and their running average. It counts
in steps, so other programs make no difference. Ten minutes.
"""

import argparse
import math
from pathlib import Path

import compare

from workshop.quiet import quietly

with quietly():
    from audio_rnn.model import build
    from workshop.audio import excerpts, library
    from workshop.audio.mu_law import LEVELS
    from workshop.run.learner import NextSymbolLearner, cross_entropy

#: A network and windows that get to a plateau soon.
SIZE = {"rnn_size": 32, "num_layers": 1, "cell": "gru", "dropout": 0.0}
SEQ_LENGTH, BATCH_SIZE, RATE = 50, 20, 0.01
#: Held-out samples, those that are read before they are counted, and measurements before the rate is halved.
MEASURED, CONTEXT, PATIENCE = 20_000, 500, 3


class Contestant:
    """A training whose rate stays, or is halved on a plateau of its own weights' loss."""

    def __init__(self, halved: bool, train: list, held_out: list, seed: int):
        network = SIZE | {"vocab_size": LEVELS, "seed": seed}
        measured = list(excerpts.HeldOutStreams(held_out, train, CONTEXT))
        self.learner = NextSymbolLearner(
            build(network), build(network), cross_entropy, learning_rate=RATE, batch_size=BATCH_SIZE, held_out=measured
        )
        # The same measurement of the weights themselves.
        self.raw = NextSymbolLearner(
            self.learner.model, self.learner.model, cross_entropy, learning_rate=RATE, batch_size=BATCH_SIZE,
            held_out=measured,
        )  # fmt: skip
        self.halved, self.best, self.waited = halved, {"raw": math.inf, "averaged": math.inf}, 0

    @property
    def rate(self) -> float:
        """Adam's step size now."""
        return float(self.learner.optimizer.learning_rate)

    def measure(self) -> dict[str, float]:
        """Both losses in bits a sample; halves the rate where it is time to."""
        found = {"raw": self.raw.evaluate().loss, "averaged": self.learner.evaluate().loss}
        self.waited = 0 if found["raw"] < self.best["raw"] else self.waited + 1
        if self.halved and self.waited == PATIENCE:
            self.learner.optimizer.learning_rate, self.waited = self.rate / 2, 0
        self.best = {name: min(loss, self.best[name]) for name, loss in found.items()}
        return {name: loss / math.log(2) for name, loss in found.items()}


def main() -> None:
    """Train both ways, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True, help="folder of sounds")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--every", type=int, default=100, help="steps between measurements")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    train, held_out = excerpts.rings(library.load(args.data_dir, 8000))
    held_out = [ring[:MEASURED] for ring in held_out]
    batches = excerpts.Streams(train, BATCH_SIZE, SEQ_LENGTH, args.seed)
    contestants = {name: Contestant(name == "halved", train, held_out, args.seed) for name in ("constant", "halved")}
    for step in range(1, args.steps + 1):
        batch = batches.window(*divmod(step - 1, batches.windows))
        for contestant in contestants.values():
            contestant.learner.step(*batch)
        if step % args.every == 0:
            found = {name: contestant.measure() for name, contestant in contestants.items()}
            said = "; ".join(f"{name} {f['raw']:.3f}, averaged {f['averaged']:.3f}" for name, f in found.items())
            print(f"step {step:,}: {said}; rate {contestants['halved'].rate:.2g}", flush=True)
    best = {
        f"{name}, {which}": round(loss / math.log(2), 4)
        for name, contestant in contestants.items()
        for which, loss in contestant.best.items()
    }
    print("lowest, in bits a sample: " + "; ".join(f"{name} {bits}" for name, bits in best.items()))
    compare.finish({"steps": args.steps, "seed": args.seed, **best})


if __name__ == "__main__":
    main()
