"""The networks that a person names, of any lesson or from ONNX files, made ready to be served."""

from collections.abc import Callable, Sequence

from workshop import cli
from workshop.errors import UserError
from workshop.osc.generating import MAKES
from workshop.osc.loops import Loops
from workshop.osc.serving import Served
from workshop.run import trained


def loaded(names: Sequence[str], open_onnx: Callable[[str], Loops]) -> list[Served]:
    """The networks, ready to generate.

    Args:
        names: of experiments, and of ONNX files.
        open_onnx: opens such a file.

    Raises:
        UserError: one is missing or damaged, or two make the same.
    """
    found: dict[str, Served] = {}
    for name in names:
        one = _open(name, open_onnx)
        if one.makes in found:
            raise UserError(
                f"{found[one.makes].name} and {one.name} both make {one.makes}: name one of them, and start another "
                "server with another --port for the other"
            )
        found[one.makes] = one
    for one in found.values():
        one.warm_up()
        cli.say(f"{one.makes}: {one.name}")
    return list(found.values())


def _open(name: str, open_onnx: Callable[[str], Loops]) -> Served:
    if name.lower().endswith(".onnx"):
        return Served(open_onnx(name), "loops", name)
    net = trained.named(name)
    return Served(net, "loops" if isinstance(net, Loops) else MAKES[net.lesson.kind], str(net))
