"""Generating for the page: a network's pieces as messages, in a thread that can be stopped."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from workshop.audio.generated import GeneratedSound
from workshop.errors import UserError
from workshop.run.stream import Stream
from workshop.run.trained import Trained
from workshop.text.generated import GeneratedText
from workshop.web import experiments, settings
from workshop.web.jobs import Job
from workshop.web.networks import Networks
from workshop.web.prompts import Prompts
from workshop.web.results import Made, Results
from workshop.web.tunes import GeneratedTunes, is_tune

#: A message to the page: an object, or samples of sound as 16-bit whole numbers, little-endian.
Message = dict[str, Any] | bytes
Tell = Callable[[Message], None]

#: What a prompt is called in a sentence, where no file is known.
PROMPTED = {"notes": "what was played", "sound": "what was recorded"}

#: Symbols that are generated to compile a network's loop before the first visitor waits for it.
WARMING = 2


class Notes(Protocol):
    """Notes that a lesson has generated: [N, 4] with start and end in beats, pitch and velocity."""

    notes: np.ndarray
    tempo: float


@dataclass(frozen=True)
class Wish:
    """What is to be generated: the id of an experiment, and the texts of the page's fields."""

    experiment: str
    values: dict[str, Any]


class _View(Protocol):
    """Turns what has been generated into messages."""

    def show(self, result: Any) -> None:
        """Tell the page of the text or the notes so far, or of the next samples of a sound."""


class _Text:
    """A text: each message holds what has been added."""

    def __init__(self, tell: Tell):
        self._tell, self._told = tell, 0

    def show(self, text: GeneratedText) -> None:
        self._tell({"type": "text", "text": text[self._told :]})
        self._told = len(text)


class _Notes:
    """Notes: each message holds all of them in seconds, because the last ones may have become longer."""

    def __init__(self, tell: Tell):
        self._tell = tell

    def show(self, played: Notes) -> None:
        seconds = played.notes * [60 / played.tempo, 60 / played.tempo, 1, 1]
        self._tell({"type": "notes", "tempo": played.tempo, "notes": seconds.round(3).tolist()})


class _Sound:
    """Sound: each message holds the samples that have been added."""

    def __init__(self, tell: Tell):
        self._tell = tell

    def show(self, piece: GeneratedSound) -> None:
        self._tell(np.round(np.clip(piece.samples, -1, 1) * 32767).astype("<i2").tobytes())


SHOWN: dict[str, Callable[[Tell], _View]] = {"text": _Text, "notes": _Notes, "sound": _Sound}


def warm_up(networks: Networks, name: str, job: Job) -> None:
    """Load a network and compile its loop, unless that has been done.

    Raises:
        UserError: there is no such experiment, or it is damaged.
    """
    if networks.get(name).warm or job.stopped.is_set():
        return
    _, pieces = networks.open(name, lambda net: net.stream(length=WARMING))
    for _ in pieces:
        pass


@contextlib.contextmanager
def _prompted(prompts: Prompts, makes: str, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The arguments, with the file of the prompt in place of its name; the prompt of a text is a text.

    Raises:
        UserError: the prompt is forgotten; or it cannot be used, in which case the sentence has no path of its file.
    """
    if makes == "text" or "prompt" not in given:
        yield given
    else:
        with prompts.file(makes, given["prompt"]) as path:
            try:
                yield {**given, "prompt": path}
            except UserError as error:
                raise UserError(str(error).replace(str(path), PROMPTED[makes])) from error


def make(networks: Networks, results: Results, prompts: Prompts, wish: Wish, tell: Tell, job: Job) -> None:
    """Generate until it is done or stopped, and tell the page all the time. What was made can be had from `results`.

    Raises:
        UserError: there is no such experiment, it is damaged, or a value is out of range.
    """
    entry = experiments.entry(wish.experiment)
    given = settings.arguments(entry.makes, wish.values)

    def begin(net: Trained) -> Stream[Any]:
        with _prompted(prompts, entry.makes, given) as arguments:
            return net.stream(**arguments)

    stream, pieces = networks.open(wish.experiment, begin)
    if job.stopped.is_set():  # while it was loaded
        return
    tell({"type": "begun", "makes": entry.makes, "seed": stream.seed, "length": stream.length, **_rate(stream)})
    view = SHOWN[entry.makes](tell)
    taken: list[np.ndarray] = []
    started = time.monotonic()
    for piece in pieces:
        taken.append(piece)
        view.show(stream.result(piece if entry.makes == "sound" else np.concatenate(taken)))
        tell({"type": "progress", "made": sum(map(len, taken)), "seconds": time.monotonic() - started})
        if job.stopped.is_set():
            break
    symbols = np.concatenate(taken)
    thing = stream.result(symbols)
    if entry.makes == "text" and is_tune(thing):
        thing = GeneratedTunes(thing)
        tell({"type": "score", "abc": thing})
        _Notes(tell).show(thing)
    seen = symbols[:0] if entry.makes == "sound" else np.concatenate([stream.prompt, symbols])
    made = Made(entry.lesson, entry.name, entry.makes, thing, seen, wish.experiment)
    tell({"type": "done", "id": results.add(made), "formats": made.formats, "stopped": job.stopped.is_set()})


def _rate(stream: Stream[Any]) -> dict[str, int]:
    """Samples a second, of a sound."""
    nothing = stream.result(np.empty(0, int))
    return {"rate": nothing.rate} if isinstance(nothing, GeneratedSound) else {}
