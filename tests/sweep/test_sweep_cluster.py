"""Scripts for clusters, as far as they can be looked at without one."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from workshop.errors import UserError
from workshop.sweep import command_line
from workshop.sweep.cluster import script

PLAN, FOLDER = Path("plans/O'Neill and sons.toml"), Path("plans/O'Neill and sons")


def test_the_script_for_slurm_is_a_valid_one_for_bash_and_quotes_names() -> None:
    text = script("slurm", PLAN, FOLDER, 6)
    assert subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode == 0
    if shellcheck := shutil.which("shellcheck"):
        subprocess.run([shellcheck, "-"], input=text, text=True, check=True)
    lines = text.splitlines()
    directives = [line for line in lines if line.startswith("#SBATCH")]
    first = next(n for n, line in enumerate(lines) if line and not line.startswith("#"))
    assert all(lines.index(line) < first for line in directives), "SLURM reads no further than the first command"
    assert "#SBATCH --array=1-6" in directives
    assert any(line.startswith("#SBATCH --signal=TERM@") for line in directives)
    assert re.search(r"exec srun .*workshop\.sweep '.*O'\"'\"'Neill and sons\.toml' --folder .* --leave$", text, re.M)


def test_the_job_for_kubernetes_is_an_indexed_one_on_a_shared_volume() -> None:
    job = yaml.safe_load(script("kubernetes", PLAN, FOLDER, 6))
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    spec = job["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 6, 6)
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", job["metadata"]["name"])
    pod = spec["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    (container,) = pod["containers"]
    assert container["image"] == "IMAGE", "there is no registry to name"
    assert container["command"][:3] == ["python", "-m", "workshop.sweep"]
    assert container["command"][3:] == [
        "/shared/O'Neill and sons.toml", "--folder", "/shared/O'Neill and sons", "--leave",
    ]  # fmt: skip
    (mount,), (volume,) = container["volumeMounts"], pod["volumes"]
    assert mount["name"] == volume["name"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_a_name_with_a_line_break_is_refused() -> None:
    with pytest.raises(UserError, match="cannot stand in a script"):
        script("slurm", Path("a\nrm -rf b.toml"), FOLDER, 1)


def test_it_is_printed_and_nothing_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = tmp_path / "two.toml"
    plan.write_text('lesson = "char_rnn"\n[vary]\nseed = [1, 2]')
    monkeypatch.setattr("sys.argv", ["sweep", str(plan), "--write", "kubernetes", "--computers", "8"])
    assert command_line.main() == 0
    assert yaml.safe_load(capsys.readouterr().out)["spec"]["completions"] == 2, "no more than there are trials"
    assert list(tmp_path.iterdir()) == [plan]
