"""Integer operations (spec §4.3.2), one definition for both widths.

Operands and results are unsigned: ``0 <= n < 2**N``. ``n ^ SIGN`` orders unsigned images of signed numbers,
``(n ^ SIGN) - SIGN`` is the signed number itself. Names: ``a``, ``b`` operands, ``N`` the width in bits.

The functions are closures over a width, so that each is one Python frame without a call inside.
"""

from __future__ import annotations

from collections.abc import Callable

from lindref.vm.traps import DIVIDE_BY_ZERO, OVERFLOW, Trap

IntOp = Callable[..., int]


def comparisons(n: int) -> dict[str, IntOp]:
    """Tests and comparisons of width ``n``; each answers 0 or 1."""
    sign = 1 << (n - 1)

    def eqz(a: int) -> int:
        return 0 if a else 1

    def eq(a: int, b: int) -> int:
        return 1 if a == b else 0

    def ne(a: int, b: int) -> int:
        return 1 if a != b else 0

    def lt_u(a: int, b: int) -> int:
        return 1 if a < b else 0

    def gt_u(a: int, b: int) -> int:
        return 1 if a > b else 0

    def le_u(a: int, b: int) -> int:
        return 1 if a <= b else 0

    def ge_u(a: int, b: int) -> int:
        return 1 if a >= b else 0

    def lt_s(a: int, b: int) -> int:
        return 1 if a ^ sign < b ^ sign else 0

    def gt_s(a: int, b: int) -> int:
        return 1 if a ^ sign > b ^ sign else 0

    def le_s(a: int, b: int) -> int:
        return 1 if a ^ sign <= b ^ sign else 0

    def ge_s(a: int, b: int) -> int:
        return 1 if a ^ sign >= b ^ sign else 0

    return _by_name(eqz, eq, ne, lt_u, gt_u, le_u, ge_u, lt_s, gt_s, le_s, ge_s)


def arithmetic(n: int) -> dict[str, IntOp]:
    """Sums, products, quotients and remainders of width ``n``.

    Division by zero raises ``Trap(DIVIDE_BY_ZERO)``; ``div_s`` of the least number by -1 ``Trap(OVERFLOW)``.
    """
    mask = (1 << n) - 1
    sign = 1 << (n - 1)
    span = 1 << n

    def add(a: int, b: int) -> int:
        return a + b & mask

    def sub(a: int, b: int) -> int:
        return a - b & mask

    def mul(a: int, b: int) -> int:
        return a * b & mask

    def div_u(a: int, b: int) -> int:
        if b == 0:
            raise Trap(DIVIDE_BY_ZERO)
        return a // b

    def rem_u(a: int, b: int) -> int:
        if b == 0:
            raise Trap(DIVIDE_BY_ZERO)
        return a % b

    # Python's // and % round down, wasm's round toward zero: divide magnitudes, then give the sign.
    def div_s(a: int, b: int) -> int:
        if b == 0:
            raise Trap(DIVIDE_BY_ZERO)
        if a < sign:
            return a // b if b < sign else -(a // (span - b)) & mask
        if b < sign:
            return -((span - a) // b) & mask
        if b == mask and a == sign:
            raise Trap(OVERFLOW)
        return (span - a) // (span - b)

    def rem_s(a: int, b: int) -> int:
        if b == 0:
            raise Trap(DIVIDE_BY_ZERO)
        divisor = b if b < sign else span - b
        return a % divisor if a < sign else -((span - a) % divisor) & mask

    return _by_name(add, sub, mul, div_u, rem_u, div_s, rem_s)


def bitwise(n: int) -> dict[str, IntOp]:
    """Logic, shifts, rotations, bit counts and sign extension within width ``n``."""
    mask = (1 << n) - 1
    sign = 1 << (n - 1)
    count = n - 1  # shift counts are taken modulo N, a power of two

    def and_(a: int, b: int) -> int:
        return a & b

    def or_(a: int, b: int) -> int:
        return a | b

    def xor(a: int, b: int) -> int:
        return a ^ b

    def shl(a: int, b: int) -> int:
        return a << (b & count) & mask

    def shr_u(a: int, b: int) -> int:
        return a >> (b & count)

    def shr_s(a: int, b: int) -> int:
        return (a ^ sign) - sign >> (b & count) & mask

    def rotl(a: int, b: int) -> int:
        b &= count
        return (a << b | a >> n - b) & mask

    def rotr(a: int, b: int) -> int:
        b &= count
        return (a >> b | a << n - b) & mask

    def clz(a: int) -> int:
        return n - a.bit_length()

    def ctz(a: int) -> int:
        return (a & -a).bit_length() - 1 if a else n

    def popcnt(a: int) -> int:
        return a.bit_count()

    def extend8_s(a: int) -> int:
        return (a & 0xFF ^ 0x80) - 0x80 & mask

    def extend16_s(a: int) -> int:
        return (a & 0xFFFF ^ 0x8000) - 0x8000 & mask

    def extend32_s(a: int) -> int:
        return (a & 0xFFFFFFFF ^ 0x80000000) - 0x80000000 & mask

    found = _by_name(and_, or_, xor, shl, shr_u, shr_s, rotl, rotr, clz, ctz, popcnt, extend8_s, extend16_s)
    if n == 64:
        found["extend32_s"] = extend32_s
    return found


def operations(n: int) -> dict[str, IntOp]:
    """Every operation of width ``n`` (32 or 64) under its name without the type: ``operations(32)["add"]``."""
    return comparisons(n) | arithmetic(n) | bitwise(n)


def i32_wrap_i64(a: int) -> int:
    """``a`` modulo 2**32."""
    return a & 0xFFFFFFFF


def i64_extend_i32_s(a: int) -> int:
    """The i64 of the same signed value as the i32 ``a``."""
    return (a ^ 0x80000000) - 0x80000000 & 0xFFFFFFFFFFFFFFFF


def i64_extend_i32_u(a: int) -> int:
    """The i64 of the same unsigned value as the i32 ``a``."""
    return a


def signed32(a: int) -> int:
    """The signed number that the i32 ``a`` stands for."""
    return (a ^ 0x80000000) - 0x80000000


def signed64(a: int) -> int:
    """The signed number that the i64 ``a`` stands for."""
    return (a ^ 0x8000000000000000) - 0x8000000000000000


def _by_name(*functions: IntOp) -> dict[str, IntOp]:
    """The functions under their wasm names (``and_`` → ``and``)."""
    return {f.__name__.rstrip("_"): f for f in functions}
