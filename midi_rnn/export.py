"""What the symbols of an exported network mean, so that its notes can be written without the workshop."""

from typing import Any

from midi_rnn.encoding import (
    END,
    FIRST_PITCH,
    HOLD,
    LONGEST_WAIT,
    MELODY_VELOCITY,
    NOTE_OFF,
    PITCHES,
    REST,
    STEPS_PER_BEAT,
    UNIT_SECONDS,
    UNITS_PER_BEAT,
    VELOCITIES,
    VELOCITY,
    WAIT,
    Encoding,
)  # fmt: skip
from midi_rnn.info import MusicInfo
from workshop.notes.midifiles import pitch_name

#: The symbols of each encoding in the order of their numbers, as a word and its number.
_MELODY = [("end", 0), ("rest", 0), ("hold", 0), *(("on", pitch) for pitch in range(PITCHES))]
_PERFORMANCE = [
    ("end", 0),
    *(("on", pitch) for pitch in range(PITCHES)),
    *(("off", pitch) for pitch in range(PITCHES)),
    *(("wait", units) for units in range(1, LONGEST_WAIT + 1)),
    *(("velocity", 4 * level + 2) for level in range(VELOCITIES)),
]
assert (_MELODY[END], _MELODY[REST], _MELODY[HOLD], _MELODY[FIRST_PITCH]) == (
    ("end", 0), ("rest", 0), ("hold", 0), ("on", 0)
)  # fmt: skip


def names(encoding: Encoding) -> list[str]:
    """What each symbol is called, in the order of their numbers."""
    symbols = _PERFORMANCE if encoding.in_real_time else _MELODY
    return [_name(word, number, encoding.in_real_time) for word, number in symbols]


def _name(word: str, number: int, has_releases: bool) -> str:
    if word in ("on", "off"):
        return f"{word} {pitch_name(number)}" if has_releases else pitch_name(number)
    if word == "wait":
        return f"wait {number * UNIT_SECONDS:.2f} s"
    return f"{word} {number}" if word == "velocity" else word


def meaning(encoding: Encoding, data_info: MusicInfo) -> dict[str, Any]:
    """What an exported network says of its symbols.

    Time is counted in units: a symbol of a melody takes one, of a performance only `wait` takes any. `only_after` lists
    for a symbol those that it may follow. `held` is there for a performance: for how long a key may be held, in units,
    how many at once, and the shortest wait.
    """
    in_beats = not encoding.in_real_time
    never = set(range(encoding.vocab_size)) - set(data_info.allowed_symbols)
    held = {}
    if not in_beats:
        # As in generate.py: a key that the training data never lets go has to be released too.
        never -= set(range(NOTE_OFF, WAIT))
        waits = [symbol - WAIT + 1 for symbol in range(WAIT, VELOCITY) if symbol not in never]
        limits = data_info.limits
        held = {
            "longest_note": limits.longest_note if limits else None,
            "voices": limits.voices if limits else PITCHES,
            "shortest_wait": min(waits, default=LONGEST_WAIT),
            "longest_wait": LONGEST_WAIT,
        }
    return {
        "kind": "notes",
        "encoding": encoding.name,
        "symbols": _MELODY if in_beats else _PERFORMANCE,
        "units_per_beat": STEPS_PER_BEAT if in_beats else round(UNITS_PER_BEAT),
        "units_per_symbol": int(in_beats),
        "velocity": MELODY_VELOCITY if in_beats else 4 * (VELOCITIES // 2) + 2,
        "tempo": data_info.tempo,
        "never": sorted(never),
        "only_after": [(HOLD, [HOLD, *range(FIRST_PITCH, encoding.vocab_size)])] if in_beats else [],
        "warm_up": data_info.warm_up,
        **({"held": held} if held else {}),
    }
