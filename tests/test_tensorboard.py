"""TensorBoard, really started, shows a run's curves and texts."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workshop.services import Server, tensorboard_command

ORDERS = [f"baseline/order_{n}" for n in range(1, 7)]


@pytest.fixture(scope="module")
def experiments(
    tiny_text: Path,
    tiny_arguments: list[str],
    tmp_path_factory: pytest.TempPathFactory,
    run_script: Callable[..., subprocess.CompletedProcess[str]],
) -> Path:
    """A lesson's folder with an experiment of a smoke run."""
    lesson = tmp_path_factory.mktemp("lesson") / "char_rnn"
    place = ["--data_dir", tiny_text, "--experiment_dir", lesson / "experiments" / "01"]
    small = tiny_arguments[: tiny_arguments.index("--sample_every")]  # with the previews of a smoke run
    done = run_script("char_rnn/train.py", "--smoke", *place, *small)
    assert done.returncode == 0, done.stderr
    return lesson


@pytest.fixture(scope="module")
def tensorboard(experiments: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a TensorBoard, started with the command that ./start.sh uses, that watches the lesson's folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("tensorboard") / "log"
    with open(log, "wb") as file:
        process = subprocess.Popen(
            tensorboard_command(Server("char_rnn", "127.0.0.1", port), experiments), stdout=file, stderr=file,
            env={**os.environ, "TMPDIR": str(log.parent)},
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            try:
                if len(ask(address, "scalars/tags")) == 8:
                    break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def ask(address: str, what: str, **parameters: str) -> Any:
    query = urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(f"{address}/data/plugin/{what}?{query}", timeout=10) as answer:
        return json.load(answer)


def points(address: str, curve: str, tag: str) -> list[tuple[int, float]]:
    """(step, value) of a curve."""
    answer = ask(address, "scalars/scalars", run=f"experiments/01/tensorboard/{curve}", tag=tag)
    return [(step, value) for _, step, value in answer]


def test_network_and_baselines_share_a_chart(tensorboard: str) -> None:
    tags = ask(tensorboard, "scalars/tags")
    assert set(tags) == {f"experiments/01/tensorboard/{curve}" for curve in ("train", "validation", *ORDERS)}
    assert all({"loss/nats", "loss/bits"} <= set(of_a_run) for of_a_run in tags.values())


def test_the_values_are_those_of_run_json(tensorboard: str, experiments: Path) -> None:
    info = json.loads((experiments / "experiments" / "01" / "run.json").read_text("utf-8"))
    measured = points(tensorboard, "validation", "loss/nats")
    assert measured == [(info["step"], pytest.approx(info["best"]["validation"], rel=1e-5))]
    for order, loss in info["baseline"].items():
        line = points(tensorboard, f"baseline/order_{order}", "loss/nats")
        assert [step for step, _ in line] == [0, info["step"]], "a level line as long as the curves"
        assert [value for _, value in line] == pytest.approx([loss, loss], rel=1e-5)
    training = points(tensorboard, "train", "loss/nats")
    assert [step for step, _ in training] == [1, 10, 20]
    bits = points(tensorboard, "train", "loss/bits")
    assert [value for _, value in bits] == pytest.approx([value / np.log(2) for _, value in training], rel=1e-5)


def test_the_previews_can_be_read(tensorboard: str, experiments: Path) -> None:
    run = "experiments/01/tensorboard/train"
    assert ask(tensorboard, "text/tags") == {run: ["preview"]}
    shown = ask(tensorboard, "text/text", run=run, tag="preview")
    samples = sorted((experiments / "experiments" / "01" / "samples").iterdir())
    assert [f"step_{text['step']:06d}.txt" for text in shown] == [sample.name for sample in samples]
    assert len(samples) == 2
    for text, sample in zip(shown, samples, strict=True):
        # As code, so that Markdown takes nothing in it for a heading or a list.
        assert "<code>" in text["text"]
        words = max(sample.read_text("utf-8").split(), key=lambda word: word.isalpha() * len(word))
        assert words in text["text"]


def test_it_is_gone_when_it_is_ended(tmp_path: Path) -> None:
    """The command starts one process, not a family: ending it frees the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = tensorboard_command(Server("char_rnn", "127.0.0.1", port), tmp_path)
    assert command[0] == sys.executable
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            assert time.monotonic() < deadline
            try:
                assert ask(f"http://127.0.0.1:{port}", "scalars/tags") == {}
                break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
    finally:
        process.terminate()
        process.wait(20)
    with pytest.raises(urllib.error.URLError):
        ask(f"http://127.0.0.1:{port}", "scalars/tags")
