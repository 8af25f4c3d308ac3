"""The player: an image that is small, plays exported networks to browsers and by OSC, and ends when it is told to."""

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

pytest.importorskip("onnx")
pytest.importorskip("pythonosc")

from containers import STRANGER, Engine, Workshop, get, until
from exporting import loop_network
from free_ports import free_port
from osc_clients import Client

from workshop.audio.loop_files import tempo
from workshop.audio.loop_meaning import LoopMeaning
from workshop.host.ports import OSC_VARIABLE

pytestmark = pytest.mark.container

IMAGE = "ml4music-workshop:player"
MAX_BYTES = 450_000_000
MEANING = LoopMeaning(8, 4000, 2000, 16, 16, 480.0, 4)
NEEDLESS = """
set -u
for program in cc gcc ld make git pip; do command -v "$program"; done
ls /opt/venv/lib/python3*/site-packages | grep -E -i '^(tensorflow|keras|numba|scipy|onnx|pip|tornado)$'
find /player /networks -name .git -o -name experiments -o -name tests
find /player /networks /opt/venv -writable -not -path '/player/data*' -not -type l
true
"""


class Player:
    """A player that `./start.sh player` has started in a clone.

    Attributes:
        client: who hears its answers.
        port: of its pages.
        process: of start.sh.
    """

    def __init__(self, door: Workshop, client: Client):
        networks = door.clone / "data" / "generated" / "player"
        networks.mkdir(parents=True, exist_ok=True)
        loop_network(networks / "beats.onnx", MEANING.entries())
        if os.getuid() == 0:
            for path in (networks.parent, networks, *networks.iterdir()):
                os.chown(path, STRANGER, STRANGER)
        self.client, self.port = client, free_port()
        client.to = free_port(socket.SOCK_DGRAM)
        more = {"WORKSHOP_PORT_PLAYER": self.port, OSC_VARIABLE: client.to, "WORKSHOP_ANSWER_TO": client.port}
        self.process = subprocess.Popen(
            [shutil.which("bash") or "bash", str(door.clone / "start.sh"), "player"],
            env={**door.env, **{name: str(value) for name, value in more.items()}},
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip


@pytest.fixture(scope="module")
def player(door: Workshop) -> Iterator[Player]:
    with Client(patience=600) as client:
        started = Player(door, client)
        try:
            assert [client.hear(), client.hear()] == [["/ccret/init"], ["/ggret/init"]]
            yield started
        finally:
            if started.process.poll() is None:
                os.killpg(started.process.pid, signal.SIGKILL)
            started.process.communicate(timeout=30)


def test_the_image_of_the_player_is_small_and_has_nothing_else(
    player: Player, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    size = int(engine.docker("image", "inspect", "--format", "{{.Size}}", IMAGE))
    with capsys.disabled():
        print(f"\n{IMAGE}: {size / 1e6:.0f} MB")
    assert size < MAX_BYTES
    assert engine.docker("run", "--rm", "--entrypoint", "bash", IMAGE, "-c", NEEDLESS) == ""
    assert engine.docker("run", "--rm", "--entrypoint", "id", IMAGE, "--user").strip() == "1000"


def test_browsers_see_networks_that_come_trained_and_ones_own(player: Player) -> None:
    status, body = get(player.port, "/")
    assert status == 200
    names = {"text": ("abc_tunes", "verse"), "notes": ("chorales", "tunes"), "sound": ("vowels",)}
    names["loops"] = ("beats", "loops")
    for name, makes in ((name, makes) for makes, of_kind in names.items() for name in of_kind):
        assert f'<a href="{name}/">{name}</a>: {makes}' in body.decode()
    assert json.loads(get(player.port, "/verse/network.json")[1])["kind"] == "text"
    assert len(get(player.port, "/tunes/network.bin")[1]) > 100_000
    assert json.loads(get(player.port, "/vowels/network.json")[1])["conditions"] == ["a", "e", "i", "o", "u"]
    status, wav = get(player.port, "/beats/loop.wav?seed=11")
    assert (status, tempo(wav)) == (200, (4, 480.0))


def test_other_programs_get_files_of_this_computer(player: Player, door: Workshop) -> None:
    client = player.client
    assert client.ask("/cc/isAlive") == ["/ccret/alive"]
    assert sorted(client.ask("/alive")[1:]) == ["loops", "notes", "sound", "text"]
    path = Path(client.ask("/gan/random", 3, 11)[3])
    assert path.parent == door.clone / "data" / "generated" / "osc"
    assert path.read_bytes() == get(player.port, "/beats/loop.wav?seed=11")[1]
    sound, rate = soundfile.read(path)
    assert (rate, len(sound), abs(sound).max() > 0) == (4000, 2000, True)
    assert client.ask("/text/generate", 1, 40, 0.7, 5, "oh ")[5].startswith("oh ")
    assert Path(client.ask("/notes/generate", 1, 64)[3]).read_bytes()[:4] == b"MThd"


def test_it_is_healthy_and_ends_when_it_is_told(player: Player, engine: Engine) -> None:
    container = engine.docker("ps", "--quiet", "--filter", f"publish={player.port}").strip()
    until(lambda: engine.inspect(container, "{{.State.Health.Status}}") == "healthy", "its health", 30)
    player.process.send_signal(signal.SIGTERM)
    said = player.process.communicate(timeout=30)[1]
    assert player.process.returncode == 0
    assert f"the pages are on http://localhost:{player.port}; Ctrl-C ends them" in said
    assert said.endswith("ended\n")
    assert "The older image is used" not in said
    until(lambda: not engine.docker("ps", "--quiet", "--filter", f"id={container}").strip(), "its end", 20)


def test_the_image_serves_the_networks_in_it_by_itself(engine: Engine) -> None:
    with Client(patience=60) as client:
        client.to, port = free_port(socket.SOCK_DGRAM), free_port()
        words = ["--host", "127.0.0.1", "--page_port", port, "--port", client.to, "--answer_to", client.port]
        container = engine.docker("run", "--detach", "--network", "host", IMAGE, *map(str, words)).strip()
        try:
            assert [client.hear(), client.hear()] == [["/ccret/init"], ["/ggret/init"]]
            assert get(port, "/alive")[0] == 200
            assert client.ask("/text/generate", 1, 40, 0.7, 5)[4] == 5
            assert client.ask("/gan/random", 2, 7)[4] == 7
            assert client.ask("/folder") == ["/folder", "/player/data/generated/osc"]
            engine.docker("stop", container)
            assert engine.inspect(container, "{{.State.ExitCode}}") == "0"
        finally:
            engine.docker("rm", "--force", container)
