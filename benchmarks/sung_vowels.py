"""Blekota's own result: a network that learns to sing. How many of its sounds are voiced and on a pitch that it heard.

    python benchmarks/sung_vowels.py --minutes 60

Synthesises 12 minutes of sung vowels: a source of harmonics with vibrato through the formants of five vowels, on five
pitches, in breaths of two seconds with short rests. Trains `audio_rnn --size large` on them at 8 kHz and draws ten
sounds of two seconds, each after half a second of a vowel: a sound counts where 80 % of its frames are voiced and
within 30 cents of one of the five pitches, of which vibrato takes up to 25.
"""

import argparse
import tempfile
from pathlib import Path

import compare
import librosa
import numpy as np

RATE, MINUTES, SOUNDS, SECONDS = 8000, 12, 10, 2
#: In Hz: a pentatonic scale from A3 on; and how much of a sound has to be on one of its pitches.
PITCHES = 220 * 2 ** (np.array([0, 2, 4, 7, 9]) / 12)
CENTS, SHARE = 30, 0.8
#: Vibrato: cents to each side, and its rate in Hz.
DEPTH, VIBRATO = 25, 5.5
#: The formants of a, e, i, o and u, in Hz; and their bandwidth.
VOWELS = ((730, 1090, 2440), (530, 1840, 2480), (270, 2290, 3010), (570, 840, 2410), (300, 870, 2240))
BANDWIDTH = 90


def vowel(number: int, seconds: float) -> np.ndarray:
    """A sung vowel, samples [N]: which vowel, on which pitch and with which vibrato depends on the number."""
    rng = np.random.default_rng(number)
    time = np.arange(round(seconds * RATE)) / RATE
    bend = DEPTH / 1200 * np.sin(2 * np.pi * (VIBRATO * time + rng.random()))
    pitch = rng.choice(PITCHES) * 2**bend
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    formants = np.array(VOWELS[rng.integers(len(VOWELS))])
    sung = np.zeros_like(time)
    for k in range(1, int(0.45 * RATE / pitch.max())):
        through = sum(1 / (1 + ((k * pitch - formant) / BANDWIDTH) ** 2) for formant in formants)
        sung += (0.02 + through) / k * np.sin(k * phase)
    rise = np.minimum(1, np.minimum(time, time[::-1]) / 0.05)
    return 0.5 * sung / np.abs(sung).max() * rise + rng.normal(0, 0.002, len(time))


def song(number: int) -> np.ndarray:
    """A minute of vowels and rests, samples [N]."""
    breaths = [np.append(vowel(30 * number + k, 1.8), np.zeros(RATE // 5)) for k in range(30)]
    return np.concatenate(breaths)


def on_pitch(samples: np.ndarray) -> float:
    """The share of frames that are voiced and within `CENTS` of a pitch that was sung, by pYIN."""
    found, voiced, _ = librosa.pyin(samples, fmin=100, fmax=800, sr=RATE, frame_length=1024)
    off = np.abs(1200 * np.log2(found[:, None] / PITCHES))
    return float(np.mean(voiced & (np.nan_to_num(off, nan=np.inf).min(axis=1) < CENTS)))


def main() -> None:
    """Train, sing, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="of training")
    parser.add_argument("--size", default="large", help="of the network")
    args = parser.parse_args()
    from workshop import load
    from workshop.audio.synthesis import write_wav

    recorded = float(np.mean([on_pitch(vowel(10_000 + k, SECONDS)) for k in range(SOUNDS)]))
    with tempfile.TemporaryDirectory() as folder:
        for number in range(MINUTES):
            write_wav(Path(folder) / f"{number:02d}.wav", song(number), RATE)
        options = ("--data_dir", folder, "--size", args.size, "--max_minutes", args.minutes, "--sample_every", 10**6)
        with compare.trained("audio_rnn", *options) as (experiment, info):
            net = load(experiment)
            prompts = [vowel(10_000 + seed, SECONDS)[: RATE // 2] for seed in range(SOUNDS)]
            sung = [net.generate(p, seconds=SECONDS, seed=k).samples for k, p in enumerate(prompts)]
    shares = [on_pitch(samples) for samples in sung]
    good = sum(share >= SHARE for share in shares)
    print(f"{info['step']:,} steps: {good} of {SOUNDS} sounds are sung on a pitch that was heard, {SHARE:.0%} of each")
    print("frames on a pitch: " + ", ".join(f"{share:.0%}" for share in shares) + f"; of the vowels {recorded:.0%}")
    bits = info["best"]["validation"] / np.log(2)
    compare.finish({"good": good, "shares": shares, "vowels": recorded, "steps": info["step"], "bits": bits})


if __name__ == "__main__":
    main()
