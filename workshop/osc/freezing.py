"""Make an application of a trained generator of loops, which needs neither Python nor the workshop where it runs.

    python -m workshop.freeze spectral_gan/01

`./start.sh freeze` calls this. PyInstaller puts the OSC server, the network as an ONNX file, and all that they need
into a folder. It is for the system that it is made on, and for newer ones of the same kind.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from workshop import ROOT, cli
from workshop.commands import command
from workshop.errors import UserError
from workshop.export.names import MODEL
from workshop.files import explain, short_path
from workshop.osc import application
from workshop.quiet import quietly
from workshop.visible import visible_line

#: Where applications go.
FOLDER = ROOT / "data" / "generated" / "applications"
#: What PyInstaller would find in the environment and take along, though the server of loops does without it.
LEFT_OUT = (
    "tensorflow", "keras", "numba", "llvmlite", "scipy", "sklearn", "librosa", "matplotlib", "PIL", "msgspec", "onnx",
    "pandas", "IPython", "tkinter", "sympy", "google", "setuptools", "yaml", "psutil", "workshop.run.trained",
)  # fmt: skip
#: Names that are names everywhere.
NAMES = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def named(text: str) -> str:
    """A name of a program, if it can be one.

    Raises:
        UserError: it cannot.
    """
    if not NAMES.fullmatch(text):
        raise UserError(f"--name {text!r} is no name for a file: take letters, digits, '-' and '_'")
    return text


def main() -> None:
    """Do what the command line asks for.

    Raises:
        UserError: there is no such experiment, its network makes no loops, or the application cannot be made.
    """
    parser = cli.Parser(prog="python -m workshop.freeze", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("experiment", nargs="?", help="its folder or name; by default the newest of lesson 6")
    where = "where to write; by default a folder in data/generated/applications"
    parser.add_argument("--to", metavar="FOLDER", help=where)
    parser.add_argument("--name", help="name of the program; by default that of the experiment")
    parser.add_argument(
        "--checkpoint", default="best", metavar="best|latest|STEP", help="which weights, as for sample.py"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier application in FOLDER")
    args = parser.read()

    for package in ("PyInstaller", "onnx", "onnxruntime", "pythonosc"):
        if importlib.util.find_spec(package) is None:
            raise UserError(f"freezing needs {package}, which is not installed: `{_install()}` brings it")
    from workshop.export.command_line import comparison
    from workshop.export.folder import Export
    from workshop.osc.loops import Loops
    from workshop.run import trained

    net = trained.named(args.experiment or "spectral_gan", args.checkpoint)
    cli.say(f"{net}")
    if not isinstance(net, Loops):
        raise UserError(f"{net.experiment.path} makes no loops: an application is made of a network of lesson 6")
    with quietly():
        exported = net.exported()
    name = named(args.name or f"{net.lesson.name}-{net.experiment.path.name}")
    target = Path(args.to) if args.to else FOLDER / name
    check(target, args.overwrite)
    export = Export(net, exported, False)
    print(comparison(export.content, exported, False))
    cli.say("PyInstaller makes the application, which takes a minute")
    freeze(export.content, name, target)
    size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file() and not file.is_symlink())
    program = short_path(target / f"{name}{'.exe' if sys.platform == 'win32' else ''}")
    print(visible_line(f"written: {target} ({size / 1e6:.0f} MB)"))
    print(visible_line(f"  to start it:  {program}"), "  on another computer, copy the folder as it is", sep="\n")


def _install() -> str:
    return command(Path("-m"), "pip", "install", "--require-hashes", "-r", ROOT / "requirements" / "freeze.txt")


def check(target: Path, overwrite: bool) -> None:
    """Refuse a folder that holds something already.

    Raises:
        UserError: it does.
    """
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / "_internal" / MODEL).is_file():
        raise UserError(f"--to {target} holds something else than an application already: name another folder")
    if not overwrite:
        raise UserError(f"--to {target} holds an application already: add --overwrite, or name another folder")


def freeze(model: bytes, name: str, target: Path) -> None:
    """Make an application.

    Args:
        model: content of the ONNX file of a generator of loops.
        name: of the program.
        target: folder of the application; one that is there is replaced.

    Raises:
        UserError: PyInstaller fails, or the folder cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="freeze-") as scratch:
        work = Path(scratch)
        (work / MODEL).write_bytes(model)
        words = [
            sys.executable, "-m", "PyInstaller", "--noconfirm", "--onedir", "--log-level", "WARN", "--name", name,
            "--add-data", f"{work / MODEL}{os.pathsep}.", "--paths", str(ROOT),
            "--distpath", str(work / "made"), "--workpath", str(work / "work"), "--specpath", scratch,
        ]  # fmt: skip
        for module in LEFT_OUT:
            words += ["--exclude-module", module]
        if sys.platform == "win32":  # a double click opens no window, and in a terminal --help is printed
            words += ["--hide-console", "hide-early"]
        words.append(str(Path(application.__file__)))
        environment = {**os.environ, "PYINSTALLER_CONFIG_DIR": str(work / "settings")}
        done = subprocess.run(
            words, cwd=scratch, env=environment, capture_output=True, text=True, errors="replace", check=False
        )
        made = work / "made" / name
        if done.returncode or not made.is_dir():
            said = [line for line in done.stderr.splitlines() if line.strip()][-3:]
            raise UserError(f"PyInstaller failed, and nothing was written: {' / '.join(said)[:600]}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                shutil.rmtree(target)
            shutil.move(made, target)
        except OSError as error:
            raise UserError(f"{target} cannot be written: {explain(error, target)}; name another folder") from error
