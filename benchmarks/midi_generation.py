"""How long it takes to generate ten pieces of 1,000 steps, after a trained network is loaded.

    python benchmarks/midi_generation.py

Both encodings, each size, random weights: the speed does not depend on them. "At first" includes the compilation of the
loop, which every start of `sample.py` waits for; "again" does not. About two minutes.
"""

import time

import compare
import numpy as np

from workshop.quiet import quietly

with quietly():
    from midi_rnn.encoding import ENCODINGS, END
    from midi_rnn.generate import Generator
    from midi_rnn.lesson import LESSON
    from midi_rnn.model import recurrent
    from workshop.networks.sampling import SamplingConfig

PIECES, STEPS = 10, 1000


def main() -> None:
    """Measure, report."""
    compare.parser(__doc__).parse_args()
    result: dict[str, object] = {}
    for encoding in ENCODINGS.values():
        for size, settings in LESSON.sizes.items():
            network = recurrent(
                encoding.vocab_size, settings["rnn_size"], settings["num_layers"], settings["cell"], 0.0
            )
            generator = Generator(network, encoding)
            seconds = []
            for seed in range(4):
                started = time.perf_counter()
                for _ in generator.generate(np.array([END]), STEPS, PIECES, seed, SamplingConfig()):
                    pass
                seconds.append(time.perf_counter() - started)
            result[f"{encoding.name} {size}"] = {"first": seconds[0], "again": float(np.median(seconds[1:]))}
            print(f"{encoding.name}, {size}: {seconds[0]:.2f} s at first, {np.median(seconds[1:]):.2f} s again")
    compare.finish_speeds(result)


if __name__ == "__main__":
    main()
