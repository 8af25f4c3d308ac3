"""What becomes of a minute of lesson 5 where the next frame is drawn, and where it is guessed (`--target complex`).

    python benchmarks/guessing.py                 two trainings of 2.5 minutes each; writes docs/stages and the page
    python benchmarks/guessing.py --smoke --docs FOLDER    seconds, into a copy of docs/, to see that it works

Both train for the same time on the starter music. Printed is how loud what they make is beside the held-out recordings,
in dB by the second, medians over the seeds; the first seconds of the first seed go into docs/stages. Further arguments
are those of `train.py`.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import compare
import expectations
import numpy as np
import soundfile
import stages

from workshop import load
from workshop.audio import library

#: How a page calls the targets.
TARGETS = {"levels": "Drawn from probabilities", "complex": "Guessed, `--target complex`"}
#: Where the parts of a minute begin and end that are measured, in seconds.
PARTS = ((0, 2), (2, 5), (5, 10), (10, 30), (30, 60))
#: Seconds that are kept to be heard, with those of the recording before it.
KEPT = 8
#: In dB; what is softer than the least number of a wav file is written so.
NOTHING = -99.0


def loudness(samples: np.ndarray) -> float:
    """Root mean square in dB."""
    return 10 * float(np.log10(max(np.square(samples, dtype=np.float64).mean(), 10 ** (NOTHING / 10))))


def measure(target: str, args: argparse.Namespace, more: list[str], folder: Path) -> dict[str, Any]:
    """Train, generate a minute with each seed, and keep the beginning of the first."""
    length = ["--smoke", "--size", "tiny"] if args.smoke else ["--max_minutes", args.minutes]
    quiet = ["--sample_every", 10**9]
    with compare.trained("spectral_rnn", "--target", target, *length, *quiet, *more) as (experiment, info):
        net = load(experiment)
        data = compare.ROOT / info["data"]["path"]
        held_out = library.load(data, net.rate, info["arguments"]["val_split"], encode=np.asarray).held_out[0]
        beside, found = loudness(np.concatenate(held_out)), []
        for seed in range(args.seeds):
            samples = net.generate(seconds=PARTS[-1][1], seed=seed).samples
            found.append([loudness(samples[begin * net.rate : end * net.rate]) - beside for begin, end in PARTS])
            if seed == 0:
                file = folder / f"spectra_{target}.ogg"
                soundfile.write(file, samples[: KEPT * net.rate], net.rate, format="OGG", subtype="VORBIS")
        return {
            "steps": info["step"], "nats": round(info["best"]["validation"], 1),
            "linear": round(min(info["baseline"].values()), 1), "file": file.name,
            "level_db": [round(float(value), 1) for value in np.median(found, axis=0)],
        }  # fmt: skip


def shown(results: dict[str, dict[str, Any]], minutes: float, seeds: int) -> str:
    """What the page shows: a table, and both to be heard."""
    lines = [
        f"| {minutes:g} minutes of training each | steps | {' | '.join(f'{a} to {b} s' for a, b in PARTS)} |",
        f"| --- | ---: | {' | '.join('---:' for _ in PARTS)} |",
    ]
    for target, of in results.items():
        levels = " | ".join(f"{level:+.1f} dB" for level in of["level_db"])
        lines.append(f"| {TARGETS[target]} | {of['steps']:,} | {levels} |")
    lines.append(f"\nLevel beside the held-out recordings, medians of {seeds} minutes.\n")
    for target, of in results.items():
        lines += stages.player(f"{TARGETS[target]}, the first {KEPT} seconds", of["file"])
    return "\n".join(lines)


def main() -> None:
    """Measure both, and fill the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=2.5, help="of each training (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=5, help="minutes that each makes (default: %(default)s)")
    parser.add_argument("--docs", type=Path, default=compare.ROOT / "docs", help="folder of the pages")
    parser.add_argument("--smoke", action="store_true", help="some steps of the smallest networks")
    args, more = parser.parse_known_args()
    if args.smoke and args.docs == compare.ROOT / "docs":
        parser.error("--smoke makes nothing worth showing: name a copy of the pages with --docs")
    folder = args.docs / "stages"
    folder.mkdir(exist_ok=True)
    results = {target: measure(target, args, more, folder) for target in TARGETS}
    kept = expectations.kept(args.docs)
    text = shown(results, args.minutes, args.seeds)
    kept["guessing"] = {**results, "minutes": args.minutes, "seeds": args.seeds, "shown": text}
    expectations.keep(args.docs, kept)
    compare.finish(results)


if __name__ == "__main__":
    sys.exit(main())
