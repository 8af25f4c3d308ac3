"""PyTorch's side of wavenet_speed.py; the other script runs it with a Python that has torch. It prints one number.

python benchmarks/torch_wavenet.py generate STREAMS SAMPLES   the classic network, a cached step loop: samples a second
python benchmarks/torch_wavenet.py train STEPS                the same network with Conv1d, 4 windows of 8,000 samples:
median milliseconds of a training step
"""

import statistics
import sys
import time

import torch
from torch.nn import functional

STACKS, LAYERS, CHANNELS, SKIPS, STEPS = 5, 10, 32, 512, 256
FIELD = STACKS * (2**LAYERS - 1) + 2
BATCH, WINDOW = 4, 8000
#: Steps that are not counted.
WARM_UP = 2


class WaveNet(torch.nn.Module):
    """The classic network as one writes it in PyTorch."""

    def __init__(self):
        super().__init__()
        self.dilations = [2**k for _ in range(STACKS) for k in range(LAYERS)]
        self.first = torch.nn.Conv1d(STEPS, CHANNELS, 2)
        self.gates = torch.nn.ModuleList(torch.nn.Conv1d(CHANNELS, 2 * CHANNELS, 2, dilation=d) for d in self.dilations)
        self.residuals = torch.nn.ModuleList(torch.nn.Conv1d(CHANNELS, CHANNELS, 1) for _ in self.dilations)
        self.skips = torch.nn.ModuleList(torch.nn.Conv1d(CHANNELS, SKIPS, 1) for _ in self.dilations)
        self.hidden, self.output = torch.nn.Conv1d(SKIPS, SKIPS, 1), torch.nn.Conv1d(SKIPS, STEPS, 1)

    def forward(self, ids):
        """Logits [B, 256, T] for ids [B, R - 1 + T]."""
        count = ids.shape[1] - FIELD + 1
        x = self.first(functional.one_hot(ids, STEPS).float().transpose(1, 2))
        total = 0
        for gate, residual, skip in zip(self.gates, self.residuals, self.skips, strict=True):
            filtered, opened = gate(x).chunk(2, dim=1)
            h = torch.tanh(filtered) * torch.sigmoid(opened)
            total = total + skip(h[:, :, -count:])
            x = x[:, :, -h.shape[2] :] + residual(h)
        return self.output(functional.relu(self.hidden(functional.relu(total))))

    def step(self, ids, before, memory, at):
        """Logits [B, 256] after `ids` [B], with what each block has seen kept in `memory`."""
        table = self.first.weight
        x = table[:, before, 0].T + table[:, ids, 1].T + self.first.bias
        total = 0
        for k, (gate, residual, skip) in enumerate(zip(self.gates, self.residuals, self.skips, strict=True)):
            place = at % self.dilations[k]
            old = memory[k][place]
            memory[k][place] = x
            h = functional.linear(old, gate.weight[:, :, 0]) + functional.linear(x, gate.weight[:, :, 1], gate.bias)
            filtered, opened = h.chunk(2, dim=1)
            h = torch.tanh(filtered) * torch.sigmoid(opened)
            total = total + functional.linear(h, skip.weight[:, :, 0], skip.bias)
            x = x + functional.linear(h, residual.weight[:, :, 0], residual.bias)
        hidden = functional.linear(functional.relu(total), self.hidden.weight[:, :, 0], self.hidden.bias)
        return functional.linear(functional.relu(hidden), self.output.weight[:, :, 0], self.output.bias)


def generate(streams: int, samples: int) -> float:
    """Samples a second of all streams together."""
    network = WaveNet()
    memory = [[torch.zeros(streams, CHANNELS) for _ in range(d)] for d in network.dilations]
    before = ids = torch.full((streams,), STEPS // 2)
    with torch.inference_mode():
        for at in range(samples + 50):
            if at == 50:
                started = time.perf_counter()
            logits = network.step(ids, before, memory, at)
            before, ids = ids, torch.multinomial(torch.softmax(logits, 1), 1)[:, 0]
    return streams * samples / (time.perf_counter() - started)


def train(steps: int) -> float:
    """Median milliseconds of a training step on random samples: the speed does not depend on them."""
    network = WaveNet()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
    times = []
    for _ in range(WARM_UP + steps):
        ids = torch.randint(0, STEPS, (BATCH, FIELD + WINDOW))
        started = time.perf_counter()
        loss = functional.cross_entropy(network(ids[:, :-1]), ids[:, FIELD:])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        loss.item()
        times.append(1e3 * (time.perf_counter() - started))
    return statistics.median(times[WARM_UP:])


def main() -> None:
    """Do what the arguments say."""
    torch.manual_seed(0)
    command, *numbers = sys.argv[1:]
    print({"train": train, "generate": generate}[command](*map(int, numbers)))


if __name__ == "__main__":
    main()
