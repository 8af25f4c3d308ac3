"""A network that the workshop has exported step by step: it writes, plays or makes sound without TensorFlow."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workshop.errors import UserError
from workshop.files import explain
from workshop.text.generated import GeneratedText

#: What such a file makes, as its entry `kind` says.
KINDS = ("text", "notes", "sound")
#: Seconds of sound, unless another length is asked for.
SECONDS = 1.0


@dataclass(frozen=True)
class MadeOfSymbols:
    """Notes or sound that an exported network has made.

    Attributes:
        symbols: their numbers.
        about: what the file says of them.
        write: writes them into a file.
    """

    symbols: list[int]
    about: dict[str, Any]
    write: Callable[[Path, list[int], dict[str, Any]], None]

    def save(self, path: Path) -> None:
        """Write a MIDI or a WAV file.

        Raises:
            UserError: it cannot be written.
        """
        try:
            self.write(path, self.symbols, self.about)
        except OSError as error:
            raise UserError(f"{path} cannot be written: {explain(error, path)}; choose another folder") from error


class ExportedSteps:
    """Generates what `sample.py` generates with the same seed, but for rounding.

    Args:
        path: an ONNX file that `python -m workshop.export` has written.

    Attributes:
        makes: `text`, `notes` or `sound`.
        conditions: what it learnt by name.

    Raises:
        UserError: it cannot be read, or is no such file.
    """

    def __init__(self, path: Path):
        from workshop.export import play  # late, because it needs onnxruntime

        try:
            self._network = play.Network(path)
        except OSError as error:
            raise UserError(f"{path} cannot be read: {explain(error, path)}") from error
        except Exception as error:  # onnxruntime has many of its own
            raise UserError(f"{path} is damaged, or no ONNX file: {str(error)[:200]}") from error
        self.path, self._about = path, self._network.about
        self.makes = str(self._about.get("kind"))
        if self.makes not in KINDS:
            raise UserError(f"{path} is no network of texts, notes or sound that the workshop has exported")
        self.conditions: list[str] = self._about.get("conditions", [])
        self._writers = {"notes": play.write_midi, "sound": play.write_wav}
        self._spelled = play.spelled
        self._usual = play.LENGTHS[self.makes]

    def generate(
        self, prompt: str | Path = "", length: int | None = None, seconds: float = SECONDS,
        temperature: float | None = None, seed: int = 0, condition: str = "",
    ) -> GeneratedText | MadeOfSymbols:  # fmt: skip
        """Generate.

        Args:
            prompt: a text to go on from, which a text begins with.
            length: symbols; without it, as many as are usual, or as `seconds` have.
            seconds: of sound.
            temperature: softmax temperature; without it, that of the previews.
            seed: the same seed gives the same.
            condition: which of `conditions` to generate; without it, the first.

        Raises:
            UserError: an argument is out of range or not for this network, or the file is damaged.
        """
        if prompt and self.makes != "text":
            raise UserError("an exported network goes on from a text alone: leave out the file")
        if condition and condition not in self.conditions:
            raise UserError(f"there is no condition {condition}: it knows {', '.join(self.conditions) or 'none'}")
        if temperature is not None and temperature <= 0:
            raise UserError(f"temperature {temperature:g} is not above 0")
        number = self.conditions.index(condition) if condition else 0
        try:
            begun, read = self._spelled(str(prompt), self._about) if prompt else ("", self._about["warm_up"])
            symbols = self._symbols(read, self._length(length, seconds), temperature, seed, number)
            if self.makes == "text":
                return GeneratedText(begun + "".join(self._about["symbols"][symbol] for symbol in symbols))
        except Exception as error:  # a file may say anything
            raise UserError(f"{self.path} is damaged: it does not run ({str(error)[:200]})") from error
        return MadeOfSymbols(symbols, self._about, self._writers[self.makes])

    def _length(self, length: int | None, seconds: float) -> int:
        if self.makes == "sound" and length is None:
            return max(round(seconds * self._about["sample_rate"]), 1)
        return length or self._usual

    def _symbols(
        self, read: list[int], length: int, temperature: float | None, seed: int, condition: int
    ) -> list[int]:  # fmt: skip
        heat = temperature or self._about["temperature"]
        return list(self._network.generate(read, length, heat, seed, condition))
