"""Floating point (spec §4.3.3): bit patterns, and arithmetic rounded to nearest, ties to even.

An f64 is a Python float. An f32 is the Python float of the same value; an f32 NaN keeps sign and payload, the
23 payload bits being the upper ones of the float's 52. So f64 functions that cannot leave the f32 values
(``abs``, ``ceil``, ``min``, comparisons) serve both types, and the others are followed by one rounding: an f64
result has more than 2·24+2 bits, hence rounding the sum, product, quotient or root of two f32 numbers first to
f64 and then to f32 gives what rounding once would (subnormal results included).

Arithmetic that yields a NaN yields ``NAN``, the positive canonical one (MACH-5); ``neg``, ``abs`` and ``copysign`` only
touch the sign bit (§4.3.3: these are bit operations, signalling NaNs stay so).
"""

# ruff: noqa: PLR0124 -- `x != x` is the NaN test that calls nothing

from __future__ import annotations

import math
import operator
import struct
from array import array
from collections.abc import Callable
from typing import Final

NAN32_BITS: Final = 0x7FC00000
NAN64_BITS: Final = 0x7FF8000000000000

_pack_f32 = struct.Struct("<f").pack
_unpack_f32 = struct.Struct("<f").unpack
_pack_f64 = struct.Struct("<d").pack
_unpack_f64 = struct.Struct("<d").unpack
_pack_u32 = struct.Struct("<I").pack
_unpack_u32 = struct.Struct("<I").unpack
_pack_u64 = struct.Struct("<Q").pack
_unpack_u64 = struct.Struct("<Q").unpack

_copysign = math.copysign
_sqrt = math.sqrt
_floor = math.floor
_ceil = math.ceil
_trunc = math.trunc


def f64_from_bits(bits: int) -> float:
    """The f64 with this 64-bit pattern."""
    value: float = _unpack_f64(_pack_u64(bits))[0]
    return value


def f64_to_bits(value: float) -> int:
    """The 64-bit pattern of an f64."""
    bits: int = _unpack_u64(_pack_f64(value))[0]
    return bits


def f32_from_bits(bits: int) -> float:
    """The f32 with this 32-bit pattern (a NaN by bits: the hardware's conversion would quiet it)."""
    value: float
    if bits & 0x7FFFFFFF > 0x7F800000:
        payload = (bits & 0x007FFFFF) << 29
        value = _unpack_f64(_pack_u64((bits & 0x80000000) << 32 | 0x7FF0000000000000 | payload))[0]
    else:
        value = _unpack_f32(_pack_u32(bits))[0]
    return value


def f32_to_bits(value: float) -> int:
    """The 32-bit pattern of an f32 (``value`` must be one: nothing is rounded here)."""
    bits: int
    if value != value:
        wide: int = _unpack_u64(_pack_f64(value))[0]
        return wide >> 32 & 0x80000000 | 0x7F800000 | wide >> 29 & 0x007FFFFF
    bits = _unpack_u32(_pack_f32(value))[0]
    return bits


NAN: Final = f64_from_bits(NAN64_BITS)
"""The positive canonical NaN, of either type."""

INF: Final = math.inf

#: One float of memory: storing rounds to f32 (beyond the largest: to infinity), half the price of ``struct``.
_CELL = array("f", [0.0])


def f32_round(value: float) -> float:
    """The f32 nearest to an f64, ties to even, overflow to infinity; every NaN becomes ``NAN``."""
    if value != value:
        return NAN
    _CELL[0] = value
    return _CELL[0]


# Comparisons: Python's are IEEE 754's (unordered unless ``ne``).


def eq(a: float, b: float) -> int:
    """1 if equal (zeros of either sign are), else 0."""
    return 1 if a == b else 0


def ne(a: float, b: float) -> int:
    """1 if unequal or unordered, else 0."""
    return 1 if a != b else 0


def lt(a: float, b: float) -> int:
    """1 if less, else 0."""
    return 1 if a < b else 0


def gt(a: float, b: float) -> int:
    """1 if greater, else 0."""
    return 1 if a > b else 0


def le(a: float, b: float) -> int:
    """1 if less or equal, else 0."""
    return 1 if a <= b else 0


def ge(a: float, b: float) -> int:
    """1 if greater or equal, else 0."""
    return 1 if a >= b else 0


# Operations that stay within either type.

abs_: Callable[[float], float] = operator.abs
neg: Callable[[float], float] = operator.neg
copysign: Callable[[float, float], float] = math.copysign


def min_(a: float, b: float) -> float:
    """The lesser; -0 is less than +0; a NaN prevails."""
    if a < b:
        return a
    if b < a:
        return b
    if a == b:
        return a if _copysign(1.0, a) < 0.0 else b
    return NAN


def max_(a: float, b: float) -> float:
    """The greater; +0 is greater than -0; a NaN prevails."""
    if a > b:
        return a
    if b > a:
        return b
    if a == b:
        return b if _copysign(1.0, a) < 0.0 else a
    return NAN


# From 2**52 on every f64 is an integer, and so is every f32; below, the result keeps the operand's sign (-0 too).


def ceil(a: float) -> float:
    """The least integer not below ``a``."""
    if -4503599627370496.0 < a < 4503599627370496.0:
        return _copysign(_ceil(a), a)
    return a if a == a else NAN


def floor(a: float) -> float:
    """The greatest integer not above ``a``."""
    if -4503599627370496.0 < a < 4503599627370496.0:
        return _copysign(_floor(a), a)
    return a if a == a else NAN


def trunc(a: float) -> float:
    """``a`` rounded toward zero."""
    if -4503599627370496.0 < a < 4503599627370496.0:
        return _copysign(_trunc(a), a)
    return a if a == a else NAN


def nearest(a: float) -> float:
    """The integer nearest to ``a``, ties to even: adding 2**52 leaves no bits for a fraction."""
    if -4503599627370496.0 < a < 4503599627370496.0:
        return _copysign(abs(a) + 4503599627370496.0 - 4503599627370496.0, a)
    return a if a == a else NAN


# f64 arithmetic.


def f64_add(a: float, b: float) -> float:
    """``a + b``."""
    r = a + b
    return r if r == r else NAN


def f64_sub(a: float, b: float) -> float:
    """``a - b``."""
    r = a - b
    return r if r == r else NAN


def f64_mul(a: float, b: float) -> float:
    """``a * b``."""
    r = a * b
    return r if r == r else NAN


def f64_div(a: float, b: float) -> float:
    """``a / b``; a number other than zero by zero is infinite, 0/0 a NaN."""
    if b:
        r = a / b
        return r if r == r else NAN
    if a == 0.0 or a != a:
        return NAN
    return INF if _copysign(1.0, a) == _copysign(1.0, b) else -INF


def f64_sqrt(a: float) -> float:
    """The square root; -0 of -0; a NaN of less."""
    return _sqrt(a) if a >= 0.0 else NAN


# f32 arithmetic: the f64 result rounded again.


def f32_add(a: float, b: float) -> float:
    """``a + b``."""
    r = a + b
    if r != r:
        return NAN
    _CELL[0] = r
    return _CELL[0]


def f32_sub(a: float, b: float) -> float:
    """``a - b``."""
    r = a - b
    if r != r:
        return NAN
    _CELL[0] = r
    return _CELL[0]


def f32_mul(a: float, b: float) -> float:
    """``a * b``."""
    r = a * b
    if r != r:
        return NAN
    _CELL[0] = r
    return _CELL[0]


def f32_div(a: float, b: float) -> float:
    """``a / b``; a number other than zero by zero is infinite, 0/0 a NaN."""
    if b:
        r = a / b
        if r != r:
            return NAN
        _CELL[0] = r
        return _CELL[0]
    if a == 0.0 or a != a:
        return NAN
    return INF if _copysign(1.0, a) == _copysign(1.0, b) else -INF


def f32_sqrt(a: float) -> float:
    """The square root; -0 of -0; a NaN of less."""
    if a >= 0.0:
        _CELL[0] = _sqrt(a)
        return _CELL[0]
    return NAN
