"""What the trained networks measure on the data that was held out of their training: for each lesson, as its
`train.py` measured it. The data is read once, for all networks that were trained on it.
"""

import argparse
import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from workshop.audio import latents
from workshop.run.batches import EvalBatches, join
from workshop.run.record import DataInfo
from workshop.run.trained import Trained

#: Streams side by side in a measurement.
BATCH = 2


#: Measures a network: nats per symbol or frame, or the distance of its loops.
Measure = Callable[[Any], float]


def measure(net: Any, data: Path) -> Measure:
    """What measures a network, and others that were trained on the same data.

    Args:
        net: the network, as `workshop.load` gives it.
        data: what it was trained on.
    """
    return MEASURES[net.lesson.name](net, data)


def text(net: Trained, data: Path) -> Measure:
    """Nats per character of char_rnn."""
    from char_rnn import dataset, train
    from char_rnn.vocab import Vocabulary

    vocabulary = Vocabulary.load(net.experiment.path / "vocab.json")
    found = dataset.load(data, net.experiment.record.arguments["val_split"], vocabulary=vocabulary)
    check_same(net, found.facts)
    return functools.partial(nats, EvalBatches(found.held_out[: train.MOST_MEASURED], found.train))


def notes(net: Trained, data: Path) -> Measure:
    """Nats per step of midi_rnn."""
    from midi_rnn import dataset, train

    arguments = net.experiment.record.arguments
    music = dataset.load(data, arguments["val_split"], arguments["encoding"], arguments["track"])
    check_same(net, music.facts)
    measured = join(music.held_out, dataset.END)[: train.MOST_MEASURED]
    return functools.partial(nats, EvalBatches(measured, join(music.train, dataset.END)))


def samples(net: Any, data: Path) -> Measure:
    """Nats per sample of wavenet."""
    from wavenet import dataset
    from workshop.audio import excerpts

    asked = net.experiment.record.arguments
    sounds = dataset.load(data, net.rate, asked["val_split"], asked["silence_threshold"], asked["condition"])
    check_same(net, sounds.facts)
    train, held_out = excerpts.rings(sounds)
    field = net.model.shape.receptive_field
    return functools.partial(nats, excerpts.HeldOutSounds(held_out, train, field, BATCH, asked["seq_length"]))


def remembered_samples(net: Any, data: Path) -> Measure:
    """Nats per sample of audio_rnn."""
    from audio_rnn import dataset, train
    from workshop.audio import excerpts

    sounds = dataset.load(data, argparse.Namespace(**net.experiment.record.arguments))
    check_same(net, sounds.facts)
    before, held_out = excerpts.rings(sounds)
    return functools.partial(nats, excerpts.HeldOutStreams(held_out, before, train.CONTEXT))


def nats(held_out: Iterable[Any], net: Any) -> float:
    """The loss of a network on held-out batches, in nats per symbol."""
    from workshop.run.learner import NextSymbolLearner, cross_entropy

    learner = NextSymbolLearner(
        net.model, net.model, cross_entropy, learning_rate=0.0, batch_size=BATCH, held_out=held_out
    )
    return learner.evaluate().loss


def frames(net: Any, data: Path) -> Measure:
    """Nats per frame of spectral_rnn."""
    from spectral_rnn import dataset
    from spectral_rnn.learner import FrameLearner

    asked = net.experiment.record.arguments
    sounds = dataset.load(data, net.bands, asked["val_split"], asked["silence_threshold"])
    check_same(net, sounds.facts)
    train, held_out = dataset.in_a_row(sounds)
    batches = dataset.HeldOutFrames(held_out, train)

    def nats_a_frame(net: Any) -> float:
        model = net.model
        learner = FrameLearner(model, model, {}, learning_rate=0.0, batch_size=BATCH, held_out=batches)
        return learner.evaluate().loss

    return nats_a_frame


def loops(net: Any, data: Path) -> Measure:
    """The distance of loops of spectral_gan from held-out ones."""
    from spectral_gan import dataset
    from spectral_gan.judging import Judge

    asked = net.experiment.record.arguments
    found = dataset.load(data, net.info.frames, net.info.bands, asked["val_split"], net.info.scale)
    check_same(net, found.facts)
    judge = Judge(found.train, found.held_out)
    points = latents.drawn(judge.count, net.latent_size, asked["seed"])
    return lambda net: judge(net.pictures(points)).loss


def check_same(net: Trained, facts: DataInfo) -> None:
    """See that this is the data that the network was trained on."""
    assert facts.fingerprint == net.experiment.record.data["fingerprint"], "other data than the training's"


MEASURES: dict[str, Callable[[Any, Path], Measure]] = {
    "char_rnn": text,
    "midi_rnn": notes,
    "wavenet": samples,
    "audio_rnn": remembered_samples,
    "spectral_rnn": frames,
    "spectral_gan": loops,
}
