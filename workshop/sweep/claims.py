"""Who does what, told by folders alone: for computers that share nothing but a drive.

A piece of work is claimed by making the folder `claims/NAME/1`: of two computers that try, the drive lets one succeed
(mkdir is atomic on NFS and SMB, where locks of files often are not). The holder writes a number into `beat` in it again
and again. Where that number does not change for a while, as seen by the clock of the one who looks, the holder is
taken for dead, and whoever succeeds in making `claims/NAME/2` is the next holder. Nothing is ever deleted or renamed
away from anybody; whoever finds a higher number than its own has lost the claim. No two clocks are compared, and no
times of files, which drives get wrong.
"""

import os
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from workshop.errors import UserError
from workshop.files import atomic_write, explain, read_json, write_json
from workshop.processes import began, this_computer

#: Seconds between two beats.
BEAT_SECONDS = 10.0
#: A holder whose beat has not been seen to change for so many seconds is taken for dead. What a drive tells about a
#: folder may be a minute old (NFS: `acdirmax`).
PATIENCE_SECONDS = 180.0


def _process() -> dict[str, Any]:
    """What identifies this process."""
    return {
        "computer": this_computer(),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "began": began(psutil.Process()),
    }


@dataclass
class Claim:
    """A piece of work that this process has claimed.

    Attributes:
        folder: of the claim.
        beats: that have been written.
    """

    folder: Path
    beats: int = 0
    _beaten: float = field(default=-1e9, repr=False)

    @property
    def is_lost(self) -> bool:
        """Whether another process has taken it over, because it has not seen our beats."""
        return self.folder.with_name(str(int(self.folder.name) + 1)).is_dir()

    def beat(self, seconds: float = BEAT_SECONDS) -> None:
        """Show that this process lives, if it has not been shown for so many seconds.

        Raises:
            OSError: the drive cannot be written.
        """
        if time.monotonic() - self._beaten >= seconds:
            with atomic_write(self.folder / "beat") as file:
                file.write(f"{self.beats}\n".encode())
            self.beats, self._beaten = self.beats + 1, time.monotonic()

    @property
    def silent_seconds(self) -> float:
        """How long no beat has been written."""
        return time.monotonic() - self._beaten

    def release(self) -> None:
        """Leave the work to whoever wants to go on with it."""
        self._mark("released")

    def crash(self) -> int:
        """Note that the work has broken down in this claim; returns how often it has, in all claims."""
        count = 1 + sum(1 for _ in self.folder.parent.glob("*/crashed.*"))
        self._mark(f"crashed.{count}")
        return count

    def _mark(self, name: str) -> None:
        try:
            (self.folder / name).touch()
        except OSError as error:
            raise UserError(f"{self.folder} cannot be written: {explain(error, self.folder)}") from error


class Claims:
    """The claims in a shared folder, as one process sees them.

    Args:
        folder: of all claims.
        patience_seconds: see `PATIENCE_SECONDS`.
    """

    def __init__(self, folder: Path, patience_seconds: float = PATIENCE_SECONDS):
        self._folder, self._patience = folder, patience_seconds
        self._seen: dict[Path, tuple[bytes, float]] = {}

    def take(self, name: str) -> Claim | None:
        """Claim the work of that name; None where another process has it.

        Raises:
            UserError: the folder cannot be written.
        """
        work = self._folder / name
        try:
            work.mkdir(parents=True, exist_ok=True)
            last = max((int(path.name) for path in work.iterdir() if path.name.isdecimal()), default=0)
            if last and not self._is_free(work / str(last)):
                return None
            claim = Claim(work / str(last + 1))
            try:
                claim.folder.mkdir()
            except FileExistsError:
                return None
            write_json(claim.folder / "holder.json", _process())
            claim.beat()
        except OSError as error:
            raise UserError(
                f"{work} cannot be written: {explain(error, work)}; all computers need to write there"
            ) from error
        return claim

    def _is_free(self, attempt: Path) -> bool:
        """Whether a claim was given back, or its holder has died."""
        return (attempt / "released").exists() or _has_died(attempt) or self._is_silent(attempt)

    def _is_silent(self, attempt: Path) -> bool:
        """Whether its beat has not changed for so long as we have looked."""
        try:
            # Opened anew each time: NFS then asks the server.
            beat = (attempt / "beat").read_bytes()
        except OSError:
            beat = b""
        now = time.monotonic()
        before, since = self._seen.get(attempt, (None, now))
        if beat != before:
            since = now
        self._seen[attempt] = beat, since
        return now - since > self._patience


def _has_died(attempt: Path) -> bool:
    """Whether the holder was a process of this computer that is not there any more. Of other computers nobody knows."""
    try:
        holder = read_json(attempt / "holder.json")
        if holder["computer"] != this_computer():
            return False
        process = psutil.Process(holder["pid"])
        # One that has ended is known until its parent asks how.
        return began(process) != holder["began"] or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except (UserError, KeyError, TypeError, ValueError, psutil.Error):
        return False
