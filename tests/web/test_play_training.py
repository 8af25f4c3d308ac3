"""A training that the page starts, watches and stops, with a `train.py` that learns nothing but behaves like one."""

import asyncio
import errno
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from clocks import set_forward
from playing import Page, visiting

from workshop.errors import UserError
from workshop.run import trainings
from workshop.web import training
from workshop.web.training import Trainer, command_for, last_preview

#: Trains as the name of its data folder says.
TRAIN = """
import fcntl, json, os, pathlib, shutil, sys, time
words = sys.argv
named = lambda name: pathlib.Path(words[words.index(name) + 1])
data, folder = named("--data_dir"), named("--experiment_dir")
root = pathlib.Path(words[0]).parent.parent
(root / "asked.json").write_text(json.dumps(words[1:]))
print("reading the data")
if data.name == "bad":
    sys.exit("error: there is nothing to learn from; put some texts there")
if data.name == "crash":
    sys.exit(1)
if data.name == "reading":
    time.sleep(60)
(folder / "checkpoints").mkdir(parents=True)
(folder / "samples").mkdir()
lock = os.open(folder / "checkpoints", os.O_RDONLY)
fcntl.flock(lock, fcntl.LOCK_EX)
shutil.copy(root / "char_rnn/experiments/01/run.json", folder / "being written")
os.replace(folder / "being written", folder / "run.json")
(folder / "checkpoints/latest.npz").touch()
for step in (200, 1200):
    (folder / f"samples/step_{step:06d}.txt").write_text(f"la {step}\\x1b[2J")
entries = root / ".workshop/trainings"
entries.mkdir(parents=True, exist_ok=True)
about = dict(experiment=str(folder), pid=os.getpid(), host="here", in_container=False, since="2026-11-29")
(entries / "1.json").write_text(json.dumps(about))
print("step 50  loss 1.500\\n    | la la", flush=True)
end = time.monotonic() + 20
while not (entries / "1.stop").exists() and time.monotonic() < end:
    time.sleep(0.01)
"""


@pytest.fixture
def train_clone(play_clone: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A clone in which lesson 1 has data to train on, and such a `train.py`."""
    (play_clone / "char_rnn" / "train.py").write_text(TRAIN)
    for name in ("starter", "bad", "crash", "reading", "mine"):
        (play_clone / "data" / "lyrics" / name).mkdir(parents=True)
    monkeypatch.setattr(trainings, "FOLDER", play_clone / ".workshop" / "trainings")
    yield play_clone
    (play_clone / ".workshop" / "trainings").mkdir(parents=True, exist_ok=True)
    (play_clone / ".workshop" / "trainings" / "1.stop").touch()
    ended(Trainer())


def fields(data: str = "mine", **others: Any) -> dict[str, Any]:
    return {"lesson": "char_rnn", "data": f"data/lyrics/{data}", "minutes": "5", "size": "tiny", **others}


def until(trainer: Trainer, there: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    deadline = time.monotonic() + 15
    while not there(state := trainer.state()):
        assert time.monotonic() < deadline, state
        time.sleep(0.01)
    return state


def learning(trainer: Trainer) -> dict[str, Any]:
    return until(trainer, lambda state: "step 50" in state["said"])


def ended(trainer: Trainer) -> dict[str, Any]:
    return until(trainer, lambda state: state["phase"] != "running")


def test_it_is_started_watched_and_stopped(train_clone: Path) -> None:
    trainer = Trainer()
    assert trainer.state() == {"phase": "none", "others": []}
    trainer.start(fields())
    state = learning(trainer)
    assert (state["phase"], state["experiment"], state["data"]) == (
        "running",
        "char_rnn/experiments/04",
        "data/lyrics/mine",
    )
    assert (state["loss"], state["ngram"], state["order"], state["step"]) == (1.5, 1.8, "5", 50)
    assert state["preview"] == {"step": 1200, "formats": ["txt"], "text": "la 1200\\x1b[2J"}
    assert state["others"] == []
    with pytest.raises(UserError, match="one at a time"):
        trainer.start(fields())
    trainer.stop()
    state = ended(trainer)
    assert (state["problem"], state["is_stopped"]) == ("", True)
    with pytest.raises(UserError, match="no training of the page is running"):
        trainer.stop()
    asked = json.loads((train_clone / "asked.json").read_text())
    assert asked[:2] == ["--data_dir", str(train_clone / "data/lyrics/mine")]
    assert asked[asked.index("--max_minutes") + 1 :][:1] == ["5"]
    assert asked[-2:] == ["--size", "tiny"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is damaged: it is not valid JSON"),
        ('{"lesson": "../secret"}', "is an experiment of '../secret', which is no lesson"),
        ('{"lesson": "char_rnn"}', "has the format None"),
    ],
)
def test_a_damaged_run_json_is_said_where_the_training_is(train_clone: Path, content: str, problem: str) -> None:
    trainer = Trainer()
    trainer.start(fields())
    (train_clone / learning(trainer)["experiment"] / "run.json").write_text(content)
    said = trainer.state()["problem"]
    trainer.stop()
    ended(trainer)
    assert problem in said


def test_another_server_finds_it_again(train_clone: Path) -> None:
    """The first one is as good as gone: the second knows only what lies on the disk."""
    first, second = Trainer(), Trainer()
    first.start(fields())
    learning(second)
    with pytest.raises(UserError, match="one at a time"):
        second.start(fields())
    second.stop()
    assert ended(second)["problem"] == ""
    assert ended(first)["phase"] == "ended"


def test_of_two_servers_that_start_one_at_the_same_moment_one_does(
    train_clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Trainer(), Trainer()
    first.start(fields("reading"))
    memory = (train_clone / ".workshop" / "page_training.json").read_text()
    monkeypatch.setattr(second, "_runs", lambda begun: False)  # it has looked before the first one had begun
    with pytest.raises(UserError, match="one at a time"):
        second.start(fields())
    assert (train_clone / ".workshop" / "page_training.json").read_text() == memory
    first.stop()
    assert ended(first)["problem"] == ""


def test_one_that_is_still_reading_just_ends(train_clone: Path) -> None:
    trainer = Trainer()
    trainer.start(fields("reading"))
    trainer.stop()
    assert ended(trainer)["problem"] == ""


def test_one_that_is_still_reading_elsewhere_cannot_be_asked_yet(train_clone: Path) -> None:
    """In the container there are other numbers of processes."""
    trainer = Trainer()
    trainer.start(fields("reading"))
    memory = train_clone / ".workshop" / "page_training.json"
    content = json.loads(memory.read_text())
    memory.write_text(json.dumps(content | {"born": content["born"] - 1}))
    with pytest.raises(UserError, match="still reading"):
        Trainer().stop()
    trainer.stop()
    assert ended(trainer)["problem"] == ""


def test_without_file_locks_a_new_server_finds_it_and_stops_it(
    train_clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    trainer = Trainer()
    trainer.start(fields("reading"))
    restarted = Trainer()
    assert restarted.state()["phase"] == "running"
    with pytest.raises(UserError, match="one at a time"):
        restarted.start(fields())
    restarted.stop()
    assert ended(restarted)["problem"] == ""
    assert ended(trainer)["phase"] == "ended"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep the time at which a process began")
def test_a_training_is_found_again_after_the_clock_was_set(train_clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainings, "is_locked", lambda place: False)
    trainer = Trainer()
    trainer.start(fields("reading"))
    set_forward(monkeypatch)
    assert Trainer().state()["phase"] == "running"
    trainer.stop()
    assert ended(trainer)["problem"] == ""


@pytest.mark.parametrize("pid", [1, -5, 1 << 40, "1", None, 2.5])
def test_another_process_is_not_taken_for_the_training(train_clone: Path, pid: Any) -> None:
    memory = train_clone / ".workshop" / "page_training.json"
    memory.parent.mkdir()
    memory.write_text(json.dumps({"experiment": "char_rnn/experiments/04", "data": "", "pid": pid, "born": "x"}))
    assert Trainer().state()["phase"] == "ended"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("bad", "there is nothing to learn from; put some texts there"),
        ("crash", "the training has ended before it had learnt anything: .workshop/page_training.log says more"),
    ],
)
def test_why_it_failed_is_one_sentence(train_clone: Path, data: str, problem: str) -> None:
    trainer = Trainer()
    trainer.start(fields(data))
    assert ended(trainer)["problem"] == problem


def test_a_trained_network_decides_the_size(train_clone: Path) -> None:
    words, begun = command_for(fields(init_from="pretrained/char_rnn/verse"))
    assert words[-2:] == ["--init_from", str(train_clone / "pretrained/char_rnn/verse")]
    assert "--size" not in words
    assert begun.experiment == "char_rnn/experiments/04"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"lesson": "../secret"}, "lesson: there is no '../secret'"),
        ({"data": "../secret"}, "data: there is no 'data/lyrics/../secret'"),
        ({"data": "data/lyrics/../../../secret"}, "data: there is no"),
        ({"data": "data/lyrics/linked"}, "data: there is no"),
        ({"minutes": ""}, "minutes: '' is not a number above 0"),
        ({"minutes": "241"}, "minutes: the page trains for at most 240"),
        ({"minutes": "nan"}, "minutes: 'nan' is not a number above 0"),
        ({"size": "--resume"}, "size: there is no '--resume'"),
        ({"init_from": "wavenet/experiments/01"}, "init_from: there is no"),
        ({"init_from": "../secret"}, "init_from: there is no"),
        ({"experiment_dir": "x"}, "a training from the page has the settings"),
        ({"size": 5}, "a training from the page has the settings"),
    ],
)
def test_only_what_is_offered_is_started(train_clone: Path, values: dict[str, Any], sentence: str) -> None:
    (train_clone / "data" / "lyrics" / "linked").symlink_to(train_clone.parent / "secret")
    trainer = Trainer()
    with pytest.raises(UserError) as error:
        trainer.start(fields(**values))
    assert str(error.value).startswith(sentence)
    assert trainer.state()["phase"] == "none"
    assert not (train_clone / "asked.json").exists()


@pytest.mark.parametrize(
    "memory",
    [
        {},
        {"experiment": "../secret", "data": ""},
        {"experiment": "char_rnn/experiments/../..", "data": ""},
        [],
        {"x": 1},
    ],
)
def test_a_memory_that_names_something_else_is_none(train_clone: Path, memory: Any) -> None:
    (train_clone / ".workshop").mkdir()
    (train_clone / ".workshop" / "page_training.json").write_text(json.dumps(memory))
    assert Trainer().state()["phase"] == "none"
    with pytest.raises(UserError, match="no preview yet"):
        Trainer().preview("wav")


def test_the_last_preview_is_that_of_the_highest_step(tmp_path: Path) -> None:
    samples = tmp_path / "samples"
    samples.mkdir()
    for name in (
        "step_000900.wav",
        "step_001000_b.wav",
        "step_001000_a.wav",
        "step_001000_a.png",
        "step_x.wav",
        "notes",
    ):
        (samples / name).touch()
    (samples / "step_999999.wav").symlink_to("/dev/zero")
    found = {suffix: file.name for suffix, file in last_preview(tmp_path).items()}
    assert found == {"wav": "step_001000_a.wav", "png": "step_001000_a.png"}
    assert last_preview(tmp_path / "nothing") == {}


def test_the_page_asks_for_it_and_strangers_cannot(train_clone: Path) -> None:
    async def visit(page: Page) -> None:
        own = {"Origin": f"http://{page.host}"}

        async def ask(path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
            answer = await page.ask(path, method="POST", body=body, headers={**own, **headers})
            return answer.code, json.loads(answer.body) if answer.code == 200 else answer.body.decode()

        body = json.dumps(fields()).encode()
        for headers in ({"Cookie": ""}, {"Origin": "http://evil.example"}, {"Host": "evil.example"}):
            for path in ("training/start", "training/stop"):
                assert (await ask(path, body, **headers))[0] == 403
        assert (await page.ask("training", headers={"Cookie": ""})).code == 403
        assert not (train_clone / "asked.json").exists()
        for wrong in (b"", b"[]", b"[" * 9999):
            assert (await ask("training/start", wrong))[0] == 400
        assert await ask("training/stop") == (
            400,
            "no training of the page is running; reload the page to see what is there\n",
        )
        assert (await ask("training/start", body))[1]["phase"] == "running"
        while "step 50" not in (state := json.loads((await page.ask("training")).body))["said"]:
            await asyncio.sleep(0.01)
        assert state["loss"] == 1.5
        shutil.copy(train_clone / "asked.json", train_clone / state["experiment"] / "samples" / "step_001200.wav")
        preview = await page.ask("training/preview.wav")
        assert (preview.code, preview.headers["Content-Type"], preview.body[:2]) == (200, "audio/wav", b'["')
        assert (await page.ask("training/preview.png")).code == 400
        assert (await page.ask("training/preview.txt")).code == 404
        assert (await ask("training/stop"))[0] == 200
        while json.loads((await page.ask("training")).body)["phase"] == "running":
            await asyncio.sleep(0.01)
        offered = {one["name"]: one for one in json.loads((await page.ask("listing")).body)["lessons"]}
        assert offered["char_rnn"]["data"][0] == "data/lyrics/starter"
        assert offered["char_rnn"]["sizes"] == ["tiny", "small", "medium", "large"]

    visiting(visit)


def test_a_process_that_cannot_be_started_is_one_sentence(train_clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training.sys, "executable", str(train_clone / "no python"))
    with pytest.raises(UserError, match="the training cannot be started: no such file"):
        Trainer().start(fields())
    assert sys.executable
