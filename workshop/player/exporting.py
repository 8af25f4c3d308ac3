"""Export trained networks for the player: each as an ONNX file, and those that generate step by step as a page too."""

from pathlib import Path

from workshop import cli
from workshop.errors import UserError
from workshop.export.command_line import comparison, require_onnx
from workshop.quiet import quietly
from workshop.run import pretrained, trained
from workshop.run.trained import Trained
from workshop.visible import visible_line


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
        cli.say(f"{net}")
        _export(net, target / name_of(net), overwrite)


def name_of(net: Trained) -> str:
    """What a network is called in the player: others than those of the workshop by lesson too."""
    path = net.experiment.path
    return path.name if pretrained.contains(path) else f"{net.lesson.name}-{path.name}"


def _export(net: Trained, target: Path, overwrite: bool) -> None:
    with quietly():  # TensorFlow is imported with the first of these
        from workshop.export import folder
        from workshop.export.step import Step
        from workshop.export.web_page import Page

        folder.check(target, overwrite)
        exported = net.exported()
    made = folder.Export(net, exported, half=False)
    print(comparison(made.content, exported, False))
    made.write(target)
    if isinstance(exported, Step):
        try:
            Page(net, exported).write(target)
        except UserError as error:
            cli.say(f"without a page: {error}")
    print(visible_line(f"written: {target}"))
