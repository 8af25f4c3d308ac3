"""The record of lesson 3."""

from workshop.lessons import Lesson

LESSON = Lesson(
    name="wavenet",
    title="sound",
    port=7008,
    kind="audio",
    unit="samples",
    starter="data/audio/starter",
    network=(
        "stacks", "layers", "filter_width", "residual_channels", "dilation_channels", "skip_channels",
    ),
    # `tiny` comes furthest within a lesson, `large` is what the lesson's first version had.
    sizes={
        "tiny": dict(
            sample_rate=8000, stacks=2, layers=7, filter_width=2, residual_channels=24, dilation_channels=24,
            skip_channels=64, seq_length=1000, batch_size=8, learning_rate=0.003,
        ),
        "small": dict(
            sample_rate=8000, stacks=3, layers=8, filter_width=2, residual_channels=32, dilation_channels=32,
            skip_channels=128, seq_length=1600, batch_size=8, learning_rate=0.002,
        ),
        "medium": dict(
            sample_rate=16000, stacks=3, layers=9, filter_width=2, residual_channels=32, dilation_channels=32,
            skip_channels=256, seq_length=3200, batch_size=8, learning_rate=0.002,
        ),
        "large": dict(
            sample_rate=16000, stacks=5, layers=10, filter_width=2, residual_channels=32, dilation_channels=32,
            skip_channels=512, seq_length=8000, batch_size=4, learning_rate=0.001,
        ),
    },
    size="tiny",
    size_words="{stacks} x {layers} blocks of {residual_channels} channels, {sample_rate} Hz",
    fixed=("sample_rate", "silence_threshold", "condition", "l2"),
    # An estimate.
    speeds={"tiny": 10, "small": 6, "medium": 2, "large": 1},
    step=1,
    representation=("sample_rate",),
    # Five minutes at 8 kHz.
    little=2_400_000,
)  # fmt: skip
