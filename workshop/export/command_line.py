"""Export a trained network: as an ONNX file that says what its symbols mean, with a program that plays it.

    python -m workshop.export verse --to my_verse

Of a network that generates step by step, one step is exported: a symbol and the state go in, the logits of the next
symbol and the new state come out. A generator of loops is exported whole: latent values go in, a picture comes out. The
file is compared with Keras before it is written.
"""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from workshop import ROOT, cli
from workshop.commands import command
from workshop.errors import UserError
from workshop.export import names
from workshop.quiet import quietly
from workshop.visible import visible_line

if TYPE_CHECKING:
    from workshop.export.maker import Maker
    from workshop.export.step import Step


def main() -> None:
    """Do what the command line asks for.

    Raises:
        UserError: there is no such experiment, its network cannot be exported, or the folder cannot be written.
    """
    parser = cli.Parser(prog="python -m workshop.export", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "experiment", nargs="?", help="its folder or name, such as char_rnn/01 or verse; by default the newest"
    )
    parser.add_argument("--to", required=True, metavar="FOLDER", help="where to write; made if it is missing")
    parser.add_argument(
        "--checkpoint", default="best", metavar="best|latest|STEP", help="which weights, as for sample.py"
    )
    parser.add_argument("--half", action="store_true", help="store weights as float16: half the size, larger errors")
    parser.add_argument(
        "--page", action="store_true", help="write a web page that runs it in the browser, with float16 weights"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier export in FOLDER")
    args = parser.read()

    require_onnx()
    from workshop.export import folder
    from workshop.run import trained

    target = Path(args.to)
    folder.check(target, args.overwrite)
    net = trained.named(args.experiment, args.checkpoint)
    cli.say(f"{net}")
    with quietly():
        from workshop.export import web_page
        from workshop.export.maker import Maker

        exported = net.exported()
    if args.page:
        if isinstance(exported, Maker):
            raise UserError("--page is for networks that write one thing after the other: leave it out for loops")
        written = web_page.Page(net, exported).write(target)
        _report(written)
        serve = command(Path("-m"), "http.server", 8000, "--directory", target)
        print(f"  to serve it:  {serve}\nand open http://localhost:8000; any web host serves the folder as it is.")
    else:
        export = folder.Export(net, exported, args.half)
        print(comparison(export.content, exported, args.half))
        written = export.write(target)
        _report(written)
        if export.has_player:
            print(f"  to generate:  {command(target / 'play.py', '--length', 300)}")
        else:
            print(f"  to serve it by OSC:  {command(Path('-m'), 'workshop.osc', target / names.MODEL)}")
    folder.remove_others(target, written)


def require_onnx() -> None:
    """Check that the package onnx is installed.

    Raises:
        UserError: it is not.
    """
    if importlib.util.find_spec("onnx") is None:
        raise UserError(f"the export needs onnx, which is not installed: `{_install()}` brings it")


def _report(paths: list[Path]) -> None:
    for path in paths:
        print(visible_line(f"written: {path} ({path.stat().st_size:,} bytes)"))


def _install() -> str:
    """The command that installs what the export needs besides the workshop's own packages."""
    return command(Path("-m"), "pip", "install", "--require-hashes", "-r", ROOT / "requirements" / "export.txt")


def comparison(content: bytes, exported: "Step | Maker", half: bool) -> str:
    """Compare an export with Keras, and return the result as a sentence.

    Raises:
        UserError: the difference is more than rounding explains.
    """
    from workshop.export import checking
    from workshop.export.maker import Maker

    if importlib.util.find_spec("onnxruntime") is None:
        return f"not compared with Keras, because onnxruntime is not installed: `{_install()}` brings it"
    if isinstance(exported, Maker):
        difference, largest = checking.difference_of_pictures(content, exported), 1.0
        compared, what = f"{checking.PICTURES} pictures", "values"
    else:
        difference, largest = checking.largest_difference(content, exported)
        compared, what = f"{checking.STEPS} steps of {checking.SEQUENCES} sequences", "logits"
    if not half and difference > checking.TOLERANCE * max(1.0, largest):
        raise UserError(
            f"the exported network differs from Keras by {difference:.2g} in {what} up to {largest:.2g}, which is more "
            "than rounding explains, and is not written: please report it, with the network's model.py"
        )
    why = ", because its weights are rounded to float16" if half else ""
    return (
        f"compared with Keras over {compared}: the {what}, up to {largest:.1f}, differ by at most {difference:.1g}{why}"
    )
