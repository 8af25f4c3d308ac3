"""Look at sound files before training on them: how much there is, how loud, what is odd about it, and whether it will
train.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from workshop.audio.audiofiles import Sound, find_audio_files, frame_power, read_sound
from workshop.audio.slices import NAME as SLICES
from workshop.audio.tonality import ADVICE as TONAL_ADVICE
from workshop.audio.tonality import is_tonal
from workshop.counting import counted
from workshop.datasets.inspection_report import format_report, training_time
from workshop.errors import UserError
from workshop.folders import left_aside
from workshop.words import plural

#: Samples a second at which all files are looked at: what the larger sizes of a lesson train on.
RATE = 16_000
#: Training itself is content with a window; below this many seconds a network learns little.
MINIMUM_SECONDS = 10
#: Below this it soon knows the sounds by heart.
COMFORTABLE_SECONDS = 300
#: Sound this many dB below the loudest moment of a file counts as a pause.
PAUSE = -40
FRAME = 400
#: A file of which a larger share of samples stands at the edge was recorded too loud.
CLIPPED = 0.001


@dataclass
class AudioInspection:
    """What was found out about a set of sounds.

    Attributes:
        path: the file or folder that was looked at.
        found: how many sound files it has.
        seconds: length of each usable file.
        skipped: a sentence for each file that cannot be used.
        duplicates: files with the same bytes as another one.
        aside: what else is there, as `folders.left_aside` says it.
        levels: root mean square of each usable file, in dB below full scale.
        pauses: seconds in which a file is `PAUSE` dB below its loudest moment.
        clipped: names of files that were recorded too loud.
        changed: what was changed in files to make them usable, each with the file's name.
        are_slices: whether it is a folder of slices, which lesson 6 learns from.
        tonal: of such slices, how many are of tones.
    """

    path: Path
    found: int = 0
    seconds: list[float] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    duplicates: int = 0
    aside: str = ""
    levels: list[float] = field(default_factory=list)
    pauses: float = 0.0
    clipped: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    are_slices: bool = False
    tonal: int = 0

    @property
    def will_train(self) -> bool:
        """Whether a lesson that trains on this has enough to learn from."""
        return sum(self.seconds) >= MINIMUM_SECONDS


def inspect_audio(path: Path) -> AudioInspection:
    """Read the sound files at `path` and return their statistics.

    Raises:
        UserError: there is no such path, or no sound file in it.
    """
    files = find_audio_files(path)
    inspection = AudioInspection(
        path, len(files), aside=left_aside(path, files, "sound"), are_slices=(path / SLICES).is_file()
    )
    seen: Counter[str] = Counter()
    for file in counted(files, len(files), "reading sounds"):
        try:
            sound = read_sound(file, RATE)
        except UserError as error:
            inspection.skipped.append(str(error))
            continue
        digest = hashlib.sha256(sound.samples.tobytes()).hexdigest()
        seen[digest] += 1
        if seen[digest] > 1:
            inspection.duplicates += 1
        else:
            _add(inspection, file, sound)
    return inspection


def _add(inspection: AudioInspection, file: Path, sound: Sound) -> None:
    samples = sound.samples
    power = frame_power(samples, FRAME)
    inspection.seconds.append(len(samples) / RATE)
    inspection.levels.append(10 * float(np.log10(np.mean(np.square(samples, dtype=np.float64)))))
    inspection.tonal += inspection.are_slices and is_tonal(samples, RATE)
    inspection.pauses += float((power < power.max() * 10 ** (PAUSE / 10)).sum()) * FRAME / RATE
    inspection.changed += (f"{file.name}: {remark}" for remark in sound.remarks)
    # What was divided by its peak reaches full scale without having been cut off there.
    if not sound.scaled and np.mean(np.abs(samples) > 0.999) > CLIPPED:
        inspection.clipped.append(file.name)


def report(inspection: AudioInspection) -> str:
    """What a person should know, in aligned lines, the verdict last."""
    used = len(inspection.seconds)
    rows = [("files", f"{plural(inspection.found, 'sound file')} in {inspection.path}: {used:,} with sound")]
    if used:
        total = sum(inspection.seconds)
        longest, shortest = max(inspection.seconds), min(inspection.seconds)
        rows += [
            ("length", f"{total / 60:,.1f} minutes; the shortest {shortest:,.1f} s, the longest {longest:,.1f} s"),
            ("loudness", f"{min(inspection.levels):.0f} to {max(inspection.levels):.0f} dB below full scale"),
            ("pauses", f"{inspection.pauses / total:.0%} is {-PAUSE} dB or more below the loudest moment of its file"),
            ("clipped", ", ".join(inspection.clipped[:5]) or "none"),
            ("duplicates", f"{inspection.duplicates:,} (left out in training)" if inspection.duplicates else "none"),
        ]
        rows += (("changed", remark) for remark in inspection.changed)
        if inspection.are_slices:
            rows.append(("material", f"{inspection.tonal:,} of {plural(used, 'slice')} of tones"))
        if inspection.will_train:
            rows.append(("training", training_time(total, "audio")))
    return format_report(rows, inspection.aside, inspection.skipped, verdict(inspection))


def verdict(inspection: AudioInspection) -> str:
    """Whether it will train, and what would make it better or possible."""
    total = sum(inspection.seconds)
    if not inspection.seconds:
        return "will not train: none of the files holds sound; see above"
    if not inspection.will_train:
        return f"too short: needs at least {MINIMUM_SECONDS} seconds, has {total:.1f}; add more files"
    advice = []
    if inspection.pauses > total / 4:
        advice.append(f"much of it is silence: --silence_threshold {PAUSE} leaves out what is at the ends of files")
    if inspection.tonal > len(inspection.seconds) / 2:
        advice.append(TONAL_ADVICE)
    if total < COMFORTABLE_SECONDS:
        advice.append("so little sound is soon learnt by heart: five minutes or more of one kind are better")
    return "; ".join(["will train", *advice])
