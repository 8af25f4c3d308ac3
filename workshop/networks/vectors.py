"""LLVM intrinsics for numba: SIMD vectors, and atomic signals from one core to another.

Numba turns a plain loop into instructions for several numbers only where it finds the way itself, and it does not find
the one way in which a product of matrices runs as fast as the processor multiplies: with the sums kept in registers.
Here it is told. Any processor will do; where a vector is longer than its registers, LLVM takes two or four of them.
"""

import os
import platform
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

#: What instructions the compiled code may use, such as +avx2; numba takes others than the processor's from
#: NUMBA_CPU_FEATURES.
FEATURES = os.environ.get("NUMBA_CPU_FEATURES") or llvmlite.binding.get_host_cpu_features().flatten()
#: float32 numbers in a register, of AVX-512 or AVX2, or in two of NEON.
LANES = 16 if "+avx512f" in FEATURES else 8
#: The same where float16 numbers are read, which AVX-512 does no faster.
HALF_LANES = 8
#: Whether one instruction makes float32 numbers of float16 ones.
HALF = "+f16c" in FEATURES or platform.machine().lower() in ("arm64", "aarch64")


#: Without the types that numba declares: they ask the caller for `typing`, which numba passes itself.
_instruction: Any = intrinsic(prefer_literal=True)


class _Vector(types.Type):
    """Numba's name for a vector: float32 numbers in so many registers."""

    def __init__(self, registers: int, lanes: int):
        self.registers, self.lanes = registers, lanes
        self.register = ir.VectorType(ir.FloatType(), lanes)
        super().__init__(name=f"Vector{registers}x{lanes}")


@register_model(_Vector)
class _Model(models.PrimitiveModel):
    """LLVM's name for it."""

    def __init__(self, manager: Any, kind: Any):
        super().__init__(manager, kind, ir.ArrayType(kind.register, kind.registers))


def _place(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """The address of number `at` of a contiguous array, counted over all its dimensions."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [at])


def _registers(builder: Any, place: Any, vector: _Vector, number: Any) -> list[Any]:
    """The addresses of the registers of a vector of such numbers that lies at a place."""
    kind = ir.VectorType(number, vector.lanes).as_pointer()
    begun = builder.bitcast(place, number.as_pointer())
    starts = (builder.gep(begun, [ir.Constant(ir.IntType(64), k * vector.lanes)]) for k in range(vector.registers))
    return [builder.bitcast(start, kind) for start in starts]


def _joined(builder: Any, vector: _Vector, registers: list[Any]) -> Any:
    """The vector of these registers."""
    joined = ir.Constant(ir.ArrayType(vector.register, vector.registers), ir.Undefined)
    for k, register in enumerate(registers):
        joined = builder.insert_value(joined, register, k)
    return joined


@_instruction
def load(typing: Any, array: Any, at: Any, registers: Any, lanes: Any) -> Any:
    """The vector that begins at number `at` of a contiguous float32 array, counted over all its dimensions; its size is
    constant.
    """
    vector = _Vector(registers.literal_value, lanes.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature.args[0], *arguments[:2])
        read = [builder.load(where, align=4) for where in _registers(builder, place, vector, ir.FloatType())]
        return _joined(builder, vector, read)

    return vector(array, types.intp, registers, lanes), generate


@_instruction
def load_half(typing: Any, array: Any, at: Any, registers: Any, lanes: Any) -> Any:
    """The same of float16 numbers that lie two by two in a float32 array; `at` counts the pairs."""
    vector = _Vector(registers.literal_value, lanes.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature.args[0], *arguments[:2])
        read = [builder.load(where, align=2) for where in _registers(builder, place, vector, ir.HalfType())]
        return _joined(builder, vector, [builder.fpext(half, vector.register) for half in read])

    return vector(array, types.intp, registers, lanes), generate


@_instruction
def store(typing: Any, array: Any, at: Any, vector: Any) -> Any:
    """Put a vector where `load` would read it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *where, value = arguments
        place = _place(context, builder, signature.args[0], *where)
        for k, register in enumerate(_registers(builder, place, vector, ir.FloatType())):
            builder.store(builder.extract_value(value, k), register, align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


@_instruction
def plus(typing: Any, total: Any, array: Any, at: Any, vector: Any) -> Any:
    """`total` + number `at` of a contiguous float32 array, counted over all its dimensions, times a vector; rounded
    once where the processor can.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        sums, *where, factors = arguments
        anything = ir.Constant(vector.register, ir.Undefined)
        first = ir.Constant(ir.VectorType(ir.IntType(32), vector.lanes), [0] * vector.lanes)
        number = builder.load(_place(context, builder, signature.args[1], *where))
        repeated = builder.shuffle_vector(builder.insert_element(anything, number, ir.IntType(32)(0)), anything, first)

        def added(k: int) -> Any:
            product = builder.fmul(repeated, builder.extract_value(factors, k), flags=["contract"])
            return builder.fadd(builder.extract_value(sums, k), product, flags=["contract"])

        return _joined(builder, vector, [added(k) for k in range(vector.registers)])

    return vector(vector, array, types.intp, vector), generate


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
