"""Whether a network that was trained on tones makes them at the right pitch: the peaks in the spectrum of its sound.

    python benchmarks/tones.py
    python benchmarks/tones.py --lesson audio_rnn

Two sets of 24 sounds of a second, of one tone (440 Hz) and of two (330 and 880 Hz), each at another level and phase and
with a little noise; for each `train.py --size tiny --max_minutes 1` of the lesson, then four seconds of sound that go
on from one of them. Three minutes.
"""

import argparse
import tempfile
from pathlib import Path

import compare
import numpy as np

SETS = {"one tone": (440.0,), "two tones": (330.0, 880.0)}
RATE, SECONDS = 8000, 4


def write_set(folder: Path, tones: tuple[float, ...]) -> None:
    """Write the sounds of a set."""
    from workshop.audio.synthesis import write_wav

    time = np.arange(RATE) / RATE
    for number in range(24):
        rng = np.random.default_rng(number)
        parts = [rng.uniform(0.2, 0.4) * np.sin(2 * np.pi * (f * time + rng.random())) for f in tones]
        write_wav(folder / f"{number:02d}.wav", sum(parts) + rng.normal(0, 0.003, RATE), RATE)


def generate(experiment: Path, prime: Path) -> np.ndarray:
    """Samples that the network makes after a sound."""
    from workshop import load

    return load(experiment).generate(prime, seconds=SECONDS, seed=0).samples


def peaks(samples: np.ndarray, count: int) -> list[float]:
    """The `count` loudest frequencies in Hz, lowest first, at least 50 Hz apart; each read off a parabola through the
    logarithms of three bins.
    """
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2 + 1e-20
    found = []
    apart = 50 * len(samples) // RATE
    remaining = power.copy()
    for _ in range(count):
        at = int(remaining[1:-1].argmax()) + 1
        below, here, above = np.log(power[at - 1 : at + 2])
        found.append((at + 0.5 * (below - above) / (below - 2 * here + above)) * RATE / len(samples))
        remaining[max(0, at - apart) : at + apart] = 0
    return sorted(found)


def main() -> None:
    """Train on each set, listen, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1, help="of training, for each set")
    parser.add_argument("--lesson", choices=("wavenet", "audio_rnn"), default="wavenet")
    args = parser.parse_args()
    from workshop.quiet import quietly

    result: dict[str, object] = {}
    for name, tones in SETS.items():
        with tempfile.TemporaryDirectory() as folder:
            write_set(Path(folder), tones)
            options = ("--data_dir", folder, "--size", "tiny", "--max_minutes", args.minutes)
            with compare.trained(args.lesson, *options) as (experiment, info), quietly():
                found = peaks(generate(experiment, Path(folder) / "00.wav"), len(tones))
        off = max(abs(peak / tone - 1) for peak, tone in zip(found, tones, strict=True))
        pitches = ", ".join(f"{peak:.1f} Hz" for peak in found)
        print(f"{name}, {info['step']:,} steps: peaks at {pitches}, {off:.2%} off")
        result |= {name: found, f"{name} off": off}
    compare.finish(result)


if __name__ == "__main__":
    main()
