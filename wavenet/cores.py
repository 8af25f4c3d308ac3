"""Generation on a CPU: the compiled kernel, with the work shared out among the processor's cores."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from wavenet import kernel
from wavenet.model import WaveNet
from wavenet.weights import AWAY, DONE, JOB, State, Weights, Work, initial_state, pack, workspace
from workshop.audio.mu_law import LEVELS
from workshop.machine import usable_cores
from workshop.networks.sampling import SamplingConfig

#: Seconds between two looks of the second core at whether it is wanted.
NAP = 0.005


class CpuEngine:
    """Takes streams on by a network's weights as they are now.

    Several streams are shared out among the cores; a single one is worked on by two of them.

    Args:
        model: the trained network.
        labels: [B] numbers of the conditions; of a network without any, their number is all that matters.
    """

    def __init__(self, model: WaveNet, labels: np.ndarray):
        self._shape = model.shape
        self._parts = np.array_split(np.arange(len(labels)), min(usable_cores(), len(labels)))
        self._assisted = len(labels) == 1 and usable_cores() > 1
        whole = pack(model, labels)
        self._weights = [whole._replace(biases=np.ascontiguousarray(whole.biases[:, part])) for part in self._parts]
        self._threads = ThreadPoolExecutor(len(self._parts) + 1)

    def start(self, first: np.ndarray) -> list[tuple[State, Work]]:
        """The state when nothing has been heard but values `first` [B], and a workspace."""
        return [(initial_state(self._shape, first[part]), workspace(self._shape, len(part))) for part in self._parts]

    def advance(
        self, state: list[tuple[State, Work]], prescribed: np.ndarray, uniform: np.ndarray, config: SamplingConfig
    ) -> np.ndarray:
        """The values [N, B] of the next N steps, as `Engine` in generate.py says."""
        values = np.empty(prescribed.shape, np.int64)
        knobs = config.knobs(LEVELS)

        def go_on(part: np.ndarray, weights: Weights, begun: tuple[State, Work]) -> None:
            state, work = begun
            mine = np.empty((len(prescribed), len(part)), np.int64)
            work.signals[[JOB, DONE]] = 0, AWAY
            helping = self._threads.submit(assist, weights, work) if self._assisted else None
            try:
                kernel.advance(
                    weights, state, work,
                    np.ascontiguousarray(prescribed[:, part]), np.ascontiguousarray(uniform[:, part]),
                    *knobs, mine,
                )  # fmt: skip
            finally:
                work.signals[JOB] = AWAY
            if helping:
                helping.result()
            values[:, part] = mine

        list(self._threads.map(go_on, self._parts, self._weights, state))
        return values


def assist(weights: Weights, work: Work) -> None:
    """Be the second core until the piece is done; what else wants the core may have it when there is nothing to do."""
    while kernel.assist(weights, work):
        time.sleep(NAP)
