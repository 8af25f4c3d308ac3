"""Paths as the other program sees them: it runs beside the container where this server may run inside it."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from workshop import ROOT

#: The environment variable that says where the clone is outside of the container; docker/host.sh and start.ps1 set it.
VARIABLE = "WORKSHOP_HOST_ROOT"


@dataclass(frozen=True)
class Places:
    r"""The same folder here and there.

    Attributes:
        here: such as /workshop.
        there: such as /home/ada/workshop or C:\Users\ada\workshop.
    """

    here: Path
    there: str

    @classmethod
    def of_this_process(cls) -> "Places":
        """What the environment says; without it, here is there."""
        return cls(ROOT, os.environ.get(VARIABLE) or str(ROOT))

    @property
    def is_elsewhere(self) -> bool:
        """Whether paths differ."""
        return self.there != str(self.here)

    @property
    def _is_windows(self) -> bool:
        return re.match(r"[A-Za-z]:|\\\\", self.there) is not None

    def outward(self, path: Path) -> str:
        """A path here as it is called there, absolute."""
        whole = Path(os.path.abspath(path))
        if not self.is_elsewhere or not whole.is_relative_to(self.here):
            return str(whole)
        separator = "\\" if self._is_windows else "/"
        return separator.join([self.there.rstrip("/\\"), *whole.relative_to(self.here).parts])

    def inward(self, text: str) -> Path:
        """A path that was given there as it is called here."""
        if not self.is_elsewhere:
            return Path(text)
        plain, root = text, self.there
        if self._is_windows:
            plain, root = text.replace("\\", "/"), root.replace("\\", "/")
        root = root.rstrip("/")
        begins = plain.lower().startswith(root.lower()) if self._is_windows else plain.startswith(root)
        if begins and plain[len(root) : len(root) + 1] in ("", "/"):
            return self.here / plain[len(root) :].lstrip("/")
        return Path(plain)
