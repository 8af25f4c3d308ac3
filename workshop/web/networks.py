"""The networks that are loaded: the last few that were used, each once."""

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from workshop.errors import UserError
from workshop.networks.likelihoods import Likelihoods
from workshop.networks.picture import network_svg
from workshop.run import trained
from workshop.run.stream import Stream
from workshop.run.trained import Trained
from workshop.web import experiments

#: Networks that are kept loaded. The largest that a lesson offers takes some 50 MB.
MOST = 3

Result = TypeVar("Result")


@dataclass
class Loaded:
    """A network that is ready.

    Attributes:
        net: the network.
        stamp: of the file that its weights were read from.
        lock: held while it is built and for each piece: the loops of a network may not run twice at the same time.
        warm: whether its loop has been compiled.
    """

    net: Trained
    stamp: tuple[int, int]
    lock: threading.Lock = field(default_factory=threading.Lock)
    warm: bool = False


class Networks:
    """Loads networks when they are wanted, and again when their weights have changed. Any thread may ask.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int = MOST):
        self._most = most
        self._loaded: OrderedDict[str, Loaded] = OrderedDict()
        self._shelf = threading.Lock()
        # One at a time, which is work enough; whoever wants a network that is there need not wait for it.
        self._loading = threading.Lock()

    def get(self, name: str) -> Loaded:
        """The network of the experiment with this id.

        Raises:
            UserError: there is no such experiment, or it is damaged.
        """
        path = experiments.path_of(name)
        if (loaded := self._found(name)) is not None:
            return loaded
        with self._loading:
            loaded = self._found(name)  # somebody else may have loaded it meanwhile
            if loaded is None:
                net = trained.load(path)
                loaded = Loaded(net, _stamp(net.checkpoint))
                self._keep(name, loaded)
        return loaded

    def _found(self, name: str) -> Loaded | None:
        """The network if it is there and its weights are those of its file; it is now the last one that was used."""
        with self._shelf:
            loaded = self._loaded.get(name)
            if loaded is None or loaded.stamp != _stamp(loaded.net.experiment.checkpoint("best")):
                return None
            self._loaded.move_to_end(name)
            return loaded

    def _keep(self, name: str, loaded: Loaded) -> None:
        with self._shelf:
            self._loaded[name] = loaded
            self._loaded.move_to_end(name)
            while len(self._loaded) > self._most:
                self._loaded.popitem(last=False)

    def picture(self, name: str) -> str:
        """The picture of a network as SVG.

        Raises:
            UserError: there is no such experiment, or it is damaged.
        """
        loaded = self.get(name)
        with loaded.lock:
            rows = loaded.net.model.layer_rows()
        return network_svg(rows, f"{loaded.net.lesson.name}, {loaded.net.experiment.path.name}")

    def likelihoods(self, name: str, symbols: np.ndarray) -> Likelihoods:
        """How likely each symbol [T] was for a network of text or notes.

        Raises:
            UserError: there is no such experiment, it is damaged, or its network has another vocabulary by now.
        """
        loaded = self.get(name)
        if symbols.max(initial=0) >= len(loaded.net.symbols):
            raise UserError("the experiment has been trained again since: generate it again")
        with loaded.lock:
            found: Likelihoods = loaded.net.likelihoods(symbols)  # type: ignore[attr-defined]
        return found

    def open(
        self, name: str, begin: Callable[[Trained], Stream[Result]]
    ) -> tuple[Stream[Result], Iterator[np.ndarray]]:
        """What a network begins to generate, and its pieces, which may be taken beside those of others.

        Raises:
            UserError: there is no such experiment, it is damaged, or a value is out of range.
        """
        loaded = self.get(name)
        with loaded.lock:
            stream = begin(loaded.net)
        return stream, _in_turn(loaded, stream.pieces)


def _in_turn(loaded: Loaded, pieces: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """The pieces, of which one of a network is made at a time."""
    while True:
        with loaded.lock:
            piece = next(pieces, None)
            loaded.warm = True
        if piece is None:
            return
        yield piece


def _stamp(file: Path) -> tuple[int, int]:
    """What is different once a file has been written again."""
    with contextlib.suppress(OSError):
        found = file.stat()
        return found.st_mtime_ns, found.st_size
    return 0, 0
