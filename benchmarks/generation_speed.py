"""How many characters a second are written: this workshop's compiled loop, and a loop over single steps in PyTorch.

    python benchmarks/generation_speed.py --torch_python PATH_TO_A_PYTHON_WITH_TORCH

One stream, 2 x 128 LSTM, 65 characters, each drawn from the softmax; measured in turn in one run; about a minute.
"""

import time
from pathlib import Path

import compare
import numpy as np

from workshop.quiet import quietly

with quietly():
    from char_rnn.generate import Generator
    from char_rnn.model import recurrent
    from char_rnn.vocab import Vocabulary
    from workshop.networks.sampling import SamplingConfig

CHARACTERS = 50_000


def main() -> None:
    """Measure, and print the ratio."""
    args = compare.parser(__doc__).parse_args()
    vocabulary = Vocabulary("".join(map(chr, range(33, 97))))
    generator = Generator(recurrent(len(vocabulary), 128, 2, "lstm", 0.0), vocabulary)
    config = SamplingConfig(temperature=0.8)
    prime = np.array([1])

    def write(streams: int, characters: int) -> float:
        started = time.perf_counter()
        written = sum(piece.size for piece in generator.generate(prime, characters, streams, 0, config))
        return written / (time.perf_counter() - started)

    write(1, 1000), write(16, 1000)  # compiles
    contestants = {
        "workshop": lambda: write(1, CHARACTERS),
        "workshop, 16 streams together": lambda: write(16, CHARACTERS // 10),
        "torch": lambda: compare.number(args.torch_python, Path(__file__).with_name("peers.py"), "generate", 5000),
    }
    speed = compare.in_turn(contestants, args.rounds)
    for name, value in speed.items():
        print(f"{name}: {value:,.0f} characters/s")
    print(f"one stream against one stream: {speed['workshop'] / speed['torch']:.1f}x")
    compare.finish_speeds({"characters_per_second": speed, "ratio": speed["workshop"] / speed["torch"]})


if __name__ == "__main__":
    main()
