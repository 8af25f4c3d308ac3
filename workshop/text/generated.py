"""Text that a network has written."""

from pathlib import Path
from typing import Any

from workshop.files import write_text
from workshop.visible import visible


class GeneratedText(str):
    """A text that shows itself as it reads, and not in quotes, in a notebook."""

    def save(self, path: str | Path) -> Path:
        """Write the text to a file in UTF-8.

        Raises:
            UserError: the file cannot be written.
        """
        write_text(Path(path), f"{self}\n")
        return Path(path)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Called by IPython, whose output is a terminal: control characters are escaped."""
        printer.text(visible(self))
