"""How much memory lesson 5 takes for a single long recording, from its file to the first steps of a training.

    python benchmarks/long_recording.py --hours 4

Tones in noise are written as one FLAC file of 44,100 Hz to a folder for what is temporary (1 GB for 4 hours), and
`spectral_rnn --smoke` is trained on it, at the rate, window and bands of its default size. Printed are the size of the
file, how long it took to read it the first time and to begin again, and the peak of the resident memory of each. It
takes some minutes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import compare
import numpy as np
import soundfile

RATE = 44_100


def write(path: Path, hours: float) -> None:
    """Write so much sound, minute by minute."""
    time_of = np.arange(60 * RATE) / RATE
    rng = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        for _ in range(round(hours * 60)):
            tone = 0.3 * np.sin(2 * np.pi * rng.uniform(100, 2000) * time_of)
            file.write(tone + rng.standard_normal(len(tone), np.float32) * 0.05)


def trained(data: Path, place: Path) -> dict[str, float]:
    """Seconds and megabytes of a short training on it."""
    asked = ["--smoke", "--size", "small", "--data_dir", str(data), "--experiment_dir", str(place)]
    command = [sys.executable, str(compare.ROOT / "spectral_rnn" / "train.py"), *asked]
    begun = time.perf_counter()
    running = subprocess.Popen(command)
    _, status, usage = os.wait4(running.pid, 0)
    if status:
        sys.exit("error: the training failed")
    return {"seconds": round(time.perf_counter() - begun), "megabytes": round(usage.ru_maxrss / 1000)}


def main() -> None:
    """Measure once with nothing kept, and once with what was kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=4, help="length of the recording")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "music"
        data.mkdir()
        write(data / "long.flac", args.hours)
        size = round((data / "long.flac").stat().st_size / 1e6)
        first, again = (trained(data, Path(folder) / name) for name in ("first", "again"))
    compare.finish({"hours": args.hours, "file_megabytes": size, "first": first, "again": again})


if __name__ == "__main__":
    sys.exit(main())
