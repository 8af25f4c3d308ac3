"""What TensorBoard reads of a run, read back with TensorBoard's own reader."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from workshop.run.board import BIT, DESCRIPTIONS, TensorBoardWriter


def read(folder: Path) -> EventAccumulator:
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return events


def curve(events: EventAccumulator, tag: str) -> list[tuple[int, float]]:
    return [(event.step, float(tf.make_ndarray(event.tensor_proto))) for event in events.Tensors(tag)]


def test_curves_share_their_tags_and_have_a_folder_each(tmp_path: Path) -> None:
    board = TensorBoardWriter(tmp_path)
    for step, loss in ((1, 3.0), (10, 2.5)):
        board.loss("train", loss, step)
    board.loss("validation", 2.75, 10)
    board.loss("baseline/order_5", 1.5, 0)
    board.more("validation", "accuracy", 0.25, 10)
    board.flush()
    for name, points in (
        ("train", [(1, 3.0), (10, 2.5)]),
        ("validation", [(10, 2.75)]),
        ("baseline/order_5", [(0, 1.5)]),
    ):
        events = read(tmp_path / name)
        more = ["more/accuracy"] if name == "validation" else []
        assert sorted(events.Tags()["tensors"]) == ["loss in bits", "loss/nats", *more]
        assert curve(events, "loss/nats") == points
        bits = curve(events, "loss in bits")
        assert [step for step, _ in bits] == [step for step, _ in points]
        assert [value for _, value in bits] == pytest.approx([loss / np.log(2) for _, loss in points])


def test_the_charts_of_the_loss_are_the_first_two_groups() -> None:
    """TensorBoard opens the first two in the order of the alphabet, and collapses what comes after them."""
    groups = sorted({tag.partition("/")[0] for tag in [*DESCRIPTIONS, "preview/text"]})
    assert groups == ["loss", "loss in bits", "more", "preview"]


def test_a_chart_says_what_it_shows(tmp_path: Path) -> None:
    board = TensorBoardWriter(tmp_path)
    board.more("validation", "accuracy", 0.25, 10)
    board.more("train", "notes a second", 1000.0, 10)
    board.flush()
    events = read(tmp_path / "validation")
    assert curve(events, "more/accuracy") == [(10, 0.25)]
    assert "accuracy" in events.SummaryMetadata("more/accuracy").summary_description
    assert curve(read(tmp_path / "train"), "more/notes a second") == [(10, 1000.0)]


def test_a_bit_is_a_coin() -> None:
    assert pytest.approx(1.0) == np.log(2) / BIT


def test_texts_are_there(tmp_path: Path) -> None:
    board = TensorBoardWriter(tmp_path)
    board.text("preview", "    Ümläut ♪\n    la", 4)
    board.flush()
    events = read(tmp_path / "train")
    (text,) = events.Tensors("preview/text_summary") if "preview/text_summary" in events.Tags()["tensors"] else (
        events.Tensors("preview")
    )  # fmt: skip
    assert text.step == 4
    assert tf.make_ndarray(text.tensor_proto).item().decode() == "    Ümläut ♪\n    la"


def test_a_resumed_run_goes_on_in_the_same_curve(tmp_path: Path) -> None:
    for step in (1, 2):
        board = TensorBoardWriter(tmp_path)
        board.loss("train", float(step), step)
        board.flush()
    assert curve(read(tmp_path / "train"), "loss/nats") == [(1, 1.0), (2, 2.0)]


def test_names_and_texts_that_are_no_text_are_written(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9 \n\x1b[31m")
    board = TensorBoardWriter(folder)
    board.text("preview", "la \udcff la", 1)
    board.flush()
    (event,) = read(Path(shutil.copytree(folder, tmp_path / "copy")) / "train").Tensors("preview")
    assert tf.make_ndarray(event.tensor_proto).item() == b"la ? la"
