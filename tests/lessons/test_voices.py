"""The voices of texts and notes, with networks whose answers are known."""

import threading

import numpy as np
import pytest

from char_rnn.voice import RATE as TEXT_RATE
from char_rnn.voice import TextVoice
from midi_rnn.encoding import ENCODINGS, FIRST_PITCH
from midi_rnn.voice import REST, NotesVoice
from workshop.audio.synthesis import RATE
from workshop.run.phrases import THINKING
from workshop.run.voice import Block, Knobs, Mode, PlayedNote, Voice

#: Blocks of a quarter of a second.
QUARTERS = 4
HOT = Knobs(temperature=127)


def hear(voice: Voice, count: int, heard: dict[int, Block] | None = None, knobs: Knobs | None = None) -> list[Block]:
    """The answers to so many blocks of a quarter of a second."""
    silence = Block(np.zeros(voice.rate // QUARTERS, np.float32))
    return [voice.process((heard or {}).get(number, silence), knobs or Knobs()) for number in range(count)]


def block(rate: int, words: str = "", *notes: PlayedNote) -> Block:
    return Block(np.zeros(rate // QUARTERS, np.float32), words, notes)


# ---- texts


class Writer:
    """Answers with a line that counts, and a second one that is not wanted."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float, int]] = []

    def __call__(self, text: str, length: int, heat: float, seed: int) -> str:
        self.asked.append((text, heat, seed))
        return f"\nline {len(self.asked)}\nand another"


def typed(*lines: str, mode: Mode = "call", knobs: Knobs | None = None) -> tuple[list[str], Writer]:
    writer = Writer()
    given = {number: block(TEXT_RATE, words) for number, words in enumerate(lines)}
    return [answer.words for answer in hear(TextVoice(writer, mode, 7), 24, given, knobs)], writer


def test_a_line_is_answered_a_second_after_it_has_ended() -> None:
    words, writer = typed("oh", " my\n", knobs=HOT)
    assert {number: line for number, line in enumerate(words) if line} == {2 + QUARTERS * THINKING: "line 1\n"}
    assert writer.asked == [("oh my\n", HOT.heat, 7)]


def test_lines_are_answered_in_turn_with_what_was_before_in_mind() -> None:
    words, writer = typed("one\n", "two\n", "and no more")
    assert [line for line in words if line] == ["line 1\n", "line 2\n"]
    assert writer.asked[1] == ("one\nline 1\ntwo\n", 1.0, 8)


def test_in_the_continuous_mode_it_writes_by_itself() -> None:
    words, _ = typed(mode="continuous")
    assert [line for line in words if line] == [f"line {number}\n" for number in range(1, 5)]


def test_an_answer_that_takes_long_comes_when_it_was_to_come() -> None:
    """So that live is the same as offline: whoever is late is waited for, and counted by the room."""
    ready = threading.Event()

    class Slow(Writer):
        def __call__(self, text: str, length: int, heat: float, seed: int) -> str:
            assert ready.wait(10)
            return super().__call__(text, length, heat, seed)

    voice = TextVoice(Slow(), "call", 7)
    assert not any(answer.words for answer in hear(voice, 4, {0: block(TEXT_RATE, "oh\n")}))
    threading.Timer(0.05, ready.set).start()
    assert [answer.words for answer in hear(voice, 2)] == ["", "line 1\n"]


# ---- notes


class Player:
    """Answers with a C of a quarter of a beat, and then a rest, whatever was played."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[int], int, float, int]] = []

    def __call__(self, symbols: np.ndarray, length: int, heat: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        self.asked.append((symbols.tolist(), length, heat, seed))
        answer = np.array([FIRST_PITCH + 60, *[1] * (length - 1)])
        return answer, ENCODINGS["melody"].decode(answer)


def play(mode: Mode = "call", knobs: Knobs | None = None) -> tuple[list[Block], Player]:
    """A D and an E, each of half a second, which is a beat."""
    player = Player()
    keys = {0: (62, 90), 2: (62, 0), 3: (64, 80), 5: (64, 0)}
    given = {number: block(RATE, "", PlayedNote(0, *key)) for number, key in keys.items()}
    return hear(
        NotesVoice(player, ENCODINGS["melody"], 120, mode, 7), 30, given if mode == "call" else {}, knobs
    ), player


def test_what_was_played_is_answered_after_a_rest() -> None:
    answers, player = play(knobs=HOT)
    ((symbols, length, heat, seed),) = player.asked
    hold, rest = 2, 1
    assert symbols == [FIRST_PITCH + 62, *[hold] * 3, *[rest] * 2, FIRST_PITCH + 64, *[hold] * 3]
    assert (length, heat, seed) == (16, HOT.heat, 7)
    # The last key went up as block 5 began; a rest later it is a phrase, and a second later the answer begins. Blocks
    # are half a sample shorter than a quarter of a second, so that a rest takes one more.
    begins = 5 + QUARTERS * (REST + THINKING) + 1
    sounding = [number for number, answer in enumerate(answers) if answer.samples.any()]
    assert sounding[0] == begins
    notes = [(number, note) for number, answer in enumerate(answers) for note in answer.notes]
    assert [(number, note.pitch, note.velocity > 0) for number, note in notes] == [
        (begins, 60, True),
        (begins, 60, False),
    ]
    # Of a sixteenth at 120 beats a minute.
    assert notes[1][1].at - notes[0][1].at == pytest.approx(RATE / 8, abs=1)


def test_a_key_that_is_down_is_no_end() -> None:
    voice = NotesVoice(Player(), ENCODINGS["melody"], 120, "call", 7)
    answers = hear(voice, 30, {0: block(RATE, "", PlayedNote(0, 62, 90))})
    assert not any(answer.samples.any() for answer in answers)


def test_in_the_continuous_mode_it_plays_by_itself() -> None:
    answers, player = play("continuous")
    assert len(player.asked) >= 1
    assert any(answer.notes for answer in answers)
