"""Let a trained network play.

    python sample.py --wav --midi_instrument flute

Takes the newest experiment and writes ten pieces as MIDI files into its folder `generated`; with --wav as audio too,
with --png as piano rolls. Pieces that are there already are never overwritten.
"""

from pathlib import Path

from workshop import cli
from workshop.notes import tempos
from workshop.notes.instruments import instrument
from workshop.run import arguments

#: With one of these --out names a file, otherwise a folder.
OUT_SUFFIXES = (".mid", ".midi", ".wav", ".png")


def main() -> None:
    """Generate, as the command line says."""
    # ---- 1 arguments -------------------------------------------------------------------------------------------------
    parser = arguments.sample_parser(
        "Let a trained network play.", 1000, "sixteenths (melody) or events (performance)",
        "MIDI file to go on from", num_samples=10,
    )  # fmt: skip
    parser.alias("out", "--save_dir")
    group = parser.add_argument_group("midi_rnn")
    group.add_argument("--midi_instrument", type=instrument, default=0, metavar="NAME",
        help="General MIDI instrument, by name or by number; 0 is Acoustic Grand Piano")  # fmt: skip
    group.add_argument("--tempo", type=tempos.tempo, help="beats a minute; without it, as fast as the data")
    group.add_argument("--whole", action="store_true", help="end each piece where the network ends it")
    group.add_argument("--wav", action="store_true", help="render audio too")
    group.add_argument("--png", action="store_true", help="draw piano rolls too")
    group.add_argument("--stats", action="store_true", help="print what data and pieces are like, side by side")
    # Of the old tutorial, where pieces had to be begun with some of the data.
    parser.obsolete("--data_dir")
    args = parser.read()
    suffix = Path(args.out or "").suffix.lower()
    args.wav, args.png = args.wav or suffix == ".wav", args.png or suffix == ".png"

    # ---- 2 load the experiment ---------------------------------------------------------------------------------------
    import numpy as np

    from midi_rnn import rendering
    from midi_rnn.summary import summarise, table
    from midi_rnn.trained import Trained
    from workshop.files import free_names
    from workshop.run.trained import with_progress
    from workshop.visible import visible_line

    net = Trained.open(args)

    # ---- 3 prime -----------------------------------------------------------------------------------------------------
    prompt = net.prompt(args.prime)

    # ---- 4 generate --------------------------------------------------------------------------------------------------
    config = net.sampling(args.temperature, args.top_k, args.top_p)
    generated = net.generator.generate(net.start(prompt), args.length, args.num_samples, args.seed, config)
    symbols = np.concatenate(list(with_progress(generated, args.length, net.encoding.unit)))

    # ---- 5 write -----------------------------------------------------------------------------------------------------
    from midi_rnn.generate import first_piece, notes_of

    played: list[np.ndarray] = []
    for stem in free_names(args.out, net.experiment.generated, args.num_samples, OUT_SUFFIXES):
        piece = first_piece(symbols[:, len(played)]) if args.whole else symbols[:, len(played)]
        played.append(notes_of(net.encoding, np.concatenate([prompt, piece])))
        tempo = args.tempo or net.data_info.tempo
        what = (args.midi_instrument, args.wav, args.png, stem.name)
        files, _, _ = rendering.write_files(stem, played[-1], tempo, *what, page=True)
        print(*(visible_line(str(file)) for file in files), sep="\n")
        if not len(played[-1]):
            cli.say(f"{stem.name} is silent: train for longer, or give a higher --temperature")
    if args.stats:
        print(table({"data": net.data_info.summary, "generated": summarise(played)}))


if __name__ == "__main__":
    cli.run(main)
