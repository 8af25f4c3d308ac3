"""The instruments of General MIDI by number and by name."""

import argparse
import difflib
import re

#: The names of the programs 0 to 127, as the MIDI Association spells them.
INSTRUMENTS = (
    # piano
    "Acoustic Grand Piano", "Bright Acoustic Piano", "Electric Grand Piano", "Honky-tonk Piano",
    "Electric Piano 1", "Electric Piano 2", "Harpsichord", "Clavinet",
    # chromatic percussion
    "Celesta", "Glockenspiel", "Music Box", "Vibraphone", "Marimba", "Xylophone", "Tubular Bells", "Dulcimer",
    # organ
    "Drawbar Organ", "Percussive Organ", "Rock Organ", "Church Organ",
    "Reed Organ", "Accordion", "Harmonica", "Tango Accordion",
    # guitar
    "Acoustic Guitar (nylon)", "Acoustic Guitar (steel)", "Electric Guitar (jazz)", "Electric Guitar (clean)",
    "Electric Guitar (muted)", "Overdriven Guitar", "Distortion Guitar", "Guitar Harmonics",
    # bass
    "Acoustic Bass", "Electric Bass (finger)", "Electric Bass (pick)", "Fretless Bass",
    "Slap Bass 1", "Slap Bass 2", "Synth Bass 1", "Synth Bass 2",
    # strings
    "Violin", "Viola", "Cello", "Contrabass", "Tremolo Strings", "Pizzicato Strings", "Orchestral Harp", "Timpani",
    # ensemble
    "String Ensemble 1", "String Ensemble 2", "Synth Strings 1", "Synth Strings 2",
    "Choir Aahs", "Voice Oohs", "Synth Choir", "Orchestra Hit",
    # brass
    "Trumpet", "Trombone", "Tuba", "Muted Trumpet", "French Horn", "Brass Section", "Synth Brass 1", "Synth Brass 2",
    # reed
    "Soprano Sax", "Alto Sax", "Tenor Sax", "Baritone Sax", "Oboe", "English Horn", "Bassoon", "Clarinet",
    # pipe
    "Piccolo", "Flute", "Recorder", "Pan Flute", "Blown Bottle", "Shakuhachi", "Whistle", "Ocarina",
    # synth lead
    "Lead 1 (square)", "Lead 2 (sawtooth)", "Lead 3 (calliope)", "Lead 4 (chiff)",
    "Lead 5 (charang)", "Lead 6 (voice)", "Lead 7 (fifths)", "Lead 8 (bass + lead)",
    # synth pad
    "Pad 1 (new age)", "Pad 2 (warm)", "Pad 3 (polysynth)", "Pad 4 (choir)",
    "Pad 5 (bowed)", "Pad 6 (metallic)", "Pad 7 (halo)", "Pad 8 (sweep)",
    # synth effects
    "FX 1 (rain)", "FX 2 (soundtrack)", "FX 3 (crystal)", "FX 4 (atmosphere)",
    "FX 5 (brightness)", "FX 6 (goblins)", "FX 7 (echoes)", "FX 8 (sci-fi)",
    # ethnic
    "Sitar", "Banjo", "Shamisen", "Koto", "Kalimba", "Bagpipe", "Fiddle", "Shanai",
    # percussive
    "Tinkle Bell", "Agogo", "Steel Drums", "Woodblock", "Taiko Drum", "Melodic Tom", "Synth Drum", "Reverse Cymbal",
    # sound effects
    "Guitar Fret Noise", "Breath Noise", "Seashore", "Bird Tweet",
    "Telephone Ring", "Helicopter", "Applause", "Gunshot",
)  # fmt: skip

#: Maximal number of suggestions for an ambiguous name.
_OFFERED = 6


def instrument(text: str) -> int:
    """The number, 0 to 127, of an instrument that is given by its number or its name: an argument's type.

    Upper and lower case, spaces, hyphens and the like do not matter. Of a name, some of its words are enough, or its
    beginning, or the beginnings of its words, where they fit exactly one instrument; the whole name always means its
    own.

    Raises:
        argparse.ArgumentTypeError: it is neither; the message offers the nearest names.
    """
    if re.fullmatch(r"[-+]?\d{1,9}", text.strip(), re.ASCII):
        number = int(text)
        if 0 <= number < len(INSTRUMENTS):
            return number
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an instrument's number: those go from 0 to {len(INSTRUMENTS) - 1}"
        )
    fitting = _fitting(text)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        offered = ", ".join(INSTRUMENTS[number] for number in fitting[:_OFFERED])
        more = ", ..." if len(fitting) > _OFFERED else ""
        raise argparse.ArgumentTypeError(f"{text!r} is not one instrument but several: {offered}{more}")
    raise argparse.ArgumentTypeError(
        f"{text!r} is not an instrument: take a number from 0 to {len(INSTRUMENTS) - 1} or a General MIDI name, "
        f"such as {', '.join(_nearest(text))}"
    )


def _plain(text: str) -> str:
    """Letters and digits alone, in lower case."""
    return "".join(_words(text))


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _fitting(text: str) -> list[int]:
    """The instruments that match a name, by the strictest comparison with a match."""
    wanted, words = _plain(text), _words(text)
    if not wanted:
        return []
    ways = (
        lambda name: _plain(name) == wanted,
        lambda name: set(words) <= set(_words(name)),
        lambda name: _plain(name).startswith(wanted),
        lambda name: all(any(own.startswith(word) for own in _words(name)) for word in words),
    )
    for way in ways:
        found = [number for number, name in enumerate(INSTRUMENTS) if way(name)]
        if found:
            return found
    return []


def _nearest(text: str) -> list[str]:
    """Three names: those with the most likeness to a text, as a whole or in one of their words."""
    wanted = _plain(text)

    def likeness(name: str) -> float:
        return max(difflib.SequenceMatcher(None, wanted, part).ratio() for part in (_plain(name), *_words(name)))

    return sorted(INSTRUMENTS, key=likeness, reverse=True)[:3]
