"""A network that hears and answers at the same time, with an engine whose answers are known."""

import numpy as np

from workshop.audio import mu_law
from workshop.audio.sample_voice import SampleVoice
from workshop.audio.turns import LONGEST_ANSWER, REST
from workshop.networks.sampling import SamplingConfig
from workshop.run.voice import Block, Knobs, Mode

RATE, BLOCK = 1000, 50
WARM_UP = 20


class Counting:
    """Counts on from the symbol that it has read last, and by chance skips one where it is hot."""

    def __init__(self) -> None:
        self.read: list[int] = []
        self.temperatures: set[float] = set()

    def start(self, first: np.ndarray) -> list[int]:
        return [int(first[0])]

    def advance(
        self, state: list[int], prescribed: np.ndarray, uniform: np.ndarray, config: SamplingConfig
    ) -> np.ndarray:
        given = []
        for symbol, chance in zip(prescribed[:, 0], uniform[:, 0], strict=True):
            if symbol >= 0:
                self.read.append(int(symbol))
            else:
                self.temperatures.add(config.temperature)
                symbol = (state[0] + 1 + (chance > 1 / config.temperature)) % mu_law.LEVELS
            state[0] = int(symbol)
            given.append(state[0])
        return np.array(given)[:, None]


def voice(mode: Mode = "continuous", seed: int = 1) -> SampleVoice:
    return SampleVoice(Counting(), RATE, WARM_UP, 1.0, mode, seed)


def answers(one: SampleVoice, heard: np.ndarray, knobs: Knobs | None = None) -> list[np.ndarray]:
    blocks = np.split(heard.astype(np.float32), len(heard) // BLOCK)
    found = [one.process(Block(block), knobs or Knobs()).samples for block in blocks]
    assert all(answer.dtype == np.float32 and len(answer) == BLOCK for answer in found)
    return found


def loud(blocks: int) -> np.ndarray:
    return np.full(blocks * BLOCK, 0.5)


def counted(first: int) -> np.ndarray:
    return mu_law.decode(np.arange(first, first + BLOCK) % mu_law.LEVELS)


def test_silence_is_heard_before_everything_and_then_all_that_there_is() -> None:
    one = voice()
    heard = np.linspace(-1, 1, 3 * BLOCK)
    answers(one, heard)
    assert one._engine.read == [mu_law.SILENCE] * WARM_UP + mu_law.encode(heard).tolist()


def test_it_goes_on_where_the_input_ends() -> None:
    one = voice()
    (first,) = answers(one, loud(1))
    level = int(mu_law.encode(np.array([0.5]))[0])
    np.testing.assert_allclose(first, np.linspace(0, 1, BLOCK) * counted(level + 1), rtol=1e-6)


def test_by_itself_it_takes_up_the_first_block_alone() -> None:
    alone = Knobs(follow=0)
    one, other = np.append(loud(1), -loud(19)), loud(20)
    np.testing.assert_array_equal(answers(voice(), one, alone), answers(voice(), other, alone))
    assert not np.array_equal(answers(voice(), one), answers(voice(), other))


def test_what_it_takes_up_is_crossfaded_as_often_as_the_knob_says() -> None:
    patience = 0.25
    knobs = Knobs(follow=64)
    assert knobs.patience == patience
    found = answers(voice(), loud(11), knobs)
    level = int(mu_law.encode(np.array([0.5]))[0])
    # It has begun in the first block; a quarter of a second later it begins again, and goes on in between.
    np.testing.assert_allclose(found[4], counted(level + 1 + 4 * BLOCK), rtol=1e-6)
    rise = np.linspace(0, 1, BLOCK)
    np.testing.assert_allclose(
        found[5], rise * counted(level + 1) + (1 - rise) * counted(level + 1 + 5 * BLOCK), rtol=1e-5
    )
    np.testing.assert_allclose(found[6], counted(level + 1 + BLOCK), rtol=1e-6)


def test_the_knobs_turn_the_temperature_and_the_seed_the_draws() -> None:
    one, hot = voice(), Knobs(temperature=127)
    answers(one, loud(1))
    answers(one, loud(1), hot)
    assert one._engine.temperatures == {1.0, hot.heat}
    np.testing.assert_array_equal(answers(voice(), loud(4), hot), answers(voice(), loud(4), hot))
    assert not np.array_equal(answers(voice(seed=2), loud(4), hot), answers(voice(), loud(4), hot))


def test_a_call_is_answered_when_it_is_over_and_for_as_long() -> None:
    heard = np.append(loud(10), np.zeros(30 * BLOCK))
    spoken = [number for number, answer in enumerate(answers(voice("call"), heard)) if answer.any()]
    rest = round(REST * RATE / BLOCK)
    assert spoken == list(range(10 + rest, 10 + rest + 10))


def test_a_short_pause_belongs_to_the_call() -> None:
    pause = np.zeros(2 * BLOCK)
    heard = np.concatenate([loud(4), pause, loud(4), np.zeros(30 * BLOCK)])
    spoken = [number for number, answer in enumerate(answers(voice("call"), heard)) if answer.any()]
    assert spoken == list(range(16, 26))


def test_an_answer_has_an_end() -> None:
    heard = np.append(loud(10 * RATE // BLOCK), np.zeros(10 * RATE))
    spoken = sum(answer.any() for answer in answers(voice("call"), heard))
    assert spoken == LONGEST_ANSWER * RATE / BLOCK


def test_who_interrupts_is_listened_to() -> None:
    heard = np.concatenate([loud(10), np.zeros(8 * BLOCK), loud(4), np.zeros(20 * BLOCK)])
    found = answers(voice("call"), heard)
    spoken = [number for number, answer in enumerate(found) if answer.any()]
    assert spoken == [16, 17, 18, *range(28, 32)]
    assert found[18][-1] == 0  # faded out


def test_blocks_of_any_length_and_none() -> None:
    one = voice()
    assert len(one.process(Block(np.zeros(0, np.float32)), Knobs()).samples) == 0
    assert len(one.process(Block(np.zeros(7, np.float32)), Knobs()).samples) == 7
