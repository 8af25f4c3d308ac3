"""Whether a network remembers further back than a receptive field: the next tone depends on the one before the last.

    python benchmarks/tone_order.py --rate 1000 --seq_length 600

Tones of 150 to 300 ms in the order A B A C A B A C ..., each after 50 ms of silence and with a soft beginning and end:
after A comes B or C, which only the tone before A tells, 250 ms and more ago. Who remembers nothing gets 38 % right,
and who remembers the last tone alone 75 %. Trains `audio_rnn` and, for the same minutes, a WaveNet that sees 32 ms, as
`wavenet --size tiny` does; lets each generate, and counts how many tones are followed by the right one. Twice the
minutes asked for, and one more.

With --rate the sounds have fewer samples, so that training takes less: all times stay the same in milliseconds, those
of the WaveNet too.
"""

import argparse
import math
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import compare
import numpy as np

#: In Hz. What follows the tone after a tone is decided by that alone.
TONES = (70, 110, 160)
FOLLOWS = {0: 0, 1: 2, 2: 1}
SHORTEST, LONGEST, GAP = 0.15, 0.3, 0.05
#: Seconds in which a tone begins and ends, and the noise under all of it.
SOFT, NOISE = 0.02, 0.005
FILES, SECONDS = 20, 30
#: What is generated: sounds, and the seconds of each.
MADE, MADE_SECONDS = 16, 20
#: Seconds of a sound that the networks go on from.
PROMPT = 3
#: A frame in seconds, the level above which it is part of a tone, and the shortest tone in frames.
FRAME, LOUD, SHORT = 0.01, 0.1, 6


def order(start: int) -> Iterator[int]:
    """The tones without an end: A B A C ..."""
    return ((0, 1, 0, 2)[(start + number) % 4] for number in count())


def sound(number: int, rate: int, seconds: float) -> np.ndarray:
    """A sound of this number, samples [N]."""
    rng = np.random.default_rng(number)
    parts: list[np.ndarray] = []
    for tone in order(number):
        time = np.arange(round(rng.uniform(SHORTEST, LONGEST) * rate)) / rate
        soft = np.minimum(1, np.minimum(time, time[::-1]) / SOFT)
        parts += [0.5 * soft * np.sin(2 * np.pi * (TONES[tone] * time + rng.random())), np.zeros(round(GAP * rate))]
        if sum(map(len, parts)) >= seconds * rate:
            break
    samples = np.concatenate(parts)[: round(seconds * rate)]
    return samples + rng.normal(0, NOISE, len(samples))


def heard(samples: np.ndarray, rate: int) -> list[int]:
    """The tones in samples [N], in their order: what is loud for long enough, and which frequency is the loudest."""
    size = round(FRAME * rate)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    loud = np.concatenate([[0], np.sqrt(np.mean(frames**2, axis=1)) > LOUD, [0]]).astype(int)
    edges = np.flatnonzero(np.diff(loud)).reshape(-1, 2)
    found = []
    for start, end in edges[(edges[:, 1] - edges[:, 0]) >= SHORT]:
        part = samples[start * size : end * size]
        waves = np.exp(-2j * np.pi * np.outer(TONES, np.arange(len(part)) / rate))
        found.append(int(np.abs(waves @ (part * np.hanning(len(part)))).argmax()))
    return found


def share(sounds: list[list[int]], after: tuple[int, ...] = (0, 1, 2)) -> float:
    """How many tones are the right ones after the two before them, of those that follow a tone in `after`."""
    right = [
        FOLLOWS[tones[k - 2]] == tones[k] for tones in sounds for k in range(2, len(tones)) if tones[k - 1] in after
    ]
    return float(np.mean(right)) if right else math.nan


def shuffled(sounds: list[list[int]]) -> list[list[int]]:
    """The same tones in any order: what there is to know without a memory."""
    rng = np.random.default_rng(0)
    return [list(rng.permutation(tones)) for tones in sounds for _ in range(20)]


def generated(experiment: Path, prompt: np.ndarray) -> list[list[int]]:
    """The tones of sounds that go on from a prompt, each from another place of it."""
    from workshop import load
    from workshop.audio import mu_law
    from workshop.networks.sampling import SamplingConfig

    net = load(experiment)
    length, step = round(PROMPT * net.rate), round(0.4 * net.rate)
    prompts = np.stack([mu_law.encode(prompt[k * step : k * step + length]) for k in range(MADE)], axis=1)
    pieces = net.generator(np.zeros(MADE, int)).generate(prompts, MADE_SECONDS * net.rate, 0, SamplingConfig())
    return [heard(samples, net.rate) for samples in mu_law.decode(np.concatenate(list(pieces))).T]


def main() -> None:
    """Train both, listen, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20, help="of training, for each network")
    parser.add_argument("--rate", type=int, default=8000, choices=(8000, 4000, 2000, 1000))
    parser.add_argument("--size", default="tiny", help="of the GRUs")
    parser.add_argument("--network", default="chrono", choices=("default", "chrono"), help="how their memory begins")
    parser.add_argument("--seq_length", type=int, default=3200, help="of their windows")
    parser.add_argument("--batch_size", type=int, default=16, help="of their batches")
    parser.add_argument("--without_wavenet", action="store_true", help="train the GRUs alone")
    args = parser.parse_args()
    from workshop.audio.synthesis import write_wav

    fewer = int(math.log2(8000 // args.rate))
    contestants: dict[str, tuple[object, ...]] = {
        "audio_rnn": (
            "--size",
            args.size,
            "--network",
            args.network,
            "--seq_length",
            args.seq_length,
            "--batch_size",
            args.batch_size,
        ),
    }
    if not args.without_wavenet:
        contestants["wavenet"] = ("--size", "tiny", "--layers", 7 - fewer)
    result: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(FILES):
            write_wav(Path(folder) / f"{number:02d}.wav", sound(number, args.rate, SECONDS), args.rate)
        prompt = sound(FILES, args.rate, PROMPT + 0.4 * MADE)
        where: tuple[object, ...] = ("--data_dir", folder, "--sample_rate", args.rate)
        limits = ("--max_minutes", args.minutes, "--patience", 10**6, "--sample_every", 10**6)
        for lesson, options in contestants.items():
            with compare.trained(lesson, *where, *limits, *options) as (experiment, info):
                sounds = generated(experiment, prompt)
            right, chance = share(sounds), share(shuffled(sounds))
            bits = info["best"]["validation"] / math.log(2)
            print(f"{lesson}, {info['step']:,} steps, {bits:.3f} bits a sample: of {sum(map(len, sounds))} tones")
            after_a, after_others = share(sounds, (0,)), share(sounds, (1, 2))
            print(f"  {right:.0%} are followed by the right one; of the same tones shuffled {chance:.0%}")
            print(
                f"  after A, which needs the tone before it, {after_a:.0%}; after B and C {after_others:.0%}",
                flush=True,
            )
            result[lesson] = {"right": right, "shuffled": chance, "after A": after_a, "after B and C": after_others}
            result[lesson] |= {"bits": bits, "steps": info["step"]}
    compare.finish(dict(result))


if __name__ == "__main__":
    main()
