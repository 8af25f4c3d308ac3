"""Learn to write, character by character, from a folder of texts.

    python train.py --data_dir ../data/lyrics/starter

Takes about two minutes on a laptop before the first rhymes of sense appear. Prints its progress, measures itself on
text that it is not shown, and lets you read what it would write so far. TensorBoard shows the same on localhost:7006.
It ends when it no longer improves, or after 20 minutes; Ctrl-C stops it whenever you like: it saves, and goes on from
there with --resume. Then let it write: python sample.py
"""

from pathlib import Path
from typing import Any

from char_rnn.lesson import LESSON
from workshop import cli
from workshop.run import arguments, log

SMOKE_STEPS = 20
PREVIEW_LENGTH = 400
#: Of a very long held-out text so many characters are measured each time.
MOST_MEASURED = 1_000_000


@log.recorded
def main() -> int:
    """Train, as the command line says."""
    # ---- 1 arguments -------------------------------------------------------------------------------------------------
    parser = arguments.train_parser("Learn to write from texts, character by character.", LESSON)
    parser.add_argument_group("char_rnn").add_argument(
        "--encoding", help="encoding of the text files; by default detected for each"
    )
    parser.alias("experiment_dir", "--save_dir")
    args = parser.read()

    # Heavy imports come after the arguments, so that --help and mistakes are answered at once.
    from char_rnn import dataset
    from char_rnn.vocab import Vocabulary
    from workshop.quiet import quietly
    from workshop.run import starting
    from workshop.run.baseline import ngram_baseline
    from workshop.run.batches import EvalBatches, StatefulBatches, streams_for
    from workshop.run.farewell import farewell

    resumed, source = starting.take_up(LESSON, args)

    # ---- 2 data ------------------------------------------------------------------------------------------------------
    data_dir = Path(args.data_dir)
    vocabulary = Vocabulary.load(resumed.path / "vocab.json") if resumed else None
    text = dataset.load(data_dir, args.val_split, args.encoding, vocabulary)
    batch_size = streams_for(len(text.train), "characters", data_dir, args.batch_size, args.seq_length)
    starting.check_data(resumed, text.facts, data_dir)
    dataset.describe(text, data_dir)
    training = StatefulBatches(text.train, batch_size, args.seq_length, args.seed)
    held_out = EvalBatches(text.held_out[:MOST_MEASURED], text.train)
    symbols = text.vocabulary.symbols
    earlier = starting.earlier_data(args, source, symbols)
    baseline = ngram_baseline(text.train, text.held_out[:MOST_MEASURED], len(symbols), earlier=earlier)

    # ---- 3 model -----------------------------------------------------------------------------------------------------
    with quietly():
        from keras import ops

        from char_rnn.model import build
        from char_rnn.preview import TEMPERATURE, Preview
        from workshop.run.learner import NextSymbolLearner

    network = starting.network_of(LESSON, args, vocab_size=len(text.vocabulary))
    model, average = (build(network, len(text.vocabulary), starting.most_weights(resumed)) for _ in range(2))
    print(model.in_words())
    starting.initialise(model, source, symbols)

    # ---- 4 train -----------------------------------------------------------------------------------------------------
    def loss_of(logits: Any, targets: Any) -> Any:
        """The loss of each prediction in nats [T, B]: -ln p of the character that came next (cross-entropy)."""
        return ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)

    temperature = starting.temperature(resumed, TEMPERATURE)
    preview = Preview(average, text.vocabulary, text.facts.warm_up, PREVIEW_LENGTH, args.seed, temperature)
    learner = NextSymbolLearner(
        model, average, loss_of, learning_rate=args.learning_rate, batch_size=batch_size, held_out=held_out
    )
    session = starting.open_session(
        LESSON, args, resumed, learner, training, network=network, source=source,
        symbols=symbols, data=text.facts, skipped=text.skipped,
        temperature=temperature, preview=preview, baseline=baseline, smoke_steps=SMOKE_STEPS,
    )  # fmt: skip
    if not resumed:
        session.experiment.add("vocab.json", text.vocabulary.save)
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
