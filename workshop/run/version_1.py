"""Experiments whose run.json has version 1 of its layout, as the present one."""

from typing import Any

from workshop.checks import MAX_WHOLE
from workshop.places import found
from workshop.run import record

#: The version that is brought to the present one.
FORMAT = 1

#: Arguments that the first ones do not have, and what they stood for in them.
_ADDED = {"keep_every": None, "network": "default"}
#: Entries that have another name now: those of the data.
_RENAMED = {
    "set_aside": "skipped", "samples": "symbols", "portrait": "summary",
    "seen": "allowed_symbols", "lead_in": "warm_up",
}  # fmt: skip


def upgraded(info: dict[str, Any]) -> dict[str, Any]:
    """What a run.json of version 1 says, in version 2.

    Args:
        info: its content. Parts that are missing or of another kind stay so, and are found by the check that follows.
    """
    parts = {name: dict(info[name]) for name in ("arguments", "network", "data") if isinstance(info.get(name), dict)}
    arguments, network, data = (parts.get(name, {}) for name in ("arguments", "network", "data"))
    # The one seed is the argument.
    network.pop("seed", None)
    typed_path = arguments.pop("data_dir", None)
    # A message given to --resume changed the argument alone.
    message = arguments.pop("message", None) or info.get("message") or ""
    # The first experiments have the argument as it was typed, and the whole path in the description of the data.
    paths = [path for path in (data.get("path"), typed_path) if isinstance(path, str)]
    there = (path for path in paths if found(path, str(info.get("lesson"))))
    data["path"] = next(there, paths[-1] if paths else None)
    for old, new in _RENAMED.items():
        if old in data:
            data[new] = data.pop(old)
    if isinstance(characters := data.pop("characters", None), int) and 0 < characters <= MAX_WHOLE:
        data["symbols"] = _split(characters, data.pop("val_split", None))
    # The first ones say less of their data.
    data = {"fingerprint": "", "files": 0, "used": 0, "skipped": 0, "duplicate_files": 0, "symbols": [0, 0]} | data
    defaults = {"baseline": {}, "sampling": {"temperature": 1.0}, "versions": {}, "created": ""}
    changed = {"arguments": _ADDED | arguments, "network": network, "data": data}
    return defaults | info | {name: changed[name] for name in parts} | {"format": record.FORMAT, "message": message}


def _split(characters: int, val_split: Any) -> list[int]:
    """How many characters of a text were trained on, and how many were held out."""
    share = val_split if isinstance(val_split, float) and 0 < val_split < 1 else 0.1
    train = min(characters - 1, int(characters * (1 - share)))
    return [train, characters - train]
