"""A class as its tests and its benchmark handle it: people with browsers, made of http and websockets alone."""

import contextlib
import http.cookiejar
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


class Stays(urllib.request.HTTPRedirectHandler):
    """Follows redirects as browsers do, a POST's with a GET."""

    max_redirections = 20


class Person:
    """Somebody with a browser that trusts the class's authority.

    Args:
        address: of the server, such as https://localhost:8000.
        authority: the file that tablets take in.
        name: as it is typed, and the plain spelling that the hub keeps.
    """

    def __init__(self, address: str, authority: Path, typed: str, name: str):
        self.address, self.typed, self.name = address, typed, name
        self.cookies = http.cookiejar.CookieJar()
        self.tls = ssl.create_default_context(cafile=str(authority))
        handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.tls), Stays())
        self.opener = urllib.request.build_opener(*handlers, urllib.request.HTTPCookieProcessor(self.cookies))

    def ask(
        self, path: str, data: bytes | None = None, method: str | None = None, **headers: str
    ) -> tuple[int, str, str]:
        """Ask for a page: its status, its body, and where redirects have led. Nobody there is status 0."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.address + path, data, named, method=method)
        try:
            with self.opener.open(request, timeout=320) as answer:
                return answer.status, answer.read().decode("utf-8", "replace"), answer.url
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode("utf-8", "replace"), error.url or ""
        except (OSError, http.client.HTTPException) as error:
            return 0, repr(error), ""

    def xsrf(self, path: str) -> str:
        """The value of the cookie against forged requests for a path."""
        fitting = [one for one in self.cookies if one.name == "_xsrf" and path.startswith(one.path)]
        return max(fitting, key=lambda one: len(one.path)).value or ""

    def sign_in(self, password: str) -> bool:
        """Type name and password; whether the hub lets one in."""
        status, _, where = self.fill_in("/hub/login", "?next=%2Fhub%2Fhome", username=self.typed, password=password)
        return status == 200 and where.endswith("/hub/home")

    def fill_in(self, page: str, query: str = "", **fields: str) -> tuple[int, str, str]:
        """Open a page of the hub and send its form: the status, the page and the address that come of it."""
        self.ask(page)
        form = {**fields, "_xsrf": self.xsrf(page)}
        return self.ask(page + query, urllib.parse.urlencode(form).encode())

    def path(self, page: str) -> str:
        """The path of a page of one's own server."""
        return f"/user/{self.name}/{page}"

    def start(self, seconds: float = 240) -> float:
        """Start one's server and wait until it answers; the seconds that took.

        Raises:
            AssertionError: it does not answer in that time.
        """
        begun = time.monotonic()
        self.ask("/hub/spawn")
        while True:
            # A page, because those lead to the hub and back with a cookie; what asks the API is only refused.
            status, said, where = self.ask(self.path("lab"))
            if status == 200 and where.startswith(self.address + self.path("lab")):
                return time.monotonic() - begun
            assert time.monotonic() - begun < seconds, f"{self.name}: {status} at {where}: {said[-300:]}"
            time.sleep(0.5)

    def page(self, page: str) -> tuple[int, str]:
        """A page of one's own server, after signing in there by the way of the hub."""
        status, said, _ = self.ask(self.path(page))
        return status, said

    def data(self, page: str) -> Any:
        """What a page of one's own server answers as JSON.

        Raises:
            AssertionError: it does not.
        """
        status, said = self.page(page)
        assert status == 200, f"{page}: {status}: {said[-300:]}"
        return json.loads(said)

    def socket(self, path: str) -> Any:
        """A websocket to a path of the server, with this person's cookies."""
        import websocket

        fitting = [one for one in self.cookies if path.startswith(one.path)]
        return websocket.create_connection(
            self.address.replace("https", "wss") + path, sslopt={"context": self.tls}, timeout=60,
            origin=self.address, cookie="; ".join(f"{one.name}={one.value}" for one in fitting),
        )  # fmt: skip

    @contextlib.contextmanager
    def terminal(self) -> Iterator[Callable[[str], None]]:
        """A terminal in the browser, while it is open: what is called to type a line there."""
        self.page("lab")
        made, said, _ = self.ask(
            self.path("api/terminals"), b"{}", Content_Type="application/json",
            X_XSRFToken=self.xsrf(self.path("lab")),
        )  # fmt: skip
        assert made == 200, f"{made}: {said[-300:]}"
        with contextlib.closing(self.socket(self.path(f"terminals/websocket/{json.loads(said)['name']}"))) as line:

            def send(words: str) -> None:
                line.send(json.dumps(["stdin", words + "\n"]))

            yield send
