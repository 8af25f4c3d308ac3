"""PyTorch's side of the comparisons; the other scripts run it with a Python that has torch. It prints one number.

python benchmarks/peers.py train CELL LAYERS UNITS VOCAB BATCH STEPS COUNT    nn.LSTM or nn.GRU: median milliseconds of
COUNT training steps on sequences of STEPS symbols
python benchmarks/peers.py generate CHARACTERS    one stream, 2 x 128 LSTM, 65 symbols, a loop over single steps:
characters per second

Training is on a CUDA card where there is one, as TensorFlow's is.
"""

import statistics
import sys
import time

import torch

#: Steps that are not counted.
WARM_UP = 5
CARD = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Network(torch.nn.Module):
    """The network of a recurrent lesson as one writes it in PyTorch."""

    def __init__(self, cell: str, layers: int, units: int, vocab: int):
        super().__init__()
        self.embedding = torch.nn.Embedding(vocab, units)
        kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell]
        self.recurrent = kind(units, units, layers, batch_first=True)
        self.softmax = torch.nn.Linear(units, vocab)

    def forward(self, ids, state):
        """Logits [B, T, V] and the new state for ids [B, T]."""
        outputs, state = self.recurrent(self.embedding(ids), state)
        return self.softmax(outputs), state


def train(cell: str, *numbers: str) -> float:
    """Median milliseconds of a training step on random symbols: the speed does not depend on them."""
    layers, units, vocab, batch, steps, count = map(int, numbers)
    network = Network(cell, layers, units, vocab).to(CARD)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.002)
    state, times = None, []
    for _ in range(WARM_UP + count):
        ids = torch.randint(0, vocab, (batch, steps + 1), device=CARD)
        started = time.perf_counter()
        logits, state = network(ids[:, :-1], state)
        state = tuple(part.detach() for part in state) if cell == "lstm" else state.detach()
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, vocab), ids[:, 1:].reshape(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        loss.item()
        times.append(1e3 * (time.perf_counter() - started))
    return statistics.median(times[WARM_UP:])


def generate(number: str) -> float:
    """Characters per second of a loop over single steps, each drawn from the softmax."""
    characters = int(number)
    network = Network("lstm", 2, 128, 65).eval()
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
    print({"train": train, "generate": generate}[command](*numbers))


if __name__ == "__main__":
    main()
