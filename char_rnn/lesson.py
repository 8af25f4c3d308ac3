"""The record of lesson 1."""

from workshop.lessons import Lesson

LESSON = Lesson(
    name="char_rnn",
    title="text",
    port=7006,
    kind="text",
    unit="characters",
    starter="data/lyrics/starter",
    network=("rnn_size", "num_layers", "cell", "dropout"),
    # `small` is the classic char-rnn; README.md says how far each comes in which time.
    sizes={
        "tiny": dict(
            rnn_size=64, num_layers=1, cell="lstm", dropout=0.0, seq_length=50, batch_size=50, learning_rate=0.004
        ),
        "small": dict(
            rnn_size=128, num_layers=2, cell="lstm", dropout=0.0, seq_length=50, batch_size=50, learning_rate=0.002
        ),
        "medium": dict(
            rnn_size=384, num_layers=2, cell="lstm", dropout=0.3, seq_length=50, batch_size=50, learning_rate=0.003
        ),
        "large": dict(
            rnn_size=512, num_layers=3, cell="lstm", dropout=0.4, seq_length=100, batch_size=50, learning_rate=0.002
        ),
    },
    size="small",
    size_words="{num_layers} x {rnn_size} units",
    fixed=("encoding",),
    # Small is measured; the others follow from their number of weights.
    speeds={"tiny": 250_000, "small": 100_000, "medium": 35_000, "large": 13_000},
    step=2_500,
    little=200_000,
    pretrained="verse",
)
