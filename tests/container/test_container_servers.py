"""The servers in the container: who may ask them, that they come back, and what the container is allowed."""

import json
import urllib.request
import uuid

import pytest
import websocket
from containers import INSIDE, Workshop, until

from workshop.host.ports import OSC_PORT, STEADY, TENSORBOARD_PORTS

pytestmark = pytest.mark.container

LESSONS_IMPORTED = (
    "import char_rnn.train, midi_rnn.sample, wavenet.generate, audio_rnn.model; print('lessons', 'imported')"
)


def pid_of(workshop: Workshop, server: str) -> str:
    """The process that listens on a server's port, inside; '' if there is none."""
    return workshop.inside("pgrep", "--oldest", "--full", "--", f"--port {INSIDE[server]}", status=None).strip()


def test_it_has_no_rights(workshop: Workshop) -> None:
    status = dict(line.split(":\t", 1) for line in workshop.inside("cat", "/proc/1/status").splitlines())
    assert status["CapEff"] == status["CapPrm"] == status["CapBnd"] == "0000000000000000"
    assert status["NoNewPrivs"] == "1"
    assert set(status["Uid"].split()) == {workshop.env["WORKSHOP_UID"]}


def test_nobody_but_this_computer_reaches_it(workshop: Workshop) -> None:
    bindings = json.loads(workshop.inspect(workshop.container, "{{json .HostConfig.PortBindings}}"))
    assert {binding["HostIp"] for port in bindings.values() for binding in port} == {"127.0.0.1"}
    assert bindings.keys() == {f"{OSC_PORT}/udp", *(f"{port}/tcp" for port in INSIDE.values())}


@pytest.mark.parametrize("lesson", TENSORBOARD_PORTS)
def test_each_tensorboard_shows_its_lesson(workshop: Workshop, lesson: str) -> None:
    status, body = workshop.ask(lesson, "/data/environment")
    assert status == 200
    assert json.loads(body)["window_title"] == lesson


def test_jupyterlab_answers_to_its_token_alone(workshop: Workshop) -> None:
    assert workshop.ask("lab", "/api/contents")[0] == 403
    assert workshop.ask("lab", "/api/contents", "wrong")[0] == 403
    status, body = workshop.ask("lab", "/api/contents", workshop.token)
    assert status == 200
    assert "char_rnn" in {entry["name"] for entry in json.loads(body)["content"]}


def test_the_tutorial_is_the_clones_own(workshop: Workshop) -> None:
    status, body = workshop.ask("docs", "/glossary.html")
    assert (status, b"A word of this clone" in body) == (200, False)
    with (workshop.clone / "docs" / "glossary.md").open("a") as page:
        page.write("\n**A word of this clone** \u2013 and of no other.\n")
    workshop.inside("kill", pid_of(workshop, "docs"))
    until(lambda: b"A word of this clone" in workshop.ask("docs", "/glossary.html")[1], "the page with the new word")
    for page_of_another in ("/../README.md", "/../../.workshop/jupyter_token", "/..%2f..%2fREADME.md", "/media/"):
        assert workshop.ask("docs", page_of_another)[0] == 404
    until(lambda: workshop.health == "healthy", "its health")


def test_a_notebooks_kernel_knows_the_lessons(workshop: Workshop) -> None:
    address = f"127.0.0.1:{workshop.ports['lab']}/api/kernels"
    headers = {"Authorization": f"token {workshop.token}"}
    ask = urllib.request.Request(f"http://{address}", data=b"{}", headers=headers, method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(ask, timeout=30) as answer:
        kernel = json.load(answer)["id"]
    line = websocket.create_connection(f"ws://{address}/{kernel}/channels", header=headers, timeout=60)
    try:
        content = {"code": LESSONS_IMPORTED, "silent": False, "store_history": False, "allow_stdin": False}
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": "tests"}
        header |= {"version": "5.3", "date": "2026-01-01T00:00:00Z"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        line.send(json.dumps(message))
        said = ""
        while "execution_state" not in (content := json.loads(line.recv())["content"]) or said == "":
            if content.get("name", "stdout") == "stdout":
                said += content.get("text", "") or "".join(content.get("traceback", []))
        assert said == "lessons imported\n"
    finally:
        line.close()


def test_a_killed_tensorboard_comes_back_after_growing_pauses(workshop: Workshop) -> None:
    first = pid_of(workshop, "midi_rnn")
    for pause in (1, 2):
        killed = pid_of(workshop, "midi_rnn")
        workshop.inside("kill", "-KILL", killed)
        until(lambda: pid_of(workshop, "midi_rnn") not in ("", killed), "another process")  # noqa: B023 - used at once
        until(lambda: workshop.ask("midi_rnn", "/data/environment")[0] == 200, "its answer")
        said = workshop.docker("logs", workshop.container)
        assert f"The server 'midi_rnn' ended (exit status 137); it is started again in {pause} s." in said
    assert pid_of(workshop, "midi_rnn") != first
    until(lambda: workshop.health == "healthy", "its health")
    assert workshop.inside("python", "/usr/local/bin/healthcheck.py").strip() == "all servers answer"


def test_the_health_check_names_who_is_missing(workshop: Workshop) -> None:
    hung = pid_of(workshop, "wavenet")
    workshop.inside("kill", "-STOP", hung)
    try:
        said = workshop.inside("python", "/usr/local/bin/healthcheck.py", status=1)
        assert said.strip() == "TensorBoard of wavenet does not answer"
    finally:
        workshop.inside("kill", "-CONT", hung)


def test_each_server_keeps_a_log_in_the_clone(workshop: Workshop) -> None:
    for name in STEADY:
        assert (workshop.clone / ".workshop" / f"{name}.log").stat().st_size > 0
