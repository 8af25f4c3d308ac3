"""How well lesson 5 predicts recordings, and whether a minute of what it makes is alive.

    python benchmarks/spectral_frames.py DATA_DIR [DATA_DIR ...] --minutes 10 --seeds 10

For each folder `spectral_rnn` is trained as a person would, once. Printed are nats a frame on files held out, against
VAR(1) and VAR(2) with Student's t. And of so many generated minutes: how far the level is from that of the data in dB,
spectral flux and onsets a second as shares of those of the data, the share of 2-second windows that are like another
one of that minute or like one of the training data (correlation above 0.98), and how many times faster than real time
it was made. It takes the minutes of training, and about a quarter of a minute for each generated one. Further arguments
are those of `train.py`.
"""

import argparse
import sys
import time
from pathlib import Path

import compare
import numpy as np

from workshop import load
from workshop.audio import bands as levels
from workshop.audio.bands import Bands
from workshop.quiet import quietly

with quietly():
    from spectral_rnn import dataset

SECONDS = 60
#: A window that is compared, the step from one to the next, and how alike two are that are the same.
WINDOW, STEP, ALIKE = 2.0, 0.5, 0.98
#: Frames that are one in a comparison.
COARSE = 4
#: Training windows that are compared with, at most.
MOST = 4000
#: Levels below this are not heard beside the rest.
HEARD = -60.0


def of_frames(decibels: np.ndarray, bands: Bands) -> dict[str, float]:
    """Level in dB, flux in dB a frame, and onsets a second of frames [N, D] in dB."""
    heard = np.maximum(decibels, HEARD)
    rises = np.maximum(np.diff(heard, axis=0), 0).mean(axis=1)
    peaks = (rises[1:-1] > rises[:-2]) & (rises[1:-1] >= rises[2:]) & (rises[1:-1] > 2.0)
    rate = bands.rate / bands.stft.hop
    power = np.square(bands.magnitudes(decibels)).mean()
    return {
        "level": float(10 * np.log10(power)), "flux": float(np.abs(np.diff(heard, axis=0)).mean()),
        "onsets": float(peaks.sum() / (len(decibels) / rate)),
    }  # fmt: skip


def windows(decibels: np.ndarray, bands: Bands) -> np.ndarray:
    """Windows of frames [N, D] as vectors of length 1 around 0, [W, any]."""
    rate = bands.rate / bands.stft.hop / COARSE
    size, step = round(WINDOW * rate), max(1, round(STEP * rate))
    heard = np.maximum(decibels, HEARD)[: len(decibels) // COARSE * COARSE]
    coarse = heard.reshape(-1, COARSE, heard.shape[1]).mean(axis=1)
    found = np.stack([coarse[at : at + size].ravel() for at in range(0, len(coarse) - size, step)])
    found = found - found.mean(axis=1, keepdims=True)
    result: np.ndarray = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
    return result


def repeats(made: np.ndarray, trained: np.ndarray) -> float:
    """The share of windows [W, any] that are like another one that does not overlap, or like one of `trained`."""
    apart = np.abs(np.subtract.outer(np.arange(len(made)), np.arange(len(made)))) * STEP >= WINDOW
    among = ((made @ made.T > ALIKE) & apart).any(axis=1)
    return float((among | (made @ trained.T > ALIKE).any(axis=1)).mean())


def measured(folder: str, arguments: list[str], seeds: int) -> dict[str, object]:
    """Everything about one folder."""
    with compare.trained("spectral_rnn", "--data_dir", folder, *arguments) as (experiment, info):
        net = load(experiment)
        sounds = dataset.load(Path(folder), net.bands, info["arguments"]["val_split"], 0.0)
        train, held_out = (np.concatenate(part[0]) for part in (sounds.train, sounds.held_out))
        data = of_frames(levels.to_decibels(np.concatenate([train, held_out])), net.bands)
        trained = windows(levels.to_decibels(train), net.bands)
        trained = trained[:: -(-len(trained) // MOST)]
        generated = []
        for seed in range(seeds):
            begun, raw = time.perf_counter(), []
            list(net.sound(net.prompt("random", seed), SECONDS * net.rate, 1, seed, 1.0, raw=raw))
            speed = SECONDS / (time.perf_counter() - begun)
            frames = np.concatenate(raw)[:, 0]
            found = of_frames(frames, net.bands)
            generated.append({
                "level_db": found["level"] - data["level"], "flux": found["flux"] / data["flux"],
                "onsets": found["onsets"] / max(data["onsets"], 1e-9),
                "repeats": repeats(windows(frames, net.bands), trained), "times_real_time": speed,
            })  # fmt: skip
            print(seed, {name: round(value, 2) for name, value in generated[-1].items()}, flush=True)
        alive = sum(abs(one["level_db"]) < 6 and 0.5 < one["flux"] < 2 for one in generated)
        medians = {name: round(float(np.median([one[name] for one in generated])), 2) for name in generated[0]}
        return {
            "network": round(info["best"]["validation"], 2), "step": info["best"]["step"],
            **{f"VAR({order})-t": round(loss, 2) for order, loss in info["baseline"].items()},
            "alive": f"{alive} of {seeds}", **medians,
        }  # fmt: skip


def main() -> None:
    """Measure each folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dirs", nargs="+", help="folders with sound")
    parser.add_argument("--minutes", type=float, default=10, help="of training, for each folder")
    parser.add_argument("--seeds", type=int, default=10, help="generated minutes, for each folder")
    args, more = parser.parse_known_args()
    result: dict[str, object] = {}
    for folder in args.data_dirs:
        result[Path(folder).name] = found = measured(folder, ["--max_minutes", str(args.minutes), *more], args.seeds)
        print(folder, found, flush=True)
    compare.finish(result)


if __name__ == "__main__":
    sys.exit(main())
