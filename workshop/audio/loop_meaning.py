"""What a file of a generator of loops says of its pictures, so that they can be made sound where the file is all that
there is.

T frames, D bands, Z latent values.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from workshop.audio.bands import MEL
from workshop.audio.loop_spectrogram import FLOOR, MAX_SAMPLES, MAX_SIDE, TOP, LoopSpectrogram
from workshop.audio.rates import RATES

#: What such a file makes, as its entry `kind` says.
KIND = "loops"


@dataclass(frozen=True)
class LoopMeaning:
    """What a generator's pictures [T, D] from -1 to 1 stand for.

    Attributes:
        latent: Z.
        sample_rate: samples a second.
        samples: of a loop.
        frames: T.
        bands: D.
        bpm: beats a minute.
        beats: of a loop.
        floor: dB that the value -1 stands for, 0 dB being the loudest sine.
        top: dB that the value 1 stands for.
        scale: of the bands, a name in `bands.CORNERS`; files that do not say it have the mel scale.
    """

    latent: int
    sample_rate: int
    samples: int
    frames: int
    bands: int
    bpm: float
    beats: int
    floor: float = FLOOR
    top: float = TOP
    scale: str = MEL

    def entries(self) -> dict[str, Any]:
        """What the file holds, by name."""
        return {"kind": KIND, **asdict(self)}

    @classmethod
    def read(cls, metadata: Mapping[str, str]) -> "LoopMeaning | None":
        """What a file says, whose entries are texts of JSON; None where it is no file of the workshop's loops.

        Raises:
            ValueError: an entry is missing, or makes no sense.
        """
        if metadata.get("kind") != json.dumps(KIND):
            return None
        found: dict[str, Any] = {}
        for name, kind in cls.__annotations__.items():
            try:
                value = json.loads(metadata.get(name, json.dumps(MEL)) if name == "scale" else metadata[name])
            except (KeyError, ValueError, RecursionError) as error:
                raise ValueError(f"it does not say its {name}") from error
            if isinstance(value, bool) or not isinstance(value, int | float if kind is float else kind):
                raise ValueError(f"its {name} is no {'word' if kind is str else 'number'}")
            found[name] = value
        meaning = cls(**found)
        meaning._check()
        return meaning

    def _check(self) -> None:
        """Refuse what cannot be, before anything is made of it.

        Raises:
            ValueError: it cannot.
        """
        if self.sample_rate not in RATES or not 1 <= self.beats <= self.samples <= MAX_SAMPLES:
            raise ValueError(f"{self.beats} beats of {self.samples} samples at {self.sample_rate} a second are no loop")
        if max(self.frames, self.bands) > MAX_SIDE or not 0 < self.bpm < math.inf:
            raise ValueError(f"pictures of {self.frames} x {self.bands} at {self.bpm} beats a minute are not valid")
        if (self.floor, self.top) != (FLOOR, TOP):
            raise ValueError(f"it has levels from {self.floor} to {self.top} dB: export it again with this workshop")
        _ = self.spectrogram.in_bands  # which refuses what does not fit

    @property
    def spectrogram(self) -> LoopSpectrogram:
        """What makes sound of the pictures.

        Raises:
            ValueError: the pictures do not fit the loop.
        """
        return LoopSpectrogram(self.sample_rate, self.samples, self.frames, self.bands, scale=self.scale)
