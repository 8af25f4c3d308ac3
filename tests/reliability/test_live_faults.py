"""Networks of the live room that go wrong at random, with a broken input, while networks are changed and knobs turned.

The room gives out a block for every block, never louder than promised; who does nothing wrong is heard all the time;
and when the faults end, all networks play on as if nothing had been.
"""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import soxr
from voices import BLOCK, RATE, Constant

from live.room import Room
from workshop.errors import UserError
from workshop.run.voice import KNOBS, Block, Knobs

pytestmark = pytest.mark.slow

PROMISE_DBFS = -1.0
#: The share of blocks in which something goes wrong, and how long a network stands still then, in seconds.
FAULTY, STALL = 0.1, 0.01
#: What a network gives in place of its answer. All but the last two are counted as broken.
ANSWERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "NaN": lambda samples: samples * np.nan,
    "Inf": lambda samples: samples + np.inf,
    "-Inf": lambda samples: samples - np.inf,
    "no float32": lambda samples: np.full(len(samples), 1e300),
    "too few samples": lambda samples: samples[1:],
    "too many dimensions": lambda samples: np.stack([samples, samples]),
    "a mistake": lambda samples: samples / np.zeros(len(samples) + 1),
    "40 dB too loud": lambda samples: 100 * np.sign(samples),
    "a stall": lambda samples: (time.sleep(STALL), samples)[1],
}
LOUD, STALLED = list(ANSWERS)[-2:]
INPUTS = (np.nan, np.inf, -np.inf, 1e30, 0.0)


class Faulty:
    """Answers with what it hears, and now and then with a fault, of which it keeps the names in `did`."""

    def __init__(self, seed: int, faulty: threading.Event, rate: int = RATE):
        self.rate, self.did = rate, []  # type: tuple[int, list[str]]
        self._rng, self._faulty = np.random.default_rng(seed), faulty

    def process(self, block: Block, knobs: Knobs) -> Block:
        if not self._faulty.is_set() or self._rng.random() > FAULTY:
            return Block(block.samples, block.words, block.notes)
        fault = str(self._rng.choice(list(ANSWERS)))
        self.did.append(fault)
        if fault == "a mistake" and self._rng.random() < 0.5:
            raise UserError("it does not play that")
        return Block(ANSWERS[fault](block.samples))


@pytest.fixture
def faulty() -> Iterator[threading.Event]:
    """Whether anything goes wrong."""
    event = threading.Event()
    event.set()
    yield event
    event.clear()


def heard(rng: np.random.Generator, faulty: bool) -> np.ndarray:
    """A block of noise, or what a broken device gives."""
    samples = rng.normal(scale=0.1, size=BLOCK).astype(np.float32)
    if faulty and rng.random() < FAULTY:
        samples[rng.integers(BLOCK) :] = rng.choice(INPUTS)
    return samples


def test_faults_of_networks_and_inputs(
    faulty: threading.Event, amount: Callable[[int, int], int], figure: Callable[[str, str, str], None]
) -> None:
    blocks, rng = amount(2_000, 20_000), np.random.default_rng(4)
    said: list[str] = []
    networks = [Faulty(1, faulty), Constant(0.1), Faulty(2, faulty, rate=16000)]
    did = [*networks]
    room = Room([(f"net{n}", voice) for n, voice in enumerate(networks, 1)], RATE, BLOCK, 2, said.append, patience=0.5)
    pieces = []
    with room:
        for number in range(blocks):
            if rng.random() < 0.01:
                room.turn(str(rng.choice(KNOBS)), float(rng.integers(128)))
            if number % 500 == 499:
                did.append(Faulty(number, faulty))
                room.slots[0].swap(f"another {number}", did[-1])
            pieces.append(room.exchange(Block(heard(rng, True))).samples)
        faulty.clear()
        for _ in range(20):  # until nobody is behind
            room.exchange(Block(heard(rng, False)))
            time.sleep(STALL)
        counts = [slot.counts for slot in room.slots]
        whole = np.concatenate(pieces)
        assert whole.shape == (blocks * BLOCK,)
        assert np.isfinite(whole).all()
        loudest = 20 * np.log10(np.abs(soxr.resample(whole.astype(np.float64), 1, 8, quality="VHQ")).max())
        assert loudest <= PROMISE_DBFS
        assert counts[1].late == counts[1].broken == 0
        done = [fault for one in did if isinstance(one, Faulty) for fault in one.did]
        assert set(done) == set(ANSWERS)
        assert sum(one.broken for one in counts) == sum(fault not in (LOUD, STALLED) for fault in done)
        assert len(said) < blocks / 20
        # All is well again.
        before = [(one.late, one.broken) for one in counts]
        room.turn("volume", 127)
        room.turn("mix", 0)
        last = [room.exchange(Block(heard(rng, False))).samples for _ in range(200)]
        assert [(one.late, one.broken) for one in counts] == before
        assert np.std(np.concatenate(last[100:])) == pytest.approx(0.1, rel=0.3)
    figure(
        "the live room: networks that answer with NaN, Inf, +40 dB, wrong lengths, mistakes or late; broken input",
        f"{len(done):,} faults in {blocks:,} blocks, and {blocks // 500} changes of a network",
        f"a block for every block, at most {loudest:.1f} dBFS between the samples; the network without faults was "
        "heard all along, and the others again afterwards",
    )
