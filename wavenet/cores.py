"""Generation on a CPU: the compiled kernel, with the work shared out among the processor's cores."""

import numpy as np

from wavenet import kernel
from wavenet.model import WaveNet
from wavenet.weights import State, Work, initial_state, pack, workspace
from workshop.audio.mu_law import LEVELS
from workshop.networks import engine
from workshop.networks.sampling import SamplingConfig


class CpuEngine(engine.CpuEngine):
    """Takes streams on by a network's weights as they are now.

    Args:
        model: the trained network.
        labels: [B] numbers of the conditions; of a network without any, their number is all that matters.
        half: round its matrices to half precision, which is faster.
    """

    def __init__(self, model: WaveNet, labels: np.ndarray, half: bool = False):
        super().__init__(kernel, LEVELS, len(labels))
        self._shape = model.shape
        self._weights = self.shared_out(lambda streams: pack(model, labels, half, streams))
        self.assisted &= kernel.jobs(self._weights[0])[2] > 0

    def start(self, first: np.ndarray) -> list[tuple[State, Work]]:
        """The state when nothing has been heard but values `first` [B], and a workspace, for each core."""
        return [(initial_state(self._shape, first[part]), workspace(self._shape, len(part))) for part in self.parts]

    def advance(
        self, state: list[tuple[State, Work]], prescribed: np.ndarray, uniform: np.ndarray, config: SamplingConfig
    ) -> np.ndarray:
        """The values [N, B] of the next N steps, as `Engine` in workshop/networks/engine.py says."""
        return self.run(self._weights, state, prescribed, uniform, config)
