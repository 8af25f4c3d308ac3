"""What a plain `train.py` makes of very little data: whether early stopping finds the lowest held-out loss there is.

    python benchmarks/small_data.py
    python benchmarks/small_data.py --text MY_SONGS --midi MY_TUNES --seeds 0 1 2

Takes 17 KB of the starter songs and 5 of the starter tunes (`python -m workshop.tunes` makes them), or of other
folders, and trains on each twice with each seed: as it comes, and with `--num_epochs 400`. Prints where each ended,
where its held-out loss was lowest, and how far the best of the plain one is above that of 400 epochs. About 20 minutes
on two cores. Steps do not depend on the machine; CPU seconds are those of all cores together, with the start and the
previews. Expect at most 3 % above, 500 steps or more, and less than ten minutes.
"""

import argparse
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import compare

#: How much is taken: characters of text, and files of music.
CHARACTERS, FILES = 17_000, 5
EPOCHS = 400


def take_songs(source: Path, folder: Path, characters: int = CHARACTERS) -> None:
    """Copy songs from all over a folder, as many as fit, and the beginning of the next one."""
    files = sorted(source.rglob("*.txt"))
    left, step = characters, max(1, len(files) // 11)
    for file in (file for first in range(step) for file in files[first::step]):
        text = file.read_text("utf-8")[:left]
        if text:
            (folder / file.name).write_text(text, "utf-8")
        left -= len(text)


def take_tunes(source: Path, folder: Path, count: int = FILES) -> None:
    """Copy tunes from all over a folder."""
    files = sorted(source.rglob("*.mid"))
    for file in files[:: max(1, len(files) // count)][:count]:
        shutil.copy(file, folder)


def train(lesson: str, folder: Path, seed: int, *arguments: object) -> tuple[dict[str, Any], float]:
    """The run.json of a training, and the CPU seconds that its process took."""
    before = os.times()
    with compare.trained(lesson, "--data_dir", folder, "--seed", seed, *arguments) as (_, info):
        after = os.times()
    return info, after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """Train on each set with each seed, plainly and for long; print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, default=compare.ROOT / "data/lyrics/starter", help="folder of texts")
    parser.add_argument("--midi", type=Path, default=compare.ROOT / "data/midi/tunes", help="folder of MIDI files")
    parser.add_argument("--only", choices=("text", "midi"), help="this kind alone")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    args = parser.parse_args()

    kinds = {"text": ("char_rnn", take_songs, args.text), "midi": ("midi_rnn", take_tunes, args.midi)}
    rows, worst = [], 0.0
    for kind in [args.only] if args.only else kinds:
        lesson, take, source = kinds[kind]
        with tempfile.TemporaryDirectory() as folder:
            take(source, Path(folder))
            for seed in args.seeds:
                plain, cpu = train(lesson, Path(folder), seed)
                long, _ = train(lesson, Path(folder), seed, "--num_epochs", EPOCHS)
                above = plain["best"]["validation"] / long["best"]["validation"] - 1
                worst = max(worst, above)
                ended = f"{plain['step']:,} | {_best(plain)} | {plain['minutes']:.1f} | {cpu:.0f}"
                rows.append(f"| {kind}, {seed} | {ended} | {long['step']:,} | {_best(long)} | {above:+.1%} |")
    print("| data, seed | steps | best | minutes | CPU seconds | steps of 400 epochs | best | plain above it |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    print(*rows, sep="\n")
    compare.finish({"worst_above": round(worst, 4)})


def _best(info: dict[str, Any]) -> str:
    return f"{info['best']['validation']:.3f} at step {info['best']['step']:,}"


if __name__ == "__main__":
    main()
