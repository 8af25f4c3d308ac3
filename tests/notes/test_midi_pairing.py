"""Which note-off ends which note, and what the sustain pedal holds: worked out by hand, and against a plain queue."""

from collections import defaultdict, deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop.notes.midi_pairing import Control, Note, held, paired

#: Ticks that a note lasts which nothing ends.
LONGEST = 400
UP, DOWN = 0, 127


def one_key(events: str, controls: str = "", pitch: int = 60) -> list[Note]:
    """The notes of one key: "5on 9off" for its presses, "7all" for all notes off, "7sound" for all sound off."""
    presses = [((tick, number), 80 if what == "on" else 0) for number, (tick, what) in enumerate(words(events))]
    numbers = {"all": 123, "sound": 120, "mono": 126, "reset": 121}
    changes = [Control((tick, 1000 + number), numbers[what], 0) for number, (tick, what) in enumerate(words(controls))]
    return paired(pitch, presses, LONGEST, changes)


def words(text: str) -> list[tuple[int, str]]:
    """The tick that each word begins with, and the rest of it."""
    return [(int("".join(filter(str.isdigit, word))), "".join(filter(str.isalpha, word))) for word in text.split()]


def spans(notes: list[Note]) -> list[tuple[int, float]]:
    return sorted((note.struck[0], note.end) for note in notes)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("0on 10off", [(0, 10)]),
        ("0on 10on 11off 20off", [(0, 11), (10, 20)]),  # struck again a little before the release
        ("0on 10on 10off 20off", [(0, 10), (10, 20)]),
        ("0on 10on 12on 13off 14off 30off", [(0, 13), (10, 14), (12, 30)]),
        ("0on 0on 10off 20off", [(0, 10), (0, 20)]),  # two voices on one key
        ("0on 0on 10off 10off", [(0, 10), (0, 10)]),
        ("0on 5on 20off 20off", [(0, 20), (5, 20)]),
        ("0on 0off 10on 20off", [(0, 1), (10, 20)]),  # without length
        ("0on 0off 0on 10off", [(0, 1), (0, 10)]),
        ("5off 10on 20off 30off 40on 50off", [(10, 20), (40, 50)]),  # releases of nothing
        ("0on", [(0, LONGEST)]),  # never released
        ("0on 10on 20off", [(0, 10), (10, 20)]),
        ("0on 900on 910off", [(0, LONGEST), (900, 910)]),
        ("0on 0on 10off", [(0, 10)]),  # struck twice at once, released once
        ("0on 0on 10off 20on 20on 30off", [(0, 10), (20, 30)]),
        ("0on 20on 30off 40on 50off", [(0, 20), (20, 30), (40, 50)]),  # one release is lost, and the rest unharmed
        ("0on 20on 40on 41off 50off 60on 70off", [(0, 20), (20, 41), (40, 50), (60, 70)]),
        ("0on 10off 20on 30on", [(0, 10), (20, 30), (30, 30 + LONGEST)]),
        ("", []),
    ],
)  # fmt: skip
def test_a_note_off_ends_the_note_that_has_sounded_longest(events: str, expected: list[tuple[int, float]]) -> None:
    assert spans(one_key(events)) == expected


@pytest.mark.parametrize(
    ("events", "controls", "expected"),
    [
        ("0on 500off", "30all", [(0, 30)]),
        ("0on 500off", "30sound", [(0, 30)]),
        ("0on 500off", "30mono", [(0, 30)]),
        ("0on 50off", "30reset", [(0, 50)]),
        ("0on", "900all", [(0, 900)]),
        ("10on 50off", "0all 10all", [(10, 50)]),  # told to be silent before it begins
        ("0on 10on 50off 60off 70on 80off", "30all", [(0, 10), (10, 30), (70, 80)]),
        ("0on 40on 50off", "30all 45all 99all", [(0, 30), (40, 45)]),
    ],
)
def test_all_notes_off_ends_them(events: str, controls: str, expected: list[tuple[int, float]]) -> None:
    assert spans(one_key(events, controls)) == expected


PRESSES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1) | st.integers(1, 127)), max_size=40)


@given(steps=PRESSES)
@settings(max_examples=150, deadline=None)
def test_where_every_note_has_its_note_off_it_is_a_queue(steps: list[tuple[int, int]]) -> None:
    presses, tick = [], 0
    for step, velocity in steps:
        tick += step
        presses.append(((tick, len(presses)), velocity))
    missing = 0
    for _, velocity in presses:
        missing = missing + 1 if velocity else max(missing - 1, 0)
    presses += [((tick + 1, len(presses) + k), 0) for k in range(missing)]

    sounding: deque[tuple[int, int]] = deque()
    expected = []
    for (tick, _), velocity in presses:
        if velocity:
            sounding.append((tick, velocity))
        elif sounding:
            start, loudness = sounding.popleft()
            expected.append((start, max(tick, start + 1), loudness))
    assert not sounding
    found = paired(60, presses, LONGEST)
    assert sorted((note.struck[0], note.end, note.velocity) for note in found) == sorted(expected)


@given(steps=PRESSES)
@settings(max_examples=150, deadline=None)
def test_every_note_on_is_a_note_or_struck_again_at_once(steps: list[tuple[int, int]]) -> None:
    presses, tick = [], 0
    for step, velocity in steps:
        tick += step
        presses.append(((tick, len(presses)), velocity))
    notes = paired(60, presses, LONGEST)
    struck = [place[0] for place, velocity in presses if velocity]
    assert {note.struck[0] for note in notes} == set(struck)
    assert len(notes) <= len(struck)
    assert all(note.struck[0] < note.end for note in notes)


# ---- the sustain pedal


def sounding(events: str, last: int = 1000) -> dict[str, float]:
    """When each note of a channel ends: "0C 10c" strikes and releases a key by its letter, "5D" and "9U" put the
    pedal down and up; keys may be told apart by a number behind them. What is written first comes first.
    """
    presses: dict[int, list] = defaultdict(list)
    controls: list[Control] = []
    for number, word in enumerate(events.split()):
        tick, what = int("".join(filter(str.isdigit, word))), "".join(filter(str.isalpha, word))
        place = (tick, number)
        if what in CONTROLS | SOSTENUTO:
            controls.append(Control(place, *(CONTROLS | SOSTENUTO)[what]))
        else:
            presses[ord(what.upper())].append((place, 80 if what.isupper() else 0))
    notes = [note for pitch, of_key in presses.items() for note in paired(pitch, of_key, LONGEST, controls)]
    ends = held(notes, controls, last)
    return {f"{note.struck[0]}{chr(note.pitch)}": end for note, end in zip(notes, ends, strict=True)}


CONTROLS = {
    "down": (64, 127), "up": (64, 0), "half": (64, 64), "nearly": (64, 63), "reset": (121, 0), "notes": (123, 0),
    "silence": (120, 0), "soft": (67, 127),
}  # fmt: skip
SOSTENUTO = {"catch": (66, 127), "drop": (66, 0)}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("0C 10c", {"0C": 10}),
        ("0C 10c 20down 50up", {"0C": 10}),
        ("0down 5C 10c 50up", {"5C": 50}),
        ("0C 5down 10c 50up", {"0C": 50}),
        ("0down 5C 60c 50up", {"5C": 60}),  # the key is held longer than the pedal
        ("0down 5C 10c 20C 30c 50up", {"5C": 20, "20C": 50}),  # struck again
        ("0down 5C 10c 20G 30g 50up", {"5C": 50, "20G": 50}),
        ("0down 5C 10c 40up 40down 60up", {"5C": 40}),  # changed at once
        ("0down 5C 40c 40up 40down 60up", {"5C": 40}),
        ("0down 5C 40up 40down 40c 60up", {"5C": 60}),
        ("0half 5C 10c 50nearly", {"5C": 50}),
        ("0nearly 5C 10c 50half", {"5C": 10}),
        ("0down 3half 4down 5C 10c 50up", {"5C": 50}),
        ("0soft 5C 10c 50up", {"5C": 10}),
        ("0down 5C 10c", {"5C": 1000}),  # still down at the end
        ("0down 5C 10c 30reset", {"5C": 30}),
        ("0down 5C 30notes 50up", {"5C": 50}),  # as if the keys were released
        ("0down 5C 10c 30notes 50up", {"5C": 50}),
        ("0down 5C 10c 30silence 50up", {"5C": 30}),
        ("0down 5C 30silence 35C 40c 50up", {"5C": 30, "35C": 50}),
        ("0down 5C 20C 21c 30c 50up", {"5C": 21, "20C": 50}),  # released after the key was struck again
        ("0down 5C 5C 20c 30c 50up", {"5C": 50}),
    ],
)  # fmt: skip
def test_the_pedal_holds_what_is_released_while_it_is_down(events: str, expected: dict[str, float]) -> None:
    assert sounding(events) == expected


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("0C 5catch 10c 20G 30g 50drop", {"0C": 50, "20G": 30}),  # only keys that were down before it
        ("0catch 5C 10c 50drop", {"5C": 10}),
        ("0C 5catch 10c 20C 30c 50drop", {"0C": 20, "20C": 50}),  # struck again
        ("0C 5catch 10c 12down 20G 30g 40drop 50up", {"0C": 50, "20G": 50}),
        ("0C 5catch 10c 12down 20G 30g 40up 50drop", {"0C": 50, "20G": 40}),
        ("0C 5catch 8G 9catch 10c 20g 50drop", {"0C": 50, "8G": 20}),  # put down once
        ("0C 5catch 10c 30reset", {"0C": 30}),
        ("0C 5catch 10c 30silence 50drop", {"0C": 30}),
        ("0C 5catch 10c", {"0C": 1000}),
    ],
)
def test_the_sostenuto_pedal_holds_the_keys_that_it_caught(events: str, expected: dict[str, float]) -> None:
    assert sounding(events) == expected


CHANNEL = st.lists(st.tuples(st.integers(0, 4), st.sampled_from([*"CcGg", *CONTROLS, "up", "down"])), max_size=40).map(
    lambda steps: [(sum(step for step, _ in steps[: k + 1]), what) for k, (_, what) in enumerate(steps)]
)


@given(events=CHANNEL)
@settings(max_examples=150, deadline=None)
def test_a_note_lasts_until_the_pedal_is_up_or_its_key_is_struck_again(events: list[tuple[int, str]]) -> None:
    presses: dict[int, list] = defaultdict(list)
    controls = []
    for number, (tick, what) in enumerate(events):
        if what in CONTROLS:
            controls.append(Control((tick, number), *CONTROLS[what]))
        else:
            presses[ord(what.upper())].append(((tick, number), 80 if what.isupper() else 0))
    notes = [note for pitch, of_key in presses.items() for note in paired(pitch, of_key, LONGEST, controls)]
    for note, end in zip(notes, held(notes, controls, last=10_000), strict=True):
        assert end == expected_end(note, notes, controls, 10_000)


def expected_end(note: Note, notes: list[Note], controls: list[Control], last: int) -> float:
    """When a note ends, found by looking through all that its channel does."""
    if note.released is None:
        return note.end
    pedal = [c for c in controls if c.place <= note.released and c.controller in (64, 121)]
    is_down = bool(pedal) and pedal[-1].controller == 64 and pedal[-1].value >= 64
    same_key = [other for other in notes if other.pitch == note.pitch and other is not note]
    if not is_down or any(o.struck < note.released for o in same_key if o.released and o.released > note.released):
        return note.end
    after = [c.place[0] for c in controls if c.place >= note.released and is_up(c)]
    struck = [other.struck[0] for other in same_key if other.struck > note.released]
    return max(note.end, min([*after, *struck, last]))


def is_up(change: Control) -> bool:
    return change.controller in (120, 121) or (change.controller == 64 and change.value < 64)
