"""TensorBoard and JupyterLab are really started here, on free ports, with their state in a folder of the test."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest
from damage import fill
from free_ports import free_port
from servers import get, in_the_foreground, until_there

from workshop.errors import UserError
from workshop.host import docs, ports, services


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A clone in a path with a space, with ports of its own; whatever was started is stopped at the end."""
    root = tmp_path / "a clone"
    (root / "char_rnn").mkdir(parents=True)
    monkeypatch.setattr(services, "ROOT", root)
    monkeypatch.setattr(services, "TENSORBOARD_PORTS", {"char_rnn": 7006})
    monkeypatch.setenv("WORKSHOP_PORT_CHAR_RNN", str(free_port()))
    monkeypatch.setenv("WORKSHOP_PORT_LAB", str(free_port()))
    monkeypatch.setenv("WORKSHOP_PORT_DOCS", str(free_port()))
    monkeypatch.setenv("WORKSHOP_PORT_PLAY", str(free_port()))
    monkeypatch.delenv("WORKSHOP_BIND", raising=False)
    yield root
    services.stop_all()


def state_of(clone: Path, name: str) -> dict[str, object]:
    state: dict[str, object] = json.loads((clone / ".workshop" / f"{name}.json").read_text())
    return state


# ---- TensorBoard -----------------------------------------------------------------------------------------------------


def test_tensorboard_starts_once_answers_and_stops(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert services.main(["start"]) == 0
    url = services.wanted_server("char_rnn").url
    assert url in capsys.readouterr().out
    environment = json.loads(get(f"{url}/data/environment"))
    assert environment["window_title"] == "char_rnn"
    assert environment["data_location"] == str(clone / "char_rnn")
    first = state_of(clone, "char_rnn")["pid"]
    assert isinstance(first, int)
    assert os.getsid(first) == first  # Ctrl-C in the terminal does not reach it
    assert services.main(["start"]) == 0
    assert state_of(clone, "char_rnn")["pid"] == first
    assert services.main(["status"]) == 0
    assert url in capsys.readouterr().out

    assert services.main(["stop"]) == 0
    assert "Stopped TensorBoard for char_rnn" in capsys.readouterr().out
    assert not services.answers(services.wanted_server("char_rnn"))
    assert not (clone / ".workshop" / "char_rnn.json").exists()
    assert services.main(["status"]) == 1
    assert services.main(["stop"]) == 0
    assert "Nothing of the workshop was running" in capsys.readouterr().out


def test_tensorboard_moves_to_another_port(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = services.start_tensorboard("char_rnn")
    monkeypatch.setenv("WORKSHOP_PORT_CHAR_RNN", str(free_port()))
    after = services.start_tensorboard("char_rnn")
    assert services.answers(after)
    assert not services.answers(before)


def test_tensorboard_is_started_without_tensorflow(clone: Path) -> None:
    services.start_tensorboard("char_rnn")
    assert "TensorFlow installation not found" in services.log_file("char_rnn").read_text()


def test_a_port_in_use_is_one_sentence(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = services.wanted_server("char_rnn").port
    with socket.create_server(("127.0.0.1", port)):
        assert services.main(["start"]) == 1
        words = capsys.readouterr().err
        assert f"Port {port} for TensorBoard for char_rnn is in use by another program" in words
        assert "WORKSHOP_PORT_CHAR_RNN" in words
        assert len(words.splitlines()) == 1
    assert not (clone / ".workshop" / "char_rnn.json").exists()


def test_a_tensorboard_that_ends_at_once_says_why(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [sys.executable, "-c", "raise SystemExit('no such thing')"]
    monkeypatch.setattr(services, "tensorboard_command", lambda server, log_dir: broken)
    with pytest.raises(UserError, match="ended at once: no such thing"):
        services.start_tensorboard("char_rnn")


def test_a_process_with_a_reused_number_is_not_touched(clone: Path) -> None:
    """A crash leaves the file behind, and later the number belongs to somebody else."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        try:
            server = services.wanted_server("char_rnn")
            services.remember(server, stranger.pid, services.tensorboard_command(server, clone / "char_rnn"))
            assert services.remembered("char_rnn") is None
            services.stop_all()
            assert stranger.poll() is None
        finally:
            stranger.kill()


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"name": 1, "host": 2, "port": 3, "pid": 4, "command": 5}', "\x00"]
)
def test_a_damaged_state_file_counts_as_nothing(clone: Path, content: str) -> None:
    services.state_dir()
    (clone / ".workshop" / "char_rnn.json").write_text(content)
    assert services.remembered("char_rnn") is None


def test_the_command_line_of_this_very_process() -> None:
    assert "python" in (services.command_line(os.getpid()) or "")


# ---- what can be set -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["abc", "0", "65536", "-1", "7006.0", "²"])
def test_a_port_that_is_none(clone: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("WORKSHOP_PORT_CHAR_RNN", given)
    with pytest.raises(UserError, match=r"WORKSHOP_PORT_CHAR_RNN is .* not a port"):
        services.wanted_server("char_rnn")


def test_it_listens_on_this_computer_alone_unless_told(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert services.wanted_server("char_rnn").host == "127.0.0.1"
    monkeypatch.setenv("WORKSHOP_BIND", "0.0.0.0")
    monkeypatch.setenv("WORKSHOP_PORT_CHAR_RNN", "7106")
    server = services.wanted_server("char_rnn")
    assert (server.host, server.url) == ("0.0.0.0", "http://localhost:7106")
    assert services.Server("lab", "::", 8888).url == "http://[::1]:8888"


def test_an_address_that_this_computer_does_not_have(clone: Path) -> None:
    problem = services.port_problem(services.Server("char_rnn", "192.0.2.1", free_port()))
    assert problem
    assert "WORKSHOP_BIND" in problem


def test_a_folder_that_cannot_be_written(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clone / ".workshop").write_text("a file where the folder should be")
    assert services.main(["lab"]) == 2
    words = capsys.readouterr().err
    assert words.startswith(f"Cannot write in '{clone}'")
    assert len(words.splitlines()) == 1
    (clone / ".workshop").unlink()


# ---- JupyterLab ------------------------------------------------------------------------------------------------------


def test_the_token_is_made_once_and_is_private(clone: Path) -> None:
    token = services.lab_token()
    path = clone / ".workshop" / "jupyter_token"
    path.chmod(0o644)
    assert services.lab_token() == token
    assert len(token) == 48
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not any(token in word for word in services.lab_command(services.wanted_server("lab")))
    path.write_text("")
    with pytest.raises(UserError, match="remove it"):
        services.lab_token()


def test_the_labs_port_in_use_is_one_sentence(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = services.wanted_server("lab").port
    with socket.create_server(("127.0.0.1", port)):
        assert services.main(["lab"]) == 2
    words = capsys.readouterr().err
    assert f"Port {port} for JupyterLab is in use by another program" in words
    assert "WORKSHOP_PORT_LAB" in words
    assert len(words.splitlines()) == 1


# ---- under the eyes of somebody else, as in the container ------------------------------------------------------------


@pytest.mark.parametrize("name", ["char_rnn", "lab", "docs", "play"])
def test_serving_becomes_the_server(clone: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    become: list[list[str]] = []
    monkeypatch.chdir(clone)
    monkeypatch.setenv("JUPYTER_TOKEN", "")
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "mine")
    monkeypatch.setattr(os, "execv", lambda program, command: become.append([program, *command[1:]]))
    services.main(["serve", name])
    server = services.wanted_server(name)
    (command,) = become
    if name == "lab":
        assert command == services.lab_command(server)
        assert os.environ["JUPYTER_TOKEN"] == services.lab_token()
        assert os.environ["JUPYTER_CONFIG_PATH"] == f"{services.SETTINGS}{os.pathsep}mine"
    elif name == "docs":
        assert command[1:] == ["-m", "workshop.docs", "serve", "--host", "127.0.0.1", "--port", str(server.port)]
    elif name == "play":
        assert command[1:] == ["-m", "workshop.play", "--host", "127.0.0.1", "--port", str(server.port)]
    else:
        assert command == services.tensorboard_command(server, clone / "char_rnn")
    assert not (clone / ".workshop" / f"{name}.json").exists()  # who looks after it remembers it


# ---- in the foreground -----------------------------------------------------------------------------------------------


def test_the_page_answers_to_its_token_and_ends_with_ctrl_c(clone: Path) -> None:
    with in_the_foreground(clone, "play") as page:
        assert page.stdout is not None
        server = services.wanted_server("play")
        token = services.play_token()
        assert f"{server.url}/?token={token}" in page.stdout.readline()
        assert token != services.lab_token()
        assert get(f"{server.url}/alive") == b"alive\n"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            get(f"{server.url}/listing")
        os.killpg(page.pid, signal.SIGINT)
        assert page.wait(timeout=20) == 0
        assert not services.answers(server)


@pytest.mark.slow
def test_the_lab_answers_to_its_token_and_ends_with_ctrl_c(clone: Path) -> None:
    with in_the_foreground(clone, "lab") as lab:
        assert lab.stdout is not None
        line = lab.stdout.readline()
        token = services.lab_token()
        server = services.wanted_server("lab")
        assert f"{server.url}/lab/tree/docs/notebooks/README.md?token={token}" in line
        assert json.loads(get(f"{server.url}/api/contents?token={token}"))["type"] == "directory"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            get(f"{server.url}/api/contents")
        # Nobody is asked whether they want Jupyter's news.
        disabled = re.search(r'"disabledExtensions": \[[^]]*', get(f"{server.url}/lab?token={token}").decode())
        assert disabled
        assert "apputils-extension:announcements" in disabled[0]
        os.killpg(lab.pid, signal.SIGINT)
        assert lab.wait(timeout=20) == 0
        assert not services.answers(server)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["Ctrl-C", "stop"])
def test_the_tutorial_is_shown_until_ctrl_c_or_stop(
    clone: Path, ending: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in docs.NEEDED:
        pytest.importorskip(name, reason="the site needs requirements/docs.txt")
    server = services.wanted_server("docs")
    with in_the_foreground(clone, "docs") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"the tutorial                 {server.url}\n"
        assert b"One tune, three ways" in until_there(server.url)
        assert services.main(["docs"]) == 2
        assert f"the tutorial runs already: {server.url} (./start.sh stop ends it)" in capsys.readouterr().err
        if ending == "stop":
            services.stop_all()
        else:
            os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=20) == 0
        assert not services.answers(server)


def test_the_tutorials_port_in_use(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Mac listens on it for AirPlay."""
    port = services.wanted_server("docs").port
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(UserError, match=f"Port {port} for the tutorial is in use .* WORKSHOP_PORT_DOCS="):
            services.free_server("docs")
        monkeypatch.delenv("WORKSHOP_PORT_DOCS")
        monkeypatch.setitem(ports.PORTS, "docs", port)
        assert services.free_server("docs").port != port
    assert services.free_server("docs").port == port


def test_a_server_that_ends_by_itself_says_why(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [sys.executable, "-c", "raise SystemExit('error: no such thing')"]
    monkeypatch.setattr(services, "command_of", lambda server: broken)
    monkeypatch.setattr(signal, "signal", lambda number, action: None)
    monkeypatch.setattr(services, "wait_until_it_answers", lambda server, process: process.wait())
    with pytest.raises(UserError, match="the tutorial ended: error: no such thing"):
        services.run_until_ctrl_c("docs")


def test_two_starts_at_once_make_one_tensorboard(clone: Path) -> None:
    script = f"import pathlib; from workshop.host import services; services.ROOT = pathlib.Path({str(clone)!r}); "
    script += "services.TENSORBOARD_PORTS = {'char_rnn': 7006}; raise SystemExit(services.main(['start']))"
    both = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    begun = time.monotonic()
    services.stop_all()
    assert not services.answers(services.wanted_server("char_rnn"))
    assert time.monotonic() - begun < 10


# ---- a disk without room


def test_what_cannot_be_remembered_is_said_and_not_left_half(
    clone: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "ROOT", small_disk)
    server = services.wanted_server("char_rnn")
    folder = services.state_dir()
    fill(small_disk)
    for write in (services.lab_token, lambda: services.remember(server, os.getpid(), ["python"])):
        with pytest.raises(UserError, match=r"Cannot write in '.*\.workshop' \(no space left on device \(0 MB"):
            write()
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "right"), [("1", True), ("65535", True), ("0", False), ("65536", False), ("9" * 5000, False)]
)
def test_a_port_is_what_the_sentence_says(given: str, right: bool) -> None:
    if right:
        assert ports.read_port(given, "WORKSHOP_PORT_LAB") == int(given)
        return
    with pytest.raises(UserError, match=r"not a port: give a number from 1 to 65535\.$"):
        ports.read_port(given, "WORKSHOP_PORT_LAB")


@pytest.mark.parametrize("script", ["docker/host/ports.sh", "start.ps1"])
def test_the_scripts_say_the_same_of_ports(script: str) -> None:
    text = (services.ROOT / script).read_text("utf-8")
    assert f"give a number from {ports.PORT_NUMBERS[0]} to {ports.PORT_NUMBERS[-1]}" in text
    assert re.search(r"-(ge|lt) 1\b.*-(le|gt) 65535\b", text)
