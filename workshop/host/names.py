"""The names by which a browser may call a server here.

Another site could let its own name point to this computer, and read through the visitor's browser what is here (DNS
rebinding). An address cannot be made to point elsewhere.
"""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit


def is_ours(host: str, names: Sequence[str]) -> bool:
    """Whether a Host header names this computer.

    Args:
        host: the header.
        names: that it has besides localhost and its addresses; '*' is any.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name in ("localhost", *names) or "*" in names:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
