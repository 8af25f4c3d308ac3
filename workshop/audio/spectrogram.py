"""Drawing a sound: its waveform and its spectrogram."""

import numpy as np

from workshop.pictures import SOFT_TO_LOUD, TEXT, WIDTH, drawn, figure_of_rows

#: Samples of which a spectrum is made.
SPECTRUM = 512
#: A magnitude of the spectrum below which all is silence: 120 dB below the loudest sine.
FAINTEST = SPECTRUM / 4 * 1e-6


def spectrogram(samples: np.ndarray, rate: int, title: str = "") -> np.ndarray:
    """Draw a sound: its waveform above, and below which frequencies it has, the louder the brighter.

    Args:
        samples: [N] from -1 to 1.
        rate: samples a second.
        title: printed above.

    Returns:
        uint8 [HEIGHT, WIDTH, 3].
    """
    figure, (above, below) = figure_of_rows(2, height_ratios=[1, 2.5], sharex=True)
    end = max(len(samples) / rate, 1e-3)
    shown = _envelope(samples)
    above.fill_between(np.linspace(0, end, len(shown)), shown[:, 0], shown[:, 1], color=SOFT_TO_LOUD[2], linewidth=0)
    above.set_ylim(-1, 1)
    above.set_xlim(0, end)
    below.imshow(
        _decibels(samples), origin="lower", aspect="auto", extent=(0, end, 0, rate / 2000), cmap="magma",
        vmin=-80, vmax=0, interpolation="nearest",
    )  # fmt: skip
    below.set_xlabel("seconds")
    below.set_ylabel("kHz", color=TEXT)
    return drawn(figure, above, title)


def _envelope(samples: np.ndarray) -> np.ndarray:
    """Lowest and highest sample in each column of the picture, [K, 2]."""
    if not len(samples):
        return np.zeros((1, 2))
    columns = np.array_split(samples, min(WIDTH, len(samples)))
    return np.array([(part.min(), part.max()) for part in columns])


def _decibels(samples: np.ndarray) -> np.ndarray:
    """The level of each frequency at each time in dB, 0 the loudest: [bands, windows]."""
    import librosa  # late: the first call compiles, and not everybody draws

    hop = max(SPECTRUM // 4, len(samples) // WIDTH)
    sound = librosa.util.fix_length(np.asarray(samples, np.float32), size=max(len(samples), SPECTRUM))
    levels = np.abs(librosa.stft(sound, n_fft=SPECTRUM, hop_length=hop))
    # Silence is dark, not as loud as its loudest moment.
    return librosa.amplitude_to_db(levels, ref=max(float(levels.max()), FAINTEST), amin=FAINTEST / 1e5, top_db=None)
