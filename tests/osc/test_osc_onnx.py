"""A generator of loops from an ONNX file that says nothing of itself: pictures as TechnoGAN makes them become loops."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pythonosc")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import TensorProto, helper, numpy_helper
from osc_clients import Client

from workshop.errors import UserError
from workshop.osc import opening, serving
from workshop.osc.kept import Kept
from workshop.osc.onnx_loops import LOUDEST, LinearSpectrogram, opened
from workshop.osc.places import Places
from workshop.osc.server import HOST

#: Frequencies and frames of the pictures.
BANDS, FRAMES = 64, 32


def generator(path: Path, picture: np.ndarray, latents: int = 64, name: str = "x") -> Path:
    """An ONNX file whose picture [F, T] is this one for latents of zeros, in TechnoGAN's shape [1, F, T, 1]."""
    size = picture.size
    weights = np.zeros((latents, size), np.float32)
    weights[0] = 0.25
    nodes = [
        helper.make_node("MatMul", [name, "weights"], ["sum"]),
        helper.make_node("Add", ["sum", "bias"], ["flat"]),
        helper.make_node("Clip", ["flat", "low", "high"], ["clipped"]),
        helper.make_node("Reshape", ["clipped", "shape"], ["picture"]),
    ]
    constants = {
        "weights": weights, "bias": picture.astype(np.float32).reshape(1, -1), "low": np.float32(-1),
        "high": np.float32(1), "shape": np.array([1, *picture.shape, 1], np.int64),
    }  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "generator",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, latents])],
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, *picture.shape, 1])],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def picture_of(sound: np.ndarray, power: float) -> np.ndarray:
    """The picture [F, T] that TechnoGAN makes of a loop that is FRAMES quarters of a window long, from -1 to 1."""
    window = 2 * BANDS
    spectra = LinearSpectrogram.of(1000, FRAMES, BANDS, power, window).magnitudes(sound[None])[0]
    return (2 * (spectra[:, :BANDS].T / LOUDEST).clip(0, 1) ** (1 / power) - 1).astype(np.float32)


@pytest.fixture
def tone() -> np.ndarray:
    """A loop: a tone that goes round a whole number of times, with a beat in it."""
    count = FRAMES * BANDS // 2
    at = np.arange(count) / count
    return (0.5 * np.sin(2 * np.pi * 160 * at) * (1 + np.cos(2 * np.pi * 4 * at)) / 2).astype(np.float32)


@pytest.mark.parametrize("power", [2.0, 3.0])
def test_a_loop_comes_back_from_its_picture_as_loud_and_goes_round(
    power: float, tone: np.ndarray, tmp_path: Path
) -> None:
    net = opened(generator(tmp_path / "net.onnx", picture_of(tone, power)), power, rate=8000)
    assert (net.latent_size, net.samples, net.rate, net.beats) == (64, len(tone), 8000, 1)
    assert net.bpm == pytest.approx(60 * 8000 / len(tone))
    sound = net.sounds(np.zeros((1, 64)))[0]
    assert sound.shape == tone.shape
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(np.sqrt(np.mean(tone**2)), rel=0.05)
    wanted, found = (np.abs(np.fft.rfft(one)) for one in (tone, sound))
    assert np.linalg.norm(found - wanted) < 0.2 * np.linalg.norm(wanted)
    # At the seam it is as smooth as anywhere.
    assert abs(sound[0] - sound[-1]) <= np.percentile(np.abs(np.diff(sound)), 99)
    row = net.row(np.zeros((3, 64)))
    assert row.shape == (3 * len(tone),)
    assert np.abs(np.diff(row, append=row[0])).max() < 1.2 * np.abs(np.diff(sound)).max()


def test_the_loudest_value_is_the_loudest_sound(tmp_path: Path) -> None:
    """An 8-bit picture once made silence of it."""
    loud, soft = np.full((BANDS, FRAMES), -1.0), np.full((BANDS, FRAMES), -1.0)
    loud[20, 5:7], soft[20, 5:7] = 1.0, -0.2
    sounds = [
        opened(generator(tmp_path / f"{number}.onnx", one)).sounds(np.zeros((1, 64)))[0]
        for number, one in enumerate((loud, soft))
    ]
    assert np.abs(sounds[0]).max() > np.abs(sounds[1]).max() > 0.02
    assert np.abs(sounds[0]).max() <= 1


def test_arguments_that_the_file_does_not_say(tone: np.ndarray, tmp_path: Path) -> None:
    path = generator(tmp_path / "net.onnx", picture_of(tone, 3))
    net = opened(path, n_fft=256, beats=4, rate=16_000)
    assert (net.samples, net.beats, net.bpm) == (FRAMES * 64, 4, pytest.approx(240 * 16_000 / (FRAMES * 64)))
    with pytest.raises(UserError, match="--n_fft as a multiple of 8 from 128 on"):
        opened(path, n_fft=100)


def test_it_is_served_with_all_addresses(tone: np.ndarray, tmp_path: Path) -> None:
    path = generator(tmp_path / "net.onnx", picture_of(tone, 3), latents=16)
    served = opening.loaded([str(path)], lambda name: opened(Path(name)))
    kept = Kept([], Places(tmp_path, str(tmp_path)), tmp_path / "osc")
    with Client() as client, serving.serve(served, kept, client.deliver, HOST, 0) as server:
        client.to = server.port
        assert [client.hear(), client.hear()] == [["/ccret/init"], ["/ggret/init"]]
        assert client.ask("/alive") == ["/alive", "loops"]
        assert client.ask("/cc/generate_single_wav_id", 1, *[0] * 16)[:2] == ["/ccret/wav_id", 1]
        assert client.ask("/gan/fade", 1, 3, *[0.0] * 16, *[1.0] * 16)[0] == "/gan/fade"


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-50])


def noise(path: Path) -> None:
    path.write_bytes(np.random.default_rng(3).bytes(5000))


def missing(path: Path) -> None:
    path.unlink()


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def of_another_shape(path: Path) -> None:
    generator(path, np.zeros((4, 4)))


def not_finite(path: Path) -> None:
    generator(path, np.full((BANDS, FRAMES), np.nan))


@pytest.mark.parametrize("harm", [truncated, noise, missing, folder, of_another_shape, not_finite])
def test_a_damaged_or_foreign_file_is_refused_by_name(harm: Callable[[Path], None], tmp_path: Path) -> None:
    path = generator(tmp_path / "net.onnx", np.zeros((BANDS, FRAMES)))
    harm(path)
    with pytest.raises(UserError, match=str(path)):
        opened(path)


def test_a_network_of_another_kind_is_refused(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Add", ["a", "b"], ["c"])],
        "sum",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 64]) for name in "ab"],
        [helper.make_tensor_value_info("c", TensorProto.FLOAT, [1, 64])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = tmp_path / "sum.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match="not latent values"):
        opened(path)
