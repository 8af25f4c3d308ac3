"""How fast an exported network generates with the sampler that the export writes, against the workshop's engine.

    python benchmarks/export_speed.py
    python benchmarks/export_speed.py --browser chromium    the page as well; needs requirements/container.txt

One stream, each symbol drawn from the softmax: text of the network `verse`, notes of `tunes`, and samples of WaveNets
of two sizes with random weights, on which the speed does not depend. Measured in turn in one run; about two minutes.
"""

import contextlib
import functools
import http.server
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import compare
import numpy as np

from workshop import load
from workshop.quiet import quietly

with quietly():
    from wavenet import export, lesson
    from wavenet.generate import Generator
    from wavenet.model import Shape, WaveNet
    from workshop.audio.mu_law import SILENCE
    from workshop.export.folder import MODEL
    from workshop.export.graph import Graph
    from workshop.export.play import Network
    from workshop.export.step import Step
    from workshop.export.web_page import Page
    from workshop.networks.sampling import SamplingConfig

#: Symbols a second of a page.
PAGE = """async (count) => {
  const { Network } = await import("/network.js");
  const network = await Network.load();
  const generated = network.generate([1], 1);
  const started = performance.now();
  for (let made = 0; made < count; made += 1) generated.next();
  return (1000 * count) / (performance.now() - started);
}"""

#: Symbols of a round, long enough for the fast one and short enough for the slow one.
ENGINE, EXPORTED = 20_000, 3_000


def exported(step: Step) -> Callable[[], float]:
    """What measures symbols a second of an exported step."""
    graph = Graph()
    step.add(graph)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / MODEL
        file.write_bytes(graph.model({}))
        network = Network(file)

    def speed() -> float:
        started = time.perf_counter()
        made = sum(1 for _ in network.generate([1], EXPORTED, 1.0, 0, 0))
        return made / (time.perf_counter() - started)

    return speed


class Silent(http.server.SimpleHTTPRequestHandler):
    """Serves files and does not tell."""

    def log_message(self, *args: Any) -> None:
        """Nothing."""


@contextlib.contextmanager
def pages(browser: str) -> Iterator[Callable[[Path], Callable[[], float]]]:
    """What measures symbols a second of the page in a folder, in a browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started, contextlib.ExitStack() as ends:
        program = started.chromium.launch(executable_path=shutil.which(browser), args=["--no-sandbox"])

        def measure(folder: Path) -> Callable[[], float]:
            handler = functools.partial(Silent, directory=str(folder))
            server = http.server.ThreadingHTTPServer(("localhost", 0), handler)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            ends.callback(server.shutdown)
            page = program.new_page()
            page.goto(f"http://localhost:{server.server_port}/")
            return lambda: page.evaluate(PAGE, EXPORTED)

        yield measure
        program.close()


def engine(generate: Callable[[int], Any]) -> Callable[[], float]:
    """What measures symbols a second of a generator of the workshop."""
    for _ in generate(1):  # compiles
        pass

    def speed() -> float:
        started = time.perf_counter()
        made = sum(len(piece) for piece in generate(ENGINE))
        return made / (time.perf_counter() - started)

    return speed


def main() -> None:
    """Measure, and print the ratios."""
    parser = compare.parser(__doc__)
    parser.add_argument("--browser", help="program that runs the page, such as chromium")
    args = parser.parse_args()
    config, contestants = SamplingConfig(), {}
    with contextlib.ExitStack() as ends:
        measure_page = ends.enter_context(pages(args.browser)) if args.browser else None
        for place in ("pretrained/char_rnn/verse", "pretrained/midi_rnn/tunes"):
            net: Any = load(place)
            generator = net.generator() if callable(net.generator) else net.generator
            contestants[f"{place}: workshop"] = engine(
                lambda count, generator=generator: generator.generate(np.array([1]), count, 1, 0, config)
            )
            contestants[f"{place}: onnxruntime"] = exported(net.exported())
            if measure_page:
                folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
                Page(net, net.exported()).write(folder)
                contestants[f"{place}: page"] = measure_page(folder)
        for size in ("tiny", "small"):
            sizes = lesson.LESSON.sizes[size]
            model = WaveNet(Shape(**{name: sizes[name] for name in lesson.LESSON.network}))
            generator = Generator(model, np.zeros(1, int))
            contestants[f"wavenet {size}: workshop"] = engine(
                lambda count, generator=generator: generator.generate(np.full((1, 1), SILENCE), count, 0, config)
            )
            step = export.step(model, {"kind": "sound"})
            contestants[f"wavenet {size}: onnxruntime"] = exported(step)
            if measure_page:
                folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
                Page(net, step).write(folder)  # what it says of the network of notes is not looked at
                contestants[f"wavenet {size}: page"] = measure_page(folder)
        speed = compare.in_turn(contestants, args.rounds)
    ratios = {}
    for name, value in speed.items():
        ratios[name] = speed[f"{name.partition(':')[0]}: workshop"] / value
        print(f"{name}: {value:,.0f} symbols/s; the workshop {ratios[name]:.1f}x")
    print("onnxruntime with one thread")
    compare.finish_speeds({"symbols_per_second": speed, "ratios": ratios})


if __name__ == "__main__":
    main()
