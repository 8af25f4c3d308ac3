"""A folder of sound files as training data, some of the files held out whole.

Files are read and resampled once and cached by their content; silence at their ends can be trimmed.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import msgspec
import numpy as np

from workshop import ROOT
from workshop.audio import conditions
from workshop.audio.audiofiles import Sound, find_audio_files, read_sound
from workshop.audio.quantisation import MU_LAW, QUANTISATIONS
from workshop.audio.rates import RATES
from workshop.checks import Count, NotNegative
from workshop.counting import counted
from workshop.errors import UserError
from workshop.files import atomic_write, explain, short_path
from workshop.places import kept
from workshop.run.batches import hold_out
from workshop.run.experiment import SHOWN_REASONS, print_skipped
from workshop.run.record import DataInfo
from workshop.visible import visible_line
from workshop.words import plural

#: Where what has been read is kept.
CACHE = ROOT / ".workshop" / "audio"
#: To be raised when files are read in another way, so that what is kept is read again.
READER = 2
#: Seconds of sound from which on it is said how much will be kept.
WORTH_SAYING = 1800
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
    encode: Callable[[np.ndarray], np.ndarray] = MU_LAW.encode, hop: int = 1,
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
        encode: makes of samples, float32 [N] from -1 to 1, what the lesson learns: [N / hop, ...].
        hop: how many samples become one of these.

    Raises:
        UserError: there is nothing that can be used; the sentence says why.
    """
    files = find_audio_files(path)
    named = conditions.of_files(condition, path, files) if condition else dict.fromkeys(files, "")
    skipped: list[str] = []
    remarks: list[str] = []
    sounds: dict[str, tuple[str, np.ndarray]] = {}
    seconds = seconds_kept = 0.0
    for file in counted(files, len(files), "reading sounds"):
        try:
            if file not in named:
                raise UserError(f"{file} has no condition")
            digest, sound = _cached(file, rate)
            if digest in sounds:
                continue
            loud = loud_part(sound.samples, silence_threshold)
            if not len(loud):
                raise UserError(f"{file} is quieter than --silence_threshold {silence_threshold:g} all along")
        except UserError as error:
            skipped.append(str(error))
            continue
        seconds += len(sound.samples) / rate
        seconds_kept += len(loud) / rate
        remarks += (f"{file}: {remark}" for remark in sound.remarks)
        sounds[digest] = named[file], encode(loud)
    if not sounds:
        raise UserError(skipped[0] if len(files) == 1 else _nothing(path, skipped))
    names = sorted({name for name, _ in sounds.values()})
    if condition and len(names) < 2:
        raise UserError(f"--condition finds only one condition in {path} ({names[0]}): train without --condition")
    in_order = [[values for _, (its, values) in sorted(sounds.items()) if its == name] for name in names]
    train, held_out = zip(*(hold_out(pieces, val_split) for pieces in in_order), strict=True)
    used = [f"{digest} {name}".rstrip() for digest, (name, _) in sorted(sounds.items())]
    facts = SoundInfo(
        path=kept(path),
        fingerprint=hashlib.sha256(f"{rate} {silence_threshold} {used}".encode()).hexdigest(),
        files=len(files),
        used=len(sounds),
        skipped=len(skipped),
        duplicate_files=len(files) - len(sounds) - len(skipped),
        symbols=(_size(train), _size(held_out)),
        sample_rate=rate,
        seconds=round(seconds, 2),
        seconds_kept=round(seconds_kept, 2),
        conditions=names if condition else [],
        hop=hop,
    )
    return Sounds(list(train), list(held_out), facts, skipped, remarks)


def _size(part: Sequence[list[np.ndarray]]) -> int:
    """The number of symbols in all sounds of all conditions."""
    return sum(len(values) for values in chain.from_iterable(part))


def announce(files: Sequence[Path], rate: int) -> None:
    """Say how much of the disk the sounds will take that are kept for the next time, where that is worth knowing; known
    from what the files say of themselves, before anything is read.
    """
    import soundfile

    seconds = 0.0
    for file in files:
        with contextlib.suppress(OSError, RuntimeError):  # FFmpeg reads some that libsndfile does not
            about = soundfile.info(file)
            seconds += about.frames / about.samplerate
    if seconds >= WORTH_SAYING:
        size = 2 * seconds * rate / 1e6
        place = visible_line(str(short_path(CACHE)))
        print(f"data: {seconds / 60:,.0f} minutes; read once, then kept in {place}: {size:,.0f} MB", flush=True)


def loud_part(samples: np.ndarray, threshold: float) -> np.ndarray:
    """Samples [N] without what is quiet at their beginning and end.

    Args:
        samples: of one file.
        threshold: 0 leaves all; a negative number is a level in dB relative to the file's own loudest moment; a
            positive one is a root mean square, as the first version of this lesson had it.
    """
    if threshold == 0:
        return samples
    import librosa  # late: few leave silence out, and the first call compiles

    ref, below = (np.max, -threshold) if threshold < 0 else (1.0, -20 * np.log10(threshold))
    _, (start, end) = librosa.effects.trim(samples, top_db=below, ref=ref, frame_length=FRAME, hop_length=FRAME)
    # Frame k is centred on sample k * FRAME. One more is kept on both sides, in which a sound can begin softly and die
    # away.
    return samples[max(0, start - 3 * FRAME // 2) : end + FRAME // 2] if end else samples[:0]


def _nothing(path: Path, reasons: list[str]) -> str:
    return f"none of the {len(reasons):,} sound files in {path} can be used; the first: {reasons[0]}"


def _cached(file: Path, rate: int) -> tuple[str, Sound]:
    """The digest of a file's bytes, and its sound at `rate`, from what is kept or else from the file."""
    try:
        with open(file, "rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{file} cannot be read: {explain(error, file)}") from error
    place = CACHE / f"{digest[:32]}_{rate}_{READER}.samples"
    with contextlib.suppress(OSError):
        kept = place.read_bytes()
        if hashlib.sha256(kept[32:]).digest() == kept[:32]:
            return digest, _unpacked(kept[32:])
    content = _packed(read_sound(file, rate))
    with contextlib.suppress(OSError):  # where it cannot be kept, it is read again the next time
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(place) as opened:
            opened.write(hashlib.sha256(content).digest() + content)
    return digest, _unpacked(content)


def _packed(sound: Sound) -> bytes:
    """A line of JSON, the remarks, and then the samples in 16 bits."""
    return json.dumps(sound.remarks).encode() + b"\n" + np.round(sound.samples * 32767).astype("<i2").tobytes()


def _unpacked(content: bytes) -> Sound:
    remarks, _, samples = content.partition(b"\n")
    return Sound(np.frombuffer(samples, "<i2").astype(np.float32) / 32767, tuple(json.loads(remarks)))


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
