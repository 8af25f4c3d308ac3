"""The page's server: who may use it, and what it offers."""

import json
from pathlib import Path

import pytest
from playing import TOKEN, UPGRADE, Page, slow, start, until, visiting
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from workshop import ROOT
from workshop.errors import UserError
from workshop.text.generated import GeneratedText
from workshop.web import results
from workshop.web.security import Guard

# ---- who may use it


def test_the_token_opens_the_page_once_and_then_the_cookie_does(play_clone: Path) -> None:
    async def visit(page: Page) -> None:
        nobody = {"Cookie": ""}
        assert (await page.ask("", headers=nobody)).code == 403
        assert (await page.ask("?token=wrong", headers=nobody)).code == 403
        assert (await page.ask("?token=%FF%C3%A9", headers=nobody)).code in (400, 403)
        for path in ("listing", "static/page.js", "made/" + "0" * 32 + ".wav"):
            refused = await page.ask(path, headers=nobody)
            assert refused.code == 403
            assert b"asks for its token" in refused.body
        answer = await page.ask(f"?token={TOKEN}", headers=nobody)
        assert (answer.code, answer.headers["Location"]) == (302, "./")
        cookie = answer.headers["Set-Cookie"]
        assert TOKEN not in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        opened = await page.ask("", headers={"Cookie": cookie.split(";")[0]})
        assert opened.code == 200
        assert b"<title>Play" in opened.body
        assert (await page.ask("", headers={"Cookie": f"{page.guard.cookie}={TOKEN}"})).code == 403

    visiting(visit)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7005", "localhost.evil.example", "[", "127.0.0.1.nip.io"]
)
def test_another_name_of_this_computer_is_refused(play_clone: Path, host: str) -> None:
    """A name can be made to point here; then that site's scripts could read the page."""

    async def visit(page: Page) -> None:
        for path in ("", "alive", "listing", "static/page.js"):
            assert (await page.ask(path, headers={"Host": host})).code in (400, 403)
        answer = await page.ask("play", headers={**UPGRADE, "Host": host, "Origin": f"http://{host}"})
        assert answer.code in (400, 403)

    visiting(visit)


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1:7005", "[::1]:7005", "192.168.0.7:7005", "LOCALHOST"])
def test_addresses_of_this_computer_are_accepted(host: str) -> None:
    assert Guard(TOKEN, 7005).is_host(host)


def test_a_name_behind_a_proxy_is_accepted_when_it_was_given() -> None:
    guard = Guard(TOKEN, 7005, ("hub.school.example",))
    assert guard.is_host("hub.school.example")
    assert guard.is_origin("https://hub.school.example", "127.0.0.1:7005")
    assert not guard.is_origin("https://other.example", "127.0.0.1:7005")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "https://", ""])
def test_another_site_may_not_drive_the_page(play_clone: Path, origin: str) -> None:
    async def visit(page: Page) -> None:
        assert (await page.ask("play", headers={**UPGRADE, "Origin": origin})).code == 403
        kept = await page.ask("keep/" + "0" * 32, method="POST", body=b"", headers={"Origin": origin})
        assert (kept.code, b"comes from another page" in kept.body) == (403, True)
        assert (await page.ask("listing", headers={"Origin": origin})).code == 403

    visiting(visit)


def test_what_another_page_embeds_is_refused_and_a_link_is_not(play_clone: Path) -> None:
    async def visit(page: Page) -> None:
        for site in ("cross-site", "same-site"):
            assert (
                await page.ask("listing", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"})
            ).code == 403
            assert (await page.ask("", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"})).code == 200
        # Without an Origin nothing is driven either.
        assert (await page.ask("keep/" + "0" * 32, method="POST", body=b"")).code == 403

    visiting(visit)


def test_every_answer_keeps_the_browser_strict(play_clone: Path) -> None:
    async def visit(page: Page) -> None:
        for path in ("", "static/page.js", "listing", "nothing", "../secret"):
            headers = (await page.ask(path)).headers
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "http" not in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert "Server" not in headers

    visiting(visit)


@pytest.mark.parametrize(
    "path",
    ["static/../server.py", "static/%2e%2e/server.py", "static//etc/passwd", "made/../../secret/run.json", "nothing"],
)
def test_no_path_leads_out_of_the_page(play_clone: Path, path: str) -> None:
    async def visit(page: Page) -> None:
        answer = await page.ask(path)
        assert answer.code in (403, 404)
        assert len(answer.body) < 200

    visiting(visit)


def test_nothing_of_the_page_is_loaded_from_elsewhere() -> None:
    static = ROOT / "workshop" / "web" / "static"
    for file in (*static.glob("*.html"), *static.glob("*.css"), *static.glob("*.js")):
        text = file.read_text("utf-8")
        assert "://" not in text, file
        if file.suffix == ".html":
            assert "<style" not in text
            assert ' style="' not in text
            assert 'src="/' not in text
            assert 'href="/' not in text


# ---- what is offered


def test_the_experiments_of_the_lessons_and_those_that_come_trained_are_listed(play_clone: Path) -> None:
    async def visit(page: Page) -> None:
        listing = json.loads((await page.ask("listing")).body)
        found = {entry["id"]: entry for entry in listing["experiments"]}
        assert list(found)[-1] == "pretrained/char_rnn/verse"
        assert set(found) == {
            "char_rnn/experiments/01", "char_rnn/experiments/02", "char_rnn/experiments/03", "wavenet/experiments/01",
            "pretrained/char_rnn/verse",
        }  # fmt: skip
        verse = found["pretrained/char_rnn/verse"]
        assert (verse["makes"], verse["name"], verse["pretrained"]) == ("text", "verse", True)
        assert (verse["message"], verse["loss"], verse["ngram"], verse["order"]) == ("of the tests", 1.5, 1.8, "5")
        assert "not valid JSON" in found["char_rnn/experiments/02"]["problem"]
        assert found["wavenet/experiments/01"]["makes"] == "sound"
        assert "Flute" in listing["instruments"]

    visiting(visit)


@pytest.mark.parametrize(
    "name", ["../secret", "char_rnn/../../secret", "/etc", "", "char_rnn/experiments/99", "x" * 9999]
)
def test_an_experiment_outside_of_the_list_cannot_be_named(
    play_clone: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    loaded = slow(monkeypatch, 0)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, name)
        *_, error = await until(connection, "error")
        assert "the page has no experiment" in error["sentence"]
        assert len(error["sentence"]) < 200
        await until(connection, "free")
        assert loaded == []

    visiting(visit)


def test_a_damaged_experiment_is_one_sentence(play_clone: Path) -> None:
    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, "char_rnn/experiments/02")
        *_, error = await until(connection, "error")
        assert "run.json is damaged" in error["sentence"]

    visiting(visit)


# ---- behind a path


def test_the_page_lies_below_any_path(play_clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, 0)

    async def visit(page: Page) -> None:
        answer = await page.ask(f"?token={TOKEN}", headers={"Cookie": ""})
        assert answer.headers["Location"] == "./"
        assert "Path=/user/ada/play/" in answer.headers["Set-Cookie"]
        assert (await page.ask("listing")).code == 200
        assert (await page.ask("static/page.css")).code == 200
        connection = await page.connect()
        await start(connection, length="1")
        await until(connection, "done")
        outside = HTTPRequest(f"http://127.0.0.1:{page.port}/listing", headers={"Host": page.host, **page.cookie})
        assert (await AsyncHTTPClient().fetch(outside, raise_error=False)).code == 404
        without = HTTPRequest(
            f"http://127.0.0.1:{page.port}/user/ada/play?token=x", headers={"Host": page.host}, follow_redirects=False
        )
        led = await AsyncHTTPClient().fetch(without, raise_error=False)
        assert (led.code, led.headers["Location"]) == (302, "/user/ada/play/?token=x")

    visiting(visit, base="/user/ada/play/")


def test_the_last_results_are_remembered_and_fewer_of_their_files() -> None:
    kept = results.Results(most=6)
    names = [kept.add(results.Made("char_rnn", "01", "text", GeneratedText(str(number)))) for number in range(3)]
    assert [kept.get(name).file("txt") for name in names] == [b"0\n", b"1\n", b"2\n"]
    for number in range(3, 7):
        kept.add(results.Made("char_rnn", "01", "text", GeneratedText(str(number))))
    with pytest.raises(UserError, match="generate it again"):
        kept.get(names[0])
    assert kept.get(names[1]).files == {}
    assert kept.get(names[1]).file("txt") == b"1\n"
