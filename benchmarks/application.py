"""How large an application of a generator of loops is, and how soon it answers.

    python benchmarks/application.py

The network has the size that is given and random weights. Three minutes.
"""

import argparse
import json
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import compare
from pythonosc.osc_message_builder import build_msg

from spectral_gan import export
from spectral_gan.lesson import LESSON
from spectral_gan.model import build
from workshop.audio.drum_loops import BEATS, BPM, RATE, SAMPLES
from workshop.audio.loop_meaning import LoopMeaning
from workshop.export.graph import Graph
from workshop.osc import freezing

ROUNDS = 5


def network(size: str) -> bytes:
    """The content of an ONNX file."""
    sizes = LESSON.sizes[size]
    pair = build({**{name: sizes[name] for name in LESSON.network}, "name": "default", "seed": 1})
    graph = Graph()
    export.add_generator(graph, pair)
    meaning = LoopMeaning(pair.shape.latent, RATE, SAMPLES, pair.shape.frames, pair.shape.bands, BPM, BEATS)
    return graph.model({name: json.dumps(value) for name, value in meaning.entries().items()})


def asked(program: Path, folder: Path) -> tuple[float, float]:
    """Seconds until a program that was just started answers, and until it has made a loop after that."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        client.settimeout(60)
        begun = time.perf_counter()
        words = ["--port", str(free_port()), "--answer_to", str(client.getsockname()[1]), "--folder", str(folder)]
        with subprocess.Popen([program, *words], stderr=subprocess.DEVNULL) as process:
            client.recv(1 << 16)
            answered = time.perf_counter() - begun
            client.recv(1 << 16)
            to = ("127.0.0.1", int(words[1]))
            begun = time.perf_counter()
            client.sendto(build_msg("/gan/random", [1, 1]).dgram, to)
            client.recv(1 << 16)
            made = time.perf_counter() - begun
            client.sendto(build_msg("/quit", []).dgram, to)
            process.wait(30)
    return answered, made


def free_port() -> int:
    """A port of UDP that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Make one, and measure it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="tiny", choices=LESSON.sizes)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "beats"
        begun = time.perf_counter()
        freezing.freeze(network(args.size), "beats", target)
        building = time.perf_counter() - begun
        files = [file for file in target.rglob("*") if file.is_file() and not file.is_symlink()]
        size = sum(file.stat().st_size for file in files)
        times = [asked(target / "beats", Path(folder) / "out") for _ in range(ROUNDS)]
    answered, made = (statistics.median(column) for column in zip(*times, strict=True))
    found = {
        "megabytes": round(size / 1e6), "seconds_to_make_it": round(building),
        "seconds_to_answer": round(answered, 2), "seconds_for_a_loop": round(made, 2),
    }  # fmt: skip
    for name, value in found.items():
        print(f"{name.replace('_', ' ')}: {value}")
    compare.finish(found)


if __name__ == "__main__":
    main()
