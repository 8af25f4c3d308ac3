"""The settings of the devices, kept for the next start; and a lock, because one live room plays at a time."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from live.controls import DEFAULT, Source, check_mapping
from live.limits import MAX_BLOCK, MAX_PREBUFFER
from workshop import ROOT
from workshop.audio.rates import RATES
from workshop.checks import typed
from workshop.errors import UserError
from workshop.files import explain, read_json, write_json

FOLDER = ROOT / ".workshop"
#: A device that is none and keeps time all the same, for trying without one; it is not kept.
NULL = "null"


class Settings(msgspec.Struct):
    """What is kept.

    Attributes:
        input: name of the sound device to hear; None for the system's own choice.
        output: to play to, likewise.
        midi: name of the MIDI port to hear, if any.
        midi_out: to play to, likewise.
        rate: samples a second; None for the highest of the networks.
        block: samples in a block; None for what is usual at the rate.
        prebuffer: blocks between hearing and answering.
        mapping: what turns each knob.
    """

    input: str | None = None
    output: str | None = None
    midi: str | None = None
    midi_out: str | None = None
    rate: Annotated[int, Meta(ge=RATES[0], le=RATES[-1])] | None = None
    block: Annotated[int, Meta(ge=1, le=MAX_BLOCK)] | None = None
    prebuffer: Annotated[int, Meta(ge=1, le=MAX_PREBUFFER)] = 2
    mapping: dict[str, Source] = msgspec.field(default_factory=lambda: dict(DEFAULT))


def path() -> Path:
    """Where they are kept."""
    return FOLDER / "live.json"


def read() -> Settings:
    """The settings that were kept, or else those of the beginning.

    Raises:
        UserError: the file is damaged.
    """
    if not path().is_file():
        return Settings()
    try:
        found = typed(Settings, read_json(path()), path())
        check_mapping(found.mapping, path())
    except UserError as error:
        raise UserError(f"{error}; --forget begins without it") from error
    return found


def keep(settings: Settings) -> None:
    """Keep settings for the next start.

    Raises:
        UserError: they cannot be written.
    """
    try:
        FOLDER.mkdir(exist_ok=True)
        write_json(path(), {name: value for name, value in msgspec.to_builtins(settings).items() if value != NULL})
    except OSError as error:
        raise UserError(f"{path()} could not be written: {explain(error, path())}") from error


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """A block in which no other process plays by the devices of this computer.

    Raises:
        UserError: one does already.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "live.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UserError(
                f"the live room is open already, in process {file.read().strip() or 'unknown'}: end it with Ctrl-C"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}")
        file.flush()
        yield
