"""LLVM intrinsics for numba: SIMD vectors, and atomic signals from one core to another.

Numba turns a plain loop into instructions for several numbers only where it finds the way itself, and it does not find
the one way in which a product of matrices runs as fast as the processor multiplies: with the sums kept in registers.
Here it is told. Any processor will do; where a vector is longer than its registers, LLVM takes two or four of them.

Numba caches a compiled function beside the file that it is in, and compiles it again when that file changes, not when
this one does.
"""

import os
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

#: What numba compiles for: this processor, or what the variable NUMBA_CPU_FEATURES says.
FEATURES = (os.environ.get("NUMBA_CPU_FEATURES") or llvmlite.binding.get_host_cpu_features().flatten()).split(",")
#: float32 numbers in a vector; 4 x 2 vectors and what they are made of fit into the registers of AVX-512, AVX2 or NEON.
LANES = 16 if "+avx512f" in FEATURES else 8


#: Without the types that numba declares: they ask the caller for `typing`, which numba passes itself.
_instruction: Any = intrinsic


class _Vector(types.Type):
    """Numba's name for a vector."""

    def __init__(self) -> None:
        super().__init__(name=f"Vector{LANES}")


_VECTOR = _Vector()
_FLOATS = ir.VectorType(ir.FloatType(), LANES)
_LANES = ir.VectorType(ir.IntType(32), LANES)
_ANYTHING = ir.Constant(_FLOATS, ir.Undefined)


@register_model(_Vector)
class _Model(models.PrimitiveModel):
    """LLVM's name for it."""

    def __init__(self, manager: Any, kind: Any):
        super().__init__(manager, kind, _FLOATS)


def _place(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """The address of number `at` of a contiguous array, counted over all its dimensions."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [at])


@_instruction
def load(typing: Any, array: Any, at: Any) -> Any:
    """The vector that begins at number `at` of a contiguous float32 array, counted over all its dimensions."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature.args[0], *arguments)
        return builder.load(builder.bitcast(place, _FLOATS.as_pointer()), align=4)

    return _VECTOR(array, types.intp), generate


@_instruction
def store(typing: Any, array: Any, at: Any, vector: Any) -> Any:
    """Put a vector where `load` would read it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *where, value = arguments
        place = _place(context, builder, signature.args[0], *where)
        builder.store(value, builder.bitcast(place, _FLOATS.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, _VECTOR), generate


@_instruction
def repeat(typing: Any, array: Any, at: Any) -> Any:
    """The vector all whose numbers are number `at` of a contiguous float32 array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = builder.load(_place(context, builder, signature.args[0], *arguments))
        alone = builder.insert_element(_ANYTHING, number, ir.IntType(32)(0))
        return builder.shuffle_vector(alone, _ANYTHING, ir.Constant(_LANES, [0] * LANES))

    return _VECTOR(array, types.intp), generate


@_instruction
def plus(typing: Any, total: Any, one: Any, other: Any) -> Any:
    """`total` + `one` * `other`, number by number; rounded once where the processor can."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        sums, ones, others = arguments
        return builder.fadd(sums, builder.fmul(ones, others, flags=["contract"]), flags=["contract"])

    return _VECTOR(_VECTOR, _VECTOR, _VECTOR), generate


@_instruction
def send(typing: Any, array: Any, at: Any, value: Any) -> Any:
    """Write an int64 into an array; a core that `receive`s it also sees all that was written before it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *where, number = arguments
        builder.store_atomic(number, _place(context, builder, signature.args[0], *where), "release", 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.int64), generate


@_instruction
def receive(typing: Any, array: Any, at: Any) -> Any:
    """Load an int64 that another core may have stored (acquire); never cached in a register."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_place(context, builder, signature.args[0], *arguments), "acquire", 8)

    return types.int64(array, types.intp), generate
