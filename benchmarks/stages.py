"""What the lessons make at three stages of a training, for the pages that show and play it.

    python benchmarks/stages.py                       a quarter of an hour; writes docs/stages/ and fills the pages
    python benchmarks/stages.py --only lyrics         this one alone, the others stay as they were
    python benchmarks/stages.py --smoke --docs FOLDER    seconds, into a copy of docs/, to see that it works

Each lesson trains on its starter set, and three of the previews that it leaves in its experiment are kept: an early
one, one ten times as late, and that of the best network. A last one of lessons 1 and 2 is by the network that comes
trained. Text goes into the pages, notes and sounds into docs/stages; docs/make_media.py makes of them what one can hear
and see.
"""

import argparse
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import compare
import expectations
import soundfile

#: Steps of the first two stages, and those between two previews.
STAGES, EVERY = (50, 500), 50
#: Characters of a text, without the piece of a word at its end.
TEXT_LENGTH = 240
PREVIEW = re.compile(r"step_(\d+)\D*")


@dataclass(frozen=True)
class Run:
    """A training whose stages are kept.

    Attributes:
        lesson: its folder.
        arguments: of `train.py`.
        previews: which files of the experiment's folder `samples` are its previews.
        unit: what a symbol is called.
        trained: the network that comes trained, None for none.
    """

    lesson: str
    arguments: tuple[str, ...]
    previews: str
    unit: str
    trained: str | None = None


RUNS = {
    "lyrics": Run("char_rnn", (), "step_*.txt", "character", "verse"),
    "melodies": Run("midi_rnn", (), "step_*.mid", "sixteenth", "tunes"),
    "sounds": Run("wavenet", ("--condition", "folder"), "step_*_flute.wav", "sample"),
}


def measure(name: str, minutes: float, smoke: bool, folder: Path) -> list[dict[str, Any]]:
    """Train, and keep the previews of three stages: the steps, the loss on held-out data, and the text or the file."""
    run = RUNS[name]
    length = ["--smoke", "--size", "tiny"] if smoke else ["--max_minutes", minutes, "--sample_every", EVERY]
    for old in folder.glob(f"{name}_*"):
        old.unlink()
    with compare.trained(run.lesson, *run.arguments, "--save_every", EVERY, *length) as (experiment, info):
        there = {int(match[1]): path for path in (experiment / "samples").glob(run.previews)
                 if (match := PREVIEW.match(path.name))}  # fmt: skip
        best = min(there, key=lambda step: abs(step - info["best"]["step"]))
        losses = {point["step"]: point["validation"] for point in info["history"] if "validation" in point}
        steps = [step for step in STAGES if step in there and step < best]
        found = [
            {
                "what": f"After {step:,} steps",
                "nats": round(losses[min(losses, key=lambda at: abs(at - step))], 3),
                **kept(there[step], folder / f"{name}_{step}"),
            }
            for step in (*steps, best)
        ]
    if run.trained:
        found.append(made_by_trained(name, run, folder))
    return found


def kept(preview: Path, stem: Path) -> dict[str, str]:
    """A text itself, or the name of the copy that was made in docs/stages: of a sound, compressed."""
    if preview.suffix == ".txt":
        return {"text": preview.read_text("utf-8")[:TEXT_LENGTH].rsplit(None, 1)[0].strip("\n")}
    if preview.suffix == ".wav":
        samples, rate = soundfile.read(preview)
        target = stem.with_suffix(".ogg")
        soundfile.write(target, samples, rate, format="OGG", subtype="VORBIS")
    else:
        target = stem.with_suffix(preview.suffix)
        target.write_bytes(preview.read_bytes())
    return {"file": target.name}


def made_by_trained(name: str, run: Run, folder: Path) -> dict[str, Any]:
    """The same by the network that comes trained."""
    path = compare.ROOT / "pretrained" / run.lesson / str(run.trained)
    info = json.loads((path / "run.json").read_text("utf-8"))
    suffix = Path(run.previews).suffix
    made = folder / f"{name}_{run.trained}{suffix}"
    command = [sys.executable, str(compare.ROOT / run.lesson / "sample.py"), "--experiment_dir", str(path)]
    choices = ["--seed", "1", "--num_samples", "1", "--length", str(TEXT_LENGTH + 20)]
    subprocess.run([*command, *choices, "--out", str(made)], check=True)
    result = {
        "what": f"`{run.trained}`, which comes trained",
        "nats": round(info["best"]["validation"], 3),
        **kept(made, made.with_suffix("")),
    }
    if "text" in result:
        made.unlink()
    return result


def shown(name: str, stages: list[dict[str, Any]]) -> str:
    """What a page shows of the stages: text as it is, notes and sounds as a link, a player and a picture."""
    lines = []
    for stage in stages:
        title = f"{stage['what']} ({stage['nats']:.3f} nats a {RUNS[name].unit})"
        if "text" in stage:
            lines.append(f"{title}:\n\n```\n{stage['text']}\n```\n")
            continue
        lines += player(title, stage["file"])
    return "\n".join(lines)


def player(title: str, file: str) -> list[str]:
    """What a page shows of notes or a sound in docs/stages."""
    stem, words = Path(file).stem, title.replace("`", "")
    places = f"<!-- sound: {stem}.wav | {words} -->\n<!-- picture: {stem}.png | {words} -->\n"
    return [f"{title}: [{file}](stages/{file})\n", places]


def main() -> None:
    """Train, keep, and fill the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5, help="of each training at most (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=RUNS, default=list(RUNS), help="these runs alone")
    parser.add_argument("--docs", type=Path, default=compare.ROOT / "docs", help="folder of the pages")
    parser.add_argument("--smoke", action="store_true", help="some steps of the smallest networks")
    args = parser.parse_args()
    if args.smoke and args.docs == compare.ROOT / "docs":
        parser.error("--smoke makes nothing worth showing: name a copy of the pages with --docs")
    folder = args.docs / "stages"
    folder.mkdir(exist_ok=True)
    results = expectations.kept(args.docs)
    of_all = results.setdefault("stages", {})
    for name in args.only:
        stages = measure(name, args.minutes, args.smoke, folder)
        of_all[name] = {"stages": stages, "shown": shown(name, stages)}
        expectations.keep(args.docs, results)
    compare.finish({name: [stage["nats"] for stage in of_all[name]["stages"]] for name in args.only})


if __name__ == "__main__":
    main()
