"""Train the networks that come with the workshop, and put them into `pretrained/` with weights of 8 or 16 bits.

    python benchmarks/pretrain.py char_rnn/verse --data VERSE
    python benchmarks/pretrain.py char_rnn/verse --data VERSE --trained EXPERIMENT
    python benchmarks/pretrain.py char_rnn/abc_tunes --data IN_KEYS
    python benchmarks/pretrain.py midi_rnn/chorales --data data/midi/chorales
    python benchmarks/pretrain.py wavenet/instruments --data data/audio/starter
    python benchmarks/pretrain.py audio_rnn/vowels --data VOWELS

VERSE is a folder of songs and poems, one file an author; `tunes_in_keys.py data/lyrics/tunes --write IN_KEYS` writes
the tunes, and `sung_vowels.py --write VOWELS` the sung vowels. The second form takes a training that is finished, such
as one that was stopped and resumed. Prints the loss on held-out data before and after the weights are rounded, beside
that of the best n-gram: at most 0.01 nats may be lost. Then `pretrained_text.py` says how its texts read,
`pretrained_abc.py` how many of its tunes can be played as they are written, `pretrained_chorales.py` what its chorales
are like, and `sung_vowels.py --trained` how it sings. About 90 minutes on two cores for `verse`.
"""

import argparse
import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import compare
import held_out
import numpy as np

from workshop import load
from workshop.run import checkpoint, experiment, pretrained
from workshop.run.quantised import halved, quantised

#: What of an experiment is not kept: how it came about, what only going on with the training needs, and a picture.
LEFT_OUT = ("checkpoints", "tensorboard", "samples", "log.txt", "skipped.txt", "network.svg")


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        trainings: arguments of `train.py`, besides the data, of one training after the other: each begins with the best
            weights of the one before.
        data: where the data lies in a clone; run.json names it.
        message: kept in run.json.
        source: what it was trained on, by whom, and under which licence.
        temperature: the default for generating; None for that of the previews.
        bits: of each weight that is kept, 8 or 16.
        most_lost: what that may cost of what is measured.
        unit: of what is measured.
    """

    trainings: tuple[tuple[object, ...], ...]
    data: str
    message: str
    source: str
    temperature: float | None = None
    bits: int = 8
    most_lost: float = 0.01
    unit: str = "nats"


_VERSE = ("--size", "medium", "--dropout", 0.1, "--val_split", 0.03, "--seed", 0)
# The part that is held out is what tunes_in_keys.py puts at the end.
_ABC = ("--size", "medium", "--rnn_size", 256, "--dropout", 0.15, "--seq_length", 200, "--val_split", 0.02050289)

RECIPES = {
    "char_rnn/verse": Recipe(
        trainings=(
            (*_VERSE, "--num_epochs", 2),
            # Longer windows and larger batches than are best at the beginning.
            (*_VERSE, "--num_epochs", 4, "--learning_rate", 0.0015, "--seq_length", 100, "--batch_size", 64),
        ),
        data="data/lyrics/verse",
        message="songs and poems of 59 poets",
        source="""\
Trained on 6.8 million characters of songs and short poems in English by 59 authors who died between 1821 and 1922.
The texts are in the public domain; they were chosen and cleaned from the folder `poems/` of the collection
facjure/public-domain-poetry on GitHub, commit f734b8eb96d1c8659e7865646306ec29eec851b4, without its headers and notes.
Held out, and never trained on: Archibald Lampman, Charles Kingsley, Robert Fuller Murray, and the last 39,600
characters of Henry Wadsworth Longfellow.
The weights are given to the public domain under CC0 1.0.
""",
        temperature=0.75,
    ),
    "char_rnn/abc_tunes": Recipe(
        trainings=(
            (*_ABC, "--num_epochs", 200, "--patience", 100, "--max_minutes", 50, "--save_every", 1000, "--seed", 0),
        ),
        data="data/lyrics/tunes_in_keys",
        message="traditional tunes in ABC notation",
        source="""\
Trained on 2,951 traditional Scottish, Irish and American tunes in ABC notation, each in up to seven keys: Aird
1778-1801, Ryan 1883, O'Neill 1903, as transcribed by the volunteers named below and distributed with the package
music21. The tunes are in the public domain. They are those whose bars are all as long as the meter says;
benchmarks/tunes_in_keys.py chose and moved them. A tenth of all tunes is held out, and was never trained on in any key.
The weights are given to the public domain under CC0 1.0.
""",
        # At the previews' 0.9 the bars of fewer tunes are as long as the meter says.
        temperature=0.5,
    ),
    "wavenet/instruments": Recipe(
        trainings=(("--condition", "folder", "--num_epochs", 50, "--seed", 0),),
        data="data/audio/starter",
        message="five instruments by name",
        source="""\
Trained on twelve minutes of tunes and beats, which this project had the instruments of a SoundFont play: drums, flute,
guitar, piano, violin. A tenth of the recordings is held out, and was never trained on.
As far as they are this project's to give, the weights are given to the public domain under CC0 1.0; what is said of the
SoundFont's licence below holds for them as for the recordings.
""",
    ),
    "audio_rnn/vowels": Recipe(
        trainings=(("--size", "tiny", "--condition", "folder", "--num_epochs", 20, "--seed", 0),),
        data="data/audio/sung_vowels",
        message="five sung vowels by name",
        source="""\
Trained on twelve minutes of sung vowels, which benchmarks/sung_vowels.py computes: a, e, i, o and u on five pitches,
with vibrato. No voice was recorded for it. A twelfth of the sounds is held out, and was never trained on.
The weights are given to the public domain under CC0 1.0.
""",
        temperature=0.6,
    ),
    "spectral_rnn/piano": Recipe(
        trainings=(("--size", "live", "--max_minutes", 25, "--patience", 100, "--seed", 0),),
        data="data/audio/piano",
        message="tunes on a piano",
        source="""\
Trained on an hour of traditional tunes, which this project had the piano of a SoundFont play. A tenth of the recordings
is held out, and was never trained on.
As far as they are this project's to give, the weights are given to the public domain under CC0 1.0; what is said of the
SoundFont's licence below holds for them as for the recordings.
""",
        # Its linear part is exact to hundredths of a decibel, and would not be in 8 bits.
        bits=16,
        most_lost=0.1,
    ),
    "spectral_gan/loops": Recipe(
        trainings=(("--size", "tiny", "--max_minutes", 30, "--patience", 100, "--seed", 0),),
        data="data/audio/loops",
        message="bars of drums",
        source="""\
Trained on 3,072 bars of drums, which this project computes from sine waves and noise. A tenth of the songs is held out,
and was never trained on.
The weights are given to the public domain under CC0 1.0.
""",
        most_lost=0.1,
        unit="of distance",
    ),
    "midi_rnn/tunes": Recipe(
        trainings=(("--size", "medium", "--dropout", 0.3, "--num_epochs", 30, "--patience", 12, "--seed", 0),),
        data="data/midi/tunes",
        message="traditional tunes of Scotland, Ireland and America",
        source="""\
Trained on 3,374 traditional Scottish, Irish and American tunes: Aird 1778-1801, Ryan 1883, O'Neill 1903, as transcribed
by the volunteers named below and distributed with the package music21. The tunes are in the public
domain. A tenth of them is held out, and was never trained on.
The weights are given to the public domain under CC0 1.0.
""",
    ),
    "midi_rnn/chorales": Recipe(
        trainings=(
            (
                *("--encoding", "performance", "--transpose", 3, "--size", "medium", "--dropout", 0.4),
                *("--num_epochs", 1000, "--patience", 100, "--max_minutes", 16, "--seed", 0),
            ),
        ),
        data="data/midi/chorales",
        message="Bach's chorales in four voices",
        source="""\
Trained on 372 chorales by Johann Sebastian Bach, in all keys up to three semitones away, from the scores that are
distributed with the package music21. The music is in the public domain. A tenth of the chorales is held out, and was
never trained on.
The weights are given to the public domain under CC0 1.0.
""",
        # As many consonances and notes of the key as Bach's: at 1.0, the previews', there are fewer.
        temperature=0.8,
    ),
}


def pack(trained: Path, target: Path, recipe: Recipe, data: Path) -> None:
    """Make an experiment that holds the best weights of a training in few bits, and nothing of this machine.

    Args:
        trained: folder of the training.
        target: folder to make; what is in it is replaced.
        recipe: how it was trained.
        data: what it was trained on; where it has a SOURCE.txt, that is kept too.
    """
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(trained, target, ignore=shutil.ignore_patterns(*LEFT_OUT))
    arrays, meta = checkpoint.load(trained / "checkpoints/best.npz")
    (target / "checkpoints").mkdir()
    packed = quantised if recipe.bits == 8 else halved
    checkpoint.save(target / "checkpoints/best.npz", packed(arrays), {"step": meta["step"]})
    made = experiment.find(compare.ROOT / target.parent.name, str(target))
    record = made.record
    record.versions.pop("platform", None)
    record.init_from = None  # a training of the same recipe, of which nothing is kept
    record.data["path"] = recipe.data
    record.sampling.temperature = recipe.temperature or record.sampling.temperature
    made.update(message=recipe.message, status="complete", previewed=None)
    source = recipe.source
    if (data / "SOURCE.txt").exists():
        source += f"\nWhat the data says of itself:\n\n{(data / 'SOURCE.txt').read_text('utf-8')}"
    (target / "SOURCE.txt").write_text(source, "utf-8")


@contextlib.contextmanager
def trained(lesson: str, data: Path, recipe: Recipe) -> Iterator[Path]:
    """The experiment that the trainings of a recipe come to; gone afterwards."""
    with contextlib.ExitStack() as stack:
        begin: list[object] = []
        for arguments in recipe.trainings:
            folder, _ = stack.enter_context(compare.trained(lesson, "--data_dir", data, *begin, *arguments))
            begin = ["--init_from", folder]
        yield folder


def main() -> None:
    """Train, pack and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=RECIPES, help="the network")
    parser.add_argument("--data", type=Path, required=True, help="what to train it on")
    parser.add_argument("--trained", type=Path, help="a finished training with the arguments of the recipe")
    parser.add_argument("--out", type=Path, default=pretrained.FOLDER, help="where it is put")
    args = parser.parse_args()

    recipe, target = RECIPES[args.name], args.out / args.name
    lesson = args.name.split("/")[0]
    with contextlib.ExitStack() as stack:
        folder = args.trained or stack.enter_context(trained(lesson, args.data, recipe))
        pack(folder, target, recipe, args.data)
        before, after = load(folder), load(target)
        measure = held_out.measure(after, args.data)
        single, packed = measure(before), measure(after)
    counted = min(after.experiment.record.baseline.values())
    size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    weights = sum(int(np.prod(variable.shape)) for variable in after.model.trainable_variables)
    print(f"{args.name}: {weights:,} weights in {size / 1e6:.2f} MB, {after.step:,} steps")
    print(f"held out: {single:.4f} {recipe.unit} in single precision, {packed:.4f} in {recipe.bits} bits; ", end="")
    print(f"best {after.experiment.record.baseline_kind} {counted:.4f}")
    assert packed - single < recipe.most_lost, f"{recipe.bits} bits cost too much"
    measured = {"single": single, "packed": packed, "baseline": counted}
    compare.finish({name: round(value, 4) for name, value in measured.items()} | {"bytes": size})


if __name__ == "__main__":
    main()
