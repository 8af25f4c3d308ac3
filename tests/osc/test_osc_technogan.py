"""Loops by OSC: the workshop's own addresses, and TechnoGAN's eleven commands in both of its languages."""

import random
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pythonosc")

from osc_clients import Client
from pythonosc.osc_message_builder import build_msg

from workshop.audio import loop_files
from workshop.errors import UserError
from workshop.osc import serving, technogan
from workshop.osc.kept import Kept
from workshop.osc.places import Places
from workshop.osc.server import HOST
from workshop.osc.serving import Served
from workshop.osc.technogan import seed

SIZE, RATE, SAMPLES = 64, 8000, 4000
SEED = [0.25] * SIZE


class Steps:
    """Loops that are as high as their first latent value, in place of a network."""

    latent_size, rate, samples, bpm, beats = SIZE, RATE, SAMPLES, 120.0, 1

    def __init__(self) -> None:
        self.asked: list[np.ndarray] = []

    def sounds(self, latents: np.ndarray) -> np.ndarray:
        self.asked.append(latents)
        if latents[0, 1] == 2.0:
            time.sleep(0.5)
        return np.repeat(latents[:, :1] / 4, SAMPLES, axis=1).astype(np.float32)

    def row(self, latents: np.ndarray) -> np.ndarray:
        return self.sounds(latents).reshape(-1)


@pytest.fixture
def net() -> Steps:
    return Steps()


@pytest.fixture
def client(net: Steps, tmp_path: Path) -> Iterator[Client]:
    kept = Kept([], Places(tmp_path, str(tmp_path)), tmp_path / "osc")
    with Client() as client, serving.serve([Served(net, "loops")], kept, client.deliver, HOST, 0) as server:
        client.to = server.port
        assert [client.hear(), client.hear()] == [["/ccret/init"], ["/ggret/init"]]
        yield client


def samples(path: str) -> np.ndarray:
    with wave.open(path) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767


# ---- the workshop's own addresses ------------------------------------------------------------------------------------


def test_a_loop_and_its_tempo(client: Client, net: Steps, tmp_path: Path) -> None:
    address, id, seconds, path = client.ask("/gan/generate", 3, *SEED)
    assert (address, id, path) == ("/gan/generate", 3, str(tmp_path / "osc" / "loop-000001.wav"))
    assert 0 <= seconds < 5
    assert len(samples(path)) == SAMPLES
    assert samples(path) == pytest.approx(np.full(SAMPLES, 0.0625), abs=1e-3)
    assert loop_files.tempo(Path(path).read_bytes()) == (1, 120.0)
    assert client.ask("/gan/info") == ["/gan/info", SIZE, RATE, SAMPLES, 120.0, 1]


def test_random_loops_and_walks_have_seeds(client: Client, net: Steps) -> None:
    for message in (["/gan/random", 1, 7], ["/gan/walk", 1, 3, 0.5, 7, *SEED]):
        assert client.ask(*message)[4] == 7
        client.ask(*message)
        assert np.array_equal(net.asked[-1], net.asked[-2])
    assert client.ask("/gan/random", 1)[4] >= 0


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_fade_begins_and_ends_where_it_should(steps: int, client: Client, net: Steps) -> None:
    here, there = [0.4] * SIZE, [-0.8] * SIZE
    sound = samples(client.ask("/gan/fade", 1, steps, *here, *there)[3])
    points = net.asked[-1]
    assert points.shape == (steps, SIZE)
    assert points[0] == pytest.approx(here)
    assert points[-1] == pytest.approx(there if steps > 1 else here)
    assert len(sound) == steps * SAMPLES
    assert sound[0] == pytest.approx(0.1, abs=1e-3)  # no sample of silence before it
    assert loop_files.tempo(Path(client.ask("/gan/fade", 1, steps, *here, *there)[3]).read_bytes()) == (steps, 120.0)


def test_there_and_back_goes_round(client: Client, net: Steps) -> None:
    assert len(samples(client.ask("/gan/pingpong", 1, 4, *[0.4] * SIZE, *[-0.8] * SIZE)[3])) == 4 * SAMPLES
    assert net.asked[-1][:, 0] == pytest.approx([0.4, -0.2, -0.8, -0.2], abs=0.01)


def test_another_rate_resamples_and_the_pitch_stays(client: Client) -> None:
    assert client.ask("/gan/rate", 16_000) == ["/gan/rate", 16_000]
    path = client.ask("/gan/generate", 1, *SEED)[3]
    with wave.open(path) as file:
        assert (file.getframerate(), file.getnframes()) == (16_000, 2 * SAMPLES)
    assert loop_files.tempo(Path(path).read_bytes()) == (1, 120.0)
    assert client.ask("/gan/rate", 3)[0] == "/error"


# ---- TechnoGAN's commands --------------------------------------------------------------------------------------------


def test_every_command_is_one_of_the_eleven() -> None:
    assert len(technogan.WORDS) == 11


@pytest.mark.parametrize("name", ["isalive", "isAlive", "ìsAlive", "/ìsAlive", "Ã¬sAlive", "/isAlive"])
def test_all_spellings_of_being_alive_answer(name: str, client: Client) -> None:
    assert client.ask(f"/cc/{name}") == ["/ccret/alive"]
    assert client.ask(f"/gg/{name}") == ["/ggret/alive", "True"]


def test_the_spellings_of_the_first_command_answer(client: Client) -> None:
    for name in ("/cc/initGenerator", "/cc/init_generator"):
        assert client.ask(name) == ["/ccret/msg", "the generator is initialized already"]


def test_answers_of_the_readme_are_typed(client: Client, tmp_path: Path) -> None:
    address, path, message = client.ask("/cc/generate_single_wav", *SEED)
    assert (address, path) == ("/ccret/wav", str(tmp_path / "osc" / "loop-000001.wav"))
    assert message.startswith("generated in 0.")
    address, id, path, message = client.ask("/cc/generate_single_wav_id", 5, *SEED)
    assert (address, id, Path(path).name) == ("/ccret/wav_id", 5, "loop-000002.wav")
    address, id, path, picture, message = client.ask("/cc/generate_single_wav_id_img", "slot5", *SEED)
    assert (address, id) == ("/ccret/wav_id_img", "slot5")
    assert Path(picture) == Path(path).with_suffix(".png")
    assert Path(picture).read_bytes().startswith(b"\x89PNG")
    address, path, message = client.ask("/cc/generate_random_fade", 3, 0.5, *SEED)
    assert (address, len(samples(path))) == ("/ccret/wav", 3 * SAMPLES)
    for command in ("generate_fade", "generate_pingpong"):
        address, id, path, message = client.ask(f"/cc/{command}", 4, *SEED, *SEED)
        assert (address, id, len(samples(path))) == ("/ccret/wav_id", 0, 4 * SAMPLES)
        assert client.ask(f"/cc/{command}", 9, 4, *SEED, *SEED)[:2] == ["/ccret/wav_id", 9]


def test_answers_of_the_program_are_one_text(client: Client, tmp_path: Path) -> None:
    folder = tmp_path / "osc"
    assert client.ask("/gg/generate_single_wav", *SEED) == ["/ggret/wav", f"{folder}/loop-000001.wav"]
    assert client.hear()[1].startswith("generated in 0.")
    assert client.ask("/gg/generate_single_wav_id", 5, *SEED) == ["/ggret/wav_id", f"5 {folder}/loop-000002.wav"]
    assert client.hear()[0] == "/ggret/msg"
    image = client.ask("/gg/generate_single_wav_id_img", 5, *SEED)
    assert image == ["/ggret/wav_id_img", f"5 {folder}/loop-000003.wav {folder}/loop-000003.png"]
    client.hear()
    assert client.ask("/gg/generate_fade", 7, 2, *SEED, *SEED)[1] == f"7 {folder}/fade-000004.wav"


def test_seeds_of_whole_numbers_stand_for_three(client: Client, net: Steps) -> None:
    client.ask("/cc/generate_single_wav", *[-128, 127] * 32)
    assert net.asked[-1][0, :2] == pytest.approx([-3.0, 127 * 3 / 128])
    client.ask("/cc/generate_single_wav", *[0.5, 1.0] * 32)
    assert net.asked[-1][0, :2] == pytest.approx([0.5, 1.0])
    assert seed([1, 0.5]) == pytest.approx([1.0, 0.5])
    for wrong in ([128], [-129], ["x"], [float("nan")], [True], [None]):
        with pytest.raises(UserError, match="is not a"):
            seed(wrong)


def test_the_rate_that_files_say_is_stamped_and_the_sound_stays(client: Client) -> None:
    before = samples(client.ask("/cc/generate_single_wav", *SEED)[1])
    assert client.ask("/cc/set_target_sr", 44_100)[0] == "/ccret/msg"
    path = client.ask("/cc/generate_single_wav", *SEED)[1]
    with wave.open(path) as file:
        assert file.getframerate() == 44_100
    assert np.array_equal(samples(path), before)
    beats, bpm = loop_files.tempo(Path(path).read_bytes()) or (0, 0)
    assert (beats, bpm) == (1, pytest.approx(120 * 44_100 / RATE))


def test_the_folder_is_asked_for_in_two_ways_and_is_confined(client: Client, tmp_path: Path) -> None:
    assert client.ask("/cc/set_target_dir", str(tmp_path / "osc" / "set"))[1] == str(tmp_path / "osc" / "set")
    for command in ("/cc/set_target_dir", "/cc/get_target_dir", "/gg/get_target_dir"):
        assert client.ask(command)[1] == str(tmp_path / "osc" / "set")
    address, sentence = client.ask("/gg/set_target_dir", "/etc")
    assert address == "/ggret/msg"
    assert "/etc is not in a folder that files may go to" in sentence


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (["/cc/generate_single_wav"], "it takes 64 arguments, and 0 were sent"),
        (["/cc/generate_single_wav", *SEED, 1.0], "it takes 64 arguments, and 65 were sent"),
        (["/gg/generate_fade", 1, 2, 3], "it takes 129 or 130 arguments"),
        (["/cc/generate_single_wav_id", "a b", *SEED], "has a space"),
        (["/cc/generate_single_wav_id", 1.5, *SEED], "is not an id"),
        (["/cc/generate_single_wav", *SEED[1:], "loud"], "is not a number"),
        (["/cc/generate_fade", 0, *SEED, *SEED], "0 is not a number of steps from 1 to 64"),
        (["/cc/generate_random_fade", 2, -1.0, *SEED], "-1 is not a morph"),
        (["/cc/generate_random_fade", 2.5, 1.0, *SEED], "is not a whole number"),
        (["/cc/set_target_sr", 0], "is not a rate"),
        (["/cc/set_target_sr"], "it takes 1 arguments"),
        (["/cc/isalive", 1], "it takes 0 arguments"),
        (["/cc/generate_single_wave", *SEED], 'did you mean "/cc/generate_single_wav"'),
        (["/gg/os.system", "ls"], "there is no /gg/os.system"),
        (["/gg/__init__"], "there is no"),
    ],
)
def test_mistakes_are_told_as_messages(message: list[Any], words: str, client: Client) -> None:
    address, sentence = client.ask(*message)
    assert address == f"/{message[0][1:3]}ret/msg"
    assert words in sentence


def test_a_newer_request_for_a_slot_is_made_instead(client: Client, net: Steps) -> None:
    client.send("/cc/generate_single_wav", *[2.0] * SIZE)
    while not net.asked:
        time.sleep(0.01)
    client.send("/cc/generate_single_wav_id", 1, *[0.1] * SIZE)
    client.send("/gg/generate_single_wav_id", 1, *[0.2] * SIZE)
    client.send("/cc/generate_single_wav_id", 1, *[0.3] * SIZE)
    address, message = client.hear()
    assert (address, message.split(" (")[0]) == ("/ccret/msg", "replaced: a newer request has id 1")
    assert [client.hear()[0] for _ in range(3)] == ["/ccret/wav", "/ccret/wav_id", "/ggret/wav_id"]
    assert [one[0, 0] for one in net.asked[1:]] == pytest.approx([0.3, 0.2])


def test_twenty_at_once_are_answered_in_order(client: Client) -> None:
    for number in range(20):
        client.send("/cc/generate_single_wav_id", number, *SEED)
    assert [client.hear()[1] for _ in range(20)] == list(range(20))


def test_noise_in_commands_is_answered_and_nothing_stops(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    draw = random.Random(11)
    real = [
        bytearray(build_msg(address, arguments).dgram)
        for address, arguments in (
            ("/cc/generate_single_wav_id", [1, *SEED]), ("/gg/generate_fade", [1, 2, *SEED, *SEED]),
            ("/cc/set_target_dir", ["x"]), ("/gan/fade", [1, 2, *SEED, *SEED]), ("/cc//ìsAlive", []),
        )
    ]  # fmt: skip
    for _ in range(300):
        packet = bytearray(draw.choice(real))
        for _ in range(draw.randrange(1, 8)):
            packet[draw.randrange(len(packet))] = draw.randrange(256)
        client.send_bytes(bytes(packet))
        client.send("/alive")
        while client.hear()[0] != "/alive":
            pass
    assert not [record for record in caplog.records if record.exc_info]
