"""PyTorch's side of nottingham.py: `nn.LSTM` of the same size on the same windows for the same minutes.

    python benchmarks/torch_melody.py CONTENT.npz '{"units": 256, ...}'

Run by nottingham.py with a Python that has torch. The windows are made by the workshop's own code, which needs numpy
alone, so both sides see the same ones in the same order. Prints the best loss on the held-out windows, in nats.
"""

import json
import sys
import time
from itertools import count
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from workshop.run.batches import EvalBatches, ShuffledPieces


class Network(torch.nn.Module):
    """The network of lesson 2 as one writes it in PyTorch."""

    def __init__(self, vocab_size: int, units: int, layers: int, dropout: float):
        super().__init__()
        self.embedding = torch.nn.Embedding(vocab_size, units)
        self.lstm = torch.nn.LSTM(units, units, layers, dropout=dropout)
        self.dropout = torch.nn.Dropout(dropout)
        self.softmax = torch.nn.Linear(units, vocab_size)

    def forward(self, ids, state):
        """Logits [T, B, V] and the new state for ids [T, B]."""
        outputs, state = self.lstm(self.dropout(self.embedding(ids)), state)
        return self.softmax(self.dropout(outputs)), state


def measure(network: Network, held_out: EvalBatches) -> float:
    """Nats per symbol on the held-out windows, with the state carried through."""
    network.train(False)
    total = counted = 0.0
    state = None
    with torch.inference_mode():
        for inputs, targets, weights in held_out:
            logits, state = network(torch.from_numpy(inputs).long(), state)
            losses = functional.cross_entropy(
                logits.flatten(0, 1), torch.from_numpy(targets).long().flatten(), reduction="none"
            )
            total += float((losses * torch.from_numpy(weights).flatten()).sum())
            counted += float(weights.sum())
    network.train(True)
    return total / counted


def train(content: Path, settings: dict) -> float:
    """The best loss on the held-out windows within so many minutes, measurements included."""
    torch.manual_seed(0)
    arrays = np.load(content)
    pieces = np.split(arrays["train"], np.cumsum(arrays["sizes"])[:-1])
    windows = ShuffledPieces(pieces, 0, settings["batch_size"], settings["seq_length"])
    held_out = EvalBatches(arrays["held_out"], arrays["before"])
    network = Network(settings["vocab_size"], settings["units"], settings["layers"], settings["dropout"])
    optimizer = torch.optim.Adam(network.parameters(), lr=settings["learning_rate"])
    best, step, started = float("inf"), 0, time.monotonic()
    for epoch in count():
        state = None
        for number in range(windows.windows):
            inputs, targets = (torch.from_numpy(part).long() for part in windows.window(epoch, number))
            logits, state = network(inputs, state)
            state = tuple(part.detach() for part in state)
            loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            step += 1
            over = time.monotonic() - started >= 60 * settings["minutes"]
            if step % settings["measure_every"] == 0 or over:
                now = measure(network, held_out)
                best = min(best, now)
                print(f"torch: step {step:,}, {now:.4f} nats, best {best:.4f}", file=sys.stderr, flush=True)
            if over:
                return best
    raise AssertionError("an endless loop has ended")


if __name__ == "__main__":
    print(train(Path(sys.argv[1]), json.loads(sys.argv[2])))
