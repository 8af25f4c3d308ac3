"""PyTorch's side of the comparisons, in a process of its own, because two frameworks in one process share threads
badly.

Run by the other scripts with a Python that has torch; reads commands from standard input, answers with milliseconds or
characters per second:

    train UNITS STEPS      2 layers of nn.LSTM, batch 50, sequence 50, 65 symbols: median milliseconds of a training
    step generate CHARACTERS    one stream, 2 x 128, a loop over single steps: characters per second
"""

import statistics
import sys
import time

import torch

VOCAB, BATCH, STEPS = 65, 50, 50


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


class Training:
    """Training steps on random characters: the speed does not depend on them."""

    def __init__(self, units: int):
        self.network = Network(units)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=0.002)
        self.state = None
        self.run(5)

    def run(self, steps: int) -> float:
        """Median milliseconds of a step."""
        times = []
        for _ in range(steps):
            ids = torch.randint(0, VOCAB, (BATCH, STEPS + 1))
            started = time.perf_counter()
            logits, state = self.network(ids[:, :-1], self.state)
            self.state = tuple(part.detach() for part in state)
            loss = torch.nn.functional.cross_entropy(logits.reshape(-1, VOCAB), ids[:, 1:].reshape(-1))
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
            self.optimizer.step()
            loss.item()
            times.append(1e3 * (time.perf_counter() - started))
        return statistics.median(times)


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
    """Answer commands until there are no more."""
    torch.manual_seed(0)
    trainings: dict[int, Training] = {}
    for line in sys.stdin:
        command, *numbers = line.split()
        if command == "train":
            units, steps = map(int, numbers)
            trainings[units] = trainings.get(units) or Training(units)
            print(trainings[units].run(steps), flush=True)
        else:
            print(generate(int(numbers[0])), flush=True)


if __name__ == "__main__":
    main()
