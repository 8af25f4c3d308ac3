"""The one door where an engine answers, tried with stubs of docker, docker-compose and podman."""

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from free_ports import free_port
from start_clone import STUB_IN_VENV, Clone, make_clone

from workshop import ROOT
from workshop.host.ports import DOCS_PORT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="start.sh is for bash; Windows has start.ps1")

#: Servers that get ports of their own, because 7006 and the others may be in use by the very workshop that is tested.
SERVERS = (
    "CHAR_RNN", "MIDI_RNN", "WAVENET", "AUDIO_RNN", "SPECTRAL_RNN", "SPECTRAL_GAN", "LAB", "DOCS", "PLAY", "LIVE"
)  # fmt: skip


@dataclass
class DockerClone(Clone):
    """A clone on a computer with an engine and without any Python."""

    engine: Path

    def add_engine(self, program: str) -> None:
        """Put a stub of docker, docker-compose or podman on the PATH."""
        stub = self.bin / program
        words = [sys.executable, "-IS", str(ROOT / "tests" / "stub_engine.py"), program]
        stub.write_text(f'#!/usr/bin/env bash\nexec {shlex.join(words)} "$@"\n')
        stub.chmod(0o755)

    def take_words(self, *about: str) -> list[str]:
        """What the engine was asked for since the last time, as far as it begins with one of these words."""
        words = [re.sub(r"^\S+ (compose )?(-p \S+ )?", r"\1", call) for call in self.take_calls()]
        return [call for call in words if call.startswith(about)]

    def state(self) -> dict[str, Any]:
        """What the engine has."""
        return dict(json.loads((self.engine / "state.json").read_text()))

    def container(self) -> dict[str, Any]:
        """The one container."""
        (container,) = self.state()["containers"].values()
        return dict(container)

    def popen(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start ./start.sh and go on."""
        return subprocess.Popen(
            [str(self.root / "start.sh"), *arguments],
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def bare(tmp_path: Path) -> DockerClone:
    """A clone on a computer without an engine so far."""
    made = make_clone(tmp_path)
    shutil.copy(ROOT / "docker-compose.yml", made.root)  # start.sh reads the names of settings in it
    for name in (ROOT / "docker" / "recipe.txt").read_text().splitlines():
        if "KIND" not in name:
            (made.root / name).write_text(f"# {name}\n")
    venv, engine = tmp_path / "venv inside", tmp_path / "engine"
    (venv / "bin").mkdir(parents=True)
    engine.mkdir()
    (venv / "bin" / "python").write_text(STUB_IN_VENV)
    (venv / "bin" / "python").chmod(0o755)
    made.env |= {"STUB_ENGINE": str(engine), "STUB_CLONE": str(made.root), "STUB_VENV": str(venv)}
    made.env |= {f"WORKSHOP_PORT_{name}": str(free_port()) for name in SERVERS}
    return DockerClone(made.root, made.bin, made.home, made.calls_file, made.env, engine)


@pytest.fixture
def clone(bare: DockerClone) -> DockerClone:
    """A clone on a computer with docker and its compose plugin."""
    bare.add_engine("docker")
    return bare


@pytest.fixture
def up(clone: DockerClone) -> DockerClone:
    """The same with its container running."""
    assert clone.start("run", "true").returncode == 0
    clone.take_calls()
    return clone


# ---- container or not ------------------------------------------------------------------------------------------------


def test_where_an_engine_answers_the_container_is_taken_and_said_so_in_one_line(clone: DockerClone) -> None:
    answer = clone.start("run", "true")
    assert answer.stderr.startswith("Container mode: docker answers")
    assert clone.start("run", "true", cwd=clone.root).stderr.count("\n") == 1
    assert clone.start("run", "true", cwd=clone.root, WORKSHOP_MODE="container").stderr == ""


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", "docker is installed, but its engine"),
        ("permission denied while trying to connect to the Docker daemon socket", "sudo usermod -aG docker"),
    ],
)
def test_an_engine_that_does_not_serve(clone: DockerClone, says: str, words: str) -> None:
    clone.add_python(clone.bin / "python3", "3 11 7 common venv")
    clone.start("--local", "run", "true")
    answer = clone.start("run", "true", STUB_INFO_SAYS=says)
    assert answer.returncode == 0
    assert answer.stderr.startswith("Local mode: docker is installed")
    assert words in answer.stderr
    assert answer.stderr.count("\n") == 1
    demanded = clone.start("run", "true", STUB_INFO_SAYS=says, WORKSHOP_MODE="container")
    assert demanded.returncode == 1
    assert demanded.stderr.startswith("The container cannot be used, because docker is installed")
    assert words in demanded.stderr


@pytest.mark.slow
def test_an_engine_that_hangs_is_not_waited_for(clone: DockerClone) -> None:
    answer = clone.start("run", "true", STUB_INFO_SECONDS="40", WORKSHOP_MODE="container")
    assert answer.returncode == 1
    assert "has not answered within 10 seconds" in answer.stderr


def test_a_mode_that_does_not_exist(clone: DockerClone) -> None:
    answer = clone.start("run", "true", WORKSHOP_MODE="docker")
    assert answer.returncode == 2
    assert "give 'container' or 'local'" in answer.stderr


def test_the_older_docker_compose_serves_too(clone: DockerClone) -> None:
    clone.add_engine("docker-compose")
    assert clone.start("run", "true", STUB_NO_PLUGIN="1").returncode == 0
    assert any(re.fullmatch(r"docker-compose -p \S+ build workshop", call) for call in clone.take_calls())


def test_docker_without_compose(clone: DockerClone) -> None:
    answer = clone.start("run", "true", STUB_NO_PLUGIN="1", WORKSHOP_MODE="container")
    assert answer.returncode == 1
    assert "docker is here, but without compose: install" in answer.stderr


@pytest.mark.parametrize("plugin", ["", "1"])
def test_podman_serves_where_docker_does_not(bare: DockerClone, plugin: str) -> None:
    bare.add_engine("podman")
    bare.add_engine("podman-compose")
    answer = bare.start("run", "true", STUB_NO_PLUGIN=plugin)
    assert answer.returncode == 0
    assert answer.stderr.startswith("Container mode: podman answers")
    assert bare.container()["userns"] == ("keep-id" if os.getuid() else "")


@pytest.mark.parametrize("verb", ["save", "load", "build", "class", "player"])
def test_what_is_about_the_image_needs_an_engine(clone: DockerClone, verb: str) -> None:
    assert clone.start(verb, "x", STUB_INFO_SAYS="no").returncode in (1, 2)
    answer = clone.start("--local", verb, *([] if verb in ("build", "class") else ["x"]))
    assert answer.returncode == 2
    assert "local mode has none" in answer.stderr


@pytest.mark.parametrize("given", ["", "sets of Jörg", "{root}/data"])
def test_what_is_handed_out_is_a_folder_that_the_engine_can_find(clone: DockerClone, given: str) -> None:
    """It takes `sets` for the name of a volume, and then no student's server starts."""
    (clone.home / "sets of Jörg").mkdir()
    (clone.root / "data").mkdir(exist_ok=True)
    words = [f"{name}={shlex.quote(str(path))}" for name, path in (("ROOT", clone.root), ("HERE", clone.home))]
    code = f'{" ".join(words)} STATE=; . "$ROOT/docker/class.sh"; choose_handed_out; printenv WORKSHOP_CLASS_HANDED_OUT'
    env = {**clone.env, "PATH": os.environ["PATH"], "WORKSHOP_CLASS_HANDED_OUT": given.format(root=clone.root)}
    said = subprocess.run(["bash", "-eu", "-c", code], env=env, cwd="/", capture_output=True, text=True, check=True)
    wanted = clone.home / given if given.startswith("sets") else clone.root / "data" / ("" if given else "handed_out")
    assert said.stdout == f"{wanted}\n"


@pytest.mark.parametrize(("port", "is_refused"), [("8000", False), ("8443", True), ("800", True)])
def test_a_class_that_runs_is_left_where_it_is_if_another_port_is_taken(port: str, is_refused: bool) -> None:
    code = f"""ROOT={shlex.quote(str(ROOT))} STATE= ENGINE=engine
        . "$ROOT/docker/class.sh"
        engine() {{ echo "8000/tcp -> 127.0.0.1:8000"; }}
        inspect() {{ echo true; }}
        is_taken() {{ true; }}
        check_port() {{ true; }}
        fail() {{ echo "$*"; exit 1; }}
        check_class"""
    env = {"PATH": os.environ["PATH"], "WORKSHOP_PORT_CLASS": port, "WORKSHOP_CLASS_SIGN_IN": "accounts"}
    done = subprocess.run(["bash", "-eu", "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.stdout.startswith(f"Port {port} for the class is in use") is is_refused
    assert done.returncode == is_refused


def test_a_folder_to_hand_out_that_is_not_there(clone: DockerClone) -> None:
    answer = clone.start("class", WORKSHOP_CLASS_HANDED_OUT="nowhere", WORKSHOP_PORT_CLASS=str(free_port()))
    assert answer.returncode == 2
    assert "WORKSHOP_CLASS_HANDED_OUT is 'nowhere'" in answer.stderr
    assert clone.take_words("compose build", "compose run", "compose up") == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WORKSHOP_CLASS_SIGNIN", "accounts", "WORKSHOP_CLASS_SIGNIN is no setting of the class"),
        ("WORKSHOP_CLASS_NAME", "Klasse 8b", "WORKSHOP_CLASS_NAME is 'Klasse 8b'"),
        ("WORKSHOP_CLASS_NAME", "-8b", "WORKSHOP_CLASS_NAME is '-8b'"),
    ],
)
def test_a_setting_of_the_class_that_is_misspelt(clone: DockerClone, name: str, value: str, said: str) -> None:
    """It would be none: a class without accounts, of which the teacher thinks that it has them."""
    answer = clone.start("class", **{name: value, "WORKSHOP_PORT_CLASS": str(free_port())})
    assert answer.returncode == 2
    assert said in answer.stderr
    assert clone.take_words("compose build", "compose run", "compose up") == []


# ---- building --------------------------------------------------------------------------------------------------------


def test_first_use_builds_and_starts_with_progress(clone: DockerClone) -> None:
    answer = clone.start("run", "true")
    assert answer.returncode == 0
    assert "The image ml4music-workshop:cpu is built once" in answer.stderr
    assert "Building the image ..." in answer.stderr
    assert "step 1 of 1" not in answer.stderr  # the engine's own words are for its log
    assert answer.stdout == ""
    assert clone.take_words("compose build", "compose up") == [
        "compose build workshop",
        "compose up -d --no-build workshop",
    ]
    assert (clone.root / "char_rnn" / "experiments").is_dir()
    assert (clone.root / "build").is_dir()


def test_the_second_use_builds_and_starts_nothing(up: DockerClone) -> None:
    assert up.start("run", "true").returncode == 0
    assert up.take_words("compose build", "compose up", "stop", "rm") == []


def test_the_image_is_built_again_when_what_it_is_made_of_has_changed(up: DockerClone) -> None:
    for name in (
        "Dockerfile",
        "requirements/cpu.txt",
        "requirements/test.txt",
        "requirements/docs.txt",
        "pyproject.toml",
        "docker/entrypoint.sh",
    ):
        (up.root / name).write_text("# newer\n")
        answer = up.start("run", "true")
        assert "has changed, so it is built again" in answer.stderr
        assert up.take_words("compose build", "compose up") == [
            "compose build workshop",
            "compose up -d --no-build workshop",
        ]
    for name in ("start.sh", "docker/host.sh", "docker/servers.txt", "requirements/gpu.txt"):
        with (up.root / name).open("a") as file:
            file.write("# newer\n")
    up.start("run", "true")
    assert up.take_words("compose build", "compose up") == []


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("write /var/lib/docker/x: no space left on device", "the engine's disk is full"),
        ("ERROR: failed to resolve: dial tcp: lookup registry: no such host", "./start.sh load FILE"),
        ("pip: Max retries exceeded", "./start.sh load FILE"),
        ("ERROR: BuildKit is enabled but the buildx component is missing or broken.", "docker-buildx-plugin"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "not the file that the lock names"),
        ("something new", "say why; put it right"),
    ],
)
def test_a_failed_build_is_explained(clone: DockerClone, says: str, words: str) -> None:
    answer = clone.start("run", "true", STUB_BUILD_SAYS=says)
    assert answer.returncode == 1
    assert says in answer.stderr
    last = answer.stderr.splitlines()[-1]
    assert last.startswith("Building the image failed")
    assert words in last
    assert not (clone.root / ".workshop" / "container.lock").exists()
    assert clone.start("run", "true").returncode == 0


def test_an_older_image_serves_where_none_can_be_built(up: DockerClone) -> None:
    up.start("down")
    (up.root / "Dockerfile").write_text("# newer\n")
    answer = up.start("run", "echo", "here", STUB_BUILD_SAYS="no such host")
    assert answer.returncode == 0
    assert "The older image is used meanwhile." in answer.stderr
    assert answer.stdout == "here\n"


def test_build_builds_at_once(up: DockerClone) -> None:
    assert up.start("build").returncode == 0
    assert up.take_words("compose build", "compose up") == ["compose build workshop"]


# ---- one container ---------------------------------------------------------------------------------------------------


def test_two_at_once_make_one_container(clone: DockerClone) -> None:
    both = [clone.popen("run", "true", STUB_BUILD_SECONDS="1") for _ in range(2)]
    words = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert clone.take_words("compose build", "compose up") == [
        "compose build workshop",
        "compose up -d --no-build workshop",
    ]
    assert sum("is building or starting the container; waiting" in said for said in words) == 1


def test_a_stopped_container_is_started_again(up: DockerClone) -> None:
    assert "saved" in up.start("stop").stderr
    assert up.container()["status"] == "exited"
    assert up.take_words("stop") == [f"stop -t 30 {next(iter(up.state()['containers']))}"]
    assert "does not run" in up.start("stop").stderr
    up.take_calls()
    assert up.start("run", "true").returncode == 0
    assert up.take_words("compose build", "compose up") == ["compose up -d --no-build workshop"]


def test_down_removes_the_container(up: DockerClone) -> None:
    assert up.start("down").returncode == 0
    assert up.state()["containers"] == {}
    assert "no container to remove" in up.start("down").stderr


def test_other_settings_make_it_again_unless_somebody_is_inside(up: DockerClone) -> None:
    assert "made again" in up.start("run", "true", WORKSHOP_MEMORY="4g").stderr
    up.take_calls()
    inside = up.popen("run", "bash", "-c", "echo in; sleep 30", WORKSHOP_MEMORY="4g")
    assert inside.stdout is not None
    assert inside.stdout.readline() == "in\n"
    answer = up.start("run", "echo", "too", WORKSHOP_MEMORY="5g")
    assert answer.stdout == "too\n"
    assert "is used by another terminal and stays as it is" in answer.stderr
    assert up.take_words("compose up") == []
    inside.send_signal(signal.SIGTERM)
    inside.communicate(timeout=20)
    assert "made again" in up.start("run", "true", WORKSHOP_MEMORY="5g").stderr


def test_who_died_inside_without_a_word_does_not_count(up: DockerClone) -> None:
    with subprocess.Popen(["true"]) as dead:
        pass
    (up.root / ".workshop" / "calls" / str(dead.pid)).write_text("1\n")
    assert "made again" in up.start("run", "true", WORKSHOP_MEMORY="4g").stderr


def test_a_container_made_by_hand_is_left_as_it_is(up: DockerClone) -> None:
    state = up.state()
    for container in state["containers"].values():
        container["labels"]["ml4music.settings"] = "none"
    (up.engine / "state.json").write_text(json.dumps(state))
    assert up.start("run", "true", WORKSHOP_MEMORY="4g").returncode == 0
    assert up.take_words("compose up") == []


def test_two_clones_have_two_containers(up: DockerClone) -> None:
    other = up.root.with_name("another clone")
    up.root.rename(other)
    up.root = other
    ports = {f"WORKSHOP_PORT_{name}": str(free_port()) for name in SERVERS}
    assert up.start("run", "true", STUB_CLONE=str(other), **ports).returncode == 0
    assert len(up.state()["containers"]) == 2


# ---- who is inside ---------------------------------------------------------------------------------------------------


def test_what_is_made_belongs_to_the_calling_user(up: DockerClone) -> None:
    user = up.container()["user"]
    if os.getuid():
        assert user == f"{os.getuid()}:{os.getgid()}"
    else:
        assert user == "1000:1000"
        assert (up.root / "data").stat().st_uid == 1000
        assert (up.root / "char_rnn" / "experiments").stat().st_uid == 1000
    up.start("run", "true")
    assert f"-u {user} " in up.take_words("exec")[0]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give folders away")
def test_root_goes_in_as_the_owner_of_the_clone(clone: DockerClone) -> None:
    os.chown(clone.root, 1234, 1235)
    assert "You are root and the container is not: it runs as user 1234" in clone.start("run", "true").stderr
    assert clone.container()["user"] == "1234:1235"


def test_root_inside_a_rootless_engine_is_the_caller(clone: DockerClone) -> None:
    clone.start("run", "true", STUB_RUNTIMES="\n  rootless")
    assert clone.container()["user"] == ("0:0" if os.getuid() else "1000:1000")


def test_root_is_asked_for(up: DockerClone) -> None:
    assert up.start("--root", "run", "echo", "hello").stdout == "hello\n"
    assert "-u 0:0" in up.take_words("exec")[-1]
    assert up.start("--root", "demo").returncode == 2


# ---- a command inside ------------------------------------------------------------------------------------------------


def test_run_passes_everything_on(up: DockerClone) -> None:
    show = 'printf "<%s>\\n" "$PWD" "$@"; cat; exit 7'
    folder = up.root / "char_rnn"
    answer = up.start("run", "bash", "-c", show, "x", "two words", "", "*", "$HOME", cwd=folder, stdin="typed\n")
    assert answer.returncode == 7
    assert answer.stdout.splitlines() == [f"<{folder}>", "<two words>", "<>", "<*>", "<$HOME>", "typed"]
    assert "sees nothing outside" not in answer.stderr
    assert "-t" not in up.take_words("exec")[0].split()


def test_run_from_elsewhere_happens_in_the_clone(up: DockerClone) -> None:
    answer = up.start("run", "pwd", cwd=up.home)
    assert answer.stdout == f"{up.root}\n"
    assert f"sees nothing outside of '{up.root}'" in answer.stderr


def test_it_can_be_called_by_a_link(up: DockerClone) -> None:
    link = up.home / "workshop"
    link.symlink_to(os.path.relpath(up.root / "start.sh", up.home))
    done = subprocess.run(
        [str(link), "run", "pwd"], env={**up.env, "CDPATH": str(up.home)}, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{up.root}\n"


def test_run_says_when_there_is_no_such_command(up: DockerClone) -> None:
    answer = up.start("run", "no-such-command")
    assert answer.returncode == 127
    assert "There is no command 'no-such-command'" in answer.stderr


def test_variables_of_the_libraries_are_passed_on(up: DockerClone) -> None:
    up.start("run", "true", TF_CPP_MIN_LOG_LEVEL="0", WORKSHOP_VENV="elsewhere")
    words = up.take_words("exec")[0]
    assert "-e TF_CPP_MIN_LOG_LEVEL" in words
    assert "WORKSHOP_VENV" not in words


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_reach_the_command_which_may_still_save(up: DockerClone, number: signal.Signals) -> None:
    name = number.name.removeprefix("SIG")
    trainer = f'trap "sleep 0.5; echo saved; exit 9" {name}; echo ready; while :; do sleep 0.1; done'
    process = up.popen("run", "bash", "-c", trainer)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.communicate(timeout=20)[0] == "saved\n"
    assert process.returncode == 9
    assert list((up.root / ".workshop" / "calls").iterdir()) == []


GET = ("run", "python", "-m", "workshop.datasets", "get", "songs")


@pytest.mark.parametrize("name", ["USB stick", 'odd, "name": x'])
@pytest.mark.parametrize("how", ["--mirror FOLDER", "--mirror=FOLDER", "WORKSHOP_MIRROR", "relative"])
def test_a_mirror_outside_of_the_clone_is_shown_to_the_command(up: DockerClone, name: str, how: str) -> None:
    stick = up.home / name
    stick.mkdir()
    ours = up.state()["containers"]
    variables = {"WORKSHOP_MIRROR": str(stick)} if how == "WORKSHOP_MIRROR" else {}
    words = {"--mirror FOLDER": ["--mirror", str(stick)], "--mirror=FOLDER": [f"--mirror={stick}"]}
    words |= {"WORKSHOP_MIRROR": [], "relative": ["--mirror", f"../{name}"]}
    (up.home / "elsewhere").mkdir()
    answer = up.start(*GET, *words[how], cwd=up.home / "elsewhere", **variables)
    assert answer.returncode == 0
    calls = up.take_calls()
    said = [call for call in calls if call.startswith("venv -m workshop.datasets get songs")]
    found = {"--mirror=FOLDER": " --mirror=/mirror", "WORKSHOP_MIRROR": ""}.get(how, f" --mirror {stick}")
    assert said == [f"venv -m workshop.datasets get songs{found}"]
    (lent,) = (call for call in calls if " run --detach --rm" in call)
    assert ",target=/mirror,readonly" in lent
    assert f"--user {up.container()['user']} --cap-drop ALL" in lent
    assert "docker rm -f lent" in calls
    assert up.state()["containers"] == ours


def test_a_mirror_in_the_clone_and_one_in_the_web_need_no_container_of_their_own(up: DockerClone) -> None:
    (up.root / "data" / "sets").mkdir(parents=True, exist_ok=True)
    up.start(*GET, "--mirror", "data/sets", cwd=up.root)
    up.start(*GET, "--mirror", "https://localhost/sets")
    calls = up.take_calls()
    assert [call.split()[-1] for call in calls if "venv -m workshop.datasets" in call] == [
        str(up.root / "data" / "sets").rsplit(maxsplit=1)[-1],
        "https://localhost/sets",
    ]
    assert not any(" run --detach" in call for call in calls)


def test_a_mirror_that_is_not_there_is_an_error_at_once(up: DockerClone) -> None:
    answer = up.start(*GET, "--mirror", "/no/such/stick")
    assert answer.returncode == 2
    assert answer.stderr.splitlines()[-1].startswith("There is no folder '/no/such/stick' that can be entered")


def test_a_mirror_is_made_on_a_stick_that_may_be_written(up: DockerClone) -> None:
    stick = up.home / "stick" / "sets"
    assert up.start("run", "python", "-m", "workshop.datasets", "mirror", str(stick), "songs").returncode == 0
    calls = up.take_calls()
    assert f"venv -m workshop.datasets mirror {stick} songs" in calls
    (lent,) = (call for call in calls if " run --detach --rm" in call)
    assert lent.endswith(",target=/mirror ml4music-workshop:cpu sleep 86400")
    assert stick.is_dir()


def test_a_shell_without_a_terminal_reads_its_commands(up: DockerClone) -> None:
    (up.root / ".workshop" / "jupyter_token").write_text("abc123\n")
    answer = up.start(stdin='echo "in $PWD"\nexit 5\n', cwd=up.root / "char_rnn")
    assert answer.returncode == 5
    port = {name: up.env[f"WORKSHOP_PORT_{name}"] for name in SERVERS}
    assert answer.stdout.splitlines() == [
        f"TensorBoard for char_rnn     http://localhost:{port['CHAR_RNN']}",
        f"TensorBoard for midi_rnn     http://localhost:{port['MIDI_RNN']}",
        f"TensorBoard for wavenet      http://localhost:{port['WAVENET']}",
        f"TensorBoard for audio_rnn    http://localhost:{port['AUDIO_RNN']}",
        f"TensorBoard for spectral_rnn http://localhost:{port['SPECTRAL_RNN']}",
        f"TensorBoard for spectral_gan http://localhost:{port['SPECTRAL_GAN']}",
        f"JupyterLab                   http://localhost:{port['LAB']}/lab/tree/docs/notebooks/README.md?token=abc123",
        f"the tutorial                 http://localhost:{port['DOCS']}",
        f"the play page                http://localhost:{port['PLAY']}/",
        f"in {up.root / 'char_rnn'}",
    ]


def test_a_second_terminal_gets_the_running_containers_addresses(up: DockerClone) -> None:
    state = up.state()
    for container in state["containers"].values():
        container["labels"]["ml4music.settings"] = "none"
    (up.engine / "state.json").write_text(json.dumps(state))
    answer = up.start(stdin="", WORKSHOP_PORT_CHAR_RNN="7999")
    assert f"http://localhost:{up.env['WORKSHOP_PORT_CHAR_RNN']}" in answer.stdout
    assert "7999" not in answer.stdout


def test_a_signal_that_comes_before_the_command_is_not_lost(up: DockerClone) -> None:
    process = up.popen("run", "sleep", "30")
    calls = up.root / ".workshop" / "calls"
    deadline = time.monotonic() + 20
    while not list(calls.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode in (130, 143)


def test_the_starter_tunes_are_made_from_inside_once(clone: DockerClone) -> None:
    clone.start("run", "true")
    assert "venv -m workshop.tunes" in clone.take_calls()
    clone.start("run", "true")
    assert "venv -m workshop.tunes" not in clone.take_calls()


def test_who_comes_while_the_container_makes_the_tunes_is_told_so(up: DockerClone) -> None:
    (up.root / ".workshop" / "tunes").unlink()
    entrypoint, student = (up.popen("run", "true", STUB_TUNES_SECONDS="2") for _ in range(2))
    words = [process.communicate(timeout=60)[1] for process in (entrypoint, student)]
    assert sum("The container is new and makes the starter tunes and sounds; waiting" in said for said in words) == 1
    assert not any("Another" in said for said in words)


def test_the_tests_run_inside(up: DockerClone) -> None:
    up.start("test", "-k", "some words", cwd=up.home)
    assert up.take_calls()[-1] == "venv -m pytest -k some words"


def test_the_demo_runs_inside_and_names_the_address_outside(up: DockerClone) -> None:
    answer = up.start("demo")
    assert "la la la" in answer.stdout
    assert f"http://localhost:{up.env['WORKSHOP_PORT_CHAR_RNN']} (TensorBoard" in answer.stdout
    assert "venv -m workshop.services start" not in up.take_calls()


def test_lab_prints_the_address_of_the_running_lab(up: DockerClone) -> None:
    (up.root / ".workshop" / "jupyter_token").write_text("abc123\n")
    answer = up.start("lab")
    assert (
        answer.stdout
        == f"JupyterLab                   http://localhost:{up.env['WORKSHOP_PORT_LAB']}/lab/tree/docs/notebooks/README.md?token=abc123\n"
    )


def test_docs_prints_the_address_of_the_running_tutorial(up: DockerClone) -> None:
    answer = up.start("docs")
    assert answer.returncode == 0
    assert answer.stdout == f"the tutorial                 http://localhost:{up.env['WORKSHOP_PORT_DOCS']}\n"


def test_play_prints_the_address_of_the_running_page(up: DockerClone) -> None:
    (up.root / ".workshop" / "play_token").write_text("def456\n")
    answer = up.start("play")
    assert (
        answer.stdout == f"the play page                http://localhost:{up.env['WORKSHOP_PORT_PLAY']}/?token=def456\n"
    )


def test_the_page_of_the_live_room_is_served_inside(up: DockerClone) -> None:
    up.take_calls()
    assert up.start("live", "verse", "--seed", "3").returncode == 0
    assert up.take_calls()[-1] == "venv -m live page verse --seed 3"
    answer = up.start("live", "check")
    assert answer.returncode == 2
    assert up.take_words("exec") == []
    assert "which a container does not have" in answer.stderr


def test_servers_that_do_not_answer(up: DockerClone) -> None:
    answer = up.start(stdin="echo here\n", STUB_HEALTH="unhealthy")
    assert "not well (TensorBoard of wavenet does not answer): './start.sh logs' shows more" in answer.stderr
    assert answer.stdout.splitlines()[-1] == "here"
    assert up.start("lab", STUB_HEALTH="unhealthy").returncode == 1


def test_logs(up: DockerClone) -> None:
    (up.root / ".workshop" / "lab.log").write_text("what the lab says\n")
    answer = up.start("logs")
    assert "what the container says" in answer.stdout
    assert "what the lab says" in answer.stdout


def test_the_doctor_looks_from_inside_and_knows_the_engine(up: DockerClone) -> None:
    up.start("doctor", "--help")
    calls = up.take_calls()
    assert calls[-1] == "venv -m workshop.doctor --help"
    assert any('WORKSHOP_ENGINE_INFO={"ServerVersion": "20.10"}' in call for call in calls)


def test_the_doctor_starts_no_container(clone: DockerClone) -> None:
    answer = clone.start("doctor")
    assert answer.returncode == 1
    assert "type ./start.sh first" in answer.stderr
    clone.add_python(clone.bin / "python3", "3 11 7 common venv")
    assert "doctor with" in clone.start("doctor").stdout
    assert clone.take_words("compose build", "compose up") == []


def test_inside_the_container_start_sh_knows_where_it_is(up: DockerClone) -> None:
    answer = up.start("run", "bash", str(up.root / "start.sh"), "run", "echo", "hello")
    assert answer.stdout == "hello\n"
    for verb in ("play", "osc", "freeze", "player", "sweep", "lab", "docs", "stop", "build", "save"):
        answer = up.start("run", "bash", str(up.root / "start.sh"), verb)
        assert answer.returncode == 2
        assert f"leave it with 'exit', and type './start.sh {verb}' there" in answer.stderr


# ---- OSC -------------------------------------------------------------------------------------------------------------

#: In place of the server inside: it says how it was called, and answers twice.
ANSWERS = r"""#!/usr/bin/env bash
printf '%s\n' "$WORKSHOP_HOST_ROOT" "$*" 'osc \x2f\x61\x00\x00\x2c\x00\x00\x00' 'a line'
printf '%s\n' 'osc \x2f\x62\x00\xff\x0a\x00\x25\x5c'
"""


def test_answers_of_osc_reach_this_computer(up: DockerClone) -> None:
    up.add_python(up.bin / "python", "")
    (up.bin / "python").write_text(ANSWERS)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        client.settimeout(10)
        port = str(client.getsockname()[1])
        answer = up.start("osc", "verse", "--allow", "x y", WORKSHOP_ANSWER_TO=port)
        assert answer.returncode == 0
        assert client.recv(100) == b"/a\0\0,\0\0\0"
        assert client.recv(100) == b"/b\0\xff\n\0%\\"
    called = "-m workshop.osc --host 0.0.0.0 --port 10102 --answer_to output verse --allow x y"
    assert answer.stdout.splitlines() == [str(up.root), called, "a line"]


def test_ports_of_osc_are_set_outside_of_the_container(up: DockerClone) -> None:
    answer = up.start("osc", "verse", "--port", "9000")
    assert (answer.returncode, "WORKSHOP_PORT_OSC and WORKSHOP_ANSWER_TO" in answer.stderr) == (2, True)
    for variable in ("WORKSHOP_PORT_OSC", "WORKSHOP_ANSWER_TO"):
        answer = up.start("osc", "verse", **{variable: "0"})
        assert (answer.returncode, f"{variable} is '0', which is not a port" in answer.stderr) == (2, True)


def test_a_port_of_osc_that_is_taken_is_named(clone: DockerClone) -> None:
    says = "failed to bind host port for 127.0.0.1:10102:172.17.0.2:10102/udp: address already in use"
    answer = clone.start("run", "true", STUB_UP_SAYS=says)
    assert answer.returncode == 1
    assert "Port 10102 for OSC is in use" in answer.stderr
    assert "WORKSHOP_PORT_OSC=10202 ./start.sh" in answer.stderr


# ---- the player ------------------------------------------------------------------------------------------------------


@pytest.fixture
def ports() -> dict[str, str]:
    """Ports for a player."""
    return {"WORKSHOP_PORT_PLAYER": str(free_port()), "WORKSHOP_PORT_OSC": str(free_port(socket.SOCK_DGRAM))}


def test_the_player_is_built_and_sees_two_folders(clone: DockerClone, ports: dict[str, str]) -> None:
    answer = clone.start("player", **ports, WORKSHOP_BASE_IMAGE="base:1")
    assert answer.returncode == 0
    assert "The image ml4music-workshop:player is built once" in answer.stderr
    build, run = clone.take_words("build", "run")
    assert build == f"build --target player --build-arg BASE_IMAGE=base:1 --tag ml4music-workshop:player {clone.root}"
    page, osc = ports.values()
    assert f"--publish 127.0.0.1:{page}:7002 --publish 127.0.0.1:{osc}:10102/udp " in run
    for source, target in (("player", "/networks,readonly"), ("osc", "/player/data/generated/osc")):
        assert (clone.root / "data" / "generated" / source).is_dir()
        assert f'--mount type=bind,"source={clone.root}/data/generated/{source}",target={target} ' in run
    assert f"--env WORKSHOP_HOST_ROOT={clone.root} --env WORKSHOP_PUBLISHED=7002:{page} " in run
    assert "--cap-drop ALL " in run
    assert run.endswith(" ml4music-workshop:player --host 0.0.0.0 --answer_to output")


def test_networks_that_are_named_are_exported_first(clone: DockerClone, ports: dict[str, str]) -> None:
    assert clone.start("player", "spectral_gan/01", "my verse", **ports, cwd=clone.root / "char_rnn").returncode == 0
    export, _, run = clone.take_words("build", "run")
    assert export.endswith(
        " -w /workshop/char_rnn ml4music-workshop:cpu python -m workshop.player export --overwrite "
        "--to /workshop/data/generated/player spectral_gan/01 my verse"
    )
    assert "--publish" not in export
    assert "spectral_gan" not in run


def test_answers_of_the_player_reach_this_computer(clone: DockerClone, ports: dict[str, str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        client.settimeout(10)
        says = {"STUB_RUN_SAYS": "osc \\x2f\\x61\\x00\\x00\n", "WORKSHOP_ANSWER_TO": str(client.getsockname()[1])}
        assert clone.start("player", **ports, **says).returncode == 0
        assert client.recv(100) == b"/a\0\0"


def test_what_the_player_cannot_use_is_named(up: DockerClone, ports: dict[str, str]) -> None:
    for variable in (*ports, "WORKSHOP_ANSWER_TO"):
        answer = up.start("player", **{**ports, variable: "0"})
        assert (answer.returncode, f"{variable} is '0', which is not a port" in answer.stderr) == (2, True)
    answer = up.start("player", "--help", **ports)
    assert (answer.returncode, "'player' takes names of experiments" in answer.stderr) == (2, True)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answer = up.start("player", **{**ports, "WORKSHOP_PORT_PLAYER": str(port)})
    assert f"Port {port} for the player is in use" in answer.stderr
    state = up.state()
    next(iter(state["containers"].values()))["ports"]["osc"] = f"{ports['WORKSHOP_PORT_OSC']}/udp"
    (up.engine / "state.json").write_text(json.dumps(state))
    answer = up.start("player", **ports)
    assert answer.returncode == 1
    assert "for OSC is the workshop's container's: './start.sh stop' ends that" in answer.stderr
    assert up.take_words("build", "run") == []


def test_a_player_that_cannot_be_built_again_is_used_as_it_is(clone: DockerClone, ports: dict[str, str]) -> None:
    answer = clone.start("player", **ports, STUB_BUILD_SAYS="no space left on device")
    assert (answer.returncode, "the engine's disk is full" in answer.stderr) == (1, True)
    assert clone.start("player", **ports).returncode == 0
    answer = clone.start("player", **ports, STUB_BUILD_SAYS="no space left on device")
    assert (answer.returncode, "The older image is used meanwhile." in answer.stderr) == (0, True)


# ---- ports -----------------------------------------------------------------------------------------------------------


def test_a_taken_port_is_named_with_the_variable_that_changes_it(clone: DockerClone) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answer = clone.start("run", "true", WORKSHOP_PORT_LAB=str(port))
    assert answer.returncode == 1
    last = answer.stderr.splitlines()[-1]
    assert last.startswith(f"Port {port} for JupyterLab is in use by another program")
    assert "another copy of the workshop" in last
    assert "WORKSHOP_PORT_LAB=" in last
    # An image takes minutes: nobody waits for one to be told of a port.
    assert clone.take_words("compose build", "compose up") == []


def test_a_running_container_may_keep_its_ports_and_change_one(up: DockerClone) -> None:
    with contextlib.ExitStack() as stack:
        for name in SERVERS:  # as the engine listens for the container
            stack.enter_context(socket.create_server(("127.0.0.1", int(up.env[f"WORKSHOP_PORT_{name}"]))))
        assert up.start("run", "true", WORKSHOP_PORT_LAB=str(free_port())).returncode == 0
        other = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
        answer = up.start("run", "true", WORKSHOP_PORT_WAVENET=str(other))
    assert f"Port {other} for TensorBoard for wavenet is in use" in answer.stderr


def test_a_port_of_another_clone_names_the_clone(up: DockerClone) -> None:
    first, other = up.root, up.root.with_name("another clone")
    up.root.rename(other)
    up.root = other
    with socket.create_server(("127.0.0.1", int(up.env["WORKSHOP_PORT_CHAR_RNN"]))):
        answer = up.start("run", "true")
    assert f"in use by the workshop in '{first}'" in answer.stderr


def test_the_tutorial_makes_way_for_who_has_its_port_unless_the_port_was_chosen(clone: DockerClone) -> None:
    """A Mac listens on 7000 for AirPlay."""
    del clone.env["WORKSHOP_PORT_DOCS"]
    with contextlib.ExitStack() as stack:
        # Where that is not to be had, somebody else has it, which is as good.
        with contextlib.suppress(OSError):
            stack.enter_context(socket.create_server(("127.0.0.1", DOCS_PORT)))
        answer = clone.start("run", "true", WORKSHOP_PORT_DOCS=str(DOCS_PORT))
        assert f"Port {DOCS_PORT} for the tutorial is in use" in answer.stderr
        answer = clone.start("docs")
        other = int(clone.container()["ports"][str(DOCS_PORT)])
        assert f"Port {DOCS_PORT} is in use by another program, so the tutorial takes {other}." in answer.stderr
        assert other in range(DOCS_PORT + 100, DOCS_PORT + 1000, 100)
        assert answer.stdout == f"the tutorial                 http://localhost:{other}\n"
        clone.take_calls()
        # The container is known again, though that port is not what was wanted.
        assert clone.start("docs").stdout == answer.stdout
        assert clone.take_words("compose up") == []


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1"])
def test_what_is_no_port(clone: DockerClone, port: str) -> None:
    answer = clone.start("run", "true", WORKSHOP_PORT_LAB=port)
    assert answer.returncode == 2
    assert f"WORKSHOP_PORT_LAB is '{port}', which is not a port" in answer.stderr


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("Bind for 127.0.0.1:{LAB} failed: port is already allocated", "for JupyterLab is in use"),
        ("listen tcp4 127.0.0.1:{LAB}: bind: address already in use", "for JupyterLab is in use"),
        ("Ports are not available: exposing port TCP 127.0.0.1:{LAB} -> 0.0.0.0:0", "for JupyterLab is in use"),
        ("no space left on device", "the engine's disk is full"),
        ("Mounts denied: The path is not shared from the host", "File sharing"),
        ("cannot assign requested address", "set it to 127.0.0.1"),
        ("something new", "the lines above say why"),
    ],
)
def test_a_failed_start_is_explained(clone: DockerClone, says: str, words: str) -> None:
    says = says.format(LAB=clone.env["WORKSHOP_PORT_LAB"])
    answer = clone.start("run", "true", STUB_UP_SAYS=says)
    assert answer.returncode == 1
    assert words in answer.stderr.splitlines()[-1]


def test_a_container_that_does_not_come_up(clone: DockerClone) -> None:
    answer = clone.start("run", "true", STUB_STATUS="created")
    assert answer.returncode == 1
    assert "The container does not start" in answer.stderr


# ---- the GPU ---------------------------------------------------------------------------------------------------------


def test_gpu_without_a_card_is_refused(clone: DockerClone) -> None:
    answer = clone.start("--gpu", "run", "true")
    assert answer.returncode == 2
    assert "--gpu needs an NVIDIA card" in answer.stderr
    assert clone.take_words("compose build") == []


def test_gpu_without_the_toolkit_is_refused(clone: DockerClone) -> None:
    clone.add_python(clone.bin / "nvidia-smi", "")
    answer = clone.start("--gpu", "run", "true")
    assert answer.returncode == 2
    assert "install NVIDIA's Container Toolkit" in answer.stderr


def test_switching_between_cpu_and_gpu_replaces_the_container(up: DockerClone) -> None:
    up.add_python(up.bin / "nvidia-smi", "")
    nvidia = {"STUB_RUNTIMES": " nvidia"}
    answer = up.start("--gpu", "run", "true", **nvidia)
    assert answer.returncode == 0
    assert "nothing is lost" in answer.stderr
    assert up.container()["labels"]["ml4music.workshop"] == "workshop-gpu"
    answer = up.start("run", "true", **nvidia)
    assert "The container with the GPU runs and is used" in answer.stderr
    up.start("stop", **nvidia)
    assert up.start("run", "true", **nvidia).returncode == 0
    assert up.container()["labels"]["ml4music.workshop"] == "workshop"


# ---- the image as a file ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["an image.tar.gz", "an image.tar"])
def test_the_image_is_carried_in_a_file(up: DockerClone, name: str) -> None:
    assert up.start("save", name, cwd=up.home).returncode == 0
    assert [path.name for path in up.home.iterdir()] == [name]
    assert (up.home / name).read_bytes().startswith(b"\x1f\x8b") == name.endswith("gz")
    up.start("down")
    (up.engine / "state.json").unlink()
    answer = up.start("load", name, cwd=up.home)
    assert answer.returncode == 0
    assert "is loaded: ./start.sh uses it, without a network" in answer.stderr
    up.take_calls()
    assert up.start("run", "true", STUB_BUILD_SAYS="no network").returncode == 0
    assert up.take_words("compose build") == []


def test_save_takes_a_folder_too(up: DockerClone) -> None:
    assert up.start("save", str(up.home)).returncode == 0
    assert (up.home / "ml4music-cpu.tar.gz").exists()


def test_a_failed_save_leaves_nothing(up: DockerClone) -> None:
    (up.bin / "gzip").write_text('#!/usr/bin/env bash\necho "gzip: stdout: No space left on device" >&2\nexit 1\n')
    (up.bin / "gzip").chmod(0o755)
    answer = up.start("save", "image.tar.gz", cwd=up.home)
    assert answer.returncode == 1
    assert "'image.tar.gz' does not fit on its disk" in answer.stderr
    assert list(up.home.iterdir()) == []


@pytest.mark.parametrize("verb", ["save", "load"])
@pytest.mark.parametrize("names", [[], ["a", "b"]])
def test_one_file_is_named(clone: DockerClone, verb: str, names: list[str]) -> None:
    answer = clone.start(verb, *names)
    assert answer.returncode == 2
    assert f"'{verb}' needs one file name" in answer.stderr


def test_a_file_that_is_no_image(clone: DockerClone) -> None:
    (clone.home / "song.txt").write_text("la la")
    answer = clone.start("load", "song.txt", cwd=clone.home, STUB_LOAD_SAYS="archive/tar: invalid tar header")
    assert answer.returncode == 1
    assert "'song.txt' is damaged or holds no image (archive/tar: invalid tar header)" in answer.stderr
    (clone.home / "other.tar").write_text(json.dumps({"tag": "nginx:latest", "recipe": ""}))
    answer = clone.start("load", "other.tar", cwd=clone.home)
    assert answer.returncode == 1
    assert "holds no image of the workshop (Loaded image: nginx:latest)" in answer.stderr
    answer = clone.start("load", "missing.tar", cwd=clone.home)
    assert "There is no file 'missing.tar'" in answer.stderr


def test_an_image_of_another_version_or_computer(clone: DockerClone) -> None:
    (clone.home / "old.tar").write_text(json.dumps({"tag": "ml4music-workshop:cpu", "recipe": "1-2"}))
    assert "made by another version of the workshop" in clone.start("load", "old.tar", cwd=clone.home).stderr
    answer = clone.start("load", "old.tar", cwd=clone.home, STUB_ARCHITECTURE="arm64")
    assert "made on a computer of another kind (amd64, and this is arm64)" in answer.stderr


def test_ctrl_c_during_a_build_leaves_no_lock(clone: DockerClone) -> None:
    process = clone.popen("run", "true", STUB_BUILD_SECONDS="2")
    deadline = time.monotonic() + 20
    while not (clone.calls_file.exists() and " build workshop" in clone.calls_file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert "the next start goes on from here" in process.communicate(timeout=20)[1]
    assert process.returncode == 130
    assert not (clone.root / ".workshop" / "container.lock").exists()
