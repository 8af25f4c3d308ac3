"""Sound files on disk -> one of 256 levels a sample, uint8 [N] each, some of the files held out whole.

`workshop/audio/library.py` reads them; `--quantisation` says what the levels stand for.
"""

import argparse
from pathlib import Path

from workshop.audio import library
from workshop.audio.library import Sounds, describe
from workshop.audio.quantisation import QUANTISATIONS, Quantisation

__all__ = ["describe", "load", "quantisation", "window_in_words"]

#: A low note that a student knows: the A on the second lowest string of a guitar, in Hz.
LOW_NOTE = 110


def quantisation(args: argparse.Namespace) -> Quantisation:
    """What the arguments of `train.py` say that a level stands for."""
    return QUANTISATIONS[args.quantisation]


def load(path: Path, args: argparse.Namespace) -> Sounds:
    """A sound file, or those of a folder, as the arguments of `train.py` say; see `library.load`.

    Raises:
        UserError: there is nothing that can be used.
    """
    reading = (args.sample_rate, args.val_split, args.silence_threshold, args.condition)
    sounds = library.load(path, *reading, quantisation(args).encode)
    sounds.facts.quantisation = args.quantisation
    return sounds


def window_in_words(seq_length: int, rate: int) -> str:
    """How far back gradients reach: a training window in milliseconds, and in periods of a low note."""
    seconds = seq_length / rate
    periods = f"{seconds * LOW_NOTE:.1f} periods of a tone of {LOW_NOTE} Hz"
    return f"window: {seq_length:,} samples, {seconds * 1000:.1f} ms, {periods}; the state is carried on to the next"
