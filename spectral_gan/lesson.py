"""The record of lesson 6."""

from workshop.lessons import Lesson


def _pair(frames: int, bands: int, channels: int, batch_size: int) -> dict[str, object]:
    """A size: the picture of a loop, the networks that make and judge it, and how they are trained."""
    network: dict[str, object] = {"frames": frames, "bands": bands, "latent": 64, "channels": channels}
    return network | {"batch_size": batch_size, "learning_rate": 0.0005}


LESSON = Lesson(
    name="spectral_gan",
    title="loops from a latent space",
    port=7011,
    kind="audio",
    unit="slices",
    starter="data/audio/loops",
    network=("frames", "bands", "latent", "channels"),
    sizes={
        "tiny": _pair(64, 128, 128, 32),
        # Those of TechnoGAN.
        "small": _pair(128, 256, 160, 32),
        "medium": _pair(256, 256, 192, 24),
        "large": _pair(512, 256, 256, 16),
    },
    size="tiny",
    size_words="{frames} frames x {bands} bands, {channels} channels",
    fixed=("scale", "loss", "r1", "augment"),
    representation=("scale",),
    # Estimates.
    speeds={"tiny": 300, "small": 120, "medium": 50, "large": 15},
    step=32,
    # A thousand slices.
    little=1_000,
    divisible=False,
    pretrained="loops",
)
