"""The record of lesson 5."""

from workshop.lessons import Lesson


def _lstm(
    sample_rate: int, window: int, hop: int, bands: int, num_layers: int, rnn_size: int, batch_size: int = 32
) -> dict[str, object]:
    """A size: how sound becomes frames, and the LSTM layers that read them; a window of training is about a second."""
    frames: dict[str, object] = {"sample_rate": sample_rate, "window": window, "hop": hop, "bands": bands}
    network: dict[str, object] = {"num_layers": num_layers, "rnn_size": rnn_size, "components": 8, "dropout": 0.2}
    return frames | network | {"seq_length": 80, "batch_size": batch_size, "learning_rate": 0.001}


LESSON = Lesson(
    name="spectral_rnn",
    title="sound as spectra",
    port=7010,
    kind="audio",
    unit="frames",
    starter="data/audio/piano",
    network=("num_layers", "rnn_size", "components", "dropout"),
    sizes={
        "tiny": _lstm(8000, 512, 128, 48, 1, 64, 16),
        "small": _lstm(22050, 1024, 256, 96, 1, 192),
        # What the live room plays without being late: a shorter window.
        "live": _lstm(22050, 512, 256, 96, 1, 192),
        "medium": _lstm(22050, 1024, 256, 128, 2, 256),
        "large": _lstm(44100, 2048, 512, 160, 2, 512),
    },
    size="small",
    size_words="{num_layers} x {rnn_size} units, {bands} bands, {sample_rate} Hz",
    fixed=("sample_rate", "silence_threshold", "window", "hop", "bands", "target"),
    # Estimates.
    speeds={"tiny": 100, "small": 60, "live": 60, "medium": 20, "large": 8},
    step=30,
    representation=("sample_rate", "window", "hop", "bands", "target"),
    # Ten minutes at 86 frames a second.
    little=51_600,
    pretrained="piano",
)
