"""How fast sound is made and learnt with the classic network (5 x 10 blocks, 32/32/512 channels): this workshop's
kernel, the same loop compiled by XLA, and a cached step loop and Conv1d in PyTorch.

    python benchmarks/wavenet_speed.py --torch_python PATH_TO_A_PYTHON_WITH_TORCH

One stream and sixteen, samples a second of all streams together, each drawn from the softmax; and milliseconds of a
training step on 4 windows of 8,000 samples. Measured in turn in one run; some ten minutes.
"""

import time
from pathlib import Path

import compare
import numpy as np

from workshop.quiet import quietly

with quietly():
    from wavenet.cores import CpuEngine
    from wavenet.lesson import LESSON
    from wavenet.loop import XlaEngine
    from wavenet.model import Shape, WaveNet
    from workshop.audio.excerpts import Excerpts
    from workshop.audio.mu_law import SILENCE
    from workshop.networks.engine import PIECE
    from workshop.networks.sampling import SamplingConfig
    from workshop.run.learner import NextSymbolLearner, cross_entropy

PEER = Path(__file__).with_name("torch_wavenet.py")
LARGE = Shape(*(LESSON.sizes["large"][name] for name in LESSON.network))
SAMPLES = {1: 8000, 16: 1600}
STEPS = 3
MODEL = WaveNet(LARGE)


def generate(engine: type, streams: int) -> float:
    """Samples a second; what comes before the first of them is not counted."""
    made = engine(MODEL, np.zeros(streams, int))
    state = made.start(np.full(streams, SILENCE))
    count, chances = SAMPLES[streams], np.random.default_rng(0).random((SAMPLES[streams], streams))
    # Two pieces of the loop that XLA compiles at the first one.
    made.advance(state, np.full((PIECE, streams), -1), chances[:PIECE], SamplingConfig())
    started = time.perf_counter()
    made.advance(state, np.full((count, streams), -1), chances, SamplingConfig())
    return count * streams / (time.perf_counter() - started)


def train() -> float:
    """Median milliseconds of a training step on random samples."""
    model, average = WaveNet(LARGE), WaveNet(LARGE)
    size = LESSON.sizes["large"]
    learner = NextSymbolLearner(
        model, average, cross_entropy, learning_rate=0.001, batch_size=size["batch_size"], held_out=[]
    )
    ring = np.random.default_rng(0).integers(0, 256, 40 * size["seq_length"]).astype(np.uint8)
    windows = Excerpts([ring], LARGE.receptive_field, size["batch_size"], size["seq_length"])
    times = []
    for number in range(STEPS + 2):
        inputs, targets = windows.window(0, number)
        started = time.perf_counter()
        float(learner.step(inputs, targets))
        times.append(1e3 * (time.perf_counter() - started))
    return float(np.median(times[2:]))


def main() -> None:
    """Measure, and print the ratios."""
    args = compare.parser(__doc__).parse_args()
    python = args.torch_python
    contestants = {
        "one stream": lambda: generate(CpuEngine, 1),
        "one stream, XLA loop": lambda: generate(XlaEngine, 1),
        "one stream, torch": lambda: compare.number(python, PEER, "generate", 1, 1500),
        "16 streams": lambda: generate(CpuEngine, 16),
        "16 streams, XLA loop": lambda: generate(XlaEngine, 16),
        "16 streams, torch": lambda: compare.number(python, PEER, "generate", 16, 400),
        "training step": train,
        "training step, torch": lambda: compare.number(python, PEER, "train", STEPS),
    }
    found = compare.in_turn(contestants, args.rounds)
    for name, value in found.items():
        print(f"{name}: {value:,.0f} {'ms' if name.startswith('training') else 'samples/s'}")
    ratios = {name: found[name] / found[f"{name}, torch"] for name in ("one stream", "16 streams")}
    ratios["training step"] = found["training step, torch"] / found["training step"]
    print("; ".join(f"{name}: {ratio:.2f}x" for name, ratio in ratios.items()))
    compare.finish({"found": found, "ratios": ratios})


if __name__ == "__main__":
    main()
