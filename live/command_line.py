"""The verbs of `python -m live`."""

import argparse
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workshop import cli
from workshop.cli import Parser
from workshop.errors import UserError

if TYPE_CHECKING:
    from live.room import Mixed
    from live.settings import Settings
    from live.stage import Stage
    from workshop.run.voice import Voice

#: Blocks between hearing and answering, where nothing else is said.
PREBUFFER = 2
_BLOCK = "samples that are heard at once; by default up to a thirtieth of a second"


def _parser() -> Parser:
    parser = Parser(prog="python -m live", description="Sound goes to up to three networks, and they answer, live.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)

    def verb(name: str, run: Callable[[argparse.Namespace], None], words: str) -> Parser:
        made: Parser = verbs.add_parser(name, help=words, description=f"{words[:1].upper()}{words[1:]}.")
        made.set_defaults(run=run)
        return made

    play = verb("play", _play, "let networks hear and answer by the sound devices of this computer")
    _add_networks(play)
    _add_devices(play)
    play.add_argument(
        "--midi", metavar="NAME", help="MIDI port whose controllers turn the knobs, or a part of its name"
    )
    play.add_argument("--midi_out", metavar="NAME", help="MIDI port that gets the notes that networks play")
    play.add_argument("--mapping", metavar="FILE.json", help="which controller turns which knob")
    play.add_argument("--osc", type=cli.whole, metavar="PORT", help="listen to OSC on this port, such as 9000")
    play.add_argument("--record", metavar="NAME", help="keep NAME.wav, NAME.input.wav and, of the knobs, NAME.mid")

    check = verb("check", _check, "pass the input to the output, with meters and without any network")
    _add_devices(check)

    verb("devices", _devices, "list the sound devices and MIDI ports of this computer")

    file = verb("file", _file, "let networks answer a sound file, without any device")
    file.add_argument("input", metavar="IN.wav", help="the sound that they hear, in any format")
    file.add_argument("output", metavar="OUT.wav", help="the wav file that gets their answer")
    _add_networks(file)
    file.add_argument("--rate", type=cli.count, help="samples a second; by default the highest of the networks")
    file.add_argument("--block", type=cli.count, help=_BLOCK)
    file.add_argument("--knobs", metavar="FILE.mid", help="knobs, notes and words that a recording kept")

    bench = verb("bench", _bench, "measure what this computer can do with these networks")
    _add_networks(bench)
    bench.add_argument("--blocks", type=cli.count, nargs="+", default=[256, 512, 1024, 2048], help="blocks to try")
    bench.add_argument("--seconds", type=cli.positive, default=4.0, help="to play with each")
    bench.add_argument("--prebuffer", type=cli.count, default=PREBUFFER, help="blocks between hearing and answering")
    return parser


def _add_networks(parser: Parser) -> None:
    parser.add_argument(
        "experiments",
        nargs="+",
        metavar="EXPERIMENT",
        help="one to three experiments, by folder or name, of any lesson",
    )
    parser.add_argument(
        "--mode", choices=("continuous", "call"), default="continuous",
        help="answer all the time, or after each call: when what is heard, played or typed has come to a rest",
    )  # fmt: skip
    parser.add_argument("--seed", type=cli.seed, default=0, help="the same seed, sound and knobs give the same answer")


def _add_devices(parser: Parser) -> None:
    kept = "kept for the next start"
    parser.add_argument("--input", metavar="NAME", help=f"sound device to hear, or a part of its name; {kept}")
    parser.add_argument("--output", metavar="NAME", help=f"sound device to play to; null plays to none; {kept}")
    parser.add_argument(
        "--rate", type=cli.count, help=f"samples a second; by default the highest of the networks; {kept}"
    )
    parser.add_argument("--block", type=cli.count, help=f"{_BLOCK}; {kept}")
    parser.add_argument(
        "--prebuffer", type=cli.count, help=f"blocks between hearing and answering, by default {PREBUFFER}; {kept}"
    )
    parser.add_argument("--forget", action="store_true", help="begin without what was kept")
    parser.add_argument("--seconds", type=cli.positive, help="end after so many; by default at /quit or Ctrl-C")


def _settings(args: argparse.Namespace) -> "Settings":
    """What was kept, with what is given now.

    Raises:
        UserError: what was kept is damaged.
    """
    from live import controls, settings

    found = settings.Settings() if args.forget else settings.read()
    for name in ("input", "output", "midi", "midi_out", "rate", "block", "prebuffer"):
        if getattr(args, name, None) is not None:
            setattr(found, name, getattr(args, name))
    if getattr(args, "mapping", None):
        found.mapping = controls.read_mapping(Path(args.mapping))
    return found


def _play(args: argparse.Namespace) -> None:
    from live import networks

    settings = _settings(args)
    voices = networks.opened(args.experiments, args.mode, args.seed)
    _by_devices(args, settings, voices)


def _check(args: argparse.Namespace) -> None:
    from live.through import Through

    settings = _settings(args)
    cli.say("the input is passed to the output: use headphones, or a microphone hears its loudspeaker")
    _by_devices(args, settings, [("the input", Through(settings.rate or Through.RATE))])


def _by_devices(args: argparse.Namespace, settings: "Settings", voices: "list[tuple[str, Voice]]") -> None:
    """Let voices hear and answer by the devices of this computer, until /quit, Ctrl-C or the time that was given."""
    from live import devices, midi, networks, osc, recording, terminal
    from live import settings as kept
    from live.controls import Controls
    from live.room import Room, budget, usual_block
    from live.stage import Stage
    from workshop.osc.server import OscServer

    class Shown(Stage):
        """A stage whose networks' words are printed, and whose notes are played."""

        def exchange(self, samples: Any) -> "Mixed":
            mixed = super().exchange(samples)
            for place, words in mixed.words:
                terminal.show_words(place, words)
            if out:
                out.play(mixed.notes)
            return mixed

    def load(name: str, place: int) -> "Voice":
        return networks.one(name, args.mode, args.seed + place - 1, alone=len(voices) == 1)

    rate = settings.rate or networks.common_rate(voices)
    block = settings.block or usual_block(rate)
    with contextlib.ExitStack() as stack:
        stack.enter_context(kept.alone())
        out = midi.MidiOut(settings.midi_out) if settings.midi_out else None
        name = getattr(args, "record", None)
        recorder = recording.Recorder(Path(name), rate, block) if name else None
        room = Room(voices, rate, block, settings.prebuffer)
        stage = stack.enter_context(Shown(room, Controls(settings.mapping), load, recorder))
        if settings.midi:
            stack.enter_context(midi.MidiIn(stage, settings.midi))
        if (port := getattr(args, "osc", None)) is not None:
            server = stack.enter_context(OscServer(osc.routes(room, stage), port))
            cli.say(f"OSC: /live/... on 127.0.0.1, port {server.port}")
        sound = stack.enter_context(devices.Sound(stage, settings.input, settings.output))
        kept.keep(settings)  # once they are known to work
        cli.say(budget(rate, block, settings.prebuffer, sound.latency))
        cli.say(terminal.HELP)
        terminal.run(stage, lambda: sound.gaps, args.seconds, cli.say)
        settings.mapping = stage.controls.mapping
        kept.keep(settings)
        _report(stage, sound.gaps)
    if recorder:
        print(*recorder.files, sep="\n")


def _report(stage: "Stage", gaps: int) -> None:
    """Say how it went."""
    for number, slot in enumerate(stage.room.slots, 1):
        counts = slot.counts
        cli.say(
            f"network {number} ({slot.name}): {counts.blocks} blocks, {counts.late} late, {counts.broken} broken, "
            f"the slowest took {1000 * counts.worst:.1f} ms"
        )
    cli.say(f"the sound device waited {gaps} times")


def _devices(args: argparse.Namespace) -> None:
    from live import devices, midi

    for kind, find in (("sound", devices.names), ("MIDI", midi.names)):
        try:
            inputs, outputs = find()
        except UserError as error:
            print(f"{kind}: {error}")
            continue
        for direction, names in (("in", inputs), ("out", outputs)):
            print(f"{kind} {direction}: {', '.join(map(repr, names)) or 'none'}")
    print("the page needs none of these: python -m live page EXPERIMENT")


def _file(args: argparse.Namespace) -> None:
    from live import files, networks, recording
    from live.room import Room, usual_block

    happenings = recording.read_happenings(Path(args.knobs)) if args.knobs else {}
    voices = networks.opened(args.experiments, args.mode, args.seed)
    rate = args.rate or networks.common_rate(voices)
    samples = recording.read_sound(Path(args.input), rate)
    with Room(voices, rate, args.block or usual_block(rate), 0) as room:
        answer = files.rendered(room, samples, happenings)
    files.write_sound(Path(args.output), answer, rate)
    print(args.output)
    cli.say(f"{len(answer) / rate:.2f} s at {rate:,} Hz, seed {args.seed}")


def _bench(args: argparse.Namespace) -> None:
    from live import bench, networks

    voices = networks.opened(args.experiments, args.mode, args.seed)
    groups: list[Any] = [[voice] for voice in voices] + ([voices] if len(voices) > 1 else [])
    cli.say(f"playing for {len(groups) * len(args.blocks) * args.seconds:.0f} s, in silence ...")
    results = [
        bench.measure(group, block, args.prebuffer, args.seconds) for group in groups for block in sorted(args.blocks)
    ]
    for line in bench.table(results, args.prebuffer):
        print(line)


def main(argv: list[str] | None = None) -> None:
    """Do what the command line asks for.

    Raises:
        UserError: something that was named is not there.
    """
    args = _parser().read(argv)
    args.run(args)
