"""docker/try_arm64.sh lets each lesson train and sample, with stubs of what would take hours."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from workshop import ROOT
from workshop.host.ports import TENSORBOARD_PORTS


@pytest.mark.parametrize(
    ("asked", "tried", "broken", "status"),
    [
        ([], [".", *TENSORBOARD_PORTS], "nothing", 0),
        (["wavenet", "char_rnn"], ["wavenet", "char_rnn"], "nothing", 0),
        (["wavenet", "char_rnn"], ["wavenet"], "wavenet", 5),
    ],
)
def test_lessons_are_tried_on_arm64(
    asked: list[str], tried: list[str], broken: str, status: int, tmp_path: Path
) -> None:
    stubs, log = tmp_path / "stubs", tmp_path / "log"
    for name in ("docker/try_arm64.sh", "docker/engine_for_tests.sh", "stubs/docker", "stubs/uv", "stubs/python"):
        stub = tmp_path / name
        stub.parent.mkdir(exist_ok=True)
        stub.write_text("#!/usr/bin/env bash\n")
        stub.chmod(0o755)
    shutil.copy(ROOT / "docker" / "try_arm64.sh", tmp_path / "docker")
    with (stubs / "docker").open("a") as stub_of_docker:
        stub_of_docker.write(f'echo "$*" >>{log}\nif [[ "$*" == *"/workshop/{broken} "* ]]; then exit 5; fi\n')
    shutil.copy(ROOT / "Dockerfile", tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "catalog.toml").touch()
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "data"], cwd=tmp_path, check=True)
    answer = subprocess.run(
        [str(tmp_path / "docker" / "try_arm64.sh"), *asked],
        env={**os.environ, "PATH": f"{stubs}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == status, answer.stderr
    asked_of_docker = log.read_text().splitlines()
    assert all("--platform linux/arm64" in command for command in asked_of_docker)
    images = [command.split("--tag ")[1].split()[0] for command in asked_of_docker if command.startswith("build ")]
    assert images == ["ml4music-packages:arm64-installer", "ml4music-packages:arm64", "ml4music-workshop:arm64"]
    runs = [command for command in asked_of_docker if command.startswith("run ")]
    assert all(" ml4music-workshop:arm64 " in run for run in runs)
    folders = [command.split("--workdir /workshop/")[1].split()[0] for command in runs]
    assert sorted(folders) == sorted(tried)
    assert all(
        "train.py --smoke && python sample.py" in run
        for run, folder in zip(runs, folders, strict=True)
        if folder != "."
    )
    assert not list(tmp_path.glob("tmp.*"))  # it leaves no packages lying
