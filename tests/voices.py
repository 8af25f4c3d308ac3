"""Voices that are quick and known, in place of trained networks."""

import threading
import time

import numpy as np

from workshop.run.voice import Block, Knobs

RATE, BLOCK = 8000, 128


class Echo:
    """Answers with what it hears, times a factor, and with what is said and played."""

    def __init__(self, factor: float = 1.0, rate: int = RATE):
        self.factor, self.rate = factor, rate

    def process(self, block: Block, knobs: Knobs) -> Block:
        return Block(self.factor * block.samples, block.words, block.notes)


class Constant:
    """Answers with a level, whatever it hears."""

    def __init__(self, level: float, rate: int = RATE):
        self.level, self.rate = level, rate

    def process(self, block: Block, knobs: Knobs) -> Block:
        return Block(np.full(len(block.samples), self.level, np.float32))


class Stalled(Echo):
    """Stands still while `stalls` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = threading.Event()
        self.goes_on.set()

    def process(self, block: Block, knobs: Knobs) -> Block:
        assert self.goes_on.wait(10)
        return super().process(block, knobs)


class Drawing:
    """Has a state, and draws: noise around what it heard last, after having thought for a while."""

    def __init__(self, seed: int, think: float = 0.0, rate: int = RATE):
        self.rate, self._think = rate, think
        self._rng, self._memory = np.random.default_rng(seed), 0.0

    def process(self, block: Block, knobs: Knobs) -> Block:
        time.sleep(self._think)
        noise = self._rng.normal(scale=0.05 * knobs.heat, size=len(block.samples))
        samples = (0.5 * block.samples + self._memory + noise).astype(np.float32)
        self._memory = 0.5 * float(samples[-1])
        return Block(samples)


def tone(blocks: int, block: int = BLOCK, rate: int = RATE) -> np.ndarray:
    """A tone, float32."""
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(blocks * block) / rate)).astype(np.float32)
