"""What the network would sound like so far, while it trains."""

from collections.abc import Iterator, Sequence

import numpy as np

from wavenet.generate import Generator
from wavenet.model import WaveNet
from workshop.audio import preview
from workshop.networks.sampling import SamplingConfig

#: Chosen by benchmarks/temperatures.py; sample.py takes it too, unless it is told otherwise.
TEMPERATURE = 1.0


class Preview(preview.Preview):
    """Makes sounds when asked to show some, see `workshop.audio.preview`; all are drawn at `temperature`."""

    def __init__(
        self, model: WaveNet, train: Sequence[np.ndarray], names: Sequence[str], rate: int, seed: int,
        temperature: float,
    ):  # fmt: skip
        labels = np.arange(len(names[: preview.MAX_SHOWN]) or 1)

        def generate(prime: np.ndarray, length: int, seed: int) -> Iterator[np.ndarray]:
            # Made each time: it takes over the weights as they are now.
            return Generator(model, labels).generate(prime, length, seed, SamplingConfig(temperature))

        super().__init__(generate, train, model.shape.receptive_field, names, rate, seed)
