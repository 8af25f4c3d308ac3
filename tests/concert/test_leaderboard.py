"""The leaderboard: what is ranked with what, and that nobody's run.json can do more than be shown."""

import html.parser
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from workshop.concert import leaderboard
from workshop.concert.entries import found
from workshop.errors import UserError


def student(trained: Path, tmp_path: Path, name: str, best: float | None = None, **changes: Any) -> Path:
    """An experiment of that student, with another best loss in nats, and other entries in run.json."""
    path = tmp_path / "class" / name / "experiments" / "01"
    shutil.copytree(trained, path)
    record = json.loads((path / "run.json").read_text("utf-8"))
    if best is not None:
        record["best"]["validation"] = best
    record |= changes
    (path / "run.json").write_text(json.dumps(record), "utf-8")
    return path


def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> str:
    out = tmp_path / "board.html"
    monkeypatch.setattr(sys, "argv", ["leaderboard", str(tmp_path / "class"), "--out", str(out), *more])
    leaderboard.main()
    return out.read_text("utf-8")


def order(page: str, *names: str) -> list[str]:
    return sorted(names, key=page.index)


def test_the_best_is_first_with_its_margin_and_what_it_has_made(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    student(trained, tmp_path, "Ada", 2.0)
    student(trained, tmp_path, "Björn", 1.5)
    unmeasured = student(trained, tmp_path, "Cem", best=None)
    record = json.loads((unmeasured / "run.json").read_text("utf-8"))
    (unmeasured / "run.json").write_text(json.dumps({**record, "best": None, "history": []}), "utf-8")
    page = written(tmp_path, monkeypatch)
    assert order(page, "class/Ada/01", "class/Björn/01", "class/Cem/01") == [
        "class/Björn/01", "class/Ada/01", "class/Cem/01",
    ]  # fmt: skip
    assert f"{1.5 / 0.693147:.3f}" in page
    assert "made by the tests" in page
    assert "rnn_size 16" in page
    assert page.count("<table>") == 1
    preview = max(trained.glob("samples/*.txt")).read_text("utf-8").split()[0]
    assert preview in html.unescape(page)
    assert "char_rnn, 3 experiments: the best is class/Björn/01 with 2.164 bits" in capsys.readouterr().out


def test_only_what_was_measured_on_the_same_is_in_one_table(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = student(trained, tmp_path, "Ada")
    record = json.loads((one / "run.json").read_text("utf-8"))
    student(trained, tmp_path, "same")
    student(trained, tmp_path, "data", data=record["data"] | {"fingerprint": "another"})
    student(trained, tmp_path, "split", arguments=record["arguments"] | {"val_split": 0.2})
    other = student(trained, tmp_path, "vocabulary")
    (other / "vocab.json").write_text("{}")
    assert written(tmp_path, monkeypatch).count("<table>") == 4


def test_a_loss_that_is_not_in_nats_is_not_called_bits(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    student(trained, tmp_path, "Ada", 2.0, baseline_kind="linear predictor", baseline={"4": 3.0})
    page = written(tmp_path, monkeypatch)
    assert "best linear predictor" in page
    assert re.search(r">2\.000<.*>3\.000<.*>1\.000<", page)
    assert "bits" not in page


class Tags(html.parser.HTMLParser):
    """All tags and attributes of a page."""

    def __init__(self, page: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_a_hostile_run_json_is_text_on_a_page_that_loads_nothing(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'"
    path = student(trained, tmp_path, "<b>Eve", message=bad)
    record = json.loads((path / "run.json").read_text("utf-8"))
    record["arguments"]["rnn_size"] = record["data"]["path"] = bad
    (path / "run.json").write_text(json.dumps(record), "utf-8")
    (path / "samples" / "step_999999.txt").write_text(bad)
    (path / "samples" / "step_999999.png").write_text(bad)
    (path / "samples" / "step_999999.wav").symlink_to("/etc/passwd")
    page = written(tmp_path, monkeypatch, "--title", bad)
    tags = Tags(page).tags
    assert {tag for tag, _ in tags} <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "div", "table", "tr", "th", "td",
        "main", "article", "pre",
    }  # fmt: skip
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on") or name == "href"]
    assert page.count("&lt;script&gt;alert(1)") >= 5
    assert re.search(r"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-", page)


def test_what_cannot_be_read_is_said_and_the_rest_is_shown(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    student(trained, tmp_path, "Ada")
    (student(trained, tmp_path, "Broken") / "run.json").write_text("{")
    student(trained, tmp_path, "Foreign", lesson="os")
    page = written(tmp_path, monkeypatch)
    assert "Not shown" in page
    assert "is damaged" in page
    assert "no lesson of this workshop" in capsys.readouterr().err


def test_a_folder_that_is_named_twice_is_shown_once(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    student(trained, tmp_path, "Ada")
    folders = [tmp_path / "class", tmp_path / "class" / "Ada"]
    argv = ["leaderboard", *map(str, folders), "--out", str(tmp_path / "board.html")]
    monkeypatch.setattr(sys, "argv", argv)
    leaderboard.main()
    assert "char_rnn, 1 experiments" in capsys.readouterr().out


def test_a_link_is_not_followed_and_is_said(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    student(trained, tmp_path, "Ada")
    shutil.copytree(trained, tmp_path / "elsewhere")
    (tmp_path / "class" / "Eve").symlink_to(tmp_path / "elsewhere")
    assert "class/Eve is a link" in written(tmp_path, monkeypatch)


def test_a_vocabulary_without_an_end_is_not_waited_for(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    student(trained, tmp_path, "Ada")
    pipe, large = (student(trained, tmp_path, name) / "vocab.json" for name in ("Pipe", "Large"))
    pipe.unlink()
    os.mkfifo(pipe)
    os.truncate(large, 1 << 40)
    page = written(tmp_path, monkeypatch)
    assert "Pipe/experiments/01/vocab.json is neither a file" in page
    assert "Large/experiments/01/vocab.json is damaged" in page
    assert page.count("<h3>class/") == 1


def test_no_page_is_written_where_none_can_be(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    student(trained, tmp_path, "Ada")
    with pytest.raises(UserError, match="is a folder: name the file"):
        written(tmp_path, monkeypatch, "--out", str(tmp_path))
    with pytest.raises(UserError, match=r"no experiment could be measured again: .*there is no .*nowhere"):
        written(tmp_path, monkeypatch, "--measure", str(tmp_path / "nowhere"))
    assert not (tmp_path / "board.html").exists()


def test_a_folder_without_experiments_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "class").mkdir()
    with pytest.raises(UserError, match="there is no experiment in"):
        written(tmp_path, monkeypatch)
    with pytest.raises(UserError, match="there is no folder"):
        found([tmp_path / "nobody"])


@pytest.mark.slow
def test_a_network_is_measured_anew_on_data_that_it_has_not_seen(
    trained: Path, tiny_text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One says that it is far better than it is."""
    honest, liar = student(trained, tmp_path, "Honest"), student(trained, tmp_path, "Liar", 0.001)
    (liar / "checkpoints" / "best.npz").unlink()
    shutil.copy(liar / "checkpoints" / "latest.npz", tmp_path / "latest.npz")
    unseen = tmp_path / "unseen"
    unseen.mkdir()
    (unseen / "input.txt").write_text((tiny_text / "input.txt").read_text("utf-8")[::-1], "utf-8")
    page = written(tmp_path, monkeypatch, "--measure", str(unseen))
    said = json.loads((honest / "run.json").read_text("utf-8"))["best"]["validation"] / 0.693147
    (cell,) = re.findall(rf">([\d.]+) \({said:.3f}\)<", page)
    assert said < float(cell) < 12, "text that is read backwards is a surprise"
    assert re.search(r">([\d.]+) \(0\.001\)<", page)
    (measured,) = re.findall(r">([\d.]+) \(0\.001\)<", page)
    assert float(measured) > 3
    # No n-gram has been measured on that data.
    assert len(re.findall(r"\([\d.]+\)</td>\s*<td[^>]*></td>\s*<td[^>]*></td>", page)) == 2
    assert page.count("<table>") == 1
    assert not list(unseen.glob("experiment*"))
