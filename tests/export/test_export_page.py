"""The exported page in a real browser: it computes what Keras computes, generates, and asks nobody for anything."""

import functools
import http.server
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from accessible import look_at
from exporting import H, V, own, recurrent_layer
from keras import layers

from midi_rnn.encoding import ENCODINGS
from midi_rnn.export import meaning
from wavenet import export as wavenet_export
from wavenet.model import Shape, WaveNet
from workshop import load
from workshop.audio import mu_law
from workshop.errors import UserError
from workshop.export import command_line, play, recurrent
from workshop.export.step import Step
from workshop.export.web_page import Page
from workshop.networks.sequence import SequenceModel, WindowDropout
from workshop.run.trained import named

Open = Callable[[Path], Any]
Run = Callable[..., subprocess.CompletedProcess[str]]
Refused = Callable[..., str]

#: Symbols, and units of a layer.
STEPS = 50
#: Reads symbols one by one; returns all logits.
READ = """async ([symbols, condition]) => {
  const { Network } = await import("/network.js");
  const network = await Network.load();
  network.condition = condition;
  return symbols.map((symbol) => Array.from(network.read(symbol)));
}"""
#: Generates a symbol for each random number; returns the text.
GENERATE = """async ([prompt, temperature, uniform]) => {
  const { Network } = await import("/network.js");
  const network = await Network.load();
  const numbers = uniform.values();
  const generated = network.generate(prompt, temperature, () => numbers.next().value);
  return uniform.map(() => network.about.symbols[generated.next().value]).join("");
}"""
NOTES = """async (lists) => {
  const { notesOf } = await import("/notes.js");
  const about = await (await fetch("network.json")).json();
  return lists.map((symbols) => notesOf(symbols, about));
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Says nothing."""

    def log_message(self, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def visit(browser: Any) -> Iterator[Open]:
    """Serve a folder, open its page, and see that nothing else is asked for and that no error is told."""
    servers: list[http.server.ThreadingHTTPServer] = []
    context = browser.new_context()
    troubles: list[str] = []

    def go(folder: Path) -> Any:
        server = http.server.ThreadingHTTPServer(("localhost", 0), functools.partial(Quiet, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        address = f"http://localhost:{server.server_port}/"
        page = context.new_page()
        page.on("request", lambda asked: asked.url.startswith((address, "data:")) or troubles.append(asked.url))
        page.on("console", lambda told: told.type != "error" or troubles.append(told.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(address)
        page.wait_for_selector("#generate:enabled")
        return page

    yield go
    context.close()
    for server in servers:
        server.shutdown()
        server.server_close()
    assert troubles == []


def written(folder: Path, experiment: Path, model: SequenceModel | None = None, weights: str = "float16") -> Path:
    """A page of the network of an experiment, or of another one with its description."""
    net = load(experiment)
    step = net.exported()
    if model:
        net.__dict__["model"] = model
    Page(net, step, weights).write(folder)
    return folder


def difference(page: Any, step: Step) -> float:
    """The largest difference of logits between a page and Keras, over 50 steps with each condition."""
    symbols = np.random.default_rng(1).integers(step.symbols, size=step.context + STEPS)
    numbers = np.arange(max(step.conditions, 1))
    # [N, C, V]
    expected = step.reference(np.repeat(symbols[:, None], len(numbers), axis=1), numbers)
    assert np.abs(expected).max() > 0.1
    for other in range(1, len(numbers)):
        assert np.abs(expected[:, other] - expected[:, other - 1]).max() > 0.05
    read = [page.evaluate(READ, [symbols.tolist(), number]) for number in numbers.tolist()]
    return float(np.abs(np.stack(read, axis=1)[step.context :] - expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("conditions", [0, 3])
@pytest.mark.parametrize("kind", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_a_browser_gives_the_logits_of_keras(
    kind: type, conditions: int, visit: Open, trained: Path, tmp_path: Path
) -> None:
    model = own(
        recurrent_layer(kind, name="one"), WindowDropout(0.5), layers.Dense(5, activation="relu", use_bias=False),
        recurrent_layer(kind, name="two"), layers.Dense(7, activation="tanh"), conditions=conditions,
    )  # fmt: skip
    step = recurrent.step(model, {})
    assert difference(visit(written(tmp_path / "whole", trained, model, "float32")), step) < 1e-4
    assert 1e-6 < difference(visit(written(tmp_path / "half", trained, model)), step) < 0.05


@pytest.mark.slow
def test_dropout_may_stand_before_the_first_recurrent_layer(visit: Open, trained: Path, tmp_path: Path) -> None:
    model = own(WindowDropout(0.5), recurrent_layer(layers.GRU), conditions=2)
    assert difference(visit(written(tmp_path, trained, model, "float32")), recurrent.step(model, {})) < 1e-4


@pytest.mark.slow
def test_the_same_random_numbers_give_the_text_of_the_workshop(visit: Open, trained: Path, tmp_path: Path) -> None:
    net = load(trained)
    start, length = net.start("oh my").tolist(), 200
    uniform = np.random.default_rng(3).random(len(start) - 1 + length)[len(start) - 1 :]
    page = visit(written(tmp_path, trained, weights="float32"))
    text = page.evaluate(GENERATE, [start, 0.8, uniform.tolist()])
    assert f"oh my{text}" == net.generate(prompt="oh my", length=length, temperature=0.8, seed=3)


@pytest.mark.slow
def test_a_text_is_written_and_stopped(visit: Open, trained: Path, tmp_path: Path) -> None:
    folder = written(tmp_path, trained)
    page = visit(folder)
    assert difference(page, load(trained).exported()) < 0.01
    page.fill("#prompt", "oh my")
    page.fill("#length", "300")
    page.click("#generate")
    page.wait_for_selector("#status:has-text('300 characters in')")
    text = page.inner_text("#text")
    assert text.startswith("oh my")
    assert len(page.text_content("#text")) == 305
    assert set(page.text_content("#text")) <= set(load(trained).symbols[1:])
    page.fill("#prompt", "oh me\u0301")  # as it is spelled on a Mac, and in no text that the network was trained on
    page.fill("#length", "10")
    page.click("#generate")
    page.wait_for_selector("#status:has-text('10 characters in')")
    assert page.text_content("#text").startswith("oh m\u00e9")
    page.fill("#length", "100000000")
    page.click("#generate")
    page.wait_for_selector("#status:has-text('of 100,000,000')")
    page.click("#stop")
    page.wait_for_selector("#generate:enabled")
    assert 0 < len(page.text_content("#text")) < 100_000_000
    assert look_at(page) == {}


@pytest.mark.slow
def test_notes_are_drawn_and_played(visit: Open, trained_midi: Path, tmp_path: Path) -> None:
    page = visit(written(tmp_path, trained_midi))
    page.fill("#length", "200")
    page.click("#generate")
    page.wait_for_selector("#status:has-text('200 steps in')")
    assert page.is_visible("#roll-canvas")
    drawn = (
        "[...document.getElementById('roll-canvas').getContext('2d').getImageData(0, 0, 2000, 500).data].some(Boolean)"
    )
    assert page.evaluate(drawn)
    page.click("#play")
    assert page.inner_text("#play") == "Silence"
    page.click("#play")
    assert page.inner_text("#play") == "Play"


class Facts:
    """What `meaning` reads of the data."""

    def __init__(self, encoding: str):
        self.allowed_symbols, self.tempo, self.warm_up = list(range(ENCODINGS[encoding].vocab_size)), 120.0, [0]
        self.limits = None


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_browser_reads_notes_as_the_program_does(
    encoding: str, visit: Open, trained_midi: Path, trained_performance: Path, tmp_path: Path
) -> None:
    folder = written(tmp_path, trained_midi if encoding == "melody" else trained_performance)
    about: dict[str, Any] = meaning(ENCODINGS[encoding], Facts(encoding))  # type: ignore[arg-type]
    few = [number for number, (word, value) in enumerate(about["symbols"]) if word not in ("on", "off") or value < 3]
    rng = np.random.default_rng(0)
    lists = [rng.choice(few, size=length).tolist() for length in range(0, 240, 4)]
    found = visit(folder).evaluate(NOTES, lists)
    assert found == [[list(note) for note in play.notes_of(symbols, about)] for symbols in lists]
    assert sum(map(len, found)) > 100


def test_a_page_says_what_the_network_is(trained: Path, tmp_path: Path) -> None:
    folder = written(tmp_path / "page", trained)
    names = ["blocks.js", "index.html", "network.bin", "network.js", "network.json", "notes.js", "page.css", "page.js"]
    names += ["products.js", "sound.js"]
    assert sorted(path.name for path in folder.iterdir()) == names
    for path in folder.glob("*.[hjc]*"):
        assert "http" not in path.read_text("utf-8").replace("http-equiv", ""), "nothing is asked for elsewhere"
    model = load(trained).model
    table = model.prepare()[1]
    dense = model.sequence[-1]
    numbers = sum(int(np.prod(part.shape)) for part in (*table, *dense.weights))
    assert (folder / "network.bin").stat().st_size == 2 * numbers


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (lambda: layers.LayerNormalization(name="mine"), "cannot run mine, a LayerNormalization"),
        (lambda: layers.Dense(H, activation="gelu", name="mine"), "cannot run mine, a Dense"),
        (lambda: recurrent_layer(layers.GRU, reset_after=False, name="mine"), "cannot run mine, a GRU"),
        (lambda: layers.Embedding(3, 3, name="mine"), "cannot run mine, a Embedding"),
    ],
)
def test_a_layer_that_the_page_does_not_know(layer: Callable, said: str, trained: Path, tmp_path: Path) -> None:
    model = SequenceModel([layers.Embedding(V, H), recurrent_layer(layers.GRU), layer(), layers.Dense(V)])
    with pytest.raises(UserError, match=said):
        written(tmp_path, trained, model)


def test_the_command_writes_a_page(trained: Path, run_main: Run, refused: Refused, tmp_path: Path) -> None:
    done = run_main(command_line, trained, "--to", "out", "--page")
    assert done.returncode == 0
    assert "written: out/network.bin (" in done.stdout
    assert "python -m http.server 8000 --directory out\n" in done.stdout
    assert "holds an export already: add --overwrite" in refused(command_line, trained, "--to", "out", "--page")
    assert run_main(command_line, trained, "--to", "out", "--page", "--overwrite").returncode == 0
    page = sorted(path.name for path in Path("out").iterdir())
    assert run_main(command_line, trained, "--to", "out", "--overwrite").returncode == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["README.txt", "model.json", "model.onnx", "play.py"]
    assert run_main(command_line, trained, "--to", "out", "--page", "--overwrite").returncode == 0
    assert sorted(path.name for path in Path("out").iterdir()) == page


@pytest.mark.slow
@pytest.mark.parametrize("conditions", [0, 3])
@pytest.mark.parametrize(("stacks", "depth", "width"), [(2, 4, 2), (1, 3, 3), (1, 1, 2)])
def test_a_browser_gives_the_logits_of_a_wavenet(
    stacks: int, depth: int, width: int, conditions: int, visit: Open, trained_wavenet: Path, tmp_path: Path
) -> None:
    model = WaveNet(Shape(stacks, depth, width, 5, 4, 7, conditions), seed=1)
    for bias in (*model.biases, *model.residual_biases, model.skip_bias, model.hidden_bias, model.output_bias):
        bias.assign(np.random.default_rng(0).normal(0, 0.5, bias.shape))
    net = load(trained_wavenet)
    step = wavenet_export.step(model, net.exported().meaning)
    for weights, largest in (("float32", 1e-4), ("float16", 0.05)):
        Page(net, step, weights).write(tmp_path / weights)
        assert difference(visit(tmp_path / weights), step) < largest


@pytest.mark.slow
@pytest.mark.parametrize("fixture", ["trained_wavenet", "trained_audio_rnn"])
def test_a_sound_is_made_heard_and_saved(
    fixture: str, visit: Open, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = written(tmp_path / "page", request.getfixturevalue(fixture), weights="float32")
    net = load(request.getfixturevalue(fixture))
    page = visit(folder)
    assert difference(page, net.exported()) < 1e-4
    assert page.inner_text("#unit") == "Seconds"
    for wrong in ("a few", "-1", "1e9"):
        page.fill("#length", wrong)
        page.click("#generate")
        assert page.inner_text("#status") == f"Seconds: '{wrong}' is not a number above 0 and at most 600."
    page.fill("#length", "0,5")
    page.click("#generate")
    page.wait_for_selector("#generate:enabled")
    assert re.fullmatch(
        rf"{net.rate // 2:,} samples in .+ s, .+ times as fast as it plays.*", page.inner_text("#status")
    )
    page.wait_for_selector("#play:has-text('Play')")
    page.click("#play")
    assert page.inner_text("#play") == "Silence"
    page.click("#play")
    assert page.inner_text("#play") == "Play"
    with page.expect_download() as download:
        page.click("#save")
    saved = download.value
    assert saved.suggested_filename == f"{net.experiment.path.name}.wav"
    samples, rate = soundfile.read(saved.path(), dtype="float32")
    assert (rate, len(samples)) == (net.rate, net.rate // 2)
    levels = mu_law.decode(np.arange(mu_law.LEVELS))
    assert np.abs(samples[:, None] - levels).min(axis=1).max() < 1e-4
    page.fill("#length", "600")
    page.click("#generate")
    page.wait_for_selector("#status:has-text('; ')")
    page.click("#stop")
    page.wait_for_selector("#generate:enabled")


@pytest.mark.slow
def test_a_vowel_is_chosen_by_its_name(visit: Open, tmp_path: Path) -> None:
    net = named("vowels")
    Page(net, net.exported(), "float32").write(tmp_path)
    page = visit(tmp_path)
    assert difference(page, net.exported()) < 1e-3
    names = page.get_by_label("Sound")
    assert names.locator("option").all_inner_texts() == ["a", "e", "i", "o", "u"]
    page.fill("#length", "0.5")
    shares = {}
    for name in "ai":
        names.select_option(label=name)
        page.click("#generate")
        page.wait_for_selector("#generate:enabled")
        with page.expect_download() as download:
            page.click("#save")
        sound, rate = soundfile.read(download.value.path())
        power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
        # The first two formants of an a are at 730 and 1,090 Hz; an i has one below them, and one above.
        between, above = np.searchsorted(np.fft.rfftfreq(len(sound), 1 / rate), [500, 1300])
        shares[name] = power[between:above].sum() / power.sum()
    assert shares["a"] > 0.7
    assert shares["i"] < 0.1
    assert look_at(page) == {}


@pytest.mark.slow
def test_whether_a_device_keeps_up_is_decided_once_it_is_known(visit: Open, trained: Path, tmp_path: Path) -> None:
    page = visit(written(tmp_path, trained))
    decided = """async (cases) => {
      const { keepsUp } = await import("/sound.js");
      return cases.map((one) => keepsUp(...one));
    }"""
    cases = [(100, 8000, 0.01), (4000, 8000, 0.1), (4000, 8000, 0.49), (100, 8000, 2.0)]
    assert page.evaluate(decided, cases) == [None, True, False, False]
