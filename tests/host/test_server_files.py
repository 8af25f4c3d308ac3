"""What the shell and Docker know of the servers is what the lessons say; a new lesson needs nothing but its folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workshop import ROOT
from workshop.host import server_files
from workshop.host.ports import OSC_PORT
from workshop.lessons import Lesson, lessons, of_kind
from workshop.osc.settings import ANSWER_TO

TOY = """
from workshop.lessons import Lesson

LESSON = Lesson(
    name="toy_rnn", title="toys", port=7012, kind="text", unit="toys", starter="data/lyrics/starter",
    network=("rnn_size", "num_layers", "cell", "dropout"),
    sizes={"tiny": dict(rnn_size=8, num_layers=1, cell="gru", dropout=0.0)}, size="tiny",
    size_words="{num_layers} x {rnn_size} toys", fixed=(), speeds={"tiny": 1}, step=1,
)
"""
TRAIN = """
from toy_rnn.lesson import LESSON
from workshop.run import arguments

arguments.train_parser("Learn toys.", LESSON).read()
"""


@pytest.mark.parametrize("path", server_files.files(), ids=lambda path: path.name)
def test_the_files_are_up_to_date(path: Path) -> None:
    assert path.read_text("utf-8") == server_files.files()[path], "run python -m workshop.server_files"


def test_every_lesson_has_a_port_and_a_starter_set_of_its_own() -> None:
    names = ["char_rnn", "midi_rnn", "wavenet", "audio_rnn", "spectral_rnn", "spectral_gan"]
    assert [lesson.name for lesson in lessons()] == names
    assert len({lesson.port for lesson in lessons()}) == len(lessons())
    for lesson in lessons():
        assert lesson.size in lesson.sizes
        assert lesson.sizes.keys() == lesson.speeds.keys()
        assert all({*lesson.network} <= parts.keys() for parts in lesson.sizes.values())
        assert lesson.folder == ROOT / lesson.name


def test_the_ports_of_osc_are_the_same_in_all_doors() -> None:
    shells = {name: (ROOT / name).read_text("utf-8") for name in ("docker/host.sh", "start.ps1", "start.sh")}
    heard = ANSWER_TO.rpartition(":")[2]
    assert f"\nOSC_PORT={OSC_PORT} " in shells["docker/host.sh"]
    assert f"\nANSWER_TO={heard} " in shells["docker/host.sh"]
    assert f"$OscPort = {OSC_PORT}\n" in shells["start.ps1"]
    assert f"$AnswerTo = {heard}\n" in shells["start.ps1"]
    assert f"(default {OSC_PORT})" in shells["start.sh"]
    assert f"(default {heard})" in shells["start.sh"]


def test_the_first_lesson_of_a_kind_is_found() -> None:
    lesson = of_kind("MIDI")
    assert isinstance(lesson, Lesson)
    assert lesson.name == "midi_rnn"
    assert of_kind("smells") is None


@pytest.mark.slow
def test_a_new_lesson_is_known_everywhere(tree: Path) -> None:
    (tree / "toy_rnn").mkdir()
    for name, text in (("__init__.py", ""), ("lesson.py", TOY), ("train.py", TRAIN)):
        (tree / "toy_rnn" / name).write_text(text, "utf-8")

    def python(*command: str, cwd: Path = tree) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(tree)}
        return subprocess.run(
            [sys.executable, *command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )

    shown = python("train.py", "--help", cwd=tree / "toy_rnn")
    assert "tiny = 1 x 8 toys" in " ".join(shown.stdout.split()), shown.stderr
    # Links of the tree's own to the real files: what is written goes to new ones.
    assert python("-m", "workshop.server_files").stdout.count(": written") == 2
    assert "toy_rnn 7012 TensorBoard for toy_rnn\n" in (tree / "docker" / "servers.txt").read_text("utf-8")
    compose = (tree / "docker-compose.yml").read_text("utf-8")
    assert '    - "${WORKSHOP_BIND:-127.0.0.1}:${WORKSHOP_PORT_TOY_RNN:-7012}:7012"\n' in compose
    assert "      7012:${WORKSHOP_PORT_TOY_RNN:-7012}\n" in compose
    code = "from workshop.host import doctor; print(*(finding.text for finding in doctor.check_ports()))"
    assert "TensorBoard for toy_rnn" in python("-c", code).stdout
    assert python("train.py", cwd=tree).stderr.count("toy_rnn/train.py") == 1
    assert "toy_rnn" not in (ROOT / "docker" / "servers.txt").read_text("utf-8")
