"""How long a newcomer waits in `./start.sh demo` once everything is set up.

    python benchmarks/demo.py

Runs the demo in this clone and takes the time of what it prints, from "Everything is set up" or the first address on:
until there is a tune to hear, and drums, until a text has been written, and until the end. About three minutes.
"""

import argparse
import subprocess
import time
import wave
from pathlib import Path

import compare
import numpy as np

#: What the demo prints, and what that says.
STEPS = {
    "Everything is set up": "ready",
    "TensorBoard for": "ready",
    "A network that has heard drums": "a tune can be heard",
    "A network that has read songs": "drums can be heard",
    "It learns from": "a text is written",
    "It writes again": "a minute of learning is over",
    "That was the demo": "the end",
}


def loudness(path: Path) -> float:
    """The RMS level of a 16-bit WAV file in dBFS."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    return 20 * np.log10(np.sqrt(np.mean(np.square(samples))) + 1e-9)


def main() -> None:
    """Run the demo and print when it came to what."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    command = ["bash", str(compare.ROOT / "start.sh"), "--local", "demo"]
    seconds: dict[str, float] = {}
    sounds: list[Path] = []
    lines, ready = 0, time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines += 1
            print(line, end="", flush=True)
            if line.rstrip().endswith(".wav"):
                sounds.append(compare.ROOT / line.strip())
            for start, name in STEPS.items():
                if line.startswith(start) and name not in seconds:
                    ready = time.perf_counter() if name == "ready" else ready
                    seconds[name] = time.perf_counter() - ready
    assert process.returncode == 0
    print(f"{lines} lines; the tune is at {loudness(sounds[0]):.0f} dBFS")
    compare.finish({name: round(value, 1) for name, value in seconds.items()})


if __name__ == "__main__":
    main()
