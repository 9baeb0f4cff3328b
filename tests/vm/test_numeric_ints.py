"""Integer operations against definitions on Python's unbounded integers and on bit strings."""


from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lindref.vm.numeric.ints import operations, signed32, signed64
from lindref.vm.numeric.table import OPERATIONS
from lindref.vm.traps import Trap

WIDTHS = (32, 64)


def signed(n: int, a: int) -> int:
    """Two's complement by its definition."""
    return a - 2**n if a >= 2 ** (n - 1) else a


def bits(n: int, a: int) -> str:
    """``a`` as ``n`` binary digits."""
    return format(a, f"0{n}b")


def bit_by_bit(n: int, a: int, b: int, holds: Callable[[str, str], bool]) -> int:
    """The number whose digits tell where ``holds`` of the operands' digits."""
    pairs = zip(bits(n, a), bits(n, b), strict=True)
    return int("".join("1" if holds(x, y) else "0" for x, y in pairs), 2)


def interesting(n: int) -> st.SearchStrategy[int]:
    """Numbers of width ``n``, the edges often."""
    edges = [0, 1, 2, 2 ** (n - 1) - 1, 2 ** (n - 1), 2 ** (n - 1) + 1, 2**n - 2, 2**n - 1, n - 1, n, n + 1]
    return st.one_of(
        st.sampled_from(edges), st.integers(0, 2**n - 1), st.builds(lambda k: 1 << k, st.integers(0, n - 1))
    )


BINARY: dict[str, Callable[[int, int, int], int]] = {
    "add": lambda n, a, b: (a + b) % 2**n,
    "sub": lambda n, a, b: (a - b) % 2**n,
    "mul": lambda n, a, b: (a * b) % 2**n,
    "and": lambda n, a, b: bit_by_bit(n, a, b, lambda x, y: x == y == "1"),
    "or": lambda n, a, b: bit_by_bit(n, a, b, lambda x, y: "1" in {x, y}),
    "xor": lambda n, a, b: bit_by_bit(n, a, b, lambda x, y: x != y),
    "shl": lambda n, a, b: int((bits(n, a) + "0" * (b % n))[-n:], 2),
    "shr_u": lambda n, a, b: int(("0" * (b % n) + bits(n, a))[:n], 2),
    "shr_s": lambda n, a, b: int((bits(n, a)[0] * (b % n) + bits(n, a))[:n], 2),
    "rotl": lambda n, a, b: int((bits(n, a) * 2)[b % n :][:n], 2),
    "rotr": lambda n, a, b: int((bits(n, a) * 2)[n - b % n :][:n], 2),
    "eq": lambda n, a, b: int(bits(n, a) == bits(n, b)),
    "ne": lambda n, a, b: int(bits(n, a) != bits(n, b)),
    "lt_u": lambda n, a, b: int(a - b < 0),
    "gt_u": lambda n, a, b: int(a - b > 0),
    "le_u": lambda n, a, b: int(a - b <= 0),
    "ge_u": lambda n, a, b: int(a - b >= 0),
    "lt_s": lambda n, a, b: int(signed(n, a) - signed(n, b) < 0),
    "gt_s": lambda n, a, b: int(signed(n, a) - signed(n, b) > 0),
    "le_s": lambda n, a, b: int(signed(n, a) - signed(n, b) <= 0),
    "ge_s": lambda n, a, b: int(signed(n, a) - signed(n, b) >= 0),
}

DIVISION: dict[str, Callable[[int, int, int], int]] = {
    "div_u": lambda n, a, b: math.trunc(Fraction(a, b)),
    "rem_u": lambda n, a, b: a - b * math.trunc(Fraction(a, b)),
    "div_s": lambda n, a, b: math.trunc(Fraction(signed(n, a), signed(n, b))) % 2**n,
    "rem_s": lambda n, a, b: (signed(n, a) - signed(n, b) * math.trunc(Fraction(signed(n, a), signed(n, b)))) % 2**n,
}

UNARY: dict[str, Callable[[int, int], int]] = {
    "eqz": lambda n, a: int(bits(n, a) == "0" * n),
    "clz": lambda n, a: len(bits(n, a)) - len(bits(n, a).lstrip("0")),
    "ctz": lambda n, a: len(bits(n, a)) - len(bits(n, a).rstrip("0")),
    "popcnt": lambda n, a: bits(n, a).count("1"),
    "extend8_s": lambda n, a: int(bits(n, a)[-8] * (n - 8) + bits(n, a)[-8:], 2),
    "extend16_s": lambda n, a: int(bits(n, a)[-16] * (n - 16) + bits(n, a)[-16:], 2),
    "extend32_s": lambda n, a: int(bits(n, a)[-32] * (n - 32) + bits(n, a)[-32:], 2),
}


@pytest.mark.parametrize("n", WIDTHS)
def test_every_operation_is_defined_here(n: int) -> None:
    """No operation escapes the comparison below."""
    expected = {*BINARY, *DIVISION, *UNARY} - ({"extend32_s"} if n == 32 else set())
    assert set(operations(n)) == expected


@pytest.mark.parametrize("n", WIDTHS)
@given(data=st.data())
def test_binary_operations(n: int, data: st.DataObject) -> None:
    """Every total binary operation agrees with its definition."""
    a, b = data.draw(interesting(n)), data.draw(interesting(n))
    for name, meaning in BINARY.items():
        assert OPERATIONS[f"i{n}.{name}"](a, b) == meaning(n, a, b), name


@pytest.mark.parametrize("n", WIDTHS)
@given(data=st.data())
def test_unary_operations(n: int, data: st.DataObject) -> None:
    """Every unary operation agrees with its definition."""
    a = data.draw(interesting(n))
    for name, meaning in UNARY.items():
        if name != "extend32_s" or n == 64:
            assert OPERATIONS[f"i{n}.{name}"](a) == meaning(n, a), name


@pytest.mark.parametrize("n", WIDTHS)
@given(data=st.data())
def test_division(n: int, data: st.DataObject) -> None:
    """Quotients and remainders round toward zero, and trap exactly where the specification says."""
    a, b = data.draw(interesting(n)), data.draw(interesting(n))
    for name, meaning in DIVISION.items():
        function = OPERATIONS[f"i{n}.{name}"]
        if b == 0:
            with pytest.raises(Trap) as caught:
                function(a, b)
            assert caught.value.message == "integer divide by zero"
        elif name == "div_s" and signed(n, a) == -(2 ** (n - 1)) and signed(n, b) == -1:
            with pytest.raises(Trap) as caught:
                function(a, b)
            assert caught.value.message == "integer overflow"
        else:
            assert function(a, b) == meaning(n, a, b), name


@pytest.mark.parametrize("n", WIDTHS)
def test_least_by_minus_one(n: int) -> None:
    """The one signed division without an answer traps, its remainder is 0."""
    least, minus_one = 2 ** (n - 1), 2**n - 1
    with pytest.raises(Trap, match=r"^integer overflow$"):
        OPERATIONS[f"i{n}.div_s"](least, minus_one)
    assert OPERATIONS[f"i{n}.rem_s"](least, minus_one) == 0


@given(interesting(64))
def test_between_widths(a: int) -> None:
    """Wrapping drops the upper digits; extension repeats the sign or zero."""
    assert OPERATIONS["i32.wrap_i64"](a) == int(bits(64, a)[32:], 2)
    low = bits(64, a)[32:]
    assert OPERATIONS["i64.extend_i32_u"](int(low, 2)) == int("0" * 32 + low, 2)
    assert OPERATIONS["i64.extend_i32_s"](int(low, 2)) == int(low[0] * 32 + low, 2)
    assert signed64(a) == signed(64, a)
    assert signed32(int(low, 2)) == signed(32, int(low, 2))
