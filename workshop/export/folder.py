"""The folder of an exported network: model.onnx, model.json, README.txt, and play.py where that can let it generate."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workshop.errors import UserError
from workshop.export.graph import OPSET, Graph
from workshop.export.maker import Maker
from workshop.export.names import ABOUT, MODEL, PAGE_ABOUT, PLAYER, README, WEIGHTS
from workshop.export.step import Step
from workshop.files import atomic_write, explain
from workshop.run.trained import Trained

_README = """\
A network that was trained with the ml4music workshop and generates {kind}.

model.onnx   one step of the network in ONNX (opset {opset}), with weights of {weights}
model.json   what it is and what its symbols mean; the same is in model.onnx as metadata, each entry as JSON
play.py      lets it generate, with Python, numpy and onnxruntime alone:

    python -m pip install numpy onnxruntime
    python play.py --length 300

To use model.onnx in a program of your own, feed it symbol by symbol. Of B sequences side by side,

{inputs}

go in. Out come `logits` [batch, {symbols}] of the symbol that follows, and each state with `_next` behind its name, in
the same order, which goes in with the next symbol. At first all states are zero. Read the symbols of `warm_up` before
you let it generate, divide the logits by `temperature`, take the softmax, draw; symbols in `never` must not be drawn.
{source}"""

_README_OF_LOOPS = """\
A network that was trained with the ml4music workshop and makes loops of sound.

model.onnx   the network in ONNX (opset {opset}), with weights of {weights}
model.json   what it is and what comes out of it; the same is in model.onnx as metadata, each entry as JSON

The workshop plays it, and needs no TensorFlow for that:

    ./start.sh osc model.onnx

To use it in a program of your own, feed it `latent` [batch, {latent}], normally distributed random numbers. Out comes
`picture` [batch, {frames}, {bands}] of values from -1 to 1: {frames} frames of {bands} bands, the lowest first. -1 is
{floor:g} dB and 1 is {top:g} dB, 0 dB being the loudest sine. A picture goes round: it is a loop of {samples:,}
samples, {sample_rate:,} a second, which are {beats} beats at {bpm:g} a minute. workshop/audio/loop_spectrogram.py makes
sound of it, with NumPy alone.
{source}"""


def check(target: Path, overwrite: bool) -> None:
    """Refuse a folder that holds something already.

    Raises:
        UserError: it does, or it is no folder.
    """
    try:
        if target.exists() and not target.is_dir():
            raise UserError(f"--to {target} is a file: name a folder")
        held = {path.name for path in target.iterdir()} if target.is_dir() else set()
    except OSError as error:
        raise UserError(f"--to {target} cannot be used: {explain(error, target)}; name another folder") from error
    if held & {MODEL, WEIGHTS} and not overwrite:
        raise UserError(f"--to {target} holds an export already: add --overwrite to replace it, or name another folder")
    if held and not held & {MODEL, WEIGHTS}:
        raise UserError(f"--to {target} holds something else than an export already: name another folder")


class Export:
    """A trained network as the content of files.

    Args:
        net: the network.
        exported: what its lesson says of it.
        half: store weights as float16.

    Raises:
        UserError: the network has a layer that the export does not know.
    """

    def __init__(self, net: Trained, exported: Step | Maker, half: bool):
        self.about = about(net, exported, "float16" if half else "float32")
        self._graph = Graph(half)
        exported.add(self._graph)
        #: Whether `play.py` can let it generate.
        self.has_player = isinstance(exported, Step)
        #: That of model.onnx.
        self.content = self._graph.model({name: json.dumps(value) for name, value in self.about.items()})

    def write(self, target: Path) -> list[Path]:
        """Write all files and return their paths; see `write`."""
        contents = {
            MODEL: self.content,
            ABOUT: json.dumps(self.about, indent=1).encode(),
            README: self._readme().encode(),
        }
        if self.has_player:
            contents[PLAYER] = Path(__file__).with_name(PLAYER).read_bytes()
        return write(target, contents)

    def _readme(self) -> str:
        source = f"\nWhere it comes from:\n\n{self.about['source']}" if "source" in self.about else ""
        words = {**self.about, "source": source, "opset": OPSET}
        if not self.has_player:
            return _README_OF_LOOPS.format(**words)
        inputs = [f"{name:20} [{', '.join(map(str, shape))}] {kind}" for name, shape, kind in self._graph.signature]
        words |= {"inputs": "\n".join(f"    {line}" for line in inputs), "symbols": self._graph.symbols}
        return _README.format(**words)


def write(target: Path, contents: dict[str, bytes]) -> list[Path]:
    """Write files into a folder, each in place of an earlier one, and return their paths.

    Raises:
        UserError: the folder cannot be written.
    """
    for name, content in contents.items():
        try:
            target.mkdir(parents=True, exist_ok=True)
            with atomic_write(target / name) as file:
                file.write(content)
        except OSError as error:
            reason = explain(error, target)
            raise UserError(f"{target / name} cannot be written: {reason}; name another folder") from error
    return [target / name for name in contents]


def page_files() -> list[Path]:
    """The files that each page has, as they are."""
    return sorted(Path(__file__).with_name("page").iterdir())


def remove_others(target: Path, written: Sequence[Path]) -> None:
    """Delete what an earlier export has left in a folder besides the files that were written now.

    Raises:
        UserError: it cannot be deleted.
    """
    for name in (MODEL, ABOUT, README, PLAYER, PAGE_ABOUT, WEIGHTS, *(file.name for file in page_files())):
        if target / name not in written:
            try:
                (target / name).unlink(missing_ok=True)
            except OSError as error:
                reason = explain(error, target)
                raise UserError(f"{target / name}, of an earlier export, cannot be deleted: {reason}") from error


def about(net: Trained, exported: Step | Maker, weights: str) -> dict[str, Any]:
    """What is said of a network; no path of this computer is in it.

    Raises:
        UserError: the file that says where its data comes from cannot be read.
    """
    record, source = net.experiment.record, net.experiment.path / "SOURCE.txt"
    facts: dict[str, Any] = {
        "format": 1,
        "name": net.experiment.path.name,
        "lesson": net.lesson.name,
        "message": record.message,
        "trained": record.created,
        "checkpoint": net.checkpoint.stem,
        "step": net.step,
        "network": record.network,
        "weights": weights,
        "temperature": net.temperature,
        "data_fingerprint": record.data["fingerprint"],
        "versions": record.versions,
    }
    if source.is_file():
        try:
            facts["source"] = source.read_text("utf-8", errors="replace")
        except OSError as error:
            raise UserError(f"{source} cannot be read: {explain(error, source)}") from error
    return facts | exported.meaning
