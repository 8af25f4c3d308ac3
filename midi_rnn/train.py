"""Learn to play, event by event, from a folder of MIDI files.

    python train.py --data_dir ../data/midi/tunes

Takes about two minutes on a laptop before the first phrases of sense appear. Prints its progress, measures itself on
pieces that it is not shown, and lets you see and hear what it would play so far: in TensorBoard on localhost:7007, and
as files in the experiment's folder. It ends when it no longer improves, or after 20 minutes; Ctrl-C stops it whenever
you like: it saves, and goes on from there with --resume. Then let it play: python sample.py --wav
"""

from pathlib import Path
from typing import Any

from midi_rnn.lesson import LESSON
from workshop import cli
from workshop.run import arguments, log

SMOKE_STEPS = 20
PREVIEW_LENGTH = 400
#: Of a very long held-out part so many events are measured each time.
MOST_MEASURED = 500_000


@log.recorded
def main() -> int:
    """Train, as the command line says."""
    # ---- 1 arguments -------------------------------------------------------------------------------------------------
    parser = arguments.train_parser("Learn to play from MIDI files, event by event.", LESSON)
    group = parser.add_argument_group("midi_rnn")
    encoding = "one voice on a grid of sixteenths, or all notes in time with their loudness"
    group.add_argument("--encoding", choices=("melody", "performance"), default="melody", help=encoding)
    group.add_argument("--track", help="name or number of the track to learn from; without it, the melody's or all")
    transpose = "vary each piece by up to so many semitones up or down in each epoch"
    group.add_argument("--transpose", type=cli.whole, default=0, help=transpose)
    stretch = "performance: vary the speed of each piece by up to this share in each epoch"
    group.add_argument("--stretch", type=cli.share, default=0.0, help=stretch)
    args = parser.read()

    # Heavy imports come after the arguments, so that --help and mistakes are answered at once.
    from midi_rnn import dataset, facts
    from workshop.quiet import quietly
    from workshop.run import starting
    from workshop.run.baseline import ngram_baseline
    from workshop.run.batches import EvalBatches, ShuffledPieces, join, streams_for
    from workshop.run.farewell import farewell

    resumed, source = starting.take_up(LESSON, args)

    # ---- 2 data ------------------------------------------------------------------------------------------------------
    data_dir = Path(args.data_dir)
    music = dataset.load(data_dir, args.val_split, args.encoding, args.track, args.transpose, args.stretch)
    starting.check_data(resumed, music.facts, data_dir)
    facts.describe(music, data_dir)
    train, measured = join(music.train, dataset.END), join(music.held_out, dataset.END)[:MOST_MEASURED]
    batch_size = streams_for(len(train), music.encoding.unit, data_dir, args.batch_size, args.seq_length)
    vary = dataset.variation(music.encoding, args.transpose, args.stretch)
    training = ShuffledPieces(music.train, dataset.END, batch_size, args.seq_length, vary, args.seed)
    held_out = EvalBatches(measured, train)
    symbols = range(music.encoding.vocab_size)
    earlier = starting.earlier_data(args, source, symbols)
    baseline = ngram_baseline(train, measured, len(symbols), orders=(1, 2, 3, 4, 5), earlier=earlier)

    # ---- 3 model -----------------------------------------------------------------------------------------------------
    with quietly():
        from keras import ops

        from midi_rnn.model import build
        from midi_rnn.preview import TEMPERATURE, Preview
        from workshop.run.learner import NextSymbolLearner

    vocab_size = music.encoding.vocab_size
    network = starting.network_of(LESSON, args, vocab_size=vocab_size)
    model, average = (build(network, vocab_size, starting.most_weights(resumed)) for _ in range(2))
    print(model.in_words())
    starting.initialise(model, source, symbols)

    # ---- 4 train -----------------------------------------------------------------------------------------------------
    def loss_of(logits: Any, targets: Any) -> Any:
        """The loss of each prediction in nats [T, B]: -ln p of the event that came next (cross-entropy)."""
        return ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)

    temperature = starting.temperature(resumed, TEMPERATURE)
    preview = Preview(average, music.encoding, music.facts, PREVIEW_LENGTH, args.seed, temperature)
    learner = NextSymbolLearner(
        model, average, loss_of, learning_rate=args.learning_rate, batch_size=batch_size, held_out=held_out
    )
    session = starting.open_session(
        LESSON, args, resumed, learner, training, network=network, source=source,
        symbols=symbols, data=music.facts, skipped=music.skipped,
        temperature=temperature, preview=preview, baseline=baseline, smoke_steps=SMOKE_STEPS,
    )  # fmt: skip
    with session:
        for inputs, targets in session:
            loss, gradients = learner.gradients(inputs, targets)  # of the loss, for each weight
            learner.descend(gradients)  # a step of Adam
            learner.update_average()  # the averaged weights are measured and generate
            session.count(loss)  # measure, save, preview or stop, where it is time to

    # ---- 5 listen ----------------------------------------------------------------------------------------------------
    print(farewell(session.experiment, session.baseline, LESSON.folder))
    return session.status


if __name__ == "__main__":
    cli.run(main)
