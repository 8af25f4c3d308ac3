"""What a full disk of the class's server means: students' volumes lie on it, and so does the hub's."""

import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

#: Below so many bytes the hub's pages warn: a training of each of thirty students still saves.
LOW = 2 << 30

#: What a student reads whose server does not start for it.
FULL = "The class's server has no room left on its disk, so nothing can start: tell your teacher."


def is_full(said: str) -> bool:
    """Whether an error of the engine is about a full disk."""
    return "no space left on device" in said.lower()


def warning(folder: Path) -> str:
    """A sentence for all pages of the hub while the disk of this folder is nearly full; '' otherwise."""
    free = shutil.disk_usage(folder).free
    if free >= LOW:
        return ""
    return (
        f"The class's server has only {free >> 20} MB left on its disk. Delete what you do not need, such as "
        "old folders in 'experiments'; the teacher makes room."
    )


async def start(docker: Callable[..., Awaitable[Any]], volume: str, begin: Callable[[], Awaitable[Any]]) -> Any:
    """Start a student's server, and say where the disk is full.

    A new volume is filled at its first start alone. One that a full disk has left half filled is taken away again, so
    that the student gets a whole one later.

    Args:
        docker: calls a function of the engine, by its name.
        volume: the student's.
        begin: starts the server.

    Raises:
        Exception: what `begin` raises, with a sentence for the student.
    """
    there = (await docker("volumes", filters={"name": volume}))["Volumes"] or []
    is_new = all(one["Name"] != volume for one in there)
    try:
        return await begin()
    except Exception as error:
        if is_full(str(error)):
            error.jupyterhub_message = FULL  # type: ignore[attr-defined]
            if is_new:
                with suppress(Exception):  # the first error is the one that is told
                    await docker("remove_volume", volume)
        raise
