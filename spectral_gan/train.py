"""Learn to make loops from a folder of slices of equal length, by two networks that are trained against each other.

    python train.py --data_dir ../data/audio/loops

Prints its progress, measures how far its loops are from some that it is not shown, and lets you hear and see what it
would make so far: in TensorBoard on localhost:7011, and as files in the experiment's folder. It ends when it no longer
improves, or after 20 minutes; Ctrl-C saves, and --resume goes on from there. Then let it sound: python sample.py
"""

from pathlib import Path

from spectral_gan.lesson import LESSON
from workshop import cli
from workshop.errors import UserError
from workshop.run import arguments, log

SMOKE_STEPS = 12
#: Adam's beta 1: what the gradients were is no help against a network that has changed since.
MOMENTUM = 0.0


@log.recorded
def main() -> int:
    """Train, as the command line says."""
    # ---- 1 arguments -------------------------------------------------------------------------------------------------
    parser = arguments.train_parser("Learn to make loops, by two networks against each other.", LESSON)
    parser.hide("seq_length", "workers")
    spaced = "the bands of the pictures: as wide as on the mel scale, or each as wide as one interval (constant Q)"
    parser.add_argument("--scale", choices=("mel", "constant_q"), default="mel", help=spaced)
    group = parser.add_argument_group("the two networks")
    what = "what they descend; bce with --network dcgan --r1 0 is the classic recipe"
    group.add_argument("--loss", choices=("bce", "hinge", "relativistic"), default="bce", help=what)
    steep = "how much the discriminator is kept from being steep where the data is; 0: not at all"
    group.add_argument("--r1", type=cli.not_negative, default=20.0, help=steep)
    changed = "whether the discriminator sees pictures that are changed at random, which little data needs"
    group.add_argument("--augment", choices=("yes", "no"), default="no", help=changed)
    args = parser.read()

    # Heavy imports come after the arguments, so that --help and mistakes are answered at once.
    from spectral_gan import dataset
    from workshop.audio import latents
    from workshop.quiet import quietly
    from workshop.run import starting
    from workshop.run.farewell import farewell

    resumed, source = starting.take_up(LESSON, args)
    if "seq_length" in args.given:
        raise UserError(
            "--seq_length is for what is learnt step by step: --frames is how long the picture of a loop is"
        )

    # ---- 2 data ------------------------------------------------------------------------------------------------------
    data_dir = Path(args.data_dir)
    loops = dataset.load(data_dir, args.frames, args.bands, args.val_split, args.scale)
    starting.check_data(resumed, loops.facts, data_dir)
    dataset.describe(loops, data_dir)
    batches = dataset.LoopBatches(loops.train, args.batch_size, args.latent, args.seed)

    # ---- 3 model -----------------------------------------------------------------------------------------------------
    with quietly():
        from spectral_gan.generate import TEMPERATURE
        from spectral_gan.judging import Judge
        from spectral_gan.learner import PairLearner
        from spectral_gan.model import build
        from spectral_gan.preview import Preview

    network = starting.network_of(LESSON, args)
    pair, average = (build(network, starting.most_weights(resumed)) for _ in range(2))
    print(pair.in_words())
    starting.initialise(pair, source, range(0))
    if source:
        pair.copy_statistics(source.model)

    # ---- 4 train -----------------------------------------------------------------------------------------------------
    temperature = starting.temperature(resumed, TEMPERATURE)
    judge = Judge(loops.train, loops.held_out, starting.best(resumed))
    learner = PairLearner(
        pair, average, loss=args.loss, r1=args.r1, is_augmented=args.augment == "yes",
        learning_rate=args.learning_rate, momentum=MOMENTUM,
        latents=latents.drawn(judge.count, args.latent, args.seed), judge=judge,
    )  # fmt: skip
    preview = Preview(learner.make, loops.facts.representation(), args.latent, args.seed, temperature)
    session = starting.open_session(
        LESSON, args, resumed, learner, batches, network=network, source=source, symbols=range(0), data=loops.facts,
        skipped=loops.skipped, temperature=temperature, preview=preview, baseline=judge.baseline,
        smoke_steps=SMOKE_STEPS,
    )  # fmt: skip
    with session:
        for pictures, draws in session:
            loss = learner.train_discriminator(pictures, draws)  # real pictures from made ones
            fooled = learner.train_generator(pictures, draws)  # pictures that are taken for real
            learner.update_average()  # the averaged generator is measured, and makes the loops
            session.count(loss, **{"generator loss": fooled})  # measure, save, preview or stop, where it is time to

    # ---- 5 listen ----------------------------------------------------------------------------------------------------
    print(farewell(session.experiment, session.baseline, LESSON.folder))
    return session.status


if __name__ == "__main__":
    cli.run(main)
