"""What to expect of the lessons: trains as the pages say, and writes the numbers and samples that the pages show.

    python benchmarks/expectations.py                 up to an hour; sets that are not there are left out, and said
    python benchmarks/expectations.py --smoke --docs FOLDER    seconds, into a copy of docs/, to see that it works
    python benchmarks/expectations.py --only lyrics sounds     these alone, the others stay as they were
    python benchmarks/expectations.py --fill          measure nothing, write what was measured into the pages again

Results are kept in docs/expectations.json, and shown wherever a page in docs/, or README.md, says
`<!-- measured: NAME PART -->`, down to `<!-- end of measured -->`. PART is `log` (the progress), `sample` (what
it wrote) or `choices` (the same seed, chosen in several ways); `<!-- measured: table -->` is all runs in a table,
`<!-- measured: stages NAME -->` what stages.py keeps beside it, and `<!-- measured: guessing shown -->` what
guessing.py does.
"""

import argparse
import json
import math
import platform
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import compare

from workshop.host import doctor

#: Of a sample and of a line of progress, so much is shown.
SAMPLE_LENGTH, CHOICE_LENGTH, WIDTH = 400, 160, 130
SEED = "1"
#: Ways of choosing that the page about sampling compares.
CHOICES = (
    "--temperature 0.3", "--temperature 0.7", "--temperature 1", "--temperature 1.5", "--top_k 3", "--top_p 0.8",
)  # fmt: skip
REGION = re.compile(r"(<!-- measured: (.+?) -->\n).*?(<!-- end of measured -->)", re.DOTALL)


#: What each lesson trains on unless it is told otherwise.
STARTERS = {
    "char_rnn": "lyrics/starter", "midi_rnn": "midi/tunes", "wavenet": "audio/starter", "audio_rnn": "audio/starter",
    "spectral_rnn": "audio/piano",
}  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A training that the pages speak of: its lesson, its data, what a symbol of it is called, further arguments."""

    lesson: str
    data: str
    unit: str
    arguments: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """As a reader types it, in the lesson's folder."""
        where = () if self.data == STARTERS[self.lesson] else ("--data_dir", f"../data/{self.data}")
        return " ".join(("python train.py", *where, *self.arguments))


RUNS = {
    "lyrics": Run("char_rnn", "lyrics/starter", "character"),
    "tunes": Run("char_rnn", "lyrics/tunes", "character"),
    "shakespeare": Run("char_rnn", "lyrics/tinyshakespeare", "character"),
    "melodies": Run("midi_rnn", "midi/tunes", "sixteenth"),
    "nottingham": Run("midi_rnn", "midi/nottingham", "sixteenth"),
    "sounds": Run("wavenet", "audio/starter", "sample", ("--condition", "folder")),
    "sounds_small": Run("wavenet", "audio/starter", "sample", ("--condition", "folder", "--size", "small")),
    "digits": Run("wavenet", "audio/fsdd_jackson", "sample"),
    "memory": Run("audio_rnn", "audio/starter", "sample", ("--condition", "folder")),
    "spectra": Run("spectral_rnn", "audio/piano", "frame"),
}


def measure(run: Run, minutes: float, smoke: bool) -> dict[str, Any]:
    """Train and sample as the pages say; return what they show of it."""
    place = compare.ROOT / run.lesson
    with tempfile.TemporaryDirectory() as folder:
        experiment = Path(folder) / "experiment"
        length = ["--smoke", "--size", "tiny"] if smoke else ["--max_minutes", str(minutes)]
        data = ["--data_dir", f"../data/{run.data}"]
        log = _output(
            place, "train.py", *data, *run.arguments, *length, "--experiment_dir", str(experiment), with_progress=True
        )
        info = json.loads((experiment / "run.json").read_text("utf-8"))
        result = {
            "unit": run.unit,
            "minutes": round(info["minutes"], 1),
            "steps": info["step"],
            "nats": round(info["best"]["validation"], 3),
            "ngram": round(min(info["baseline"].values()), 3),
            "log": _excerpt(log.splitlines()),
        }
        if run.lesson == "char_rnn":
            result["sample"] = _written(place, experiment, SAMPLE_LENGTH, "--temperature 0.7")
            result["choices"] = {choice: _written(place, experiment, CHOICE_LENGTH, choice) for choice in CHOICES}
    return result


def _output(place: Path, *command: str, with_progress: bool = False) -> str:
    said = subprocess.STDOUT if with_progress else None
    # Unbuffered, so that both stand in the order in which they were said.
    arguments = [sys.executable, "-u", *command]
    return subprocess.run(arguments, cwd=place, stdout=subprocess.PIPE, stderr=said, text=True, check=True).stdout


def _written(place: Path, experiment: Path, length: int, choice: str) -> str:
    where = ["--experiment_dir", str(experiment), "--seed", SEED, "--length", str(length), "--no_copy_check"]
    return _output(place, "sample.py", *where, *choice.split()).strip("\n")


def _excerpt(log: list[str]) -> list[str]:
    """The beginning of a run, its first measurement with what it made at that moment, and its last one."""
    first_step = next(at for at, line in enumerate(log) if line.startswith("step "))
    measured = [at for at, line in enumerate(log) if line.startswith("held-out data")]
    shown = set(range(first_step + 1))
    for at in (measured[0], measured[-1]):
        shown |= {at, max(line for line in range(at) if log[line].startswith("step "))}
    after = measured[0] + 1
    while after < len(log) and log[after].startswith("    | ") and after <= measured[0] + 4:
        shown.add(after)
        after += 1
    lines: list[str] = []
    for at in sorted(shown):
        if lines and at - 1 not in shown:
            lines.append("...")
        lines.append(log[at] if len(log[at]) <= WIDTH else f"{log[at][: WIDTH - 4]} ...")
    return lines


def this_computer() -> str:
    """What the runs are measured on."""
    model, _ = doctor.cpu_model_and_features()
    return f"{platform.system()}, {model}, {doctor.usable_cores()} cores, no GPU"


def part(results: dict[str, Any], name: str) -> str:
    """Return what stands at a place called `table`, or by a run and a part; nothing where nothing was measured."""
    run, _, what = name.partition(" ")
    if run == "table":
        return _table(results) if results else ""
    if run not in results:
        return ""
    if run == "stages":
        return str(results[run].get(what, {}).get("shown", ""))
    found = results[run][what]
    if what == "shown":
        return str(found)
    if what == "choices":
        return "".join(f"`{choice}`\n\n{_quoted(text)}\n" for choice, text in found.items())
    return _quoted("\n".join(found) if what == "log" else found)


def _quoted(text: str) -> str:
    return f"```\n{text}\n```\n"


def _table(results: dict[str, Any]) -> str:
    lines = [
        "| lesson | command | minutes | loss on held-out data | the best n-gram, or linear predictor |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for name in RUNS:
        if name in results:
            of = results[name]
            losses = (
                f"{of[key]:.3f} nats ({of[key] / math.log(2):.2f} bits) a {of['unit']}" for key in ("nats", "ngram")
            )
            lines.append(f"| {RUNS[name].lesson} | `{RUNS[name].command}` | {of['minutes']} | {' | '.join(losses)} |")
    return "\n".join([*lines, "", f"Measured by `benchmarks/expectations.py` on {_computers(results)}.", ""])


def _computers(results: dict[str, Any]) -> str:
    """The computer of the runs; where there are several, each with its lessons and sets."""
    runs: dict[str, list[str]] = {}
    for name in RUNS:
        if name in results:
            runs.setdefault(results[name]["computer"], []).append(f"{RUNS[name].lesson} of {RUNS[name].data}")
    if len(runs) == 1:
        return next(iter(runs))
    fewest_last = sorted(runs.items(), key=lambda one: -len(one[1]))
    return "; ".join([fewest_last[0][0], *(f"{', '.join(of)} on {computer}" for computer, of in fewest_last[1:])])


def fill(text: str, results: dict[str, Any]) -> str:
    """Return a page with what was measured in its places."""
    return REGION.sub(lambda place: f"{place[1]}{part(results, place[2])}{place[3]}", text)


def kept(docs: Path) -> dict[str, Any]:
    """What was measured for the pages in a folder, by run; that of `stages.py` under `stages`."""
    path = docs / "expectations.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def keep(docs: Path, results: dict[str, Any]) -> None:
    """Write what was measured into a folder of pages, and into the pages there and the READMEs beside it."""
    (docs / "expectations.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    for page in (*docs.glob("*.md"), *docs.parent.glob("README.md"), *docs.parent.glob("*/README.md")):
        page.write_text(fill(page.read_text("utf-8"), results), "utf-8")


def main() -> None:
    """Measure, keep, and fill the pages."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument(
        "--minutes", type=float, default=5, help="limit of each training (--max_minutes) (default: %(default)s)"
    )
    arguments.add_argument("--only", nargs="+", choices=RUNS, default=list(RUNS), help="these runs alone")
    arguments.add_argument("--docs", type=Path, default=compare.ROOT / "docs", help="folder of the pages")
    arguments.add_argument("--smoke", action="store_true", help="some steps of the smallest networks")
    arguments.add_argument("--fill", action="store_true", help="measure nothing, only fill the pages")
    args = arguments.parse_args()
    if args.smoke and args.docs == compare.ROOT / "docs":
        arguments.error("--smoke measures nothing worth showing: name a copy of the pages with --docs")
    results = kept(args.docs)
    for name in [] if args.fill else args.only:
        if not (compare.ROOT / "data" / RUNS[name].data).exists():
            print(f"{name}: left out, data/{RUNS[name].data} is not there (python -m workshop.datasets get)")
            continue
        results[name] = measure(RUNS[name], args.minutes, args.smoke) | {"computer": this_computer()}
        keep(args.docs, results)
        print(f"{name}: {results[name]['nats']} nats, n-gram {results[name]['ngram']}", flush=True)
    keep(args.docs, results)


if __name__ == "__main__":
    main()
