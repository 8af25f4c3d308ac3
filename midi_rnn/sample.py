"""Let a trained network play.

    python sample.py --wav --midi_instrument flute

Takes the newest experiment and writes ten pieces as MIDI files into its folder `generated`; with --wav as audio too,
with --png as piano rolls. Pieces that are there already are never overwritten.
"""

from pathlib import Path

from midi_rnn.lesson import LESSON
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
    from tqdm import tqdm

    from midi_rnn import dataset, performing
    from midi_rnn.encoding import ENCODINGS
    from midi_rnn.facts import trained_on
    from midi_rnn.portrait import portrait, table
    from workshop.files import free_names
    from workshop.quiet import quietly
    from workshop.run import checkpoint
    from workshop.run import experiment as experiments
    from workshop.visible import visible_line

    experiment = experiments.find(LESSON.folder, args.experiment_dir)
    temperature = experiments.temperature(experiment, args.temperature)
    facts = trained_on(experiment)
    encoding = ENCODINGS[facts["encoding"]]
    path = experiment.checkpoint(args.checkpoint)
    arrays, at = checkpoint.load(path, checkpoint.STEP)

    # ---- 3 prime -----------------------------------------------------------------------------------------------------
    prime = dataset.read_prime(Path(args.prime), encoding, facts["track"]) if args.prime else np.empty(0, np.int32)

    # ---- 4 generate --------------------------------------------------------------------------------------------------
    with quietly():
        from midi_rnn.generate import Generator, first_piece, notes_of
        from midi_rnn.model import build
        from workshop.networks.sampling import Choice

    model = build(experiment.info["network"], encoding.vocab_size, experiment.most_weights)
    checkpoint.assign(model.trainable_variables, arrays, "average", path)
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if args.seed is None else args.seed
    cli.say(f"{experiment.path}, {path.stem} checkpoint (step {at['step']:,}), seed {seed}")
    choice = Choice(temperature, args.top_k, args.top_p)
    generator = Generator(model, encoding, choice, facts["seen"], facts["limits"])
    start = np.concatenate([facts["lead_in"], prime]).astype(np.int32)
    pieces: list[np.ndarray] = []
    with tqdm(total=args.length, unit=f" {encoding.unit}", delay=1, leave=False, disable=None) as bar:
        for piece in generator.write(start, args.length, args.num_samples, seed):
            pieces.append(piece)
            bar.update(len(piece))
    symbols = np.concatenate(pieces)

    # ---- 5 write -----------------------------------------------------------------------------------------------------
    played: list[np.ndarray] = []
    for stem in free_names(args.out, experiment.path / "generated", args.num_samples, OUT_SUFFIXES):
        generated = symbols[:, len(played)]
        generated = first_piece(generated) if args.whole else generated
        played.append(notes_of(encoding, np.concatenate([prime, generated])))
        tempo = args.tempo or facts["tempo"]
        what = (args.midi_instrument, args.wav, args.png, stem.name)
        files, _, _ = performing.perform(stem, played[-1], tempo, *what, page=True)
        print(*(visible_line(str(file)) for file in files), sep="\n")
        if not len(played[-1]):
            cli.say(f"{stem.name} is silent: train for longer, or give a higher --temperature")
    if args.stats:
        print(table({"data": facts["portrait"], "generated": portrait(played)}))


if __name__ == "__main__":
    cli.run(main)
