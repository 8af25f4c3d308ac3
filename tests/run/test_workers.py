"""Data-parallel training: two workers are as good as one process, stop together, and none outlives another."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import char_rnn.train
import spectral_gan.train
from workshop import ROOT
from workshop.errors import UserError
from workshop.run import checkpoint, cluster, line
from workshop.run.cluster import Place
from workshop.run.team import check_divisible

PAIR = ["127.0.0.1:5001", "127.0.0.1:5002"]
#: So soon the others have to end when one has died.
SECONDS = 30


def config(index: int, workers: list[str] = PAIR, kind: str = "worker") -> str:
    return json.dumps({"cluster": {"worker": workers}, "task": {"type": kind, "index": index}})


# ---- who is who


def test_the_environment_says_which_worker_this_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", config(1, ["a:5000", "b:5000", "a:5002"]))
    place = cluster.place(None)
    assert place == Place(("a:5000", "b:5000", "a:5002"), 1)
    assert place.meeting == ("a", 5001)
    assert place.neighbours == [1]
    assert Place(place.addresses, 2).neighbours == [0, 2]
    assert cluster.place(3) == place
    assert cluster.place(1) is None
    with pytest.raises(UserError, match="--workers 2 contradicts TF_CONFIG, which names 3"):
        cluster.place(2)


def test_a_chief_is_the_first_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    named = {"cluster": {"chief": ["a:1"], "worker": ["b:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(named))
    assert cluster.place(None) == Place(("a:1", "b:1"), 1)


@pytest.mark.parametrize(
    "given",
    [
        "{", "[]", config(2), config(0, kind="ps"), config(0, ["no port"]), '{"cluster": {}, "task": {}}',
        config(0, ["a:65535", "b:1"]), config(1, ["a:1", "b:99999"]), config(0, ["a:0", "b:1"]),
    ],
)  # fmt: skip
def test_an_environment_that_makes_no_sense_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", given)
    with pytest.raises(UserError, match="TF_CONFIG is not valid"):
        cluster.place(None)


def test_one_worker_is_a_process_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", config(0, PAIR[:1]))
    assert cluster.place(None) is None
    monkeypatch.delenv("TF_CONFIG")
    assert cluster.place(None) is None
    assert cluster.place(1) is None


def test_typed_workers_have_ports_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    place = cluster.place(4)
    assert place
    assert place.is_typed
    assert place.neighbours == [0, 1, 2, 3]
    ports = [int(address.rsplit(":", 1)[1]) for address in place.addresses]
    assert len({*ports, *(port + 1 for port in ports)}) == 8
    monkeypatch.setenv("TF_CONFIG", place.config(3))
    assert cluster.place(4) == Place(place.addresses, 3)


@pytest.mark.parametrize(("size", "near"), [(4, "48 or 52"), (64, "64")])
def test_a_batch_is_divided_evenly(size: int, near: str) -> None:
    check_divisible(50, 5)
    with pytest.raises(UserError, match=f"a batch of 50 .* among {size} workers: give --batch_size {near}$"):
        check_divisible(50, size)


def test_what_cannot_be_divided_is_refused_at_once(refused: Callable[..., str], tiny_text: Path) -> None:
    said = refused(char_rnn.train, "--data_dir", tiny_text, "--workers", "3", "--batch_size", "20")
    assert "a batch of 20" in said
    assert "spectral_gan is trained by one process" in refused(spectral_gan.train, "--workers", "2")


def test_each_worker_has_its_part_of_a_batch() -> None:
    """Sequences are the last dimension of inputs, conditions among them, and the second of targets."""
    from workshop.run.workers import Workers

    samples, labels = np.arange(5 * 8).reshape(5, 8), np.arange(8)
    targets = np.arange(5 * 8 * 3).reshape(5, 8, 3)
    places = [Place(("a:1", "b:1", "c:1", "d:1"), rank) for rank in range(4)]
    parts = [Workers(char_rnn.train.LESSON, place).part(((samples, labels), targets)) for place in places]
    assert [part[0][0].shape for part in parts] == [(5, 2)] * 4
    np.testing.assert_array_equal(np.concatenate([part[0][0] for part in parts], 1), samples)
    np.testing.assert_array_equal(np.concatenate([part[0][1] for part in parts]), labels)
    np.testing.assert_array_equal(np.concatenate([part[1] for part in parts], 1), targets)
    (inputs, _) = Workers(char_rnn.train.LESSON, places[3]).part((samples, targets))
    np.testing.assert_array_equal(inputs, samples[:, 6:])


# ---- the line between them


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ranks whose end has ended this process, which goes on all the same."""
    ranks: list[int] = []
    monkeypatch.setattr(line, "GRACE_SECONDS", 0)
    monkeypatch.setattr(line.Line, "end", lambda self, rank: ranks.append(rank))
    return ranks


@contextlib.contextmanager
def lines(size: int) -> Iterator[list[line.Line]]:
    """So many workers that have met, all in this process."""
    place = cluster.place(size)
    assert place
    found = [line.Line(Place(place.addresses, rank), str, lambda: None) for rank in range(size)]
    server = found[0].listen()
    others = [threading.Thread(target=one.come) for one in found[1:]]
    for thread in others:
        thread.start()
    found[0].wait_for_all(server, lambda: "")
    for thread in others:
        thread.join(10)
    yield found
    for one in found:
        one.close()
    wait_for(lambda: not any(thread.name.startswith("worker ") for thread in threading.enumerate()))


def wait_for(what: Callable[[], Any]) -> None:
    end = time.monotonic() + 10
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_who_is_gone_is_noticed_by_the_first(ended: list[int]) -> None:
    with lines(3) as (first, second, third):
        first.tell({"experiment": "01"})
        assert second.heard() == third.heard() == {"experiment": "01"}
        third.close()
        wait_for(lambda: ended)
        assert ended == [2]


def test_without_the_first_all_end(ended: list[int]) -> None:
    with lines(3) as (first, *_):
        first.close()
        wait_for(lambda: len(ended) == 2)
        assert ended == [0, 0]


def test_nobody_is_missed_who_has_said_that_all_is_done(ended: list[int]) -> None:
    with lines(2) as (first, second):
        second.part()
        second.close()
        first.part()
        first.close()
        time.sleep(0.1)
        assert ended == []


def test_a_stranger_at_the_port_is_sent_away(ended: list[int]) -> None:
    place = cluster.place(2)
    assert place
    first, second = (line.Line(Place(place.addresses, rank), str, lambda: None) for rank in range(2))
    server = first.listen()
    for said in (b"GET / HTTP/1.1\r\n", b'{"rank": 5}\n', b'{"rank": "x"}\n', b"\n"):
        with line.socket.create_connection(place.meeting) as stranger:
            stranger.sendall(said)
    thread = threading.Thread(target=second.come)
    thread.start()
    first.wait_for_all(server, lambda: "")
    thread.join(10)
    assert not thread.is_alive()
    assert ended == []
    first.close()
    second.close()
    wait_for(lambda: not any(t.name.startswith("worker ") for t in threading.enumerate()))


def test_who_does_not_come_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "PATIENCE_MINUTES", 0)
    place = cluster.place(3)
    assert place
    first = line.Line(place, str, lambda: None)
    with pytest.raises(UserError, match="worker 2, 3 of 3 has not come"):
        first.wait_for_all(first.listen(), lambda: "")
    with pytest.raises(UserError, match="it broke"):
        first.wait_for_all(first.listen(), lambda: "it broke")
    with pytest.raises(UserError, match="worker 1 of 3 cannot be reached"):
        line.Line(Place(("127.0.0.1:9", *place.addresses[1:]), 1), str, lambda: None).come()


# ---- training


@pytest.fixture
def command(tiny_text: Path, tiny_arguments: list[str]) -> list[str]:
    """Trains without dropout, three epochs of 44 steps, with a checkpoint every 20."""
    script = str(ROOT / "char_rnn" / "train.py")
    short = ["--dropout", "0", "--num_epochs", "3"]
    return [sys.executable, script, "--data_dir", str(tiny_text), *tiny_arguments, *short]


def start(command: list[str], *more: str | Path, index: int | None = None, at: Place | None = None) -> Any:
    environment = {**os.environ, "TF_CONFIG": at.config(index)} if at and index is not None else None
    return subprocess.Popen([*command, *map(str, more)], stdout=-1, stderr=-1, text=True, env=environment)


def finished(process: Any) -> tuple[str, str]:
    try:
        out, err = process.communicate(timeout=200)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert "Traceback" not in err
    return out, err


def until(process: Any, said: str) -> None:
    """Read what it says up to a line that begins so."""
    for text in process.stderr:
        if text.startswith(said):
            return
    raise AssertionError("it has ended")


def content(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    arrays, meta = checkpoint.load(path / "checkpoints" / "latest.npz")
    meta.pop("minutes")
    return arrays, meta


def losses(path: Path) -> list[float]:
    return [measured["validation"] for measured in json.loads((path / "run.json").read_text("utf-8"))["history"]]


@pytest.mark.slow
def test_two_workers_equal_one_process_and_go_on_exactly(
    command: list[str], tmp_path: Path, run_main: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    alone, straight, stopped, fewer = (tmp_path / name for name in ("alone", "straight", "stopped", "fewer"))
    done = run_main(char_rnn.train, *command[2:], "--experiment_dir", alone)
    assert done.returncode == 0, done.stderr

    process = start(command, "--workers", "2", "--experiment_dir", straight)
    _, err = finished(process)
    assert process.returncode == 0, err
    np.testing.assert_allclose(losses(straight), losses(alone), rtol=1e-4)
    assert len(losses(alone)) > 6
    arrays, meta = content(straight)
    assert meta["step"] == 132
    assert {name: array.shape for name, array in arrays.items()} == {
        name: array.shape for name, array in content(alone)[0].items()
    }
    assert sorted(path.name for path in straight.iterdir()) == sorted(path.name for path in alone.iterdir())
    assert json.loads((straight / "run.json").read_text("utf-8"))["arguments"]["workers"] == 2

    # Ctrl-C, to the first alone: all stop after the same step.
    process = start(command, "--workers", "2", "--experiment_dir", stopped)
    until(process, "held-out data:")
    (other,) = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGINT)
    out, _ = finished(process)
    assert process.returncode == 130
    assert not other.is_running()
    assert "--resume --experiment_dir" in out
    assert json.loads((stopped / "run.json").read_text("utf-8"))["status"] == "stopped"
    reached = content(stopped)[1]["step"]
    assert 0 < reached < 132
    assert not list(stopped.rglob(".*.part"))
    shutil.copytree(stopped, fewer)

    process = start(command[:2], "--resume", "--workers", "2", "--experiment_dir", stopped)
    _, err = finished(process)
    assert process.returncode == 0, err
    (again, again_meta), (expected, expected_meta) = content(stopped), content(straight)
    assert again_meta == expected_meta
    assert {name: array.tobytes() for name, array in again.items()} == {
        name: array.tobytes() for name, array in expected.items()
    }

    # With another number of workers it goes on where it was.
    done = run_main(char_rnn.train, "--resume", "--experiment_dir", fewer)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(losses(fewer), losses(straight), rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_worker_that_is_killed_ends_the_other(rank: int, command: list[str], tmp_path: Path) -> None:
    path = tmp_path / "run"
    process = start(command, "--num_epochs", "100000", "--workers", "2", "--experiment_dir", path)
    until(process, "held-out data:")
    (other,) = psutil.Process(process.pid).children()
    began = time.monotonic()
    (process if rank == 0 else other).kill()
    if rank == 0:
        psutil.wait_procs([other], SECONDS)
        process.communicate()
    else:
        _, err = finished(process)
        assert process.returncode == line.LOST
        assert "error: worker 2 of 2 was ended by signal 9" in err
        assert "error: worker 2 of 2 was ended by signal 9" in (path / "log.txt").read_text("utf-8")
    assert not other.is_running()
    assert time.monotonic() - began < SECONDS
    assert content(path)[1]["step"] >= 20


@pytest.mark.slow
def test_workers_end_together_where_the_loss_is_no_number_any_more(command: list[str], tmp_path: Path) -> None:
    process = start(command, "--learning_rate", "3e38", "--workers", "2", "--experiment_dir", tmp_path / "run")
    until(process, "compiling the network")
    (other,) = psutil.Process(process.pid).children()
    _, err = finished(process)
    assert process.returncode == 2
    assert err.count("error: ") == err.count("error: the loss is not a number any more after step ") == 1
    assert not other.is_running()
    info = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    assert info["status"] == "failed: the loss was not a number"


@pytest.mark.slow
def test_workers_that_were_started_by_others_compare_their_data(command: list[str], tmp_path: Path) -> None:
    place = cluster.place(2)
    assert place
    (tmp_path / "input.txt").write_text("another text, " * 1000, "utf-8")
    first = start(command, "--experiment_dir", tmp_path / "run", at=place, index=0)
    second = start(command, "--data_dir", tmp_path / "input.txt", at=place, index=1)
    _, err = finished(second)
    assert second.returncode == 2
    assert "error: worker 2 of 2 has other data than worker 1" in err
    _, err = finished(first)
    assert first.returncode == line.LOST
    assert "error: worker 2 of 2 is gone" in err
