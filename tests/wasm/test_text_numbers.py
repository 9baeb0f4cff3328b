"""Numeric literals against the numbers that they are: exact fractions, and nearness among all floats of a format."""

from __future__ import annotations

import struct
import time
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lindref.wasm.errors import Malformed
from lindref.wasm.text.numbers import (
    F32,
    F64,
    FloatFormat,
    OutOfRangeError,
    is_number,
    print_float,
    read_float,
    read_int,
    read_unsigned,
)
from lindref.wasm.text.parser import parse_module

FORMS = [F32, F64]
PACK = {32: ("<I", "<f"), 64: ("<Q", "<d")}


def value(pattern: int, form: FloatFormat) -> Fraction:
    """The number of a finite pattern, as the machine has it."""
    as_int, as_float = PACK[form.bits]
    return Fraction(struct.unpack(as_float, struct.pack(as_int, pattern))[0])


def check_nearest(number: Fraction, pattern: int, form: FloatFormat) -> None:
    """No other float is nearer to a non-negative number; of two that are as near, the even one was taken."""
    assert 0 <= pattern < form.infinity
    distance = abs(number - value(pattern, form))
    for other in (pattern - 1, pattern + 1):
        if other < 0:
            continue
        if other < form.infinity:
            neighbour = value(other, form)
        else:  # what would come next, had the exponent no end
            neighbour = Fraction(2) ** (form.bias + 1)
        assert distance < abs(number - neighbour) or (distance == abs(number - neighbour) and pattern % 2 == 0)


def beyond(number: Fraction, form: FloatFormat) -> bool:
    """Whether a number rounds to infinity: it is half a unit or more above the largest float."""
    largest = value(form.infinity - 1, form)
    return number >= largest + (Fraction(2) ** (form.bias + 1) - largest) / 2


def check_float(text: str, number: Fraction, form: FloatFormat) -> None:
    """The literal is the float nearest to the number, or out of range."""
    if beyond(number, form):
        with pytest.raises(OutOfRangeError, match=r"^constant out of range$"):
            read_float(text, form)
        return
    pattern = read_float(text, form)
    assert pattern is not None
    check_nearest(number, pattern, form)
    assert read_float("+" + text, form) == pattern
    assert read_float("-" + text, form) == pattern | form.sign


def spaced(digits: str, marks: list[bool]) -> str:
    """Digits with underscores between some of them."""
    out = digits[0]
    for digit, mark in zip(digits[1:], marks + [False] * len(digits), strict=False):
        out += ("_" if mark else "") + digit
    return out


DECIMAL = st.text("0123456789", min_size=1, max_size=25)
HEX = st.text("0123456789abcdefABCDEF", min_size=1, max_size=25)
MARKS = st.lists(st.booleans(), max_size=10)


@pytest.mark.parametrize("form", FORMS, ids=["f32", "f64"])
@given(DECIMAL, st.none() | st.just("") | DECIMAL, st.none() | st.integers(-400, 350), MARKS, st.sampled_from("eE"))
def test_decimal_floats(
    form: FloatFormat, whole: str, part: str | None, exponent: int | None, marks: list[bool], e: str
) -> None:
    text = spaced(whole, marks)
    number = Fraction(int(whole))
    if part is not None:
        text += "." + (spaced(part, marks) if part else "")
        number += Fraction(int(part or "0"), 10 ** len(part))
    if exponent is not None:
        text += f"{e}{exponent}"
        number *= Fraction(10) ** exponent
    check_float(text, number, form)


@pytest.mark.parametrize("form", FORMS, ids=["f32", "f64"])
@given(HEX, st.none() | st.just("") | HEX, st.none() | st.integers(-1200, 1100), MARKS, st.sampled_from("pP"))
def test_hexadecimal_floats(
    form: FloatFormat, whole: str, part: str | None, exponent: int | None, marks: list[bool], p: str
) -> None:
    text = "0x" + spaced(whole, marks)
    number = Fraction(int(whole, 16))
    if part is not None:
        text += "." + (spaced(part, marks) if part else "")
        number += Fraction(int(part or "0", 16), 16 ** len(part))
    if exponent is not None:
        text += f"{p}{exponent}"
        number *= Fraction(2) ** exponent
    check_float(text, number, form)


@pytest.mark.parametrize("form", FORMS, ids=["f32", "f64"])
@given(data=st.data())
def test_halfway_between_two_floats(form: FloatFormat, data: st.DataObject) -> None:
    """Ties written out in full, and with one more digit far behind that breaks them."""
    low = data.draw(st.integers(0, form.infinity - 2) | st.sampled_from([0, 1, (1 << form.fraction) - 1]))
    middle = (value(low, form) + value(low + 1, form)) / 2
    even = low if low % 2 == 0 else low + 1
    places = middle.denominator.bit_length() - 1
    digits = str(middle.numerator * 5**places)  # middle = digits / 10**places, exactly
    text = f"{digits}e-{places}"
    assert read_float(text, form) == even
    zeros = "0" * data.draw(st.sampled_from([0, 1, 900]))
    assert read_float(f"{digits}.{zeros}1e-{places}", form) == low + 1
    assert read_float(f"{middle.numerator:#x}.{zeros}1p-{places}", form) == low + 1
    assert read_float(f"{middle.numerator:#x}.{zeros}p-{places}", form) == even


def test_the_edge_of_infinity() -> None:
    for form, top in ((F32, 127), (F64, 1023)):
        largest = Fraction(2) ** (top + 1) - Fraction(2) ** (top - form.fraction)
        edge = largest + Fraction(2) ** (top - form.fraction - 1)
        assert read_float(str(largest), form) == form.infinity - 1
        assert read_float(str(edge - 1), form) == form.infinity - 1
        for text in (str(edge), f"{edge.numerator:#x}", "1e400", "0x1p1024", "1e99999999999999999999"):
            with pytest.raises(OutOfRangeError):
                read_float(text, form)


@given(st.integers(0, 2**64 - 1))
@example(0)
@example(1 << 63)
@example(0x7FF0_0000_0000_0000)
@example(0xFFF8_0000_0000_0000)
@example(0x7FF0_0000_0000_0001)
def test_every_pattern_prints_and_reads_back(pattern: int) -> None:
    for form, bits in ((F64, pattern), (F32, pattern & 0xFFFFFFFF), (F32, pattern >> 32)):
        assert read_float(print_float(bits, form), form) == bits


@pytest.mark.parametrize(
    ("text", "bits32", "bits64"),
    [
        ("inf", 0x7F800000, 0x7FF0 << 48),
        ("+inf", 0x7F800000, 0x7FF0 << 48),
        ("-inf", 0xFF800000, 0xFFF0 << 48),
        ("nan", 0x7FC00000, 0x7FF8 << 48),
        ("-nan", 0xFFC00000, 0xFFF8 << 48),
        ("nan:0x1", 0x7F800001, (0x7FF0 << 48) + 1),
        ("-nan:0x200000", 0xFFA00000, (0xFFF0 << 48) + 0x200000),
        ("nan:0x7f_ffff", 0x7FFFFFFF, (0x7FF0 << 48) + 0x7FFFFF),
        ("0", 0, 0),
        ("-0", 1 << 31, 1 << 63),
        ("-0x0.0p5", 1 << 31, 1 << 63),
        ("0e999999999999", 0, 0),
        ("1e-999999999999", 0, 0),
        ("0x1p-999999999999", 0, 0),
        ("1.", 0x3F800000, 0x3FF0 << 48),
        ("0x1.", 0x3F800000, 0x3FF0 << 48),
        ("1.e1", 0x41200000, 0x4024 << 48),
        ("01", 0x3F800000, 0x3FF0 << 48),
    ],
)
def test_particular_floats(text: str, bits32: int, bits64: int) -> None:
    assert read_float(text, F32) == bits32
    assert read_float(text, F64) == bits64


@pytest.mark.parametrize("text", ["nan:0x0", "nan:0x800000", "nan:0x8000_0000_0000_0000_0"])
def test_payloads_that_do_not_fit(text: str) -> None:
    with pytest.raises(OutOfRangeError):
        read_float(text, F32)


NO_NUMBERS = """
_ 1_ _1 1__0 0x 0x_1 0x1_ 0xg + - +- --1 ++1 +-1 1+1 1.2.3 .5 -.5 e1 1e 1e+ 1e+_1 1e1_ 1e1.5 0x.8 0x1p 0x1p+ 0x1pa
0x1e+1 0X1 1f 1a inf: infinity Inf NaN nan: nan:1 nan:0x nan:0x_1 nan:0xg nan:canonical 1._5 1_.5 1.5_ 0b1 0o7
1,0 ٣ １ ²
""".split()  # fmt: skip


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_no_numbers(text: str) -> None:
    assert read_float(text, F64) is None
    assert not is_number(text)
    assert read_int(text, 64) is None
    assert read_unsigned(text, 64) is None


# Integers.


@pytest.mark.parametrize("bits", [32, 64])
@given(st.integers(-(2**65), 2**65), st.booleans(), MARKS, st.sampled_from(["", "+"]), st.integers(0, 40))
@example(2**31, False, [], "+", 0)
@example(-(2**31), False, [], "", 0)
@example(-(2**31) - 1, False, [], "", 0)
@example(2**32 - 1, True, [], "", 30)
@example(2**32, True, [], "", 30)
@example(2**63 - 1, True, [], "+", 0)
@example(2**63, True, [], "+", 0)
def test_integers(bits: int, number: int, hexadecimal: bool, marks: list[bool], plus: str, zeros: int) -> None:
    sign = "-" if number < 0 else plus
    digits = "0" * zeros + (f"{abs(number):x}" if hexadecimal else str(abs(number)))
    text = sign + ("0x" if hexadecimal else "") + spaced(digits, marks)
    assert is_number(text)
    top = 2 ** (bits - 1) if sign else 2**bits
    if -(2 ** (bits - 1)) <= number < top:
        assert read_int(text, bits) == number % 2**bits
    else:
        with pytest.raises(OutOfRangeError, match="constant out of range"):
            read_int(text, bits)
    if sign:
        assert read_unsigned(text, bits) is None
    elif number < 2**bits:
        assert read_unsigned(text, bits) == number
    else:
        with pytest.raises(OutOfRangeError):
            read_unsigned(text, bits)


@pytest.mark.parametrize(
    "text",
    [
        "9" * 10_000_000,
        "0x" + "f" * 10_000_000,
        "0" * 10_000_000 + "1",
        "1" + "_1" * 1_000_000,
        "-0x" + "0" * 10_000_000,
        "1." + "0" * 10_000_000 + "1",
        "0." + "0" * 10_000_000 + "1e10000000",
        "1e" + "9" * 10_000_000,
        "1e-" + "9" * 10_000_000,
        "0x1." + "0" * 10_000_000 + "p-3",
        "0x1p-" + "0" * 10_000_000 + "1",
        "nan:0x" + "0" * 10_000_000 + "1",
    ],
    ids=lambda text: text[:6] + "…" + text[-4:],
)
def test_ten_million_digits(text: str) -> None:
    """In proportion to the token: a second would be far too much."""
    begin = time.process_time()
    for read in (lambda: read_int(text, 64), lambda: read_float(text, F64), lambda: read_float(text, F32)):
        try:
            found = read()
        except OutOfRangeError:
            continue
        assert found is None or 0 <= found < 2**64
    assert time.process_time() - begin < 4


# In a module.


@pytest.mark.parametrize(
    ("instr", "message"),
    [
        ("i32.const 4294967296", "constant out of range"),
        ("i32.const -2147483649", "constant out of range"),
        ("i64.const 18446744073709551616", "constant out of range"),
        ("f32.const 3.5e38", "constant out of range"),
        ("f64.const nan:0x0", "constant out of range"),
        ("i32.const 1.0", "unexpected token"),
        ("i32.const inf", "unexpected token"),
        ("i32.const", "unexpected token"),
        ("i32.const 1x", "unknown operator"),
        ("f32.const 1_", "unknown operator"),
        ("local.get -1", "unexpected token"),
        ("local.get 4294967296", "i32 constant out of range"),
    ],
)
def test_numbers_in_their_place(instr: str, message: str) -> None:
    column = 15 + (instr.index(" ") + 1 if " " in instr else len(instr))
    with pytest.raises(Malformed, match=rf"^{message}.* \(line 1, column {column}\)$"):
        parse_module(f"(module (func {instr}))")
