"""The pages as a site: made without a warning, whole, and sufficient to itself."""

import contextlib
import http.client
import re
import threading
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from workshop.errors import UserError
from workshop.host import docs

#: What a page loads by itself, as opposed to what somebody may click on.
LOADED = {"script": "src", "img": "src", "audio": "src", "source": "src", "iframe": "src", "link": "href"}


class Links(HTMLParser):
    """The addresses in a page: those that it loads, those that lead somewhere, and its own anchors."""

    def __init__(self, text: str):
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors.add(values.get("id", ""))
        if tag in LOADED and LOADED[tag] in values:
            self.loaded.append(values[LOADED[tag]])
        elif tag == "a" and "href" in values:
            self.linked.append(values["href"])


def from_elsewhere(site: Path) -> list[str]:
    """What the pages, scripts and styles of a site load from the network."""
    found = []
    for page in site.rglob("*.html"):
        found += [url for url in Links(page.read_text("utf-8")).loaded if re.match(r"(\w+:)?//", url)]
    for style in site.rglob("*.css"):
        found += re.findall(r"(?:@import|url\()\s*[\"']?((?:https?:)?//[^\"')]+)", style.read_text("utf-8"))
    return found


def leading_nowhere(site: Path) -> list[str]:
    """Addresses within a site that lead nowhere."""
    pages = {page: Links(page.read_text("utf-8")) for page in site.rglob("*.html")}
    broken = []
    for page, links in pages.items():
        for url in [*links.loaded, *links.linked]:
            path, _, anchor = unquote(url).partition("#")
            if re.match(r"(\w+:|//)", path):
                continue
            target = page.parent / path.partition("?")[0] if path else page
            known = pages[target].anchors if target in pages else {anchor}
            if not target.exists() or (anchor and anchor not in known):
                broken.append(f"{page.name}: {url}")
    return broken


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for name in docs.NEEDED:
        pytest.importorskip(name, reason="the site needs requirements/docs.txt")
    return docs.build(tmp_path_factory.mktemp("a site") / "html").parent


@pytest.mark.slow
def test_the_site_is_whole(site: Path) -> None:
    pages = {page.stem for page in docs.SOURCES.glob("*.md")}
    assert pages <= {page.stem for page in site.glob("*.html")}
    assert leading_nowhere(site) == []
    # What Sphinx remembers lies elsewhere: it is no page, and it names folders of the computer.
    assert {path.suffix for path in site.rglob("*")} & {".pickle", ".doctree"} == set()
    first = (site / "index.html").read_text("utf-8")
    assert '<audio controls preload="none" src="media/hall.wav">' in first


@pytest.mark.slow
def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    assert from_elsewhere(site) == []


@pytest.mark.slow
def test_what_is_for_the_tests_is_not_in_the_site(site: Path) -> None:
    text = "".join(page.read_text("utf-8") for page in site.glob("*.html"))
    kinds = "gives|says|ends in|not run|measured|end of measured|tried|end of tried|picture|sound"
    assert not re.search(f"<!-- ({kinds})", text)


@pytest.mark.slow
def test_an_argument_keeps_its_hyphens(site: Path) -> None:
    page = (site / "reliability.html").read_text("utf-8")
    assert "--out" in page
    assert "\N{EN DASH}out" not in page


def test_the_looking_sees(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<script src="https://x.org/a.js"></script><link href="//x.org/b.css"><a href="https://x.org">x</a>'
        '<img src="no.png"><a href="b.html#no">x</a><a href="#here">x</a><p id="here"><a href="#nowhere">x</a>'
    )
    (tmp_path / "b.html").write_text("<p>")
    (tmp_path / "c.css").write_text("@import 'https://x.org/c.css'; a { background: url(https://x.org/d.png) }")
    assert from_elsewhere(tmp_path) == [
        "https://x.org/a.js", "//x.org/b.css", "https://x.org/c.css", "https://x.org/d.png",
    ]  # fmt: skip
    assert leading_nowhere(tmp_path) == ["a.html: no.png", "a.html: b.html#no", "a.html: #nowhere"]


Ask = Callable[..., tuple[int, dict[str, str], bytes]]


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    """Serve the folder `site` of the test's own, and ask for a path as it is: status, headers, content."""
    (tmp_path / "site").mkdir()
    with docs.serve(tmp_path / "site", "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()

        def ask_for(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
            with contextlib.closing(connection):
                connection.request(method, path, headers=headers)
                answer = connection.getresponse()
                return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()

        yield ask_for
        server.shutdown()
        thread.join()


def test_the_site_is_served(tmp_path: Path, ask: Ask) -> None:
    (tmp_path / "site" / "index.html").write_text("hello")
    assert ask("/")[::2] == (200, b"hello")
    assert ask("/index.html?x=1")[::2] == (200, b"hello")
    status, headers, content = ask("/", "HEAD")
    assert (status, headers["content-length"], content) == (200, "5", b"")
    assert ask("/", "POST")[0] == 501


def test_nothing_but_the_site_is_served(tmp_path: Path, ask: Ask) -> None:
    site = tmp_path / "site"
    (site / "index.html").write_text("hello")
    (site / "media").mkdir()
    (site / "media" / "a.png").write_bytes(b"picture")
    (tmp_path / "site secret").mkdir()
    (tmp_path / "site secret" / "token").write_text("secret")
    (site / "link").symlink_to(tmp_path / "site secret" / "token")
    (site / "folder").symlink_to(tmp_path / "site secret")
    (site / "trap").mkdir()
    (site / "trap" / "index.html").symlink_to(tmp_path / "site secret" / "token")
    assert ask("/media/a.png")[::2] == (200, b"picture")
    outside = ["/../site%20secret/token", "/%2e%2e/site%20secret/token", "//etc/passwd", "/..%2fsite%20secret/token"]
    links = ["/link", "/folder/token", "/folder/", "/trap/", "/trap/index.html"]
    odd = ["/media/", "/media", "/%00", "/" + "a" * 5000, "/media/a.png/x", "/.git/config", "/~root"]
    for path in (*outside, *links, *odd):
        for headers in ({}, {"Range": "bytes=0-3"}):
            status, _, content = ask(path, **headers)
            assert status == 404, path
            assert b"secret" not in content.replace(path.encode(), b"")
            assert b"a.png" not in content.replace(path.encode(), b"")


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        ("bytes=0-1", 206, b"01"),
        ("bytes=0-", 206, b"0123456789"),
        ("bytes=8-100", 206, b"89"),
        ("bytes=10-", 200, b"0123456789"),
        ("bytes=3-2", 200, b"0123456789"),
        ("bytes=-2", 200, b"0123456789"),
        ("nonsense", 200, b"0123456789"),
    ],
)
def test_a_part_of_a_sound_can_be_asked_for(tmp_path: Path, ask: Ask, asked: str, status: int, content: bytes) -> None:
    (tmp_path / "site" / "a.wav").write_bytes(b"0123456789")
    found, headers, part = ask("/a.wav", Range=asked)
    assert (found, part, headers["content-length"]) == (status, content, str(len(content)))
    assert headers["content-type"] in ("audio/x-wav", "audio/wav", "audio/vnd.wave")
    if status == 206:
        first = b"0123456789".index(content)
        assert headers["content-range"] == f"bytes {first}-{first + len(content) - 1}/10"


def test_while_the_site_is_made_for_the_first_time_the_browser_asks_again(tmp_path: Path, ask: Ask) -> None:
    status, headers, content = ask("/02-notes.html")
    assert (status, headers["refresh"]) == (503, "2")
    assert b"The pages are being made" in content
    (tmp_path / "site" / "index.html").write_text("hello")
    assert ask("/02-notes.html")[0] == 404


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with docs.serve(tmp_path, "127.0.0.1", 0) as server, pytest.raises(UserError, match="is not available"):
        docs.serve(tmp_path, "127.0.0.1", server.server_port)


@pytest.mark.parametrize("there", [True, False])
def test_a_mistake_in_a_page_keeps_nobody_from_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], there: bool
) -> None:
    def build(site: Path) -> Path:
        if there:
            (site / "index.html").write_text("hello")
        raise UserError("a page has a mistake")

    monkeypatch.setattr(docs, "build", build)
    monkeypatch.setattr(docs, "check_installed", lambda: None)
    monkeypatch.setattr(docs.SiteServer, "serve_forever", lambda self: None)
    if there:
        docs.show(tmp_path, "127.0.0.1", 0)
        assert capsys.readouterr().err == "error: a page has a mistake; the pages that were made are shown\n"
    else:
        with pytest.raises(UserError, match="a page has a mistake"):
            docs.show(tmp_path, "127.0.0.1", 0)


def test_without_sphinx_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(docs, "NEEDED", ("sphinx_of_nobody",))
    with pytest.raises(UserError, match=r"the site needs sphinx_of_nobody, which is not installed: ./start.sh docs"):
        docs.build(tmp_path / "html")


@pytest.mark.slow
def test_a_page_with_a_mistake_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in docs.NEEDED:
        pytest.importorskip(name, reason="the site needs requirements/docs.txt")
    (tmp_path / "conf.py").write_text((docs.SOURCES / "conf.py").read_text("utf-8"))
    (tmp_path / "make_media.py").write_text("import os, sys; os.makedirs(sys.argv[1])")
    (tmp_path / "index.md").write_text("# Page\n[a link](missing.md)\n")
    monkeypatch.setattr(docs, "SOURCES", tmp_path)
    with pytest.raises(UserError, match="because a page has a mistake"):
        docs.build(tmp_path / "site" / "html")
    assert "missing" in capfd.readouterr().err


# ---- in a browser ----------------------------------------------------------------------------------------------------

#: The parts of a page that are wider than the window, or than the box that they are in.
CUT_OFF = """() => [...document.querySelectorAll("html, article pre, article .table-wrapper, article img")]
  .filter(part => part.scrollWidth > part.clientWidth + 2 || part.getBoundingClientRect().right > innerWidth + 1)
  .map(part => part.outerHTML.slice(0, 200))"""


@pytest.fixture
def address(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the site is served, for a TensorBoard of lesson 1 that has moved, and a container's that was published."""
    monkeypatch.setenv("WORKSHOP_PORT_CHAR_RNN", "7106")
    monkeypatch.setenv("WORKSHOP_PUBLISHED", "7007:7207 7008:7008")
    with docs.serve(site, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (375, 740)], ids=["desktop", "phone"])
def test_nothing_is_cut_off(address: str, browser: Any, width: int, height: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": height})
    for source in sorted(docs.SOURCES.glob("*.md")):
        page.goto(f"{address}/{source.stem}.html")
        assert page.evaluate(CUT_OFF) == [], source.stem
    page.close()


def test_behind_the_hub_of_a_class_a_server_has_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    places = docs.places()
    assert places["7006"] == "/user/ada/char_rnn/"
    assert places["8888"] == "/user/ada/lab"
    # The hub leads to no live room.
    assert places["7004"] == 7004


@pytest.mark.slow
def test_behind_the_hub_of_a_class_links_lead_to_paths(
    address: str, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    page = browser.new_page()
    page.goto(f"{address}/04-reading-tensorboard.html")
    there = f"{address}/user/ada/midi_rnn/"
    page.wait_for_selector(f'a[href="{there}"]')
    assert page.locator(f'a[href="{there}"]').first.inner_text() == there
    page.close()


@pytest.mark.slow
def test_a_page_has_buttons_that_copy_and_links_that_follow_the_ports(address: str, browser: Any) -> None:
    page = browser.new_page()
    page.goto(f"{address}/04-reading-tensorboard.html")
    page.wait_for_selector('a[href="http://127.0.0.1:7106/"]')
    assert page.locator('a[href="http://127.0.0.1:7207/"]').first.inner_text() == "http://127.0.0.1:7207"
    assert page.locator('a[href="http://127.0.0.1:7008/"]').count() >= 1
    assert page.locator("button.copybtn").count() == page.locator("article pre").count() >= 3
    assert "MIT licence" in page.locator("footer").inner_text()
    assert page.evaluate("document.querySelector('link[rel~=icon]').href").endswith("favicon.svg")
    page.close()
