"""Inspect MIDI files before training: their contents, unusable files with the reason, and the best encoding.

The files are read, and what was read is kept, as training does it: what is inspected once trains at once.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from workshop.counting import counted
from workshop.datasets.inspection_report import format_report, training_time
from workshop.folders import left_aside
from workshop.notes.midi_rests import MAX_REST_BARS, rests
from workshop.notes.midifiles import Score, find_midi_files, pitch_name
from workshop.notes.midilibrary import read_all
from workshop.words import plural

#: Below this a network has not seen enough to go on from; training itself is content with a window.
MINIMUM_NOTES = 1_000
#: Below this a network soon knows the tunes by heart.
COMFORTABLE_NOTES = 20_000
#: Music in which at most this share of the notes begins while another one sounds is called one voice.
ONE_VOICE = 0.05
#: Music of which a smaller share begins on sixteenths was played freely.
STRICT = 0.7
#: How far from a sixteenth, in beats, a note may begin to be called on the grid.
ON_GRID = 0.02


@dataclass
class MidiInspection:
    """What was found out about a set of MIDI files.

    Attributes:
        path: the file or folder that was looked at.
        found: how many MIDI files it has.
        used: files with notes that are not drums.
        skipped: a sentence for each file that cannot be used.
        duplicates: files with the same bytes as another one.
        aside: what else is there, as `folders.left_aside` says it.
        notes: notes that are not drums.
        drum_notes: the others.
        minutes: how long the files last, by their tempos.
        together: notes that begin while another one sounds.
        on_grid: notes that begin on a sixteenth.
        beats: how long the files last, from their beginning to their last note.
        long_rests: silences of more than `MAX_REST_BARS` bars, before the first note or in the middle.
        silent_beats: how long these last.
        longest_rest: the longest of them, in beats.
        pedal_notes: notes that the sustain pedal holds beyond their own ends.
        pedal_files: files with such notes.
        parts: number of files by number of parts that are not drums.
        pitches: lowest and highest pitch.
        tempos: beats a minute at the beginning of each file.
    """

    path: Path
    found: int = 0
    used: int = 0
    skipped: list[str] = field(default_factory=list)
    duplicates: int = 0
    aside: str = ""
    notes: int = 0
    drum_notes: int = 0
    minutes: float = 0.0
    together: int = 0
    on_grid: int = 0
    beats: float = 0.0
    long_rests: int = 0
    silent_beats: float = 0.0
    longest_rest: float = 0.0
    pedal_notes: int = 0
    pedal_files: int = 0
    parts: Counter[int] = field(default_factory=Counter)
    pitches: tuple[int, int] = (127, 0)
    tempos: list[float] = field(default_factory=list)

    @property
    def will_train(self) -> bool:
        """Whether a lesson that trains on this has enough to learn from."""
        return self.notes >= MINIMUM_NOTES

    @property
    def is_one_voice(self) -> bool:
        """Whether hardly any notes sound together."""
        return self.together <= ONE_VOICE * self.notes


def inspect_midi(path: Path) -> MidiInspection:
    """Read the MIDI files at `path` and return their statistics.

    Raises:
        UserError: there is no such path, or no MIDI file in it.
    """
    files = find_midi_files(path)
    library = read_all(files)
    inspection = MidiInspection(
        path, len(files), duplicates=len(library.duplicates), aside=left_aside(path, files, "MIDI")
    )
    inspection.skipped = list(library.skipped.values())
    for file, score in counted(library.scores.items(), len(library.scores), "analysing their notes"):
        if len(score.pitched):
            _add(inspection, score)
        else:
            inspection.skipped.append(f"{file} holds {'only drums' if len(score.notes) else 'no notes'}")
    return inspection


def _add(inspection: MidiInspection, score: Score) -> None:
    notes = score.pitched
    inspection.used += 1
    inspection.notes += len(notes)
    inspection.drum_notes += len(score.notes) - len(notes)
    inspection.minutes += float(score.seconds(notes[:, 1]).max()) / 60
    reached = np.maximum.accumulate(notes[:, 1])
    inspection.together += int((notes[1:, 0] < reached[:-1]).sum())
    steps = notes[:, 0] * 4
    inspection.on_grid += int((np.abs(steps - np.round(steps)) <= 4 * ON_GRID).sum())
    silence, surplus = rests(notes, score.bars)
    long = silence[surplus > 0]
    inspection.beats += float(reached[-1])
    inspection.long_rests += len(long)
    inspection.silent_beats += float(long.sum())
    inspection.longest_rest = max(inspection.longest_rest, float(long.max(initial=0)))
    inspection.pedal_notes += len(score.held)
    inspection.pedal_files += len(score.held) > 0
    inspection.parts[sum(not part.is_drums for part in score.parts)] += 1
    lowest, highest = inspection.pitches
    inspection.pitches = min(lowest, int(notes[:, 2].min())), max(highest, int(notes[:, 2].max()))
    inspection.tempos.append(60 / float(score.tempos[np.searchsorted(score.tempos[:, 0], notes[0, 0], "right") - 1, 1]))


def report(inspection: MidiInspection) -> str:
    """What a person should know, in aligned lines, the verdict last."""
    aside = f", {len(inspection.skipped):,} skipped" if inspection.skipped else ""
    files = plural(inspection.found, "MIDI file")
    rows = [("files", f"{files} in {inspection.path}: {inspection.used:,} with notes{aside}")]
    if inspection.used:
        low, high = inspection.pitches
        drums = f" (and {inspection.drum_notes:,} of drums, which are left out)" if inspection.drum_notes else ""
        rows += [
            ("size", f"{inspection.notes:,} notes{drums}, {inspection.minutes:,.0f} minutes"),
            ("parts", ", ".join(f"{plural(n, 'file')} with {k}" for k, n in sorted(inspection.parts.items()))),
            ("pitches", f"{pitch_name(low)} to {pitch_name(high)}"),
            ("tempo", f"{np.median(inspection.tempos):.0f} beats a minute (the median)"),
            ("together", f"{inspection.together / inspection.notes:.0%} of the notes begin while another one sounds"),
            ("grid", f"{inspection.on_grid / inspection.notes:.0%} of the notes begin on a sixteenth"),
            ("silence", _silence(inspection)),
        ]
        if inspection.pedal_notes:
            rows.append(("pedal", _pedal(inspection)))
        rows += [
            ("duplicates", f"{inspection.duplicates:,} (left out in training)" if inspection.duplicates else "none"),
        ]
    if inspection.will_train:
        rows.append(("training", training_time(inspection.notes, "MIDI")))
    return format_report(rows, inspection.aside, inspection.skipped, verdict(inspection))


def _silence(inspection: MidiInspection) -> str:
    """How much of the music is silence."""
    if not inspection.long_rests:
        return f"no rest of more than {MAX_REST_BARS} bars"
    share = inspection.silent_beats / inspection.beats
    long = f"{plural(inspection.long_rests, 'rest')} of more than {MAX_REST_BARS} bars"
    return f"{share:.0%} of the time: {long}, the longest {inspection.longest_rest:,.0f} beats; training shortens them"


def _pedal(inspection: MidiInspection) -> str:
    """How much the sustain pedal holds, and which encoding uses it."""
    return (
        f"holds {plural(inspection.pedal_notes, 'note')} in {plural(inspection.pedal_files, 'file')}: "
        "--encoding performance uses it, --encoding melody ignores it"
    )


def verdict(inspection: MidiInspection) -> str:
    """Whether it will train, with which encoding, and what would make it better or possible."""
    if not inspection.used:
        return "will not train: none of the files has notes; see above"
    if not inspection.will_train:
        has = f"{inspection.notes:,}"
        return f"too short: needs at least {MINIMUM_NOTES:,} notes, has {has}; add more files"
    suits = "will train with --encoding melody"
    if not inspection.is_one_voice:
        suits = "will train with --encoding performance; with --encoding melody one voice of each file is taken"
    elif inspection.on_grid < STRICT * inspection.notes:
        suits = "will train with --encoding performance; --encoding melody would move its notes to sixteenths"
    if inspection.notes < COMFORTABLE_NOTES:
        return (
            f"{suits}; with so little music the network soon learns it by heart: add more, up to {COMFORTABLE_NOTES:,} "
            "notes, or vary it with --transpose 5"
        )
    return suits
