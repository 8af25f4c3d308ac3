"""Generate with a trained network for as long as is wanted, and keep nothing of it.

    python tests/reliability/generating.py EXPERIMENT SECONDS FILE

`sample.py` holds what it makes until it is written, so its memory grows with the length that is asked for; here it is
the network's own loop that is watched. FILE is made once it has begun; at the end it prints how many symbols were made.
"""

import itertools
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from workshop.lessons import lesson_of
from workshop.networks.sampling import SamplingConfig
from workshop.run import checkpoint
from workshop.run import experiment as experiments
from workshop.run.experiment import Experiment

#: Symbols that are asked for at a time, and how many streams of them.
LENGTH, STREAMS = 20_000, 4

Write = Callable[[int], Iterator[np.ndarray]]


def text(experiment: Experiment, with_weights: Callable[[Any], Any]) -> Write:
    """Lesson 1: what writes, given a seed."""
    from char_rnn.generate import Generator
    from char_rnn.model import build
    from char_rnn.vocab import Vocabulary

    vocabulary = Vocabulary.load(experiment.path / "vocab.json")
    model = with_weights(build(experiment.record.network, len(vocabulary)))
    generator = Generator(model, vocabulary)
    return lambda seed: generator.generate(vocabulary.encode("oh "), LENGTH, STREAMS, seed, SamplingConfig())


def notes(experiment: Experiment, with_weights: Callable[[Any], Any]) -> Write:
    """Lesson 2: what plays, given a seed."""
    from midi_rnn.encoding import ENCODINGS
    from midi_rnn.generate import Generator
    from midi_rnn.info import MusicInfo
    from midi_rnn.model import build

    facts = experiment.data(MusicInfo)
    encoding = ENCODINGS[facts.encoding]
    model = with_weights(build(experiment.record.network, encoding.vocab_size))
    generator = Generator(model, encoding, facts.allowed_symbols, facts.limits)
    return lambda seed: generator.generate(np.array(facts.warm_up, np.int32), LENGTH, STREAMS, seed, SamplingConfig())


def sound(experiment: Experiment, with_weights: Callable[[Any], Any]) -> Write:
    """Lesson 3: what sounds, given a seed."""
    from wavenet.generate import Generator
    from wavenet.model import build

    model = with_weights(build(experiment.record.network))
    generator = Generator(model, np.zeros(STREAMS, int))
    return lambda seed: generator.generate(np.empty((0, STREAMS), np.uint8), LENGTH, seed, SamplingConfig())


def remembered(experiment: Experiment, with_weights: Callable[[Any], Any]) -> Write:
    """Lesson 4: what sounds, given a seed."""
    from audio_rnn.generate import Generator
    from audio_rnn.model import build

    generator = Generator(with_weights(build(experiment.record.network)), np.zeros(STREAMS, int))
    return lambda seed: generator.generate(np.empty((0, STREAMS), np.uint8), LENGTH, seed, SamplingConfig())


def frames(experiment: Experiment, with_weights: Callable[[Any], Any]) -> Write:
    """Lesson 5: what sounds, given a seed."""
    from spectral_rnn.generate import Frames
    from spectral_rnn.model import build

    made = Frames(with_weights(build(experiment.record.network)))
    return lambda seed: made.generate(np.empty((0, made.shape.bands), np.uint8), LENGTH, STREAMS, seed, 1.0)


def loops(experiment: Experiment, with_weights: Callable[[Any], Any]) -> Write:
    """Lesson 6: what makes pictures of loops, given a seed."""
    from spectral_gan.model import build
    from workshop.audio import latents

    pair = with_weights(build(experiment.record.network))
    size = pair.shape.latent
    return lambda seed: (np.asarray(pair(latents.drawn(STREAMS, size, seed + k))) for k in range(10))


#: How each lesson generates.
WAYS = {
    "char_rnn": text, "midi_rnn": notes, "wavenet": sound, "audio_rnn": remembered, "spectral_rnn": frames,
    "spectral_gan": loops,
}  # fmt: skip


def main() -> None:
    """Generate until the time is up."""
    path, seconds, begun = Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    experiment = experiments.find(lesson_of(path).folder, str(path))
    arrays, _ = checkpoint.load(experiment.latest)

    def with_weights(model: Any) -> Any:
        checkpoint.assign(model.trainable_variables, arrays, "average", experiment.latest)
        return model

    write = WAYS[experiment.record.lesson](experiment, with_weights)
    made, end = 0, time.monotonic() + seconds
    for seed in itertools.count():
        for piece in write(seed):
            made += piece.size
            begun.touch()
            if time.monotonic() > end:
                print(made)
                return


if __name__ == "__main__":
    main()
