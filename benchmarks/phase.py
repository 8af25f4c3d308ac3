"""How near sound comes to the magnitudes that it was made of, and what that costs, against librosa.

    python benchmarks/phase.py --data_dir ../shared/data/sonic_pi

The first two seconds of each loop at 22,050 Hz, windows of 1,024 samples, hops of 256: spectral convergence in dB, and
the processor time of all of it, of this process alone; the second of two rounds counts. Half a minute.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import compare
import librosa
import numpy as np

from workshop.audio.audiofiles import find_audio_files, read
from workshop.audio.phase import LiveResynthesis, convergence, estimate
from workshop.audio.stft import Stft

RATE, SECONDS = 22_050, 2
STFT = Stft(1024, 256)
ROUNDS = 2


def by_librosa(magnitudes: np.ndarray) -> np.ndarray:
    """32 iterations from a random phase, with momentum. Its frames are centred: the first of ours come earlier."""
    early = STFT.overlap // 2 - 1
    shifted = magnitudes[early : len(magnitudes) - early]
    return librosa.griffinlim(shifted.T, n_iter=32, hop_length=STFT.hop, n_fft=STFT.window, random_state=0)


def ours(iterations: int) -> Callable[[np.ndarray], np.ndarray]:
    """The phase integrated, then so many iterations."""
    return lambda magnitudes: STFT.synthesise(estimate(magnitudes, STFT, iterations))


CONTESTANTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "integrated alone": ours(0), "and 8 iterations": ours(8), "and 16 iterations": ours(16),
    "and 32 iterations": ours(32), "live": lambda magnitudes: LiveResynthesis(STFT).add(magnitudes),
    "librosa, 32 iterations": by_librosa,
}  # fmt: skip


def measured(make: Callable[[np.ndarray], np.ndarray], sounds: list[np.ndarray]) -> dict[str, float]:
    """Mean and worst convergence over the sounds in dB, and milliseconds of processor time for one of them."""
    found = [np.abs(STFT.analyse(sound)) for sound in sounds]
    for _ in range(ROUNDS):
        begun = time.process_time()
        made = [make(magnitudes) for magnitudes in found]
        milliseconds = 1000 * (time.process_time() - begun) / len(sounds)
    reached = [convergence(one, magnitudes, STFT) for one, magnitudes in zip(made, found, strict=True)]
    return {
        "mean_db": round(float(np.mean(reached)), 1), "worst_db": round(max(reached), 1),
        "cpu_ms": round(milliseconds, 1),
    }  # fmt: skip


def main() -> None:
    """Measure all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True, help="folder with loops, such as Sonic Pi's")
    files = [file for file in find_audio_files(parser.parse_args().data_dir) if file.name.startswith("loop_")]
    sounds = [read(file, RATE)[: RATE * SECONDS] for file in files]
    print(f"{len(sounds)} loops")
    result: dict[str, object] = {}
    for name, make in CONTESTANTS.items():
        result[name] = figures = measured(make, sounds)
        print(name, figures)
    compare.finish_speeds(result)


if __name__ == "__main__":
    main()
