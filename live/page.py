"""The live room in a browser: its microphone and loudspeaker are the sound card, its keys and sliders the knobs.

    python -m live page EXPERIMENT

The page has a sample rate of its own and sends pieces of any length; what comes back has the same length, later. Who
may use it is decided as for the play page (`workshop/web/security.py`), with the same token.
"""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from tornado.httpserver import HTTPServer
from tornado.web import Application

from live.resampling import Resampler
from live.room import Mixed, budget
from live.stage import Stage
from workshop import cli
from workshop.errors import UserError
from workshop.host.ports import LIVE, Server, cannot_listen, published_ports, read_port, refuse_in_class
from workshop.host.services import play_token
from workshop.run.voice import KNOBS, POSITIONS, PlayedNote
from workshop.web import handlers
from workshop.web.connected import Connected
from workshop.web.ending import until_stopped
from workshop.web.security import Guard
from workshop.web.sending import send

STATIC = Path(__file__).with_name("static")
#: Rates that a browser's sound can have, and samples of a piece at most.
RATES, LONGEST_PIECE = range(8000, 192_001), 16_384
#: Pieces between two reports of levels and of networks that were late.
_REPORT_EVERY = 16


class Converter:
    """Turns pieces at the browser's rate into blocks of the room, and what the room gives out into pieces.

    Args:
        rate: of the browser, in Hz.
        stage: what is played.
    """

    def __init__(self, rate: int, stage: Stage):
        room = stage.room
        self._stage, self._block = stage, room.block
        same = rate == room.rate
        self._inward = None if same else Resampler(rate, room.rate)
        self._outward = None if same else Resampler(room.rate, rate)
        self._heard = np.zeros(0, np.float32)
        # A piece may end just before a block is full: then the block comes one piece later.
        self._ready = np.zeros(-(-(room.block + 2) * rate // room.rate), np.float32)
        #: Seconds by which all this is late.
        self.delay = len(self._ready) / rate + sum(one.delay for one in (self._inward, self._outward) if one)

    def exchange(self, piece: np.ndarray) -> tuple[np.ndarray, list[Mixed]]:
        """What to play for a piece [N] that was heard, float32 [N], and what the room gave out meanwhile."""
        mixed: list[Mixed] = []
        heard = self._inward.process(piece) if self._inward else piece
        self._heard = np.append(self._heard, heard)
        while len(self._heard) >= self._block:
            mixed.append(self._stage.exchange(self._heard[: self._block]))
            self._heard = self._heard[self._block :]
        made = [self._outward.process(one.samples) if self._outward else one.samples for one in mixed]
        self._ready = np.concatenate([self._ready, *made])
        answer, self._ready = self._ready[: len(piece)], self._ready[len(piece) :]
        return answer, mixed


class Sound(Connected):
    """The connection of the page, of which one at a time plays. What it sends, besides pieces of float32:

    begin {rate}   from now on pieces come, at this rate
    knob {name, value}   turn a knob, 0 to 1
    words {words}, note {pitch, velocity}, midi {data}   for the next block
    learn {knob}, swap {place, name}

    What it gets: `room`, then a piece for each piece, `words`, `notes`, `said` with a sentence, and `state`.
    """

    def initialize(self, stage: Stage, pages: "set[Sound]") -> None:
        """Take what all connections share; `pages` are those that are open."""
        self._stage, self._pages = stage, pages
        self._converter: Converter | None = None
        self._pieces = 0

    def open(self, *_: str) -> None:
        """Take the connection, unless another page plays."""
        if self._pages:
            self.close(1013, "the live room is open in another page: close that one")
            return
        self._pages.add(self)
        self.set_nodelay(True)
        room = self._stage.room
        self.say({"type": "room", "networks": [slot.name for slot in room.slots], "knobs": list(KNOBS)})
        self._report()

    def on_message(self, message: str | bytes) -> None:
        """Answer a piece, or do what the page asks for."""
        try:
            if isinstance(message, bytes):
                self._hear(message)
            else:
                self._obey(message)
        except UserError as error:
            self.say({"type": "said", "sentence": str(error)})
        except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError):
            self.close(1003, "not a message of the page")

    def say(self, message: dict[str, Any]) -> None:
        """Send a message; where the connection has closed, that is noticed."""
        send(self, json.dumps(message))

    def _hear(self, message: bytes) -> None:
        piece = np.frombuffer(message, "<f4")
        if self._converter is None or len(piece) > LONGEST_PIECE:
            raise ValueError
        answer, given = self._converter.exchange(piece)
        send(self, answer.astype("<f4").tobytes())
        for mixed in given:
            for place, words in mixed.words:
                self.say({"type": "words", "place": place, "words": words})
            if mixed.notes:
                notes = [[place, note.pitch, note.velocity] for place, note in mixed.notes]
                self.say({"type": "notes", "notes": notes})
        self._pieces += 1
        if self._pieces % _REPORT_EVERY == 0:
            self._report()

    def _report(self) -> None:
        room = self._stage.room
        self.say(
            {
                "type": "state",
                "levels": [room.watch.level_in, room.watch.level_out],
                "networks": [
                    {
                        "name": slot.name,
                        "late": slot.counts.late,
                        "skipped": slot.counts.skipped,
                        "slowest": round(1000 * slot.counts.worst, 1),
                    }
                    for slot in room.slots
                ],
                "knobs": {name: position / (POSITIONS - 1) for name, position in asdict(room.knobs).items()},
            }
        )

    def _obey(self, message: str) -> None:
        said = json.loads(message)
        match said["type"]:
            case "begin":
                self._begin(int(said["rate"]))
            case "knob" if said["name"] in KNOBS and 0 <= float(said["value"]) <= 1:
                self._stage.turn(said["name"], float(said["value"]) * (POSITIONS - 1))
            case "words":
                self._stage.add_words(str(said["words"])[:1000])
            case "note" if 0 <= int(said["pitch"]) < POSITIONS and 0 <= int(said["velocity"]) < POSITIONS:
                self._stage.add_note(PlayedNote(0, int(said["pitch"]), int(said["velocity"])))
            case "midi":
                self._stage.midi(bytes(said["data"][:3]))
            case "learn":
                self._stage.learn(str(said["knob"]))
            case "swap":
                self._stage.swap(int(said["place"]), str(said["name"])[:200])
            case _:
                raise ValueError

    def _begin(self, rate: int) -> None:
        if rate not in RATES:
            raise UserError(
                f"the browser's sound has {rate} samples a second: from {RATES[0]} to {RATES[-1]} are possible"
            )
        room = self._stage.room
        self._converter = Converter(rate, self._stage)
        self.say({"type": "said", "sentence": budget(room.rate, room.block, room.prebuffer, self._converter.delay)})


class Index(handlers.Index):
    """The page of the live room, behind the token."""

    page = STATIC / "index.html"


def application(guard: Guard, stage: Stage, pages: set[Sound]) -> Application:
    """The page as a tornado application.

    Args:
        guard: who may use it.
        stage: what is played.
        pages: takes the page that is open.
    """
    return Application(
        [
            ("/", Index),
            ("/alive", handlers.Alive),
            ("/sound", Sound, {"stage": stage, "pages": pages}),
            ("/static/(.*)", handlers.Static, {"path": str(STATIC)}),
            ("/shared/(.*)", handlers.Static, {"path": str(handlers.STATIC)}),
        ],
        default_handler_class=handlers.Nothing,
        log_function=lambda handler: None,
        guard=guard,
        base="/",
        websocket_max_message_size=4 * LONGEST_PIECE,
        websocket_ping_interval=20,
        websocket_ping_timeout=20,
    )


class Sayer:
    """Says sentences to the terminal, and to the page that is open.

    Args:
        pages: the page, if there is one.
    """

    def __init__(self, pages: set[Sound]):
        self._pages = pages
        self.loop: asyncio.AbstractEventLoop | None = None

    def __call__(self, sentence: str) -> None:
        """Say a sentence, from any thread."""
        cli.say(sentence)
        if self.loop:
            self.loop.call_soon_threadsafe(self._tell, sentence)

    def _tell(self, sentence: str) -> None:
        for page in list(self._pages):
            page.say({"type": "said", "sentence": sentence})


def serve(stage: Stage, pages: set[Sound], sayer: Sayer, host: str, port: str) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        UserError: the port is in use, or is one that nobody outside of the container reaches, as in a class.
    """
    refuse_in_class("the live room", "use it on a computer of its own, with a microphone")
    number = read_port(port, "--port")
    guard = Guard(play_token(), number)
    outside = published_ports() or {number: number}
    if number not in outside:
        raise UserError(
            f"nobody reaches port {number} of the container: leave out --port, and set WORKSHOP_PORT_LIVE where "
            "you type ./start.sh"
        )

    async def served() -> None:
        sayer.loop = asyncio.get_running_loop()
        server = HTTPServer(application(guard, stage, pages), max_body_size=1 << 16)
        try:
            server.listen(number, host)
        except (OSError, UnicodeError) as error:
            cure = "end the other live room, or choose another number with --port"
            raise cannot_listen(error, host, f"port {number} for the live room is not available", cure) from error
        print(f"the live room is on {Server(LIVE, host, outside[number]).url}/{guard.shown}", flush=True)
        await until_stopped(server)

    asyncio.run(served())
