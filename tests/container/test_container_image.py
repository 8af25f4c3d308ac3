"""What is in the image, and that it works alone, without the clone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from containers import Engine, Workshop, get, until
from free_ports import free_port

pytestmark = pytest.mark.container

MAX_BYTES = 2_100_000_000

NEEDLESS = """
set -u
for program in cc gcc g++ ld strip make git; do command -v "$program"; done
packages="$(echo /opt/venv/lib/python3*/site-packages)"
ls -d "$packages/tensorflow/include" "$packages/numba/tests" /root/.cache/pip /var/lib/apt/lists/*_Packages* 2>/dev/null
find /workshop -name .git -o -name experiments -o -name .workshop
true
"""


@pytest.fixture
def alone(engine: Engine, image: str) -> Iterator[tuple[str, int]]:
    """A container of the image alone, run by a user that it does not know, and the port of its JupyterLab."""
    port = free_port()
    container = engine.docker("run", "--detach", "--user", "4321:4321", "--publish", f"127.0.0.1:{port}:8888", image)
    yield container.strip(), port
    engine.docker("rm", "--force", container.strip())


def test_the_image_is_small(engine: Engine, image: str, capsys: pytest.CaptureFixture[str]) -> None:
    size = int(engine.docker("image", "inspect", "--format", "{{.Size}}", image))
    with capsys.disabled():
        print(f"\n{image}: {size / 1e9:.2f} GB")
    assert size < MAX_BYTES


def test_it_holds_nothing_that_no_run_needs(engine: Engine, image: str) -> None:
    # As root, who sees everything.
    assert engine.docker("run", "--rm", "--user", "0", image, "bash", "-c", NEEDLESS) == ""


def test_the_packages_fit_together(engine: Engine, image: str) -> None:
    assert "No broken requirements" in engine.docker("run", "--rm", image, "pip", "check")


def test_it_is_not_root_unless_told(engine: Engine, image: str) -> None:
    assert engine.docker("run", "--rm", image, "id", "--user").strip() == "1000"


def test_it_works_alone_and_for_any_user(engine: Engine, alone: tuple[str, int]) -> None:
    container, port = alone
    until(lambda: engine.inspect(container, "{{.State.Health.Status}}") == "healthy", "its health", 180)
    assert get(port, "/api")[0] == 200
    site = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:7000').status)"
    assert engine.docker("exec", "--env", "no_proxy=127.0.0.1", container, "python", "-c", site) == "200\n"
    train = ["python", "char_rnn/train.py", "--smoke"]
    assert "to go on:" in engine.docker("exec", container, *train)
    engine.docker("exec", container, "python", "-c", "import matplotlib.pyplot, numba, music21, soundfile")


def test_it_ends_with_what_was_asked_for(engine: Engine, image: str) -> None:
    assert engine.docker("run", "--rm", image, "python", "-c", "print(6 * 7)") == "42\n"
    engine.docker("run", "--rm", image, "python", "-c", "raise SystemExit(3)", status=3)


def test_a_login_shell_such_as_jupyterlabs_terminals_are_has_the_same_python(engine: Engine, image: str) -> None:
    assert engine.docker("run", "--rm", image, "bash", "-lc", "command -v python") == "/opt/venv/bin/python\n"


def test_somebody_elses_folder_is_one_sentence(engine: Engine, image: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    said = engine.docker("run", "--rm", "--user", "4321", "--volume", f"{tmp_path}:/workshop", image, status=1)
    assert "User 4321 cannot write in the workshop's folder" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("profile", [(), ("--profile", "gpu")], ids=["cpu", "gpu"])
def test_compose_understands_its_file(stopped_workshop: Workshop, profile: tuple[str, ...]) -> None:
    for composer in stopped_workshop.composers:
        told = stopped_workshop.run(*composer, *profile, "config", cwd=stopped_workshop.clone)
        assert "  workshop:\n" in told
        assert not profile or ("  workshop-gpu:\n" in told and "nvidia" in told)
        for port in stopped_workshop.ports.values():
            assert str(port) in told


def test_one_variable_opens_it_to_others(stopped_workshop: Workshop) -> None:
    for composer in stopped_workshop.composers:
        usual = stopped_workshop.run(*composer, "config", cwd=stopped_workshop.clone)
        assert "127.0.0.1" in usual
        assert "0.0.0.0" not in usual
        opened = Engine({**stopped_workshop.env, "WORKSHOP_BIND": "0.0.0.0"})
        told = opened.run(*composer, "config", cwd=stopped_workshop.clone)
        assert "0.0.0.0" in told
        # OSC stays on this computer: nobody is asked for a password there.
        assert told.count("127.0.0.1") == told.count("udp") > 0
