"""Convert tunes in ABC notation, such as lesson 1 writes, to MIDI files and sound.

    python -m workshop.abc_to_midi data/generated/tunes.txt --wav

A network after minutes of training forgets a bar line here and a note there. All valid notation is played, and errors
are reported for each tune. The files go into a folder with the name of the text and replace those of the same name.
"""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from workshop import cli
from workshop.datasets.midi_tunes import PROGRAM, file_name, note_table, usual_tempo
from workshop.errors import UserError
from workshop.notes import tempos
from workshop.notes.abc_fields import AbcError
from workshop.notes.abc_notation import Melody, read_leniently
from workshop.notes.abc_text import Tune, read_piece, readable_title, split_tunes
from workshop.notes.instruments import INSTRUMENTS, instrument

if TYPE_CHECKING:
    import numpy as np

#: More remarks than these about a tune are counted only.
MAX_REMARKS = 4


def tunes_in(text: str) -> tuple[list[tuple[int, Tune]], list[str]]:
    """Return the tunes of a text, numbered from 1 in their order, and remarks on the rest.

    A tune begins with a line `X:` and a number; where there is none, the first field of a header will do.
    """
    header = re.search(r"^[ \t]{0,40}[XTMLK]:", text, re.MULTILINE)
    if header and not re.search(r"^[ \t]{0,40}X:", text, re.MULTILINE):
        text = f"{text[: header.start()]}X:1\n{text[header.start() :]}"
    before, pieces = split_tunes(text)
    remarks = [f"{_lines(before)} before the first tune left out"] if before.strip() else []
    found: list[tuple[int, Tune]] = []
    for number, piece in enumerate(pieces, start=1):
        try:
            tune = read_piece(piece, before)
            found.append((number, replace(tune, title=readable_title(tune.title))))
        except AbcError as error:
            remarks.append(f"tune {number} left out: {error}")
    return found, remarks


def _lines(text: str) -> str:
    count = len(text.strip().splitlines())
    return "1 line" if count == 1 else f"{count:,} lines"


def playable(tune: Tune) -> tuple[Melody, list[str]]:
    """Return what a MIDI file can hold of a tune, and remarks about the rest."""
    melody, remarks = read_leniently(tune)
    notes = [note for note in melody.notes if 0 <= note[2] < 128]
    if len(notes) < len(melody.notes):
        remarks.append(f"{len(melody.notes) - len(notes)} notes outside of MIDI's range")
    return replace(melody, notes=notes), remarks


def summary(remarks: list[str]) -> str:
    """Return remarks in one clause, the same ones counted: unknown sign '?' (2 times)."""
    counted = Counter(remarks).most_common()
    shown = [remark if times == 1 else f"{remark} ({times} times)" for remark, times in counted[:MAX_REMARKS]]
    more = sum(times for _, times in counted[MAX_REMARKS:])
    return "; ".join(shown) + (f"; and {more} more" if more else "")


def _write(stem: Path, tune: Tune, melody: Melody, tempo: float, program: int, wav: bool) -> list[Path]:
    # numpy, mido and the SoundFont take a moment, which a mistake in the arguments need not wait for.
    from workshop.notes import midifiles

    table = note_table(melody)
    files = [stem.with_suffix(".mid")]
    midifiles.write(files[0], table, tempo=tempo, program=program, name=tune.title, meter=melody.meter)
    if wav:
        files.append(stem.with_suffix(".wav"))
        _render(files[-1], table, tempo, program)
    return files


def _render(path: Path, table: "np.ndarray", tempo: float, program: int) -> None:
    from workshop.audio.synthesis import render, write_wav

    table[:, :2] *= 60 / tempo
    write_wav(path, render(table, program))


def _parser() -> cli.Parser:
    parser = cli.Parser(
        prog="python -m workshop.abc_to_midi", description="Play tunes in ABC notation: write them as MIDI files."
    )
    parser.add_argument("file", type=Path, help="text with one tune or more; anything else in it is skipped")
    parser.add_argument("--out", type=Path, help="output folder; by default beside the text, with the same name")
    parser.add_argument(
        "--midi_instrument", type=instrument, default=PROGRAM, metavar="NAME",
        help=f"General MIDI instrument, by name or by number; {PROGRAM} is {INSTRUMENTS[PROGRAM]}",
    )  # fmt: skip
    parser.add_argument(
        "--tempo", type=tempos.tempo,
        help="quarter notes per minute; by default those of the tune's field Q:, or what is usual in its meter",
    )  # fmt: skip
    parser.add_argument("--wav", action="store_true", help="render audio too")
    return parser


def main() -> None:
    """Read the tunes, write the files, and say what could not be read."""
    args = _parser().read()
    from workshop.text.textfiles import detect_encoding, read_chunks

    found, remarks = tunes_in("".join(read_chunks(args.file, detect_encoding(args.file))))
    for remark in remarks:
        cli.say(remark)
    out = args.out or args.file.with_suffix("")
    if out == args.file:
        raise UserError(f"{out} is the text itself: name another folder with --out")
    played = 0
    for number, tune in found:
        melody, remarks = playable(tune)
        title = f"tune {number}, {tune.title or 'untitled'}"
        if not melody.notes:
            cli.say(f"{title}: left out, because it has no playable note")
            continue
        played += 1
        tempo = args.tempo or melody.tempo or usual_tempo(melody)
        stem = out / Path(file_name(number, tune.title)).stem
        for file in _write(stem, tune, melody, tempo, args.midi_instrument, args.wav):
            print(file)
        cli.say(f"{title}: {len(melody.notes)} notes" + (f" ({summary(remarks)})" if remarks else ""))
    if not played:
        raise UserError(
            f"{args.file} has no tune that can be played: a tune in ABC notation has lines like X:1, M:6/8 and K:D, "
            "then notes; train lesson 1 on data/lyrics/tunes to have it write some"
        )
