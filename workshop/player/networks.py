"""The exported networks in a folder, as the player finds them.

Each is a folder that was exported, by `python -m workshop.player export`, or an ONNX file of a generator of loops. Of
networks that write one thing after the other, the folder's page lets a browser generate, and its ONNX file is asked by
OSC; of loops, the player has a page of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workshop import cli
from workshop.audio.loop_meaning import KIND
from workshop.errors import UserError
from workshop.export.names import ABOUT, MODEL, PAGE, PAGE_ABOUT
from workshop.files import explain, read_json
from workshop.osc.exported_steps import KINDS, ExportedSteps
from workshop.osc.onnx_loops import opened
from workshop.osc.serving import Served


@dataclass(frozen=True)
class Playable:
    """A network that can be played.

    Attributes:
        name: of its folder or file.
        makes: `text`, `notes`, `sound` or `loops`.
        page: the folder of its page; None where it has none, or is one of loops.
        net: what generates; None where there is no ONNX file.
    """

    name: str
    makes: str
    page: Path | None
    net: Any


def found(folders: Sequence[Path]) -> list[Playable]:
    """The networks in folders, those of each from the newest on; of two with one name the first. What cannot be played
    is named.

    Raises:
        UserError: a folder cannot be read, or none of them has a network that can be played.
    """
    networks: dict[str, Playable] = {}
    for folder in folders:
        for path in _entries(folder):
            name = path.stem if path.is_file() else path.name
            if name in networks:
                continue
            try:
                networks[name] = _opened(path, name)
            except UserError as error:
                cli.say(f"left out: {error}")
    if not networks:
        places = " and ".join(map(str, folders))
        raise UserError(f"there is no network in {places}: python -m workshop.player export puts some there")
    return list(networks.values())


def asked_by_osc(networks: Sequence[Playable]) -> list[Served]:
    """The networks that OSC asks: of each kind the first one that has an ONNX file."""
    first: dict[str, Served] = {}
    for one in networks:
        if one.net is not None:
            first.setdefault(one.makes, Served(one.net, one.makes, one.name))
    return list(first.values())


def _entries(folder: Path) -> Iterator[Path]:
    """What may be a network in a folder, the newest first.

    Raises:
        UserError: it cannot be read.
    """
    try:
        paths = sorted(sorted(folder.iterdir()), key=lambda path: path.lstat().st_mtime, reverse=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {explain(error, folder)}; name a folder of networks") from error
    for path in paths:
        is_export = (path / MODEL).is_file() or (path / PAGE_ABOUT).is_file()
        if is_export or (path.suffix.lower() == ".onnx" and path.is_file()):
            yield path


def _opened(path: Path, name: str) -> Playable:
    """A network in a folder, or in a file.

    Raises:
        UserError: it cannot be read, or is damaged.
    """
    if path.is_file():
        return Playable(name, KIND, None, opened(path))
    page = path if (path / PAGE).is_file() and (path / PAGE_ABOUT).is_file() else None
    about = next((path / file for file in (ABOUT, PAGE_ABOUT) if (path / file).is_file()), None)
    makes = str(read_json(about).get("kind")) if about else KIND
    if not (path / MODEL).is_file():
        if page is None or makes not in KINDS:
            raise UserError(f"{path} is damaged: it has neither {MODEL} nor a page")
        return Playable(name, makes, page, None)
    if makes in KINDS:
        return Playable(name, makes, page, ExportedSteps(path / MODEL))
    return Playable(name, KIND, None, opened(path / MODEL))
