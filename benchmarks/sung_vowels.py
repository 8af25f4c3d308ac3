"""Blekota's own result: a network that learns to sing. How many of its sounds are voiced and on a pitch that it heard.

    python benchmarks/sung_vowels.py --minutes 60
    python benchmarks/sung_vowels.py --write FOLDER
    python benchmarks/sung_vowels.py --trained EXPERIMENT

Synthesises 12 minutes of sung vowels: a source of harmonics with vibrato through the formants of five vowels, on five
pitches, in breaths of two seconds; a folder for each vowel. Trains `audio_rnn --size large` on them at
8 kHz, by the names of the vowels, and draws ten sounds of two seconds, each after half a second of a vowel: a sound
counts where 80 % of its frames are voiced and within 30 cents of one of the five pitches, of which vibrato takes up to
25. The second form only writes the vowels, the third listens to a network that was trained on them.
"""

import argparse
import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import compare
import librosa
import numpy as np

RATE, SOUNDS, SECONDS = 8000, 10, 2
#: Breaths in a file, of two seconds each, and files: 12 minutes. There are no rests between them: a network that has
#: heard rests begins with one where it is not given a beginning, and does not find out of it.
BREATHS, FILES = 6, 60
#: Standard deviation of the noise of the room.
NOISE = 0.002
#: Numbers of the first sound to learn from, and of the first to go on from.
LEARNT, PROMPTS = 1000, 10_000
#: In Hz: a pentatonic scale from A3 on; and how much of a sound has to be on one of its pitches.
PITCHES = 220 * 2 ** (np.array([0, 2, 4, 7, 9]) / 12)
CENTS, SHARE = 30, 0.8
#: Vibrato: cents to each side, and its rate in Hz.
DEPTH, VIBRATO = 25, 5.5
#: The formants of the vowels in Hz, and their bandwidth.
VOWELS = {
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}
BANDWIDTH = 90


def sing(name: str, number: int, seconds: float) -> np.ndarray:
    """A sung vowel, samples [N]: its pitch and its vibrato depend on the number."""
    rng = np.random.default_rng(number)
    time = np.arange(round(seconds * RATE)) / RATE
    bend = DEPTH / 1200 * np.sin(2 * np.pi * (VIBRATO * time + rng.random()))
    pitch = rng.choice(PITCHES) * 2**bend
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    sung = np.zeros_like(time)
    for k in range(1, int(0.45 * RATE / pitch.max())):
        through = sum(1 / (1 + ((k * pitch - formant) / BANDWIDTH) ** 2) for formant in VOWELS[name])
        sung += (0.02 + through) / k * np.sin(k * phase)
    rise = np.minimum(1, np.minimum(time, time[::-1]) / 0.05)
    return 0.5 * sung / np.abs(sung).max() * rise + rng.normal(0, NOISE, len(time))


def write(folder: Path) -> None:
    """The sounds to learn from: in each file breaths of a vowel."""
    from workshop.audio.synthesis import write_wav

    names = list(VOWELS)
    for number in range(FILES):
        name = names[number % len(names)]
        first = LEARNT + BREATHS * number
        breaths = [sing(name, each, 2) for each in range(first, first + BREATHS)]
        write_wav(folder / name / f"{number:02d}.wav", np.concatenate(breaths), RATE)


def on_pitch(samples: np.ndarray) -> float:
    """The share of frames that are voiced and within `CENTS` of a pitch that was sung, by pYIN."""
    found, voiced, _ = librosa.pyin(samples, fmin=100, fmax=800, sr=RATE, frame_length=1024)
    off = np.abs(1200 * np.log2(found[:, None] / PITCHES))
    return float(np.mean(voiced & (np.nan_to_num(off, nan=np.inf).min(axis=1) < CENTS)))


@contextlib.contextmanager
def training(minutes: float, size: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The experiment of so many minutes, and its run.json."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        options = ("--data_dir", folder, "--size", size, "--max_minutes", minutes, "--sample_every", 10**6)
        with compare.trained("audio_rnn", *options, "--condition", "folder") as found:
            yield found


def main() -> None:
    """Train, sing, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="of training")
    parser.add_argument("--size", default="large", help="of the network")
    parser.add_argument("--temperature", type=float, help="of the softmax; by default that of the network")
    parser.add_argument("--seed", type=int, default=0, help="of the first sound; the others take those that follow")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="only write the vowels there")
    parser.add_argument("--trained", type=Path, metavar="EXPERIMENT", help="listen to this one instead of training")
    args = parser.parse_args()
    if args.write:
        write(args.write)
        return
    from workshop import load

    names = list(VOWELS)
    vowels = [(names[k % len(names)], sing(names[k % len(names)], PROMPTS + k, SECONDS)) for k in range(SOUNDS)]
    recorded = float(np.mean([on_pitch(samples) for _, samples in vowels]))
    with (
        contextlib.nullcontext((args.trained, json.loads((args.trained / "run.json").read_text("utf-8"))))
        if args.trained
        else training(args.minutes, args.size)
    ) as (experiment, info):
        net = load(experiment)
        sung = [
            net.generate(
                samples[: RATE // 2], seconds=SECONDS, condition=name, seed=args.seed + k, temperature=args.temperature
            ).samples
            for k, (name, samples) in enumerate(vowels)
        ]
    shares = [on_pitch(samples) for samples in sung]
    good = sum(share >= SHARE for share in shares)
    print(f"{info['step']:,} steps: {good} of {SOUNDS} sounds are sung on a pitch that was heard, {SHARE:.0%} of each")
    print("frames on a pitch: " + ", ".join(f"{share:.0%}" for share in shares) + f"; of the vowels {recorded:.0%}")
    bits = info["best"]["validation"] / np.log(2)
    compare.finish({"good": good, "shares": shares, "vowels": recorded, "steps": info["step"], "bits": bits})


if __name__ == "__main__":
    main()
