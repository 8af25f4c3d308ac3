"""A list of Keras layers as a network that reads symbols: which one comes next, given all so far.

The layers are those of a lesson's `model.py`, whose weights are the network's weights. The recurrent ones among them
carry a state from symbol to symbol, and from window to window, so what the network remembers may be older than the
window it is trained on. The same layers serve training (`call`: whole windows) and generation (`step`: one symbol at a
time).

A recurrent layer is run by the engine of `recurrent.py` where that computes the same, and otherwise by Keras itself
(`remark` says which and why). Any other layer has to treat each step by itself, as Dense and LayerNormalization do.

A network can have conditions: a sequence then has one of C labels, and what each recurrent layer has learnt of that
label is added to its inputs at every step, which is a bias of its own for each label.

Arrays are time-major: T steps, B sequences, V symbols, D inputs of a layer. Keras' own layers want the sequences first;
the arrays are transposed for them here.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import keras
import msgspec
from keras import ops
from msgspec import Meta

from workshop.checks import Count, Whole
from workshop.errors import UserError
from workshop.networks.description import check_network, choose, limited
from workshop.networks.layer_table import Row, layer_table
from workshop.networks.recurrent import CELLS, State, cell_of, look_up, on_gpu, run_layer, unfit, weights_of

Tensor = Any


class Recurrent(msgspec.Struct, forbid_unknown_fields=True):
    """The arguments of a lesson's network function besides the seed."""

    vocab_size: Count
    rnn_size: Count
    num_layers: Annotated[int, Meta(ge=1, le=1000)]
    cell: str
    dropout: Annotated[float, Meta(ge=0, lt=1)]

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise ValueError(f"there is no cell {self.cell!r}")


class Conditional(Recurrent, forbid_unknown_fields=True):
    """The same of a network that knows so many conditions."""

    conditions: Whole = 0


#: Layers that look at several steps and keep no state from one window to the next, so that generation, which shows them
#: one step at a time, would be another network than training.
_SEES_SEVERAL_STEPS = (
    keras.layers.Bidirectional, keras.layers.Conv1D, keras.layers.SeparableConv1D, keras.layers.DepthwiseConv1D,
    keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention, keras.layers.Attention,
    keras.layers.AdditiveAttention, keras.layers.BatchNormalization,
)  # fmt: skip
#: Layers that work along the last axis alone, whatever the others mean: nothing has to be transposed for them.
_LAST_AXIS = (
    keras.layers.Activation, keras.layers.Dense, keras.layers.Dropout, keras.layers.Embedding,
    keras.layers.LayerNormalization, keras.layers.ReLU,
)  # fmt: skip


class WindowDropout(keras.layers.Layer):
    """Drops the same units for all steps of a window (Gal and Ghahramani 2016, arXiv:1512.05287): a better regulariser
    for a recurrent network than a new draw at each step, and T times fewer random numbers.

    Args:
        rate: share of the units that is dropped in training.
    """

    def __init__(self, rate: float, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate = rate
        self.built = True

    def call(self, x: Tensor, seeds: keras.random.SeedGenerator, training: bool = False) -> Tensor:
        """X [T, B, H] with some of the units at zero and the others larger by as much."""
        if not training or not self.rate:
            return x
        return x * keras.random.dropout(ops.ones_like(x[0]), self.rate, seed=seeds)


class SequenceModel(keras.Model):
    """A next-symbol network.

    Args:
        sequence: its layers, from the symbols [T, B] to the logits [T, B, V]; recurrent ones with return_sequences and
            return_state.
        seed: of the random numbers of every `WindowDropout`.

    Raises:
        UserError: a layer cannot go from window to window, or from step to step.
    """

    def __init__(self, sequence: Sequence[keras.layers.Layer], seed: int = 0):
        super().__init__()
        # One generator for all, so that a checkpoint holds one random state.
        self.seeds = keras.random.SeedGenerator(seed)
        self.sequence = list(sequence)
        #: The output shape of each layer, without T and B.
        self.shapes: list[tuple[int, ...]] = []
        x: Any = keras.KerasTensor((None, None), dtype="int32")  # stands for symbols [B, T]
        for layer in self.sequence:
            _check_layer(layer)
            if isinstance(layer, keras.layers.RNN):
                x, *_ = layer(x)
            elif not isinstance(layer, WindowDropout):
                x = layer(x)
            self.shapes.append(tuple(x.shape[2:]))
        self.recurrent = [layer for layer in self.sequence if isinstance(layer, keras.layers.RNN)]
        #: What computes each layer faster than Keras does; None for those that Keras runs.
        self.cells = [cell_of(layer) for layer in self.sequence]
        #: What each recurrent layer adds to its inputs, a row for each condition [C, D]; none without conditions.
        self.conditions: list[Any] = []
        self._symbols_are_fixed = False
        self.built = True

    def add_conditions(self, count: int) -> None:
        """Let the network know `count` conditions, which change nothing at first; 0 for none. Its symbols are then the
        same whatever the data is, and the conditions are what differs.
        """
        self._symbols_are_fixed = True
        for depth, layer in enumerate(self.sequence):
            if count and isinstance(layer, keras.layers.RNN):
                size = (count, self.shapes[depth - 1][-1])
                self.conditions.append(self.add_weight(size, "zeros", name=f"{layer.name}_conditions"))

    @property
    def remark(self) -> str:
        """Which recurrent layers Keras runs itself, and why; empty where the engine runs all of them."""
        layers = zip(self.sequence, self.cells, strict=True)
        slow = [layer for layer, cell in layers if isinstance(layer, keras.layers.RNN) and not cell]
        if not slow:
            return ""
        which = "them" if len(slow) == len(self.recurrent) else ", ".join(layer.name for layer in slow)
        return f"network: Keras' own layers run {which}, slower than the compiled ones, because {unfit(slow[0])}"

    def in_words(self) -> str:
        """What `train.py` prints of it: how large it is, its layers, and what runs more slowly than it could."""
        names = {cell.layer: name for name, cell in CELLS.items()}
        kinds = Counter(
            (shape[-1], names.get(type(layer), type(layer).__name__))
            for layer, shape in zip(self.sequence, self.shapes, strict=True)
            if isinstance(layer, keras.layers.RNN)
        )
        parts = " + ".join(f"{number} x {units} {kind}" for (units, kind), number in kinds.items())
        head = f"network: {parts or 'no recurrent layer'}, {self.count_params():,} weights"
        return "\n".join(filter(None, (head, layer_table(self.layer_rows()), self.remark)))

    def layer_rows(self) -> list[Row]:
        """Its layers for the table."""
        shapes = ["[" + ", ".join(map(str, ("T", "B", *shape))) + "]" for shape in self.shapes]
        rows = [
            (layer.name, type(layer).__name__, shape, layer.count_params())
            for layer, shape in zip(self.sequence, shapes, strict=True)
        ]
        tables = [(f"[B, {table.shape[1]}]", math.prod(table.shape)) for table in self.conditions]
        return rows + [(f"conditions_{k}", "lookup", *table) for k, table in enumerate(tables, 1)]

    @property
    def symbol_axes(self) -> list[int | None]:
        """For each trainable weight, in their order, the axis of the symbols; None where there is none. They are the
        rows of the embedding, and the columns of the last layer with weights. Where those are the same for all data, it
        is the axis of the conditions.
        """
        if self._symbols_are_fixed:
            tables = {id(table) for table in self.conditions}
            return [0 if id(variable) in tables else None for variable in self.trainable_variables]
        first, last = self.sequence[0], next(layer for layer in reversed(self.sequence) if layer.trainable_variables)
        axes = {id(variable): 0 for variable in first.trainable_variables}
        axes |= {id(variable): len(variable.shape) - 1 for variable in last.trainable_variables}
        return [axes.get(id(variable)) for variable in self.trainable_variables]

    def initial_state(self, batch_size: int) -> list[State]:
        """The state before the first symbol of B sequences: per recurrent layer a tuple of zeros [B, H]."""
        return [tuple(layer.get_initial_state(batch_size)) for layer in self.recurrent]

    def call(self, inputs: Any, states: Sequence[State], training: bool = False) -> tuple[Tensor, list[State]]:
        """Logits [T, B, V] of the symbol after each of `ids` [T, B], and the state after the last.

        Args:
            inputs: the ids; of a network with conditions the pair of ids and labels [B].
            states: before the first of them.
            training: whether to drop units.
        """
        x, labels = inputs if self.conditions else (inputs, None)
        on_cpu = not on_gpu()
        before, offsets, new_states, table = iter(states), iter(self._offsets(labels)), [], None
        for depth, layer in enumerate(self.sequence):
            if on_cpu and self._is_looked_up(depth):
                table = layer.embeddings  # the layer above projects it, see `run_layer`
            elif isinstance(layer, keras.layers.RNN):
                cell, state, offset = self.cells[depth] if on_cpu else None, next(before), next(offsets)
                if cell:
                    x, state = run_layer(cell, layer, x, state, table, offset)
                else:
                    x, state = _keras(layer, x, state, offset, training)
                new_states.append(state)
                table = None
            elif isinstance(layer, WindowDropout):
                x = layer(x, seeds=self.seeds, training=training)
            elif isinstance(layer, _LAST_AXIS):
                x = layer(x)  # Keras tells it whether this is training
            else:
                x = ops.swapaxes(layer(ops.swapaxes(x, 0, 1)), 0, 1)  # [B, T, ...] and back
        return x, new_states

    def _offsets(self, labels: Tensor | None) -> list[Tensor | None]:
        """What each recurrent layer adds to its inputs for sequences with `labels` [B]: [B, D], or None for nothing."""
        if not self.conditions:
            return [None] * len(self.recurrent)
        return [look_up(ops.copy(table), labels) for table in self.conditions]

    def prepare(self, labels: Tensor | None = None) -> list[Any]:
        """The weights in the form that `step` wants, once per generation: per layer (kernel, bias, recurrent kernel,
        bias) where the engine runs it, with the table of the embedding below in place of its kernel; of other recurrent
        layers what is added to their inputs; otherwise None.

        Args:
            labels: [B] conditions of the sequences, of a network with conditions; each has its own bias then.
        """
        prepared: list[Any] = []
        offsets = iter(self._offsets(labels))
        for depth, layer in enumerate(self.sequence):
            offset = next(offsets) if isinstance(layer, keras.layers.RNN) else None
            if not self.cells[depth]:
                prepared.append(offset)
                continue
            kernel, bias, *recurrent = weights_of(layer)
            if offset is not None:
                bias = ops.matmul(offset, kernel) + bias
            if depth and self._is_looked_up(depth - 1):
                kernel = ops.matmul(self.sequence[depth - 1].embeddings, kernel)
            prepared.append((kernel, bias, *recurrent))
        return prepared

    def step(self, prepared: Sequence[Any], ids: Tensor, states: Sequence[State]) -> tuple[Tensor, list[State]]:
        """Logits [B, V] of the symbol after `ids` [B], and the new state: `call` on one step."""
        before, new_states, x = iter(states), [], ids
        for depth, (layer, weights) in enumerate(zip(self.sequence, prepared, strict=True)):
            cell = self.cells[depth]
            if cell:
                kernel, bias, recurrent, recurrent_bias = weights
                looked_up = depth and self._is_looked_up(depth - 1)
                projected = (ops.take(kernel, x, axis=0) if looked_up else ops.matmul(x, kernel)) + bias
                state = next(before)
                u = ops.matmul(state[0], recurrent) + recurrent_bias
                state, _ = cell.step(state, projected, u)
                x = state[0]
                new_states.append(state)
            elif isinstance(layer, keras.layers.RNN):
                x, state = _keras(layer, x[None], next(before), weights, training=False)
                x = x[0]
                new_states.append(state)
            elif not isinstance(layer, WindowDropout) and not self._is_looked_up(depth):
                x = layer(x[:, None])[:, 0]  # a window of one step: [B, 1, ...] and back
        return x, new_states

    def _is_looked_up(self, depth: int) -> bool:
        """Whether a layer is an embedding that the engine looks up for the recurrent layer above it."""
        return type(self.sequence[depth]) is keras.layers.Embedding and any(self.cells[depth + 1 : depth + 2])


def _check_layer(layer: keras.layers.Layer) -> None:
    """Refuse a layer whose state cannot be carried from window to window, or that cannot run step by step."""
    if isinstance(layer, keras.layers.RNN):
        if not (layer.return_sequences and layer.return_state) or layer.go_backwards or layer.stateful:
            raise UserError(
                f"the layer {layer.name} in model.py needs return_sequences=True and return_state=True, and neither "
                "go_backwards nor stateful: its state is carried from window to window"
            )
    elif isinstance(layer, _SEES_SEVERAL_STEPS):
        raise UserError(
            f"the layer {layer.name} in model.py is a {type(layer).__name__}, which mixes time steps and keeps no "
            "state: use recurrent layers, or layers that work on each step alone"
        )


def _keras(
    layer: keras.layers.Layer, x: Tensor, state: State, offset: Tensor | None, training: bool
) -> tuple[Tensor, State]:
    """Outputs [T, B, H] and the new state of a recurrent layer as Keras runs it, for features x [T, B, D], to which
    `offset` [B, D] is added.
    """
    x = x if offset is None else x + offset
    x, *state = layer(ops.swapaxes(x, 0, 1), initial_state=list(state), training=training)  # [B, T, D]
    return ops.swapaxes(x, 0, 1), tuple(state)


def build(
    networks: Mapping[str, Callable[..., SequenceModel]], network: Mapping[str, Any], vocab_size: int,
    most_weights: float = math.inf, kind: type[Recurrent] = Recurrent,
) -> SequenceModel:  # fmt: skip
    """The network of a lesson that a run.json describes.

    Args:
        networks: the lesson's functions by name.
        network: what run.json says: the arguments of the function, and under "name" which one.
        vocab_size: V, of the symbols that there are.
        most_weights: how many weights its checkpoints hold; infinite for a new network.
        kind: what describes a network; the functions know nothing of the conditions of a `Conditional` one.

    Raises:
        UserError: the description is damaged, does not fit the number of symbols, or is of a network that is larger
            than the checkpoints.
    """
    function, seed, rest = choose(networks, network)
    shape = check_network(kind, rest, most_weights)
    if shape.vocab_size != vocab_size:
        raise UserError(
            f"the experiment is damaged: its network knows {shape.vocab_size} symbols, its vocabulary {vocab_size}"
        )
    # A layer without a seed takes one from Python's generator: the same --seed gives the same weights in it as well.
    kept = random.getstate()
    random.seed(seed)
    try:
        arguments = msgspec.structs.asdict(shape)
        conditions = arguments.pop("conditions", None)
        with limited(most_weights):
            model = function(**arguments, seed=seed)
            if conditions is not None:
                model.add_conditions(conditions)
        return model
    finally:
        random.setstate(kept)
