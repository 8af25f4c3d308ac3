"""The player: what is exported for it, what it shows to browsers, and what it answers by OSC."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("pythonosc")

from accessible import look_at
from exporting import loop_network
from free_ports import free_port
from osc_clients import Client
from servers import get, until_there

from wavenet import export as wavenet_export
from wavenet.model import Shape, WaveNet
from workshop import ROOT, load
from workshop.audio import latents
from workshop.audio.loop_files import tempo
from workshop.audio.loop_meaning import LoopMeaning
from workshop.errors import UserError
from workshop.export.graph import Graph
from workshop.notes.midifiles import read
from workshop.osc.exported_steps import ExportedSteps
from workshop.osc.onnx_loops import opened
from workshop.player import command_line, networks, pages, server
from workshop.run import pretrained

Run = Callable[..., subprocess.CompletedProcess[str]]
Refused = Callable[..., str]

MEANING = LoopMeaning(8, 4000, 2000, 16, 16, 480.0, 4)


def ask(port: int, path: str, host: str = "") -> tuple[int, str, bytes]:
    """Status, type and content of what is at a path."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": host} if host else {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read()


@pytest.fixture(scope="module")
def folder(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of texts as it is exported, one of loops as somebody brings it, and what is none."""
    found = tmp_path_factory.mktemp("networks")
    command_line.main(["export", str(trained), "--to", str(found)])
    loop_network(found / "beats & bars.onnx", MEANING.entries())
    (found / "empty").mkdir()
    (found / "broken.onnx").write_bytes(b"no network")
    (found / "char_rnn-trained" / "secret.txt").write_text("not of the page")
    return found


@pytest.fixture(scope="module")
def playable(folder: Path) -> dict[str, networks.Playable]:
    return {one.name: one for one in networks.found([folder])}


@pytest.fixture(scope="module")
def port(playable: dict[str, networks.Playable]) -> Iterator[int]:
    contents = pages.addresses(list(playable.values()))
    with server.PageServer("127.0.0.1", 0, contents, ["player.school.example"]).serving() as port:
        yield port


# ---- what is found


def test_networks_are_found_and_others_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = networks.found([folder])
    assert {one.name: (one.makes, one.page) for one in found} == {
        "beats & bars": ("loops", None),
        "char_rnn-trained": ("text", folder / "char_rnn-trained"),
    }
    assert f"left out: {folder}/broken.onnx is damaged" in capsys.readouterr().err


def test_of_those_that_make_the_same_the_newest_is_asked(tmp_path: Path) -> None:
    for age, name in enumerate(("b", "c", "a")):
        os.utime(loop_network(tmp_path / f"{name}.onnx", MEANING.entries()), (age, age))
    found = networks.found([tmp_path])
    assert [one.name for one in networks.asked_by_osc(found)] == ["a"]
    os.utime(tmp_path / "c.onnx")
    assert [one.name for one in networks.asked_by_osc(networks.found([tmp_path]))] == ["c"]


def test_of_two_with_one_name_the_first_is_taken(folder: Path, tmp_path: Path) -> None:
    mine = loop_network(tmp_path / "beats & bars.onnx", {**MEANING.entries(), "bpm": 120.0})
    found = {one.name: one for one in networks.found([mine.parent, folder])}
    assert found["beats & bars"].net.bpm == 120
    assert {one.makes for one in networks.asked_by_osc(list(found.values()))} == {"loops", "text"}


def test_a_folder_without_networks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no network in .*: python -m workshop.player export"):
        networks.found([tmp_path])
    with pytest.raises(UserError, match="cannot be read"):
        networks.found([tmp_path / "nowhere"])


def test_a_page_alone_is_shown_and_not_asked(folder: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    for name in ("index.html", "network.json"):
        (alone / name).write_bytes((folder / "char_rnn-trained" / name).read_bytes())
    (one,) = networks.found([tmp_path])
    assert (one.makes, one.net, networks.asked_by_osc([one])) == ("text", None, [])
    (alone / "index.html").unlink()
    with pytest.raises(UserError, match="there is no network"):
        networks.found([tmp_path])


# ---- what is shown


def test_all_networks_are_on_one_page(port: int) -> None:
    status, kind, content = ask(port, "/")
    text = content.decode()
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert '<a href="beats%20%26%20bars/">beats &amp; bars</a>: loops' in text
    assert '<a href="char_rnn-trained/">char_rnn-trained</a>: text' in text
    assert get(f"http://127.0.0.1:{port}/alive") == b"alive\n"


def test_an_exported_page_is_shown_as_it_is(port: int, folder: Path) -> None:
    for name in ("index.html", "page.js", "network.json", "network.bin"):
        path = "" if name == "index.html" else name
        assert ask(port, f"/char_rnn-trained/{path}")[2] == (folder / "char_rnn-trained" / name).read_bytes()
    assert ask(port, "/char_rnn-trained")[2] == ask(port, "/char_rnn-trained/")[2]


@pytest.mark.parametrize(
    "path",
    [
        "/char_rnn-trained/secret.txt", "/char_rnn-trained/model.onnx", "/empty/", "/char_rnn-trained/../empty/",
        "/etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd", "/char_rnn-trained/%2e%2e/%2e%2e/etc/passwd", "/nothing", "/beats", "/%00",
    ],
)  # fmt: skip
def test_nothing_else_is_shown(path: str, port: int) -> None:
    assert ask(port, path)[0] == 404


def test_it_is_not_read_under_a_name_of_another_site(port: int) -> None:
    assert ask(port, "/", "evil.example")[0] == 403
    assert ask(port, "/", "player.school.example:80")[0] == 200
    assert ask(port, "/", f"localhost:{port}")[0] == 200


def test_loops_come_as_sound_that_says_its_tempo(port: int, playable: dict[str, networks.Playable]) -> None:
    about = json.loads(ask(port, "/beats%20&%20bars/about.json")[2])
    assert about == {"name": "beats & bars", "latent": 8, "rate": 4000, "bpm": 480.0, "beats": 4}
    status, kind, content = ask(port, "/beats%20&%20bars/loop.wav?seed=11")
    assert (status, kind, tempo(content)) == (200, "audio/wav", (4, 480.0))
    assert b"loops.js" in ask(port, "/beats%20&%20bars/")[2]
    net = playable["beats & bars"].net
    assert content != ask(port, "/beats%20&%20bars/loop.wav?seed=12")[2]
    assert len(content) > 2 * net.samples


@pytest.mark.parametrize("seed", ["", "-1", "x", "2147483648", "1" * 5000, "1.5", "²"])
def test_a_seed_that_is_none_is_named(seed: str, port: int) -> None:
    status, _, content = ask(port, f"/beats%20&%20bars/loop.wav?seed={urllib.parse.quote(seed)}")
    assert (status, content.decode()) == (422, "a seed is a whole number from 0 to 2,147,483,647\n")


class Slow:
    """Makes loops when it is told to."""

    latent_size, rate, samples, bpm, beats = 2, 1000, 100, 120.0, 1

    def __init__(self) -> None:
        self.begun, self.told = threading.Semaphore(0), threading.Event()

    def sounds(self, latents: np.ndarray) -> np.ndarray:
        raise AssertionError

    def row(self, latents: np.ndarray) -> np.ndarray:
        self.begun.release()
        assert self.told.wait(20)
        return np.zeros(self.samples, np.float32)


def test_who_comes_when_too_many_wait_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_WAITING", 1)
    net = Slow()
    making = pages.Making()
    first = threading.Thread(target=making.loop, args=(net, {"seed": "1"}))
    first.start()
    assert net.begun.acquire(timeout=20)
    with pytest.raises(UserError, match="too many loops are waited for"):
        making.loop(net, {"seed": "2"})
    net.told.set()
    first.join()
    assert making.loop(net, {"seed": "2"})[:4] == b"RIFF"


# ---- what exported networks generate


def test_a_text_is_the_one_that_sample_py_writes(trained: Path, playable: dict[str, networks.Playable]) -> None:
    net = playable["char_rnn-trained"].net
    text = net.generate(prompt="oh ", length=80, temperature=0.8, seed=3)
    assert text == load(trained).generate(prompt="oh ", length=80, temperature=0.8, seed=3)
    assert len(net.generate()) == 500
    for given, words in (
        ({"temperature": -1.0}, "-1 is not above 0"),
        ({"condition": "rain"}, "there is no condition rain: it knows none"),
    ):
        with pytest.raises(UserError, match=words):
            net.generate(**given)


def test_notes_are_those_that_sample_py_plays(trained_midi: Path, tmp_path: Path) -> None:
    command_line.main(["export", str(trained_midi), "--to", str(tmp_path)])
    (one,) = networks.found([tmp_path])
    one.net.generate(length=64, seed=3).save(tmp_path / "here.mid")
    load(trained_midi).generate(length=64, seed=3).save(tmp_path / "there.mid")
    here, there = (read(tmp_path / f"{name}.mid").notes for name in ("here", "there"))
    np.testing.assert_array_equal(here[:, :3], there[:, :3])
    with pytest.raises(UserError, match="goes on from a text alone"):
        one.net.generate(prompt=tmp_path / "here.mid")


def sound_network(path: Path, **changes: Any) -> Path:
    """An ONNX file of an untrained WaveNet of two conditions."""
    meaning = {
        "kind": "sound", "sample_rate": 1000, "samples": np.linspace(-1, 1, 256).tolist(), "symbols": [],
        "warm_up": [128], "temperature": 1.0, "conditions": ["rain", "hail"],
    }  # fmt: skip
    graph = Graph()
    wavenet_export.step(WaveNet(Shape(1, 2, 2, 5, 4, 7, 2), seed=1), {}).add(graph)
    path.write_bytes(graph.model({name: json.dumps(value) for name, value in {**meaning, **changes}.items()}))
    return path


def test_sound_has_its_seconds_and_its_condition(tmp_path: Path) -> None:
    net = ExportedSteps(sound_network(tmp_path / "net.onnx"))
    sounds = {}
    for condition in ("rain", "hail", ""):
        net.generate(seconds=0.05, seed=3, condition=condition).save(tmp_path / "a.wav")
        sounds[condition], rate = soundfile.read(tmp_path / "a.wav")
        assert (rate, len(sounds[condition])) == (1000, 50)
    assert (sounds["rain"] == sounds[""]).all()
    with pytest.raises(UserError, match="there is no condition snow: it knows rain, hail"):
        net.generate(condition="snow")


def test_a_file_that_cannot_be_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    with pytest.raises(UserError, match="cannot be read"):
        ExportedSteps(path)
    with pytest.raises(UserError, match="is no network of texts, notes or sound"):
        ExportedSteps(loop_network(path, MEANING.entries()))
    with pytest.raises(UserError, match="is damaged: it does not run"):
        ExportedSteps(sound_network(path, warm_up="x")).generate(length=3)
    with pytest.raises(UserError, match="is damaged: it does not run"):
        ExportedSteps(sound_network(path, samples=None, sample_rate=None)).generate()
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UserError, match="is damaged, or no ONNX file"):
        ExportedSteps(path)


# ---- the command


def test_it_serves_pages_and_osc_until_it_is_told_to_end(folder: Path, tmp_path: Path) -> None:
    with Client() as client:
        client.to, page_port = free_port(socket.SOCK_DGRAM), free_port()
        given = ["--port", str(client.to), "--answer_to", str(client.port), "--page_port", str(page_port)]
        command = [sys.executable, "-m", "workshop.player", "serve", str(folder), *given, "--allow", str(tmp_path)]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert [client.hear(), client.hear()] == [["/ccret/init"], ["/ggret/init"]]
                until_there(f"http://127.0.0.1:{page_port}/alive")
                assert set(client.ask("/alive")[1:]) == {"loops", "text"}
                assert client.ask("/folder", str(tmp_path)) == ["/folder", str(tmp_path)]
                assert client.ask("/text/generate", 1, 20, 0.7, 5, "oh ")[5].startswith("oh ")
                path = Path(client.ask("/gan/random", 3, 11)[3])
                assert path.read_bytes() == ask(page_port, "/beats%20&%20bars/loop.wav?seed=11")[2]
            finally:
                process.send_signal(signal.SIGTERM)
                said = process.communicate(timeout=20)[1]
        assert process.returncode == 0
    assert f"the pages are on http://localhost:{page_port}; Ctrl-C ends them" in said
    assert "text by OSC: char_rnn-trained\n" in said
    assert said.endswith("ended\n")
    sound, rate = soundfile.read(path, dtype="float32")
    (wanted,) = opened(folder / "beats & bars.onnx").sounds(latents.drawn(1, 8, 11))
    assert rate == 4000
    np.testing.assert_allclose(sound, wanted, atol=1e-3)


def test_whether_it_answers_is_asked(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(command_line.PAGE_VARIABLE, str(port))
    command_line.main(["alive"])
    monkeypatch.setenv(command_line.PAGE_VARIABLE, str(free_port()))
    with pytest.raises(UserError, match="does not answer"):
        command_line.main(["alive"])


def test_a_port_in_use_is_named(port: int) -> None:
    with pytest.raises(UserError, match=f"port {port} for the player's page is not available"):
        server.PageServer("127.0.0.1", port, {})
    with pytest.raises(UserError, match=r"192\.0\.2\.1 is no address"):
        server.PageServer("192.0.2.1", port, {})


def test_a_mistake_on_the_command_line_is_one_sentence(refused: Refused) -> None:
    assert "invalid choice" in refused(command_line, "expor")
    assert "'1x'" in refused(command_line, "serve", "nowhere", "--page-port", "1x")


def test_an_export_is_not_replaced_unless_asked(folder: Path, trained: Path, refused: Refused, run_main: Run) -> None:
    words = ["export", str(trained), "--to", str(folder)]
    assert "holds an export already: add --overwrite" in refused(command_line, *words)
    assert run_main(command_line, *words, "--overwrite").returncode == 0


def test_those_that_come_trained_are_exported_where_they_can_be(
    trained: Path, trained_spectral_rnn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for lesson, path in (("char_rnn", trained), ("spectral_rnn", trained_spectral_rnn)):
        shutil.copytree(path, tmp_path / "pretrained" / lesson / f"my_{lesson}")
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "pretrained")
    command_line.main(["export", "--pretrained", "--to", str(tmp_path / "out")])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["my_char_rnn"]
    assert "left out: a network of spectral_rnn cannot be exported yet" in capsys.readouterr().err


def test_all_that_come_trained_are_exported_and_played(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As they are in the image of the player."""
    command_line.main(["export", "--pretrained", "--to", str(tmp_path)])
    said = capsys.readouterr().err
    made = {path.name for path in tmp_path.iterdir()}
    for folder in pretrained.FOLDER.glob("*/*"):
        assert (folder.name in made) == (folder.parent.name != "spectral_rnn"), said
    # An image keeps whole seconds.
    times = [int(path.stat().st_mtime) for path in tmp_path.iterdir()]
    assert len(set(times)) == len(times)
    found = networks.found([tmp_path])
    assert {one.name for one in found} == made
    assert "left out" not in capsys.readouterr().err
    assert {one.name for one in found if one.net is None} == set()
    assert {one.name for one in found if one.page is None} == {"loops"}
    asked = {one.makes: one.name for one in networks.asked_by_osc(found)}
    assert asked == {"text": "verse", "notes": "tunes", "sound": "vowels", "loops": "loops"}


def test_something_has_to_be_exported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no network is named"):
        command_line.main(["export", "--to", str(tmp_path)])


WITHOUT = """
import sys
from workshop.player import command_line, networks, pages, server
from workshop.osc import serving
print(sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)))
"""


def test_it_needs_four_packages() -> None:
    said = subprocess.run([sys.executable, "-c", WITHOUT], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not {"tensorflow", "keras", "numba", "scipy", "librosa", "onnx", "tornado", "msgspec", "matplotlib"} & set(
        said.replace("'", " ").split()
    )
    names = {
        line.split("==")[0] for line in (ROOT / "requirements" / "player.txt").read_text().splitlines() if "==" in line
    }
    assert names >= {"numpy", "onnxruntime", "python-osc", "soundfile"}
    assert len(names) < 12


# ---- in a browser


@pytest.mark.slow
def test_a_browser_makes_loops_and_repeats_them(port: int, browser: Any) -> None:
    context = browser.new_context()
    troubles: list[str] = []
    page = context.new_page()
    page.on("request", lambda asked: asked.url.startswith((address, "data:")) or troubles.append(asked.url))
    page.on("console", lambda told: told.type != "error" or troubles.append(told.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    address = f"http://localhost:{port}/"
    page.goto(address)
    assert look_at(page) == {}
    page.click("text=beats & bars")
    page.wait_for_selector("#status:has-text('4 beats at 480 beats a minute, from 8 latent values.')")
    page.click("#random")
    page.wait_for_selector("#status:has-text('0.50 s, made in')")
    assert page.inner_text("#play") == "Silence"
    first = page.input_value("#seed")
    page.fill("#seed", "11")
    page.press("#seed", "Enter")
    page.wait_for_selector("#save[href='loop.wav?seed=11']")
    assert first != "11"
    assert look_at(page) == {}
    page.wait_for_selector("#make:enabled")
    page.click("#play")
    assert page.inner_text("#play") == "Play"
    page.fill("#seed", "x")
    page.press("#seed", "Enter")
    page.wait_for_selector("#status:has-text('A number is a whole one')")
    page.click("text=All networks")
    page.click("text=char_rnn-trained")
    page.wait_for_selector("#generate:enabled")
    page.fill("#length", "20")
    page.click("#generate")
    page.wait_for_selector("#status:has-text('20 characters in')")
    context.close()
    assert troubles == []
