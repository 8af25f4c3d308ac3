"""Learn to make sounds, sample by sample, from a folder of recordings.

    python train.py --data_dir ../data/audio/starter

Prints its progress, measures itself on sounds that it is not shown, and lets you hear and see what it would make so
far: in TensorBoard on localhost:7008, and as files in the experiment's folder. It ends when it no longer improves, or
after 20 minutes; Ctrl-C saves, and --resume goes on from there. Then let it sound: python sample.py --seconds 5
"""

from pathlib import Path

from wavenet.lesson import LESSON
from workshop import cli
from workshop.audio import rates
from workshop.run import arguments, log

SMOKE_STEPS = 12


@log.recorded
def main() -> int:
    """Train, as the command line says."""
    # ---- 1 arguments -------------------------------------------------------------------------------------------------
    parser = arguments.train_parser("Learn to make sounds, sample by sample.", LESSON)
    group = parser.add_argument_group("wavenet")
    group.add_argument("--sample_rate", type=rates.sample_rate, help="samples a second; other files are resampled")
    silence = "leave out what is quieter at both ends: dB below the file's loudest moment, such as -40; 0: nothing"
    group.add_argument("--silence_threshold", type=rates.threshold, default=0.0, help=silence)
    condition = "learn sounds by name: `folder`, each subfolder a name, or a JSON file that names one for each file"
    group.add_argument("--condition", type=cli.folder_or_file, metavar="folder|FILE.json", help=condition)
    group.add_argument("--l2", type=cli.not_negative, default=0.0, help="L2 weight decay")
    parser.alias("l2", "--l2_regularization_strength")
    args = parser.read()

    # Heavy imports come after the arguments, so that --help and mistakes are answered at once.
    import numpy as np

    from wavenet import dataset
    from workshop.audio import excerpts, mu_law
    from workshop.quiet import quietly
    from workshop.run import experiment as experiments
    from workshop.run.baseline import ngram_baseline

    resumed = experiments.find(LESSON.folder, args.experiment_dir) if args.resume else None
    if resumed:
        experiments.take_over(args, resumed, fixed=LESSON.fixed_arguments)
    arguments.apply_size(args, LESSON)

    # ---- 2 data ------------------------------------------------------------------------------------------------------
    data_dir = Path(args.data_dir)
    sounds = dataset.load(data_dir, args.sample_rate, args.val_split, args.silence_threshold, args.condition)
    train, held_out = excerpts.rings(sounds)
    batch_size = excerpts.side_by_side(train, data_dir, args.batch_size, args.seq_length)
    if resumed:
        experiments.check_same_data(resumed, sounds.facts["fingerprint"], data_dir)
    dataset.describe(sounds, data_dir)
    baseline = ngram_baseline(np.concatenate(train), np.concatenate(held_out), mu_law.STEPS, orders=(1, 2, 3))

    # ---- 3 model -----------------------------------------------------------------------------------------------------
    with quietly():
        from wavenet.model import build
        from wavenet.preview import TEMPERATURE, Preview
        from workshop.run.training import Settings, Trainer, farewell

    names = sounds.facts["conditions"]
    network = {name: getattr(args, name) for name in (*LESSON.network, "seed")}
    network |= {"conditions": len(names), "name": args.network}
    model, average = (build(network, experiments.most_weights(resumed)) for _ in range(2))
    field = model.shape.receptive_field
    print(model.in_words(args.sample_rate))

    # ---- 4 train -----------------------------------------------------------------------------------------------------
    info = {
        "arguments": experiments.arguments(args),
        "network": network,
        "data": sounds.facts,
        "baseline": baseline.losses,
        "sampling": {"temperature": TEMPERATURE},
        "message": args.message,
    }
    experiment = resumed or experiments.create(LESSON.folder, args.experiment_dir, info)
    experiment.report(sounds.skipped)
    settings = Settings.of(args, max_steps=SMOKE_STEPS if args.smoke else None)
    training = excerpts.Excerpts(train, field, batch_size, args.seq_length, args.seed)
    measured = excerpts.HeldOutSounds(held_out, train, field, batch_size, args.seq_length)
    preview = Preview(average, train, names, args.sample_rate, args.seed, experiments.temperature(experiment))
    trainer = Trainer(model, average, experiment, training, measured, settings, "samples", preview, baseline)
    if resumed:
        trainer.resume()
    status = trainer.fit()

    # ---- 5 listen ----------------------------------------------------------------------------------------------------
    print(farewell(experiment, baseline, LESSON.folder))
    return status


if __name__ == "__main__":
    cli.run(main)
