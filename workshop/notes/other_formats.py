"""Files of notation programs and of sequencers: they hold music and are no MIDI files, told by their suffixes."""

from collections.abc import Iterable
from pathlib import Path

from workshop.errors import UserError

#: What a file is, by its suffix.
FORMATS = {
    suffix: what
    for what, suffixes in (
        ("a score in MusicXML", (".musicxml", ".mxl")),
        ("a score of MuseScore", (".mscz", ".mscx")),
        ("a score of Sibelius", (".sib",)),
        ("a score of Finale", (".musx", ".mus")),
        ("a score of Dorico", (".dorico",)),
        ("a score of LilyPond", (".ly",)),
        ("a score in Humdrum's kern", (".krn",)),
        ("a score in MEI", (".mei",)),
        ("a tablature of Guitar Pro", (".gp", ".gp3", ".gp4", ".gp5", ".gpx")),
        ("a project of Ableton Live", (".als",)),
        ("a project of FL Studio", (".flp",)),
        ("a project of Cubase", (".cpr",)),
        ("a project of Reaper", (".rpp",)),
    )
    for suffix in suffixes
}
SUFFIXES = tuple(FORMATS)


def refuse(path: Path) -> None:
    """Refuse a file of one of these formats, unless it is a MIDI file all the same.

    Raises:
        UserError: it is one; the sentence says which, and what to do.
        OSError: it cannot be read.
    """
    what = FORMATS.get(path.suffix.lower())
    if what is None:
        return
    with path.open("rb") as file:
        if file.read(4) == b"MThd":
            return
    how = "open it in the program that it was made with" + (", or in MuseScore," if "score" in what else ",")
    raise UserError(f"{path} is {what}, not a MIDI file: {how} and export it as MIDI (.mid)")


def without_exported(files: Iterable[Path]) -> list[Path]:
    """The files without those of these formats that lie beside a MIDI file of the same name, which is their export."""
    files = list(files)
    exported = {file.with_suffix("") for file in files if file.suffix.lower() not in FORMATS}
    return [file for file in files if file.suffix.lower() not in FORMATS or file.with_suffix("") not in exported]
