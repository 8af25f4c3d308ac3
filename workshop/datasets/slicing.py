"""Songs into slices for a network that makes loops; `slice_command.py` says what can be asked for."""

import argparse
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workshop.audio import beats, conforming, slices
from workshop.audio.audiofiles import find_audio_files, read_sound
from workshop.audio.beats import Grid
from workshop.audio.loop_spectrogram import MAX_SAMPLES, LoopSpectrogram, convergence
from workshop.audio.slices import MIN_SLICES, Slice, SlicesFile
from workshop.audio.synthesis import write_wav
from workshop.counting import counted
from workshop.datasets import generated_folder
from workshop.errors import UserError
from workshop.pictures import write_png
from workshop.visible import visible_line
from workshop.words import plural

#: dB below the loudest slice of its song at which a slice is silence.
SILENT = 50.0
#: Change of tempo over a song that is said.
WORTH_SAYING = 0.004
#: The picture that slices are compared in.
COMPARED = (32, 32)


@dataclass(frozen=True)
class _Cut:
    """How many songs slices were cut from, how many slices were silent, and how many nearly equal an earlier one."""

    songs: int
    silent: int
    copies: int


def run(arguments: argparse.Namespace) -> int:
    """Cut the songs; or check one slice. One song after the other is stretched, cut and written, since all of them may
    not fit into the memory.

    Raises:
        UserError: none of the songs can be cut, or the slices cannot be written.
    """
    out = arguments.out or _beside(arguments.songs)
    files = find_audio_files(arguments.songs)
    if arguments.check is None and out.is_dir() and any(out.iterdir()):
        raise UserError(f"{out} exists already: take it away, or give another folder with --out")
    known = arguments.to_bpm or arguments.bpm
    if known:  # what is asked for is refused before any song is read
        _about(known, arguments)
    grids = _grids(files, arguments)
    about = _about(known or float(round(np.median([grid.tempo for grid in grids.values()]))), arguments)
    if arguments.check is not None:
        found = (part for _, parts, _ in _songs(grids, about, arguments) for _, part in parts)
        _check(max(found, key=_power, default=None), arguments)
        return 0
    with generated_folder.replaced(out) as aside:
        cut = _write(_songs(grids, about, arguments), aside, about)
        if not about.slices:
            raise _too_short(arguments)
    _report(cut, out, about)
    return 0


def _beside(songs: Path) -> Path:
    """The folder of the slices, where none is given."""
    named = songs if songs.name else songs.resolve()
    return named.parent / f"{songs.resolve().stem}_slices"


def _about(bpm: float, arguments: argparse.Namespace) -> SlicesFile:
    """What `slices.json` says of slices at a tempo, before there are any.

    Raises:
        UserError: they are too long.
    """
    samples = round(arguments.beats * 60 / bpm * arguments.sample_rate)
    if samples > MAX_SAMPLES:
        raise UserError(
            f"{plural(arguments.beats, 'beat')} at {bpm:g} a minute are {samples:,} samples, and a slice has "
            f"{MAX_SAMPLES:,} at most: take fewer --beats, or a lower --sample_rate"
        )
    return SlicesFile(bpm, arguments.beats, arguments.sample_rate, samples, {})


def _songs(
    grids: dict[Path, Grid], about: SlicesFile, arguments: argparse.Namespace
) -> Iterator[tuple[str, list[tuple[int, np.ndarray]], int]]:
    """Of each song at the tempo of the slices: its name, which no other song has; beat and samples of its slices; and
    how many of them are left out, because they are silent.
    """
    names: set[str] = set()
    for path, grid in counted(grids.items(), len(grids), "stretching songs", "songs"):
        name = re.sub(r"[^\w-]+", "_", path.stem)[:60] or "song"
        while name in names:
            name += "_"
        names.add(name)
        sound = read_sound(path, about.rate).samples
        whole = conforming.conformed(sound, about.rate, grid, about.bpm)
        yield name, *_cut(whole, about.samples, about.beats, arguments.jump or about.beats)


def _grids(files: list[Path], arguments: argparse.Namespace) -> dict[Path, Grid]:
    """The beats of each song that has some; what was found is printed."""
    grids: dict[Path, Grid] = {}
    reasons: list[str] = []
    for path in files:
        try:
            sound = read_sound(path, beats.RATE).samples
            try:
                grids[path] = grid = beats.find(sound, beats.RATE, arguments.bpm)
            except UserError as error:
                raise UserError(f"{path} {error}") from None
        except UserError as error:
            reasons.append(str(error))
            print(f"  skipped: {visible_line(str(error))}")
            continue
        print(visible_line(f"{path.name}: {_in_words(grid, arguments.bpm is None)}"), flush=True)
    if not grids:
        raise UserError(reasons[0] if len(files) == 1 else f"none of the {len(files)} songs can be cut: {reasons[0]}")
    return grids


def _in_words(grid: Grid, was_found: bool) -> str:
    """What is said of the beats of a song."""
    said = f"{grid.tempo:.1f} beats a minute, {grid.confidence:.0%} of them with an onset"
    if grid.drift > WORTH_SAYING:
        said += f"; the tempo changes by {grid.drift:.1%} over the song, which is mended"
    if was_found:
        half, twice = grid.tempo / 2, grid.tempo * 2
        said += f" (if it is counted otherwise, --bpm {half:.0f} or --bpm {twice:.0f})"
    return said


def _cut(song: np.ndarray, samples: int, beats_each: int, jump: int) -> tuple[list[tuple[int, np.ndarray]], int]:
    """The beat and the samples of each slice of a song, and how many were silent."""
    beat = samples / beats_each
    starts = range(0, int((len(song) - samples) / beat + 1e-6) + 1, jump) if len(song) >= samples else ()
    parts = [(number, song[round(number * beat) : round(number * beat) + samples]) for number in starts]
    parts = [(number, part.clip(-1, 1)) for number, part in parts if len(part) == samples]
    loudest = max((_power(part) for _, part in parts), default=0)
    heard = [one for one in parts if _power(one[1]) > loudest * 10 ** (-SILENT / 10)]
    return heard, len(parts) - len(heard)


def _power(part: np.ndarray) -> float:
    return float(np.mean(np.square(part, dtype=np.float64)))


def _write(songs: Iterable[tuple[str, list[tuple[int, np.ndarray]], int]], out: Path, about: SlicesFile) -> _Cut:
    """Write the slices of all songs, which are entered into `about`, and then that."""
    compared = LoopSpectrogram(beats.RATE, about.samples, *COMPARED)
    silent, shown = 0, []
    for name, parts, left_out in songs:
        silent += left_out
        for beat, part in parts:
            write_wav(out / f"{name}_{beat:04d}.wav", part, about.rate)
            about.slices[f"{name}_{beat:04d}.wav"] = Slice(name)
        if parts:
            shown.append(slices.coarse(compared.pictures(np.stack([part for _, part in parts]))))
    if shown:
        slices.write_about(out, about)
    return _Cut(len(shown), silent, slices.repeated(np.concatenate(shown)) if shown else 0)


def _report(cut: _Cut, out: Path, about: SlicesFile) -> None:
    made = f"{plural(len(about.slices), 'slice')} of {about.samples / about.rate:.3f} s at {about.bpm:g} beats a minute"
    print(visible_line(f"{made}, of {plural(cut.songs, 'song')}: {out}"))
    if cut.silent:
        print(f"  left out, because they are silent: {plural(cut.silent, 'slice')}")
    if cut.copies:
        print(f"  nearly the same as an earlier one: {plural(cut.copies, 'slice')}")
    if len(about.slices) < MIN_SLICES:
        print(f"  that is few: {MIN_SLICES} are the least to learn from, and a thousand are better")


def _too_short(arguments: argparse.Namespace) -> UserError:
    return UserError(
        f"the songs in {arguments.songs} are shorter than {plural(arguments.beats, 'beat')}: take longer ones, or "
        "fewer --beats"
    )


def _check(part: np.ndarray | None, arguments: argparse.Namespace) -> None:
    """Write a slice, its picture and the sound from it, and print how near that is."""
    if part is None:
        raise _too_short(arguments)
    try:
        loops = LoopSpectrogram(arguments.sample_rate, len(part), arguments.frames, arguments.bands)
        pictures = loops.pictures(part[None])
    except ValueError:
        raise UserError(
            f"--frames {arguments.frames} --bands {arguments.bands}: slices of {len(part):,} samples have no such "
            "picture; take fewer of both"
        ) from None
    again = loops.sounds(pictures)
    found = loops.magnitudes(again)
    base: Path = arguments.check
    base = base.with_suffix("") if base.suffix in (".wav", ".png") else base
    write_wav(base.with_name(f"{base.name}.wav"), part, arguments.sample_rate)
    write_png(base.with_name(f"{base.name}.png"), as_image(pictures[0]))
    write_wav(base.with_name(f"{base.name}_again.wav"), again[0], arguments.sample_rate)
    print(f"written: {base}.wav, {base}.png, {base}_again.wav")
    phase, whole = (convergence(found, wanted) for wanted in (loops.wanted(pictures), loops.magnitudes(part[None])))
    print(
        f"spectral convergence at {arguments.frames} x {arguments.bands}: {phase:.1f} dB of the phase alone, "
        f"{whole:.1f} dB of picture and phase"
    )


def as_image(picture: np.ndarray) -> np.ndarray:
    """A picture [T, D] to look at: time from left to right, low bands below, uint8 [D, T, 3]."""
    grey = np.round((picture.T[::-1].astype(np.float32) + 1) * 127.5).clip(0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)
