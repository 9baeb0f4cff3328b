"""Conversions between number types (spec §4.3.4).

``trunc`` needs no f32 variants: an f32 is the float of the same value, and a range check against the integer
type's bounds is exact in f64 for both.
"""

# ruff: noqa: PLR0124 -- `x != x` is the NaN test that calls nothing

from __future__ import annotations

from lindref.vm.numeric.floats import NAN, f32_round
from lindref.vm.traps import INVALID_CONVERSION, OVERFLOW, Trap


def i32_trunc_s(a: float) -> int:
    """``a`` toward zero as a signed i32; traps on NaN and out of range."""
    if -2147483649.0 < a < 2147483648.0:
        return int(a) & 0xFFFFFFFF
    raise Trap(OVERFLOW if a == a else INVALID_CONVERSION)


def i32_trunc_u(a: float) -> int:
    """``a`` toward zero as an unsigned i32; traps on NaN and out of range."""
    if -1.0 < a < 4294967296.0:
        return int(a)
    raise Trap(OVERFLOW if a == a else INVALID_CONVERSION)


def i64_trunc_s(a: float) -> int:
    """``a`` toward zero as a signed i64; traps on NaN and out of range."""
    if -9223372036854775808.0 <= a < 9223372036854775808.0:
        return int(a) & 0xFFFFFFFFFFFFFFFF
    raise Trap(OVERFLOW if a == a else INVALID_CONVERSION)


def i64_trunc_u(a: float) -> int:
    """``a`` toward zero as an unsigned i64; traps on NaN and out of range."""
    if -1.0 < a < 18446744073709551616.0:
        return int(a)
    raise Trap(OVERFLOW if a == a else INVALID_CONVERSION)


def i32_trunc_sat_s(a: float) -> int:
    """``a`` toward zero, clamped to the signed i32 range; NaN gives 0."""
    if -2147483649.0 < a < 2147483648.0:
        return int(a) & 0xFFFFFFFF
    return 0 if a != a else 0x7FFFFFFF if a > 0.0 else 0x80000000


def i32_trunc_sat_u(a: float) -> int:
    """``a`` toward zero, clamped to the unsigned i32 range; NaN gives 0."""
    if -1.0 < a < 4294967296.0:
        return int(a)
    return 0xFFFFFFFF if a > 0.0 else 0


def i64_trunc_sat_s(a: float) -> int:
    """``a`` toward zero, clamped to the signed i64 range; NaN gives 0."""
    if -9223372036854775808.0 <= a < 9223372036854775808.0:
        return int(a) & 0xFFFFFFFFFFFFFFFF
    return 0 if a != a else 0x7FFFFFFFFFFFFFFF if a > 0.0 else 0x8000000000000000


def i64_trunc_sat_u(a: float) -> int:
    """``a`` toward zero, clamped to the unsigned i64 range; NaN gives 0."""
    if -1.0 < a < 18446744073709551616.0:
        return int(a)
    return 0xFFFFFFFFFFFFFFFF if a > 0.0 else 0


# Python's int → float is rounded to nearest, ties to even; from 32 bits it is exact.


def f64_convert_i32_s(a: int) -> float:
    """The f64 of the signed i32 ``a``."""
    return float((a ^ 0x80000000) - 0x80000000)


def f64_convert_u(a: int) -> float:
    """The f64 nearest to the unsigned integer ``a``."""
    return float(a)


def f64_convert_i64_s(a: int) -> float:
    """The f64 nearest to the signed i64 ``a``."""
    return float((a ^ 0x8000000000000000) - 0x8000000000000000)


def f32_convert_i32_s(a: int) -> float:
    """The f32 nearest to the signed i32 ``a``."""
    return f32_round(float((a ^ 0x80000000) - 0x80000000))


def f32_convert_i32_u(a: int) -> float:
    """The f32 nearest to the unsigned i32 ``a``."""
    return f32_round(float(a))


def f32_convert_i64_s(a: int) -> float:
    """The f32 nearest to the signed i64 ``a``."""
    if a < 0x8000000000000000:
        return f32_convert_i64_u(a)
    return -f32_convert_i64_u(0x10000000000000000 - a)


def f32_convert_i64_u(a: int) -> float:
    """The f32 nearest to the unsigned i64 ``a``.

    Through f64 a long integer would be rounded twice. So its low bits are first folded into a sticky bit: what
    is left is exact in f64, and on the same side of every tie.
    """
    if a >= 0x20000000000000:
        a = a & -0x800 | (0x800 if a & 0x7FF else 0)
    return f32_round(float(a))


f32_demote_f64 = f32_round
"""The f32 nearest to an f64; a NaN becomes canonical."""


def f64_promote_f32(a: float) -> float:
    """The f64 of the same value; a NaN becomes canonical."""
    return a if a == a else NAN
