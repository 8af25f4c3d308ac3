"""What the chorales of a trained network are like, beside chorales that it has never seen.

    python benchmarks/pretrained_chorales.py pretrained/midi_rnn/chorales --data data/midi/chorales

Plays 100 chorales to the end, at the default temperature; nothing is drawn again. Prints for these and for the chorales
that were held out: the share of time in which four voices sound, two of which may sing the same; in which all sounding
pitches are thirds, fourths, fifths, sixths or octaves apart, tritones and clashes of seconds being the rest; the notes
of the key that fits best; and the longest run of notes that one shares with a training chorale, in whatever key. Three
minutes.
"""

import argparse
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from midi_rnn import dataset
from midi_rnn.generate import first_piece, notes_of
from midi_rnn.trained import Trained
from workshop import load
from workshop.text.overlap import longest_copied

CHORALES, LENGTH, SEED = 100, 2_000, 0
#: Semitones of a unison, thirds, and a fourth; what is wider is one of these, less octaves or turned upside down.
CONSONANT = (0, 3, 4, 5)
MAJOR = np.array((0, 2, 4, 5, 7, 9, 11))


def moments(notes: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """How long, in beats, which pitches sound together; `notes` [N, 4 or more] with start, end and pitch first."""
    edges = np.unique(notes[:, :2])
    parts = ((end - start, notes[(notes[:, 0] <= start) & (notes[:, 1] > start), 2]) for start, end in pairwise(edges))
    return [(length, pitches) for length, pitches in parts if len(pitches)]


def shares(pieces: Sequence[np.ndarray]) -> dict[str, float]:
    """Shares of the time in which something sounds, and of the notes, over all pieces."""
    found = [moment for piece in pieces for moment in moments(piece)]
    length = np.array([one for one, _ in found])
    voices = np.array([len(pitches) for _, pitches in found])
    apart = [np.abs(pitches[:, None] - pitches) % 12 for _, pitches in found]
    consonant = np.array([np.isin(np.minimum(one, 12 - one), CONSONANT).all() for one in apart])
    in_key = [
        max(np.isin((piece[:, 2] - key) % 12, MAJOR).mean() for key in range(12)) for piece in pieces if len(piece)
    ]
    return {
        "four voices": float((length * (voices >= 4)).sum() / length.sum()),
        "three or four": float((length * (voices >= 3)).sum() / length.sum()),
        "consonant": float((length * consonant).sum() / length.sum()),
        "in the key": float(np.mean(in_key)),
    }


def steps(notes: np.ndarray) -> np.ndarray:
    """Each note as one number, which does not depend on the key: how much higher it is than the one before, and how
    many quarters of a beat later.
    """
    found = notes[np.lexsort((notes[:, 2], notes[:, 0]))]
    later = np.round(4 * np.diff(found[:, 0])).clip(0, 99)
    return (np.diff(found[:, 2]) * 100 + later).astype(np.int64)


def most_shared(pieces: Sequence[np.ndarray], train: Sequence[np.ndarray]) -> int:
    """The longest run of notes that one of the pieces shares with one to train on."""
    apart = np.array([-1_000_000])
    known = np.concatenate([part for piece in train for part in (steps(piece), apart)])
    return max(longest_copied(steps(piece), known).length for piece in pieces if len(piece) > 1) + 1


def main() -> None:
    """Play, measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="what it was trained on")
    args = parser.parse_args()

    net = load(args.experiment)
    assert isinstance(net, Trained)
    music = dataset.load(args.data, encoding=net.encoding.name)
    train, held_out = ([notes_of(net.encoding, piece) for piece in part] for part in (music.train, music.held_out))
    start = net.start(net.prompt(None))
    symbols = np.concatenate(list(net.generator.generate(start, LENGTH, CHORALES, SEED, net.sampling())))
    made = [notes_of(net.encoding, first_piece(symbols[:, number])) for number in range(CHORALES)]

    print(f"{args.experiment}, temperature {net.temperature}; {np.mean([len(one) for one in made]):.0f} notes each\n")
    result = {}
    for name, pieces in (("network", made), ("held out", held_out)):
        found, shared = shares(pieces), most_shared(pieces, train)
        if not result:
            print("|", " | ".join(["chorales", *found, "longest shared run"]), "|")
            print("| --- |", " | ".join(["---:"] * (len(found) + 1)), "|")
        print("|", " | ".join([name, *(f"{share:.0%}" for share in found.values()), f"{shared} notes"]), "|")
        result[name] = {key: round(share, 3) for key, share in found.items()} | {"shared": shared}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
