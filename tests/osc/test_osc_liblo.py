"""OSC with other implementations as clients: oscsend and oscdump of liblo, and Pure Data.

In Debian and Ubuntu they are the packages liblo-tools and puredata-core.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pythonosc")

from free_ports import free_port

from workshop import ROOT
from workshop.osc import delivery, serving
from workshop.osc.kept import Kept
from workshop.osc.places import Places
from workshop.osc.server import HOST
from workshop.osc.serving import Served
from workshop.text.generated import GeneratedText

#: Set by .ci/run, where it can have installed the programs.
IS_NEEDED = os.environ.get("WORKSHOP_NEEDS_OSC_CLIENTS") == "1"
PATCH = ROOT / "docs" / "osc.pd"


def need(*programs: str) -> None:
    """Skip where a program is missing, unless it has to be there."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing and not IS_NEEDED:
        pytest.skip(f"{missing} not installed: apt-get install liblo-tools puredata-core")
    assert not missing


class Network:
    """Makes loops of its first latent value, and texts, in place of networks."""

    latent_size, rate, samples, bpm, beats = 64, 8000, 800, 120.0, 1

    def sounds(self, latents: np.ndarray) -> np.ndarray:
        return np.repeat(latents[:, :1], self.samples, axis=1).astype(np.float32)

    def row(self, latents: np.ndarray) -> np.ndarray:
        return self.sounds(latents).reshape(-1)

    def generate(self, prompt: str = "", length: int = 500, **knobs: Any) -> GeneratedText:
        return GeneratedText(f"{prompt} and {length}")


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[int], int]]:
    """Serve both, answering to a port; returns the port that is listened on."""
    ended = []

    def begin(answer_to: int) -> int:
        kept = Kept([], Places(tmp_path, str(tmp_path)), tmp_path / "osc")
        deliver = delivery.ToPort(HOST, answer_to)
        server = serving.serve([Served(Network(), "text"), Served(Network(), "loops")], kept, deliver, HOST, 0)
        ended.extend([server.close, deliver.__exit__])
        return server.port

    yield begin
    for end in ended:
        end()


@contextlib.contextmanager
def ended(process: "subprocess.Popen[str]") -> Iterator[None]:
    """End a program with the block, and after half a minute in any case."""
    timer = threading.Timer(30, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        process.kill()


def lines(process: "subprocess.Popen[str]", ask: Callable[[], object], count: int) -> list[str]:
    """So many lines that a program prints after something was asked for."""
    assert process.stdout
    ask()
    return [process.stdout.readline().strip() for _ in range(count)]


@pytest.mark.slow
def test_oscsend_asks_and_oscdump_hears(serve: Callable[[int], int], tmp_path: Path) -> None:
    need("oscsend", "oscdump")
    heard = free_port(socket.SOCK_DGRAM)
    with subprocess.Popen(["oscdump", "-L", str(heard)], stdout=subprocess.PIPE, text=True) as dump, ended(dump):
        time.sleep(0.5)
        port = str(serve(heard))

        def oscsend(*words: str) -> None:
            subprocess.run(["oscsend", "localhost", port, *words], check=True, timeout=10)

        assert [line.split()[1:] for line in lines(dump, lambda: None, 2)] == [["/ccret/init"], ["/ggret/init"]]
        (line,) = lines(dump, lambda: oscsend("/text/generate", "iifis", "3", "40", "0.5", "7", "oh"), 1)
        _, address, types, id, _, path, seed, *_ = line.split(" ")
        assert (address, types, id, seed) == ("/text/generate", "ifsis", "3", "7")
        assert Path(path.strip('"')).read_text() == "oh and 40\n"
        (line,) = lines(dump, lambda: oscsend("/cc/generate_single_wav_id", "i" + "f" * 64, "5", *["0.5"] * 64), 1)
        assert line.split()[1:4] == ["/ccret/wav_id", "iss", "5"]
        (line,) = lines(dump, lambda: oscsend("/gg/isalive"), 1)
        assert line.split()[1:] == ["/ggret/alive", "s", '"True"']
        (line,) = lines(dump, lambda: oscsend("/cc/generate_single_wav_id", "i", "5"), 1)
        assert "it takes 65 arguments, and 1 were sent" in line


@pytest.mark.slow
def test_the_patch_of_pure_data_asks_and_hears(serve: Callable[[int], int], tmp_path: Path) -> None:
    need("pd")
    heard = free_port(socket.SOCK_DGRAM)
    port = serve(heard)
    text = PATCH.read_text().replace("10101", str(heard)).replace("10102", str(port))
    (tmp_path / "osc.pd").write_text(text)
    words = ["pd", "-nogui", "-noaudio", "-nomidi", "-stderr", "-send", "; ask bang", str(tmp_path / "osc.pd")]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as pd, ended(pd):
        assert pd.stderr
        said = ""
        while "osc: " not in said:
            said = pd.stderr.readline()
            assert said, "Pure Data has ended"
        assert said.split()[1:4] == ["gan", "random", "1"]
        assert said.split()[5].endswith("loop-000001.wav")
