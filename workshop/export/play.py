"""Let the network in model.onnx, which lies beside this file, generate. It needs numpy and onnxruntime, nothing else:

    python -m pip install numpy onnxruntime
    python play.py --length 500

`python -m workshop.export` writes this file as it is into the folder of an exported network.
"""

import argparse
import json
import sys
import unicodedata
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

try:
    import numpy as np
    import onnxruntime
except ImportError as missing:
    sys.exit(f"error: {missing.name} is not installed: `python -m pip install numpy onnxruntime` brings it")

#: What a symbol of notes means: a word such as `on`, and its number, such as a pitch.
Word = tuple[str, int]
#: Start and end in units of time, pitch, velocity.
Note = tuple[int, ...]

#: NumPy's name for the types of inputs.
TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
#: How much is generated where nothing is said.
LENGTHS = {"text": 500, "notes": 400, "sound": 16_000}
SUFFIXES = {"notes": ".mid", "sound": ".wav"}
#: Above it, what never follows would be as likely as anything else.
MAX_TEMPERATURE = 1e6


class HeldKeys:
    """Which symbols of a performance cannot come next, as the workshop's `sample.py` has it: no key goes down that is
    down, none is held for too long, not too many are, and a piece ends when all are up.

    Args:
        symbols: what each of the V symbols means.
        limits: `longest_note` in units of time (None: any), `voices`, `shortest_wait` and `longest_wait`.
    """

    def __init__(self, symbols: list[Word], limits: dict[str, Any]):
        self._words, self._limits = np.array([word for word, _ in symbols]), limits
        self._numbers = np.array([number for _, number in symbols])
        self._longest = float("inf") if limits["longest_note"] is None else limits["longest_note"]
        self._held = np.full(128, -1.0)  # units that each key has been down; -1: it is up
        self._goes_on = False  # a wait that was cut short is not followed by another

    def read(self, symbol: int) -> None:
        """Remember a symbol."""
        word, number = self._words[symbol], self._numbers[symbol]
        if word == "wait":
            self._held[self._held >= 0] += number
        elif word == "end":
            self._held[:] = -1
        elif word in ("on", "off"):
            self._held[number] = 0 if word == "on" else -1
        self._goes_on = word == "wait" and number < self._limits["longest_wait"]

    def forbidden(self) -> np.ndarray:
        """Whether each symbol is forbidden now, [V]."""
        down = self._held >= 0
        left = self._longest - self._held.max() if down.any() else float("inf")
        overdue = down & (self._held > self._longest - self._limits["shortest_wait"])
        is_full = down.sum() >= self._limits["voices"]
        by_word = {
            "end": down.any(),
            "on": (down | is_full | overdue.any())[self._numbers % 128],
            "off": (~down | (overdue.any() & ~overdue))[self._numbers % 128],
            "wait": self._goes_on | (self._numbers > left),
            "velocity": overdue.any(),
        }
        return np.select([self._words == word for word in by_word], list(by_word.values()), default=False)


class Network:
    """The network in a file, `about` which the file's metadata says everything."""

    def __init__(self, file: Path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # a step is too short to be shared
        # The content and not the path, so that no other file that it names is read.
        self._session = onnxruntime.InferenceSession(file.read_bytes(), options, providers=["CPUExecutionProvider"])
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.about: dict[str, Any] = {name: json.loads(text) for name, text in metadata.items()}

    def generate(self, prompt: list[int], length: int, temperature: float, seed: int, condition: int) -> Iterator[int]:
        """Read the symbols of a prompt, and yield the symbols that are generated after it."""
        state = {
            one.name: np.zeros([1 if size == "batch" else size for size in one.shape], TYPES[one.type])
            for one in self._session.get_inputs()
        }
        fixed = {"condition": np.array([condition])} if state.pop("condition", None) is not None else {}
        state.pop("symbol")
        rng, last = np.random.default_rng(seed), 0
        keys = HeldKeys(self.about["symbols"], self.about["held"]) if "held" in self.about else None
        for step in range(len(prompt) - 1 + length):
            last = prompt[step] if step < len(prompt) else last
            if keys:
                keys.read(last)
            logits, *after = self._session.run(None, {"symbol": np.array([last]), **fixed, **state})
            state = dict(zip(state, after, strict=True))  # the states come out in the order in which they go in
            if keys:
                logits[0, keys.forbidden()] = -np.inf
            last = self._draw(logits[0], last, temperature, rng.random())
            if step >= len(prompt) - 1:
                yield last

    def _draw(self, logits: np.ndarray, last: int, temperature: float, uniform: float) -> int:
        """Draw a symbol from logits [V]: the first one at which the sum of the probabilities exceeds `uniform`."""
        logits[self.about.get("never", [])] = -np.inf
        for symbol, before in self.about.get("only_after", []):
            if last not in before:
                logits[symbol] = -np.inf
        sums = np.cumsum(np.exp((logits - logits.max()) / np.float32(temperature)))
        return int(np.argmax(sums > min(np.float32(uniform), 1 - 2**-23) * sums[-1]))


def spelled(prompt: str, about: dict[str, Any]) -> tuple[str, list[int]]:
    """A prompt in the normal form of Unicode in which the fewest of its characters are unknown, if possible that of the
    training text, and the symbols to read.
    """
    numbers = {symbol: number for number, symbol in enumerate(about["symbols"])}
    form = about.get("normal_form")
    forms: list[Literal["NFC", "NFD"]] = ["NFD", "NFC"] if form == "NFD" else ["NFC", "NFD"]
    spellings = [*(unicodedata.normalize(one, prompt) for one in forms), prompt]
    if form is None:  # of a network that does not say it
        spellings.insert(0, prompt)
    best = min(spellings, key=lambda spelling: sum(character not in numbers for character in spelling))
    return best, about["warm_up"] + [numbers.get(character, 0) for character in best]


def notes_of(symbols: list[int], about: dict[str, Any]) -> list[Note]:
    """The notes that symbols stand for; of several pieces in them, each begins on a bar after the one before."""
    notes: list[Note] = []
    pieces: list[list[Word]] = [[]]
    for word, number in (about["symbols"][symbol] for symbol in symbols):
        if word == "end":
            pieces.append([])
        else:
            pieces[-1].append((word, number))
    begin, beat = 0, about["units_per_beat"]
    for piece in pieces:
        found = [(begin + start, begin + end, *rest) for start, end, *rest in _of_one_piece(piece, about)]
        if found:
            begin = 4 * beat * -(-(max(end for _, end, *_ in found) + beat) // (4 * beat))
        notes += found
    return notes


def _of_one_piece(piece: list[Word], about: dict[str, Any]) -> list[Note]:
    notes, now, velocity = [], 0, about["velocity"]
    sounding: dict[int, tuple[int, int]] = {}
    takes_time = about["units_per_symbol"] > 0  # a melody, in which a note ends where the next one begins
    for word, number in [*piece, ("end", 0)]:
        ended = [number] if word in ("on", "off") and number in sounding else []
        for pitch in list(sounding) if word in ("end", "rest") or (word == "on" and takes_time) else ended:
            start, loudness = sounding.pop(pitch)
            notes.append((start, now, pitch, loudness))
        if word == "on":
            sounding[number] = now, velocity
        elif word == "velocity":
            velocity = number
        now += number if word == "wait" else about["units_per_symbol"]
    return sorted(note for note in notes if note[1] > note[0])


def write_midi(path: Path, symbols: list[int], about: dict[str, Any]) -> None:
    """Write the notes of symbols as a MIDI file with one track."""
    events = [(0, 0, b"\xff\x51\x03" + round(60_000_000 / about["tempo"]).to_bytes(3, "big"))]
    for start, end, pitch, velocity in notes_of(symbols, about):
        events += [(start, 2, bytes([0x90, pitch, velocity])), (end, 1, bytes([0x80, pitch, 0]))]
    track, now = b"", 0
    for time, _, event in [*sorted(events), (max(event[0] for event in events), 3, b"\xff\x2f\x00")]:
        pause, now = time - now, time
        bytes_of_pause = [pause & 0x7F]  # seven bits a byte, the last one first
        while pause := pause >> 7:
            bytes_of_pause.append(pause & 0x7F | 0x80)
        track += bytes(reversed(bytes_of_pause)) + event
    head = b"MThd" + (6).to_bytes(4, "big") + bytes([0, 0, 0, 1]) + about["units_per_beat"].to_bytes(2, "big")
    path.write_bytes(head + b"MTrk" + len(track).to_bytes(4, "big") + track)


def write_wav(path: Path, symbols: list[int], about: dict[str, Any]) -> None:
    """Write the samples that symbols stand for as a sound file."""
    samples = np.array(about["samples"])[symbols]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(about["sample_rate"])
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())


def main() -> None:
    """Generate, as the command line says."""
    parser = argparse.ArgumentParser(description="Let the network in model.onnx generate.")
    parser.add_argument("--length", "-n", type=int, help="symbols to generate: characters, steps or samples")
    parser.add_argument("--temperature", type=float, help="softmax temperature; by default that of the previews")
    parser.add_argument("--seed", type=int, help="the same seed generates the same; by default a new one each time")
    parser.add_argument("--prime", default="", help="text to go on from")
    parser.add_argument("--condition", help="which of the sounds it learnt by name; by default the first")
    parser.add_argument("--out", type=Path, help="file for notes or sound; by default generated.mid or generated.wav")
    args = parser.parse_args()
    for name, least in {"length": 1, "temperature": 1e-6, "seed": 0}.items():
        if (value := getattr(args, name)) is not None and not value >= least:
            parser.error(f"--{name} has to be at least {least}")
    if args.temperature and args.temperature > MAX_TEMPERATURE:
        parser.error(f"--temperature has to be at most {MAX_TEMPERATURE:g}")
    file = Path(__file__).resolve().with_name("model.onnx")
    if not file.is_file():
        parser.error(f"{file} is missing: it belongs beside play.py")

    try:
        network = Network(file)
        about = network.about
        kind, conditions = about["kind"], about.get("conditions", [])
    except Exception as error:  # onnxruntime has many of its own
        parser.error(f"{file} is damaged, or was not exported for play.py: {error}")
    if args.condition and args.condition not in conditions:
        parser.error(f"there is no condition {args.condition!r}: the network knows {conditions or 'none'}")
    if args.prime and kind != "text":
        parser.error("--prime is for networks that write text")
    prime, prompt = spelled(args.prime, about) if args.prime else ("", about["warm_up"])
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if args.seed is None else args.seed
    generated = network.generate(
        prompt, args.length or LENGTHS[kind], args.temperature or about["temperature"], seed,
        conditions.index(args.condition) if args.condition else 0,
    )  # fmt: skip
    print(f"seed {seed}", file=sys.stderr)
    if kind == "text":
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
        print(prime, end="")
        for symbol in generated:
            print(about["symbols"][symbol], end="", flush=True)
        print()
    else:
        path = args.out or Path(f"generated{SUFFIXES[kind]}")
        try:
            {"notes": write_midi, "sound": write_wav}[kind](path, list(generated), about)
        except OSError as error:
            parser.error(f"{path} cannot be written: {error.strerror}")
        print(f"written: {path}")


if __name__ == "__main__":
    main()
