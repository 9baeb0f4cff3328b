"""Floating point against exact arithmetic on fractions, rounded once by the definition of IEEE 754 (MACH-5)."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lindref.vm.numeric.floats import f32_from_bits, f32_to_bits, f64_from_bits, f64_to_bits
from lindref.vm.numeric.table import OPERATIONS
from lindref.vm.traps import Trap

#: kind -> (significand bits with the hidden one, exponent bits)
FORMATS = {"f32": (24, 8), "f64": (53, 11)}
KINDS = tuple(FORMATS)
FROM_BITS = {"f32": f32_from_bits, "f64": f64_from_bits}
TO_BITS = {"f32": f32_to_bits, "f64": f64_to_bits}


class Special(str):
    """An operand or result that is no number: ``"nan"``, ``"inf"``, ``"-inf"``, or a zero with its sign."""

    __slots__ = ()


NAN, PLUS_INF, MINUS_INF, ZERO, MINUS_ZERO = map(Special, ("nan", "inf", "-inf", "0", "-0"))
Number = Fraction | Special


def read(kind: str, bits: int) -> Number:
    """The number of a bit pattern, from its fields."""
    precision, exponent_bits = FORMATS[kind]
    mantissa_bits = precision - 1
    mantissa = bits & ((1 << mantissa_bits) - 1)
    exponent = bits >> mantissa_bits & ((1 << exponent_bits) - 1)
    negative = bits >> (mantissa_bits + exponent_bits)
    bias = (1 << (exponent_bits - 1)) - 1
    if exponent == (1 << exponent_bits) - 1:
        return NAN if mantissa else MINUS_INF if negative else PLUS_INF
    if exponent == 0 and mantissa == 0:
        return MINUS_ZERO if negative else ZERO
    if exponent:
        mantissa += 1 << mantissa_bits
    magnitude = Fraction(mantissa) * Fraction(2) ** (max(exponent, 1) - bias - mantissa_bits)
    return -magnitude if negative else magnitude


def write(kind: str, value: Number, *, sign_of_zero: int = 0) -> int:
    """The bit pattern nearest to an exact number, ties to even; NaN is the positive canonical one."""
    precision, exponent_bits = FORMATS[kind]
    mantissa_bits = precision - 1
    top = 1 << (mantissa_bits + exponent_bits)
    infinity = ((1 << exponent_bits) - 1) << mantissa_bits
    if isinstance(value, Special):
        quiet = 1 << (mantissa_bits - 1)
        return {NAN: infinity | quiet, PLUS_INF: infinity, MINUS_INF: top | infinity, ZERO: 0, MINUS_ZERO: top}[value]
    if value == 0:
        return top * sign_of_zero
    negative, magnitude = value < 0, abs(value)
    bias = (1 << (exponent_bits - 1)) - 1
    exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    if magnitude < Fraction(2) ** exponent:
        exponent -= 1
    exponent = max(exponent, 1 - bias)
    units = round(magnitude / Fraction(2) ** (exponent - mantissa_bits))  # Fraction rounds ties to even
    # Carrying into the exponent field is what the format is made for, up to infinity.
    pattern = units + ((exponent + bias - 1) << mantissa_bits)
    return min(pattern, infinity) | (top if negative else 0)


def patterns(kind: str) -> st.SearchStrategy[int]:
    """Bit patterns: zeros, NaNs (quiet, signalling), infinities, subnormals, near overflow, near integers, any."""
    precision, exponent_bits = FORMATS[kind]
    m, size = precision - 1, precision + exponent_bits
    infinity = ((1 << exponent_bits) - 1) << m
    bias = (1 << (exponent_bits - 1)) - 1
    one = bias << m
    positive = st.one_of(
        st.sampled_from([0, 1, (1 << m) - 1, 1 << m, one, one - 1, one + 1, infinity - 1, infinity, infinity + 1]),
        st.sampled_from([infinity | 1 << (m - 1), infinity | 1 << (m - 1) | 1, (1 << (size - 1)) - 1]),
        st.integers(0, (1 << (size - 1)) - 1),
        st.builds(lambda e, f: e << m | f, st.integers(bias - 2, bias + 66), st.integers(0, (1 << m) - 1)),
        st.builds(lambda e, k: e << m | 1 << k, st.integers(bias - 2, bias + m + 2), st.integers(0, m - 1)),
    )
    return st.builds(lambda p, s: p | s << (size - 1), positive, st.integers(0, 1))


def operand(kind: str) -> st.SearchStrategy[int]:
    """As ``patterns`` (a name that reads well in ``given``)."""
    return patterns(kind)


def negative(x: Number) -> bool:
    """The sign of a number that is not NaN."""
    return x.startswith("-") if isinstance(x, Special) else x < 0


def exact(x: Number) -> Fraction:
    """A finite number as a fraction."""
    return Fraction(0) if isinstance(x, Special) else x


def is_zero(x: Number) -> bool:
    """Either zero."""
    return x in (ZERO, MINUS_ZERO)


def is_inf(x: Number) -> bool:
    """Either infinity."""
    return x in (PLUS_INF, MINUS_INF)


def signed_inf(minus: bool) -> Special:
    """The infinity of a sign."""
    return MINUS_INF if minus else PLUS_INF


def signed_zero(minus: bool) -> Special:
    """The zero of a sign."""
    return MINUS_ZERO if minus else ZERO


def negated(x: Number) -> Number:
    """The number with the other sign."""
    if isinstance(x, Special):
        return x if x == NAN else Special(x[1:] if x.startswith("-") else "-" + x)
    return -x


def add(a: Number, b: Number) -> Number:
    """fadd of §4.3.3."""
    if NAN in (a, b) or (is_inf(a) and is_inf(b) and a != b):
        return NAN
    if is_inf(a):
        return a
    if is_inf(b):
        return b
    if is_zero(a) and is_zero(b):
        return a if a == b else ZERO
    total = exact(a) + exact(b)
    return total or ZERO


def sub(a: Number, b: Number) -> Number:
    """fsub."""
    return add(a, negated(b))


def mul(a: Number, b: Number) -> Number:
    """fmul."""
    if NAN in (a, b) or (is_inf(a) and is_zero(b)) or (is_zero(a) and is_inf(b)):
        return NAN
    minus = negative(a) != negative(b)
    if is_inf(a) or is_inf(b):
        return signed_inf(minus)
    if is_zero(a) or is_zero(b):
        return signed_zero(minus)
    return exact(a) * exact(b)


def div(a: Number, b: Number) -> Number:
    """fdiv."""
    if NAN in (a, b) or (is_inf(a) and is_inf(b)) or (is_zero(a) and is_zero(b)):
        return NAN
    minus = negative(a) != negative(b)
    if is_inf(a) or is_zero(b):
        return signed_inf(minus)
    if is_inf(b) or is_zero(a):
        return signed_zero(minus)
    return exact(a) / exact(b)


def less(a: Number, b: Number) -> bool:
    """Order of numbers that are not NaN, zeros equal."""
    rank = {MINUS_INF: -1, PLUS_INF: 1}
    ra, rb = rank.get(a, 0) if isinstance(a, Special) else 0, rank.get(b, 0) if isinstance(b, Special) else 0
    return ra < rb or (ra == rb == 0 and exact(a) < exact(b))


def minimum(a: Number, b: Number) -> Number:
    """fmin."""
    if NAN in (a, b):
        return NAN
    if is_zero(a) and is_zero(b):
        return MINUS_ZERO if MINUS_ZERO in (a, b) else ZERO
    return a if less(a, b) else b


def maximum(a: Number, b: Number) -> Number:
    """fmax."""
    return negated(minimum(negated(a), negated(b)))


BINARY: dict[str, Callable[[Number, Number], Number]] = {
    "add": add,
    "sub": sub,
    "mul": mul,
    "div": div,
    "min": minimum,
    "max": maximum,
}
ROUNDINGS: dict[str, Callable[[Fraction], int]] = {
    "ceil": math.ceil,
    "floor": math.floor,
    "trunc": math.trunc,
    "nearest": round,
}
COMPARISONS: dict[str, Callable[[Number, Number], bool]] = {
    "eq": lambda a, b: not less(a, b) and not less(b, a),
    "ne": lambda a, b: less(a, b) or less(b, a),
    "lt": less,
    "gt": lambda a, b: less(b, a),
    "le": lambda a, b: not less(b, a),
    "ge": lambda a, b: not less(a, b),
}


def result(kind: str, name: str, *operands: int) -> int:
    """Bits in, bits out, of an operation that stays within its type."""
    value = OPERATIONS[f"{kind}.{name}"](*(FROM_BITS[kind](o) for o in operands))
    return TO_BITS[kind](value)


def check_write_reads_back(kind: str, bits: int) -> None:
    """The oracle itself: writing what was read gives the pattern again."""
    value = read(kind, bits)
    if value != NAN:
        assert write(kind, value) == bits


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_bits_both_ways(kind: str, data: st.DataObject) -> None:
    """Every pattern, signalling NaNs too, survives becoming a value; numbers have the value of their fields."""
    bits = data.draw(operand(kind))
    check_write_reads_back(kind, bits)
    value = FROM_BITS[kind](bits)
    assert TO_BITS[kind](value) == bits
    number = read(kind, bits)
    if not isinstance(number, Special):
        assert Fraction(value) == number
    reinterpret = {
        "f32": ("i32.reinterpret_f32", "f32.reinterpret_i32"),
        "f64": ("i64.reinterpret_f64", "f64.reinterpret_i64"),
    }
    out, back = reinterpret[kind]
    assert OPERATIONS[out](OPERATIONS[back](bits)) == bits


@given(st.integers(1, (1 << 23) - 1), st.integers(0, 1))
def test_f32_nan_lives_in_the_upper_payload(payload: int, sign: int) -> None:
    """The representation that the design page promises."""
    value = f32_from_bits(sign << 31 | 0x7F800000 | payload)
    assert f64_to_bits(value) == sign << 63 | 0x7FF0 << 48 | payload << 29


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", BINARY)
@given(data=st.data())
def test_binary_operations(kind: str, name: str, data: st.DataObject) -> None:
    """Correctly rounded results, signs of zeros, canonical NaNs."""
    a, b = data.draw(operand(kind)), data.draw(operand(kind))
    expected = write(kind, BINARY[name](read(kind, a), read(kind, b)))
    assert result(kind, name, a, b) == expected


@given(st.integers(1, (1 << 24) - 1), st.integers(1 << 23, (1 << 24) - 1), st.integers(1, 60))
def test_f32_division_into_subnormals(a: int, b: int, shift: int) -> None:
    """Where a second rounding would show first: quotients with few significant bits left."""
    numerator = write("f32", Fraction(a) / 2**130)
    denominator = write("f32", Fraction(b) * Fraction(2) ** (shift - 30))
    expected = write("f32", div(read("f32", numerator), read("f32", denominator)))
    assert result("f32", "div", numerator, denominator) == expected


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_square_root(kind: str, data: st.DataObject) -> None:
    """The rounded root: exact integer root of a number scaled until the rounding cannot tell."""
    bits = data.draw(operand(kind))
    x = read(kind, bits)
    if x == NAN or (negative(x) and not is_zero(x)):
        expected = write(kind, NAN)
    elif isinstance(x, Special):
        expected = bits
    else:
        scale = 1 << 1400
        scaled = x * scale * scale
        assert scaled.denominator == 1
        root = math.isqrt(scaled.numerator)
        sticky = root * root != scaled.numerator
        expected = write(kind, Fraction(2 * root + sticky, 2 * scale))
    assert result(kind, "sqrt", bits) == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ROUNDINGS)
@given(data=st.data())
def test_roundings(kind: str, name: str, data: st.DataObject) -> None:
    """Integers out of numbers; the sign stays even of what becomes zero."""
    bits = data.draw(operand(kind))
    x = read(kind, bits)
    if isinstance(x, Special):
        expected = write(kind, x)
    else:
        expected = write(kind, Fraction(ROUNDINGS[name](x)), sign_of_zero=int(x < 0))
    assert result(kind, name, bits) == expected


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_comparisons(kind: str, data: st.DataObject) -> None:
    """Zeros are equal, NaNs unordered."""
    a, b = data.draw(operand(kind)), data.draw(operand(kind))
    x, y = read(kind, a), read(kind, b)
    for name, holds in COMPARISONS.items():
        expected = int(name == "ne") if NAN in (x, y) else int(holds(x, y))
        assert OPERATIONS[f"{kind}.{name}"](FROM_BITS[kind](a), FROM_BITS[kind](b)) == expected, name


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_sign_operations_keep_every_other_bit(kind: str, data: st.DataObject) -> None:
    """``abs``, ``neg``, ``copysign`` are operations on one bit, of NaNs too."""
    a, b = data.draw(operand(kind)), data.draw(operand(kind))
    top = 1 << (31 if kind == "f32" else 63)
    assert result(kind, "abs", a) == a & ~top
    assert result(kind, "neg", a) == a ^ top
    assert result(kind, "copysign", a, b) == a & ~top | b & top


# Conversions


def integers(n: int) -> st.SearchStrategy[int]:
    """Integers of a width, ties of either float format often."""
    return st.one_of(
        st.integers(0, 2**n - 1),
        st.builds(
            lambda hi, k, d: min(max((hi << k) + (1 << k >> 1) + d, 0), 2**n - 1),
            st.integers(1 << 23, (1 << 25) - 1),
            st.integers(0, n - 25),
            st.integers(-1, 1),
        ),
        st.sampled_from([0, 1, 2 ** (n - 1) - 1, 2 ** (n - 1), 2**n - 1]),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [32, 64])
@given(data=st.data())
def test_integer_to_float(kind: str, n: int, data: st.DataObject) -> None:
    """Rounded once, signed and unsigned."""
    a = data.draw(integers(n))
    as_signed = a - 2**n if a >> (n - 1) else a
    assert TO_BITS[kind](OPERATIONS[f"{kind}.convert_i{n}_u"](a)) == write(kind, Fraction(a))
    assert TO_BITS[kind](OPERATIONS[f"{kind}.convert_i{n}_s"](a)) == write(kind, Fraction(as_signed))


def test_long_integer_to_f32_is_rounded_once() -> None:
    """Through f64 this integer lands on a tie and goes the wrong way."""
    a = (1 << 60) + (1 << 36) + 1
    assert OPERATIONS["f32.convert_i64_u"](a) == float((1 << 60) + (1 << 37))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [32, 64])
@pytest.mark.parametrize("sx", "su")
@given(data=st.data())
def test_float_to_integer(kind: str, n: int, sx: str, data: st.DataObject) -> None:
    """Truncation traps or saturates at exactly the bounds of the integer type."""
    low, high = (-(2 ** (n - 1)), 2 ** (n - 1) - 1) if sx == "s" else (0, 2**n - 1)
    edge = st.builds(
        lambda e, d: write(kind, Fraction(e)) + d,
        st.sampled_from([low, high, low - 1, high + 1, -1]),
        st.integers(-2, 2),
    )
    size = 32 if kind == "f32" else 64
    bits = data.draw(st.one_of(operand(kind), edge)) % (1 << size)
    x, value = read(kind, bits), FROM_BITS[kind](bits)
    trapping, saturating = OPERATIONS[f"i{n}.trunc_{kind}_{sx}"], OPERATIONS[f"i{n}.trunc_sat_{kind}_{sx}"]
    if x == NAN:
        with pytest.raises(Trap, match=r"^invalid conversion to integer$"):
            trapping(value)
        assert saturating(value) == 0
    elif is_inf(x) or not low <= math.trunc(exact(x)) <= high:
        with pytest.raises(Trap, match=r"^integer overflow$"):
            trapping(value)
        assert saturating(value) == (low if negative(x) else high) % 2**n
    else:
        assert trapping(value) == saturating(value) == math.trunc(exact(x)) % 2**n


@given(operand("f64"))
def test_demote(bits: int) -> None:
    """f64 to f32: rounded once, beyond the largest to infinity, NaNs canonical."""
    expected = write("f32", read("f64", bits), sign_of_zero=bits >> 63)
    assert f32_to_bits(OPERATIONS["f32.demote_f64"](f64_from_bits(bits))) == expected


@given(st.integers(0, (1 << 31) - 2), st.integers(-1, 1), st.integers(0, 1))
def test_demote_at_ties(below: int, nudge: int, sign: int) -> None:
    """Midpoints of neighbouring f32 numbers, and their f64 neighbours, subnormals and overflow included."""
    below %= 0x7F800000
    low = exact(read("f32", below))
    above = below + 1
    high = Fraction(2) ** 128 if above == 0x7F800000 else exact(read("f32", above))
    bits = write("f64", (low + high) / 2) + nudge | sign << 63
    expected = write("f32", read("f64", bits))
    assert f32_to_bits(OPERATIONS["f32.demote_f64"](f64_from_bits(bits))) == expected


@given(operand("f32"))
def test_promote(bits: int) -> None:
    """f32 to f64: exact, NaNs canonical."""
    expected = write("f64", read("f32", bits), sign_of_zero=bits >> 31)
    assert f64_to_bits(OPERATIONS["f64.promote_f32"](f32_from_bits(bits))) == expected
