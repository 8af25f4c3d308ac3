"""The traditional tunes in up to seven keys each: more of the same music for a network that learns ABC notation.

    python benchmarks/tunes_in_keys.py data/lyrics/tunes --write FOLDER

Writes the tunes of the training text whose bars are as long as their meter says, as both `abc_to_midi` and abc2midi
(Debian's package abcmidi) read them, moved by up to three steps of the scale up and down with their keys, and shuffled;
what leaves the range of the tunes is left out. Behind them stands the text that is held out, as it is, with all of its
faults. Prints the share of it, for `--val_split`. Half a minute.
"""

import argparse
import random
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pretrained_abc import BAR_LENGTH, pleases_abc2midi, remarks_of

from char_rnn import dataset
from workshop.notes.abc_fields import AbcError, read_key
from workshop.notes.abc_text import Tune, parse_tunes, split_tunes

STEPS = range(-3, 4)
LETTERS = "CDEFGAB"
#: From the g below the treble staff to the e two octaves above it, in steps from middle C.
LOWEST, HIGHEST = -3, 16
SIGNS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
NOTE = re.compile(r"(\^\^?|__?|=)?([A-Ga-g])([,']*)")
KEY = re.compile(r"(?:^K:|\[K:)(?P<key>[^\]\n]*)", re.MULTILINE)
#: Music is what stands outside of fields.
FIELD = re.compile(r"^[A-Za-z]:(?![|:]).*$|\[[A-Za-z]:(?![|:])[^\]|]*\]", re.MULTILINE)


class CannotMoveError(ValueError):
    """A tune that cannot be written in another key without double accidentals, ledger lines or guessing."""


def moved_key(key: str, steps: int) -> str:
    """The key of the same mode so many steps higher that has the fewest accidentals, such as A for G and 1.

    Raises:
        CannotMoveError: it names accidentals of its own, or is none.
    """
    found = re.fullmatch(r"([A-G])[b#]?([a-z]*)", key)
    if not found:
        raise CannotMoveError(key)
    tonic = LETTERS[(LETTERS.index(found[1]) + steps) % 7]
    return min((f"{tonic}{sign}{found[2]}" for sign in ("", "b", "#")), key=lambda name: len(signature(name)))


def signature(key: str) -> Mapping[str, int]:
    """By how many semitones a key alters letters.

    Raises:
        CannotMoveError: it is no key.
    """
    try:
        return read_key(key).altered or {}
    except AbcError as error:
        raise CannotMoveError(key) from error


def moved_music(music: str, steps: int, old: Mapping[str, int], new: Mapping[str, int]) -> str:
    """Music without fields, each note so many steps higher; accidentals alter it by as much as before.

    Args:
        music: without fields.
        steps: of the scale.
        old: the signature of its key.
        new: that of the key that it is moved to.

    Raises:
        CannotMoveError: a note leaves the range, or needs more than one sharp or flat.
    """
    signs = {alteration: sign for sign, alteration in SIGNS.items()}

    def move(found: re.Match[str]) -> str:
        sign, letter, octaves = found.groups()
        height = LETTERS.index(letter.upper()) + 7 * (letter.islower() + octaves.count("'") - octaves.count(","))
        octave, place = divmod(height + steps, 7)
        if not LOWEST <= height + steps <= HIGHEST:
            raise CannotMoveError(found[0])
        if sign:
            alteration = SIGNS[sign] - old.get(letter.upper(), 0) + new.get(LETTERS[place], 0)
            if abs(alteration) > 1:
                raise CannotMoveError(found[0])
            sign = signs[alteration]
        written = LETTERS[place] if octave < 1 else LETTERS[place].lower()
        return f"{sign or ''}{written}{',' * -octave}{chr(39) * (octave - 1)}"

    return NOTE.sub(move, music)


def moved(tune: Tune, steps: int) -> Tune:
    """A tune so many steps of the scale higher, in a key of the same mode.

    Raises:
        CannotMoveError: it cannot be done well.
    """
    key, written, at = tune.key, [], 0
    for found in [*FIELD.finditer(tune.body), None]:
        music = tune.body[at : found.start() if found else None]
        written.append(moved_music(music, steps, signature(key), signature(moved_key(key, steps))))
        if found:
            change = KEY.fullmatch(found[0].removesuffix("]"))
            key = change["key"] if change else key
            written.append(found[0].replace(key, moved_key(key, steps)) if change else found[0])
            at = found.end()
    return replace(tune, key=moved_key(tune.key, steps), body="".join(written))


def in_keys(tune: Tune) -> list[Tune]:
    """A tune as it is, and moved to all keys that it can be moved to."""
    found = [tune]
    for steps in STEPS:
        if steps:
            try:
                found.append(moved(tune, steps))
            except CannotMoveError:
                continue
    return found


def fits(piece: str) -> bool:
    """Whether neither reader finds a bar of a tune that is not as long as the meter says."""
    return not any(BAR_LENGTH in remark for remark in remarks_of(piece)) and pleases_abc2midi(piece)


def main() -> None:
    """Read the tunes, write them in all keys, and print how many there are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tunes", type=Path, help="the data set tunes")
    parser.add_argument("--write", type=Path, required=True, help="an output folder")
    args = parser.parse_args()

    text = (args.tunes / "input.txt").read_text("utf-8")
    end = dataset.load(args.tunes).train_size
    train, held_out = text[:end], text[end:]
    pieces = split_tunes(train)[1][:-1]
    fitting = [piece for piece in pieces if fits(piece)]
    tunes = [one for piece in fitting for tune in parse_tunes(piece) for one in in_keys(tune)]
    random.Random(0).shuffle(tunes)
    learnt = "".join(f"{tune.text(number)}\n" for number, tune in enumerate(tunes, start=1))
    args.write.mkdir(parents=True, exist_ok=True)
    (args.write / "input.txt").write_text(learnt + held_out, "utf-8")
    shutil.copy(args.tunes / "SOURCE.txt", args.write)
    share = len(held_out) / len(learnt + held_out)
    print(f"{len(fitting):,} of {len(pieces):,} tunes fit; in all keys {len(tunes):,}, {len(learnt):,} characters")
    print(f"held out: {len(held_out):,} characters, --val_split {share:.8f}")


if __name__ == "__main__":
    main()
