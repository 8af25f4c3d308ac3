"""Export trained networks for the player: each as an ONNX file, and those that generate step by step as a page too."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from workshop import cli
from workshop.errors import UserError
from workshop.export.command_line import comparison, require_onnx
from workshop.lessons import lessons
from workshop.quiet import quietly
from workshop.run import pretrained, trained
from workshop.run.trained import Trained
from workshop.visible import visible_line

if TYPE_CHECKING:
    from workshop.export.maker import Maker
    from workshop.export.step import Step


def export(names: list[str], target: Path, overwrite: bool) -> None:
    """Export networks, each into a folder of its own.

    Args:
        names: of experiments.
        target: the folder of the folders.
        overwrite: whether earlier exports are replaced.

    Raises:
        UserError: an experiment is missing or damaged, its network cannot be exported, or the folder not be written.
    """
    require_onnx()
    for name in names:
        net = trained.named(name)
        place = _checked(net, target, overwrite)
        _write(net, _exported(net), place)


def export_pretrained(target: Path, overwrite: bool) -> None:
    """Export the networks that come with the workshop, as far as such networks can be exported.

    Args:
        target: the folder of the folders.
        overwrite: whether earlier exports are replaced.

    Raises:
        UserError: a network is damaged, or the folder cannot be written.
    """
    require_onnx()
    # The newest of a kind is the one that OSC asks: that is to be the one to begin with. An image keeps whole seconds.
    paths = [path for lesson in lessons() for path in reversed(pretrained.networks(lesson))]
    for second, path in enumerate(paths, int(time.time()) - len(paths)):
        net = trained.named(str(path))
        place = _checked(net, target, overwrite)
        try:
            exported = _exported(net)
        except UserError as error:
            cli.say(f"left out: {error}")
        else:
            _write(net, exported, place)
            os.utime(place, (second, second))


def name_of(net: Trained) -> str:
    """What a network is called in the player: others than those of the workshop by lesson too."""
    path = net.experiment.path
    return path.name if pretrained.contains(path) else f"{net.lesson.name}-{path.name}"


def _checked(net: Trained, target: Path, overwrite: bool) -> Path:
    """The folder of a network.

    Raises:
        UserError: it holds something already.
    """
    with quietly():  # TensorFlow is imported with this
        from workshop.export import folder

    cli.say(f"{net}")
    folder.check(target / name_of(net), overwrite)
    return target / name_of(net)


def _exported(net: Trained) -> "Step | Maker":
    with quietly():
        exported: Step | Maker = net.exported()
    return exported


def _write(net: Trained, exported: "Step | Maker", target: Path) -> None:
    from workshop.export.folder import Export, remove_others
    from workshop.export.step import Step
    from workshop.export.web_page import Page

    made = Export(net, exported, half=False)
    print(comparison(made.content, exported, False))
    written = made.write(target)
    if isinstance(exported, Step):
        try:
            written += Page(net, exported).write(target)
        except UserError as error:
            cli.say(f"without a page: {error}")
    remove_others(target, written)
    print(visible_line(f"written: {target}"))
