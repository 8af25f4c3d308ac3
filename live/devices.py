"""The sound devices of this computer, by miniaudio: PulseAudio and PipeWire, ALSA, JACK, CoreAudio, WASAPI.

They run at the rate of the room; miniaudio converts where a device has another one.
"""

import threading
import time
from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from live.settings import NULL
from live.stage import Stage
from workshop import cli
from workshop.errors import UserError
from workshop.nearest import did_you_mean

#: What ALSA calls a device that is none; it keeps no time.
_UNPACED = "discard all samples"
#: Seconds without a call of the device after which it is lost, and between two tries to open it again.
LOST, AGAIN = 2.0, 2.0
_MISSING = "sound devices need the package miniaudio, which is not installed: pip install -r requirements/live.txt"


def _miniaudio() -> Any:
    try:
        import miniaudio
    except ImportError as error:
        raise UserError(_MISSING) from error
    return miniaudio


def names() -> tuple[list[str], list[str]]:
    """The names of the inputs and of the outputs that there are.

    Raises:
        UserError: miniaudio is not installed.
    """
    inputs, outputs = _found()
    return [device["name"] for device in inputs], [device["name"] for device in outputs]


def _found() -> tuple[list[Any], list[Any]]:
    miniaudio = _miniaudio()
    try:
        devices = miniaudio.Devices()
        found = devices.get_captures(), devices.get_playbacks()
    except miniaudio.MiniaudioError:
        return [], []
    inputs, outputs = ([one for one in kind if _UNPACED not in one["name"].lower()] for kind in found)
    return inputs, outputs


def _called(kind: str, wanted: str | None, devices: list[Any]) -> Any:
    """The id of the device with this name, or a part of it; None for the system's own choice.

    Raises:
        UserError: there is none; those that there are are named.
    """
    if wanted is None and devices:
        return None
    if wanted is None:
        raise UserError(
            f"this computer has no {kind} for sound: `python -m live page` needs none, and --output {NULL} is none"
        )
    matching = [device for device in devices if wanted.lower() in device["name"].lower()]
    exact = [device for device in matching if wanted.lower() == device["name"].lower()]
    if exact or matching:
        return (exact or matching)[0]["id"]
    there = [device["name"] for device in devices]
    listed = ", ".join(map(repr, there)) or "none"
    raise UserError(
        f"there is no {kind} called {wanted!r}{did_you_mean(wanted, there)}: there are {listed} and {NULL!r}"
    )


class Sound:
    """Plays a stage through an input and an output, and opens them again when they were lost.

    Args:
        stage: what is played.
        source: the name of the input, or a part of it; None for the system's own choice, `NULL` for none.
        target: of the output, likewise.
        say: is told what happens.

    Raises:
        UserError: there is no such device, or it cannot be opened.
    """

    def __init__(
        self, stage: Stage, source: str | None = None, target: str | None = None,
        say: Callable[[str], None] = cli.say,
    ):  # fmt: skip
        self._stage, self._source, self._target, self._say = stage, source, target, say
        #: Times that the device asked for sound that was not there, after the first second.
        self.gaps = 0
        self._device: Any = None
        self._called_at = time.monotonic()
        self._ended = threading.Event()
        self._open()
        self._watcher = threading.Thread(target=self._watch, name="sound", daemon=True)
        self._watcher.start()

    @property
    def latency(self) -> float:
        """Seconds that the buffers of input and output take, as they were asked for."""
        return 2 * self._stage.room.block / self._stage.room.rate

    def close(self) -> None:
        """Let go of the devices."""
        self._ended.set()
        self._watcher.join()
        self._close()

    def __enter__(self) -> "Sound":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _open(self) -> None:
        miniaudio = _miniaudio()
        is_null = NULL in (self._source, self._target)
        inputs, outputs = ([], []) if is_null else _found()
        room = self._stage.room
        try:
            self._device = miniaudio.DuplexStream(
                playback_format=miniaudio.SampleFormat.FLOAT32,
                playback_channels=1,
                capture_format=miniaudio.SampleFormat.FLOAT32,
                capture_channels=1,
                sample_rate=room.rate,
                buffersize_msec=max(round(1000 * room.block / room.rate), 1),
                capture_device_id=None if is_null else _called("input", self._source, inputs),
                playback_device_id=None if is_null else _called("output", self._target, outputs),
                backends=[miniaudio.Backend.NULL] if is_null else [],
                app_name="ml4music workshop",
            )
            callback = self._callback()
            next(callback)
            self._called_at = time.monotonic()
            self._device.start(callback)
        except miniaudio.MiniaudioError as error:
            self._close()  # one that was found and does not start has not been there yet
            raise UserError(
                f"the sound devices cannot be opened ({error}): `python -m live devices` lists them, and "
                f"`python -m live page` needs none"
            ) from error

    def _close(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            device.close()

    def _callback(self) -> Generator[bytes, bytes, None]:
        """What the device calls: it sends what it has heard, and gets as much to be played."""
        room = self._stage.room
        heard, ready = np.zeros(0, np.float32), np.zeros(0, np.float32)
        begun, answer = time.monotonic(), b""
        while True:
            given = np.frombuffer((yield answer), np.float32)
            self._called_at = time.monotonic()
            heard = np.append(heard, given)
            while len(heard) >= room.block:
                ready = np.append(ready, self._stage.exchange(heard[: room.block]).samples)
                heard = heard[room.block :]
            missing = len(given) - len(ready)
            if missing > 0:  # once, as long as the device asks for as much as it gives
                ready = np.append(np.zeros(missing, np.float32), ready)
                self.gaps += time.monotonic() - begun > 1
            answer, ready = ready[: len(given)].tobytes(), ready[len(given) :]

    def _watch(self) -> None:
        while not self._ended.wait(AGAIN / 4):
            if time.monotonic() - self._called_at < LOST:
                continue
            if self._device is not None:
                self._say("the sound device has gone: waiting for it, or for another one")
                self._close()
            try:
                self._open()
                self._say("sound is there again")
            except UserError:
                self._ended.wait(AGAIN)
