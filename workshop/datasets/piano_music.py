"""More than an hour of solo piano to learn from without a network: traditional tunes, each with a bass.

`data/audio/piano` is made when it is first trained on, or by `python -m workshop.datasets get piano`, and not when the
workshop is set up: it takes some seconds, and 160 MB. The tunes are those of `midi_tunes`, from the same corpus.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from workshop import ROOT
from workshop.datasets import corpus, generated_folder, midi_tunes, starter_sounds
from workshop.files import write_text
from workshop.notes.abc_notation import Melody
from workshop.notes.abc_text import Tune

if TYPE_CHECKING:
    import numpy as np

#: Counted up whenever the sounds below change, or the synthesis of `workshop.audio`, so that older ones are made again.
EXPORT_VERSION = 1

FOLDER = ROOT / "data" / "audio" / "piano"
#: Samples a second.
RATE = 22_050
#: Tunes are taken until they last so long, from the first on: the corpus is shuffled, so they are of all kinds.
MINUTES = 62
CANDIDATES = 400
#: General MIDI program, counted from 0; semitones from a note of the tune to the bass under it, and how loud that is.
PIANO, BASS, BASS_VELOCITY = 0, -24, 64
LOWEST = 28

#: Whether a folder has what is made here, or the user's own.
is_exported = generated_folder.is_there


def make_if_missing(folder: Path) -> None:
    """Make the set where it is missing; see `generated_folder.make_if_missing`."""
    said = f"{MINUTES} minutes of piano are played into {folder}, once: some seconds, 160 MB"
    generated_folder.make_if_missing(folder, FOLDER, export, said)


def export(folder: Path) -> bool:
    """Write the sounds and ``SOURCE.txt`` to ``folder`` unless up to date; return whether they were written.

    A folder that was modified by the user stays as it is.

    Raises:
        UserError: music21 or pretty_midi is not installed, or ``folder`` cannot be written to.
    """
    place, version = corpus.find_corpus()
    stamp = (
        f"Made by workshop.datasets.piano_music (piano {EXPORT_VERSION} of MIDI export {midi_tunes.EXPORT_VERSION} of "
        f"ABC export {corpus.EXPORT_VERSION}) from music21 {version} and pretty_midi "
        f"{starter_sounds.soundfont_version()}."
    )
    return generated_folder.make(folder, stamp, lambda aside: _write_all(aside, stamp, corpus.collect(place)))


def play(melody: Melody) -> "np.ndarray":
    """A tune on the piano, float32 [N] at `RATE`: under the first note of each bar lies one two octaves lower, until
    the next bar.
    """
    import numpy as np

    from workshop.audio import synthesis

    notes = midi_tunes.note_table(melody)
    per_bar: dict[int, np.ndarray] = {}
    for note, (start, _, _) in zip(notes, melody.notes, strict=True):
        per_bar.setdefault(start // melody.bar, note)
    beats = melody.bar * notes[-1, 1] / (melody.notes[-1][0] + melody.notes[-1][1])
    low = [
        (start, (bar + 1) * beats, max(pitch + BASS, LOWEST), BASS_VELOCITY)
        for bar, (start, _, pitch, _) in per_bar.items()
    ]
    played = np.concatenate([notes, low])
    played[:, :2] *= 60 / midi_tunes.usual_tempo(melody)
    return synthesis.render(played[np.argsort(played[:, 0], kind="stable")], PIANO, RATE)


def _write_all(folder: Path, stamp: str, candidates: list[Tune]) -> None:
    """Write the sounds, then SOURCE.txt."""
    from workshop import counting
    from workshop.audio import synthesis

    chosen, _ = midi_tunes.select(candidates[:CANDIDATES])
    seconds, tunes = 0.0, []
    with counting.bar(MINUTES, " minutes", "piano") as bar:
        for number, tune, melody in chosen:
            if seconds >= 60 * MINUTES:
                break
            sound = play(melody)
            name = midi_tunes.file_name(number, tune.title)
            synthesis.write_wav((folder / name).with_suffix(".wav"), sound, RATE)
            tunes.append(tune)
            before, seconds = seconds, seconds + len(sound) / RATE
            bar.update(int(seconds // 60 - before // 60))
    write_text(folder / "SOURCE.txt", _source(stamp, generated_folder.digest(folder), tunes, seconds / 60))


def _source(stamp: str, digest: str, tunes: list[Tune], minutes: float) -> str:
    lines = [
        f"{minutes:.0f} minutes of solo piano: {len(tunes)} traditional tunes; mono, {RATE:,} samples a second.",
        "",
        stamp,
        f"The sound files have the sha256 {digest}",
        "",
        "The number in a file's name is that of the tune in the ABC export, data/lyrics/tunes/input.txt. Tempos,",
        "basses and the louder first beat are this workshop's.",
        "",
        *corpus.credits_of(tunes),
        "Thank you to all who typed them in.",
        "",
        *starter_sounds.INSTRUMENTS_FROM,
        "",
    ]
    return "\n".join(lines)
