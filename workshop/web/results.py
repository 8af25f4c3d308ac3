"""What was generated for the page: the last few texts, notes and sounds, to be played, downloaded and kept."""

import secrets
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from workshop import ROOT
from workshop.errors import UserError
from workshop.files import explain, short_path
from workshop.visible import label
from workshop.web.tunes import GeneratedTunes

#: How many are remembered, a minute of sound in 4 MB; and of how many the files are, of which that of notes that are
#: played for eight minutes takes 21 MB. Of others they are made again when they are asked for.
MOST, WITH_FILES = 20, 4

#: Where they are kept, in the clone.
KEPT = Path("data", "generated")

#: The largest name of an experiment that becomes part of a file's name.
LONGEST_NAME = 40


@dataclass
class Made:
    """Something that a network has made.

    Attributes:
        lesson: name of the lesson.
        experiment: name of the experiment.
        makes: `text`, `notes` or `sound`.
        thing: it has a `save(path)`.
        symbols: [T] what a text or notes consist of, for the network of `source`; none of a sound.
        source: id of the experiment.
        files: the content of the files that it was asked for as, by suffix.
    """

    lesson: str
    experiment: str
    makes: str
    thing: Any
    symbols: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))
    source: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def formats(self) -> list[str]:
        """Suffixes of the files that it can be saved as, without the dot."""
        if isinstance(self.thing, GeneratedTunes):
            return ["abc", "mid", "wav", "png"] if len(self.thing.notes) else ["abc"]
        return {"text": ["txt"], "notes": ["mid", "wav", "png"], "sound": ["wav", "png"]}[self.makes]

    @property
    def stem(self) -> str:
        """The beginning of its file's name."""
        return f"{self.lesson}-{label(self.experiment, LONGEST_NAME).replace(' ', '_')}"

    def file(self, suffix: str) -> bytes:
        """It as a file of this format, made when it is asked for first.

        Raises:
            UserError: there is no such format, or the file cannot be made.
        """
        if suffix not in self.formats:
            raise UserError(f"it cannot be saved as .{suffix:.10}: choose {' or '.join(self.formats)}")
        with self.lock:
            made = self.files.get(suffix)
            if made is None:
                with tempfile.TemporaryDirectory() as folder:
                    made = self.thing.save(Path(folder, f"{self.stem}.{suffix}")).read_bytes()
                self.files[suffix] = made
            return made


class Results:
    """The last things that were made, by a name that cannot be guessed. Any thread may ask."""

    def __init__(self, most: int = MOST):
        self._most = most
        self._made: OrderedDict[str, Made] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, made: Made) -> str:
        """Remember something, and return its name."""
        name = secrets.token_hex(16)
        with self._lock:
            self._made[name] = made
            while len(self._made) > self._most:
                self._made.popitem(last=False)
            for older in list(self._made.values())[:-WITH_FILES]:
                older.files.clear()
        return name

    def get(self, name: str) -> Made:
        """What has this name.

        Raises:
            UserError: it is forgotten.
        """
        with self._lock:
            if name not in self._made:
                raise UserError("the server does not remember that any more: generate it again")
            return self._made[name]

    def keep(self, name: str) -> list[Path]:
        """Write it to `data/generated` in all its formats, under the next free number; return the files.

        Raises:
            UserError: it is forgotten, or a file cannot be written.
        """
        made = self.get(name)
        folder = short_path(ROOT / KEPT)
        # One at a time, so that no two take the same number.
        with self._lock:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                taken = {path.stem for path in folder.iterdir()}
            except OSError as error:
                raise UserError(
                    f"{folder} cannot be written: {explain(error, folder)}; free some space there"
                ) from error
            number = next(n for n in range(1, len(taken) + 2) if f"{made.stem}-{n:02d}" not in taken)
            return [made.thing.save(folder / f"{made.stem}-{number:02d}.{suffix}") for suffix in made.formats]
