"""Networks of every lesson behind the OSC server, with python-osc as the client."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pythonosc")

from free_ports import free_port
from osc_clients import Client
from pythonosc.osc_message_builder import build_msg
from pythonosc.udp_client import SimpleUDPClient
from tiny import TRAINED

from workshop import ROOT, load
from workshop.audio.generated import GeneratedSound
from workshop.errors import UserError
from workshop.osc import command_line, delivery, opening, serving, slots
from workshop.osc.kept import Kept
from workshop.osc.onnx_loops import opened
from workshop.osc.page import OpenPages
from workshop.osc.places import Places
from workshop.osc.server import HOST, packed
from workshop.osc.serving import Served
from workshop.text.generated import GeneratedText

#: Of what is generated: characters, symbols and seconds.
LENGTHS = {"text": 50, "notes": 30, "sound": 0.1}


class Writer:
    """Writes the length and the seed that it is asked for, in place of a network of texts."""

    def generate(self, prompt: str = "", length: int = 500, temperature: float = 1, seed: int = 0) -> GeneratedText:
        if length == 13:
            raise ZeroDivisionError
        return GeneratedText(f"{prompt}{length} {temperature:g} {seed}" + "ü" * (length - 20))


class Hummer:
    """Hums, in place of a network of sound."""

    def generate(self, seconds: float = 10, seed: int = 0, **more: Any) -> GeneratedSound:
        if "condition" in more:
            raise UserError(f"there is no condition {more['condition']}")
        return GeneratedSound(np.zeros(round(seconds * 1000), np.float32), 1000)


class Looper:
    """Makes loops of silence, in place of a network of loops."""

    latent_size, rate, samples, bpm, beats = 2, 1000, 100, 120.0, 1

    def sounds(self, latents: np.ndarray) -> np.ndarray:
        return np.zeros((len(latents), self.samples), np.float32)

    def row(self, latents: np.ndarray) -> np.ndarray:
        return self.sounds(latents).reshape(-1)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    networks = [Served(Writer(), "text"), Served(Hummer(), "sound")]
    kept = Kept([], Places(tmp_path, str(tmp_path)), tmp_path / "osc")
    with Client() as client, serving.serve(networks, kept, client.deliver, HOST, 0) as server:
        client.to = server.port
        yield client


def test_a_request_is_answered_once_with_its_id_and_a_new_file(client: Client, tmp_path: Path) -> None:
    address, id, seconds, path, seed, text = client.ask("/text/generate", 7, 12, 0.5, 3, "oh ")
    assert (address, id, seed, text) == ("/text/generate", 7, 3, "oh 12 0.5 3")
    assert 0 <= seconds < 5
    assert Path(path) == tmp_path / "osc" / "text-000001.txt"
    assert Path(path).read_text() == "oh 12 0.5 3\n"
    address, id, _, path, seed = client.ask("/sound/generate", "a slot", 0.25)
    assert (address, id, 0 <= seed < 1 << 31) == ("/sound/generate", "a slot", True)
    with wave.open(path) as file:
        assert (file.getframerate(), file.getnframes()) == (1000, 250)
    assert client.hears_nothing()


def test_a_long_text_is_in_its_file(client: Client) -> None:
    *_, path, _, text = client.ask("/text/generate", 1, 5000)
    assert len(text.encode()) <= 1000
    assert Path(path).read_text().startswith(text)
    assert len(Path(path).read_text()) > 4000


def test_twenty_at_once_by_another_library_are_answered_in_order(client: Client) -> None:
    with SimpleUDPClient(HOST, client.to) as other:
        for number in range(20):
            other.send_message("/text/generate", [number, 20])
    assert [client.hear()[:2] for _ in range(20)] == [["/text/generate", number] for number in range(20)]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (["/text/generate"], "it takes 1 to 5 arguments, and 0 were sent"),
        (["/text/generate", 1, "long"], "is not a whole number"),
        (["/text/generate", 1, 20_001], "20001 is not from 0 to 20,000"),
        (["/text/generate", 1, -1], "is not from 0 to 20,000"),
        (["/text/generate", 1, 13], "should not"),
        (["/text/generate", [1.5]], "is not an id"),
        (["/text/generate", 1, 12, 0.5, 1, "x", "y"], "6 were sent"),
        (["/sound/generate", 1, 61.0], "61 is not from 0 to 60"),
        (["/sound/generate", 1, 1.0, 1.0, 1, "/etc/passwd"], "is not read"),
        (["/sound/generate", 1, 1.0, 1.0, 1, "", "rain"], "no condition rain"),
        (["/notes/generate", 1], "there is no /notes/generate"),
        (["/folder", "/etc"], "--allow FOLDER"),
    ],
)
def test_a_mistake_is_answered_by_a_sentence(message: list[Any], words: str, client: Client) -> None:
    address, sentence, *rest = client.ask(*message)
    assert address == "/error"
    assert words in sentence
    if message[1:2] == [1] and "there is no /" not in sentence:
        assert rest[0] == 1
    assert client.ask("/alive") == ["/alive", "text", "sound"]


def test_the_folder_is_asked_for_and_changed(client: Client, tmp_path: Path) -> None:
    assert client.ask("/folder") == ["/folder", str(tmp_path / "osc")]
    assert client.ask("/folder", "new") == ["/folder", str(tmp_path / "osc" / "new")]
    assert client.ask("/text/generate", 1)[3] == str(tmp_path / "osc" / "new" / "text-000001.txt")


def datagrams(count: int, seed: int) -> Iterator[bytes]:
    """Packets that are no OSC: noise, and messages with bytes that are changed, left out or put in."""
    draw = random.Random(seed)
    real = [packed("/text/generate", [1, 2, 0.5, 3, "x"]), packed("/folder", ["x"]), b"#bundle\0" + bytes(8)]
    for _ in range(count):
        packet = bytearray(draw.choice([*real, draw.randbytes(draw.randrange(60))]))
        for _ in range(draw.randrange(1, 6)):
            place = draw.randrange(len(packet) + 1)
            packet[place : place + draw.randrange(3)] = draw.randbytes(draw.randrange(3))
        yield bytes(packet)


def test_two_thousand_packets_of_noise_are_answered_and_nothing_stops(
    client: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for number, packet in enumerate(datagrams(2000, seed=5)):
        client.send_bytes(packet)
        if number % 20 == 0:  # so that no answer is lost on the way
            client.send("/alive")
            while client.hear()[0] != "/alive":
                pass
    client.send("/alive")
    while client.hear()[0] != "/alive":
        pass
    assert "Traceback" not in capsys.readouterr().err
    assert not [record for record in caplog.records if record.exc_info]
    assert {path.name for path in tmp_path.iterdir()} == {"osc"}


def test_it_listens_on_loopback_and_refuses_a_port_that_is_taken(client: Client, tmp_path: Path) -> None:
    kept = Kept([], Places(tmp_path, str(tmp_path)), tmp_path / "osc")
    with pytest.raises(UserError, match="is not available"):
        serving.serve([], kept, client.deliver, HOST, client.to)
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None)} - {HOST, "::1"}
    for address in (str(other) for other in others if ":" not in str(other)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, client.to))  # which would be taken, if it listened there


def test_answers_go_where_they_should(capfd: pytest.CaptureFixture[str]) -> None:
    with Client() as client:
        with delivery.ToPort("localhost", client.port) as deliver:
            deliver(packed("/x", [1]))
        assert client.hear() == ["/x", 1]
    with pytest.raises(UserError, match=r"no host 'a\.\.b'"):
        delivery.ToPort("a..b", 9)
    with delivery.ToPort("127.0.0.1", free_port(socket.SOCK_DGRAM)) as deliver:
        for _ in range(2):
            deliver(b"nobody listens")
    delivery.to_output(build_msg("/x", []).dgram)
    assert capfd.readouterr().out == "osc \\x2f\\x78\\x00\\x00\\x2c\\x00\\x00\\x00\n"
    assert delivery.read_address("10101") == ("127.0.0.1", 10101)
    assert delivery.read_address("[::1]:3") == ("::1", 3)
    with pytest.raises(UserError, match="which is not a port"):
        delivery.read_address("somewhere")
    with pytest.raises(UserError, match="there is no host"):
        delivery.ToPort("no.such.host.invalid", 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["verse", "--answer_to", "10102"], "where the server itself listens"),
        (["verse", "--allow", "/no/such"], "there is no such folder"),
        (["no_such_experiment"], "there is no experiment"),
        (["verse", "verse"], "both make text"),
    ],
)
def test_what_cannot_be_served_is_said_before_it_begins(words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        command_line.main(words)


@pytest.mark.slow
@pytest.mark.parametrize("lesson", TRAINED)
def test_every_lesson_is_served(lesson: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    served = opening.loaded([str(request.getfixturevalue(TRAINED[lesson]))], lambda name: opened(Path(name)))
    kept = Kept([], Places(tmp_path, str(tmp_path)), tmp_path / "osc")
    makes = served[0].makes
    asked, length = ("/gan/random", []) if makes == "loops" else (f"/{makes}/generate", [LENGTHS[makes], 0.7])
    with Client() as client, serving.serve(served, kept, client.deliver, HOST, 0) as server:
        client.to = server.port
        for _ in range(2 if makes == "loops" else 0):
            assert client.hear()[0].endswith("/init")
        address, id, _, path, seed, *_ = client.ask(asked, 1, *length, 11)
        assert (address, id, seed) == (asked, 1, 11)
        again = client.ask(asked, 2, *length, 11)[3]
        assert Path(path).stat().st_size > 0
        if makes != "notes":  # a MIDI file holds its own name
            assert Path(path).read_bytes() == Path(again).read_bytes()


@pytest.mark.slow
def test_the_command_serves_until_it_is_ended(trained: Path, tmp_path: Path, run_script: Callable[..., Any]) -> None:

    with Client() as client:
        client.to = free_port(socket.SOCK_DGRAM)
        words = [str(trained), "--port", str(client.to), "--answer_to", str(client.port), "--allow", str(tmp_path)]
        command = [sys.executable, "-m", "workshop.osc", *words]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            said = ""
            while "files go to" not in said:
                said = process.stderr.readline()
                assert said, "it has ended"
            assert client.ask("/folder", str(tmp_path)) == ["/folder", str(tmp_path)]
            path = client.ask("/text/generate", 1, 40, 1.0, 5)[3]
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        assert Path(path).read_text() == f"{load(trained).generate(length=40, temperature=1.0, seed=5)}\n"


@pytest.mark.slow
def test_without_a_network_the_slots_of_the_page_are_there() -> None:
    with Client() as client:
        client.to = free_port(socket.SOCK_DGRAM)
        command = [sys.executable, "-m", "workshop.osc", "--port", str(client.to), "--answer_to", str(client.port)]
        env = {**os.environ, "WORKSHOP_PORT_PLAY": str(free_port())}
        with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            said = [process.stderr.readline() for _ in range(3)]
            assert "no network is named, so only the slots" in said[1], said
            address, sentence = client.ask("/slots/tempo", 90)
            assert (address, "the page's server does not answer" in sentence) == ("/error", True)
            assert client.ask("/slots/tempo", 9000)[1] == "/slots/tempo: 9000 is not a tempo from 20 to 999"
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0


PAGE = (ROOT / "docs" / "osc.md").read_text("utf-8")


def test_the_page_lists_the_addresses_that_there_are(tmp_path: Path) -> None:
    networks = [Served(Writer(), makes) for makes in ("text", "notes", "sound")] + [Served(Looper(), "loops")]
    kept = Kept([], Places(tmp_path, str(tmp_path)), tmp_path / "osc")
    more = slots.routes(OpenPages("token"))
    with Client() as client, serving.serve(networks, kept, client.deliver, HOST, 0, more) as server:
        client.to = server.port
        assert [client.hear()[0], client.hear()[0]] == ["/ccret/init", "/ggret/init"]
        client.send("/help")
        there = {}
        while (answer := client.hear())[1] != "/help":
            there[answer[1]] = answer[2]
    rows = {address: arguments for address, arguments in re.findall(r"^\| `(/\S+)` \| (.*?) \|", PAGE, re.MULTILINE)}
    old = {address for address in there if address.startswith("/gg/")}
    assert rows.keys() == there.keys() - old | {"/help"}
    assert {address.replace("/gg/", "/cc/") for address in old} == {name for name in rows if name.startswith("/cc/")}
    for address in rows:
        if address.endswith("/generate") and "gan" not in address:
            assert there[address].endswith(rows[address])
        elif address.startswith("/cc/generate"):
            assert there[address].split(": ")[1] == rows[address]


def test_the_client_of_the_page_asks_and_hears(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    heard = free_port(socket.SOCK_DGRAM)
    code = code.replace("10101", str(heard)).replace("10102", str(client.to))
    client.port = heard
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert re.match(r"/text/generate 1 0\.\d+ /.*text-000001\.txt \d+ 80 0\.7 ", done.stdout)
