"""How well ten minutes of training on a CPU learn folk melodies: nats per sixteenth on a tenth of the files, against
the best n-gram and against an LSTM in PyTorch of the same size that is given the same minutes.

    python benchmarks/nottingham.py --data_dir data/midi/nottingham --torch_python PATH_TO_A_PYTHON_WITH_TORCH

Runs the one command `midi_rnn/train.py --size medium --max_minutes 10` and measures its best checkpoint again, apart
from the training's own measurement: the held-out files are read once, in one stream. PyTorch is given windows of the
same pieces and its best measurement counts, as its own code has it. Half an hour. The split: the files are ordered by
the sha256 of their symbols, and the last tenth is held out; the script prints how many symbols that makes.
"""

import argparse
import json
from pathlib import Path

import compare
import numpy as np
import one_stream

SIZE = "medium"


def measure(experiment: Path, music, join) -> float:
    """Nats per symbol over the held-out pieces in one stream."""
    from workshop.quiet import quietly

    with quietly():
        from midi_rnn.model import build

    model, _ = one_stream.best_network(experiment, build, music.encoding.vocab_size)
    return float(one_stream.losses(model, join(music.train, 0), join(music.held_out, 0)).mean())


def torch_loss(python: str, folder: Path, music, join, size: dict, minutes: float) -> float:
    """What PyTorch reaches in so many minutes."""
    content = folder / "content.npz"
    before, held_out = join(music.train, 0), join(music.held_out, 0)
    train = np.concatenate(music.train)
    np.savez(content, train=train, sizes=[len(p) for p in music.train], before=before, held_out=held_out)
    settings = {name: size[name] for name in ("batch_size", "seq_length", "dropout", "learning_rate")}
    settings |= {"units": size["rnn_size"], "layers": size["num_layers"], "vocab_size": music.encoding.vocab_size}
    settings |= {"minutes": minutes, "measure_every": 500}
    return compare.number(python, Path(__file__).with_name("torch_melody.py"), content, json.dumps(settings))


def main() -> None:
    """Train both, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True, help="folder of the Nottingham melodies")
    parser.add_argument("--minutes", type=float, default=10, help="of training, measurements and previews included")
    parser.add_argument("--torch_python", help="a Python with `pip install torch==2.13.0`; without it, no comparison")
    args = parser.parse_args()

    from midi_rnn import dataset
    from midi_rnn.lesson import LESSON
    from workshop.run.batches import join

    options = ("--data_dir", args.data_dir, "--size", SIZE, "--max_minutes", args.minutes)
    with compare.trained("midi_rnn", *options) as (experiment, info):
        music = dataset.load(args.data_dir)
        nats = measure(experiment, music, join)
        torch = None
        if args.torch_python:
            torch = torch_loss(args.torch_python, experiment, music, join, LESSON.sizes[SIZE], args.minutes)
    baseline = min(info["baseline"].values())
    pieces, symbols = music.facts.pieces, music.facts.symbols
    print(f"{pieces[0]:,} pieces ({symbols[0]:,} sixteenths) to train on, {pieces[1]:,} ({symbols[1]:,}) held out")
    print(f"{nats:.4f} nats a sixteenth, {info['step']:,} steps; while training: {info['best']['validation']:.4f}")
    print(f"the best n-gram: {baseline:.4f}; the network is {1 - nats / baseline:.1%} lower")
    result = {"nats": nats, "steps": info["step"], "baseline": baseline, "below_baseline": 1 - nats / baseline}
    if torch is not None:
        print(f"PyTorch: {torch:.4f}; the network is {1 - nats / torch:.1%} lower")
        result |= {"torch": torch, "below_torch": 1 - nats / torch}
    compare.finish(result)


if __name__ == "__main__":
    main()
