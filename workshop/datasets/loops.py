"""Slices to learn from without a network: 3,072 bars of drums, synthesised, all at one tempo.

`data/audio/loops` is made when it is first trained on, or by `python -m workshop.datasets get loops`, and not when the
workshop is set up: it takes half a minute, and 110 MB.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workshop import ROOT
from workshop.datasets import generated_folder
from workshop.files import write_text

if TYPE_CHECKING:
    from workshop.audio.drum_loops import Song

#: Counted up whenever the sounds below change, or `drum_loops` or `drum_kits` of `workshop.audio`, so that older ones
#: are made again.
EXPORT_VERSION = 1

FOLDER = ROOT / "data" / "audio" / "loops"
STAMP = f"Made by workshop.datasets.loops (loops {EXPORT_VERSION})."

#: Whether a folder has what is made here, or the user's own.
is_exported = generated_folder.is_there


def make_if_missing(folder: Path) -> None:
    """Make the set where it is missing; see `generated_folder.make_if_missing`."""
    said = f"3,072 drum loops are made in {folder}, once: half a minute, 110 MB"
    generated_folder.make_if_missing(folder, FOLDER, export, said)


def export(folder: Path) -> bool:
    """Write the sounds, `slices.json` and ``SOURCE.txt`` to ``folder`` unless up to date; return whether they were
    written.

    A folder that was modified by the user stays as it is.

    Raises:
        UserError: ``folder`` cannot be written to.
    """
    return generated_folder.make(folder, STAMP, _write_all)


def _write_all(folder: Path) -> None:
    """Write all slices, and SOURCE.txt last."""
    from workshop.audio import drum_loops

    songs = drum_loops.songs()
    count = write(folder, songs)
    write_text(folder / "SOURCE.txt", _source(generated_folder.digest(folder), count, len(songs)))


def write(folder: Path, songs: "Sequence[Song]") -> int:
    """Write a folder for each kit with the bars of songs, and slices.json; return how many slices there are."""
    import soundfile

    from workshop import counting
    from workshop.audio import drum_loops, slices

    listed = {}
    with counting.bar(len(songs), " songs", "drum loops") as bar:
        for song in songs:
            (folder / song.kit).mkdir(parents=True, exist_ok=True)
            for number, (fill, sound) in enumerate(song.bars()):
                name = f"{song.kit}/{song.pattern}_{song.number}_{number}.flac"
                soundfile.write(folder / name, sound, drum_loops.RATE, subtype="PCM_16")
                labels = {"kit": song.kit, "pattern": song.pattern, "fill": fill}
                listed[name] = slices.Slice(song.name, labels)
            bar.update()
    about = slices.SlicesFile(
        bpm=drum_loops.BPM, beats=drum_loops.BEATS, rate=drum_loops.RATE, samples=drum_loops.SAMPLES, slices=listed
    )
    slices.write_about(folder, about)
    return len(listed)


def _source(digest: str, count: int, songs: int) -> str:
    from workshop.audio import drum_loops

    minutes = count * drum_loops.SAMPLES / drum_loops.RATE / 60
    lines = [
        f"{count:,} bars of drums, {minutes:.0f} minutes: {songs} songs, each a kit and a pattern, with fills;",
        f"{drum_loops.BPM} beats a minute, mono, {drum_loops.RATE:,} samples a second.",
        "",
        STAMP,
        f"The files have the sha256 {digest}",
        "",
        "Made of sine waves and noise by this workshop; to the extent possible under law its authors waive all rights",
        "to them (CC0 1.0). slices.json names the kit, the pattern and the fill of each.",
        "",
    ]
    return "\n".join(lines)
