"""A generator of loops as an ONNX file: it computes what Keras computes, says what its pictures are, and sounds like
what `sample.py` makes, with four packages and no TensorFlow.
"""

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("pythonosc")

from exporting import loop_network
from keras import layers
from osc_clients import Client

from spectral_gan import export
from spectral_gan.model import NETWORKS, build
from workshop import ROOT, load
from workshop.audio import latents
from workshop.audio.limiting import limited
from workshop.audio.loop_meaning import LoopMeaning
from workshop.errors import UserError
from workshop.export import checking, command_line
from workshop.export.graph import Graph
from workshop.osc import opening, serving
from workshop.osc.exported_loops import ExportedLoops
from workshop.osc.kept import Kept
from workshop.osc.onnx_loops import opened
from workshop.osc.places import Places

Run = Callable[..., subprocess.CompletedProcess[str]]
Refused = Callable[..., str]

#: The packages that a loop needs, and those that they need.
PACKAGES = ("numpy", "onnxruntime", "soundfile", "cffi", "pycparser", "typing_extensions", "python-osc")

MEANING = LoopMeaning(8, 4000, 2000, 16, 16, 480.0, 4)


@pytest.mark.parametrize("name", NETWORKS)
def test_each_network_makes_the_pictures_of_keras(name: str) -> None:
    pair = build({"frames": 32, "bands": 48, "latent": 8, "channels": 4, "name": name, "seed": 3})
    rng = np.random.default_rng(1)
    for weight in pair.generator.weights:
        far = rng.normal(0, 0.3, weight.shape)
        weight.assign(0.5 + np.abs(far) if "variance" in weight.path else far)
    maker = export.maker(pair, {})
    graph = Graph()
    maker.add(graph)
    assert checking.difference_of_pictures(graph.model({}), maker) < 1e-4
    made = maker.reference(latents.drawn(4, 8, 1))
    assert made.shape == (4, 32, 48)
    assert np.abs(made[0] - made[1]).max() > 0.1


def test_an_unknown_layer_is_named() -> None:
    pair = build({"frames": 16, "bands": 16, "latent": 8, "channels": 4, "name": "default", "seed": 3})
    pair.generator.parts.append(layers.GaussianNoise(0.1, name="mine"))
    with pytest.raises(UserError, match="because mine is a GaussianNoise"):
        export.maker(pair, {})


# ---- what a file says


def said(**changes: Any) -> dict[str, str]:
    return {name: json.dumps(value) for name, value in (MEANING.entries() | changes).items()}


def test_what_a_file_says_comes_back() -> None:
    assert LoopMeaning.read(said()) == MEANING
    assert LoopMeaning.read({}) is None
    assert LoopMeaning.read({"kind": '"text"'}) is None
    other = replace(MEANING, scale="constant_q")
    assert LoopMeaning.read(said(scale="constant_q")) == other
    assert other.spectrogram.in_bands.scale == "constant_q"
    texts = said()
    del texts["scale"]  # as in files from before there was a choice
    assert LoopMeaning.read(texts) == MEANING


@pytest.mark.parametrize(
    "changes",
    [
        {"latent": "8"}, {"samples": 0}, {"samples": 1 << 40}, {"beats": 0}, {"beats": True}, {"sample_rate": 3},
        {"frames": 1 << 30}, {"bands": 0}, {"bands": 3000}, {"bpm": float("nan")}, {"bpm": -1}, {"top": 7.0},
        {"frames": 2}, {"scale": 3}, {"scale": "bark"},
    ],
)  # fmt: skip
def test_what_cannot_be_is_no_meaning(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        LoopMeaning.read(said(**changes))


def test_what_is_missing_is_named() -> None:
    texts = said()
    del texts["bpm"]
    with pytest.raises(ValueError, match="it does not say its bpm"):
        LoopMeaning.read(texts)


@pytest.mark.parametrize("changes", [{"latent": 9}, {"frames": 32}, {"bands": 8}, {"samples": 5}])
def test_a_file_that_says_something_else_than_it_does_is_damaged(changes: dict[str, Any], tmp_path: Path) -> None:
    path = loop_network(tmp_path / "net.onnx", MEANING.entries() | changes)
    with pytest.raises(UserError, match=f"{path} is damaged"):
        opened(path)


def test_the_arguments_for_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"says itself what it makes: leave out --power"):
        opened(loop_network(tmp_path / "net.onnx", MEANING.entries()), beats=4)


# ---- without TensorFlow

PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from workshop.osc import serving
from workshop.osc.kept import Kept
from workshop.osc.loops import LoopFiles
from workshop.osc.onnx_loops import opened
from workshop.osc.places import Places
folder = Path(sys.argv[1])
net = opened(folder / "net.onnx")
files = LoopFiles(net, Kept([], Places(folder, str(folder)), folder / "osc"))
files.rate = 8000
print(files.write("loop", np.zeros((1, net.latent_size)), has_picture=True)[0])
with serving.serve([serving.Served(net, "loops")], files.kept, lambda datagram: None, "127.0.0.1", 0) as server:
    print(server.answers(b"/alive\\0\\0,\\0\\0\\0"))
print(sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)))
"""


def only(packages: tuple[str, ...], site: Path) -> Path:
    """A folder of packages that holds these and nothing else."""
    site.mkdir()
    for package in packages:
        found = importlib.metadata.distribution(package)
        tops = {file.parts[0] for file in found.files or []} - {".."}
        for top in tops - {"__pycache__"}:
            (site / top).symlink_to(str(found.locate_file(top)))
    return site


def test_it_plays_with_four_packages(tmp_path: Path) -> None:
    site = only(PACKAGES, tmp_path / "site")
    loop_network(tmp_path / "net.onnx", MEANING.entries())
    command = [sys.executable, "-S", "-c", PROGRAM, str(tmp_path)]
    environment = {"PYTHONPATH": f"{ROOT}:{site}", "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    path, answer, _ = done.stdout.splitlines()
    assert answer == "[('/alive', ['loops'])]"
    sound, rate = soundfile.read(path)
    assert (rate, len(sound)) == (8000, 4000)
    assert Path(path).with_suffix(".png").read_bytes().startswith(b"\x89PNG")


# ---- a trained network


@pytest.mark.slow
def test_an_experiment_is_exported_and_sounds_the_same(
    trained_spectral_gan: Path, run_main: Run, refused: Refused, tmp_path: Path
) -> None:
    done = run_main(command_line, trained_spectral_gan, "--to", "out")
    assert "compared with Keras over 8 pictures: the values, up to 1.0, differ by at most " in done.stdout
    path = tmp_path / "out" / "model.onnx"
    assert f"-m workshop.osc {path.relative_to(tmp_path)}" in done.stdout
    assert sorted(file.name for file in path.parent.iterdir()) == ["README.txt", "model.json", "model.onnx"]
    assert "480 a minute" in (path.parent / "README.txt").read_text("utf-8")
    net, (served,) = load(trained_spectral_gan), opening.loaded([str(path)], lambda name: opened(Path(name)))
    points = latents.drawn(3, 8, 5)
    assert isinstance(served.net, ExportedLoops)
    # The same pictures but for rounding, which can decide between phases that are equally good; and of equal pictures
    # the same sound to the bit.
    np.testing.assert_allclose(served.net.pictures(points), net.pictures(points), atol=1e-5)
    assert limited(served.net.spectrogram.sounds(net.pictures(points))).tobytes() == net.sounds(points).tobytes()
    played = served.net.sounds(points)
    kept = Kept([], Places(tmp_path, str(tmp_path)), tmp_path / "osc")
    with Client() as client, serving.serve([served], kept, client.deliver, "127.0.0.1", 0) as server:
        client.to = server.port
        for _ in range(2):
            client.hear()
        assert client.ask("/gan/info") == ["/gan/info", 8, 4000, 2000, 480.0, 4]
        file = client.ask("/gan/generate", 1, *map(float, points[0]))[3]
    sound, rate = soundfile.read(file, dtype="float32")
    assert rate == 4000
    np.testing.assert_allclose(sound, played[0], atol=1e-3)
    assert "leave it out for loops" in refused(command_line, trained_spectral_gan, "--to", "page", "--page")
    half = run_main(command_line, trained_spectral_gan, "--to", "half", "--half")
    assert "rounded to float16" in half.stdout
