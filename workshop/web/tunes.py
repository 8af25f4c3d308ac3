"""Whether a text is tunes in ABC notation, which the page shows as a score."""

import re

#: The first fields of a tune, which every one has: its number and its key, each at the beginning of a line.
_NUMBER, _KEY = re.compile(r"^X:\s*\d", re.MULTILINE), re.compile(r"^K:\s*[A-Ga-gHn]", re.MULTILINE)


def is_tune(text: str) -> bool:
    """Whether a text holds the fields of a tune in ABC notation."""
    return bool(_NUMBER.search(text) and _KEY.search(text))
