"""Every page is followed, command by command, in a copy of the workshop; see pages.py for what a page can say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pages import blocks, broken_links, follow

from workshop import ROOT
from workshop.host.ports import TENSORBOARD_PORTS

READMES = [ROOT / "README.md", *(ROOT / lesson / "README.md" for lesson in TENSORBOARD_PORTS)]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [*READMES, *DOCS]
LINKED = [
    *PAGES,
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    ROOT / "CHANGELOG.md",
    ROOT / "benchmarks" / "README.md",
]


#: The blocks that no test executes: page, and what is typed first. Each gives its reason in the page.
NOT_RUN = {
    ("README.md", "./start.sh demo"),
    ("README.md", "./start.sh test"),
    ("char_rnn/README.md", "python -m workshop.datasets inspect ../data/lyrics/YOURDATA"),
    ("midi_rnn/README.md", "python -m workshop.datasets inspect ../data/midi/YOURDATA"),
    ("wavenet/README.md", "python train.py --data_dir ../data/audio/YOURDATA --silence_threshold -40"),
    ("docs/00-before-the-class.md", "./start.sh demo"),
    ("docs/00-before-the-class.md", "./start.sh docs"),
    ("docs/00-before-the-class.md", "./start.sh doctor"),
    ("docs/00-before-the-class.md", "./start.sh"),
    ("docs/00-before-the-class.md", "python -m workshop.datasets get nottingham"),
    ("docs/00-before-the-class.md", "python char_rnn/train.py --help"),
    ("docs/03-sound.md", "python -m workshop.datasets inspect ../data/audio/ME"),
    (
        "audio_rnn/README.md",
        "python session.py ../data/audio/starter/flute/0001_harringtons_hall_jig.wav --model-name hall",
    ),
    (
        "docs/08-memory.md",
        "python session.py ../data/audio/starter/flute/0001_harringtons_hall_jig.wav --model-name hall",
    ),
    ("docs/08-memory.md", "python session.py hall"),
    ("docs/concert.md", "python -m workshop.concert page program.toml --out concert.html"),
    ("docs/concert.md", "python -m workshop.concert listen pairs.toml"),
    ("docs/class-on-a-server.md", "WORKSHOP_BIND=0.0.0.0 ./start.sh class"),
    ("docs/class-on-a-server.md", "WORKSHOP_CLASS_SIGN_IN=accounts WORKSHOP_BIND=0.0.0.0 ./start.sh class"),
    ("docs/live.md", "./start.sh live tunes"),
    ("spectral_gan/README.md", "python train.py"),
    ("docs/osc.md", "./start.sh osc verse tunes"),
    ("docs/osc.md", "./start.sh osc"),
    ("docs/osc.md", "./start.sh osc generator.onnx --power 3 --beats 8"),
    ("docs/export.md", "python -m workshop.export spectral_gan/01 --to my_loops"),
    ("docs/application.md", "./start.sh freeze spectral_gan/01 --name beats"),
    (
        "docs/application.md",
        'codesign --deep --force --options runtime --timestamp --sign "Developer ID Application: NAME" beats/beats',
    ),
    ("docs/application.md", "py -3.12 -m venv .venv-freeze"),
    (
        "docs/application.md",
        r"signtool sign /fd SHA256 /tr http://timestamp.digicert.com /td SHA256 beats\beats.exe",
    ),
    ("docs/player.md", "./start.sh player spectral_gan/01"),
    ("docs/player.md", "docker save ml4music-workshop:player --output player.tar"),
    ("docs/player.md", "mkdir -p loops"),
    ("docs/playing.md", "./start.sh play"),
    ("docs/playing.md", "python -m workshop.play --base_url /user/ada/play/ --allow_host hub.school.example"),
    ("docs/reliability.md", "cd char_rnn"),
    ("docs/sweeps.md", "python -m workshop.sweep docs/plans/dropout.toml --folder /media/lab/dropout"),
    ("docs/sweeps.md", "./start.sh sweep docs/plans/dropout.toml --folder dropout_by_ray"),
    ("docs/sweeps.md", "python -m workshop.sweep docs/plans/dropout.toml --engine ray --address 10.0.0.1:6379"),
    ("docs/workers.md", 'workers=\'"10.0.0.1:5000", "10.0.0.2:5000"\''),
    ("docs/workers.md", "srun --ntasks-per-node=1 bash -c '"),
    ("docs/teachers-guide.md", "./start.sh save workshop.tar.gz"),
    ("docs/teachers-guide.md", "./start.sh load workshop.tar.gz"),
    (
        "docs/teachers-guide.md",
        "./start.sh run python -m workshop.datasets mirror /media/stick/sets nottingham tinyshakespeare",
    ),
    ("docs/teachers-guide.md", "./start.sh run python -m workshop.datasets get nottingham --mirror /media/stick/sets"),
    ("docs/troubleshooting.md", "./start.sh doctor"),
}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_there_is_something_to_follow() -> None:
    assert len(DOCS) >= 3
    assert all(page.is_file() for page in READMES)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_page_can_be_followed(page: Path, tree: Path, home: Path, warm: str) -> None:
    follow(tree / named(page), tree, home, warm)


@pytest.mark.long
def test_the_pages_can_be_followed_one_after_the_other(tree: Path, home: Path) -> None:
    """In the order of the index, after the demo, each command in a Python that loads all by itself."""
    lesson = tree / "char_rnn"
    demo = [sys.executable, "train.py", "--smoke", "--size", "tiny"]
    subprocess.run(demo, cwd=lesson, env={**os.environ, "PYTHONPATH": str(tree)}, check=True, capture_output=True)
    index = tree / "docs" / "index.md"
    links = re.findall(r"\]\(([\w-]+\.md)\)", index.read_text("utf-8"))
    pages = [index, *(index.with_name(link) for link in dict.fromkeys(links))]
    assert {page.name for page in pages} == {page.name for page in DOCS}
    for page in pages:
        assert follow(page, tree, home) == tree, f"{page.name} ends elsewhere than it began"


@pytest.mark.parametrize("page", LINKED, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page) == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_are_blocks_that_say_what_they_give(page: Path) -> None:
    assert isinstance(blocks(page.read_text("utf-8")), list)


def test_what_is_not_executed_is_known() -> None:
    found = {(named(page), block) for page in PAGES for block in _not_run(page)}
    assert found == NOT_RUN


def _not_run(page: Path) -> list[str]:
    return [block.commands.splitlines()[0] for block in blocks(page.read_text("utf-8")) if block.not_run]
