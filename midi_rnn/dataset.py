"""MIDI files on disk -> pieces as symbols, some of them held out whole.

Files are read once and cached (`workshop.notes.midilibrary`); the symbols are made each time, which takes half a second
for a thousand tunes. Pieces that are the same note for note count once, whatever their files are called.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from midi_rnn.encoding import ENCODINGS, END, LONGEST_WAIT, PITCHES, WAIT, Encoding, unisons
from midi_rnn.info import MusicInfo
from midi_rnn.limits import limits
from midi_rnn.summary import Measures, combined, measure
from workshop.counting import counted
from workshop.datasets import bach
from workshop.errors import UserError
from workshop.notes.midi_rests import rests
from workshop.notes.midifiles import DEFAULT_TEMPO, Score, find_midi_files, read
from workshop.notes.midilibrary import Library, read_all
from workshop.notes.tempos import TEMPOS
from workshop.places import kept
from workshop.run.batches import hold_out

#: Symbols read before a piece is begun.
WARM_UP = 300
#: Folders that, side by side in the data folder, say themselves what is held out; what is beside them is not read.
SPLIT_FOLDERS = ("train", "valid")
#: A file with more beats than a day has at the fastest tempo has a damaged clock.
MAX_BEATS = 24 * 60 * TEMPOS[1]


@dataclass(frozen=True)
class Music:
    """Pieces as symbols.

    Attributes:
        encoding: what the symbols mean.
        train: the pieces that are trained on, int16 [T] each.
        held_out: those that are only measured on.
        facts: what run.json says about the data; `fingerprint` tells whether other files hold the same music.
        skipped: files that could not be used, with the reason.
    """

    encoding: Encoding
    train: list[np.ndarray]
    held_out: list[np.ndarray]
    facts: MusicInfo
    skipped: list[str]


def load(
    path: Path, val_split: float = 0.1, encoding: str = "melody", track: str | None = None,
    transpose: int = 0, stretch: float = 0.0,
) -> Music:  # fmt: skip
    """Read a MIDI file, or all MIDI files of a folder and its subfolders.

    The pieces are put in an order that depends on nothing but their notes, and the last of them are held out; a single
    piece is cut in two. A folder with the subfolders `train` and `valid` is held out as they say. Bach's chorales are
    made where they are missing.

    Args:
        path: a file or a folder.
        val_split: share of the pieces that is held out, at least one.
        encoding: "melody" or "performance".
        track: which part of each file to take; see `voices.chosen_part`.
        transpose: as in `variation`; the transposed symbols count as seen.
        stretch: as in `variation`.

    Raises:
        UserError: there is nothing that can be used; the sentence says why.
    """
    bach.make_if_missing(path)
    made = ENCODINGS[encoding]
    files = _files(path)
    library = read_all(files)
    found, skipped = _pieces(library, made, track)
    # Pieces that are the same note for note count once.
    pieces = {piece.digest: piece for piece in reversed(found)}
    if not pieces:
        raise UserError(_nothing(path, list(skipped.values())))
    in_order = sorted(pieces.values(), key=lambda piece: piece.digest)
    train, held_out, used_split = _split(path, in_order, val_split)
    facts = MusicInfo(
        path=kept(path),
        files=len(files),
        read=len(library.scores) + len(library.duplicates),
        used=len(in_order),
        duplicate_files=len(library.duplicates) + len(found) - len(in_order),
        skipped=len(skipped),
        encoding=encoding,
        track=track,
        notes=sum(piece.measures.notes for piece in in_order),
        notes_lost=sum(piece.lost for piece in in_order),
        unisons=sum(piece.unisons for piece in in_order),
        polyphonic_files=sum(piece.other_notes > 0 for piece in in_order),
        other_notes=sum(piece.other_notes for piece in in_order),
        shortened_rests=sum(piece.shortened_rests for piece in in_order),
        pedal_files=sum(piece.pedal_notes > 0 for piece in in_order),
        pedal_notes=sum(piece.pedal_notes for piece in in_order),
        minutes=round(sum(piece.minutes for piece in in_order), 2),
        pieces=(len(train), len(held_out)),
        symbols=(sum(map(len, train)), sum(map(len, held_out))),
        split=used_split,
        allowed_symbols=_allowed_symbols(made, train, transpose, stretch),
        limits=limits(made, train, stretch),
        warm_up=np.concatenate([train[-1][-WARM_UP:], [END]]).tolist(),
        tempo=round(float(np.clip(np.median([piece.tempo for piece in in_order]), *TEMPOS)), 1),
        summary=combined([piece.measures for piece in in_order]),
        fingerprint=hashlib.sha256("".join(sorted(pieces)).encode()).hexdigest(),
    )
    return Music(made, train, held_out, facts, [skipped[file] for file in files if file in skipped])


def _files(path: Path) -> list[Path]:
    """The MIDI files of a folder: all, or those of its `SPLIT_FOLDERS` where each of these has some."""
    files = find_midi_files(path)
    by_folder = [[file for file in files if _is_in(file, path / name)] for name in SPLIT_FOLDERS]
    return [file for found in by_folder for file in found] if all(by_folder) else files


@dataclass(frozen=True)
class _Piece:
    """The music of a file: symbols int16 [T], their digest, statistics of their notes, and beats a minute; counts of
    lost notes, of unisons with another voice, of notes of other voices, of shortened rests, and of notes held by the
    pedal.
    """

    file: Path
    symbols: np.ndarray
    digest: str
    measures: Measures
    lost: int
    unisons: int
    other_notes: int
    shortened_rests: int
    pedal_notes: int
    minutes: float
    tempo: float


def _pieces(library: Library, encoding: Encoding, track: str | None) -> tuple[list[_Piece], dict[Path, str]]:
    """The music of each file that has been read, and for the others why they are left out, a sentence each."""
    pieces, skipped = [], dict(library.skipped)
    for file, score in counted(library.scores.items(), len(library.scores), "encoding MIDI files"):
        try:
            pieces.append(_piece(encoding, file, score, track))
        except UserError as error:
            skipped[file] = f"{file} {error}"
    return pieces, skipped


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
    end = pitched[:, 1].max()
    if end > MAX_BEATS:
        raise UserError(f"is damaged: it would have {end:,.0f} beats")
    sounding = encoding.sounding(score, track)
    if not len(sounding):
        raise UserError("holds no notes in that track")
    chosen = encoding.compact(sounding, score)
    symbols = encoding.encode(chosen)
    notes = encoding.decode(symbols)
    digest = hashlib.sha256(symbols.tobytes()).hexdigest()
    minutes = float(score.seconds(end)) / 60
    tempo = DEFAULT_TEMPO if encoding.in_real_time else end / minutes
    lost = len(chosen) - len(notes)
    shared = unisons(chosen) if lost and encoding.in_real_time else 0
    others = len(pitched) - len(chosen)
    shortened = int(np.count_nonzero(rests(sounding, score.bars)[1][1:]))
    return _Piece(
        file, symbols, digest, measure(notes), lost - shared, shared, others, shortened, len(score.held), minutes, tempo
    )


def _nothing(path: Path, reasons: list[str]) -> str:
    if len(reasons) == 1:
        return reasons[0]
    return f"none of the {len(reasons):,} MIDI files in {path} can be used; the first: {reasons[0]}"


def _split(
    path: Path, pieces: list[_Piece], val_split: float
) -> tuple[list[np.ndarray], list[np.ndarray], Literal["files", "folders", "end of the piece"]]:
    """Symbols of the pieces to train on and of those that are held out, and how they were split."""
    by_folder = [[p.symbols for p in pieces if _is_in(p.file, path / name)] for name in SPLIT_FOLDERS]
    if all(by_folder):
        return by_folder[0], by_folder[1], "folders"
    train, held_out = hold_out([piece.symbols for piece in pieces], val_split)
    return train, held_out, "files" if len(pieces) > 1 else "end of the piece"


def _is_in(file: Path, folder: Path) -> bool:
    """Whether a file lies in a folder or below; as text, because it is asked of thousands."""
    return str(file).startswith(f"{folder}{os.sep}")


def _allowed_symbols(encoding: Encoding, pieces: list[np.ndarray], transpose: int, stretch: float) -> list[int]:
    """The symbols of the pieces in all the keys that `variation` brings them to; at other speeds any wait may come."""
    seen = {END, *range(WAIT, WAIT + LONGEST_WAIT)} if stretch and encoding.in_real_time else {END}
    semitones = min(transpose, PITCHES)
    for piece in pieces:
        symbols = np.unique(piece)
        for shift in range(-semitones, semitones + 1):
            seen.update(encoding.transpose(symbols, shift).tolist())
    return sorted(seen)


def variation(
    encoding: Encoding, transpose: int, stretch: float
) -> Callable[[np.ndarray, np.random.Generator], np.ndarray] | None:
    """How pieces are varied from epoch to epoch: by up to `transpose` semitones up or down, and played up to the share
    `stretch` faster or slower; None if not at all.
    """
    if not transpose and not stretch:
        return None
    semitones = min(transpose, PITCHES)  # further than that no piece can be moved

    def vary(piece: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if stretch:
            piece = encoding.stretch(piece, 1 + stretch * rng.uniform(-1, 1))
        return encoding.transpose(piece, int(rng.integers(-semitones, semitones + 1)))

    return vary


def read_prime(path: Path, encoding: Encoding, track: str | None) -> np.ndarray:
    """Symbols, int32 [T], of a MIDI file to continue; of its melody if it has no such track.

    Raises:
        UserError: it cannot be read, or holds no notes.
    """
    score = read(path)
    try:
        # A file from elsewhere may not have the track of the training data.
        with contextlib.suppress(UserError):
            return _piece(encoding, path, score, track).symbols.astype(np.int32)
        return _piece(encoding, path, score, None).symbols.astype(np.int32)
    except UserError as error:
        raise UserError(f"{path} {error}") from error
