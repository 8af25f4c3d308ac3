"""How fast sound is made and learnt with the classic network (5 x 10 blocks, 32/32/512 channels): this workshop's
kernel, the same loop compiled by XLA, and a cached step loop and Conv1d in PyTorch.

    python benchmarks/wavenet_speed.py --torch_python PATH_TO_A_PYTHON_WITH_TORCH

One stream, on two cores and on one, and sixteen: samples a second of all streams together, each drawn from the softmax;
and milliseconds of a training step on 4 windows of 8,000 samples. Measured in turn in one run; some ten minutes.
Without torch its figures are left out. --undisturbed as in audio_rnn_speed.py.
"""

import functools
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

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
    from workshop.networks.engine import PIECE, Engine
    from workshop.networks.sampling import SamplingConfig
    from workshop.run.learner import NextSymbolLearner, cross_entropy

PEER = Path(__file__).with_name("torch_wavenet.py")
LARGE = Shape(*(LESSON.sizes["large"][name] for name in LESSON.network))
SAMPLES = {1: 8000, 16: 1600}
STEPS = 3
#: As sample.py uses it.
HalfEngine = functools.partial(CpuEngine, half=True)
MODEL = WaveNet(LARGE)


def generate(engine: Callable[..., Engine], streams: int) -> float:
    """Samples a second; what comes before the first of them is not counted."""
    made = engine(MODEL, np.zeros(streams, int))
    state = made.start(np.full(streams, SILENCE))
    count, chances = SAMPLES[streams], np.random.default_rng(0).random((SAMPLES[streams], streams))
    # Two pieces of the loop that XLA compiles at the first one.
    made.advance(state, np.full((PIECE, streams), -1), chances[:PIECE], SamplingConfig())
    started = time.perf_counter()
    made.advance(state, np.full((count, streams), -1), chances, SamplingConfig())
    return count * streams / (time.perf_counter() - started)


def by_one_core() -> float:
    """The same by the first core alone."""
    with mock.patch("workshop.networks.engine.usable_cores", return_value=1):
        return generate(HalfEngine, 1)


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
    args = compare.parser(__doc__, undisturbed=True).parse_args()
    python = args.torch_python
    contestants = {
        "one stream": lambda: generate(HalfEngine, 1),
        "one stream, one core": by_one_core,
        "one stream, single precision": lambda: generate(CpuEngine, 1),
        "one stream, XLA loop": lambda: generate(XlaEngine, 1),
        "16 streams": lambda: generate(HalfEngine, 16),
        "16 streams, XLA loop": lambda: generate(XlaEngine, 16),
        "training step": train,
    }
    if compare.has_torch(python):
        contestants |= {
            "one stream, torch": lambda: compare.number(python, PEER, "generate", 1, 1500),
            "16 streams, torch": lambda: compare.number(python, PEER, "generate", 16, 400),
            "training step, torch": lambda: compare.number(python, PEER, "train", STEPS),
        }
    with compare.undisturbed(args.undisturbed):
        found = compare.in_turn(contestants, args.rounds)
    ratios = {}
    for name, value in found.items():
        ours, training = name.split(", ")[0], name.startswith("training")
        ratios[name] = round(value / found[ours] if training else found[ours] / value, 2)
        print(
            f"{name}: {value:,.0f} {'ms' if training else 'samples/s'}{f' ({ratios[name]}x)' if name != ours else ''}"
        )
    compare.finish_speeds({"found": found, "ratios": ratios})


if __name__ == "__main__":
    main()
