"""Sound files on disk -> mu-law values, uint8 [N] each, some of the files held out whole."""

from workshop.audio.library import describe, load

__all__ = ["describe", "load", "window_in_words"]

#: A low note that a student knows: the A on the second lowest string of a guitar, in Hz.
LOW_NOTE = 110


def window_in_words(seq_length: int, rate: int) -> str:
    """How far back gradients reach: a training window in milliseconds, and in periods of a low note."""
    seconds = seq_length / rate
    periods = f"{seconds * LOW_NOTE:.1f} periods of a tone of {LOW_NOTE} Hz"
    return f"window: {seq_length:,} samples, {seconds * 1000:.1f} ms, {periods}; the state is carried on to the next"
