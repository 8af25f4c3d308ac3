"""Let a trained network write.

    python sample.py --length 1000 --temperature 0.8 --prime "oh my "

Takes the newest experiment, starts within seconds and writes tens of thousands of characters a second. The text goes to
the console, everything else that there is to say to standard error, so that  python sample.py > song.txt  holds the
text alone.
"""

import sys
from pathlib import Path

from workshop import cli

LESSON = Path(__file__).resolve().parent


def main() -> None:
    """Generate, as the command line says."""
    # ---- 1 arguments -------------------------------------------------------------------------------------------------
    parser = cli.sample_parser(
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

    from char_rnn.vocab import Vocabulary
    from workshop import checkpoint
    from workshop import experiment as experiments
    from workshop.quiet import quietly

    experiment = experiments.find(LESSON, args.experiment_dir)
    vocabulary = Vocabulary.load(experiment.path / "vocab.json")
    path = experiment.best if args.checkpoint == "best" else experiment.latest
    arrays, at = checkpoint.load(path)
    prime = read_prime(args.prime)

    with quietly():
        from char_rnn.generate import Generator
        from char_rnn.model import build
        from char_rnn.preview import start
        from workshop.sampling import Choice

    model = build(experiment.info["network"], len(vocabulary))
    checkpoint.assign(model.trainable_variables, arrays, "average", path)
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if args.seed is None else args.seed
    say(f"{experiment.path}, {args.checkpoint} checkpoint (step {at['step']:,}), seed {seed}")

    # ---- 3 prime -----------------------------------------------------------------------------------------------------
    if unseen := vocabulary.unseen(prime):
        say(f"the network has never seen {unseen!r}: read as the unknown symbol")
    prime_ids = vocabulary.encode(prime) if prime else start(vocabulary)

    # ---- 4 generate --------------------------------------------------------------------------------------------------
    generator = Generator(model, vocabulary, Choice(args.temperature, args.top_k, args.top_p), args.sample)
    streaming = args.num_samples == 1 and args.out is None
    if streaming:
        sys.stdout.write(prime)
    pieces = []
    for piece in generator.write(prime_ids, args.length, args.num_samples, seed):
        pieces.append(piece)
        if streaming:
            sys.stdout.write(vocabulary.decode(piece[:, 0]))
            sys.stdout.flush()
    ids = np.concatenate(pieces)

    # ---- 5 write -----------------------------------------------------------------------------------------------------
    texts = [prime + vocabulary.decode(ids[:, k]) for k in range(args.num_samples)]
    if streaming:
        sys.stdout.write("\n")
    else:
        write(texts, args.out)
    if not args.no_copy_check:
        from char_rnn.copied import report

        say(report(ids, vocabulary, experiment.info["data"]))


def say(message: str) -> None:
    """Print beside the text, not in it."""
    print(message, file=sys.stderr, flush=True)


def read_prime(prime: str | None) -> str:
    """The text to go on from: of a file, if `prime` names one, or else `prime` itself."""
    from workshop.textfiles import detect_encoding, read_chunks

    if prime is None:
        return ""
    try:
        is_file = Path(prime).is_file()
    except (OSError, ValueError):  # too long for a file name, or with characters that none can have
        is_file = False
    if not is_file:
        return prime
    return "".join(read_chunks(Path(prime), detect_encoding(Path(prime))))


def write(texts: list[str], out: str | None) -> None:
    """Print several texts, or write them: one to a file, several to a folder."""
    from workshop.files import write_text

    if out is None:
        for number, text in enumerate(texts, 1):
            print(f"{'' if number == 1 else chr(10)}----- {number} -----\n{text}")
        return
    path = Path(out)
    several = len(texts) > 1 or path.is_dir()
    for number, text in enumerate(texts, 1):
        file = path / f"sample_{number:02d}.txt" if several else path
        write_text(file, text + "\n")
        say(f"written: {file}")


if __name__ == "__main__":
    cli.run(main)
