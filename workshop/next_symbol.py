"""The network of the lessons that work with symbols: which one comes next, given all so far.

    symbol -> embedding -> recurrent layer -> ... -> recurrent layer -> softmax over the vocabulary

The recurrent layers carry a state from symbol to symbol, and from window to window, so what the network remembers may
be older than the window it is trained on. The same layers serve training (`call`: whole windows) and generation
(`step`: one symbol at a time).
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import keras

from workshop.errors import UserError
from workshop.recurrent import CELLS, RecurrentStack, State

Tensor = Any
Network = TypeVar("Network", bound="NextSymbol")


class NextSymbol(keras.Model):
    """Next-symbol network over V symbols; see `RecurrentStack` for the arguments."""

    def __init__(self, vocab_size: int, rnn_size: int, num_layers: int, cell: str, dropout: float, seed: int = 0):
        super().__init__()
        self.stack = RecurrentStack(vocab_size, rnn_size, num_layers, cell, dropout, seed)
        self.softmax = keras.layers.Dense(vocab_size, name="softmax")
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


def build(kind: type[Network], network: dict[str, Any], vocab_size: int) -> Network:
    """The network of a lesson that a run.json describes.

    Raises:
        UserError: the description is damaged, or does not fit the number of symbols.
    """
    wanted = {"vocab_size": int, "rnn_size": int, "num_layers": int, "cell": str, "dropout": float, "seed": int}
    if {name: type(value) for name, value in network.items()} != wanted or network["cell"] not in CELLS:
        raise UserError(f"run.json is damaged: it describes no network of this lesson ({network})")
    if network["vocab_size"] != vocab_size:
        raise UserError(
            f"the experiment is damaged: its network knows {network['vocab_size']} symbols, its vocabulary {vocab_size}"
        )
    return kind(**network)
