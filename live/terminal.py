"""The live room in a terminal: meters, words that are typed, and lines that begin with a slash and turn knobs."""

import io
import math
import sys
import threading
import time
from collections.abc import Callable

from live.stage import Stage
from workshop.errors import UserError
from workshop.quiet import print_aloud
from workshop.run.voice import KNOBS, POSITIONS
from workshop.visible import visible

#: Seconds between two pictures of the meters, in a terminal and in a file.
_OFTEN, _SELDOM = 0.2, 10.0
_METER = 20
#: No number of a network is that long.
_DIGITS = 9
HELP = (
    "type words for a network of texts, or: /KNOB 0 to 1 turns a knob, /learn KNOB binds it to what is moved next, "
    "/swap NUMBER EXPERIMENT changes a network, /quit ends"
)


def obey(stage: Stage, line: str) -> bool:
    """Do what a line says; whether to go on.

    Raises:
        UserError: it makes no sense.
    """
    if not line.startswith("/"):
        stage.add_words(f"{line}\n")
        return True
    word, *rest = line[1:].split(maxsplit=2) or [""]  # the name of a folder may hold spaces
    match word, rest:
        case "quit", []:
            return False
        case "learn", [knob]:
            stage.learn(knob)
        case "swap", [place, name] if place.isdecimal() and len(place) < _DIGITS:
            stage.swap(int(place), name.rstrip())
        case knob, [position] if knob in KNOBS:
            stage.turn(knob, _share(position) * (POSITIONS - 1))
        case _:
            raise UserError(f"{line!r:.60} is not understood: {HELP} (the knobs are {', '.join(KNOBS)})")
    return True


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise UserError(f"{text!r:.40} is not a number from 0 to 1")
    return value


def meters(stage: Stage, gaps: int) -> str:
    """The levels in and out, and how often a network was late, in a line."""

    def bar(level: float) -> str:
        lit = min(round(level * _METER), _METER)
        return "#" * lit + "." * (_METER - lit)

    watch = stage.room.watch
    late = " ".join(str(slot.counts.late) for slot in stage.room.slots)
    return f"in {bar(watch.level_in)}  out {bar(watch.level_out)}  late {late}  gaps {gaps}"


def run(stage: Stage, gaps: Callable[[], int], seconds: float | None, say: Callable[[str], None]) -> None:
    """Show the meters and obey lines until /quit, Ctrl-C, or for so many seconds."""
    ended = threading.Event()
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # what is pasted need not be text, and must not end the reading

    def read() -> None:
        for line in sys.stdin:
            try:
                if not obey(stage, line.rstrip("\n")):
                    ended.set()
                    return
            except UserError as error:
                say(str(error))

    threading.Thread(target=read, name="lines", daemon=True).start()
    pause, end = (_OFTEN, "\r") if sys.stderr.isatty() else (_SELDOM, "\n")
    until = time.monotonic() + (math.inf if seconds is None else seconds)
    while not ended.wait(min(pause, until - time.monotonic())):
        print_aloud(f"{meters(stage, gaps())}{end}")
        if time.monotonic() >= until:
            return


def show_words(place: int, words: str) -> None:
    """Print what a network writes."""
    print(f"{place}: {visible(words.rstrip())}", flush=True)
