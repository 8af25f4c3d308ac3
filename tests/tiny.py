"""What makes trainings small: networks of thousands of weights, a second or two, and no XLA."""

import os
from typing import Any

import pytest

#: Arguments that make a training of lesson 1 small: 44 steps an epoch on the tiny text, thousands of weights.
TINY = [
    "--rnn_size", "16",
    "--num_layers", "1",
    "--dropout", "0.2",
    "--seq_length", "20",
    "--batch_size", "20",
    "--learning_rate", "0.01",
    "--save_every", "20",
    "--sample_every", "1000000",
]  # fmt: skip

#: The same for lesson 2: some ten steps an epoch on the tiny tunes.
TINY_MIDI = [*TINY, "--batch_size", "10"]

#: The same for lesson 3, and the rate of its sounds: 10 steps an epoch on the tiny sounds.
RATE = 4000
TINY_WAVENET = [
    "--sample_rate", str(RATE), "--stacks", "1", "--layers", "5", "--residual_channels", "8",
    "--dilation_channels", "8", "--skip_channels", "16", "--seq_length", "200", "--batch_size", "8",
    "--learning_rate", "0.01", "--save_every", "10",
]  # fmt: skip

#: The same for lesson 4, on the same sounds: 18 steps an epoch.
TINY_AUDIO = [
    "--sample_rate", str(RATE), "--rnn_size", "16", "--num_layers", "1", "--seq_length", "50", "--batch_size", "20",
    "--learning_rate", "0.01", "--save_every", "10",
]  # fmt: skip

#: The same for lesson 5, on the same sounds: 14 steps an epoch.
TINY_SPECTRAL = [
    "--sample_rate", str(RATE), "--window", "128", "--hop", "32", "--bands", "12", "--rnn_size", "16",
    "--components", "2", "--num_layers", "1", "--dropout", "0.2", "--seq_length", "10",
    "--batch_size", "4", "--learning_rate", "0.01", "--save_every", "10",
]  # fmt: skip

#: The same for lesson 6, on slices: 10 steps an epoch.
TINY_GAN = [
    "--frames", "16", "--bands", "16", "--channels", "8", "--latent", "8", "--batch_size", "4",
    "--learning_rate", "0.002", "--save_every", "10",
]  # fmt: skip

#: Each lesson's small training: the fixture of conftest.py that has its data, and its arguments.
LESSONS = {
    "char_rnn": ("tiny_text", TINY),
    "midi_rnn": ("tiny_music", TINY_MIDI),
    "wavenet": ("tones", TINY_WAVENET),
    "audio_rnn": ("tones", TINY_AUDIO),
    "spectral_rnn": ("tones", TINY_SPECTRAL),
    "spectral_gan": ("loops", TINY_GAN),
}

#: Each lesson's fixture with a trained network.
TRAINED = {
    "char_rnn": "trained", "midi_rnn": "trained_midi", "wavenet": "trained_wavenet", "audio_rnn": "trained_audio_rnn",
    "spectral_rnn": "trained_spectral_rnn", "spectral_gan": "trained_spectral_gan",
}  # fmt: skip


def without_xla(patch: pytest.MonkeyPatch) -> None:
    """Let trainings in this process do without XLA, because compiling takes most of the time of a short one; not in the
    long form of the reliability tests, which train as users do.
    """
    if os.environ.get("WORKSHOP_RELIABILITY") == "long":
        return
    # Late, because it loads TensorFlow.
    import tensorflow as tf

    function = tf.function

    def graph(*args: Any, jit_compile: bool | None = None, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    graph.with_xla = getattr(function, "with_xla", function)  # type: ignore[attr-defined]
    patch.setattr(tf, "function", graph)


def with_xla(patch: pytest.MonkeyPatch) -> None:
    """Let trainings in this process be as those of users, even where a test does without XLA: for what tests share."""
    import tensorflow as tf

    patch.setattr(tf, "function", getattr(tf.function, "with_xla", tf.function))
