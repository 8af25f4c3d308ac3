"""The programme of a concert: which pieces are played, who has made them, and from what. It is a TOML file.

title = "The concert of class 8b"

[[piece]]
name = "Ada"                          who has made it, as they want to be called
title = "Night train"
file = "ada/night_train.wav"          a sound, MIDI, a text or a PNG, seen from the programme
experiment = "ada/experiments/03"     that has made it; it says of itself what it was trained on
licence = "her own recordings"        of that data, where the catalogue of data sets does not know it
words = "Listen for the bridge."      if anything is to be said
"""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from workshop.checks import typed
from workshop.concert import page
from workshop.concert.media import load
from workshop.datasets.catalog import DataSet, read_catalog
from workshop.errors import UserError
from workshop.files import explain, read_json, reading
from workshop.lessons import lesson_of
from workshop.run import experiment
from workshop.run.record import Record

#: Bytes of a TOML file, seconds of a piece.
MAX_BYTES, SECONDS = 1 << 18, 600.0

Content = TypeVar("Content", bound=msgspec.Struct)


class Piece(msgspec.Struct, forbid_unknown_fields=True):
    """A piece of the concert; see the head of this file."""

    name: str
    title: str
    file: str
    experiment: str = ""
    licence: str = ""
    words: str = ""


class Program(msgspec.Struct, forbid_unknown_fields=True):
    """The programme."""

    piece: list[Piece]
    title: str = "The concert"


def read(path: Path, kind: type[Content]) -> Content:
    """Read a programme, or what is like it, from a TOML file.

    Raises:
        UserError: it cannot be read, is damaged, or has an entry that is not valid.
    """
    try:
        with reading(path) as (file, size):
            if size > MAX_BYTES:
                raise UserError(f"{path} is larger than a list of pieces can be ({MAX_BYTES >> 10} kB)")
            content: Any = tomllib.loads(file.read(size).decode("utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {explain(error, path)}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged: it is not valid TOML ({error!s:.200})") from error
    return typed(kind, content, path)


def write(path: Path, out: Path) -> int:
    """Write the page of a programme; returns how many pieces it has.

    Raises:
        UserError: the programme or a piece cannot be read, or the licence of a piece's data is not known.
    """
    program = read(path, Program)
    if not program.piece:
        raise UserError(f"{path} has no piece: write a [[piece]] with name, title and file for each")
    parts = [_piece(path.parent, number, piece) for number, piece in enumerate(program.piece, 1)]
    page.write(out, program.title, "\n".join(parts))
    return len(parts)


def _piece(folder: Path, number: int, piece: Piece) -> str:
    made = page.media(load(folder / piece.file, SECONDS), f"{piece.title}, by {piece.name}")
    words = f"<p>{page.plain(piece.words)}</p>" if piece.words else ""
    source = page.plain(_source(folder, number, piece))
    heading = f"<h2>{number}. {page.plain(piece.title)}</h2><p>{page.plain(piece.name)}</p>"
    return f'<article>{heading}{words}{made}<p class="small">{source}</p></article>'


def _source(folder: Path, number: int, piece: Piece) -> str:
    """What the piece was made from, and under which licence that is.

    Raises:
        UserError: the licence is not known.
    """
    record = _record(folder / piece.experiment) if piece.experiment else None
    known = _data_set(record.data["path"]) if record else None
    if not piece.licence and not known:
        raise UserError(
            f"piece {number}, {piece.title!r:.60}: nobody knows the licence of its data: say it in the programme, as "
            'in licence = "my own recordings", or name the experiment that has made it'
        )
    by = f"made by a network of {record.lesson}, " if record else ""
    data = f"from {known.what} ({known.attribution}); licence: {known.licence}" if known else ""
    own = f"licence of the data: {piece.licence}" if piece.licence else ""
    text = by + "; ".join(filter(None, [data, own]))
    return text[:1].upper() + text[1:]


def _record(path: Path) -> Record:
    file = path / "run.json"
    return experiment.record_of(read_json(file), file, lesson_of(path).name)


def _data_set(path: str) -> DataSet | None:
    """The data set of the catalogue that a kept path names: its folder or its file in `data`."""
    for one in read_catalog().values():
        target = Path("data", one.target)
        if Path(path) == target or (target.suffix and Path(path) == target.parent):
            return one
    return None
