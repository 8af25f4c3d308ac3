"""The program that becomes an application, and what is refused before one is made."""

import importlib.util
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

pytest.importorskip("pythonosc")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from exporting import loop_network
from free_ports import free_port
from osc_clients import Client

from workshop import ROOT
from workshop.audio import latents
from workshop.audio.loop_meaning import LoopMeaning
from workshop.osc import freezing
from workshop.osc.onnx_loops import opened

Refused = Callable[..., str]

MEANING = LoopMeaning(8, 4000, 2000, 16, 16, 480.0, 4)
PROGRAM = """
import sys
from pathlib import Path
from workshop import cli
from workshop.osc.application import main
cli.run(lambda: main(sys.argv[2:], Path(sys.argv[1]), "beats"))
"""


@contextmanager
def running(folder: Path, client: Client, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """The program, without a console."""
    model = loop_network(folder / "net.onnx", MEANING.entries())
    client.to = free_port(socket.SOCK_DGRAM)
    given = ["--port", str(client.to), "--answer_to", str(client.port), "--folder", str(folder / "out"), *words]
    nowhere = subprocess.DEVNULL
    command = [sys.executable, "-c", PROGRAM, str(model), *given]
    with subprocess.Popen(command, cwd=ROOT, stdin=nowhere, stdout=nowhere, stderr=nowhere) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_makes_the_loops_of_its_network_and_ends_when_it_is_told(tmp_path: Path) -> None:
    with Client() as client, running(tmp_path, client) as process:
        assert [client.hear(), client.hear()] == [["/ccret/init"], ["/ggret/init"]]
        assert client.ask("/cc/isAlive") == ["/ccret/alive"]
        address, id, _, path, seed = client.ask("/gan/random", 3, 11)
        assert (address, id, seed, Path(path).parent) == ("/gan/random", 3, 11, tmp_path / "out")
        assert client.ask("/quit") == ["/quit"]
        assert process.wait(20) == 0
    sound, rate = soundfile.read(path, dtype="float32")
    (wanted,) = opened(tmp_path / "net.onnx").sounds(latents.drawn(1, 8, 11))
    assert rate == 4000
    np.testing.assert_allclose(sound, wanted, atol=1e-3)
    log = (tmp_path / "out" / "beats.log").read_text("utf-8")
    assert f"files go to {tmp_path / 'out'}" in log
    assert log.endswith(" ended\n")


def test_what_went_wrong_is_in_the_log(tmp_path: Path) -> None:
    with Client() as client, running(tmp_path, client, "--allow", "/no/such") as process:
        assert process.wait(20) == 2
    assert "--allow /no/such: there is no such folder" in (tmp_path / "out" / "beats.log").read_text("utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends programs otherwise")
def test_a_signal_ends_it(tmp_path: Path) -> None:
    with Client() as client, running(tmp_path, client) as process:
        client.hear()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


# ---- before one is made


def test_what_makes_no_loops_is_refused(refused: Refused) -> None:
    pytest.importorskip("PyInstaller")
    assert "makes no loops: an application is made of a network of lesson 6" in refused(freezing, "verse")


def test_a_missing_package_is_named_with_the_cure(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "PyInstaller" else find(name))
    sentence = refused(freezing, "verse")
    assert "freezing needs PyInstaller, which is not installed: " in sentence
    assert "requirements/freeze.txt" in sentence
    assert (ROOT / "requirements" / "freeze.txt").is_file()


def test_how_to_start_it_is_said_in_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    net = opened(loop_network(tmp_path / "net.onnx", MEANING.entries()))
    net.exported = lambda: None  # type: ignore[attr-defined]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr("workshop.run.trained.named", lambda *named: net)
    monkeypatch.setattr("workshop.export.folder.Export", lambda *given: SimpleNamespace(content=b""))
    monkeypatch.setattr("workshop.export.command_line.comparison", lambda *given: "the same")
    monkeypatch.setattr(freezing, "freeze", lambda content, name, target: target.mkdir())
    monkeypatch.setattr(sys, "argv", ["freeze", "01", "--name", "beats", "--to", str(tmp_path / "made")])
    freezing.main()
    *_, start, copy = capsys.readouterr().out.splitlines()
    assert start.startswith("  to start it:  ")
    assert copy == "  on another computer, copy the folder as it is"


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("dear")
    for overwrite in (False, True):
        with pytest.raises(freezing.UserError, match="holds something else than an application"):
            freezing.check(tmp_path, overwrite)
    (tmp_path / "_internal").mkdir()
    (tmp_path / "_internal" / "model.onnx").touch()
    with pytest.raises(freezing.UserError, match="add --overwrite"):
        freezing.check(tmp_path, False)
    freezing.check(tmp_path, True)
    freezing.check(tmp_path / "new", False)
    (tmp_path / "empty").mkdir()
    freezing.check(tmp_path / "empty", False)
    with pytest.raises(freezing.UserError, match="is no name for a file"):
        freezing.named("../x")
