"""The room: who is heard how loud, who is late, and that live is what it is offline."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from voices import BLOCK, RATE, Constant, Drawing, Echo, Stalled, tone

from live.limiter import AHEAD
from live.pacing import ticks
from live.room import Mixed, Room, budget
from live.slot import BACKLOG
from workshop.errors import UserError
from workshop.run.voice import Block, Knobs, PlayedNote

Make = Callable[..., Room]
SILENCE = np.zeros(BLOCK, np.float32)


def settled(room: Room) -> float:
    """The level that constant networks are mixed to, once the knobs have been passed on to the limiter's end."""
    return float([room.exchange(Block(SILENCE)).samples for _ in range(3)][-1][-1])


# ---- the mix


@pytest.mark.parametrize(
    ("mix", "mix23", "levels"),
    [(0, 0, [0.1, 0.1, 0.1]), (127, 0, [0.0, 0.2, 0.2]), (127, 127, [0.0, 0.0, 0.4]), (0, 127, [0.1, 0.1, 0.1])],
)
def test_the_ends_of_the_crossfades(mix: int, mix23: int, levels: list[float], room: Make) -> None:
    for networks, level in enumerate(levels, 1):
        made = room(*(Constant(0.1 * 2**number) for number in range(networks)))
        made.turn("mix", mix)
        made.turn("mix23", mix23)
        assert settled(made) == pytest.approx(level, abs=1e-6)


def test_between_the_ends_the_first_is_mixed_with_the_mix_of_the_others(room: Make) -> None:
    made = room(Constant(0.1), Constant(0.2), Constant(0.4))
    made.turn("mix", 127 / 4)
    made.turn("mix23", 127 / 2)
    first, third = 32 / 127, 64 / 127
    assert settled(made) == pytest.approx((1 - first) * 0.1 + first * ((1 - third) * 0.2 + third * 0.4), abs=1e-6)


def test_the_volume_turns_down_to_nothing(room: Make) -> None:
    made = room(Constant(0.5))
    assert settled(made) == pytest.approx(0.5)
    made.turn("volume", 0)
    assert settled(made) == 0


def test_a_turned_knob_makes_no_click(room: Make) -> None:
    made = room(Constant(0.5), Constant(-0.5))
    made.turn("mix", 0)
    settled(made)
    made.turn("mix", 127)
    heard = np.concatenate([made.exchange(Block(SILENCE)).samples for _ in range(3)])
    assert np.abs(np.diff(heard)).max() < 0.01
    assert heard[-1] == pytest.approx(-0.5)


def test_knobs_stay_in_their_range() -> None:
    assert Knobs().turned("volume", 900).volume == 127
    assert Knobs().turned("volume", -3).volume == 0
    assert Knobs().heat == 1
    assert Knobs(temperature=0).heat == 0.5
    assert Knobs(follow=0).patience == float("inf")
    assert Knobs(follow=0, press=64).patience == Knobs(follow=64).patience == 0.25


def test_words_and_notes_say_whose_they_are(room: Make) -> None:
    mixed = room(Echo(), Echo()).exchange(Block(SILENCE, "oh\n", (PlayedNote(3, 60, 90),)))
    assert mixed.words == ((1, "oh\n"), (2, "oh\n"))
    assert mixed.notes == ((1, PlayedNote(3, 60, 90)), (2, PlayedNote(3, 60, 90)))


# ---- live is what it is offline


@pytest.mark.parametrize("rates", [(RATE,), (RATE, 16000), (RATE, 16000, 22050)])
def test_live_equals_offline_sample_for_sample(rates: tuple[int, ...], room: Make) -> None:
    """Paced and late by some blocks, with networks that think for different times, and knobs that are turned."""
    heard, prebuffer, blocks = tone(30), 6, 30

    def play(live: bool) -> tuple[np.ndarray, Room]:
        voices = [Drawing(seed, think=0.003 * seed * live, rate=rate) for seed, rate in enumerate(rates)]
        made = room(*voices, prebuffer=prebuffer if live else 0)
        pieces = []
        for number in ticks(blocks, BLOCK / RATE) if live else range(blocks):
            made.turn("temperature", 64 + number)
            made.turn("mix", 4 * number)
            pieces.append(made.exchange(Block(heard[number * BLOCK : (number + 1) * BLOCK])).samples)
        return np.concatenate(pieces), made

    (live, paced), (offline, _) = play(True), play(False)
    assert [slot.counts.late for slot in paced.slots] == [0] * len(rates)
    assert live.any()
    late = prebuffer * BLOCK
    assert not live[:late].any()
    np.testing.assert_array_equal(live[late:], offline[:-late])


def test_live_that_dropped_out_is_not_called_equal(room: Make) -> None:
    """What the test above compares can differ."""
    heard = tone(20)
    one = np.concatenate([m.samples for m in through(room(Drawing(1)), heard)])
    other = np.concatenate([m.samples for m in through(room(Drawing(2)), heard)])
    assert not np.array_equal(one, other)


def through(made: Room, heard: np.ndarray) -> list[Mixed]:
    return [made.exchange(Block(heard[at : at + made.block])) for at in range(0, len(heard), made.block)]


def test_blocks_that_come_in_a_burst_wait_for_their_networks(room: Make) -> None:
    """As through a connection; but not for one that was late just before."""
    made, heard = room(Drawing(1, think=0.003), prebuffer=1), tone(12)
    through(made, heard)
    assert made.slots[0].counts.late > 5
    patient = room(Drawing(1, think=0.003), prebuffer=1, patience=5.0)
    through(patient, heard)
    assert patient.slots[0].counts.late == 0
    hasty = room(Drawing(1, think=0.2), prebuffer=1, patience=0.01)
    begun = time.monotonic()
    through(hasty, heard)
    assert time.monotonic() - begun < 1.2  # half of what waiting for each block would take


# ---- what goes wrong


def test_a_network_that_stands_still_is_counted_said_and_comes_back(room: Make) -> None:
    stalled = Stalled()
    made = room(stalled, Constant(0.2), prebuffer=2)
    heard = tone(60)
    pieces = []
    for number in ticks(60, BLOCK / RATE):
        if number == 20:
            stalled.goes_on.clear()
        if number == 30:
            stalled.goes_on.set()
        pieces.append(made.exchange(Block(heard[number * BLOCK : (number + 1) * BLOCK])).samples)
    late = made.slots[0].counts.late
    assert 8 <= late <= 12
    assert made.slots[1].counts.late == 0
    assert any("network 1 (net1) was late" in sentence for sentence in made.said)
    # The other one is heard all the time, nothing clicks, and in the end both are there again.
    whole = np.concatenate(pieces)
    assert np.abs(np.diff(whole[3 * BLOCK :])).max() < 0.08
    assert whole[26 * BLOCK : 28 * BLOCK] == pytest.approx(0.2 * 64 / 127, abs=1e-3)
    assert np.ptp(pieces[-1]) > 0.2


def test_a_network_that_never_keeps_up_is_silent_and_said_to_be(room: Make) -> None:
    made = room(Drawing(1, think=2.5 * BLOCK / RATE), prebuffer=2)
    pieces = []
    for _ in ticks(75, BLOCK / RATE):
        pieces.append(made.exchange(Block(tone(1))).samples)
    assert any("cannot keep up" in sentence and "--block" in sentence for sentence in made.said)
    assert not np.concatenate(pieces[40:]).any()
    assert made.slots[0].counts.skipped > 10
    assert any("too far behind to hear everything" in sentence for sentence in made.said)


def test_words_and_notes_are_kept_for_a_network_that_skips_input(room: Make) -> None:
    stalled = Stalled()
    made = room(stalled, prebuffer=1)
    stalled.goes_on.clear()
    for letter in "abcdefghijklmnop":
        made.exchange(Block(SILENCE, letter, (PlayedNote(0, ord(letter), 1),)))
    assert made.slots[0].counts.skipped >= 16 - 1 - BACKLOG
    stalled.goes_on.set()
    said: list[str] = []
    keys: list[int] = []
    deadline = time.monotonic() + 10
    while "".join(said) != "abcdefghijklmnop":
        assert time.monotonic() < deadline, said
        mixed = made.exchange(Block(SILENCE))
        said += [words for _, words in mixed.words]
        keys += [note.pitch for _, note in mixed.notes]
        time.sleep(0.01)
    assert bytes(keys).decode() == "".join(said)


@pytest.mark.parametrize("level", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_becomes_silence_and_is_said(level: float, room: Make) -> None:
    made = room(Constant(level), Constant(0.2))
    assert settled(made) == pytest.approx(0.2 * 64 / 127)
    assert made.slots[0].counts.broken == 3
    assert [sentence for sentence in made.said if "no number" in sentence] == [
        "network net1 is silent where this happens: it answered with what is no number"
    ]


@pytest.mark.parametrize(("mistake", "words"), [(UserError("the cure"), "the cure"), (ZeroDivisionError("x"), "x")])
def test_a_mistake_in_a_network_does_not_end_the_others(mistake: Exception, words: str, room: Make) -> None:
    class Wrong(Echo):
        def process(self, block: Block, knobs: Knobs) -> Block:
            raise mistake

    made = room(Wrong(), Constant(0.2))
    assert settled(made) == pytest.approx(0.2 * 64 / 127)
    assert any(words in sentence for sentence in made.said)
    made.slots[0].swap("another", Wrong())
    settled(made)
    assert any("network another is silent" in sentence for sentence in made.said)


@pytest.mark.parametrize("rate", [RATE, 16000])
def test_an_answer_of_another_length_becomes_silence_and_is_said(rate: int, room: Make) -> None:
    class Short(Echo):
        def process(self, block: Block, knobs: Knobs) -> Block:
            return Block(block.samples[1:])

    made = room(Short(rate=rate), Constant(0.2))
    assert settled(made) == pytest.approx(0.2 * 64 / 127)
    assert made.slots[0].counts.broken == 3
    assert any("another number of samples" in sentence for sentence in made.said)


def test_a_swap_has_no_gap_and_no_click(room: Make) -> None:
    made = room(Constant(0.5))
    settled(made)
    made.slots[0].swap("other", Constant(-0.3))
    heard = np.concatenate([made.exchange(Block(SILENCE)).samples for _ in range(5)])
    assert np.abs(np.diff(heard)).max() < 0.02
    assert heard[-1] == pytest.approx(-0.3, abs=1e-3)
    assert made.slots[0].name == "other"
    made.slots[0].swap("a third, at another rate", Constant(0.1, rate=16000))
    assert settled(made) == pytest.approx(0.1, abs=1e-3)


@pytest.mark.parametrize("level", [0.0, 1.0, np.nan])
def test_a_silent_a_clipping_and_a_broken_input_are_said_once_in_a_while(level: float, room: Make) -> None:
    made = room(Echo())
    for _ in range(round(11 * RATE / BLOCK)):
        made.exchange(Block(np.full(BLOCK, level, np.float32)))
    word = "silent" if level == 0 else "clips" if level == 1 else "no number"
    assert [word in sentence for sentence in made.said].count(True) in (1, 2)
    # What is no number is silence as well, and that may be said too.
    assert len(made.said) <= 3


def test_a_good_input_is_not_complained_about(room: Make) -> None:
    made = room(Echo())
    through(made, tone(round(11 * RATE / BLOCK)))
    assert made.said == []


def test_closing_does_not_wait_for_a_network_that_hangs(room: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("live.slot._HANGS", 0.1)
    stalled = Stalled()
    made = room(stalled, prebuffer=1)
    stalled.goes_on.clear()
    made.exchange(Block(SILENCE))
    begun = time.monotonic()
    made.close()
    assert time.monotonic() - begun < 2
    stalled.goes_on.set()


def test_the_latency_budget_adds_up() -> None:
    line = budget(22050, 512, 2, 0.020)
    total = 1000 * (3 * 512 + AHEAD) / 22050 + 20
    assert line.endswith(f"= {total:.1f} ms")
    assert "(2 blocks)" in line
