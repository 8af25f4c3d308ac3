"""The doctor's findings, with the computer made up where it matters."""

import json
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from free_ports import free_port

from workshop import ROOT
from workshop.host import doctor, ports, services
from workshop.host.doctor import NOTE, OK, PROBLEM, Finding


@pytest.fixture(autouse=True)
def outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in the container, even where these tests are run in it."""
    for name in ("WORKSHOP_IN_CONTAINER", "WORKSHOP_MODE", "WORKSHOP_ENGINE_INFO"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with the folders of the first lesson and its data, and no server running."""
    starter = ("data/lyrics/starter", "data/lyrics/tunes", "data/midi/tunes", "data/audio/starter/flute")
    for name in ("char_rnn", *starter, "requirements"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "data/lyrics/starter/input.txt").write_text("la " * 1000)
    (tmp_path / "data/lyrics/tunes/input.txt").write_text("X:1\n")
    (tmp_path / "data/midi/tunes/1.mid").write_bytes(b"MThd")
    (tmp_path / "data/audio/starter/flute/1.wav").write_bytes(b"RIFF")
    (tmp_path / "requirements/cpu.txt").write_text("keras==3.15.1 \\\n    --hash=sha256:00\n")
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    monkeypatch.setattr(services, "ROOT", tmp_path)
    monkeypatch.setattr(doctor, "TENSORBOARD_PORTS", {"char_rnn": 7006})
    for name in ("CHAR_RNN", "DOCS", "PLAY"):
        monkeypatch.setenv(f"WORKSHOP_PORT_{name}", str(free_port()))
    monkeypatch.setenv("WORKSHOP_PORT_LAB", "0")
    return tmp_path


def levels(findings: list[Finding]) -> list[str]:
    return [finding.level for finding in findings]


def test_the_report_has_one_line_for_each_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def well() -> list[Finding]:
        return [Finding(OK, "Python", "3.12"), Finding(NOTE, "disk", "2 GiB free")]

    def ill() -> list[Finding]:
        return [Finding(PROBLEM, "memory", "too little: buy some")]

    def check_broken_thing() -> list[Finding]:
        raise ValueError("a strange computer")

    monkeypatch.setattr(doctor, "CHECKS", (well,))
    assert doctor.main([]) == 0
    assert "Nothing is in the way" in capsys.readouterr().out
    monkeypatch.setattr(doctor, "CHECKS", (well, ill, check_broken_thing))
    assert doctor.main([]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "ok       Python         3.12",
        "note     disk           2 GiB free",
        "PROBLEM  memory         too little: buy some",
    ]
    assert "broken thing" in lines[3]
    assert "a strange computer" in lines[3]
    assert lines[-1].startswith("1 problem to put right")


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        doctor.main(["--help"])
    assert ended.value.code == 0
    assert "plain words" in capsys.readouterr().out


def test_the_doctor_needs_nothing_installed() -> None:
    """Without any site-packages, as before the first set-up, it still imports and explains."""
    script = "import sys; from workshop.host import doctor; print(*(f.text for f in doctor.check_packages()))"
    answer = subprocess.run([sys.executable, "-S", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "nothing is installed in this Python: type ./start.sh" in answer.stdout


def test_python_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert next(iter(doctor.check_python())).level == OK
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    assert next(iter(doctor.check_python())).level == PROBLEM
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    assert [finding.subject for finding in doctor.check_python()][-1] == "PYTHONPATH"


@pytest.mark.parametrize(
    ("model", "features", "machine", "expected"),
    [
        ("Xeon", {"avx", "avx2", "fma"}, "x86_64", [OK, OK]),
        ("Core 2", {"sse3"}, "x86_64", [OK, PROBLEM]),
        ("VirtualApple @ 2.50GHz", {"sse3"}, "x86_64", [OK, PROBLEM, PROBLEM]),
        ("Cortex-A76", {"asimd"}, "aarch64", [OK]),
        ("", set(), "x86_64", [OK]),
    ],
)
def test_cpu(
    monkeypatch: pytest.MonkeyPatch, model: str, features: set[str], machine: str, expected: list[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(doctor, "cpu_model_and_features", lambda: (model, features))
    monkeypatch.setattr(doctor, "usable_cores", lambda: 4)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert levels(list(doctor.check_cpu())) == expected


@pytest.mark.parametrize(("memory", "level"), [((8.0, 4.0), OK), ((8.0, 0.5), NOTE), ((1.0, 0.9), PROBLEM)])
def test_memory(monkeypatch: pytest.MonkeyPatch, memory: tuple[float, float], level: str) -> None:
    monkeypatch.setattr(doctor, "memory", lambda: tuple(int(gib * 2**30) for gib in memory))
    assert levels(list(doctor.check_memory())) == [level]


def test_locked_versions(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(
        "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:00\n"
        "numpy==2.5.5 ; python_full_version >= '3.12' \\\n    --hash=sha256:01\n"
        "Keras==3.15.1 \\\n    --hash=sha256:02\n"
    )
    assert doctor.locked_versions(lock) == {"numpy": {"2.4.6", "2.5.5"}, "keras": {"3.15.1"}}
    assert doctor.locked_versions(tmp_path / "none.txt") == {}


def test_packages(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"tensorflow-cpu": "2.21.0", "keras": "3.14.0", "tensorboard": "2.21.0", "numpy": "2.4.6"}
    monkeypatch.setattr(doctor, "installed_version", installed.get)
    by_subject = {finding.subject: finding for finding in doctor.check_packages()}
    assert by_subject["tensorflow-cpu"].level == OK
    assert by_subject["keras"].level == NOTE
    assert "the lock has 3.15.1" in by_subject["keras"].text
    assert by_subject["jupyterlab"].level == PROBLEM
    installed["tensorflow"] = "2.21.0"
    assert PROBLEM in [finding.level for finding in doctor.check_packages() if finding.subject == "tensorflow"]


@pytest.mark.parametrize(
    ("status", "last_words", "expected"),
    [
        (-signal.SIGILL, "", "lacks instructions"),
        (-signal.SIGKILL, "", "memory ran out"),
        (-signal.SIGFPE, "", "SIGFPE"),
        (1, "ImportError: no such thing", "ImportError: no such thing"),
    ],
)
def test_a_tensorflow_that_does_not_start(status: int, last_words: str, expected: str) -> None:
    assert expected in doctor.why_it_ended(status, last_words)


def test_a_crash_of_tensorflow_is_reported_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "installed_version", lambda name: "2.21.0")
    monkeypatch.setattr(doctor, "TENSORFLOW_PROBE", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    findings = list(doctor.check_tensorflow())
    assert levels(findings) == [PROBLEM]
    assert "SIGILL" in findings[0].text


@pytest.mark.parametrize(
    ("load", "worked", "words"),
    [
        (5.2, 20.0, "busy with other programs (load 5.2 on 2 cores), so close some"),
        (5.2, 1.0, "busy with other programs (load 5.2 on 2 cores), so close some"),
        (0.7, 4.0, "waited for the disk or for other programs most of the time (4.0 s of calculation)"),
        (0.7, 29.0, "this processor is slow"),
    ],
)
def test_a_slow_start_of_tensorflow_has_a_reason(
    monkeypatch: pytest.MonkeyPatch, load: float, worked: float, words: str
) -> None:
    spent = iter([100.0, 100.0 + worked])
    clock = iter([0.0, 30.0])
    answer = json.dumps({"load": 28.5, "multiply": 0.1, "right": True, "gpus": []})
    monkeypatch.setattr(doctor, "installed_version", lambda name: "2.21.0")
    monkeypatch.setattr(doctor, "TENSORFLOW_PROBE", f"print({answer!r})")
    monkeypatch.setattr(doctor, "output_of", lambda *command, **_: None)
    monkeypatch.setattr(doctor, "processor_seconds", lambda: next(spent))
    monkeypatch.setattr(doctor.os, "getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    monkeypatch.setattr(doctor, "usable_cores", lambda: 2)
    monkeypatch.setattr(doctor.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, answer.encode()))
    monkeypatch.setattr(doctor.time, "monotonic", lambda: next(clock))
    finding, *_ = doctor.check_tensorflow()
    assert finding.level == NOTE
    assert finding.text.startswith("starts in 28.5 s and calculates (30.0 s in all), which is slow: ")
    assert words in finding.text


def test_a_tensorflow_that_calculates(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = json.dumps({"load": 1.5, "multiply": 0.1, "right": True, "gpus": ["GPU:0"]})
    monkeypatch.setattr(doctor, "installed_version", lambda name: "2.21.0")
    monkeypatch.setattr(doctor, "TENSORFLOW_PROBE", f"print('a warning'); print({answer!r})")
    monkeypatch.setattr(doctor, "output_of", lambda *command, **_: "Some Card, 8 GiB, 550")
    findings = list(doctor.check_tensorflow())
    assert levels(findings) == [OK, OK]
    assert "starts in 1.5 s" in findings[0].text
    assert "TensorFlow uses it" in findings[1].text


def test_a_card_that_is_not_used() -> None:
    assert "./start.sh --gpu" in next(iter(doctor.check_gpu("Some Card", []))).text
    assert levels(list(doctor.check_gpu("Some Card", None))) == [NOTE]


def test_ports(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = list(doctor.check_ports())
    assert levels(findings) == [OK, PROBLEM, OK, OK]
    assert "WORKSHOP_PORT_LAB is '0'" in findings[1].text
    with socket.create_server(("127.0.0.1", services.wanted_server("char_rnn").port)):
        assert levels(list(doctor.check_ports())) == [PROBLEM, PROBLEM, OK, OK]


def test_the_tutorials_port_in_use_is_a_problem_only_if_it_was_chosen(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = services.wanted_server("docs").port
    with socket.create_server(("127.0.0.1", port)):
        assert levels(list(doctor.check_ports())) == [OK, PROBLEM, PROBLEM, OK]
        monkeypatch.delenv("WORKSHOP_PORT_DOCS")
        monkeypatch.setitem(ports.PORTS, "docs", port)
        *_, tutorial, _ = doctor.check_ports()
        assert tutorial == Finding(
            NOTE, f"port {port}", "is in use (on a Mac by AirPlay): the tutorial takes another one"
        )


@pytest.mark.parametrize(("free_gib", "level"), [(0.1, PROBLEM), (2, NOTE), (50, OK)])
def test_disk(clone: Path, monkeypatch: pytest.MonkeyPatch, free_gib: float, level: str) -> None:
    usage = shutil.disk_usage(clone)._replace(free=int(free_gib * 2**30))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert levels(list(doctor.check_disk())) == [level]


def test_writing(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(clone))
    assert levels(list(doctor.check_writing())) == [OK]
    (clone / "char_rnn").rmdir()
    (clone / "char_rnn").write_text("a file where the folder should be")
    findings = list(doctor.check_writing())
    assert levels(findings) == [PROBLEM]
    assert f"'{clone / 'char_rnn'}'" in findings[0].text


def test_starter_data(clone: Path) -> None:
    assert levels(list(doctor.check_starter_data())) == [OK, OK, OK, OK]
    (clone / "data/lyrics/tunes/input.txt").unlink()
    (clone / "data/midi/tunes/1.mid").unlink()
    (clone / "data/audio/starter/flute/1.wav").unlink()
    (clone / "data/lyrics/starter/input.txt").write_text("")
    assert levels(list(doctor.check_starter_data())) == [PROBLEM, NOTE, NOTE, NOTE]


ENGINE = {"ServerVersion": "28.2", "OperatingSystem": "Docker Desktop", "MemTotal": 2 * 2**30, "DockerRootDir": "/no"}


@pytest.mark.parametrize("answer", [None, "28.2", json.dumps(ENGINE), json.dumps({**ENGINE, "MemTotal": 2**30})])
def test_docker_is_no_problem_where_it_is_not_used(monkeypatch: pytest.MonkeyPatch, answer: str | None) -> None:
    for found in (None, "/bin/docker"):
        monkeypatch.setattr(shutil, "which", lambda name, found=found: found)
        monkeypatch.setattr(doctor, "output_of", lambda *command, **_: answer)
        assert PROBLEM not in levels(list(doctor.check_docker()))


def test_inside_the_container_docker_is_not_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSHOP_IN_CONTAINER", "1")
    monkeypatch.setattr(doctor, "output_of", lambda *command, **_: None)
    for found in (None, "/bin/docker"):
        monkeypatch.setattr(shutil, "which", lambda name, found=found: found)
        (finding,) = doctor.check_docker()
        assert finding.level == OK
        assert finding.text.startswith("this is the workshop's container")


@pytest.mark.parametrize(("gib", "level"), [(1, PROBLEM), (2, NOTE), (8, OK)])
def test_the_memory_of_the_engine(monkeypatch: pytest.MonkeyPatch, gib: int, level: str) -> None:
    monkeypatch.setenv("WORKSHOP_MODE", "container")
    monkeypatch.setenv("WORKSHOP_ENGINE_INFO", json.dumps({**ENGINE, "MemTotal": gib * 2**30}))
    about_docker, about_memory, *_ = doctor.check_docker()
    assert about_docker.text == "its engine 28.2 answers (Docker Desktop)"
    assert about_memory.level == level
    assert f"{gib}.0 GiB" in about_memory.text
    assert ("Settings, Resources" in about_memory.text) == (level != OK)


@pytest.mark.parametrize(("free_gib", "level"), [(1, NOTE), (50, OK)])
def test_the_disk_of_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_gib: int, level: str) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=free_gib * 2**30)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert levels(list(doctor.check_engine_disk({"DockerRootDir": str(tmp_path)}))) == [level]


def test_the_disk_of_an_engine_elsewhere_is_not_spoken_of() -> None:
    assert list(doctor.check_engine_disk({"DockerRootDir": "/no/such/folder"})) == []


def test_inside_the_container_the_servers_are_asked_themselves(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSHOP_IN_CONTAINER", "1")
    monkeypatch.delenv("WORKSHOP_PORT_LAB")
    monkeypatch.setattr(services, "answers", lambda server: server.name == "char_rnn")
    assert levels(list(doctor.check_ports())) == [OK, PROBLEM, PROBLEM, PROBLEM]


def test_where_the_container_is_used_no_packages_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSHOP_MODE", "container")
    monkeypatch.setattr(doctor, "installed_version", lambda name: None)
    assert levels(list(doctor.check_packages())) == [OK]


def test_commands_that_fail_or_hang_say_nothing() -> None:
    assert doctor.output_of("no-such-command") is None
    assert doctor.output_of(sys.executable, "-c", "raise SystemExit(3)") is None
    assert doctor.output_of(sys.executable, "-c", "import time; time.sleep(30)", timeout_seconds=0.2) is None
    assert doctor.output_of(sys.executable, "-c", "print(' hello ')") == "hello"


@pytest.mark.slow
def test_the_whole_report_of_this_computer(capsys: pytest.CaptureFixture[str]) -> None:
    begun = time.monotonic()
    doctor.main([])
    assert time.monotonic() - begun < 30
    report = capsys.readouterr().out
    for subject in ("Python", "computer", "memory", "TensorFlow", "GPU", "disk", "writing", "starter data", "Docker"):
        assert f" {subject} " in report
