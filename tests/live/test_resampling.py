"""Networks at other rates than the room's."""

import contextlib

import numpy as np
import pytest
from voices import Echo

from live.resampling import Resampler, at_rate
from workshop.errors import UserError
from workshop.run.voice import Block, Knobs, PlayedNote

RATES = [(22050, 8000), (8000, 22050), (44100, 22050), (44100, 48000), (16000, 16000)]


def sine(frequency: float, rate: int, delay: float = 0.0, seconds: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * (np.arange(round(seconds * rate)) / rate - delay))


@pytest.mark.parametrize(("given", "wanted"), RATES)
def test_a_tone_stays_a_tone_and_comes_when_it_is_said_to(given: int, wanted: int) -> None:
    resampler = Resampler(given, wanted)
    blocks = np.array_split(sine(440, given), 40)
    made = np.concatenate([resampler.process(block) for block in blocks])
    assert abs(len(made) - wanted) <= 2
    expected = sine(440, wanted, resampler.delay)
    np.testing.assert_allclose(made[2000:-10], expected[2000 : len(made) - 10], atol=1e-3)


def test_what_the_lower_rate_cannot_hold_is_left_out() -> None:
    made = Resampler(22050, 8000).process(sine(4600, 22050))
    assert np.abs(made[500:-500]).max() < 0.01
    assert np.abs(Resampler(22050, 8000).process(sine(3000, 22050))[500:-500]).max() > 0.9


@pytest.mark.parametrize(("own", "room"), RATES)
def test_a_voice_answers_every_block_in_full(own: int, room: int) -> None:
    voice = at_rate(Echo(rate=own), room)
    heard = sine(440, room).astype(np.float32)
    blocks = [heard[at : at + 100] for at in range(0, len(heard), 100)]
    answers = [voice.process(Block(block), Knobs()).samples for block in blocks]
    assert [len(answer) for answer in answers] == [len(block) for block in blocks]
    delay = getattr(voice, "delay", 0.0)
    assert delay < 0.01
    np.testing.assert_allclose(np.concatenate(answers)[4000:], sine(440, room, delay)[4000:], atol=2e-3)


@pytest.mark.parametrize(("own", "room", "size"), [(8000, 22050, 1), (8000, 48000, 5), (44100, 8000, 1)])
def test_blocks_that_are_less_than_a_sample_of_the_other_rate_are_like_longer_ones(
    own: int, room: int, size: int
) -> None:
    heard = sine(440, room, seconds=0.2).astype(np.float32)

    def answers(size: int) -> np.ndarray:
        voice = at_rate(Echo(rate=own), room)
        blocks = np.split(heard, len(heard) // size)
        return np.concatenate([voice.process(Block(block), Knobs()).samples for block in blocks])

    np.testing.assert_allclose(answers(size), answers(len(heard)), atol=1e-6)


@pytest.mark.parametrize("wrong", [np.zeros(1), np.full(50, np.nan), np.full(50, np.inf), np.zeros((50, 2))])
def test_what_is_wrong_with_an_answer_stays_in_its_block(wrong: np.ndarray) -> None:
    class Once(Echo):
        """Answers once with something else."""

        first: np.ndarray | None

        def process(self, block: Block, knobs: Knobs) -> Block:
            samples, self.first = block.samples if self.first is None else self.first, None
            return Block(samples)

    def answers(first: np.ndarray) -> list[np.ndarray]:
        once = Once(rate=4000)
        once.first = first
        voice = at_rate(once, 8000)
        with contextlib.suppress(UserError):
            voice.process(Block(np.zeros(100, np.float32)), Knobs())
        return [voice.process(Block(np.full(100, 0.1, np.float32)), Knobs()).samples for _ in range(5)]

    np.testing.assert_array_equal(answers(wrong), answers(np.zeros(50)))


@pytest.mark.parametrize("failing", [36, 37])
def test_after_many_mistakes_each_block_is_still_in_full_and_in_time(failing: int) -> None:
    """At these rates a block of the room is 36 or 37 samples of the voice's."""

    class Sometimes(Echo):
        """Fails with blocks of a length, for a while."""

        is_failing = True

        def process(self, block: Block, knobs: Knobs) -> Block:
            if self.is_failing and len(block.samples) == failing:
                raise UserError("not now")
            return super().process(block, knobs)

    voice = at_rate(sometimes := Sometimes(rate=8000), 22050)
    heard = sine(440, 22050, seconds=2).astype(np.float32)
    answers = []
    for number, block in enumerate(np.split(heard, len(heard) // 100)):
        sometimes.is_failing = number < 300
        with contextlib.suppress(UserError):
            answers.append(voice.process(Block(block), Knobs()).samples)
    assert {len(answer) for answer in answers} == {100}
    last = np.concatenate(answers[-100:])
    np.testing.assert_allclose(last, sine(440, 22050, getattr(voice, "delay", 0.0), 2)[-len(last) :], atol=2e-3)


def test_words_and_notes_pass() -> None:
    answer = at_rate(Echo(rate=8000), 16000).process(
        Block(np.zeros(512, np.float32), "oh", (PlayedNote(100, 60, 90),)), Knobs()
    )
    assert answer.words == "oh"
    (note,) = answer.notes
    assert (note.pitch, note.velocity) == (60, 90)
    assert abs(note.at - 100) <= 2
