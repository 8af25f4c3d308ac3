"""Let a trained network write.

    python sample.py --length 1000 --temperature 0.8 --prime "oh my "

Takes the newest experiment, starts within seconds and writes tens of thousands of characters a second. The text goes to
the console, everything else that there is to say to standard error, so that  python sample.py > song.txt  holds the
text alone.
"""

from char_rnn.lesson import LESSON
from workshop import cli
from workshop.run import arguments


def main() -> None:
    """Generate, as the command line says."""
    # ---- 1 arguments -------------------------------------------------------------------------------------------------
    parser = arguments.sample_parser(
        "Let a trained network write.", 500, "characters", "text to go on from, or a file that holds it"
    )
    parser.alias("experiment_dir", "--save_dir")
    group = parser.add_argument_group("char_rnn")
    group.add_argument(
        "--sample",
        type=int,
        choices=(0, 1, 2),
        default=1,
        help="0: always the likeliest character; 1: draw each; 2: draw after spaces only",
    )
    group.add_argument(
        "--no_copy_check", action="store_true", help="do not look for passages copied from the training text"
    )
    args = parser.read()

    # ---- 2 load the experiment ---------------------------------------------------------------------------------------
    import numpy as np
    from tqdm import tqdm

    from char_rnn import dataset
    from char_rnn.vocab import Vocabulary
    from workshop.files import write_samples
    from workshop.quiet import quietly
    from workshop.run import checkpoint
    from workshop.run import experiment as experiments
    from workshop.text.textfiles import text_or_file
    from workshop.visible import give_out

    experiment = experiments.find(LESSON.folder, args.experiment_dir)
    temperature = experiments.temperature(experiment, args.temperature)
    facts = dataset.trained_on(experiment)
    vocabulary = Vocabulary.load(experiment.path / "vocab.json")
    path = experiment.checkpoint(args.checkpoint)
    arrays, at = checkpoint.load(path, checkpoint.STEP)
    prime = vocabulary.spelled(text_or_file(args.prime or ""), facts.get("normal_form"))

    with quietly():
        from char_rnn.generate import Generator
        from char_rnn.model import build
        from workshop.networks.sampling import Choice

    model = build(experiment.info["network"], len(vocabulary), experiment.most_weights)
    checkpoint.assign(model.trainable_variables, arrays, "average", path)
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if args.seed is None else args.seed
    cli.say(f"{experiment.path}, {path.stem} checkpoint (step {at['step']:,}), seed {seed}")

    # ---- 3 prime -----------------------------------------------------------------------------------------------------
    if unseen := vocabulary.unseen(prime):
        cli.say(f"the network has never seen {unseen!r}: read as the unknown symbol")
    prime_ids = vocabulary.encode((facts.get("lead_in") or vocabulary.symbols[1]) + prime)

    # ---- 4 generate --------------------------------------------------------------------------------------------------
    generator = Generator(model, vocabulary, Choice(temperature, args.top_k, args.top_p), args.sample)
    streaming = args.num_samples == 1 and args.out is None
    if streaming:
        give_out(prime)
    pieces = []
    with tqdm(total=args.length, unit=" characters", delay=1, leave=False, disable=streaming or None) as bar:
        for piece in generator.write(prime_ids, args.length, args.num_samples, seed):
            pieces.append(piece)
            bar.update(len(piece))
            if streaming:
                give_out(vocabulary.decode(piece[:, 0]))
    ids = np.concatenate(pieces)

    # ---- 5 write -----------------------------------------------------------------------------------------------------
    texts = [prime + vocabulary.decode(ids[:, k]) for k in range(args.num_samples)]
    if streaming:
        give_out("\n")
    else:
        write_samples(texts, args.out)
    if not args.no_copy_check:
        from char_rnn.copied import report

        cli.say(report(ids, vocabulary, facts))


if __name__ == "__main__":
    cli.run(main)
