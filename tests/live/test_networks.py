"""A network of each lesson in a place of the room: it answers, and the same again for the same seed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny import RATE as TINY_RATE
from voices import tone

from live import networks
from live.room import Room
from workshop.errors import UserError
from workshop.run import checkpoint
from workshop.run.voice import Block, Knobs, Mode, PlayedNote, Voice

BLOCK = 128
SILENCE = np.zeros(BLOCK, np.float32)


def answers(voice: Voice, heard: np.ndarray, knobs: Knobs | None = None) -> np.ndarray:
    return np.concatenate(
        [voice.process(Block(block), knobs or Knobs()).samples for block in np.split(heard, len(heard) // BLOCK)]
    )


def calls(blocks: int) -> np.ndarray:
    """A tone for half of the time, and then silence."""
    heard = tone(blocks, BLOCK, TINY_RATE)
    heard[len(heard) // 2 :] = 0
    return heard


@pytest.fixture(params=["trained_wavenet", "trained_audio_rnn", "trained_spectral_rnn"])
def sounding(request: pytest.FixtureRequest) -> Callable[..., Voice]:
    path = request.getfixturevalue(request.param)

    def voice(mode: Mode = "continuous", seed: int = 1, alone: bool = True) -> Voice:
        return networks.one(str(path), mode, seed, alone)

    return voice


def test_a_sound_network_answers_all_the_time(sounding: Callable[..., Voice]) -> None:
    heard = calls(40)
    voice = sounding()
    assert voice.rate == TINY_RATE
    answer = answers(voice, heard)
    assert answer.shape == heard.shape
    assert answer.dtype == np.float32
    assert np.std(answer[: len(heard) // 2]) > 0.01
    # It goes on with what it hears, and does not repeat it.
    correlation = np.corrcoef(answer[BLOCK:], heard[BLOCK:])[0, 1]
    assert abs(correlation) < 0.9
    np.testing.assert_array_equal(answers(sounding(), heard), answer)
    np.testing.assert_array_equal(answers(sounding(alone=False), heard), answer)
    assert not np.array_equal(answers(sounding(seed=2), heard), answer)


@pytest.mark.slow
def test_a_text_network_answers_a_line_by_a_line(trained: Path, uncompiled: None) -> None:
    def write(*typed: str) -> list[tuple[int, str]]:
        voice = networks.one(str(trained), "call", 1, True)
        block = np.zeros(voice.rate // 4, np.float32)
        lines = {2 * number: words for number, words in enumerate(typed)}
        answers = [voice.process(Block(block, lines.get(number, "")), Knobs()) for number in range(20)]
        assert not any(answer.samples.any() for answer in answers)
        return [(number, answer.words) for number, answer in enumerate(answers) if answer.words]

    assert write() == []
    assert write("oh my") == []  # the line goes on
    (when, words), *more = write("oh", " my\n")
    assert when == 3 + 4  # a second behind the end of the block in which the line ended
    assert words.endswith("\n")
    assert more == []
    assert write("oh", " my\n") == [(when, words)]
    assert len(write("oh my\n", "", "", "\n")) == 2


@pytest.mark.slow
@pytest.mark.parametrize("fixture", ["trained_midi", "trained_performance"])
def test_a_network_of_notes_answers_what_is_played(
    fixture: str, request: pytest.FixtureRequest, uncompiled: None
) -> None:
    path = request.getfixturevalue(fixture)

    def play(mode: Mode = "call", keys: tuple[int, ...] = (60, 62, 64, 65)) -> list[Block]:
        voice = networks.one(str(path), mode, 1, True)
        played = {2 * number: (PlayedNote(0, key, 90),) for number, key in enumerate(keys)}
        played |= {2 * number + 1: (PlayedNote(0, key, 0),) for number, key in enumerate(keys)}
        block = np.zeros(voice.rate // 8, np.float32)
        return [voice.process(Block(block, notes=played.get(number, ())), Knobs()) for number in range(60)]

    answer = play()
    first = next(number for number, block in enumerate(answer) if block.notes)
    assert first >= 7 + 16  # a second of rest, and one to think
    assert not any(block.samples.any() for block in answer[:first])
    assert any(block.samples.any() for block in answer[first:])
    ons = [note for block in answer for note in block.notes if note.velocity]
    offs = [note for block in answer for note in block.notes if not note.velocity]
    assert ons
    assert all(0 <= note.at < len(answer[0].samples) for note in ons)
    assert sorted(note.pitch for note in offs) == sorted(note.pitch for note in ons)
    again = play()
    assert [block.notes for block in again] == [block.notes for block in answer]
    assert any(block.notes for block in play("continuous", keys=()))


@pytest.mark.slow
def test_different_lessons_play_together(
    trained_wavenet: Path, trained_audio_rnn: Path, trained: Path, uncompiled: None
) -> None:
    names = [str(trained_wavenet), str(trained_audio_rnn), str(trained)]

    def play() -> tuple[np.ndarray, str]:
        voices = networks.opened(names, "continuous", 3)
        assert networks.common_rate(voices) == 8000
        with Room(voices, networks.common_rate(voices), 512, 0) as room:
            mixed = [room.exchange(Block(block)) for block in np.split(tone(40, 512, 8000), 40)]
        return np.concatenate([m.samples for m in mixed]), "".join(words for m in mixed for _, words in m.words)

    sound, words = play()
    assert np.std(sound) > 0.001
    assert words.endswith("\n")
    again, the_same = play()
    np.testing.assert_array_equal(again, sound)
    assert the_same == words


@pytest.mark.parametrize("fixture", ["trained", "trained_midi"])
def test_a_network_is_built_before_anybody_waits_for_it(
    fixture: str, request: pytest.FixtureRequest, uncompiled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = request.getfixturevalue(fixture)
    built: list[str] = []
    monkeypatch.setattr(checkpoint, "assign", lambda *given: built.append(fixture))
    networks.one(str(path), "call", 1, True)
    assert built == [fixture]


def test_a_network_that_is_named_twice_plays_twice(trained_audio_rnn: Path) -> None:
    (_, one), (_, other) = networks.opened([str(trained_audio_rnn)] * 2, "continuous", 1)
    heard = calls(10)
    assert not np.array_equal(answers(one, heard), answers(other, heard))


def test_too_many_networks_are_refused() -> None:
    with pytest.raises(UserError, match=r"4 experiments are named.* 3"):
        networks.opened(["a"] * 4, "continuous", 0)


def test_a_network_of_spectra_answers_the_same_in_blocks_of_any_length(trained_spectral_rnn: Path) -> None:
    heard, found = calls(30), []
    for cut in (BLOCK, 37, 1000):
        voice = networks.one(str(trained_spectral_rnn), "continuous", 1, True)
        pieces = np.split(heard, range(cut, len(heard), cut))
        found.append(np.concatenate([voice.process(Block(piece), Knobs()).samples for piece in pieces]))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_a_network_of_spectra_answers_when_the_call_is_over(trained_spectral_rnn: Path) -> None:
    heard = calls(120)
    answer = answers(networks.one(str(trained_spectral_rnn), "call", 1, True), heard)
    assert not answer[: len(heard) // 2].any()
    assert np.std(answer[len(heard) // 2 :]) > 1e-3
