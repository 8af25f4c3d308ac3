"""Let a trained network write.

    python sample.py --length 1000 --temperature 0.8 --prime "oh my "

Takes the newest experiment, starts within seconds and writes tens of thousands of characters a second. The text goes to
the console, everything else that there is to say to standard error, so that  python sample.py > song.txt  holds the
text alone.
"""

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

    from char_rnn.trained import Trained
    from workshop.files import write_samples
    from workshop.run.trained import with_progress
    from workshop.text.textfiles import text_or_file
    from workshop.visible import give_out

    net = Trained.open(args)

    # ---- 3 prime -----------------------------------------------------------------------------------------------------
    prompt = net.spelled(text_or_file(args.prime or ""))
    if unseen := net.vocabulary.unseen(prompt):
        cli.say(f"the network has never seen {unseen!r}: read as the unknown symbol")

    # ---- 4 generate --------------------------------------------------------------------------------------------------
    config = net.sampling(args.temperature, args.top_k, args.top_p)
    generated = net.generator(args.sample).generate(net.start(prompt), args.length, args.num_samples, args.seed, config)
    streaming = args.num_samples == 1 and args.out is None
    if streaming:
        give_out(prompt)
    pieces = []
    for piece in with_progress(generated, args.length, "characters", hidden=streaming):
        pieces.append(piece)
        if streaming:
            give_out(net.vocabulary.decode(piece[:, 0]))
    ids = np.concatenate(pieces)

    # ---- 5 write -----------------------------------------------------------------------------------------------------
    texts = [prompt + net.vocabulary.decode(ids[:, k]) for k in range(args.num_samples)]
    if streaming:
        give_out("\n")
    else:
        write_samples(texts, args.out)
    if not args.no_copy_check:
        from char_rnn.copied import report

        cli.say(report(ids, net.vocabulary, net.data_info))


if __name__ == "__main__":
    cli.run(main)
