"""MIDI files on disk -> pieces as symbols, some of them held out whole.

Files are read once and kept (`workshop.midilibrary`); the symbols are made anew each time, which takes half a second
for a thousand tunes. Pieces that are the same note for note count once, whatever their files are called.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from midi_rnn.encoding import ENCODINGS, END, Encoding
from midi_rnn.portrait import portrait
from workshop.cli import TEMPOS
from workshop.errors import UserError
from workshop.files import write_text
from workshop.midifiles import DEFAULT_TEMPO, Score, find_midi_files, read
from workshop.midilibrary import read_all

#: Symbols read before a piece is begun.
LEAD_IN = 300
#: Folders that, side by side in the data folder, say themselves what is held out; what is beside them is not read.
SPLIT_FOLDERS = ("train", "valid")
#: So many reasons are printed; the rest is in the report.
SHOWN_REASONS = 5


@dataclass(frozen=True)
class Music:
    """Pieces as symbols.

    Attributes:
        encoding: what the symbols mean.
        train: the pieces that are trained on, int16 [T] each.
        held_out: those that are only measured on.
        facts: what run.json says about the data; `fingerprint` tells whether other files hold the same music.
        set_aside: files that could not be used, with the reason.
    """

    encoding: Encoding
    train: list[np.ndarray]
    held_out: list[np.ndarray]
    facts: dict[str, Any]
    set_aside: list[str]


def load(path: Path, val_split: float = 0.1, encoding: str = "melody", track: str | None = None) -> Music:
    """Read a MIDI file, or all MIDI files of a folder and its subfolders.

    The pieces are put in an order that depends on nothing but their notes, and the last of them are held out; a single
    piece is cut in two. A folder with the subfolders `train` and `valid` is held out as they say.

    Args:
        path: a file or a folder.
        val_split: share of the pieces that is held out, at least one.
        encoding: "melody" or "performance".
        track: which part of each file to take; see `voices.chosen_part`.

    Raises:
        UserError: there is nothing that can be used; the sentence says why.
    """
    made = ENCODINGS[encoding]
    files = find_midi_files(path)
    by_folder = [[file for file in files if _is_in(file, path / name)] for name in SPLIT_FOLDERS]
    if all(by_folder):
        files = [file for found in by_folder for file in found]
    library = read_all(files)
    set_aside = dict(library.set_aside)
    pieces: dict[str, _Piece] = {}
    duplicates = len(library.duplicates)
    for file, score in library.scores.items():
        try:
            piece = _piece(made, file, score, track)
        except UserError as error:
            set_aside[file] = f"{file} {error}"
            continue
        duplicates += piece.digest in pieces
        pieces.setdefault(piece.digest, piece)
    if not pieces:
        raise UserError(_nothing(path, list(set_aside.values())))
    in_order = sorted(pieces.values(), key=lambda piece: piece.digest)
    train, held_out, used_split = _split(path, in_order, val_split)
    facts = {
        "path": str(path.resolve()),
        "files": len(files),
        "read": len(library.scores) + len(library.duplicates),
        "used": len(pieces),
        "duplicate_files": duplicates,
        "set_aside": len(set_aside),
        "encoding": encoding,
        "track": track,
        "notes": sum(len(piece.notes) for piece in pieces.values()),
        "notes_lost": sum(piece.lost for piece in pieces.values()),
        "polyphonic_files": sum(piece.other_notes > 0 for piece in pieces.values()),
        "other_notes": sum(piece.other_notes for piece in pieces.values()),
        "minutes": round(sum(piece.minutes for piece in pieces.values()), 2),
        "pieces": [len(train), len(held_out)],
        "symbols": [sum(map(len, train)), sum(map(len, held_out))],
        "split": used_split,
        "seen": np.unique(np.concatenate([[END], *train])).tolist(),
        "lead_in": np.concatenate([train[-1][-LEAD_IN:], [END]]).tolist(),
        "tempo": round(float(np.clip(np.median([piece.tempo for piece in pieces.values()]), *TEMPOS)), 1),
        "portrait": portrait([piece.notes for piece in in_order]),
        "fingerprint": hashlib.sha256("".join(sorted(pieces)).encode()).hexdigest(),
    }
    return Music(made, train, held_out, facts, [set_aside[file] for file in files if file in set_aside])


@dataclass(frozen=True)
class _Piece:
    """A file's music: symbols int16 [T], their digest, the notes [N, 4] that they stand for, counts of other notes,
    and beats a minute.
    """

    file: Path
    symbols: np.ndarray
    digest: str
    notes: np.ndarray
    lost: int
    other_notes: int
    minutes: float
    tempo: float


def _piece(encoding: Encoding, file: Path, score: Score, track: str | None) -> _Piece:
    """The music of a file.

    Raises:
        UserError: there is none in it; the sentence goes on from the file's name.
    """
    pitched = score.pitched
    if not len(score.notes):
        raise UserError("holds no notes")
    if not len(pitched):
        raise UserError("holds only drums")
    chosen = encoding.select(score, track)
    if not len(chosen):
        raise UserError("holds no notes in that track")
    symbols = encoding.encode(chosen)
    notes = encoding.decode(symbols)
    digest = hashlib.sha256(symbols.tobytes()).hexdigest()
    end = pitched[:, 1].max()
    minutes = float(score.seconds(end)) / 60
    tempo = DEFAULT_TEMPO if encoding.in_real_time else end / minutes
    return _Piece(file, symbols, digest, notes, len(chosen) - len(notes), len(pitched) - len(chosen), minutes, tempo)


def _nothing(path: Path, reasons: list[str]) -> str:
    if len(reasons) == 1:
        return reasons[0]
    return f"none of the {len(reasons):,} MIDI files in {path} can be used; the first: {reasons[0]}"


def _split(
    path: Path, pieces: list[_Piece], val_split: float
) -> tuple[list[np.ndarray], list[np.ndarray], str]:  # fmt: skip
    """Symbols of the pieces to train on and of those that are held out, and how they were told apart."""
    by_folder = [[p.symbols for p in pieces if _is_in(p.file, path / name)] for name in SPLIT_FOLDERS]
    if all(by_folder):
        return by_folder[0], by_folder[1], "folders"
    symbols = [piece.symbols for piece in pieces]
    if len(symbols) == 1:
        cut = max(1, int(len(symbols[0]) * (1 - val_split)))
        return [symbols[0][:cut]], [symbols[0][cut:]], "end of the piece"
    held_out = max(1, min(len(symbols) - 1, round(len(symbols) * val_split)))
    return symbols[:-held_out], symbols[-held_out:], "files"


def _is_in(file: Path, folder: Path) -> bool:
    """Whether a file lies in a folder or below; as text, because it is asked of thousands."""
    return str(file).startswith(f"{folder}{os.sep}")


def check_length(music: Music, path: Path, batch_size: int, seq_length: int) -> int:
    """The number of sequences to read side by side: `batch_size`, or fewer where little music would not fill one window
    of each.

    Raises:
        UserError: the music does not fill a single window.
    """
    symbols = sum(len(piece) + 1 for piece in music.train)
    streams = (symbols - 1) // seq_length
    if streams < 1:
        raise UserError(
            f"{path} is too short: {symbols:,} {music.encoding.unit} are left to train on, and a window takes "
            f"{seq_length + 1}; add more files, or give a shorter --seq_length"
        )
    return min(batch_size, streams)


def describe(music: Music, path: Path) -> None:
    """Print what was found, and what could not be used and why."""
    facts = music.facts
    files = f"{facts['files']:,} files found, {facts['read']:,} read, {facts['used']:,} used"
    print(f"data: {path}: {files}: {facts['notes']:,} notes, {facts['minutes']:,.0f} minutes")
    train, held_out = facts["symbols"]
    pieces = f"{facts['pieces'][1]:,} of them ({held_out:,})"
    held = "the end of the one piece" if facts["split"] == "end of the piece" else pieces
    print(f"  {train + held_out:,} {music.encoding.unit}; held out: {held}")
    if facts["duplicate_files"]:
        print(f"  {facts['duplicate_files']:,} files have the same notes as another one and are left out")
    if facts["other_notes"]:
        print(
            f"  {facts['polyphonic_files']:,} files play several notes at a time, or in several tracks: "
            f"one voice is taken, {facts['other_notes']:,} notes are not in it"
        )
    if facts["notes_lost"]:
        print(f"  {facts['notes_lost']:,} notes are too close together for this encoding and are left out")
    for reason in music.set_aside[:SHOWN_REASONS]:
        print(f"  set aside: {reason}")
    if len(music.set_aside) > SHOWN_REASONS:
        print(f"  and {len(music.set_aside) - SHOWN_REASONS:,} more: see set_aside.txt in the experiment")


def report(music: Music, path: Path) -> None:
    """Write the files that were set aside, each with its reason; nothing where there are none.

    Raises:
        UserError: it cannot be written.
    """
    if music.set_aside:
        write_text(path, "".join(f"{reason}\n" for reason in music.set_aside))


def variation(
    encoding: Encoding, transpose: int, stretch: float
) -> Callable[[np.ndarray, np.random.Generator], np.ndarray] | None:
    """How pieces are varied from epoch to epoch: by up to `transpose` semitones up or down, and played up to the share
    `stretch` faster or slower; None if not at all.
    """
    if not transpose and not stretch:
        return None

    def vary(piece: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if stretch:
            piece = encoding.stretch(piece, 1 + stretch * rng.uniform(-1, 1))
        return encoding.transpose(piece, int(rng.integers(-transpose, transpose + 1)))

    return vary


def read_prime(path: Path, encoding: Encoding, track: str | None) -> np.ndarray:
    """Symbols, int32 [T], of a MIDI file to go on from.

    Raises:
        UserError: it cannot be read, or holds no notes.
    """
    try:
        return _piece(encoding, path, read(path), track).symbols.astype(np.int32)
    except UserError as error:
        raise UserError(str(error) if str(error).startswith(str(path)) else f"{path} {error}") from error
