"""How fast lesson 4 makes sound: the compiled kernel on all cores and on one, the loop that XLA compiles, and a step
loop of GRUCell in PyTorch where there is a Python with torch.

    python benchmarks/audio_rnn_speed.py --torch_python PATH_TO_A_PYTHON_WITH_TORCH

One stream and sixteen, samples a second of all streams together, each drawn from the softmax, with the networks `small`
(3 x 128) and `classic` (3 x 256, that of Blekota). Measured in turn in one run; some five minutes.

On a machine that does other work, --undisturbed keeps that away from the kernel while it is measured (Linux, as root);
XLA's threads are not kept from being disturbed, so its ratios are those of a run without.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import compare
import numpy as np

from workshop.quiet import quietly

with quietly():
    from audio_rnn.lesson import LESSON
    from audio_rnn.model import build
    from workshop.audio.mu_law import LEVELS, SILENCE
    from workshop.networks.engine import PIECE, generate
    from workshop.networks.generation import AllSymbols, GenerationLoop
    from workshop.networks.gru_engine import GruEngine
    from workshop.networks.sampling import SamplingConfig
    from workshop.networks.sequence import SequenceModel

PEER = Path(__file__).with_name("torch_gru.py")
SIZES = ("small", "classic")
STREAMS = (1, 16)
#: Samples of each stream.
SAMPLES = {1: 8 * PIECE, 16: 2 * PIECE}


def by_kernel(model: SequenceModel, streams: int) -> float:
    """Samples a second; the first piece is not counted."""
    engine, begun = GruEngine(model, np.zeros(streams, int), half=True), np.full((1, streams), SILENCE)
    pieces = generate(engine, begun, SAMPLES[streams] + PIECE, 0, SamplingConfig())
    return _speed(pieces, streams)


def by_one_core(model: SequenceModel, streams: int) -> float:
    """The same without the others."""
    with mock.patch("workshop.networks.engine.usable_cores", return_value=1):
        return by_kernel(model, streams)


def by_xla(loop: GenerationLoop, streams: int) -> float:
    """The same by the loop that runs whatever Keras runs."""
    return _speed(loop.generate(np.array([SILENCE]), 3 * PIECE, streams, 0, SamplingConfig()), streams)


def _speed(pieces: Iterator[np.ndarray], streams: int) -> float:
    next(pieces)
    started = time.perf_counter()
    count = sum(len(piece) for piece in pieces)
    return count * streams / (time.perf_counter() - started)


def main() -> None:
    """Measure, and print the ratios."""
    parser = compare.parser(__doc__, undisturbed=True)
    parser.add_argument("--size", choices=SIZES, action="append", help="one network alone; without it, both")
    args = parser.parse_args()
    with_torch = compare.has_torch(args.torch_python)
    contestants = {}
    for size in args.size or SIZES:
        shape = {name: LESSON.sizes[size][name] for name in LESSON.network}
        model = build({**shape, "vocab_size": LEVELS, "seed": 0})
        loop = GenerationLoop(model, LEVELS, AllSymbols())
        parts = shape["num_layers"], shape["rnn_size"]
        for streams in STREAMS:
            name = f"{size}, {streams} stream{'s' if streams > 1 else ''}"
            contestants[name] = lambda model=model, streams=streams: by_kernel(model, streams)
            contestants[f"{name}, one core"] = lambda model=model, streams=streams: by_one_core(model, streams)
            contestants[f"{name}, XLA"] = lambda loop=loop, streams=streams: by_xla(loop, streams)
            if with_torch:
                arguments = (*parts, streams, 3000 if streams == 1 else 1000)
                contestants[f"{name}, torch"] = lambda a=arguments: compare.number(args.torch_python, PEER, *a)
    for ask in contestants.values():
        ask()  # what is compiled is compiled once
    with compare.undisturbed(args.undisturbed):
        found = compare.in_turn(contestants, args.rounds)
    ratios = {}
    for name, value in found.items():
        ours = ", ".join(name.split(", ")[:2])
        ratios[name] = round(found[ours] / value, 2)
        print(f"{name}: {value:,.0f} samples/s" + (f" ({ratios[name]}x)" if name != ours else ""))
    compare.finish_speeds({"found": found, "ratios": ratios})


if __name__ == "__main__":
    main()
