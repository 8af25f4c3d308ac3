"""Generating by a compiled kernel: what the engines of different networks have in common."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from workshop import cli
from workshop.machine import usable_cores
from workshop.networks import second_core
from workshop.networks.sampling import SamplingConfig

#: Steps of each stream in a piece; so often the progress is told and Ctrl-C is heard.
PIECE = 800
#: Seconds between two looks of the second core at whether it is wanted.
NAP = 0.005
#: Seconds after which it is said that compiling is what takes so long; from a cache it takes less.
SILENCE = 2.0
COMPILING = "compiling the loop that generates: once on this computer, up to half a minute ..."


class Engine(Protocol):
    """What runs a network step by step, with the state handed in."""

    def start(self, first: np.ndarray) -> Any:
        """The state when nothing has been read but symbols `first` [B]."""

    def advance(self, state: Any, prescribed: np.ndarray, uniform: np.ndarray, config: SamplingConfig) -> np.ndarray:
        """Go on for N steps.

        Args:
            state: goes on with them.
            prescribed: [N, B] symbols to take, -1 where one is to be drawn.
            uniform: [N, B] random numbers, 0 <= uniform < 1.
            config: how the symbols are drawn.

        Returns:
            symbols [N, B].
        """


def generate(
    engine: Engine, prompt: np.ndarray, length: int, seed: int, config: SamplingConfig
) -> Iterator[np.ndarray]:
    """Generate `length` symbols after `prompt`, piece by piece.

    Args:
        engine: of the network.
        prompt: symbols [T, B] to go on from, at least one of each stream; not part of the result.
        length: symbols to generate.
        seed: the same seed gives the same symbols.
        config: how the next symbol is chosen.

    Yields:
        symbols [n, B], together `length` of them.
    """
    rng = np.random.default_rng(seed)
    state = engine.start(prompt[0])
    for at in range(1, len(prompt), PIECE):
        prescribed = prompt[at : at + PIECE]
        engine.advance(state, prescribed, np.zeros(prescribed.shape), config)
    for at in range(0, length, PIECE):
        uniform = rng.random((min(PIECE, length - at), prompt.shape[1]))
        yield engine.advance(state, np.full(uniform.shape, -1), uniform, config)


class Kernel(Protocol):
    """The compiled functions of a kind of network, such as a module has them.

    Its `Weights` are those of a network, its `State` is what the network remembers of B streams, and its `Work` holds
    what a step makes on its way, with the `signals` between two cores in it.
    """

    @property
    def advance(self) -> Any:
        """(weights, state, work, prescribed, uniform, temperature, top_k, top_p, symbols to be filled) -> None: as
        `Engine.advance` does.
        """

    @property
    def assist(self) -> Any:
        """(weights, state, work) -> bool: be the second core of `advance`, until there is nothing left to do (False) or
        has not been for a while (True).
        """


class CpuEngine:
    """Takes streams on by a kernel. Several streams are shared out among the cores; a single one is worked on by two of
    them. A stream is the same alone, among others, and on any number of cores. Who calls from a second thread waits.

    Args:
        kernel: the compiled functions.
        vocab_size: V.
        streams: B.
    """

    def __init__(self, kernel: Kernel, vocab_size: int, streams: int):
        self._kernel, self._vocab_size = kernel, vocab_size
        #: The streams of each core.
        self.parts = np.array_split(np.arange(streams), min(usable_cores(), streams))
        #: Whether a second core helps: there may be nothing for it to do, and a network beside others does without.
        self.assisted = streams == 1 and usable_cores() > 1
        self._threads = ThreadPoolExecutor(len(self.parts) + 1)
        # Two at once would take each other's threads away and wait for ever, each for its second core.
        self._alone = threading.Lock()

    def shared_out(self, pack: Callable[[int], Any]) -> list[Any]:
        """The weights for the streams of each part. Parts with the same order in memory share the matrices: so do their
        cores share what is in the cache.

        Args:
            pack: makes the weights of all streams, ordered for cores that have so many of them at once; their `biases`
                are [L, B, J].
        """
        sizes = [min(len(part), 2) for part in self.parts]  # one, or many
        packed = {size: pack(size) for size in set(sizes)}
        return [
            packed[size]._replace(biases=np.ascontiguousarray(packed[size].biases[:, part]))
            for size, part in zip(sizes, self.parts, strict=True)
        ]

    def run(
        self, weights: Sequence[Any], begun: Sequence[tuple[Any, Any]], prescribed: np.ndarray, uniform: np.ndarray,
        config: SamplingConfig,
    ) -> np.ndarray:  # fmt: skip
        """The symbols [N, B] of the next N steps, as `Engine.advance` says.

        Args:
            weights: for the streams of each part.
            begun: the state and workspace of each part.
            prescribed: see `Engine.advance`, as are the next two.
            uniform: likewise.
            config: likewise.
        """
        symbols = np.empty(prescribed.shape, np.int64)
        knobs = config.knobs(self._vocab_size)

        def go_on(part: np.ndarray, weights: Any, begun: tuple[Any, Any]) -> None:
            state, work = begun
            mine = np.empty((len(prescribed), len(part)), np.int64)
            second_core.begin(work.signals)
            helping = self._threads.submit(self._assist, weights, state, work) if self.assisted else None
            try:
                self._kernel.advance(
                    weights, state, work,
                    np.ascontiguousarray(prescribed[:, part], np.int64), np.ascontiguousarray(uniform[:, part]),
                    *knobs, mine,
                )  # fmt: skip
            finally:
                second_core.end(work.signals)
            if helping:
                helping.result()
            symbols[:, part] = mine

        with self._alone, _said_if_slow(self._kernel.advance):
            list(self._threads.map(go_on, self.parts, weights, begun))
        return symbols

    def _assist(self, weights: Any, state: Any, work: Any) -> None:
        """Be the second core until the piece is done; what else wants the core may have it when there is nothing to
        do.
        """
        while self._kernel.assist(weights, state, work):
            time.sleep(NAP)


@contextmanager
def _said_if_slow(compiled: Any) -> Iterator[None]:
    """Say what takes long where a function of numba is called for the first time and comes from no cache."""
    timer = threading.Timer(SILENCE, cli.say, [COMPILING])
    if not compiled.signatures:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
