"""What fine-tuning makes of little data, beside training from nothing for the same time.

    python benchmarks/finetune.py --text_source verse
    python benchmarks/finetune.py --midi_source EXPERIMENT --midi data/midi/nottingham
    python benchmarks/finetune.py --audio_source EXPERIMENT --audio data/audio/fsdd_jackson
    python benchmarks/finetune.py --text_source EXPERIMENT --smoke    seconds, to see that it works

Takes 17 KB and 100 KB of songs, 5 and 50 MIDI files and two minutes of sound, of folders that the trained networks have
not seen, and trains for two minutes with each seed: once with `--init_from`, and from nothing with each of three
learning rates, a third, once and three times the default. Compared are the best checkpoints, and of those from nothing
the best of the three. About 25 minutes for each size of data and three seeds, on two cores. The fine-tuned one should
be lower everywhere, and at least 20 % lower at 17 KB.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import compare
import small_data

#: The learning rates of training from nothing, as multiples of the default.
RATES = (1 / 3, 1, 3)
#: Seconds of sound, and the rate at which they are counted.
SECONDS, RATE = 120, 8000
#: Copies data from one folder to another.
Take = Callable[[Path, Path], None]


def take_sounds(source: Path, folder: Path) -> None:
    """Copy sound files until there are two minutes, from all over a folder."""
    from workshop.audio.audiofiles import find_audio_files, read

    files = sorted(find_audio_files(source))
    left = float(SECONDS)
    # Every seventh file, then the next of every seven: names are often sorted by what is heard.
    for file in (file for first in range(7) for file in files[first::7]):
        if left <= 0:
            break
        left -= len(read(file, RATE)) / RATE
        shutil.copy(file, folder)


def best(lesson: str, data: Path, *arguments: object) -> float:
    """The lowest held-out loss of a training, in nats a symbol."""
    with compare.trained(lesson, "--data_dir", data, "--sample_every", 1_000_000, *arguments) as (_, info):
        return float(info["best"]["validation"])


def default_rate(lesson: str) -> float:
    """The learning rate of a lesson's default size."""
    from workshop.lessons import lessons

    record = next(one for one in lessons() if one.name == lesson)
    return float(record.sizes[record.size]["learning_rate"])


def main() -> None:
    """Train on each set with each seed, fine-tuned and from nothing; print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, default=compare.ROOT / "data/lyrics/starter", help="folder of texts")
    parser.add_argument("--midi", type=Path, default=compare.ROOT / "data/midi/nottingham", help="folder of MIDI files")
    parser.add_argument("--audio", type=Path, default=compare.ROOT / "data/audio/fsdd_jackson", help="folder of sounds")
    for kind in ("text", "midi", "audio"):
        parser.add_argument(f"--{kind}_source", help="trained network, as --init_from takes it; without it, left out")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--minutes", type=float, default=2, help="of each training")
    parser.add_argument("--smoke", action="store_true", help="one seed and learning rate, some steps")
    parser.add_argument("--only", help='a set by its name in the table, such as "17 KB of text"')
    args = parser.parse_args()

    sets: list[tuple[str, str, Path, str | None, Take]] = [
        ("17 KB of text", "char_rnn", args.text, args.text_source, small_data.take_songs),
        ("100 KB of text", "char_rnn", args.text, args.text_source, partial(small_data.take_songs, characters=100_000)),
        ("5 MIDI files", "midi_rnn", args.midi, args.midi_source, small_data.take_tunes),
        ("50 MIDI files", "midi_rnn", args.midi, args.midi_source, partial(small_data.take_tunes, count=50)),
        ("2 minutes of sound", "wavenet", args.audio, args.audio_source, take_sounds),
    ]
    rows, result = [], {}
    for name, lesson, data, source, take in sets:
        if source is None or (args.only and name != args.only):
            continue
        lower = []
        with tempfile.TemporaryDirectory() as folder:
            take(data, Path(folder))
            for seed in args.seeds[:1] if args.smoke else args.seeds:
                limits = ["--seed", seed, *(["--smoke"] if args.smoke else ["--max_minutes", args.minutes])]
                tuned = best(lesson, Path(folder), "--init_from", source, *limits)
                rates = [rate * default_rate(lesson) for rate in (RATES[1:2] if args.smoke else RATES)]
                losses = {rate: best(lesson, Path(folder), "--learning_rate", rate, *limits) for rate in rates}
                rate = min(losses, key=losses.__getitem__)
                lower.append(1 - tuned / losses[rate])
                rows.append(f"| {name}, {seed} | {losses[rate]:.3f} ({rate:.3g}) | {tuned:.3f} | {lower[-1]:.1%} |")
        result[name] = round(min(lower), 4)
    print("| data, seed | from nothing (learning rate) | fine-tuned | lower by |")
    print("| --- | ---: | ---: | ---: |")
    print(*rows, sep="\n")
    compare.finish(result)


if __name__ == "__main__":
    main()
