"""What the trained networks measure on the data that was held out of their training: for each lesson, as its
`train.py` measured it.
"""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from workshop.audio import latents
from workshop.run.batches import EvalBatches, join
from workshop.run.record import DataInfo
from workshop.run.trained import Trained

#: Streams side by side in a measurement.
BATCH = 2


def loss(net: Any, data: Path) -> float:
    """What a network measures: nats per symbol or frame, or the distance of its loops.

    Args:
        net: the network, as `workshop.load` gives it.
        data: what it was trained on.
    """
    return MEASURES[net.lesson.name](net, data)


def text(net: Trained, data: Path) -> float:
    """Nats per character of char_rnn."""
    from char_rnn import dataset, train
    from char_rnn.vocab import Vocabulary

    vocabulary = Vocabulary.load(net.experiment.path / "vocab.json")
    found = dataset.load(data, net.experiment.record.arguments["val_split"], vocabulary=vocabulary)
    check_same(net, found.facts)
    return nats(net, EvalBatches(found.held_out[: train.MOST_MEASURED], found.train))


def notes(net: Trained, data: Path) -> float:
    """Nats per step of midi_rnn."""
    from midi_rnn import dataset, train

    arguments = net.experiment.record.arguments
    music = dataset.load(data, arguments["val_split"], arguments["encoding"], arguments["track"])
    check_same(net, music.facts)
    measured = join(music.held_out, dataset.END)[: train.MOST_MEASURED]
    return nats(net, EvalBatches(measured, join(music.train, dataset.END)))


def samples(net: Any, data: Path) -> float:
    """Nats per sample of wavenet."""
    from wavenet import dataset
    from workshop.audio import excerpts

    asked = net.experiment.record.arguments
    sounds = dataset.load(data, net.rate, asked["val_split"], asked["silence_threshold"], asked["condition"])
    check_same(net, sounds.facts)
    train, held_out = excerpts.rings(sounds)
    return nats(
        net, excerpts.HeldOutSounds(held_out, train, net.model.shape.receptive_field, BATCH, asked["seq_length"])
    )


def remembered_samples(net: Any, data: Path) -> float:
    """Nats per sample of audio_rnn."""
    from audio_rnn import dataset, train
    from workshop.audio import excerpts

    sounds = dataset.load(data, argparse.Namespace(**net.experiment.record.arguments))
    check_same(net, sounds.facts)
    before, held_out = excerpts.rings(sounds)
    return nats(net, excerpts.HeldOutStreams(held_out, before, train.CONTEXT))


def nats(net: Any, held_out: Iterable[Any]) -> float:
    """The loss of a network on held-out batches, in nats per symbol."""
    from workshop.run.learner import NextSymbolLearner, cross_entropy

    learner = NextSymbolLearner(
        net.model, net.model, cross_entropy, learning_rate=0.0, batch_size=BATCH, held_out=held_out
    )
    return learner.evaluate().loss


def frames(net: Any, data: Path) -> float:
    """Nats per frame of spectral_rnn."""
    from spectral_rnn import dataset
    from spectral_rnn.learner import FrameLearner

    asked = net.experiment.record.arguments
    sounds = dataset.load(data, net.bands, asked["val_split"], asked["silence_threshold"])
    check_same(net, sounds.facts)
    train, held_out = dataset.in_a_row(sounds)
    learner = FrameLearner(
        net.model, net.model, {}, learning_rate=0.0, batch_size=BATCH, held_out=dataset.HeldOutFrames(held_out, train)
    )
    return learner.evaluate().loss


def loops(net: Any, data: Path) -> float:
    """The distance of loops of spectral_gan from held-out ones."""
    from spectral_gan import dataset
    from spectral_gan.judging import Judge

    asked = net.experiment.record.arguments
    found = dataset.load(data, net.info.frames, net.info.bands, asked["val_split"])
    check_same(net, found.facts)
    judge = Judge(found.train, found.held_out)
    return judge(net.pictures(latents.drawn(judge.count, net.latent_size, asked["seed"]))).loss


def check_same(net: Trained, facts: DataInfo) -> None:
    """See that this is the data that the network was trained on."""
    assert facts.fingerprint == net.experiment.record.data["fingerprint"], "other data than the training's"


MEASURES: dict[str, Callable[[Any, Path], float]] = {
    "char_rnn": text,
    "midi_rnn": notes,
    "wavenet": samples,
    "audio_rnn": remembered_samples,
    "spectral_rnn": frames,
    "spectral_gan": loops,
}
