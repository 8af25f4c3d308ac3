"""Sound and videos as phones and browsers record them, made by FFmpeg's encoders."""

import io
from pathlib import Path

import av
import numpy as np


def encoded(
    path: Path, samples: np.ndarray, rate: int, codec: str, container: str | None = None, video: bool = False
) -> Path:
    """Write a file that ends as its format does.

    Args:
        path: where to.
        samples: [C, N], -1 to 1; without channels only a video is written.
        rate: samples a second.
        codec: FFmpeg's name of the encoder.
        container: FFmpeg's name of the file format; without it, what the path ends in.
        video: whether a second of black pictures goes with it.
    """
    with av.open(str(path), "w", format=container) as out:
        streams = []
        if video:
            pictures = out.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p")
            black = [av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24") for _ in range(10)]
            streams.append((pictures, black))
        if len(samples):
            layout = {1: "mono", 2: "stereo"}[len(samples)]
            sound = out.add_stream(codec, rate=rate, layout=layout)
            steps = [samples[:, at : at + 1000] for at in range(0, samples.shape[1], 1000)]
            frames = [
                av.AudioFrame.from_ndarray(np.ascontiguousarray(step, np.float32), format="fltp", layout=layout)
                for step in steps
            ]
            for number, frame in enumerate(frames):
                frame.sample_rate, frame.pts = rate, number * 1000
            streams.append((sound, frames))
        for stream, its_frames in streams:
            for frame in [*its_frames, None]:
                out.mux(stream.encode(frame))
    return path


def ogg_flac(samples: np.ndarray, rate: int) -> bytes:
    """FLAC in Ogg, of samples [N]."""
    content = io.BytesIO()
    with av.open(content, "w", format="ogg") as out:
        stream = out.add_stream("flac", rate=rate, layout="mono")
        steps = np.round(samples * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(steps, format="s16", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return content.getvalue()
