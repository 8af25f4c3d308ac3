"""Learn what music looks like as spectra, frame by frame, from a folder of recordings.

    python train.py --data_dir ../data/audio/piano

Prints its progress, measures itself on sounds that it is not shown, and lets you hear and see what it would make so
far: in TensorBoard on localhost:7010, and as files in the experiment's folder. It ends when it no longer improves, or
after 20 minutes; Ctrl-C saves, and --resume goes on from there. Then let it sound: python sample.py --seconds 60
"""

from pathlib import Path

from spectral_rnn.lesson import LESSON
from workshop import cli
from workshop.audio import arguments
from workshop.run import log

SMOKE_STEPS = 12


@log.recorded
def main() -> int:
    """Train, as the command line says."""
    # ---- 1 arguments -------------------------------------------------------------------------------------------------
    parser = arguments.train_parser("Learn what music looks like as spectra.", LESSON)
    group = parser.add_argument_group("frames")
    group.add_argument("--window", type=cli.count, help="samples of which a spectrum is made")
    group.add_argument("--hop", type=cli.count, help="samples from a frame to the next")
    group.add_argument("--bands", type=cli.count, help="levels in a frame; window / 2 + 1: the linear spectrum")
    target = "levels: how loud each band is; complex: real and imaginary parts, which are guessed, and tend to silence"
    group.add_argument("--target", choices=("levels", "complex"), default="levels", help=target)
    args = parser.read()

    # Heavy imports come after the arguments, so that --help and mistakes are answered at once.
    import numpy as np

    from spectral_rnn import dataset
    from spectral_rnn.predictors import fitted
    from workshop.quiet import quietly
    from workshop.run import starting
    from workshop.run.batches import StatefulBatches, streams_for
    from workshop.run.farewell import farewell

    resumed, source = starting.take_up(LESSON, args)
    bands = dataset.frames_of(args)

    # ---- 2 data ------------------------------------------------------------------------------------------------------
    data_dir = Path(args.data_dir)
    sounds = dataset.load(data_dir, bands, args.val_split, args.silence_threshold)
    train, held_out = dataset.in_a_row(sounds)
    batch_size = streams_for(len(train), LESSON.unit, data_dir, args.batch_size, args.seq_length)
    facts = dataset.info(sounds.facts, bands)
    starting.check_data(resumed, facts, data_dir)
    dataset.describe(sounds, data_dir)
    order = StatefulBatches(np.arange(len(train)), batch_size, args.seq_length, args.seed)
    training = dataset.FrameBatches(train, order)
    predictor, baseline = fitted(train, held_out, bands)

    # ---- 3 model -----------------------------------------------------------------------------------------------------
    with quietly():
        from spectral_rnn.generate import TEMPERATURE
        from spectral_rnn.learner import FrameLearner
        from spectral_rnn.model import build
        from spectral_rnn.preview import Preview

    network = starting.network_of(LESSON, args, bands=bands.count, target=args.target)
    model, average = (build(network, starting.most_weights(resumed)) for _ in range(2))
    print(model.in_words())
    # It begins as the better of the linear predictors, or with the weights of a trained network.
    model.begin_with(predictor)
    starting.initialise(model, source, range(0))

    # ---- 4 train -----------------------------------------------------------------------------------------------------
    temperature = starting.temperature(resumed, TEMPERATURE)
    kept = dataset.kept(train, held_out, bands)
    preview = Preview(average, bands, kept, args.seed, temperature)
    learner = FrameLearner(
        model, average, kept, learning_rate=args.learning_rate, batch_size=batch_size,
        held_out=dataset.HeldOutFrames(held_out, train),
    )  # fmt: skip
    session = starting.open_session(
        LESSON, args, resumed, learner, training, network=network, source=source, symbols=range(0), data=facts,
        skipped=sounds.skipped, temperature=temperature, preview=preview, baseline=baseline, smoke_steps=SMOKE_STEPS,
    )  # fmt: skip
    with session:
        for inputs, targets in session:
            loss, gradients = learner.gradients(inputs, targets)  # of -ln p of each frame, for each weight
            learner.descend(gradients)  # a step of Adam
            learner.update_average()  # the averaged weights are measured and generate
            session.count(loss)  # measure, save, preview or stop, where it is time to

    # ---- 5 listen ----------------------------------------------------------------------------------------------------
    print(farewell(session.experiment, session.baseline, LESSON.folder))
    return session.status


if __name__ == "__main__":
    cli.run(main)
