"""Which channels of a MIDI file play drums: the tenth of General MIDI, and those that GS, XG and GM2 files name."""

import re
from collections.abc import Iterable
from typing import TypeVar

#: General MIDI plays drums on this channel, counted from 0.
DRUM_CHANNEL = 9
#: The control change that selects a bank; its value decides, within a system, whether a channel plays drums.
BANK = 0
#: System exclusive messages that switch a system on, and its banks of drums and noises. Elsewhere these banks hold
#: instruments: those of the MT-32 in GS.
SYSTEMS = (
    (re.compile(rb"\x43[\x10-\x1f]\x4c\0\0\x7e\0", re.DOTALL), (126, 127)),  # XG
    (re.compile(rb"\x7e.\x09\x03", re.DOTALL), (120,)),  # GM2
)
#: System exclusive messages about a channel, whose last byte is 0 for notes: of GS, by its number of a part, and of XG.
GS_PART = re.compile(rb"\x41.\x42\x12\x40([\x10-\x1f])\x15(.)", re.DOTALL)
XG_PART = re.compile(rb"\x43[\x10-\x1f]\x4c\x08([\0-\x0f])\x07(.)", re.DOTALL)
#: The channels of the parts of GS: the tenth comes first.
GS_CHANNELS = (9, *range(9), *range(10, 16))

_Channel = TypeVar("_Channel", bound=tuple[int, ...])


class DrumSettings:
    """What a track says about drums.

    Attributes:
        banks: by channel: the bank of its first note.
        told: by channel: whether it is made a channel of drums.
        drum_banks: the banks of drums, by the systems that are switched on.
    """

    def __init__(self) -> None:
        self.banks: dict[int, int] = {}
        self.told: dict[int, bool] = {}
        self.drum_banks: set[int] = set()

    def read(self, message: bytes) -> None:
        """Take note of a system exclusive message, without its status."""
        for switched_on, banks in SYSTEMS:
            if switched_on.match(message):
                self.drum_banks.update(banks)
        if found := GS_PART.match(message):
            self.told[GS_CHANNELS[found[1][0] & 0xF]] = found[2] != b"\0"
        elif found := XG_PART.match(message):
            self.told[found[1][0]] = found[2] != b"\0"


def drum_channels(tracks: Iterable[tuple[DrumSettings, dict[int, _Channel]]]) -> set[_Channel]:
    """The channels that play drums.

    Args:
        tracks: what each track says, and what tells each of its channels, by number, from all others of the file.
    """
    tracks = list(tracks)
    drum_banks = {bank for settings, _ in tracks for bank in settings.drum_banks}
    found: dict[_Channel, bool] = {}
    for _, names in tracks:
        found[names[DRUM_CHANNEL]] = True
    for settings, names in tracks:
        found |= {names[channel]: True for channel, bank in settings.banks.items() if bank in drum_banks}
    for settings, names in tracks:
        found |= {names[channel]: is_drums for channel, is_drums in settings.told.items()}
    return {name for name, is_drums in found.items() if is_drums}
