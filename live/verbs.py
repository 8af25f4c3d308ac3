"""What the verbs of `python -m live` do; each is a function of its name."""

import argparse
import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from live import bench as benches
from live import devices as sound
from live import files, midi, networks, osc, recording, settings, terminal
from live.clock import ClockOut
from live.controls import Controls, read_mapping
from live.recording import Recorder
from live.room import Mixed, Room, budget, usual_block
from live.settings import Settings
from live.stage import Stage
from live.through import Through
from workshop import cli
from workshop.errors import UserError
from workshop.osc.server import OscServer
from workshop.quiet import quietly
from workshop.run.voice import Voice

Voices = Sequence[tuple[str, Voice]]
HEADPHONES = "the input is passed to the output: use headphones, or a microphone hears its loudspeaker"


class ShownStage(Stage):
    """A stage whose networks' words are printed, and whose notes are played to a port.

    Args:
        out: the port, if there is one.
        given: those of a `Stage`.
        named: likewise.
    """

    def __init__(self, out: midi.MidiOut | None, *given: Any, **named: Any):
        super().__init__(*given, **named)
        self._out = out

    def exchange(self, samples: np.ndarray) -> Mixed:
        """As `Stage` says."""
        mixed = super().exchange(samples)
        for place, words in mixed.words:
            terminal.show_words(place, words)
        if self._out:
            self._out.play(mixed.notes)
        return mixed


def page(args: argparse.Namespace) -> None:
    """Let networks hear and answer in a browser, until Ctrl-C."""
    # Late, because it loads TensorFlow, which the other verbs do for a network alone.
    with quietly():
        from live import page as pages

    chosen = _settings(args)
    open_pages: set[pages.Sound] = set()
    sayer = pages.Sayer(open_pages)
    with _stage(args, chosen, _voices(args, chosen), sayer, in_bursts=True) as stage:
        pages.serve(stage, open_pages, sayer, args.host, args.port)


def play(args: argparse.Namespace) -> None:
    """Let networks hear and answer by devices; without any, pass the input to the output."""
    chosen = _settings(args)
    _by_devices(args, chosen, _voices(args, chosen))


check = play


def devices(args: argparse.Namespace) -> None:
    """List the devices and ports."""
    for kind, find in (("sound", sound.names), ("MIDI", midi.names)):
        try:
            inputs, outputs = find()
        except UserError as error:
            print(f"{kind}: {error}")
            continue
        for direction, names in (("in", inputs), ("out", outputs)):
            print(f"{kind} {direction}: {', '.join(map(repr, names)) or 'none'}")
    print("the page needs none of these: python -m live page EXPERIMENT")


def file(args: argparse.Namespace) -> None:
    """Let networks answer a file."""
    files.check_output(Path(args.output), Path(args.input))
    kept = recording.read_knobs(Path(args.knobs)) if args.knobs else recording.KeptKnobs()
    voices = networks.opened(args.experiments, args.mode, args.seed)
    rate = args.rate or kept.rate or networks.common_rate(voices)
    samples = recording.read_sound(Path(args.input), rate)
    with Room(voices, rate, args.block or kept.block or usual_block(rate), 0) as room:
        answer = files.rendered(room, samples, kept.happenings)
    files.write_sound(Path(args.output), answer, rate)
    print(args.output)
    cli.say(f"{len(answer) / rate:.2f} s at {rate:,} Hz, seed {args.seed}")


def bench(args: argparse.Namespace) -> None:
    """Measure what the computer can do with each network, and with all together."""
    voices = networks.opened(args.experiments, args.mode, args.seed)
    groups: list[Voices] = [*([voice] for voice in voices), *([voices] if len(voices) > 1 else [])]
    cli.say(f"playing for {len(groups) * len(args.blocks) * args.seconds:.0f} s, in silence ...")
    results = [
        benches.measure(group, block, args.prebuffer, args.seconds) for group in groups for block in sorted(args.blocks)
    ]
    for line in benches.table(results, args.prebuffer):
        print(line)


# ---- what they share -------------------------------------------------------------------------------------------------


def _settings(args: argparse.Namespace) -> Settings:
    """What was kept, with what is given now.

    Raises:
        UserError: what was kept, or the mapping, is damaged.
    """
    found = Settings() if args.forget else settings.read()
    for name in ("input", "output", "midi", "midi_out", "rate", "block", "prebuffer"):
        if getattr(args, name, None) is not None:
            setattr(found, name, getattr(args, name))
    if getattr(args, "mapping", None):
        found.mapping = read_mapping(Path(args.mapping))
    return found


def _voices(args: argparse.Namespace, chosen: Settings) -> Voices:
    """The networks; where none is named, what passes the sound."""
    if args.experiments:
        return networks.opened(args.experiments, args.mode, args.seed)
    cli.say(HEADPHONES)
    return [("the input", Through(chosen.rate or Through.RATE))]


@contextlib.contextmanager
def _stage(
    args: argparse.Namespace, chosen: Settings, voices: Voices, say: Callable[[str], None], in_bursts: bool = False
) -> Iterator[ShownStage]:
    """A stage with all that may reach it. Where it ends well, it is said how it went, and settings are kept.

    Raises:
        UserError: a port or a file is not possible, or somebody plays already.
    """
    rate = chosen.rate or networks.common_rate(voices)
    block = chosen.block or usual_block(rate)

    def load(name: str, place: int) -> Voice:
        return networks.one(name, args.mode, args.seed + place - 1, alone=len(voices) == 1)

    with contextlib.ExitStack() as stack:
        stack.enter_context(settings.alone())
        has_ports = hasattr(args, "midi")  # kept ones are meant for the verb that has them
        out = stack.enter_context(midi.MidiOut(chosen.midi_out)) if has_ports and chosen.midi_out else None
        name = getattr(args, "record", None)
        wait = getattr(args, "wait", None)
        recorder = Recorder(Path(name), rate, block) if name else None
        room = Room(voices, rate, block, chosen.prebuffer, say, patience=block / rate if in_bursts else 0.0)
        stage = stack.enter_context(ShownStage(out, room, Controls(chosen.mapping), load, recorder, say, wait))
        if tempo := getattr(args, "clock", None):
            if not out:
                raise UserError("--clock needs the port that gets it: name one with --midi_out")
            stack.enter_context(ClockOut(out.send, tempo))
        if has_ports and chosen.midi:
            stack.enter_context(midi.MidiIn(stage, chosen.midi, say))
        if (port := getattr(args, "osc", None)) is not None:
            server = stack.enter_context(OscServer(osc.routes(room, stage), port))
            say(f"OSC: /live/... on 127.0.0.1, port {server.port}")
        yield stage
        chosen.mapping = stage.controls.mapping
        settings.keep(chosen)
        _report(stage)
    if recorder and recorder.files:
        print(*recorder.files, sep="\n")
    elif recorder:
        cli.say("nothing was heard, and nothing is recorded")


def _by_devices(args: argparse.Namespace, chosen: Settings, voices: Voices) -> None:
    """Let voices hear and answer by the devices of this computer, until /quit, Ctrl-C or the time that was given."""
    with (
        _stage(args, chosen, voices, cli.say) as stage,
        sound.Sound(stage, chosen.input, chosen.output) as playing,
    ):
        room = stage.room
        cli.say(budget(room.rate, room.block, room.prebuffer, playing.latency))
        cli.say(terminal.HELP)
        # Ctrl-C is how one ends.
        with contextlib.suppress(KeyboardInterrupt):
            terminal.run(stage, lambda: playing.gaps, args.seconds, cli.say)
        cli.say(f"the sound device waited {playing.gaps} times")


def _report(stage: Stage) -> None:
    """Say how it went."""
    for number, slot in enumerate(stage.room.slots, 1):
        counts = slot.counts
        cli.say(
            f"network {number} ({slot.name}): {counts.blocks} blocks, {counts.late} late, {counts.skipped} not heard, "
            f"{counts.broken} broken, the slowest took {1000 * counts.worst:.1f} ms"
        )
