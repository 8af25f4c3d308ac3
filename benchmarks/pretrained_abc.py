"""How the tunes in ABC notation that a trained network writes can be played, beside tunes that it has never seen.

    python benchmarks/pretrained_abc.py pretrained/char_rnn/abc_tunes --data IN_KEYS

IN_KEYS is what `tunes_in_keys.py` wrote. Draws 100 texts at the default temperature, each from the beginning of a tune
on, and reads the first tune of each as `abc_to_midi` does; nothing is drawn again. Prints for these and for 100 tunes
of the held-out text: those that play without a remark about the length of a bar, those without any remark, those of
which abc2midi (Debian's package abcmidi) says nothing about a bar, where it is installed, and the longest run of bars
that one shares with the training text. A minute.
"""

import argparse
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from char_rnn import dataset
from char_rnn.trained import Trained
from workshop import load
from workshop.datasets.abc_to_midi import playable, tunes_in
from workshop.notes.abc_text import split_tunes
from workshop.text.overlap import longest_copied

TUNES, LENGTH, PRIME = 100, 2_000, "X:1\nT:"
BAR_LENGTH = "bar that does not fit the meter"


def remarks_of(tune: str) -> list[str]:
    """What `abc_to_midi` says of a tune; of one that it leaves out, why."""
    found, remarks = tunes_in(tune)
    return remarks + [remark for _, one in found for remark in playable(one)[1]]


def pleases_abc2midi(tune: str) -> bool:
    """Whether abc2midi says nothing about the bars of a tune."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tune.abc").write_text(tune, "utf-8")
        words = ["abc2midi", "tune.abc", "-o", "tune.mid"]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, errors="replace", timeout=60)
    return not re.search(r"Bar \d+ has", done.stdout + done.stderr)


def bars(text: str) -> list[str]:
    """The bars of a text, without spaces, fields and signs of repeats."""
    music = "\n".join(line for line in text.splitlines() if not re.match(r"[A-Za-z]:", line))
    found = (re.sub(r"[\s:\[\]]", "", bar) for bar in music.split("|"))
    return [bar for bar in found if bar]


def most_shared(tunes: Sequence[str], train: str) -> int:
    """The longest run of bars that one of the tunes shares with the training text."""
    known: dict[str, int] = {}
    numbered = [np.array([known.setdefault(bar, len(known)) for bar in bars(text)]) for text in (train, *tunes)]
    return max(longest_copied(one, numbered[0]).length for one in numbered[1:] if len(one))


def main() -> None:
    """Draw, read and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="what it was trained on")
    args = parser.parse_args()

    net = load(args.experiment)
    assert isinstance(net, Trained)
    text = dataset.load(args.data, net.experiment.record.arguments["val_split"], vocabulary=net.vocabulary)
    train, unseen = (net.vocabulary.decode(ids) for ids in (text.train, text.held_out))
    held_out = split_tunes(unseen)[1][:-1][:TUNES]
    made = [split_tunes(net.generate(PRIME, LENGTH, seed=seed))[1][0] for seed in range(TUNES)]

    print(f"{args.experiment}, temperature {net.temperature}\n")
    print("| tunes | bars as long as the meter | no remark at all | no word of abc2midi about a bar | shared bars |")
    print("| --- | ---: | ---: | ---: | ---: |")
    result = {}
    for name, tunes in (("network", made), ("held out", held_out)):
        remarks = [remarks_of(tune) for tune in tunes]
        fit = np.mean([not any(BAR_LENGTH in one for one in of_one) for of_one in remarks])
        clean = np.mean([not of_one for of_one in remarks])
        pleased = np.mean([pleases_abc2midi(tune) for tune in tunes]) if shutil.which("abc2midi") else np.nan
        shared = most_shared(tunes, train)
        print(f"| {name} | {fit:.0%} | {clean:.0%} | {pleased:.0%} | {shared} |")
        result[name] = {"fit": round(fit, 3), "clean": round(clean, 3), "abc2midi": round(pleased, 3), "shared": shared}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
