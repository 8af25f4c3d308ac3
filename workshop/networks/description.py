"""The description of a network in a run.json, checked before memory is allocated for it: it can come from anywhere."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import keras

from workshop.checks import Seed, converted
from workshop.errors import UserError
from workshop.machine import memory

#: The name in a lesson's NETWORKS of the network that is trained without `--network`, and that a description without a
#: name means.
DEFAULT = "default"

#: Each weight in single precision, its average, its gradient, and the two moments that Adam keeps of that.
BYTES_IN_TRAINING = 5 * 4

Choice = TypeVar("Choice", bound=Callable)
Shape = TypeVar("Shape")


def choose(networks: Mapping[str, Choice], network: Mapping[str, Any]) -> tuple[Choice, int, dict[str, Any]]:
    """The function of a lesson's model.py that a description names, the seed of the first weights, which a network
    whose weights come from a checkpoint does not need, and the rest of the description.

    Args:
        networks: the functions by name; nothing else is ever looked up.
        network: what the command line or run.json says.

    Raises:
        UserError: there is no such name, or the seed is not valid.
    """
    rest = dict(network)
    name = rest.pop("name", DEFAULT)
    if not isinstance(name, str) or name not in networks:
        raise UserError(
            f"there is no network {name!r} in this lesson's model.py, where NETWORKS has: {', '.join(networks)}; "
            "choose one of them with --network, or add yours"
        )
    return networks[name], check_network(Seed, rest.pop("seed", 0)), rest


def check_network(kind: type[Shape], network: Any, most_weights: float = math.inf) -> Shape:
    """Refuse a description that is not that of a network of this lesson.

    Args:
        kind: what describes a network, such as a `msgspec.Struct` that forbids unknown fields.
        network: what the command line or run.json says.
        most_weights: how many weights the checkpoints hold; infinite for a new network.

    Raises:
        UserError: an entry is missing, is one too many, or is invalid.
    """
    try:
        return converted(kind, network, "network")
    except ValueError as error:
        what = "these arguments" if most_weights == math.inf else "run.json is damaged: its entries"
        raise UserError(f"{what} do not describe a network of this lesson: {error}") from error


def check_size(weights: int, most_weights: float) -> None:
    """Refuse a network with so many weights, or more, where the checkpoints hold fewer: allocating it could take all
    the memory that there is.

    Raises:
        UserError: they do.
    """
    if weights > most_weights:
        raise UserError(
            f"run.json is damaged: it describes a network of {weights:,} weights, and the checkpoints hold fewer"
        )


@contextmanager
def limited(most_weights: float) -> Iterator[None]:
    """While a network is built, count the weights that its layers ask for, each array before it is allocated: what
    layers a function of model.py makes of its arguments is known to that function alone.

    Raises:
        UserError: there are more than `most_weights`, or a new network has more than can be trained in this memory.
    """
    add_weight, asked = keras.layers.Layer.add_weight, 0
    most_trained = memory()[0] // BYTES_IN_TRAINING if most_weights == math.inf else most_weights

    def counted(layer: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal asked
        asked += math.prod(kwargs.get("shape") or ())
        check_size(asked, most_weights)
        if asked > most_trained:
            raise UserError(
                f"a network of {asked:,} weights or more does not fit into this computer's memory when it is trained: "
                "choose a smaller one"
            )
        return add_weight(layer, *args, **kwargs)

    keras.layers.Layer.add_weight = counted
    try:
        yield
    finally:
        keras.layers.Layer.add_weight = add_weight
