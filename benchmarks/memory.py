"""How much memory a very long text takes: the peak of reading 1 GB, and that of training on it.

    python benchmarks/memory.py

Writes 1 GB of starter lyrics, in shuffled order and with random misprints, to a temporary folder (`--folder`; nothing
is left there), reads it with char_rnn/dataset.py, and trains `--size tiny` on it for 12 seconds; each in a process of
its own, whose peak resident memory the operating system counts. About a minute on two cores. Expect less than twice the
size of the file: a byte for each character, and less than a gigabyte for TensorFlow and the n-grams. With `--wide` the
text has more than 256 different characters, which take two bytes each.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import compare

ROOT = Path(__file__).resolve().parent.parent
LOAD = "import sys, pathlib, char_rnn.dataset; char_rnn.dataset.load(pathlib.Path(sys.argv[1]))"
#: A thousand characters that no lyric of the starter set has.
WIDE = "".join(map(chr, range(0x4E00, 0x4E00 + 1000)))


def write_text(path: Path, size_bytes: int, letters: str) -> int:
    """Write at least so many bytes of lyrics, every hundredth character or so replaced; the size in bytes."""
    rng = random.Random(0)
    songs = [song.read_text("utf-8") for song in sorted((ROOT / "data/lyrics/starter").glob("*.txt"))]
    with open(path, "wb") as file:
        while file.tell() < size_bytes:
            rng.shuffle(songs)
            block = list("\n\n".join(songs))
            for at in rng.sample(range(len(block)), len(block) // 100):
                block[at] = rng.choice(letters)
            file.write("".join(block).encode())
    return path.stat().st_size


def peak_bytes(command: list[str]) -> tuple[int, float]:
    """Peak resident memory in bytes of a process, and its seconds.

    Raises:
        SystemExit: it failed.
    """
    started = time.perf_counter()
    process = os.spawnv(os.P_NOWAIT, command[0], command)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    unit = 1 if sys.platform == "darwin" else 1024
    return usage.ru_maxrss * unit, time.perf_counter() - started


def main() -> None:
    """Write the text, read it, train on it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the text")
    parser.add_argument("--folder", help="where to put the text for the time being")
    parser.add_argument("--wide", action="store_true", help="more than 256 different characters")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        text, experiment = Path(folder) / "input.txt", Path(folder) / "experiment"
        size = write_text(text, args.megabytes * 1_000_000, WIDE if args.wide else "abcdefghijklmnopqrstuvwxyz")
        train = ["--data_dir", str(text), "--experiment_dir", str(experiment), "--size", "tiny", "--max_minutes", "0.2"]
        commands = {
            "reading": [sys.executable, "-c", LOAD, str(text)],
            "training": [sys.executable, str(ROOT / "char_rnn" / "train.py"), *train],
        }
        peaks = {name: peak_bytes(command) for name, command in commands.items()}
    print(f"text: {size / 1e6:,.0f} MB")
    for name, (peak, seconds) in peaks.items():
        print(f"{name}: peak {peak / 1e6:,.0f} MB = {peak / size:.2f} times the text, {seconds:.0f} s")
    worst = max(peak for peak, _ in peaks.values())
    print(f"the larger of the two: {worst / size:.2f} times the text")
    megabytes = {f"{name}_megabytes": round(peak / 1e6) for name, (peak, _) in peaks.items()}
    compare.finish({"text_megabytes": round(size / 1e6), **megabytes, "ratio": round(worst / size, 3)})


if __name__ == "__main__":
    main()
