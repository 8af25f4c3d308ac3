"""Minutes of sound to learn from without a network: traditional tunes on four instruments, and drum loops.

`python -m workshop.tunes` writes them to ``data/audio/starter``, a folder for each instrument and one for the drums,
with a ``SOURCE.txt``. The tunes are those of the MIDI files, taken from the same corpus and not from these
files: the user may have changed them, and they do not tell where a bar begins.

No tune is played by two instruments: what training holds out would else be a melody that it has heard on another one.
But all have as many tunes of each meter, so that an instrument is not known by its rhythm.
"""

import importlib.metadata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workshop import counting
from workshop.commands import start_sh
from workshop.datasets import corpus, generated_folder, midi_tunes
from workshop.errors import UserError
from workshop.files import write_text
from workshop.notes.abc_fields import WHOLE
from workshop.notes.abc_notation import Melody
from workshop.notes.abc_text import Tune

if TYPE_CHECKING:
    import numpy as np

#: Counted up whenever the sounds below change, or the synthesis or the drums of `workshop.audio`, so that older ones
#: are made again.
EXPORT_VERSION = 1

#: Samples a second.
RATE = 16000
#: About how long an excerpt is: it is a multiple of four bars, the usual phrase.
SECONDS = 20
PHRASE = 4
#: Seconds of fade-out at the end of an excerpt, against a click.
FADE = 0.03
#: Tunes that are looked at, from the first: the corpus is shuffled, so they are of all kinds.
CANDIDATES = 600
#: The meters of each instrument's tunes, about as frequent as in the books, the rarest left out.
METERS = Counter({(6, 8): 2, (2, 2): 2, (2, 4): 1, (4, 4): 1, (3, 4): 1, (9, 8): 1})
DRUMS = "drums"
#: What a SOURCE.txt says of the instruments.
INSTRUMENTS_FROM = (
    "The instruments: their sound comes from TimGM6mb.sf2, a SoundFont by Tim Brechbill under the GNU General",
    "Public License, version 2 (GPL-2), which lies in the installed package pretty_midi. Whether that licence",
    "reaches music played with it nobody can say for certain: say where the sound comes from when you pass it on.",
)
#: Whether a folder has what is made here, or the user's own.
is_exported = generated_folder.is_there


@dataclass(frozen=True)
class Instrument:
    """Who plays tunes.

    Attributes:
        name: of its folder.
        program: General MIDI program, from 0.
        pitches: what it plays, as tunes are written.
        semitones: by how much it sounds higher than written.
    """

    name: str
    program: int
    pitches: range
    semitones: int = 0


INSTRUMENTS = (
    Instrument("flute", 73, range(60, 97)),
    Instrument("violin", 40, range(55, 97)),
    # Music for guitars is written an octave higher than it sounds.
    Instrument("guitar", 24, range(52, 89), -12),
    Instrument("piano", 0, range(48, 97)),
)


@dataclass(frozen=True)
class Excerpt:
    """Some bars of a tune: its number from 1, the tune, what is played from its first bar on, and how many bars."""

    number: int
    tune: Tune
    melody: Melody
    bars: int

    @property
    def samples(self) -> int:
        """How long it sounds."""
        return round(self.bars * _seconds(self.melody) * RATE)


def export(folder: Path) -> bool:
    """Write the sounds and ``SOURCE.txt`` to ``folder`` unless up to date; return whether they were written.

    A folder that was modified by the user stays as it is.

    Raises:
        UserError: music21 or pretty_midi is not installed, or ``folder`` cannot be written to.
    """
    place, version = corpus.find_corpus()
    stamp = (
        f"Made by python -m workshop.tunes (sounds {EXPORT_VERSION} of MIDI export {midi_tunes.EXPORT_VERSION} of ABC "
        f"export {corpus.EXPORT_VERSION}) from music21 {version} and pretty_midi {soundfont_version()}."
    )
    return generated_folder.make(
        folder, stamp, lambda aside: _write_all(aside, stamp, assign_instruments(corpus.collect(place)))
    )


def soundfont_version() -> str:
    """The version of the package that the instruments come with.

    Raises:
        UserError: it is not installed.
    """
    try:
        return importlib.metadata.version("pretty_midi")
    except importlib.metadata.PackageNotFoundError:
        raise UserError(
            f"pretty_midi, which brings the instruments, is not installed; run {start_sh()}, which installs it"
        ) from None


def assign_instruments(candidates: list[Tune]) -> dict[Instrument, list[Excerpt]]:
    """Give each instrument excerpts of tunes that it can play, as many of each meter as `METERS` says.

    Where there are too few, some get fewer.
    """
    dealt: dict[Instrument, list[Excerpt]] = {instrument: [] for instrument in INSTRUMENTS}
    missing = {instrument: METERS.copy() for instrument in INSTRUMENTS}
    chosen, _ = midi_tunes.select(candidates[:CANDIDATES])
    for number, tune, melody in chosen:
        excerpt = _excerpt(number, tune, melody)
        if excerpt is None:
            continue
        pitches = [pitch for _, _, pitch in excerpt.melody.notes]
        for instrument in INSTRUMENTS:
            fits = min(pitches) in instrument.pitches and max(pitches) in instrument.pitches
            if fits and missing[instrument][melody.meter] > 0:
                missing[instrument][melody.meter] -= 1
                dealt[instrument].append(excerpt)
                break
    return dealt


def _excerpt(number: int, tune: Tune, melody: Melody) -> Excerpt | None:
    """The phrases of a tune in which the most bars are new, the first of them; None where it is too short.

    Repeats are played out, and a part that is heard twice would be half of an excerpt from the beginning.
    """
    bars = PHRASE * max(1, round(SECONDS / _seconds(melody) / PHRASE))
    upbeat = melody.notes[0][0] > 0
    # The last bar is often short of its upbeat.
    end = -(-(melody.notes[-1][0] + melody.notes[-1][1]) // melody.bar)
    starts = range(int(upbeat), end - bars + 1, PHRASE)
    if not starts:
        return None
    contents = {bar: _cut(melody, bar, 1) for bar in range(end)}
    start = max(starts, key=lambda start: len({tuple(contents[bar]) for bar in range(start, start + bars)}))
    notes = _cut(melody, start, bars)
    return Excerpt(number, tune, Melody(notes, melody.meter, melody.bar), bars) if notes else None


def _cut(melody: Melody, start: int, bars: int) -> list[tuple[int, int, int]]:
    """The notes of some bars, in ticks from the first of them on; what is held over their edges is cut."""
    first, last = start * melody.bar, (start + bars) * melody.bar
    return [
        (max(begin, first) - first, min(begin + length, last) - max(begin, first), pitch)
        for begin, length, pitch in melody.notes
        if begin < last and begin + length > first
    ]


def _seconds(melody: Melody) -> float:
    """How long a bar is."""
    return melody.bar * 4 / WHOLE * 60 / _tempo(melody)


def _tempo(melody: Melody) -> int:
    """Quarter notes a minute."""
    return midi_tunes.TEMPOS.get(melody.meter, midi_tunes.OTHER_TEMPO)


def play(excerpt: Excerpt, instrument: Instrument) -> "np.ndarray":
    """Return an excerpt as sound, float32 [excerpt.samples] at `RATE`."""
    import numpy as np

    from workshop.audio import synthesis

    notes = midi_tunes.note_table(excerpt.melody)
    notes[:, :2] *= 60 / _tempo(excerpt.melody)
    notes[:, 2] += instrument.semitones
    sound = synthesis.render(notes, instrument.program, RATE)[: excerpt.samples]
    sound = np.pad(sound, (0, excerpt.samples - len(sound)))
    fade = round(FADE * RATE)
    sound[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return sound


def _write_all(folder: Path, stamp: str, dealt: dict[Instrument, list[Excerpt]]) -> None:
    """Write the sounds, then SOURCE.txt."""
    # Imported late: numpy is not needed when the export is up to date.
    from workshop.audio import drums, synthesis

    loops = drums.loops()
    total = sum(map(len, dealt.values())) + len(loops)
    samples = 0
    with counting.bar(total, " files", "writing sounds") as bar:
        for instrument, excerpts in dealt.items():
            for excerpt in excerpts:
                name = midi_tunes.file_name(excerpt.number, excerpt.tune.title)
                path = (folder / instrument.name / name).with_suffix(".wav")
                synthesis.write_wav(path, play(excerpt, instrument), RATE)
                samples += excerpt.samples
                bar.update()
        for name, tempo in loops:
            sound = drums.loop(name, tempo, RATE)
            synthesis.write_wav(folder / DRUMS / f"{name}_{tempo:03d}.wav", sound, RATE)
            samples += len(sound)
            bar.update()
    digest = generated_folder.digest(folder)
    write_text(folder / "SOURCE.txt", _source(stamp, digest, dealt, samples / RATE / 60))


def _source(stamp: str, digest: str, dealt: dict[Instrument, list[Excerpt]], minutes: float) -> str:
    from workshop.audio import drums

    tunes = [excerpt.tune for excerpts in dealt.values() for excerpt in excerpts]
    players = ", ".join(f"{one.name} (General MIDI program {one.program + 1})" for one in dealt)
    lines = [
        f"{minutes:.0f} minutes of sound: excerpts of {len(tunes)} traditional tunes, and "
        f"{len(drums.loops())} drum loops; mono, {RATE:,} samples a second, 16 bits.",
        "",
        stamp,
        f"The sound files have the sha256 {digest}",
        "",
        f"The tunes: played by {players}, each tune by one of them.",
        "An excerpt begins with a bar and ends with one. The number in a file's name is that of the tune in the ABC",
        "export, data/lyrics/tunes/input.txt. Tempos, instruments and the louder first beat are this workshop's.",
        "",
        *corpus.credits_of(tunes),
        "Thank you to all who typed them in.",
        "",
        *INSTRUMENTS_FROM,
        "",
        f"The drums (the folder {DRUMS}): made of sine waves and noise by this workshop, two bars each, the tempo in",
        "the file's name; to the extent possible under law its authors waive all rights to them (CC0 1.0).",
        "",
    ]
    return "\n".join(lines)
