"""Networks at a sample rate of their own in a room at another one, block by block, with a delay of some samples."""

import math
from dataclasses import replace

import numpy as np

from live.answers import checked
from workshop.run.voice import Block, Knobs, Voice

#: Zero crossings of the sinc on both sides, at the lower of two rates.
_CROSSINGS = 16
#: The share of the band that passes.
_BAND = 0.92


class Resampler:
    """Samples at one rate from samples at another one, as they come: a windowed sinc for each phase between them. A
    block gives as many samples as fit by then.

    Args:
        given: samples a second of what comes in.
        wanted: of what goes out.
    """

    def __init__(self, given: int, wanted: int):
        common = math.gcd(given, wanted)
        #: Phases between two samples that come in, and the phases from one that goes out to the next.
        self._phases, self._step = wanted // common, given // common
        narrow = min(1.0, wanted / given) * _BAND
        reach = math.ceil(_CROSSINGS / narrow)
        places = np.arange(1 - reach, reach + 1) - np.arange(self._phases)[:, None] / self._phases
        window = np.cos(np.pi * places / (2 * reach + 2)) ** 2
        filters = np.sinc(narrow * places) * window
        self._filters = (filters / filters.sum(axis=1, keepdims=True)).astype(np.float32)
        # What came before, as if there had been silence; and where the next sample lies in it, in phases.
        self._heard, self._place = np.zeros(2 * reach - 1, np.float32), 0
        #: Seconds by which it is late.
        self.delay = reach / given

    def process(self, samples: np.ndarray) -> np.ndarray:
        """The samples float32 [M] that can be made with samples [N] more."""
        heard = np.concatenate([self._heard, samples.astype(np.float32)])
        taps = self._filters.shape[1]
        end = (len(heard) - taps + 1) * self._phases
        places = np.arange(self._place, end, self._step)
        first, phase = np.divmod(places, self._phases)
        nothing = np.zeros((0, taps), np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(heard, taps)[first] if len(first) else nothing
        made = np.einsum("nt,nt->n", windows, self._filters[phase], dtype=np.float32)
        self._place = (int(places[-1]) + self._step if len(places) else self._place) - len(samples) * self._phases
        self._heard = heard[len(samples) :]
        return made


class AtRate:
    """A voice in a room at another rate; a `Voice` too. It is late by both resamplings.

    Args:
        voice: the voice.
        rate: of the room.
    """

    def __init__(self, voice: Voice, rate: int):
        self._voice, self.rate = voice, rate
        self._inward, self._outward = Resampler(rate, voice.rate), Resampler(voice.rate, rate)
        # A sample each way may come a block later than it should.
        self._spare = math.ceil(rate / voice.rate) + 1
        self._waiting = np.zeros(self._spare, np.float32)

    @property
    def delay(self) -> float:
        """Seconds by which the answer is late."""
        return self._inward.delay + self._outward.delay + self._spare / self.rate

    def process(self, block: Block, knobs: Knobs) -> Block:
        """Hear a block and answer, as `Voice` says.

        Raises:
            UserError: the voice did not; the blocks after it are as they would have been.
        """
        count = len(block.samples)
        heard = replace(block, samples=self._inward.process(block.samples), notes=self._moved(block, 1 / self._ratio))
        answered = np.zeros_like(heard.samples)
        try:
            answer = checked(self._voice.process(heard, knobs), heard)
            answered = answer.samples
        finally:
            # After a mistake too, as if it had been silent: later blocks come when they should.
            made = np.concatenate([self._waiting, self._outward.process(answered)])
            self._waiting = made[count:]
        return Block(made[:count], answer.words, self._moved(answer, self._ratio))

    @property
    def _ratio(self) -> float:
        return self.rate / self._voice.rate

    def _moved(self, block: Block, ratio: float) -> tuple:
        return tuple(replace(note, at=int(note.at * ratio)) for note in block.notes)


def at_rate(voice: Voice, rate: int) -> Voice:
    """The voice in a room at a rate: itself where that is its own."""
    return voice if voice.rate == rate else AtRate(voice, rate)
