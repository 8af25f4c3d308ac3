"""An application of a generator of loops runs where there is no Python: in Debian's smallest set of packages, and in a
folder with this machine's C library and nothing else.
"""

import io
import os
import platform
import shutil
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("PyInstaller")

from containers import Engine
from exporting import loop_network
from free_ports import free_port
from osc_clients import Client

from workshop.audio import latents, loop_spectrogram
from workshop.audio.loop_files import tempo
from workshop.audio.loop_meaning import LoopMeaning
from workshop.osc import freezing
from workshop.osc.onnx_loops import opened

pytestmark = pytest.mark.container

#: MB of the application, at most.
MOST_MB = 150
#: What every Linux has that runs anything: the C library, and what unpacks.
LIBRARIES = ("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1", "libz.so.1")


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an application, and the file that it was made of beside it."""
    folder = tmp_path_factory.mktemp("application")
    path = loop_network(folder / "net.onnx", LoopMeaning(8, 8000, 4000, 16, 16, 480.0, 4).entries())
    freezing.freeze(path.read_bytes(), "beats", folder / "beats")
    return folder / "beats"


def bare_root() -> bytes:
    """A tar archive of this machine's C library, and a folder for what is unpacked."""
    buffer, there = io.BytesIO(), Path(f"/lib/{platform.machine()}-linux-gnu")
    (loader,) = {path.resolve() for path in (*Path("/lib64").glob("ld-linux*"), *Path("/lib").glob("ld-linux*"))}
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in LIBRARIES:
            archive.add((there / name).resolve(), f"{there}/{name}".lstrip("/"))
        archive.add(loader, f"lib{'64' if Path('/lib64').is_dir() else ''}/{loader.name}")
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(folder)
    return buffer.getvalue()


@pytest.fixture(params=["Debian", "the C library"])
def root(request: pytest.FixtureRequest, engine: Engine) -> Iterator[str]:
    """An image without Python."""
    if request.param == "Debian":
        yield engine.env["WORKSHOP_BASE_IMAGE"]
        return
    name = f"ml4music-bare:{os.getpid()}"
    docker = shutil.which("docker", path=engine.env["PATH"]) or "docker"
    subprocess.run([docker, "import", "-", name], input=bare_root(), env=engine.env, check=True, capture_output=True)
    yield name
    engine.docker("rmi", name)


def test_it_runs_without_python(
    root: str, engine: Engine, application: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = sum(file.stat().st_size for file in application.rglob("*") if file.is_file() and not file.is_symlink())
    assert size < MOST_MB * 1e6
    docker = shutil.which("docker", path=engine.env["PATH"]) or "docker"
    with Client(patience=60) as client:
        client.to = free_port(socket.SOCK_DGRAM)
        command = [
            docker, "run", "--rm", "--network", "host", "--user", f"{os.getuid()}:{os.getgid()}",
            "--volume", f"{application}:/application:ro", "--volume", f"{tmp_path}:/out", root,
            "/application/beats", "--port", str(client.to), "--answer_to", str(client.port), "--folder", "/out",
        ]  # fmt: skip
        with subprocess.Popen(command, env=engine.env, stdin=subprocess.DEVNULL) as process:
            assert client.hear() == ["/ccret/init"]
            client.hear()
            assert client.ask("/cc/isAlive") == ["/ccret/alive"]
            _, id, _, path, _ = client.ask("/gan/random", 3, 11)
            assert (id, path) == (3, "/out/loop-000001.wav")
            assert client.ask("/quit") == ["/quit"]
            assert process.wait(30) == 0
    file = tmp_path / "loop-000001.wav"
    assert tempo(file.read_bytes()) == (4, 480.0)
    sound, rate = soundfile.read(file, dtype="float32")
    assert (rate, len(sound)) == (8000, 4000)
    monkeypatch.setattr(loop_spectrogram, "find_spec", lambda name: None)  # the phase is found as it is without numba
    (wanted,) = opened(application.parent / "net.onnx").sounds(latents.drawn(1, 8, 11))
    np.testing.assert_allclose(sound, wanted, atol=2e-3)
    assert (tmp_path / "beats.log").read_text("utf-8").endswith(" ended\n")


def test_help_comes_without_anything_else(application: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [application / "beats", "--help"], env={"HOME": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    assert "--answer_to HOST:PORT" in done.stdout
    assert list(tmp_path.iterdir()) == []
    assert sys.executable not in done.stdout
