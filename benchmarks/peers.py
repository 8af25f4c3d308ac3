"""PyTorch's side of the comparisons; the other scripts run it with a Python that has torch. It prints one number.

python benchmarks/peers.py train UNITS STEPS      2 layers of nn.LSTM, batch 50, sequence 50, 65 symbols: median
milliseconds of a training step
python benchmarks/peers.py generate CHARACTERS    one stream, 2 x 128, a loop over single steps: characters per
second
"""

import statistics
import sys
import time

import torch

VOCAB, BATCH, STEPS = 65, 50, 50
#: Steps that are not counted.
WARM_UP = 5


class Network(torch.nn.Module):
    """The network of lesson 1 as one writes it in PyTorch."""

    def __init__(self, units: int):
        super().__init__()
        self.embedding = torch.nn.Embedding(VOCAB, units)
        self.lstm = torch.nn.LSTM(units, units, 2, batch_first=True)
        self.softmax = torch.nn.Linear(units, VOCAB)

    def forward(self, ids, state):
        """Logits [B, T, V] and the new state for ids [B, T]."""
        outputs, state = self.lstm(self.embedding(ids), state)
        return self.softmax(outputs), state


def train(units: int, steps: int) -> float:
    """Median milliseconds of a training step on random characters: the speed does not depend on them."""
    network = Network(units)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.002)
    state, times = None, []
    for _ in range(WARM_UP + steps):
        ids = torch.randint(0, VOCAB, (BATCH, STEPS + 1))
        started = time.perf_counter()
        logits, state = network(ids[:, :-1], state)
        state = tuple(part.detach() for part in state)
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, VOCAB), ids[:, 1:].reshape(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        loss.item()
        times.append(1e3 * (time.perf_counter() - started))
    return statistics.median(times[WARM_UP:])


def generate(characters: int) -> float:
    """Characters per second of a loop over single steps, each drawn from the softmax."""
    network = Network(128).eval()
    ids, state = torch.zeros(1, 1, dtype=torch.long), None
    with torch.inference_mode():
        for count in range(characters + 200):
            if count == 200:
                started = time.perf_counter()
            logits, state = network(ids, state)
            ids = torch.multinomial(torch.softmax(logits[:, -1] / 0.8, -1), 1)
    return characters / (time.perf_counter() - started)


def main() -> None:
    """Do what the arguments say."""
    torch.manual_seed(0)
    command, *numbers = sys.argv[1:]
    print({"train": train, "generate": generate}[command](*map(int, numbers)))


if __name__ == "__main__":
    main()
