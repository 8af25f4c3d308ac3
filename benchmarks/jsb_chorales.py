"""How well ten minutes of training on a CPU learn Bach chorales in four voices, through the performance encoding: nats
per note on the test chorales, beside the best n-gram.

    python -m workshop.datasets get jsb_chorales
    python benchmarks/jsb_chorales.py --data_dir data/midi/jsb_chorales

The split is that of the data set: 229 chorales to train on, 76 to choose the best checkpoint by, 77 to test on. A
sixteenth lasts 150 ms. What is added up is the loss of all events (on, off, wait, velocity, and the end of each
chorale); it is divided by the number of notes, so that another encoding can be compared. Eleven minutes.
"""

import argparse
from pathlib import Path

import compare
import one_stream

OPTIONS = [
    "--encoding",
    "performance",
    "--size",
    "medium",
    "--dropout",
    "0.4",
    "--transpose",
    "3",
    "--num_epochs",
    "1000",
]


def main() -> None:
    """Train, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True, help="folder with train, valid and test")
    parser.add_argument("--minutes", type=float, default=10, help="of training, measurements and previews included")
    args = parser.parse_args()

    from midi_rnn import dataset
    from midi_rnn.encoding import NOTE_OFF, NOTE_ON
    from workshop.run import ngram
    from workshop.run.batches import join

    options = ("--data_dir", args.data_dir, *OPTIONS, "--max_minutes", args.minutes)
    with compare.trained("midi_rnn", *options) as (experiment, info):
        from workshop.quiet import quietly

        with quietly():
            from midi_rnn.model import build

        music = dataset.load(args.data_dir, encoding="performance")
        tested = dataset.load(args.data_dir / "test", encoding="performance")
        test = [*tested.train, *tested.held_out]
        train, held_out = join(music.train, 0), join(test, 0)
        model, _ = one_stream.best_network(experiment, build, music.encoding.vocab_size)
        nats = float(one_stream.losses(model, train, held_out).sum())
    orders = ngram.evaluate(train, held_out, music.encoding.vocab_size, range(1, 6))
    notes = int(((held_out >= NOTE_ON) & (held_out < NOTE_OFF)).sum())
    per_note = {order: loss * len(held_out) / notes for order, loss in orders.items()}
    best = min(per_note, key=per_note.__getitem__)
    print(f"{len(music.train)} chorales ({len(train):,} events) to train on, {len(test)} ({len(held_out):,}) to test")
    print(
        f"{nats / notes:.3f} nats a note ({nats / len(held_out):.4f} an event), {notes:,} notes, {info['step']:,} steps"
    )
    print(
        f"the best n-gram, order {best}: {per_note[best]:.3f} nats a note; "
        f"the network is {1 - nats / notes / per_note[best]:.1%} lower"
    )
    compare.finish(
        {"nats_per_note": nats / notes, "ngram": per_note[best], "steps": info["step"], "events": len(held_out)}
    )


if __name__ == "__main__":
    main()
