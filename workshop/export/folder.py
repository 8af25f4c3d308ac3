"""The folder of an exported network: model.onnx, model.json, play.py and README.txt."""

import json
from pathlib import Path
from typing import Any

from workshop.errors import UserError
from workshop.export.graph import OPSET, Graph
from workshop.export.step import Step
from workshop.files import atomic_write, explain
from workshop.run.trained import Trained

#: What an export writes. play.py is that of this room.
MODEL, ABOUT, PLAYER, README = "model.onnx", "model.json", "play.py", "README.txt"

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


def check(target: Path, overwrite: bool) -> None:
    """Refuse a folder that holds something already.

    Raises:
        UserError: it does, or it is no folder.
    """
    try:
        if target.exists() and not target.is_dir():
            raise UserError(f"--to {target} is a file: name a folder")
        filled = target.is_dir() and any(target.iterdir())
    except OSError as error:
        raise UserError(f"--to {target} cannot be used: {explain(error, target)}; name another folder") from error
    if filled and not (overwrite and (target / MODEL).is_file()):
        cure = "add --overwrite to replace it" if (target / MODEL).is_file() else "name a new one"
        held = "an export" if (target / MODEL).is_file() else "something else than an export"
        raise UserError(f"--to {target} holds {held} already: {cure}, or name another folder")


class Export:
    """A trained network as the content of files.

    Args:
        net: the network.
        step: what its lesson says of it.
        half: store weights as float16.

    Raises:
        UserError: the network has a layer that the export does not know.
    """

    def __init__(self, net: Trained, step: Step, half: bool):
        self.about = _about(net, step, half)
        self._graph = Graph(half)
        step.add(self._graph)
        #: That of model.onnx.
        self.content = self._graph.model({name: json.dumps(value) for name, value in self.about.items()})

    def write(self, target: Path) -> list[Path]:
        """Write all files, each in place of an earlier one, and return their paths.

        Raises:
            UserError: the folder cannot be written.
        """
        contents = {
            MODEL: self.content,
            ABOUT: json.dumps(self.about, indent=1).encode(),
            PLAYER: Path(__file__).with_name(PLAYER).read_bytes(),
            README: self._readme().encode(),
        }
        for name, content in contents.items():
            try:
                target.mkdir(parents=True, exist_ok=True)
                with atomic_write(target / name) as file:
                    file.write(content)
            except OSError as error:
                reason = explain(error, target)
                raise UserError(f"{target / name} cannot be written: {reason}; name another folder") from error
        return [target / name for name in contents]

    def _readme(self) -> str:
        inputs = [f"{name:20} [{', '.join(map(str, shape))}] {kind}" for name, shape, kind in self._graph.signature]
        source = f"\nWhere it comes from:\n\n{self.about['source']}" if "source" in self.about else ""
        words = {**self.about, "source": source, "inputs": "\n".join(f"    {line}" for line in inputs)}
        return _README.format(**{**words, "opset": OPSET, "symbols": self._graph.symbols})


def _about(net: Trained, step: Step, half: bool) -> dict[str, Any]:
    """What is said of a network; no path of this computer is in it."""
    record, source = net.experiment.record, net.experiment.path / "SOURCE.txt"
    about: dict[str, Any] = {
        "format": 1,
        "name": net.experiment.path.name,
        "lesson": net.lesson.name,
        "message": record.message,
        "trained": record.created,
        "step": net.step,
        "network": record.network,
        "weights": "float16" if half else "float32",
        "temperature": net.temperature,
        "data_fingerprint": record.data["fingerprint"],
        "versions": record.versions,
    }
    if source.is_file():
        about["source"] = source.read_text("utf-8")
    return about | step.meaning
