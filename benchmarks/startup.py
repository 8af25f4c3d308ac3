"""How long one waits: for --help, and for the first line of progress on 1 MB of text.

    python benchmarks/startup.py --data_dir data/lyrics/tinyshakespeare

Medians of several runs; about two minutes.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import compare

SCRIPTS = Path(__file__).resolve().parent.parent / "char_rnn"


def seconds_for_help(script: str) -> float:
    """Seconds until `--help` has been printed."""
    started = time.perf_counter()
    subprocess.run([sys.executable, str(SCRIPTS / script), "--help"], check=True, capture_output=True)
    return time.perf_counter() - started


def seconds_to_first_step(data_dir: str, size: str) -> float:
    """Seconds until `train.py` prints its first line of progress; the training is then stopped."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(SCRIPTS / "train.py"), "--data_dir", data_dir, "--size", size]
        command += ["--experiment_dir", str(Path(folder) / "experiment")]
        started = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            for line in process.stderr:
                if line.startswith("step "):
                    break
            seconds = time.perf_counter() - started
            process.kill()
        return seconds


def main() -> None:
    """Measure all, in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", required=True, help="a folder with about 1 MB of text")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    contestants = {
        "train.py --help": lambda: seconds_for_help("train.py"),
        "sample.py --help": lambda: seconds_for_help("sample.py"),
        "first progress, size small": lambda: seconds_to_first_step(args.data_dir, "small"),
        "first progress, size medium": lambda: seconds_to_first_step(args.data_dir, "medium"),
    }
    seconds = compare.in_turn(contestants, args.rounds)
    for name, value in seconds.items():
        print(f"{name}: {value:.2f} s")
    compare.finish({name: round(value, 3) for name, value in seconds.items()})


if __name__ == "__main__":
    main()
