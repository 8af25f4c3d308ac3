"""The record of lesson 2."""

from workshop.lessons import Lesson

LESSON = Lesson(
    name="midi_rnn",
    title="notes",
    port=7007,
    kind="MIDI",
    unit="events",
    starter="data/midi/tunes",
    network=("rnn_size", "num_layers", "cell", "dropout"),
    # README.md says how far each comes in which time.
    sizes={
        "tiny": dict(
            rnn_size=64, num_layers=1, cell="lstm", dropout=0.0, seq_length=64, batch_size=50, learning_rate=0.004
        ),
        "small": dict(
            rnn_size=128, num_layers=2, cell="lstm", dropout=0.1, seq_length=64, batch_size=50, learning_rate=0.003
        ),
        "medium": dict(
            rnn_size=256, num_layers=2, cell="lstm", dropout=0.5, seq_length=64, batch_size=50, learning_rate=0.003
        ),
        "large": dict(
            rnn_size=512, num_layers=3, cell="lstm", dropout=0.5, seq_length=128, batch_size=50, learning_rate=0.002
        ),
    },
    size="small",
    size_words="{num_layers} x {rnn_size} units",
    fixed=("encoding", "track", "transpose", "stretch"),
    # Estimated from the speed of lesson 1 and three events a note.
    speeds={"tiny": 60_000, "small": 28_000, "medium": 12_000, "large": 4_000},
    step=1_000,
    representation=("encoding",),
    # About a hundred tunes.
    little=40_000,
    pretrained="tunes",
)
