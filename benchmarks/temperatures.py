"""Which temperature makes samples that are most like music that the network has not seen: a distance for each lesson.

    python benchmarks/temperatures.py
    python benchmarks/temperatures.py --experiment char_rnn/experiments/01 --lesson char_rnn

Trains each lesson for some minutes on its data (or takes `--experiment`), draws 100 samples at each temperature from
0.6 to 1.1 with `sample.py`, and compares them with the held-out data. The distances:

- text: the mean of three Jensen-Shannon divergences in bits, between the frequencies of character trigrams, of the
  lengths of words, and of the lengths of lines.
- notes: the mean of two, between the histograms of intervals from note to note (semitones) and of the time from onset
  to onset (sixteenths).
- sound: the Frechet distance between the normal distributions of log-mel frames, the mean over the conditions, as
  Kilgour et al. 2019 (arXiv:1812.08466) have it for learnt features.

A hundred samples of the training data's own, cut like those of the network, show how near one can come. 20 minutes.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import compare
import numpy as np

TEMPERATURES = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
SAMPLES = 100
#: Mel bands, samples of a frame, and samples from one frame to the next.
BANDS, FRAME, HOP = 40, 1024, 512
#: A line, a word or a time between two notes that is longer counts as this long; an interval, as this wide.
LONGEST = {"word": 20, "line": 120, "onset": 32, "interval": 24}
#: Below this a frame is silence: 80 dB below full scale.
FLOOR = 1e-8


def divergence(first: Counter[Hashable], second: Counter[Hashable]) -> float:
    """The Jensen-Shannon divergence of two frequencies in bits: 0 for the same, 1 for those that share nothing."""
    keys = [*(first | second)]
    p, q = (np.array([counts[key] for key in keys]) / max(sum(counts.values()), 1) for counts in (first, second))
    middle = (p + q) / 2
    return sum(float(np.sum(r[r > 0] * np.log2(r[r > 0] / middle[r > 0]))) for r in (p, q)) / 2


def log_mel(samples: np.ndarray, rate: int) -> np.ndarray:
    """Log-mel frames [K, BANDS] of samples [N], in nepers of power."""
    count = max((len(samples) - FRAME) // HOP + 1, 0)
    frames = samples[np.arange(count)[:, None] * HOP + np.arange(FRAME)]  # [K, FRAME]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(FRAME), axis=1))) / FRAME  # [K, FRAME / 2 + 1]
    return np.log(power @ _mel_filters(rate) + FLOOR)


def _mel_filters(rate: int) -> np.ndarray:
    """Triangles [FRAME / 2 + 1, BANDS] that are equally wide on the mel scale (2595 log10(1 + f / 700))."""
    mels = np.linspace(0, 2595 * np.log10(1 + rate / 2 / 700), BANDS + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    hertz = np.fft.rfftfreq(FRAME, 1 / rate)[:, None]
    rising, falling = (hertz - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - hertz) / np.diff(edges)[1:]
    return np.clip(np.minimum(rising, falling), 0, None)


def frechet(first: np.ndarray, second: np.ndarray) -> float:
    """The Frechet distance of the normal distributions of frames [K, BANDS] and [L, BANDS]."""
    apart = float(np.square(first.mean(0) - second.mean(0)).sum())
    a, b = (np.cov(frames, rowvar=False) for frames in (first, second))
    # tr((a b)^(1/2)) by the eigenvalues of the similar symmetric matrix a^(1/2) b a^(1/2).
    values, vectors = np.linalg.eigh(a)
    root = vectors * np.sqrt(np.clip(values, 0, None)) @ vectors.T
    shared = np.sqrt(np.clip(np.linalg.eigvalsh(root @ b @ root), 0, None)).sum()
    return float(apart + np.trace(a) + np.trace(b) - 2 * shared)


def distance(first: Sequence[Counter[Hashable]], second: Sequence[Counter[Hashable]]) -> float:
    """The mean divergence of frequencies, in bits."""
    return float(np.mean([divergence(p, q) for p, q in zip(first, second, strict=True)]))


class Text:
    """What char_rnn was trained on and has not seen."""

    train = ("--data_dir", compare.ROOT / "data/lyrics/tunes")
    length = 1000
    unit = "bits"

    def __init__(self, experiment: Path, info: dict[str, Any]):
        from char_rnn import dataset
        from char_rnn.vocab import Vocabulary

        vocabulary = Vocabulary.load(experiment / "vocab.json")
        text = dataset.load(Path(info["data"]["path"]), info["arguments"]["val_split"], vocabulary=vocabulary)
        self._train = vocabulary.decode(text.train)
        self._held_out = self._statistics([vocabulary.decode(text.held_out)])

    def excerpts(self, rng: np.random.Generator) -> list[str]:
        """Pieces of the training text, as many and as long as the samples."""
        return [self._train[at : at + self.length] for at in rng.integers(0, len(self._train) - self.length, SAMPLES)]

    def samples(self, folder: Path) -> list[str]:
        """The texts that `sample.py` wrote."""
        return [file.read_text("utf-8").removesuffix("\n") for file in sorted(folder.glob("*.txt"))]

    def distance(self, texts: Iterable[str]) -> float:
        """From the held-out text, in bits."""
        return distance(self._statistics(texts), self._held_out)

    @staticmethod
    def _statistics(texts: Iterable[str]) -> list[Counter[Hashable]]:
        """Frequencies of trigrams, of word lengths and of line lengths."""
        trigrams: Counter[Hashable] = Counter()
        words: Counter[Hashable] = Counter()
        lines: Counter[Hashable] = Counter()
        for text in texts:
            trigrams.update(text[at : at + 3] for at in range(len(text) - 2))
            words.update(min(len(word), LONGEST["word"]) for word in text.split())
            # A sample begins and ends within a line.
            lines.update(min(len(line), LONGEST["line"]) for line in text.split("\n")[1:-1])
        return [trigrams, words, lines]


class Notes:
    """What midi_rnn was trained on and has not seen: pieces [N, 4], beats, pitch, velocity."""

    train = ()
    length = 256
    unit = "bits"

    def __init__(self, experiment: Path, info: dict[str, Any]):
        from midi_rnn import dataset

        music = dataset.load(Path(info["data"]["path"]), info["arguments"]["val_split"], info["data"]["encoding"])
        self._train = [music.encoding.decode(piece) for piece in music.train]
        self._held_out = self._statistics(map(music.encoding.decode, music.held_out))

    def excerpts(self, rng: np.random.Generator) -> list[np.ndarray]:
        """As many pieces of the training data."""
        return [self._train[number] for number in rng.integers(0, len(self._train), SAMPLES)]

    def samples(self, folder: Path) -> list[np.ndarray]:
        """The pieces that `sample.py` wrote."""
        from workshop.notes.midifiles import read

        return [read(file).notes for file in sorted(folder.glob("*.mid"))]

    def distance(self, pieces: Iterable[np.ndarray]) -> float:
        """From the held-out pieces, in bits."""
        return distance(self._statistics(pieces), self._held_out)

    @staticmethod
    def _statistics(pieces: Iterable[np.ndarray]) -> list[Counter[Hashable]]:
        """Frequencies of intervals in semitones, and of times from onset to onset in sixteenths."""
        intervals: Counter[Hashable] = Counter()
        onsets: Counter[Hashable] = Counter()
        widest = LONGEST["interval"]
        for notes in pieces:
            intervals.update(np.clip(np.diff(notes[:, 2]), -widest, widest).astype(int).tolist())
            onsets.update(np.clip(np.rint(np.diff(notes[:, 0]) * 4), 0, LONGEST["onset"]).astype(int).tolist())
        return [intervals, onsets]


class Sound:
    """What wavenet was trained on and has not seen, as log-mel frames [K, BANDS] of each condition."""

    train = ("--condition", "folder")
    length = 16000
    unit = "squared nepers"

    def __init__(self, experiment: Path, info: dict[str, Any]):
        from wavenet import dataset
        from workshop.audio import mu_law

        rate, arguments = info["data"]["sample_rate"], info["arguments"]
        given = (arguments[name] for name in ("val_split", "silence_threshold", "condition"))
        sounds = dataset.load(Path(info["data"]["path"]), rate, *given)
        self._train, self._held_out = (
            [np.concatenate([log_mel(mu_law.decode(values), rate) for values in condition]) for condition in part]
            for part in (sounds.train, sounds.held_out)
        )

    def excerpts(self, rng: np.random.Generator) -> list[np.ndarray]:
        """As many frames of the training data of each condition."""
        count = self.length // HOP * SAMPLES // len(self._train)
        return [frames[rng.integers(0, len(frames), count)] for frames in self._train]

    def samples(self, folder: Path) -> list[np.ndarray]:
        """The frames of the sounds that `sample.py` wrote, the conditions in turn."""
        import soundfile

        files = sorted(folder.glob("*.wav"), key=lambda file: int(file.stem))
        frames = [log_mel(*soundfile.read(file)) for file in files]
        conditions = len(self._held_out)
        return [np.concatenate(frames[number::conditions]) for number in range(conditions)]

    def distance(self, conditions: Sequence[np.ndarray]) -> float:
        """From the held-out sounds, in squared nepers: the mean over the conditions."""
        pairs = zip(conditions, self._held_out, strict=True)
        return float(np.mean([frechet(frames, held_out) for frames, held_out in pairs]))


LESSONS = {"char_rnn": Text, "midi_rnn": Notes, "wavenet": Sound}


def measure(lesson: str, experiment: Path) -> dict[str, float]:
    """The distance at each temperature, and that of the training data itself; printed as a row of a table."""
    info = json.loads((experiment / "run.json").read_text("utf-8"))
    data = LESSONS[lesson](experiment, info)
    found = {"training data": data.distance(data.excerpts(np.random.default_rng(1)))}
    for temperature in TEMPERATURES:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, compare.ROOT / lesson / "sample.py", "--experiment_dir", experiment]
            command += ["--out", folder, "--num_samples", SAMPLES, "--length", data.length, "--seed", 1]
            command += ["--temperature", temperature]
            subprocess.run(list(map(str, command)), check=True, capture_output=True)
            found[str(temperature)] = data.distance(data.samples(Path(folder)))
    nats = info["best"]["validation"]
    print(f"{lesson}, {nats:.3f} nats, distance in {data.unit}:")
    print("  ".join(f"{name}: {value:.4g}" for name, value in found.items()))
    return found


@contextlib.contextmanager
def experiment_of(lesson: str, named: Path | None, minutes: float) -> Iterator[Path]:
    """The experiment that was named, or one that is trained now."""
    if named:
        yield named
        return
    with compare.trained(lesson, *LESSONS[lesson].train, "--max_minutes", minutes) as (experiment, _):
        yield experiment


def main() -> None:
    """Train, sample, compare, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lesson", choices=LESSONS, action="append", help="one lesson alone; without it, all")
    parser.add_argument("--experiment", type=Path, help="one that is trained already, of the lesson named")
    parser.add_argument("--minutes", type=float, default=5, help="of training each")
    args = parser.parse_args()
    if args.experiment and len(args.lesson or ()) != 1:
        parser.error("--experiment needs --lesson, once")
    result: dict[str, object] = {}
    for lesson in args.lesson or LESSONS:
        with experiment_of(lesson, args.experiment, args.minutes) as experiment:
            result[lesson] = measure(lesson, experiment)
    compare.finish(result)


if __name__ == "__main__":
    main()
