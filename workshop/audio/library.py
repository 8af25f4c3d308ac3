"""A folder of sound files as training data, some of the files held out whole.

Files are read and resampled once and cached by their content; silence at their ends can be trimmed.
"""

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from workshop import ROOT
from workshop.audio import conditions, kept_samples
from workshop.audio.audiofiles import LONG, Reading, find_audio_files
from workshop.audio.kept_samples import KeptSamples
from workshop.audio.quantisation import MU_LAW, QUANTISATIONS
from workshop.audio.rates import RATES
from workshop.checks import Count, NotNegative
from workshop.counting import counted, told
from workshop.errors import UserError
from workshop.files import explain, short_path
from workshop.places import kept
from workshop.run.batches import hold_out
from workshop.run.experiment import SHOWN_REASONS, print_skipped
from workshop.run.record import DataInfo
from workshop.visible import visible_line
from workshop.words import plural

#: Where what has been read is kept.
CACHE = ROOT / ".workshop" / "audio"
#: To be raised when files are read in another way, so that what is kept is read again.
READER = 5
#: Seconds of sound from which on it is said how much will be kept.
WORTH_SAYING = 1800
#: Samples that are encoded at once.
PIECE = 1 << 20
#: Samples over which loudness is measured to find silence: 25 ms at 16 kHz.
FRAME = 400


class SoundInfo(DataInfo, kw_only=True):
    """What run.json says of sounds; `symbols` are samples, or what stands for `hop` of them.

    Attributes:
        sample_rate: samples a second.
        seconds: of all sounds.
        seconds_kept: of these, without the silence that is left out.
        conditions: their names, in the order of their numbers.
        quantisation: what a level stands for; a name in `QUANTISATIONS`.
        hop: samples for which one of `symbols` stands.
    """

    sample_rate: int
    seconds: NotNegative = 0.0
    seconds_kept: NotNegative = 0.0
    conditions: list[str] = msgspec.field(default_factory=list)
    quantisation: str = MU_LAW.name
    hop: Count = 1

    def __post_init__(self) -> None:
        if self.quantisation not in QUANTISATIONS:
            raise ValueError(f"there is no quantisation {self.quantisation!r:.40}")
        if self.sample_rate not in RATES:
            raise ValueError(f"the sample rate {self.sample_rate:,} is not valid")


@dataclass(frozen=True)
class Sounds:
    """Sounds in the representation that a lesson learns.

    Attributes:
        train: for each condition the training sounds, [N, ...] each; one list where there are none.
        held_out: the same for the sounds held out for validation.
        facts: what run.json says about the data; `fingerprint` tells whether other files hold the same sounds.
        skipped: files that could not be used, with the reason.
        remarks: what was changed in sounds to make them usable, each with its file.
    """

    train: list[list[np.ndarray]]
    held_out: list[list[np.ndarray]]
    facts: SoundInfo
    skipped: list[str]
    remarks: list[str]


def load(
    path: Path, rate: int, val_split: float = 0.1, silence_threshold: float = 0.0, condition: str | None = None,
    encode: Callable[[Any], np.ndarray] = MU_LAW.encode, hop: int = 1,
) -> Sounds:  # fmt: skip
    """Read a sound file, or all sound files of a folder and its subfolders.

    The files of each condition are put in an order that depends on nothing but their content, and the last of them are
    held out; a single one is cut in two.

    Args:
        path: a file or a folder.
        rate: samples a second.
        val_split: share of the files that is held out, at least one.
        silence_threshold: what is quieter at the ends of a file is left out; see `loud_part`.
        condition: where the conditions of the files are found, see `conditions.of_files`; None for none.
        encode: makes of samples what the lesson learns, [N / hop, ...]. Where `hop` is 1 it is given samples float32
            from -1 to 1, part by part; else it is given all at once, and may read of them as much as it needs: what it
            gets has a length N, and its slices are such samples.
        hop: how many samples become one of these.

    Raises:
        UserError: there is nothing that can be used; the sentence says why.
    """
    files = find_audio_files(path)
    named = conditions.of_files(condition, path, files) if condition else dict.fromkeys(files, "")
    read = _Read()
    for file in counted(files, len(files), "reading sounds"):
        try:
            read.add(file, named.get(file), rate, silence_threshold, encode, hop)
        except UserError as error:
            read.skipped.append(str(error))
    sounds = read.sounds
    if not sounds:
        raise UserError(read.skipped[0] if len(files) == 1 else _nothing(path, read.skipped))
    names = sorted({sound.condition for sound in sounds.values()})
    if condition and len(names) < 2:
        raise UserError(f"--condition finds only one condition in {path} ({names[0]}): train without --condition")
    in_order = [[sound.values for _, sound in sorted(sounds.items()) if sound.condition == name] for name in names]
    train, held_out = zip(*(hold_out(pieces, val_split) for pieces in in_order), strict=True)
    used = [f"{digest} {sound.condition}".rstrip() for digest, sound in sorted(sounds.items())]
    facts = SoundInfo(
        path=kept(path),
        fingerprint=hashlib.sha256(f"{rate} {silence_threshold} {used}".encode()).hexdigest(),
        files=len(files),
        used=len(sounds),
        skipped=len(read.skipped),
        duplicate_files=len(files) - len(sounds) - len(read.skipped),
        symbols=(_size(train), _size(held_out)),
        sample_rate=rate,
        seconds=round(sum(sound.length for sound in sounds.values()) / rate, 2),
        seconds_kept=round(sum(sound.kept for sound in sounds.values()) / rate, 2),
        conditions=names if condition else [],
        hop=hop,
    )
    return Sounds(list(train), list(held_out), facts, read.skipped, read.remarks)


class _Sound(NamedTuple):
    """A file's condition, what the lesson learns of it, [N, ...], and its samples: of all, and of the part kept."""

    condition: str
    values: np.ndarray
    length: int
    kept: int


@dataclass(frozen=True)
class _Read:
    """What has been read so far: sounds by the digests of their files, and as in `Sounds` the reasons and remarks."""

    sounds: dict[str, _Sound] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(
        self, file: Path, condition: str | None, rate: int, silence_threshold: float,
        encode: Callable[[Any], np.ndarray], hop: int,
    ) -> None:  # fmt: skip
        """Read a file, unless its like has been; the arguments are those of `load`, and the condition is the file's.

        Raises:
            UserError: it cannot be used.
        """
        if condition is None:
            raise UserError(f"{file} has no condition")
        digest = _digest(file)
        if digest in self.sounds:
            return
        with contextlib.closing(_cached(file, digest, rate)) as samples:
            loud = loud_part(samples, silence_threshold)
            if not len(loud):
                raise UserError(f"{file} is quieter than --silence_threshold {silence_threshold:g} all along")
            values = encode(loud) if hop > 1 else _in_pieces(encode, loud)
            self.sounds[digest] = _Sound(condition, values, len(samples), len(loud))
            self.remarks.extend(f"{file}: {remark}" for remark in samples.remarks)


def _size(part: Sequence[list[np.ndarray]]) -> int:
    """The number of symbols in all sounds of all conditions."""
    return sum(len(values) for values in chain.from_iterable(part))


def _in_pieces(encode: Callable[[Any], np.ndarray], samples: KeptSamples | np.ndarray) -> np.ndarray:
    """What `encode` makes of each of the samples, without all of them in memory at once as floating point numbers."""
    return np.concatenate([encode(samples[at : at + PIECE]) for at in range(0, len(samples), PIECE)])


def announce(files: Sequence[Path], rate: int) -> None:
    """Say how much of the disk the sounds will take that are kept for the next time, where that is worth knowing; known
    from what the files say of themselves, before anything is read.
    """
    seconds = sum(length / its for length, its in map(_promised, files))
    if seconds >= WORTH_SAYING:
        size = 2 * seconds * rate / 1e6
        place = visible_line(str(short_path(CACHE)))
        print(f"data: {seconds / 60:,.0f} minutes; read once, then kept in {place}: {size:,.0f} MB", flush=True)


def _promised(file: Path) -> tuple[int, int]:
    """How many samples a file says that it has, 0 where that is not known, and how many a second."""
    import soundfile

    # FFmpeg reads some that libsndfile does not; a TypeError comes for .raw, which has no header.
    with contextlib.suppress(OSError, RuntimeError, TypeError):
        about = soundfile.info(file)
        return about.frames, about.samplerate
    return 0, 1


def loud_part(samples: KeptSamples | np.ndarray, threshold: float) -> KeptSamples | np.ndarray:
    """Samples [N] without what is quiet at their beginning and end.

    Args:
        samples: of one file; they are all held in memory unless the threshold is 0.
        threshold: 0 leaves all; a negative number is a level in dB relative to the file's own loudest moment; a
            positive one is a root mean square, as the first version of this lesson had it.
    """
    if threshold == 0:
        return samples
    import librosa  # late: few leave silence out, and the first call compiles

    samples = samples[:]
    ref, below = (np.max, -threshold) if threshold < 0 else (1.0, -20 * np.log10(threshold))
    _, (start, end) = librosa.effects.trim(samples, top_db=below, ref=ref, frame_length=FRAME, hop_length=FRAME)
    # Frame k is centred on sample k * FRAME. One more is kept on both sides, in which a sound can begin softly and die
    # away.
    return samples[max(0, start - 3 * FRAME // 2) : end + FRAME // 2] if end else samples[:0]


def _nothing(path: Path, reasons: list[str]) -> str:
    return f"none of the {len(reasons):,} sound files in {path} can be used; the first: {reasons[0]}"


def _digest(file: Path) -> str:
    """The SHA-256 digest of a file's bytes."""
    try:
        with open(file, "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{file} cannot be read: {explain(error, file)}") from error


def _cached(file: Path, digest: str, rate: int) -> KeptSamples:
    """The sound of a file at `rate`, from what is kept under its digest or else from the file."""
    place = CACHE / f"{digest[:32]}_{rate}_{READER}.samples"
    if found := kept_samples.opened(place):
        return found
    length, its_rate = _promised(file)
    # Each sample is decoded twice where it is not held in memory.
    total = 2 * length if length > LONG else 0
    with (
        told(total, 2 * 60 * its_rate, f"reading {visible_line(file.name)}", "minutes") as tell,
        Reading(file, rate, tell) as reading,
    ):
        return kept_samples.keep(place, reading, reading.remarks)


def describe(sounds: Sounds, path: Path) -> None:
    """Print what was found, and what could not be used and why."""
    facts = sounds.facts
    found = f"{plural(facts.files, 'file')} found, {facts.used:,} used: {facts.seconds / 60:,.1f} minutes"
    print(f"data: {visible_line(str(path))}: {found} at {facts.sample_rate:,} samples a second")
    if facts.conditions:
        names = visible_line(conditions.in_words(facts.conditions))
        print(f"  {plural(len(facts.conditions), 'condition')}: {names}")
    print(f"  held out: {facts.symbols[1] * facts.hop / facts.sample_rate / 60:,.1f} minutes")
    if facts.seconds_kept < facts.seconds:
        print(f"  silence left out: {(facts.seconds - facts.seconds_kept) / 60:,.1f} minutes")
    if facts.duplicate_files:
        print(f"  {plural(facts.duplicate_files, 'duplicate file')} left out")
    for remark in sounds.remarks[:SHOWN_REASONS]:
        print(f"  changed: {visible_line(remark)}")
    if len(sounds.remarks) > SHOWN_REASONS:
        print(f"  and {len(sounds.remarks) - SHOWN_REASONS:,} more: `python -m workshop.datasets inspect` shows them")
    print_skipped(sounds.skipped)
