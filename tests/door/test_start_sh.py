"""The one door, tried with stub Pythons, so that nothing is really installed."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from start_clone import TUNES_MAKERS, Clone, make_clone

from workshop import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="start.sh is for bash; Windows has WSL")

#: Places outside the PATH where start.sh looks too.
PYTHONS_ELSEWHERE = [
    path
    for folder, pattern in (
        ("/opt/homebrew/bin", "python3.1[123]"),
        ("/usr/local/bin", "python3.1[123]"),
        ("/Library/Frameworks/Python.framework/Versions", "3.1[123]/bin/python3"),
    )
    for path in Path(folder).glob(pattern)
]
#: The scripts of the door that macOS' own bash reads.
SCRIPTS = [
    ROOT / "start.sh",
    ROOT / "docker/progress.sh",
    ROOT / "docker/host.sh",
    *(ROOT / "docker/host").glob("*.sh"),
]
nowhere_else = pytest.mark.skipif(bool(PYTHONS_ELSEWHERE), reason=f"this computer has {PYTHONS_ELSEWHERE}")


@pytest.fixture
def bare_clone(tmp_path: Path) -> Clone:
    """A clone in a path with spaces, on a computer without any Python."""
    return make_clone(tmp_path)


@pytest.fixture
def clone(bare_clone: Clone) -> Clone:
    """A clone on a computer whose python3 serves."""
    bare_clone.add_python(bare_clone.bin / "python3", "3 11 7 common venv")
    return bare_clone


PACKAGES = "--require-hashes -r CLONE/requirements/cpu.txt"
PROJECT = "--quiet --no-deps --no-build-isolation -e CLONE"
DEV = "--require-hashes -r CLONE/requirements/dev.txt"
DOCS = "--require-hashes -r CLONE/requirements/docs.txt"


# ---- what is asked for -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--local", "--help"], ["demo", "--help"]])
def test_help_sets_nothing_up(clone: Clone, arguments: list[str]) -> None:
    answer = clone.start(*arguments)
    assert answer.returncode == 0
    verbs = [
        "demo",
        "play",
        "freeze NAME",
        "sweep PLAN",
        "test",
        "run COMMAND",
        "lab",
        "docs",
        "doctor",
        "logs",
        "stop",
        "down",
        "build",
        "save FILE",
    ]
    for word in (*verbs, "load FILE", "--local", "--gpu", "--root", "WORKSHOP_MODE"):
        assert word in answer.stdout
    assert not clone.take_calls()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["dmeo"],
            "no verb 'dmeo'; the verbs are demo, play, live, osc, freeze, player, sweep, test, run, lab, docs, doctor,",
        ),
        (["--docker"], "no option '--docker'; the options are --local, --gpu, --root"),
        (["demo", "now"], "'demo' takes nothing after it, and 'now' was given"),
        (["run"], "'run' needs a command"),
        (["sweep"], "'sweep' needs a plan, for example: ./start.sh sweep docs/plans/dropout.toml"),
    ],
)
def test_what_is_not_understood_is_said_in_one_sentence(clone: Clone, arguments: list[str], words: str) -> None:
    answer = clone.start("--local", *arguments)
    assert answer.returncode == 2
    assert words in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert not clone.take_calls()


def test_one_line_says_why_local_mode_was_chosen(clone: Clone) -> None:
    clone.start("--local", "run", "true")
    assert clone.start("--local", "run", "true").stderr == ""
    assert "no Docker engine was found" in clone.start("run", "true").stderr
    assert clone.start("run", "true", WORKSHOP_MODE="local").stderr == ""


def test_root_is_said_to_make_no_difference(clone: Clone) -> None:
    assert "makes no difference" in clone.start("--local", "--root", "run", "true").stderr


def test_options_may_follow_the_verb_but_not_those_of_a_command(clone: Clone) -> None:
    assert clone.start("lab", "--local").returncode == 0
    clone.take_calls()
    clone.start("--local", "run", "python", "--root", "--help")
    assert clone.take_calls() == ["venv --root --help"]


def test_gpu_without_a_card_is_refused(clone: Clone) -> None:
    answer = clone.start("--local", "--gpu", "run", "true")
    assert answer.returncode == 2
    assert "--gpu needs an NVIDIA card" in answer.stderr
    assert not clone.take_pip_calls()


def test_gpu_makes_the_environment_again_and_keeps_it(clone: Clone) -> None:
    clone.add_python(clone.bin / "nvidia-smi", "")
    gpu = PACKAGES.replace("cpu", "gpu")
    clone.start("--local", "run", "true")
    clone.take_calls()
    assert "made again" in clone.start("--local", "--gpu", "run", "true").stderr
    assert clone.take_pip_calls() == [gpu, PROJECT]
    clone.start("--local", "run", "true")
    clone.start("--local", "--gpu", "run", "true")
    assert clone.take_pip_calls() == []


# ---- which Python ----------------------------------------------------------------------------------------------------


@nowhere_else
def test_too_old_a_python_is_named(bare_clone: Clone) -> None:
    bare_clone.add_python(bare_clone.bin / "python3", "3 9 18 common venv")
    bare_clone.add_python(bare_clone.bin / "python", "2 7 18 common bare")
    answer = bare_clone.start("--local", "run", "true")
    assert answer.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13 and found 3.9.18 (" in answer.stderr
    assert "2.7.18" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


@nowhere_else
def test_no_python_at_all(bare_clone: Clone) -> None:
    answer = bare_clone.start("--local", "run", "true")
    assert answer.returncode == 1
    assert "found none: install one" in answer.stderr


@nowhere_else
@pytest.mark.parametrize("answer", ["3 14 0 common venv", "3 12 1 special venv"])
def test_a_python_without_packages_is_not_taken(bare_clone: Clone, answer: str) -> None:
    bare_clone.add_python(bare_clone.bin / "python3", answer)
    assert bare_clone.start("--local", "run", "true").returncode == 1


@nowhere_else
def test_debian_without_the_venv_package(bare_clone: Clone) -> None:
    bare_clone.add_python(bare_clone.bin / "python3", "3 13 5 common bare")
    answer = bare_clone.start("--local", "run", "true")
    assert answer.returncode == 1
    assert "sudo apt install python3.13-venv" in answer.stderr


def test_a_second_python_on_the_path_is_found(bare_clone: Clone) -> None:
    bare_clone.add_python(bare_clone.bin / "python3", "3 9 18 common venv")
    bare_clone.add_python(bare_clone.bin / "python3.13", "3 13 0 common venv")
    assert bare_clone.start("--local", "run", "true").returncode == 0
    assert f"{bare_clone.bin}/python3.13 -m venv {bare_clone.root}/.venv" in bare_clone.take_calls()


@nowhere_else
@pytest.mark.parametrize("with_variable", [False, True])
def test_pyenv_is_looked_into_when_its_shim_fails(bare_clone: Clone, with_variable: bool) -> None:
    shim = bare_clone.bin / "python3"
    shim.write_text("#!/usr/bin/env bash\necho \"pyenv: version '3.12' is not installed\" >&2\nexit 127\n")
    shim.chmod(0o755)
    pyenv = bare_clone.home / ("elsewhere" if with_variable else ".pyenv")
    bare_clone.add_python(pyenv / "versions" / "3.9.18" / "bin" / "python", "3 9 18 common venv")
    bare_clone.add_python(pyenv / "versions" / "3.12.1" / "bin" / "python", "3 12 1 common venv")
    if with_variable:
        bare_clone.env["PYENV_ROOT"] = str(pyenv)
    assert bare_clone.start("--local", "run", "true").returncode == 0
    assert f"{pyenv}/versions/3.12.1/bin/python -m venv {bare_clone.root}/.venv" in bare_clone.take_calls()


def test_a_named_python_is_used_and_changed(clone: Clone) -> None:
    other = clone.home / "other python"
    clone.add_python(other, "3 12 1 common venv")
    clone.start("--local", "run", "true")
    clone.take_calls()
    assert clone.start("--local", "run", "true", WORKSHOP_PYTHON=str(other)).returncode == 0
    assert f"{other} -m venv {clone.root}/.venv" in clone.take_calls()
    clone.start("--local", "run", "true", WORKSHOP_PYTHON=str(other))
    assert clone.take_calls() == []


@pytest.mark.parametrize("name", ["/no/such/python", "nonsense"])
def test_a_named_python_that_does_not_run(clone: Clone, name: str) -> None:
    answer = clone.start("--local", "run", "true", WORKSHOP_PYTHON=name)
    assert answer.returncode == 1
    assert f"WORKSHOP_PYTHON is '{name}'" in answer.stderr


# ---- the set-up ------------------------------------------------------------------------------------------------------


def test_it_is_set_up_once(clone: Clone) -> None:
    assert clone.start("--local", "run", "true").returncode == 0
    calls = clone.take_calls()
    assert [call.count("-m pip") for call in calls if "-m pip" in call] == [1, 1]
    assert calls[-1] == "venv -m workshop.tunes"
    assert clone.start("--local", "run", "true").returncode == 0
    assert clone.take_calls() == []


def test_what_is_installed(clone: Clone) -> None:
    clone.start("--local", "run", "true")
    assert clone.take_pip_calls() == [PACKAGES, PROJECT]
    clone.start("--local", "test", "-k", "some words")
    assert clone.take_pip_calls() == [DEV]
    clone.start("--local", "test", "-k", "some words")
    assert clone.take_calls() == ["venv -m pytest -k some words"]


def test_a_changed_lock_is_noticed(clone: Clone) -> None:
    clone.start("--local", "test")
    clone.take_calls()
    (clone.root / "requirements" / "cpu.txt").write_text("# newer\n")
    clone.start("--local", "run", "true")
    assert clone.take_pip_calls() == [PACKAGES]
    (clone.root / "pyproject.toml").write_text("# another package\n")
    clone.start("--local", "run", "true")
    assert clone.take_pip_calls() == [PROJECT]
    (clone.root / "requirements" / "dev.txt").write_text("# newer\n")
    clone.start("--local", "run", "true")
    assert clone.take_pip_calls() == []
    clone.start("--local", "test")
    assert clone.take_pip_calls() == [DEV]


def test_a_moved_clone_is_set_up_again(clone: Clone) -> None:
    clone.start("--local", "run", "true")
    clone.take_calls()
    moved = clone.root.with_name("moved")
    clone.root.rename(moved)
    clone.root = moved
    answer = clone.start("--local", "run", "true")
    assert answer.returncode == 0
    assert "made again" in answer.stderr
    assert clone.take_pip_calls() == [PACKAGES, PROJECT]


def test_a_half_finished_install_goes_on(clone: Clone) -> None:
    clone.start("--local", "run", "true")
    clone.take_calls()
    (clone.root / "requirements" / "cpu.txt").write_text("# newer\n")
    clone.start("--local", "run", "true", STUB_PIP_SAYS="ERROR: something")
    # Back to the old lock: what is there is neither one nor the other.
    (clone.root / "requirements" / "cpu.txt").write_text("# cpu\n")
    clone.take_calls()
    assert clone.start("--local", "run", "true").returncode == 0
    assert clone.take_pip_calls() == [PACKAGES]


def test_a_half_made_environment_is_made_again(clone: Clone) -> None:
    answer = clone.start("--local", "run", "true", STUB_VENV_SAYS="Error: out of something")
    assert answer.returncode == 1
    assert "Making the environment failed" in answer.stderr
    assert "out of something" in answer.stderr
    assert clone.start("--local", "run", "true").returncode == 0


def test_a_folder_that_is_not_ours_is_left_alone(clone: Clone) -> None:
    theirs = clone.home / "precious"
    theirs.mkdir()
    (theirs / "song.txt").write_text("la")
    answer = clone.start("--local", "run", "true", WORKSHOP_VENV=str(theirs))
    assert answer.returncode == 1
    assert "was not made by start.sh" in answer.stderr
    assert [path.name for path in theirs.iterdir()] == ["song.txt"]


def test_the_environment_may_lie_elsewhere(clone: Clone) -> None:
    assert clone.start("--local", "run", "true", WORKSHOP_VENV="some env").returncode == 0
    assert (clone.home / "some env" / "bin" / "python").exists()
    assert not (clone.root / ".venv").exists()


@pytest.mark.parametrize(
    ("pip_says", "words"),
    [
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError'",
            "registry cannot be reached",
        ),
        ("ERROR: HTTPSConnectionPool: Read timed out.", "registry cannot be reached"),
        ("ERROR: [Errno 28] No space left on device", "the disk is full"),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE",
            "not the file that the lock names",
        ),
        ("ERROR: certificate verify failed: self-signed certificate", "PIP_CERT"),
        (
            "ERROR: No matching distribution found for tensorflow",
            "no package that fits this computer",
        ),
        ("ERROR: [Errno 13] Permission denied: 'x'", "cannot be written"),
        ("ERROR: a new kind of trouble", "put it right"),
    ],
)
def test_a_failed_install_is_explained_and_can_be_repeated(clone: Clone, pip_says: str, words: str) -> None:
    answer = clone.start("--local", "run", "true", STUB_PIP_SAYS=pip_says)
    assert answer.returncode == 1
    last = answer.stderr.splitlines()[-1]
    assert last.startswith("Installing the packages failed")
    assert words in last
    assert "start.sh: line" not in answer.stderr
    assert pip_says in (clone.root / ".workshop" / "install.log").read_text()
    assert not (clone.root / ".workshop" / "setup.lock").exists()
    clone.take_calls()
    assert clone.start("--local", "run", "true").returncode == 0
    assert clone.take_pip_calls() == [PACKAGES, PROJECT]


def test_without_a_terminal_a_set_up_is_a_few_lines_and_pip_speaks_to_the_log(clone: Clone) -> None:
    answer = clone.start("--local", "run", "true", STUB_PIP_WORDS="Collecting this\nCollecting that")
    assert "Collecting" not in answer.stderr + answer.stdout
    assert answer.stderr.splitlines() == [
        f"The environment lies in '{clone.root}/.venv', made with {clone.bin}/python3.",
        "Making the environment ...",
        "Installing the packages ...",
        "Installing the workshop itself ...",
        "Making the starter tunes and sounds ...",
        "Everything is set up.",
    ]
    assert sorted(path.name for path in (clone.root / ".workshop").iterdir()) == ["tunes"]


def test_in_a_terminal_one_line_says_how_many_packages_of_how_many(clone: Clone) -> None:
    if sys.platform != "win32":
        import pty

        (clone.root / "requirements" / "cpu.txt").write_text("a==1\nb==2 ; os_name == 'nt'\nc==3\nd==4\n")
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [str(clone.root / "start.sh"), "--local", "run", "true"],
            env={
                **clone.env,
                "STUB_PIP_WORDS": "Ignoring b: x\nCollecting a==1\nCollecting c==3",
                "STUB_PIP_SECONDS": "2",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        seen = b""
        while True:
            try:
                seen += os.read(master, 4096)
            except OSError:
                break
        os.close(master)
        assert process.wait(timeout=20) == 0
        assert re.search(rb"\rInstalling the packages: 2 of 3 fetched \(0 MB\), 0:0\d *\r", seen)
        assert b"Collecting" not in seen


MEASURES = """
ROOT="$1"; STATE="$1"; IMAGE=ml4music-workshop:cpu; ENGINE_LOG="$1/log"
. "$2/docker/progress.sh"
build_progress
"""


@pytest.mark.parametrize(
    ("says", "far"),
    [
        ("", ""),
        ("#3 [system 1/2] FROM x\n#4 [system 2/2] RUN apt-get\n#4 1.2 Get:1 y\n#3 [system 1/2] FROM x", "step 2 of 5"),
        ("#7 [cpu-packages 1/1] RUN pip\n#7 0.9 Collecting a==1 (from -r x)", "step 1 of 5, package 1 of 3"),
        (
            "#7 [cpu-packages 1/1] RUN pip\n#7 0.9 Ignoring b: no\n#7 1.0 Processing /x/a.whl",
            "step 1 of 5, package 1 of 2",
        ),
        (
            "#7 [c 1/1] RUN\n#7 1 Collecting a\n#7 2 Progress 5000000 of 30000000",
            "step 1 of 5, package 1 of 3 (5 of 30 MB)",
        ),
        ("#7 [c 1/1] RUN\n#7 1 Collecting a\n#7 2 Progress 500 of 3000", "step 1 of 5, package 1 of 3"),
        (
            "#7 [c 1/1] RUN\n#7 1 Collecting a\n#7 9 Installing collected packages: a, b",
            "step 1 of 5, unpacking 3 packages",
        ),
        ("#7 [c 1/1] RUN\n#7 99.5 Successfully installed a-1", "step 1 of 5, compiling the packages"),
        ("#7 [c 1/1] RUN\n#9 exporting to image\n#9 exporting layers", "step 1 of 5, writing the image"),
        ("STEP 2/9: RUN pip\nCollecting a==1 (from -r x)", "package 1 of 3"),
    ],
)
def test_how_far_a_build_is_is_read_from_its_log(tmp_path: Path, says: str, far: str) -> None:
    stages = (
        "FROM ${BASE} AS system",
        "RUN apt-get",
        "FROM system AS cpu-packages",
        "RUN pip",
        "FROM system AS gpu-packages",
    )
    stages += (
        "RUN pip",
        "RUN strip",
        "FROM system AS gpu",
        "COPY . /workshop",
        "FROM system AS cpu",
        "ENV A=1",
        "WORKDIR /x",
    )
    (tmp_path / "Dockerfile").write_text("\n".join((*stages, "COPY . /workshop")) + "\n")
    (tmp_path / "requirements").mkdir()
    for name, lock in (
        ("cpu", "a==1\nb==2 ; os_name == 'nt'\n"),
        ("test", "a==1\n"),
        ("docs", "c==3 \\\n    --hash=x\n"),
    ):
        (tmp_path / "requirements" / f"{name}.txt").write_text(lock)
    (tmp_path / "log").write_text(says + "\n")
    command = ["bash", "-euo", "pipefail", "-c", MEASURES, "bash", str(tmp_path), str(ROOT)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == far + "\n"


def test_missing_tunes_do_not_stop_anybody(clone: Clone) -> None:
    answer = clone.start("--local", "run", "true", STUB_TUNES_STATUS="1")
    assert answer.returncode == 0
    assert "could not all be made" in answer.stderr
    clone.take_calls()
    clone.start("--local", "run", "true")
    assert clone.take_calls() == ["venv -m workshop.tunes"]


@pytest.mark.parametrize("name", TUNES_MAKERS)
def test_tunes_are_made_again_when_what_makes_them_has_changed(clone: Clone, name: str) -> None:
    clone.start("--local", "run", "true")
    clone.take_calls()
    (clone.root / "workshop" / name).write_text("# newer\n")
    clone.start("--local", "run", "true")
    assert clone.take_calls() == ["venv -m workshop.tunes"]


def test_a_place_that_cannot_be_written(clone: Clone) -> None:
    (clone.root / ".workshop").write_text("a file where the folder should be")
    answer = clone.start("--local", "run", "true")
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"Cannot write in '{clone.root}': copy the workshop")
    assert len(answer.stderr.splitlines()) == 1


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(clone: Clone) -> None:
    clone.root.chmod(0o555)
    try:
        answer = clone.start("--local", "run", "true")
    finally:
        clone.root.chmod(0o755)
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"Cannot write in '{clone.root}': copy the workshop")


def test_two_at_once_set_up_once(clone: Clone) -> None:
    command = [str(clone.root / "start.sh"), "--local", "run", "true"]
    env = {**clone.env, "STUB_PIP_SECONDS": "1"}
    both = [subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    words = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert clone.take_pip_calls() == [PACKAGES, PROJECT]
    assert sum("is setting things up; waiting" in said for said in words) == 1


def test_the_lock_of_a_dead_process_is_taken_over(clone: Clone) -> None:
    with subprocess.Popen(["true"]) as dead:
        pass
    lock = clone.root / ".workshop" / "setup.lock"
    lock.mkdir(parents=True)
    (lock / "pid").write_text(f"{dead.pid}\n")
    assert clone.start("--local", "run", "true").returncode == 0
    assert not lock.exists()


def test_ctrl_c_during_the_install_leaves_no_lock(clone: Clone) -> None:
    process = subprocess.Popen(
        [str(clone.root / "start.sh"), "--local", "run", "true"],
        env={**clone.env, "STUB_PIP_SECONDS": "30"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 20
    while not (clone.calls_file.exists() and "-m pip" in clone.calls_file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    words = process.communicate(timeout=20)[1]
    assert process.returncode == 130
    assert "the next start goes on from here" in words
    assert not (clone.root / ".workshop" / "setup.lock").exists()


# ---- the verbs -------------------------------------------------------------------------------------------------------


def test_run_passes_everything_on(clone: Clone) -> None:
    script = clone.home / "show it"
    script.write_text('#!/usr/bin/env bash\nprintf "<%s>\\n" "$PWD" "$@"\nexit 7\n')
    script.chmod(0o755)
    clone.start("--local", "run", "true")
    answer = clone.start("--local", "run", "./show it", "two words", "", "*", "$HOME", cwd=clone.home)
    assert answer.returncode == 7
    assert answer.stdout.splitlines() == [
        f"<{clone.home}>",
        "<two words>",
        "<>",
        "<*>",
        "<$HOME>",
    ]
    assert answer.stderr == ""


def test_run_says_when_there_is_no_such_command(clone: Clone) -> None:
    answer = clone.start("--local", "run", "no-such-command")
    assert answer.returncode == 127
    assert answer.stderr.splitlines()[-1] == "There is no command 'no-such-command' in the environment or on your PATH."


def test_run_uses_the_environment(clone: Clone) -> None:
    clone.start("--local", "run", "true")
    show = 'echo "$VIRTUAL_ENV|${PATH%%:*}|$PYTHONUNBUFFERED|${PYTHONHOME-unset}"'
    answer = clone.start("--local", "run", "bash", "-c", show, PYTHONHOME="/wrong")
    assert answer.stdout.strip() == f"{clone.root}/.venv|{clone.root}/.venv/bin|1|unset"


def test_a_shell_without_a_terminal_reads_its_commands(clone: Clone) -> None:
    answer = clone.start("--local", stdin='echo "in $PWD"\nexit 5\n')
    assert answer.returncode == 5
    assert answer.stdout.splitlines() == [
        "TensorBoard for char_rnn  http://localhost:7006",
        f"in {clone.root}",
    ]


def test_a_shell_comes_even_if_tensorboard_does_not(clone: Clone) -> None:
    answer = clone.start("--local", stdin="echo here\n", STUB_START_STATUS="1")
    assert answer.returncode == 0
    assert answer.stdout.splitlines()[-1] == "here"


def test_a_shell_in_a_terminal_shows_where_it_is(clone: Clone) -> None:
    if sys.platform != "win32":
        import pty

        clone.start("--local", "run", "true")
        (clone.home / ".bashrc").write_text('PATH="/somewhere/first:$PATH"\nPS1="mine> "\n')
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [str(clone.root / "start.sh"), "--local"],
            env={**clone.env, "TERM": "dumb"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        os.write(master, b'echo "is <$PS1> <${PATH%%:*}> <$PWD>"; exit 4\n')
        seen = b""
        while b"is <(" not in seen or process.poll() is None:
            try:
                seen += os.read(master, 4096)
            except OSError:
                break
        os.close(master)
        assert process.wait(timeout=20) == 4
        assert f"is <(workshop) mine> > <{clone.root}/.venv/bin> <{clone.root}>" in seen.decode()


def test_the_demo_trains_generates_and_says_where_to_look(clone: Clone) -> None:
    answer = clone.start("--local", "demo", WORKSHOP_PORT_CHAR_RNN="7106")
    assert answer.returncode == 0
    calls = [call for call in clone.take_calls() if "sample.py" in call or "train.py" in call]
    assert calls == [
        "venv midi_rnn/sample.py --experiment_dir tunes --num_samples 1 --wav",
        "venv spectral_gan/sample.py --experiment_dir loops --walk 4",
        "venv char_rnn/sample.py --experiment_dir verse --length 150 --no_copy_check",
        "venv char_rnn/train.py --init_from verse --max_minutes 1 --message demo",
        "venv char_rnn/sample.py --experiment_dir char_rnn/experiments/01 --length 150",
    ]
    assert "la la la" in answer.stdout
    assert (clone.root / "char_rnn/experiments/01/samples/demo.txt").read_text() == "la la la\n"
    for words in (
        "data/generated/tunes and data/generated/loops",
        "char_rnn/experiments/01/samples/demo.txt",
        "http://localhost:7106",
        "./start.sh --local for a shell",
    ):
        assert words in answer.stdout


def test_without_a_terminal_the_demo_shows_a_few_lines_of_the_training(clone: Clone) -> None:
    steps = [f"step {number}/100  loss 1.0" for number in range(1, 21)]
    layers = "  softmax                 Dense          [T, B, 63]          24,255"
    says = ["data: 66 files", layers, *steps[:10], "held-out data: 3.0", "    | lo", "    | lo", *steps[10:]]
    says += ["held-out data: 2.0", "    | la", *["    | more"] * 5, "", "The experiment is in x"]
    answer = clone.start("--local", "demo", STUB_TRAIN_WORDS="\n".join(says))
    shown = answer.stderr.split("--message demo\n")[1].split("\nIt writes again")[0].splitlines()
    assert shown == [
        "data: 66 files",
        *(steps[0], steps[3], steps[15]),
        *("held-out data: 2.0", "    | la", "    | more", "    | more"),
        *("", "The experiment is in x"),
    ]
    assert clone.start("--local", "demo", STUB_TRAIN_STATUS="3").returncode == 3


def test_the_demo_can_be_short(clone: Clone) -> None:
    clone.start("--local", "demo", WORKSHOP_DEMO_SMOKE="1")
    assert "venv char_rnn/train.py --smoke" in clone.take_calls()


def test_the_doctor_and_stop_install_nothing(clone: Clone) -> None:
    answer = clone.start("--local", "doctor")
    assert answer.stdout.strip() == f"doctor with {clone.bin}/python3"
    assert "Nothing is set up yet" in clone.start("--local", "stop").stderr
    assert not clone.take_pip_calls()
    clone.start("--local", "run", "true")
    clone.take_calls()
    clone.start("--local", "doctor", "--help")
    clone.start("--local", "stop")
    assert clone.take_calls() == [
        "venv -m workshop.doctor --help",
        "venv -m workshop.services stop",
    ]


def test_the_lab_is_started_in_the_clone(clone: Clone) -> None:
    assert clone.start("--local", "lab").stdout.strip() == f"lab in {clone.root}"


def test_the_page_is_started_in_the_clone(clone: Clone) -> None:
    assert clone.start("--local", "play").stdout.strip() == f"play in {clone.root}"


def test_what_makes_the_tutorial_is_installed_on_its_first_use(clone: Clone) -> None:
    clone.start("--local", "run", "true")
    clone.take_calls()
    answer = clone.start("--local", "docs")
    assert answer.stdout.strip() == f"docs in {clone.root}"
    assert "Installing what makes the tutorial ..." in answer.stderr
    assert clone.take_pip_calls() == [DOCS]
    assert clone.start("--local", "docs").stdout.strip() == f"docs in {clone.root}"
    assert clone.take_calls() == ["venv -m workshop.services docs"]
    (clone.root / "requirements" / "docs.txt").write_text("# newer\n")
    assert clone.start("--local", "docs", STUB_PIP_SAYS="ERROR: Read timed out.").returncode == 1
    clone.take_calls()
    clone.start("--local", "run", "true")
    assert clone.take_pip_calls() == []
    clone.start("--local", "docs")
    assert clone.take_pip_calls() == [DOCS]


def test_the_live_room_is_installed_on_its_first_use_and_gets_what_follows(clone: Clone) -> None:
    clone.start("--local", "run", "true")
    clone.take_calls()
    answer = clone.start("--local", "live", "verse", "--seed", "3", cwd=clone.home)
    assert "Installing what OSC and the live room need ..." in answer.stderr
    assert clone.take_calls()[-1] == "venv -m live page verse --seed 3"
    for words in (["bench", "verse"], ["devices"], ["--help"]):
        clone.start("--local", "live", *words)
        assert clone.take_calls() == [f"venv -m live {' '.join(words)}"]
    clone.start("--local", "live")
    assert clone.take_calls() == ["venv -m live page"]


def test_osc_is_served_with_what_follows_and_where_answers_should_go(clone: Clone) -> None:
    assert "Installing what OSC and the live room need ..." in clone.start("--local", "osc", "verse").stderr
    assert clone.take_calls()[-1] == "venv -m workshop.osc verse"
    clone.start("--local", "osc", "verse", "--port", "9", WORKSHOP_ANSWER_TO="9001")
    assert clone.take_calls() == ["venv -m workshop.osc --answer_to 9001 verse --port 9"]


def test_an_application_is_made_without_the_container(clone: Clone) -> None:
    answer = clone.start("freeze", "spectral_gan/01", "--name", "beats", WORKSHOP_MODE="container")
    assert "Installing what makes an application ..." in answer.stderr
    assert clone.take_calls()[-1] == "venv -m workshop.freeze spectral_gan/01 --name beats"


def test_many_trainings_run_without_the_container(clone: Clone) -> None:
    answer = clone.start("sweep", "my plan.toml", "--jobs", "2", WORKSHOP_MODE="container")
    assert "Installing what many trainings need ..." in answer.stderr
    assert clone.take_calls()[-1] == "venv -m workshop.sweep --engine ray my plan.toml --jobs 2"


@pytest.mark.parametrize("verb", ["play", "check", "devices"])
def test_a_container_has_no_sound_devices(clone: Clone, verb: str) -> None:
    answer = clone.start("live", verb, WORKSHOP_IN_CONTAINER="1", VIRTUAL_ENV=str(clone.root / ".venv"))
    assert answer.returncode == 2
    assert f"'./start.sh --local live {verb}' without the container" in answer.stderr


# ---- the script itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "construct",
    [
        r"declare\s+-[A-Za-z]*A",
        r"\$\{\w+(,,|\^\^|,|\^)",
        r"readlink\s+-f",
        r"\brealpath\b",
        r"\b(mapfile|readarray)\b",
        r"\|&",
        r"&>>",
        r"\bcoproc\b",
        r"\$\{\w+@[QEPAa]\}",
        r"local\s+-n|declare\s+-n",
        r"wait\s+-n",
        r"sed\s+-i",
        r"grep\s+-P",
        r"\btimeout\b|\bsetsid\b|\bflock\b",
        r"\$EPOCH|\$\{EPOCH|printf '%\(",
        r"\beval\b",
    ],
)
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_start_sh_keeps_to_bash_3_2_and_to_tools_of_macos(script: Path, construct: str) -> None:
    code = [line for line in script.read_text().splitlines() if not line.lstrip().startswith("#")]
    assert not [line for line in code if re.search(construct, line)]


def test_start_sh_can_be_started() -> None:
    assert os.access(ROOT / "start.sh", os.X_OK)
    text = (ROOT / "start.sh").read_bytes()
    assert text.startswith(b"#!/usr/bin/env bash\n")
    assert b"\r" not in text


@pytest.mark.parametrize(
    ("failing", "status", "ending"),
    [
        ("nothing at all", 0, ".ci/run: all stages passed"),
        ("--local run ruff format --check .", 1, ".ci/run failed in: format"),
        ("--local test -m slow and not alone -n 2 --dist worksteal --durations 60", 1, ".ci/run failed in: slow tests"),
        ("--local test -m slow and alone", 1, ".ci/run failed in: slow tests, one at a time"),
        ("--local test --version", 1, "==== set-up failed (exit status 5)"),
    ],
)
def test_ci_runs_every_stage_and_names_those_that_failed(
    tmp_path: Path, failing: str, status: int, ending: str
) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    (tmp_path / "docker").mkdir()
    for name in ("start.sh", "docker/engine_for_tests.sh"):
        stub = tmp_path / name
        stub.write_text(f'#!/usr/bin/env bash\nif [ "$*" = "{failing}" ]; then exit 5; fi\n')
        stub.chmod(0o755)
    answer = subprocess.run([str(tmp_path / ".ci" / "run")], capture_output=True, text=True, check=False)
    assert answer.returncode == status
    assert answer.stdout.splitlines()[-1] == ending
