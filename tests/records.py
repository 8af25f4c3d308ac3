"""The entries of a run.json that are the same in many tests."""

import json
from typing import Any, TypeVar

import msgspec

from workshop.run.record import DataInfo, Sampling

Info = TypeVar("Info", bound=DataInfo)

DATA = DataInfo(
    path="songs", fingerprint="abc", files=1, used=1, skipped=0, duplicate_files=0, symbols=(90, 10)
)  # fmt: skip


def entries(**given: Any) -> dict[str, Any]:
    """What `experiment.create` wants, with those that are given."""
    plain = {"network": {}, "arguments": {}, "baseline": {}, "sampling": Sampling(1.0), "message": ""}
    return {**plain, "data": json.loads(msgspec.json.encode(DATA)), **given}


def kept_in_json(facts: Info) -> Info:
    """What becomes of facts that are written to run.json and read again."""
    return msgspec.convert(json.loads(json.dumps(msgspec.to_builtins(facts), allow_nan=False)), type(facts))
