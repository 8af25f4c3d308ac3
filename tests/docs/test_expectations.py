"""What was measured stands in the pages as it was measured, and nothing is typed by hand."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import warm as warm_python

from workshop import ROOT
from workshop.audio import drums
from workshop.audio.synthesis import write_wav

sys.path.insert(0, str(ROOT / "benchmarks"))
import expectations
import guessing
import stages

DOCS = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", *sorted(ROOT.glob("*_*/README.md"))]
LYRICS = {
    "unit": "character", "minutes": 10.0, "steps": 1800, "nats": 1.5, "ngram": 1.75,
    "log": ["data: songs", "step 1"], "sample": "la la", "choices": {"--top_k 3": "la"}, "computer": "a laptop",
}  # fmt: skip


def kept() -> dict[str, Any]:
    """The results that the pages show."""
    return expectations.kept(ROOT / "docs")


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_pages_show_what_was_measured(page: Path) -> None:
    text = page.read_text("utf-8")
    assert expectations.fill(text, kept()) == text


def test_every_place_can_be_filled() -> None:
    places = {place for page in DOCS for _, place, _ in expectations.REGION.findall(page.read_text("utf-8"))}
    assert "table" in places
    for place in places - {"table"}:
        run, what = place.split()
        if run == "stages":
            assert what in stages.RUNS
            continue
        if run == "guessing":
            assert what == "shown"
            continue
        assert run in expectations.RUNS
        assert what in {"log", "sample", "choices"}
        assert what == "log" or expectations.RUNS[run].lesson == "char_rnn"


def test_what_networks_made_at_their_stages_is_there_and_gets_better() -> None:
    there = {path.name for path in (ROOT / "docs" / "stages").iterdir()}
    named = set()
    for name, run in kept()["stages"].items():
        assert run["shown"] == stages.shown(name, run["stages"])
        losses = [stage["nats"] for stage in run["stages"]]
        assert len(losses) >= 3
        assert losses == sorted(losses, reverse=True)
        named |= {stage["file"] for stage in run["stages"] if "file" in stage}
    named |= {kept()["guessing"][target]["file"] for target in guessing.TARGETS}
    assert named == there
    assert sum((ROOT / "docs" / "stages" / name).stat().st_size for name in named) < 100_000


@pytest.mark.parametrize(
    "runs", [pytest.param(["lyrics"], marks=pytest.mark.slow), pytest.param(list(stages.RUNS), marks=pytest.mark.long)]
)
def test_the_stages_can_be_measured(runs: list[str], tmp_path: Path, warm: str) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.md").write_text("<!-- measured: stages lyrics -->\n<!-- end of measured -->\n")
    command = [sys.executable, str(ROOT / "benchmarks" / "stages.py"), "--smoke", "--docs", str(docs), "--only", *runs]
    done = subprocess.run(command, env=warm_python.environment(warm), capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout.splitlines()[-1])) == set(runs)
    kinds = {".mid", ".ogg"} if runs == list(stages.RUNS) else set()
    assert {path.suffix for path in (docs / "stages").iterdir()} == kinds
    assert "`verse`, which comes trained" in (docs / "a.md").read_text("utf-8")


def test_what_is_guessed_stands_still_and_what_is_drawn_does_not() -> None:
    of = kept()["guessing"]
    assert of["shown"] == guessing.shown(
        {target: of[target] for target in guessing.TARGETS}, of["minutes"], of["seeds"]
    )
    drawn, guessed = (of[target]["level_db"] for target in guessing.TARGETS)
    assert guessed[-1] < drawn[-1] - 6
    # The same level in every second, where what is drawn goes on changing.
    assert np.ptp(guessed[1:]) < 1 < np.ptp(drawn[1:])


@pytest.mark.slow
def test_guessing_can_be_measured(tmp_path: Path, warm: str) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.md").write_text("<!-- measured: guessing shown -->\n<!-- end of measured -->\n")
    data = tmp_path / "loops"
    for name, tempo in drums.loops()[:3]:
        write_wav(data / f"{name}.wav", drums.loop(name, tempo, 8000), 8000)
    asked = ["--smoke", "--seeds", "1", "--docs", str(docs), "--data_dir", str(data)]
    command = [sys.executable, str(ROOT / "benchmarks" / "guessing.py"), *asked]
    done = subprocess.run(command, env=warm_python.environment(warm), capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout.splitlines()[-1])) == set(guessing.TARGETS)
    assert {path.name for path in (docs / "stages").iterdir()} == {"spectra_levels.ogg", "spectra_complex.ogg"}
    assert "Guessed, `--target complex`" in (docs / "a.md").read_text("utf-8")


def test_a_preview_of_sound_is_kept_compressed_and_notes_as_they_are(tmp_path: Path) -> None:
    write_wav(tmp_path / "step_000050_flute.wav", 0.5 * np.sin(np.arange(4000) / 5), 8000)
    (tmp_path / "step_000050.mid").write_bytes(b"notes")
    assert stages.kept(tmp_path / "step_000050_flute.wav", tmp_path / "sounds_50") == {"file": "sounds_50.ogg"}
    assert stages.kept(tmp_path / "step_000050.mid", tmp_path / "melodies_50") == {"file": "melodies_50.mid"}
    assert soundfile.info(tmp_path / "sounds_50.ogg").frames == 4000
    assert (tmp_path / "melodies_50.mid").read_bytes() == b"notes"


def test_a_place_is_filled_and_filled_again() -> None:
    page = "before\n<!-- measured: {} -->\n<!-- end of measured -->\nafter\n"
    results = {"lyrics": LYRICS}
    log = expectations.fill(page.format("lyrics log"), results)
    assert "-->\n```\ndata: songs\nstep 1\n```\n<!-- end" in log
    assert expectations.fill(log, results) == log
    assert expectations.fill(log, {}) == page.format("lyrics log")  # nothing, where nothing was measured
    table = expectations.fill(page.format("table"), results)
    assert "| `python train.py` | 10.0 | 1.500 nats (2.16 bits) a character | 1.750 nats" in table
    assert "`benchmarks/expectations.py` on a laptop.\n" in table
    assert "`--top_k 3`\n\n```\nla\n```\n" in expectations.fill(page.format("lyrics choices"), results)


def test_a_run_keeps_its_computer_when_others_are_measured_elsewhere() -> None:
    page = "<!-- measured: table -->\n<!-- end of measured -->\n"
    results = {name: LYRICS for name in ("lyrics", "tunes")} | {"memory": {**LYRICS, "computer": "a server"}}
    assert "` on a laptop; audio_rnn of audio/starter on a server.\n" in expectations.fill(page, results)


def test_an_excerpt_has_the_beginning_and_the_first_and_last_measurement() -> None:
    log = ["data: a", "step 1/9", "step 3/9", "    | so far", "held-out data: 3", "    | la", "step 5/9", "step 9/9"]
    excerpt = expectations._excerpt([*log, "held-out data: 1", "The experiment is in a folder"])
    assert excerpt == [
        "data: a", "step 1/9", "step 3/9", "...", "held-out data: 3", "    | la", "...", "step 9/9", "held-out data: 1",
    ]  # fmt: skip
