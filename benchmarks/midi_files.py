"""How long it takes to read a folder of MIDI files, at first and when they have been read before, and how many notes
come back from encoding and decoding.

    python benchmarks/midi_files.py --data_dir data/midi/nottingham

Reading means everything up to the symbols to train on: finding the files, their notes, duplicates, and the encoding.
What has been read is kept in a new folder for each round, so the first time of a round is a first time. The notes are
those of the voice that the melody encoding takes: one note at a time, the highest. A few seconds a round.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import compare

ROOT = Path(__file__).resolve().parent.parent
#: Read a folder with what is kept in another one, in a process of its own, and print the seconds that reading takes.
READ = """
import sys, time
from pathlib import Path
if __name__ == "__main__":
    from workshop.notes import midilibrary
    midilibrary.CACHE = Path(sys.argv[2])
    from midi_rnn import dataset
    started = time.perf_counter()
    dataset.load(Path(sys.argv[1]), encoding=sys.argv[3])
    print(time.perf_counter() - started)
"""


def kept(folder: Path) -> tuple[int, int]:
    """Notes of the melodies of all files, and how many of them come back with their pitch within a sixteenth."""
    from midi_rnn.encoding import ENCODINGS
    from workshop.notes.midifiles import find_midi_files
    from workshop.notes.midilibrary import read_all

    melody = ENCODINGS["melody"]
    notes = back = 0
    for score in read_all(find_midi_files(folder)).scores.values():
        chosen = melody.compact(melody.sounding(score, None), score)
        decoded = melody.decode(melody.encode(chosen))
        notes += len(chosen)
        near = zip(chosen.tolist(), decoded.tolist(), strict=False)
        back += sum(a[2] == b[2] and abs(a[0] - b[0]) <= 0.25 for a, b in near) if len(chosen) == len(decoded) else 0
    return notes, back


def main() -> None:
    """Measure, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True, help="folder of MIDI files")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    seconds: dict[str, list[float]] = {"first": [], "second": []}
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "read_midi.py"
        script.write_text(READ)
        for number in range(args.rounds):
            for name in seconds:
                command = [sys.executable, str(script), str(args.data_dir), f"{folder}/{number}", "melody"]
                started = time.perf_counter()
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                seconds[name].append(float(done.stdout))
                print(f"{name}: {seconds[name][-1]:.2f} s ({time.perf_counter() - started:.2f} s with Python's start)")
    notes, back = kept(args.data_dir)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"first {medians['first']:.2f} s, second {medians['second']:.2f} s; kept {back:,} of {notes:,} notes")
    compare.finish({"seconds": medians, "notes": notes, "kept": back})


if __name__ == "__main__":
    main()
