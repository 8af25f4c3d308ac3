"""What a full disk of the class's server means, and why else a student's server does not start."""

import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from workshop.errors import UserError

#: Below so many bytes the hub's pages warn: a training of each of thirty students still saves.
LOW = 2 << 30

#: Bytes that the hub's database and its journal have in advance: sign-ins of a class for days, and one change of it.
RESERVE, JOURNAL = 8 << 20, 2 << 20
#: SQLite's words for keeping the journal's file, and with it its place on the disk, from one change to the next.
KEEP_JOURNAL = "PRAGMA journal_mode = PERSIST"

#: What a student reads whose server does not start for it.
FULL = "The class's server has no room left on its disk, so nothing can start: tell your teacher."

TAKEN = (
    "Your server cannot start, because something else on the class's server has its network's addresses: tell your "
    "teacher, who sets WORKSHOP_CLASS_ADDRESSES."
)


def reserve(database: Path) -> None:
    """Give the hub's database its place on the disk in advance: on a full disk nobody could sign in otherwise, not even
    to delete something. Nobody else may have it open. Connections have to be told `KEEP_JOURNAL`.

    Raises:
        OSError, sqlite3.Error: the disk is full already.
    """
    with closing(sqlite3.connect(database, isolation_level=None)) as opened:
        opened.execute(KEEP_JOURNAL)
        (free,), (page,) = (opened.execute(f"PRAGMA {name}").fetchone() for name in ("freelist_count", "page_size"))
        if free * page < RESERVE // 2:
            # Pages that were taken once stay in the file, for whatever comes next.
            opened.execute("CREATE TABLE reserve AS SELECT zeroblob(?) AS zeros", [RESERVE])
            opened.execute("DROP TABLE reserve")
    journal = database.with_name(f"{database.name}-journal")
    with open(journal, "ab") as file:
        file.write(bytes(max(JOURNAL - file.tell(), 0)))


def reason(error: Exception) -> str:
    """What a student reads of an error at the start of their server; '' where JupyterHub's own words have to do."""
    if is_full(str(error)):
        return FULL
    if "pool overlaps" in str(error).lower():
        return TAKEN
    return f"Your server cannot start, because {error}: tell your teacher." if isinstance(error, UserError) else ""


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
    """Start a student's server, and say why it does not start.

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
        if told := reason(error):
            error.jupyterhub_message = told  # type: ignore[attr-defined]
        if told == FULL and is_new:
            with suppress(Exception):  # the first error is the one that is told
                await docker("remove_volume", volume)
        raise
