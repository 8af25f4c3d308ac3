"""The file readers under test, each with its fuzzed cases.

A module of its own for each kind, so that none loads what it does not need.
"""

from importlib import import_module
from pathlib import Path

from fuzz import Reader

#: In which module a reader stands, as a function of its own name.
READERS = {
    "text": "music", "abc": "music", "midi": "music", "audio": "music",
    "recordings": "music",
    "conditions": "records", "vocabulary": "records", "catalogue": "records", "manifest": "records",
    "checkpoints": "checkpoints",
    "download": "servers", "download_many": "servers",
    "raises": "mistakes", "writes": "mistakes", "removes": "mistakes", "starts": "mistakes", "hides": "mistakes",
    "dawdles": "mistakes", "hangs": "mistakes", "grows": "mistakes",
    "osc": "osc", "onnx_loops": "osc",
    "run_char": "runs", "run_midi": "runs", "run_wavenet": "runs",
}  # fmt: skip


def reader(name: str, scratch: Path) -> Reader:
    """The reader of that name; what it makes once for all cases goes into the folder `scratch`."""
    made: Reader = getattr(import_module(f"foreign.{READERS[name]}"), name)(scratch)
    return made
