"""Learn to write, character by character, from a folder of texts.

    python train.py --data_dir ../data/lyrics/starter

Takes about two minutes on a laptop before the first rhymes of sense appear. Prints its progress, measures itself on
text that it is not shown, and lets you read what it would write so far. TensorBoard shows the same on localhost:7006.
It ends when it no longer improves, or after 20 minutes; Ctrl-C stops it whenever you like: it saves, and goes on from
there with --resume. Then let it write: python sample.py
"""

from pathlib import Path

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
        "--encoding", help="of the text files; found out for each without it"
    )
    parser.alias("experiment_dir", "--save_dir")
    args = parser.read()

    # Heavy imports come after the arguments, so that --help and mistakes are answered at once.
    from char_rnn import dataset
    from char_rnn.vocab import Vocabulary
    from workshop.quiet import quietly
    from workshop.run import experiment as experiments
    from workshop.run.baseline import ngram_baseline
    from workshop.run.batches import HeldOut, Streams, streams_for

    resumed = experiments.find(LESSON.folder, args.experiment_dir) if args.resume else None
    if resumed:
        experiments.take_over(args, resumed, fixed=LESSON.fixed_arguments)
    arguments.apply_size(args, LESSON)

    # ---- 2 data ------------------------------------------------------------------------------------------------------
    data_dir = Path(args.data_dir)
    vocabulary = Vocabulary.load(resumed.path / "vocab.json") if resumed else None
    text = dataset.load(data_dir, args.val_split, args.encoding, vocabulary)
    batch_size = streams_for(len(text.train), "characters", data_dir, args.batch_size, args.seq_length)
    if resumed:
        experiments.check_same_data(resumed, text.facts["fingerprint"], data_dir)
    dataset.describe(text, data_dir)
    baseline = ngram_baseline(text.train, text.held_out[:MOST_MEASURED], len(text.vocabulary))

    # ---- 3 model -----------------------------------------------------------------------------------------------------
    with quietly():
        from char_rnn.model import build
        from char_rnn.preview import TEMPERATURE, Preview
        from workshop.run.training import Settings, Trainer, farewell

    network = {name: getattr(args, name) for name in (*LESSON.network, "seed")} | {"name": args.network}
    network["vocab_size"] = len(text.vocabulary)
    model, average = (build(network, len(text.vocabulary), experiments.most_weights(resumed)) for _ in range(2))
    print(model.in_words())

    # ---- 4 train -----------------------------------------------------------------------------------------------------
    info = {
        "arguments": experiments.arguments(args),
        "network": network,
        "data": text.facts,
        "baseline": baseline.losses,
        "sampling": {"temperature": TEMPERATURE},
        "message": args.message,
    }
    experiment = resumed or experiments.create(LESSON.folder, args.experiment_dir, info)
    experiment.report(text.skipped)
    if not resumed:
        with experiment.beginning():
            text.vocabulary.save(experiment.path / "vocab.json")
    settings = Settings.of(args, max_steps=SMOKE_STEPS if args.smoke else None)
    training = Streams(text.train, batch_size, args.seq_length, args.seed)
    held_out = HeldOut(text.held_out[:MOST_MEASURED], text.train)
    preview = Preview(
        average, text.vocabulary, text.facts["lead_in"], PREVIEW_LENGTH, args.seed, experiments.temperature(experiment)
    )
    trainer = Trainer(model, average, experiment, training, held_out, settings, "characters", preview, baseline)
    if resumed:
        trainer.resume()
    status = trainer.fit()

    # ---- 5 listen ----------------------------------------------------------------------------------------------------
    print(farewell(experiment, baseline, LESSON.folder))
    return status


if __name__ == "__main__":
    cli.run(main)
