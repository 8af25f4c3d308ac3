"""What the player shows: a page for each network, and a page of all. Each address has what gives its content.

The page of an exported network is the folder that was exported, and runs in the browser. Loops are made here, because
there is more to their sound than the network.
"""

import functools
import html
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from workshop.audio import latents
from workshop.audio.loop_files import wav
from workshop.errors import UserError
from workshop.export import play
from workshop.osc.generating import SEEDS
from workshop.osc.loops import Loops
from workshop.player.networks import Playable

#: The files of the page of an exported network, some of which all pages use, and those of the page of loops.
EXPORT_PAGE, LOOPS_PAGE = Path(play.__file__).with_name("page"), Path(__file__).with_name("page")
STYLE = "page.css"
#: What a page consists of, by suffix.
TYPES = MappingProxyType({
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".json": "application/json", ".bin": "application/octet-stream", ".wav": "audio/wav",
})  # fmt: skip
#: Loops that may be waited for at once.
MOST_WAITING = 8

#: Gives what is at an address, by what stands behind its question mark.
Content = Callable[[Mapping[str, str]], bytes]

_ALL = """\
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="page.css">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Trained networks</title>
</head>
<body>
  <main>
    <h1>Trained networks</h1>
    <ul>
{networks}
    </ul>
  </main>
</body>
</html>
"""


def addresses(networks: Sequence[Playable]) -> dict[str, Content]:
    """What there is to see of networks, by its path; a folder's own is that of its `index.html`."""
    found: dict[str, Content] = {"/index.html": _given(_page_of_all(networks)), f"/{STYLE}": _file(EXPORT_PAGE / STYLE)}
    making = Making()
    for one in networks:
        if one.page is not None:
            found |= {f"/{one.name}/{file.name}": _file(file) for file in _files(one.page)}
        elif isinstance(one.net, Loops):
            found |= {f"/{one.name}/{file.name}": _file(file) for file in _files(LOOPS_PAGE)}
            found[f"/{one.name}/{STYLE}"] = _file(EXPORT_PAGE / STYLE)
            found[f"/{one.name}/about.json"] = _given(json.dumps(_about(one.name, one.net)))
            found[f"/{one.name}/loop.wav"] = functools.partial(making.loop, one.net)
    return found


class Making:
    """Makes loops for visitors, one after the other."""

    def __init__(self) -> None:
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)
        self._one = threading.Lock()

    def loop(self, net: Loops, asked: Mapping[str, str]) -> bytes:
        """A loop as a WAV file: the one that OSC's `/gan/random` makes of the same seed.

        Raises:
            UserError: there is no such seed, too many wait, or the network is damaged.
        """
        seed = asked.get("seed", "")
        if not (seed.isascii() and seed.isdigit() and len(seed) < 11 and int(seed) < SEEDS):
            raise UserError(f"a seed is a whole number from 0 to {SEEDS - 1:,}")
        if not self._waiting.acquire(blocking=False):
            raise UserError("too many loops are waited for: ask again in a moment")
        try:
            with self._one:
                sound = net.row(latents.drawn(1, net.latent_size, int(seed)))
        finally:
            self._waiting.release()
        return wav(sound, net.rate, net.beats, net.bpm)


def _about(name: str, net: Loops) -> dict[str, str | float]:
    return {"name": name, "latent": net.latent_size, "rate": net.rate, "bpm": float(net.bpm), "beats": net.beats}


def _page_of_all(networks: Sequence[Playable]) -> str:
    rows = []
    for one in sorted(networks, key=lambda one: one.name):
        name = html.escape(one.name)
        has_page = one.page is not None or isinstance(one.net, Loops)
        shown = f'<a href="{quote(one.name)}/">{name}</a>' if has_page else f"{name}, by OSC alone"
        rows.append(f"    <li>{shown}: {one.makes}</li>")
    return _ALL.format(networks="\n".join(rows))


def _files(folder: Path) -> list[Path]:
    """The files of a page; what else lies in its folder is not shown."""
    return sorted(path for path in folder.iterdir() if path.suffix in TYPES and path.is_file())


def _given(text: str) -> Content:
    return lambda asked: text.encode()


def _file(path: Path) -> Content:
    return lambda asked: path.read_bytes()
