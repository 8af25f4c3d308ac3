"""The record of lesson 4."""

from workshop.lessons import Lesson
from workshop.run.arguments import RECURRENT


def _gru(num_layers: int, rnn_size: int, seq_length: int, batch_size: int, learning_rate: float) -> dict[str, object]:
    """A size: sound at 8 kHz, GRU layers."""
    network = {"rnn_size": rnn_size, "num_layers": num_layers, "cell": "gru", "dropout": 0.0}
    windows = {"seq_length": seq_length, "batch_size": batch_size, "learning_rate": learning_rate}
    return {"sample_rate": 8000} | network | windows


LESSON = Lesson(
    name="audio_rnn",
    title="sound with a memory",
    port=7009,
    kind="audio",
    unit="samples",
    starter="data/audio/starter",
    network=RECURRENT,
    # `classic` is the network of Blekota (Volhejn 2017).
    sizes={
        "tiny": _gru(2, 64, 100, 40, 0.004),
        "small": _gru(3, 128, 200, 40, 0.003),
        "classic": _gru(3, 256, 100, 80, 0.002),
        "large": _gru(5, 256, 100, 80, 0.002),
    },
    size="small",
    size_words="{num_layers} x {rnn_size} units, {sample_rate} Hz",
    fixed=("sample_rate", "silence_threshold", "condition", "quantisation"),
    # Small is measured; the others follow from their number of weights.
    speeds={"tiny": 6, "small": 2, "classic": 0.7, "large": 0.4},
    step=1,
    representation=("sample_rate", "quantisation"),
    # Five minutes at 8 kHz.
    little=2_400_000,
    pretrained="vowels",
)
