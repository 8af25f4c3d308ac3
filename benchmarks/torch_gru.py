"""PyTorch's side of audio_rnn_speed.py; the other script runs it with a Python that has torch. It prints one number.

python benchmarks/torch_gru.py LAYERS UNITS STREAMS SAMPLES    a step loop of GRUCell: samples a second of all streams
"""

import sys
import time

import torch

LEVELS = 256
#: Samples that are not counted.
WARM_UP = 100


def main() -> None:
    """Generate, each sample drawn from the softmax, and print the speed."""
    depth, units, streams, samples = map(int, sys.argv[1:])
    torch.manual_seed(0)
    embedding, output = torch.nn.Embedding(LEVELS, units), torch.nn.Linear(units, LEVELS)
    cells = torch.nn.ModuleList(torch.nn.GRUCell(units, units) for _ in range(depth))
    state = [torch.zeros(streams, units) for _ in cells]
    ids = torch.full((streams,), LEVELS // 2)
    with torch.inference_mode():
        for number in range(WARM_UP + samples):
            if number == WARM_UP:
                started = time.perf_counter()
            x = embedding(ids)
            for k, cell in enumerate(cells):
                x = state[k] = cell(x, state[k])
            ids = torch.multinomial(torch.softmax(output(x), dim=-1), 1)[:, 0]
    print(samples * streams / (time.perf_counter() - started))


if __name__ == "__main__":
    main()
