"""The eleven commands of TechnoGAN, as its Max and Max for Live clients send them.

TechnoGAN's README says `/cc/` and typed answers under `/ccret/`; its program answered `/gg/` under `/ggret/`, each
answer as one text with spaces in it. Both are spoken here, with the spellings of both. Where the two disagree about
arguments, their number decides. Answers of a generation come later and carry the time that it took; mistakes are told
by `msg`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workshop.audio import latents
from workshop.errors import UserError
from workshop.osc.line import Line, Request
from workshop.osc.loops import LoopFiles, checked_rate, checked_steps, point
from workshop.osc.server import ERROR, Answer, Argument, Id, Route, fitting

#: Whole numbers of a seed, and what each stands for.
WHOLE = range(-128, 128)
PER_STEP = 3 / 128
#: Where a random fade turns back.
FARTHEST = 3.0
#: The id in the answer to a fade without one, which TechnoGAN's README asks for.
NO_ID = 0

#: Other spellings of a command. The README has an accent in one, and where it is read in Latin-1 even two letters.
SPELLINGS = {
    "isalive": ("isAlive", "ìsAlive", "Ã¬sAlive", "/ìsAlive", "/Ã¬sAlive", "/isAlive", "/isalive"),
    "init_generator": ("initGenerator",),
}
WORDS = {
    "isalive": "answer that the server is here",
    "init_generator": "answer that the network is loaded, which it always is",
    "set_target_sr": "samples a second that files say, without resampling",
    "set_target_dir": "folder that files go to; without one, ask",
    "get_target_dir": "folder that files go to",
    "generate_single_wav": "a loop: seed",
    "generate_single_wav_id": "a loop: id, seed",
    "generate_single_wav_id_img": "a loop and its spectrum: id, seed",
    "generate_random_fade": "a random walk: steps, morph, seed",
    "generate_fade": "loops from here to there: steps, seed, seed; or id, steps, seed, seed",
    "generate_pingpong": "there and back: steps, seed, seed; or id, steps, seed, seed",
}


@dataclass(frozen=True)
class Language:
    """How clients of one kind are spoken to.

    Attributes:
        prefix: of commands.
        answers: prefix of answers.
        is_joined: whether an answer is one text.
    """

    prefix: str
    answers: str
    is_joined: bool

    def say(self, name: str, *what: Argument) -> Answer:
        """An answer."""
        return self.answers + name, [" ".join(map(str, what))] if self.is_joined else list(what)

    def alive(self) -> Answer:
        """That the server is here: the program told a truth value, and the README knows of none."""
        return self.say("alive", "True") if self.is_joined else self.say("alive")

    def made(self, name: str, what: Sequence[Argument], message: str) -> list[Answer]:
        """Files, and a message, which is an answer of its own where the first one is split at its spaces."""
        if self.is_joined:
            return [self.say(name, *what), self.say("msg", message)]
        return [self.say(name, *what, message)]


LANGUAGES = (Language("/cc/", "/ccret/", is_joined=False), Language("/gg/", "/ggret/", is_joined=True))


def mistakes(address: str) -> str:
    """Where a mistake in a message to an address is told."""
    found = [one for one in LANGUAGES if address.startswith(one.prefix)]
    return f"{found[0].answers}msg" if found else ERROR


@dataclass(frozen=True)
class Reply:
    """The form of a generation's answer.

    Attributes:
        language: of the client.
        name: of the answer.
        id: of the request; None where it has none.
    """

    language: Language
    name: str
    id: Argument | None

    def done(self, seconds: float, what: Sequence[Argument]) -> list[Answer]:
        """The id, the files, and how long it took."""
        named = what if self.id is None else [self.id, *what]
        return self.language.made(self.name, named, f"generated in {seconds:.3f} s")

    def failed(self, seconds: float, sentence: str) -> list[Answer]:
        """Why not."""
        return [self.language.say("msg", f"error: {sentence} (after {seconds:.3f} s)")]

    def replaced(self, seconds: float) -> list[Answer]:
        """That a newer one is made instead."""
        return [self.language.say("msg", f"replaced: a newer request has id {self.id} (after {seconds:.3f} s)")]


class Technogan:
    """The commands in one language.

    Args:
        language: of the clients.
        files: makes the loops.
        line: where requests wait.
        send: takes answers.
    """

    def __init__(self, language: Language, files: LoopFiles, line: Line, send: Callable[[Answer], None]):
        self._language, self._files, self._line, self._send = language, files, line, send
        self._size = files.net.latent_size

    def routes(self) -> dict[str, Route]:
        """All commands, in all spellings."""
        commands = {name: getattr(self, f"_{name}") for name in WORDS}
        prefix = self._language.prefix
        found = {f"{prefix}{name}": Route(None, command, WORDS[name]) for name, command in commands.items()}
        for name, spellings in SPELLINGS.items():
            route = Route(None, commands[name], is_listed=False)
            found |= {f"{prefix}{spelling}": route for spelling in spellings}
        return found

    def init(self) -> None:
        """Tell clients that the server has begun, so that they outlive its restart."""
        self._send((f"{self._language.answers}init", []))

    def _say(self, sentence: str) -> None:
        self._send(self._language.say("msg", sentence))

    def _isalive(self, *given: Any) -> None:
        _count(given, 0)
        self._send(self._language.alive())

    def _init_generator(self, *given: Any) -> None:
        _count(given, 0)
        self._say("the generator is initialized already")

    def _set_target_sr(self, *given: Any) -> None:
        _count(given, 1)
        rate = checked_rate(int(fitting(int, given[0])))
        self._files.stamp = rate
        self._say(f"files say a sample rate of {rate}; what they hold has {self._files.rate}")

    def _set_target_dir(self, *given: Any) -> None:
        _count(given, 0, 1)
        if given:
            self._files.kept.change_folder(str(fitting(str, given[0])))
        self._get_target_dir()

    def _get_target_dir(self, *given: Any) -> None:
        _count(given, 0)
        self._say(self._files.kept.places.outward(self._files.kept.folder))

    def _generate_single_wav(self, *given: Any) -> None:
        _count(given, self._size)
        self._ask("wav", None, "loop", seed(given)[None])

    def _generate_single_wav_id(self, *given: Any) -> None:
        _count(given, 1 + self._size)
        self._ask("wav_id", _id(given[0]), "loop", seed(given[1:])[None])

    def _generate_single_wav_id_img(self, *given: Any) -> None:
        _count(given, 1 + self._size)
        self._ask("wav_id_img", _id(given[0]), "loop", seed(given[1:])[None], has_picture=True)

    def _generate_random_fade(self, *given: Any) -> None:
        _count(given, 2 + self._size)
        steps, morph = _steps(given[0]), float(fitting(float, given[1]))
        self._ask("wav", None, "walk", drunken_walk(seed(given[2:]), steps, morph, np.random.default_rng()))

    def _generate_fade(self, *given: Any) -> None:
        id, steps, here, there = self._way(given)
        self._ask("wav_id", id, "fade", latents.fade(here, there, steps, is_spherical=False))

    def _generate_pingpong(self, *given: Any) -> None:
        id, steps, here, there = self._way(given)
        self._ask("wav_id", id, "pingpong", latents.pingpong(here, there, steps, is_spherical=False))

    def _way(self, given: Sequence[Any]) -> tuple[Argument, int, np.ndarray, np.ndarray]:
        """Id, steps, start and end; the README has no id."""
        _count(given, 1 + 2 * self._size, 2 + 2 * self._size)
        id = NO_ID if len(given) == 1 + 2 * self._size else _id(given[0])
        steps, *values = given[-2 * self._size - 1 :]
        return id, _steps(steps), seed(values[: self._size]), seed(values[self._size :])

    def _ask(self, name: str, id: Argument | None, kind: str, points: np.ndarray, has_picture: bool = False) -> None:
        slot = None if id is None else (self._language.prefix, id)
        form = Reply(self._language, name, id)
        self._line.add(Request(form, lambda: self._files.write(kind, points, has_picture), slot))


def seed(values: Sequence[Any]) -> np.ndarray:
    """The latent values [Z] of a seed: whole numbers from -128 to 127 stand for -3 to 3, others for themselves.

    Raises:
        UserError: a value is no number, or a whole one out of range.
    """
    numbers = [float(fitting(float, value)) for value in values]
    if not all(isinstance(value, int) for value in values):
        return point(numbers)
    outside = next((value for value in values if value not in WHOLE), None)
    if outside is not None:
        raise UserError(f"{outside} is not a whole number from {WHOLE[0]} to {WHOLE[-1]}, as those of a seed are")
    return np.array(numbers, np.float32) * np.float32(PER_STEP)


def drunken_walk(start: np.ndarray, steps: int, morph: float, rng: np.random.Generator) -> np.ndarray:
    """Points [S, Z] from the start on, each value of which is up to `morph` away from the one before.

    Raises:
        UserError: `morph` is below 0, or larger than the space.
    """
    if not 0 <= morph <= 2 * FARTHEST:
        raise UserError(f"{morph:g} is not a morph from 0 to {2 * FARTHEST:g}")
    points = [start]
    for _ in range(steps - 1):
        step = rng.uniform(-morph, morph, len(start))
        points.append(np.clip(points[-1] + step, -FARTHEST, FARTHEST).astype(np.float32))
    return np.stack(points)


def _steps(value: Any) -> int:
    return checked_steps(int(fitting(int, value)))


def _id(value: Any) -> Argument:
    """An id.

    Raises:
        UserError: it is none, or has a space, at which its answer would be split.
    """
    id = fitting(Id, value)
    if isinstance(id, str) and " " in id:
        raise UserError(f"{id!r} has a space, which an id may not have: give a whole number")
    return id


def _count(given: Sequence[Any], *allowed: int) -> None:
    """Check how many arguments there are.

    Raises:
        UserError: they are too many or too few.
    """
    if len(given) not in allowed:
        raise UserError(f"it takes {' or '.join(map(str, allowed))} arguments, and {len(given)} were sent")
