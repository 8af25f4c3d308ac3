"""What a lesson says of its trained network for the export: how one step is computed, and what its symbols mean."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from workshop.export.graph import Graph


@dataclass(frozen=True)
class Step:
    """One step of a trained network.

    Attributes:
        meaning: what is to be known of the symbols, as JSON holds it: `kind` (text, notes or sound), `warm_up`, the
            symbols to read before generating, and what the kind needs besides.
        symbols: V, how many there are.
        add: writes the step into a graph.
        reference: Keras' logits [N, B, V] after the last N of symbols [T, B] for condition numbers [B], where nothing
            was read before.
        context: how many symbols before the last N the reference needs: N = T - context.
        conditions: how many conditions the network knows; 0 for a network without.
        page: the layers of the network for a page and their weights, in the order in which its script takes them; None
            for a `SequenceModel`, whose layers `web_page.py` knows.
    """

    meaning: dict[str, Any]
    symbols: int
    add: Callable[["Graph"], None]
    reference: Callable[[np.ndarray, np.ndarray], np.ndarray]
    context: int = 0
    conditions: int = 0
    page: Callable[[], tuple[list[dict[str, Any]], list[np.ndarray]]] | None = None
