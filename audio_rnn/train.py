"""Learn to make sounds with a network that remembers, sample by sample, from a folder of recordings.

    python train.py --data_dir ../data/audio/starter

Prints its progress, measures itself on sounds that it is not shown, and lets you hear and see what it would make so
far: in TensorBoard on localhost:7009, and as files in the experiment's folder. It ends when it no longer improves, or
after 20 minutes; Ctrl-C saves, and --resume goes on from there. Then let it sound: python sample.py --seconds 5
"""

from functools import partial
from pathlib import Path
from typing import Any

from audio_rnn.lesson import LESSON
from workshop import cli
from workshop.audio import arguments
from workshop.run import log

SMOKE_STEPS = 12
#: Samples that the network reads before it is measured, and that a preview goes on from.
CONTEXT = 2000


@log.recorded
def main() -> int:
    """Train, as the command line says."""
    # ---- 1 arguments -------------------------------------------------------------------------------------------------
    parser = arguments.train_parser("Learn to make sounds with a network that remembers.", LESSON)
    arguments.learn_conditions(parser)
    arguments.choose_quantisation(parser)
    args = parser.read()

    # Heavy imports come after the arguments, so that --help and mistakes are answered at once.
    import numpy as np

    from audio_rnn import dataset
    from workshop.audio import excerpts, mu_law
    from workshop.quiet import quietly
    from workshop.run import starting
    from workshop.run.baseline import ngram_baseline
    from workshop.run.farewell import farewell

    resumed, source = starting.take_up(LESSON, args)

    # ---- 2 data ------------------------------------------------------------------------------------------------------
    data_dir = Path(args.data_dir)
    sounds = dataset.load(data_dir, args)
    train, held_out = excerpts.rings(sounds)  # for each condition one sound after the other
    batch_size = excerpts.side_by_side(train, data_dir, args.batch_size, args.seq_length)
    starting.check_data(resumed, sounds.facts, data_dir)
    dataset.describe(sounds, data_dir)
    print(dataset.window_in_words(args.seq_length, args.sample_rate))
    names = sounds.facts.conditions
    earlier = starting.earlier_data(args, source, names)
    baseline = ngram_baseline(np.concatenate(train), np.concatenate(held_out), mu_law.LEVELS, (1, 2, 3), earlier)

    # ---- 3 model -----------------------------------------------------------------------------------------------------
    with quietly():
        from keras import ops

        from audio_rnn.generate import TEMPERATURE, Generator
        from audio_rnn.model import build
        from workshop.audio.preview import Preview
        from workshop.run.learner import NextSymbolLearner

    network = starting.network_of(LESSON, args, vocab_size=mu_law.LEVELS, conditions=len(names))
    model, average = (build(network, starting.most_weights(resumed)) for _ in range(2))
    print(model.in_words())
    starting.initialise(model, source, names)

    # ---- 4 train -----------------------------------------------------------------------------------------------------
    def loss_of(logits: Any, targets: Any) -> Any:
        """The loss of each prediction in nats [T, B]: -ln p of the sample that came next (cross-entropy)."""
        return ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)

    training = excerpts.Streams(train, batch_size, args.seq_length, args.seed)
    measured = excerpts.HeldOutStreams(held_out, train, CONTEXT)
    temperature = starting.temperature(resumed, TEMPERATURE)
    made = (args.sample_rate, args.seed, temperature, dataset.quantisation(args))
    preview = Preview(partial(Generator, average), train, CONTEXT, names, *made)
    learner = NextSymbolLearner(
        model, average, loss_of, learning_rate=args.learning_rate, batch_size=batch_size, held_out=measured
    )
    session = starting.open_session(
        LESSON, args, resumed, learner, training, network=network, source=source,
        symbols=names, data=sounds.facts, skipped=sounds.skipped,
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
