"""The network of the lessons that work with symbols: which one comes next, given all so far.

    symbol -> embedding -> recurrent layer -> ... -> recurrent layer -> softmax over the vocabulary

The recurrent layers carry a state from symbol to symbol, and from window to window, so what the network remembers may
be older than the window it is trained on. The same layers serve training (`call`: whole windows) and generation
(`step`: one symbol at a time).
"""

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import keras

from workshop.checks import Check, whole
from workshop.errors import UserError
from workshop.networks.description import check_network, check_size
from workshop.networks.recurrent import CELLS, RecurrentStack, State, seeds_of_weights

Tensor = Any
#: What run.json says of a network, and what it can be.
CHECKS: dict[str, Check] = {
    "vocab_size": whole(1),
    "rnn_size": whole(1),
    "num_layers": whole(1, 1000),
    "cell": lambda value: isinstance(value, str) and value in CELLS,
    "dropout": lambda value: type(value) is float and 0 <= value < 1,
    "seed": whole(0, (1 << 32) - 1),
}

Network = TypeVar("Network", bound="NextSymbol")


class NextSymbol(keras.Model):
    """Next-symbol network over V symbols; see `RecurrentStack` for the arguments."""

    def __init__(self, vocab_size: int, rnn_size: int, num_layers: int, cell: str, dropout: float, seed: int = 0):
        super().__init__()
        self.stack = RecurrentStack(vocab_size, rnn_size, num_layers, cell, dropout, seed)
        # A draw of its own, so that it does not repeat one of the layers below.
        start = keras.initializers.GlorotUniform(seed=next(seeds_of_weights((seed, 1))))
        self.softmax = keras.layers.Dense(vocab_size, kernel_initializer=start, name="softmax")
        self.softmax.build((None, rnn_size))
        self.built = True

    def initial_state(self, batch_size: int) -> list[State]:
        """The state before the first symbol of B sequences."""
        return self.stack.initial_state(batch_size)

    def call(self, ids: Tensor, states: Sequence[State], training: bool = False) -> tuple[Tensor, list[State]]:
        """Logits [T, B, V] of the symbol after each of `ids` [T, B], and the state after the last."""
        outputs, new_states = self.stack(ids, states, training=training)
        return self.softmax(outputs), new_states

    def step(self, tables: Any, ids: Tensor, states: Sequence[State]) -> tuple[Tensor, list[State]]:
        """Logits [B, V] of the symbol after `ids` [B], and the new state; `tables` come from `prepare`."""
        outputs, new_states = self.stack.step(tables, ids, states)
        return self.softmax(outputs), new_states

    def prepare(self) -> Any:
        """The weights in the form that `step` wants."""
        return self.stack.step_tables()


def check(network: dict[str, Any], vocab_size: int, most_weights: float = math.inf) -> None:
    """See that a description is that of a network, before room is made for it.

    Args:
        network: what run.json says.
        vocab_size: V, of the symbols that there are.
        most_weights: how many weights its checkpoints hold; infinite for a new network.

    Raises:
        UserError: the description is damaged, does not fit the number of symbols, or is of a network that is larger
            than the checkpoints.
    """
    check_network(network, CHECKS, most_weights)
    if network["vocab_size"] != vocab_size:
        raise UserError(
            f"the experiment is damaged: its network knows {network['vocab_size']} symbols, its vocabulary {vocab_size}"
        )
    units = network["rnn_size"]
    check_size(2 * vocab_size * units + 2 * network["num_layers"] * units**2, most_weights)


def build(kind: type[Network], network: dict[str, Any], vocab_size: int, most_weights: float = math.inf) -> Network:
    """The network of a lesson that a run.json describes; the arguments are those of `check`.

    Raises:
        UserError: the description is damaged, or does not fit the number of symbols or the checkpoints.
    """
    check(network, vocab_size, most_weights)
    return kind(**network)
