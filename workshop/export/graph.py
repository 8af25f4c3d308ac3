"""A network as an ONNX graph, written node by node.

Of a network that writes symbol by symbol it is one step. The inputs are `symbol` [batch] and the network's state, the
outputs `logits` [batch, symbols] of the symbol that follows and the new state. A state `x` comes out as `x_next`;
before the first symbol all states are zero. What a network makes at once has inputs and outputs of other names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

#: Versions of ONNX' operators and of its file format; onnxruntime has read both since 1.14, of February 2023.
OPSET, IR_VERSION = 18, 8

SYMBOL, CONDITION, LOGITS = "symbol", "condition", "logits"
#: What the name of a state ends in where it comes out.
NEXT = "_next"
#: Stands for the number of sequences side by side in the shape of an input or output.
BATCH = "batch"

_TYPES: dict[type, int] = {np.float32: TensorProto.FLOAT, np.int64: TensorProto.INT64}

Shape = list[int | str]


@dataclass(frozen=True)
class Value:
    """A tensor in a graph, by its name."""

    name: str


class Graph:
    """A graph that grows as nodes are added; an operator's inputs are values, or arrays, which become weights.

    Args:
        half: store weights as float16, in half the space; the graph computes in float32 all the same.
    """

    def __init__(self, half: bool = False):
        self._half = half
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._states: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, shape: Shape, kind: type = np.int64) -> Value:
        """Declare an input; to a state, `give_back` has to give its next value."""
        self._inputs.append(helper.make_tensor_value_info(name, _TYPES[kind], shape))
        return Value(name)

    def give_back(self, name: str, value: Value, shape: Shape, kind: type = np.float32) -> None:
        """Let `value` be what the state `name` comes out as."""
        self._rename(value, name + NEXT)
        self._states.append(helper.make_tensor_value_info(name + NEXT, _TYPES[kind], shape))

    def give_logits(self, value: Value, symbols: int) -> None:
        """Let `value` [batch, symbols] be the logits."""
        self.give(LOGITS, value, [BATCH, symbols])

    def give(self, name: str, value: Value, shape: Shape) -> None:
        """Let `value` be an output, of floating point numbers."""
        self._rename(value, name)
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def _rename(self, value: Value, name: str) -> None:
        self._nodes.append(helper.make_node("Identity", [value.name], [name]))

    def add(self, operator: str, *inputs: Value | np.ndarray | None, **attributes: Any) -> Value:
        """Add a node with one output, and return that."""
        return self.add_many(operator, 1, *inputs, **attributes)[0]

    def add_many(
        self, operator: str, outputs: int, *inputs: Value | np.ndarray | None, **attributes: Any
    ) -> tuple[Value, ...]:
        """Add a node.

        Args:
            operator: its name in ONNX.
            outputs: how many it has.
            *inputs: values, weights, or None where an optional one is left out.
            **attributes: of the operator.
        """
        names = [self._name_of(one) for one in inputs]
        given = tuple(Value(f"{operator.lower()}_{len(self._nodes)}_{k}") for k in range(outputs))
        self._nodes.append(helper.make_node(operator, names, [one.name for one in given], **attributes))
        return given

    def _name_of(self, one: Value | np.ndarray | None) -> str:
        if one is None:
            return ""
        if isinstance(one, Value):
            return one.name
        name = f"weight_{len(self._weights)}"
        stored = one.astype(np.float16) if self._half and one.dtype == np.float32 else one
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(stored), name))
        if stored.dtype != np.float16:
            return name
        self._nodes.append(helper.make_node("Cast", [name], [f"{name}_float32"], to=TensorProto.FLOAT))
        return f"{name}_float32"

    @property
    def signature(self) -> list[tuple[str, list[int | str], str]]:
        """Name, shape and type of each input."""
        names = {number: kind.__name__ for kind, number in _TYPES.items()}
        found = []
        for one in self._inputs:
            tensor = one.type.tensor_type
            shape = [size.dim_param or size.dim_value for size in tensor.shape.dim]
            found.append((one.name, shape, names[tensor.elem_type]))
        return found

    @property
    def symbols(self) -> int:
        """V, of the logits."""
        return self._outputs[0].type.tensor_type.shape.dim[1].dim_value

    def model(self, metadata: Mapping[str, str]) -> bytes:
        """The content of an ONNX file, checked, with `metadata`."""
        outputs = [*self._outputs, *self._states]
        graph = helper.make_graph(self._nodes, "step", self._inputs, outputs, self._weights)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="ml4music"
        )
        helper.set_model_props(model, dict(metadata))
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString()
