"""The curves that docs/04-reading-tensorboard.md shows: a good training, one that learns by heart, one that is broken.

    python benchmarks/curves.py                       two minutes; writes docs/curves.json
    python benchmarks/curves.py --smoke --out FILE    seconds, into another file, to see that it works

All three are the first lesson's. docs/make_media.py draws what is kept here, so that the site is made in seconds.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import compare

from workshop.files import write_text

SONGS = compare.ROOT / "data" / "lyrics" / "starter"
#: The trainings: what is said above the picture, what is learnt from, further arguments.
RUNS: dict[str, tuple[str, Path, list[str]]] = {
    "good": ("a good run", SONGS, ["--size", "small", "--dropout", "0.1", "--num_epochs", "32", "--save_every", "50"]),
    "overfitting": (
        "learning by heart", SONGS / "a10_sleeper.txt",
        ["--size", "small", "--num_epochs", "400", "--save_every", "20"],
    ),
    "broken": (
        "a broken run", SONGS, ["--size", "tiny", "--num_epochs", "6", "--save_every", "15", "--learning_rate", "1"],
    ),
}  # fmt: skip


def curves(title: str, info: dict[str, Any]) -> dict[str, Any]:
    """What `workshop.run.curves.draw_curves` draws of a run.json, rounded to four digits, and the title above it."""
    history = [
        {key: round(point[key], 4) for key in ("step", "train", "validation") if key in point}
        for point in info["history"]
    ]
    return {
        "title": title,
        "baseline": {name: round(loss, 4) for name, loss in info["baseline"].items()},
        "history": history,
    }


def main() -> None:
    """Train all three and keep their curves, one training a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="train some steps instead")
    parser.add_argument(
        "--out", type=Path, default=compare.ROOT / "docs" / "curves.json", help="file (default: %(default)s)"
    )
    args = parser.parse_args()
    found = {}
    for name, (title, data, arguments) in RUNS.items():
        further = [*arguments, "--sample_every", "1000000", *["--smoke"] * args.smoke]
        with compare.trained("char_rnn", "--data_dir", data, *further) as (_, info):
            found[name] = curves(title, info)
    lines = [f"{json.dumps(name)}: {json.dumps(run)}" for name, run in found.items()]
    write_text(args.out, "{\n" + ",\n".join(lines) + "\n}\n")
    compare.finish({name: min(point["validation"] for point in run["history"]) for name, run in found.items()})


if __name__ == "__main__":
    main()
