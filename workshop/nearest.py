"""The nearest known name to a mistyped one, for error messages."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ' (did you mean "x"?)' for the known name nearest to ``name``, or '' where none is near.

    Upper and lower case are taken as the same, so that ``Lyrics`` finds ``lyrics``.
    """
    by_lower_case = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower(), by_lower_case, n=1)
    return f' (did you mean "{by_lower_case[near[0]]}"?)' if near else ""
