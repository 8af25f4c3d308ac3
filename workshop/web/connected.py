"""The connection of an open page, of which there are only so many."""

from typing import Any

from tornado.websocket import WebSocketHandler

from workshop.web.security import Guarded

#: Pages that can be open at the same time.
MOST_PAGES = 40


class Connected(Guarded, WebSocketHandler):
    """A page's connection, which is in the set of open ones, `_pages`, while it is open."""

    _pages: set[Any]

    def check_origin(self, origin: str) -> bool:
        """`prepare` has looked at it already, and more strictly."""
        return True

    def open(self, *_: str) -> None:
        """Take the connection, unless there are too many."""
        if len(self._pages) >= MOST_PAGES:
            self.close(1013, "too many pages are open")
            return
        self._pages.add(self)

    def on_close(self) -> None:
        """It is open no more."""
        self._pages.discard(self)
