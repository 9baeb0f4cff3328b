"""Numeric literals (spec §6.3.1-6.3.2) to integers and bit patterns, and back.

Floats are rounded by exact integer arithmetic. Reading functions return ``None`` where the token is no literal of the
kind and raise ``OutOfRangeError`` where it is one whose value does not fit. Work is bounded by the length of the token:
huge exponents are never expanded.
"""

from __future__ import annotations

import re

from lindref import classes

# Possessive: nothing to try again, nothing to remember for it.
_DEC = r"[0-9]++(?:_[0-9]++)*+"
_HEX = r"[0-9A-Fa-f]++(?:_[0-9A-Fa-f]++)*+"
_INT = re.compile(rf"([+-]?)(?:0x({_HEX})|({_DEC}))")
_FLOAT = re.compile(
    rf"([+-]?)(?:(inf)|nan(?::0x({_HEX}))?|0x({_HEX})(?:\.({_HEX})?)?(?:[pP]([+-]?{_DEC}))?"
    rf"|({_DEC})(?:\.({_DEC})?)?(?:[eE]([+-]?{_DEC}))?)"
)
_DIGITS = re.compile(r"[0-9]+")

#: More digits than any halfway point between two f64 values has: what follows matters only by being zero or not.
_ENOUGH_DEC = 800
_ENOUGH_HEX = 64
#: Python refuses to convert longer decimal strings at once.
_MAX_INT_DIGITS = 25


class OutOfRangeError(ValueError):
    """A literal whose value does not fit its type."""


@classes.frozen
class FloatFormat:
    """An IEEE 754 binary interchange format: total bits, and bits of the stored significand."""

    bits: int
    fraction: int

    @property
    def exponent_bits(self) -> int:
        """Bits of the exponent field."""
        return self.bits - self.fraction - 1

    @property
    def bias(self) -> int:
        """The exponent bias."""
        return (1 << (self.exponent_bits - 1)) - 1

    @property
    def infinity(self) -> int:
        """The pattern of +infinity."""
        return ((1 << self.exponent_bits) - 1) << self.fraction

    @property
    def sign(self) -> int:
        """The sign bit."""
        return 1 << (self.bits - 1)

    @property
    def canonical_nan(self) -> int:
        """The pattern of the positive canonical NaN."""
        return self.infinity | 1 << (self.fraction - 1)


F32 = FloatFormat(32, 23)
F64 = FloatFormat(64, 52)


def is_number(text: str) -> bool:
    """Whether the token is a numeric literal, integer or float (of any size)."""
    return _FLOAT.fullmatch(text) is not None


def _magnitude(hexadecimal: str | None, decimal: str | None) -> int:
    """The absolute value of an integer literal, or something larger than 64 bits if it has that many digits."""
    if hexadecimal is not None:
        return int(hexadecimal.replace("_", ""), 16)
    assert decimal is not None
    digits = decimal.replace("_", "").lstrip("0") or "0"
    return int(digits[:_MAX_INT_DIGITS])


def read_unsigned(text: str, bits: int) -> int | None:
    """An unsigned literal (no sign), ``0 <= n < 2**bits``."""
    if len(text) <= 9 and _DIGITS.fullmatch(text):
        return int(text)
    match = _INT.fullmatch(text)
    if match is None or match[1]:
        return None
    value = _magnitude(match[2], match[3])
    if value >> bits:
        raise OutOfRangeError(f"i{bits} constant out of range")
    return value


def read_int(text: str, bits: int) -> int | None:
    """An integer literal of either signedness, ``-2**(bits-1) <= n < 2**bits``, as its unsigned pattern."""
    if len(text) <= 9 and _DIGITS.fullmatch(text):
        return int(text)
    match = _INT.fullmatch(text)
    if match is None:
        return None
    value = _magnitude(match[2], match[3])
    if match[1] == "-":
        if value > 1 << (bits - 1):
            raise OutOfRangeError("constant out of range")
        return -value & ((1 << bits) - 1)
    if value >> bits or (match[1] and value >> (bits - 1)):
        raise OutOfRangeError("constant out of range")
    return value


def read_float(text: str, form: FloatFormat) -> int | None:
    """A float literal as its bit pattern, rounded to nearest, ties to even."""
    match = _FLOAT.fullmatch(text)
    if match is None:
        return None
    sign, inf, payload, hex_whole, hex_part, hex_exp, whole, part, exp = match.groups()
    negative = form.sign if sign == "-" else 0
    if inf:
        return negative | form.infinity
    if hex_whole is not None:
        return negative | _hex_float(hex_whole, hex_part or "", hex_exp or "0", form)
    if whole is not None:
        return negative | _dec_float(whole, part or "", exp or "0", form)
    if payload is None:
        return negative | form.canonical_nan
    value = int(payload.replace("_", ""), 16)
    if value == 0 or value >> form.fraction:
        raise OutOfRangeError("constant out of range")
    return negative | form.infinity | value


def _exponent(text: str) -> int:
    """An exponent, saturated far outside of what any digits written out can compensate."""
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-").replace("_", "").lstrip("0") or "0"
    return sign * (int(digits) if len(digits) <= 17 else 10**17)


def _digits(whole: str, part: str, enough: int) -> tuple[str, int]:
    """Significant digits (at most ``enough`` and one sticky digit) and the exponent of the last of them."""
    fraction = part.replace("_", "")
    digits = (whole.replace("_", "") + fraction).lstrip("0")
    exponent = -len(fraction)
    if len(digits) > enough:
        rest = digits[enough:]
        exponent += len(rest)
        digits = digits[:enough]
        if rest.strip("0"):
            digits += "1"
            exponent -= 1
    return digits, exponent


def _hex_float(whole: str, part: str, exp: str, form: FloatFormat) -> int:
    """Pattern of a non-negative hexadecimal literal."""
    digits, places = _digits(whole, part, _ENOUGH_HEX)
    exponent = 4 * places + _exponent(exp)
    if not digits:
        return 0
    mantissa = int(digits, 16)
    top = mantissa.bit_length() + exponent  # value < 2**top
    if top > form.bias + 2:
        raise OutOfRangeError("constant out of range")
    if top < -form.bias - form.fraction - 2:
        return 0
    return round_ratio(mantissa << max(exponent, 0), 1 << max(-exponent, 0), form)


def _dec_float(whole: str, part: str, exp: str, form: FloatFormat) -> int:
    """Pattern of a non-negative decimal literal."""
    digits, places = _digits(whole, part, _ENOUGH_DEC)
    exponent = places + _exponent(exp)
    if not digits:
        return 0
    top = len(digits) + exponent  # value < 10**top
    if top > 400:
        raise OutOfRangeError("constant out of range")
    if top < -400:
        return 0
    return round_ratio(int(digits) * 10 ** max(exponent, 0), 10 ** max(-exponent, 0), form)


def round_ratio(numerator: int, denominator: int, form: FloatFormat) -> int:
    """The pattern nearest to a non-negative ratio, ties to even; raises ``OutOfRangeError`` where that is infinity."""
    if numerator == 0:
        return 0
    # 2**(exponent-1) < ratio < 2**(exponent+1); settle the exponent so that 2**exponent <= ratio < 2**(exponent+1).
    exponent = numerator.bit_length() - denominator.bit_length()
    if (numerator << max(-exponent, 0)) < (denominator << max(exponent, 0)):
        exponent -= 1
    exponent = max(exponent, 1 - form.bias)  # subnormals keep the smallest exponent
    shift = exponent - form.fraction  # weight of the last bit
    quotient, rest = divmod(numerator << max(-shift, 0), denominator << max(shift, 0))
    double, unit = 2 * rest, denominator << max(shift, 0)
    if double > unit or (double == unit and quotient & 1):
        quotient += 1
    # The hidden bit and a carry out of the significand both add to the exponent field as they should.
    pattern = ((exponent + form.bias - 1) << form.fraction) + quotient
    if pattern >= form.infinity:
        raise OutOfRangeError("constant out of range")
    return pattern


def print_float(pattern: int, form: FloatFormat) -> str:
    """The literal that reads back as exactly this pattern: hexadecimal, ``inf`` or ``nan``."""
    sign = "-" if pattern & form.sign else ""
    exponent = (pattern & form.infinity) >> form.fraction
    fraction = pattern & ((1 << form.fraction) - 1)
    if exponent == (1 << form.exponent_bits) - 1:
        if not fraction:
            return f"{sign}inf"
        return f"{sign}nan" if fraction == 1 << (form.fraction - 1) else f"{sign}nan:0x{fraction:x}"
    if exponent == 0 and fraction == 0:
        return f"{sign}0x0p+0"
    digits = -(-form.fraction // 4)
    text = f"{fraction << (4 * digits - form.fraction):0{digits}x}".rstrip("0")
    lead, power = (1, exponent - form.bias) if exponent else (0, 1 - form.bias)
    return f"{sign}0x{lead}{'.' + text if text else ''}p{power:+d}"
