"""What is known of the data, told to the person who trains."""

from pathlib import Path

from midi_rnn.dataset import Music
from midi_rnn.encoding import ENCODINGS
from midi_rnn.info import MusicInfo
from workshop.notes.midi_rests import MAX_REST_BARS
from workshop.run.experiment import print_skipped
from workshop.visible import visible_line
from workshop.words import plural


def describe(music: Music, path: Path) -> None:
    """Print what was found, and what could not be used and why."""
    facts = music.facts
    files = f"{plural(facts.files, 'file')} found, {facts.read:,} read, {facts.used:,} used"
    size = f"{plural(facts.notes, 'note')}, {facts.minutes:,.1f} minutes"
    print(f"data: {visible_line(str(path))}: {files}: {size}")
    train, held_out = facts.symbols
    pieces = f"{facts.pieces[1]:,} of them ({held_out:,})"
    held = "the end of the one piece" if facts.split == "end of the piece" else pieces
    print(f"  {train + held_out:,} {music.encoding.unit}; held out: {held}")
    if facts.duplicate_files:
        print(f"  {plural(facts.duplicate_files, 'duplicate file')} left out: the same notes as another file")
    if facts.other_notes:
        print(
            f"  several notes at a time, or several tracks, in {plural(facts.polyphonic_files, 'file')}: "
            f"one voice is taken, {plural(facts.other_notes, 'note')} left out"
        )
    if facts.notes_lost:
        print(f"  {plural(facts.notes_lost, 'note')} left out, too close to another one for this encoding")
    if facts.unisons:
        print(f"  {plural(facts.unisons, 'note')} left out, where another voice presses the same key")
    if facts.shortened_rests:
        rests = plural(facts.shortened_rests, "rest")
        print(f"  {rests} of more than {MAX_REST_BARS} bars shortened by whole bars")
    if facts.pedal_notes:
        print(f"  {_pedal(facts)}")
    print_skipped(music.skipped)


def _pedal(facts: MusicInfo) -> str:
    """What the sustain pedal does to the data, in a sentence."""
    pedal = f"sustain pedal in {plural(facts.pedal_files, 'file')}"
    notes = plural(facts.pedal_notes, "note")
    if ENCODINGS[facts.encoding].in_real_time:
        return f"{pedal}: {notes} last until it is up or the key is struck again"
    return f"{pedal}: the melody encoding ignores it, {notes} end with the key; --encoding performance uses it"
