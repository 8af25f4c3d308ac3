"""`./start.sh` with a real engine."""

import http.cookiejar
import json
import os
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest
import websocket
from containers import Workshop, calling_user, get

pytestmark = pytest.mark.container


def test_a_fresh_clone_trains_with_one_command_from_any_folder(door: Workshop, tmp_path: Path) -> None:
    door.start_sh("run", "python", "char_rnn/train.py", "--smoke", cwd=tmp_path)
    (run,) = (door.clone / "char_rnn" / "experiments").iterdir()
    assert (run / "checkpoints" / "latest.npz").stat().st_uid == calling_user()
    assert (door.clone / "data" / "midi" / "tunes").is_dir()


def test_where_one_stands_is_where_it_runs(door: Workshop) -> None:
    assert door.start_sh("run", "pwd", cwd=door.clone / "char_rnn") == "/workshop/char_rnn\n"


def test_the_exit_status_comes_back(door: Workshop) -> None:
    door.start_sh("run", "bash", "-c", "exit 7", status=7)


def test_one_container_even_for_two_at_once(door: Workshop) -> None:
    door.start_sh("down")
    assert door.container == ""
    command = [door.clone / "start.sh", "run", "true"]
    both = [subprocess.Popen(command, env=door.env, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(timeout=180) for process in both] == [0, 0]
    first = door.container
    assert len(first.split()) == 1
    door.start_sh("run", "true")
    assert door.container == first


def test_the_labs_address_is_told_with_its_token(door: Workshop) -> None:
    (line,) = (line for line in door.start_sh("lab").splitlines() if line.startswith("JupyterLab"))
    assert (
        line.split()[-1] == f"http://localhost:{door.ports['lab']}/lab/tree/docs/notebooks/README.md?token={door.token}"
    )
    assert get(door.ports["lab"], "/api/contents", door.token)[0] == 200


def test_the_tutorials_address_is_told(door: Workshop) -> None:
    (line,) = (line for line in door.start_sh("docs").splitlines() if line.startswith("the tutorial"))
    assert line.split()[-1] == f"http://localhost:{door.ports['docs']}"
    status, body = get(door.ports["docs"], "/")
    assert (status, b"One tune, three ways" in body) == (200, True)


def test_a_network_is_heard_through_the_page_of_the_live_room(door: Workshop) -> None:
    command = [door.clone / "start.sh", "live", "tunes"]
    with subprocess.Popen(command, env=door.env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = f"localhost:{door.ports['live']}"
        assert process.stdout.readline() == f"the live room is on http://{address}/\n"
        assert get(door.ports["live"], "/")[0] == 403
        token = (door.clone / ".workshop" / "play_token").read_text().strip()
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar := http.cookiejar.CookieJar())
        )
        with opener.open(f"http://{address}/?token={token}", timeout=10) as answer:
            assert b"Begin" in answer.read()
        cookie = "; ".join(f"{one.name}={one.value}" for one in jar)
        line = websocket.create_connection(f"ws://{address}/sound", origin=f"http://{address}", cookie=cookie)
        try:
            line.send(json.dumps({"type": "begin", "rate": 22050}))
            line.send_binary(bytes(4 * 512))
            pieces = (said for said in iter(line.recv, "") if isinstance(said, bytes))
            assert len(next(pieces)) == 4 * 512
        finally:
            line.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
    assert get(door.ports["live"], "/alive")[0] == 0


def test_a_shell_without_a_terminal_reads_commands(door: Workshop) -> None:
    said = door.start_sh("shell", input="cd midi_rnn && python -c 'import midi_rnn.train; print(6 * 7)'\nexit\n")
    assert said.endswith("42\n")


def test_tests_run_inside_without_a_network(door: Workshop) -> None:
    assert " passed" in door.start_sh("test", "tests/test_cli.py", "-q")


def test_stopping_keeps_the_container_and_down_removes_it(door: Workshop) -> None:
    door.start_sh("run", "true")
    door.start_sh("stop")
    assert door.inspect(door.container, "{{.State.Running}}") == "false"
    door.start_sh("run", "true")
    door.start_sh("down")
    assert door.container == ""


def test_a_port_that_is_taken_is_one_sentence(door: Workshop) -> None:
    door.start_sh("down")
    with socket.create_server(("127.0.0.1", door.ports["wavenet"])):
        said = door.start_sh("run", "true", status=1)
    assert f"Port {door.ports['wavenet']} for TensorBoard for wavenet is in use by another program" in said
    assert "WORKSHOP_PORT_WAVENET=" in said
    assert door.container == ""


@pytest.mark.skipif(os.path.exists("/dev/nvidia0"), reason="this machine has an NVIDIA card")
def test_a_gpu_that_is_not_there_is_one_sentence(door: Workshop) -> None:
    assert "--gpu needs an NVIDIA card" in door.start_sh("--gpu", "run", "true", status=2)
