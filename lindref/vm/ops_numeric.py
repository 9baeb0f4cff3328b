"""Numbers: the handlers of every instruction whose effect is one number out of one or two.

``vm.numeric`` defines the operations. A handler takes its operands from the stack, applies the operation and pushes
the result; the most frequent ones are written out here (a Python call saved), and a test holds them to
``OPERATIONS``.

Letters: ``s`` the operand stack, ``a`` and ``b`` first and second operand, ``m`` the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lindref.vm.handler import Handler
from lindref.vm.numeric.floats import NAN
from lindref.vm.numeric.table import OPERATIONS
from lindref.wasm.instructions import TABLE

if TYPE_CHECKING:
    from lindref.vm.machine import Machine


def _unary(operation: Callable[..., int | float]) -> Handler:
    """The handler of a unary operation."""

    def handler(m: Machine, _: None) -> None:
        s = m.stack
        s[-1] = operation(s[-1])

    return handler


def _binary(operation: Callable[..., int | float]) -> Handler:
    """The handler of a binary operation."""

    def handler(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop()
        s[-1] = operation(s[-1], b)

    return handler


def _arithmetic(bits: int) -> dict[str, Handler]:
    """Integer arithmetic of a width: wrapping is masking."""
    mask = (1 << bits) - 1

    def add(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop()
        s[-1] = (s[-1] + b) & mask

    def sub(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop()
        s[-1] = (s[-1] - b) & mask

    def mul(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop()
        s[-1] = (s[-1] * b) & mask

    return {"add": add, "sub": sub, "mul": mul}


def _bitwise(bits: int) -> dict[str, Handler]:
    """Bit operations of a width: shift counts are taken modulo the width."""
    mask = (1 << bits) - 1
    modulo = bits - 1
    sign = 1 << bits - 1

    def and_(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop()
        s[-1] &= b

    def or_(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop()
        s[-1] |= b

    def xor(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop()
        s[-1] ^= b

    def shl(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop() & modulo
        s[-1] = s[-1] << b & mask

    def shr_u(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop() & modulo
        s[-1] >>= b

    def shr_s(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop() & modulo
        s[-1] = (s[-1] ^ sign) - sign >> b & mask

    def rotl(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop() & modulo
        a = s[-1]
        s[-1] = (a << b | a >> bits - b) & mask

    return {"and": and_, "or": or_, "xor": xor, "shl": shl, "shr_u": shr_u, "shr_s": shr_s, "rotl": rotl}


def _comparisons(bits: int) -> dict[str, Handler]:
    """Integer comparisons of a width: flipping the sign bit of both makes a signed order an unsigned one."""
    sign = 1 << bits - 1

    def eqz(m: Machine, _: None) -> None:
        s = m.stack
        s[-1] = 0 if s[-1] else 1

    def eq(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop()
        s[-1] = 1 if s[-1] == b else 0

    def ne(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop()
        s[-1] = 1 if s[-1] != b else 0

    def lt_u(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop()
        s[-1] = 1 if s[-1] < b else 0

    def le_u(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop()
        s[-1] = 1 if s[-1] <= b else 0

    def gt_u(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop()
        s[-1] = 1 if s[-1] > b else 0

    def ge_u(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop()
        s[-1] = 1 if s[-1] >= b else 0

    def lt_s(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop()
        s[-1] = 1 if s[-1] ^ sign < b ^ sign else 0

    def le_s(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop()
        s[-1] = 1 if s[-1] ^ sign <= b ^ sign else 0

    def gt_s(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop()
        s[-1] = 1 if s[-1] ^ sign > b ^ sign else 0

    def ge_s(m: Machine, _: None) -> None:
        s = m.stack
        b = s.pop()
        s[-1] = 1 if s[-1] ^ sign >= b ^ sign else 0

    unsigned = {"lt_u": lt_u, "le_u": le_u, "gt_u": gt_u, "ge_u": ge_u}
    return {"eqz": eqz, "eq": eq, "ne": ne, **unsigned, "lt_s": lt_s, "le_s": le_s, "gt_s": gt_s, "ge_s": ge_s}


def _f64_add(m: Machine, _: None) -> None:
    s = m.stack
    b = s.pop()
    c = s[-1] + b
    s[-1] = c if c == c else NAN  # noqa: PLR0124 (the test for a NaN)


def _f64_sub(m: Machine, _: None) -> None:
    s = m.stack
    b = s.pop()
    c = s[-1] - b
    s[-1] = c if c == c else NAN  # noqa: PLR0124 (the test for a NaN)


def _f64_mul(m: Machine, _: None) -> None:
    s = m.stack
    b = s.pop()
    c = s[-1] * b
    s[-1] = c if c == c else NAN  # noqa: PLR0124 (the test for a NaN)


def _wrap(m: Machine, _: None) -> None:
    m.stack[-1] &= 0xFFFF_FFFF


def _keep(_m: Machine, _: None) -> None:
    """The operand already is the result: an unsigned i32 is the i64 of the same value."""


def _written_out() -> dict[str, Handler]:
    """The handlers of this file, under their instructions' names."""
    table: dict[str, Handler] = {
        f"i{bits}.{name}": handler
        for bits in (32, 64)
        for family in (_arithmetic, _bitwise, _comparisons)
        for name, handler in family(bits).items()
    }
    table |= {"f64.add": _f64_add, "f64.sub": _f64_sub, "f64.mul": _f64_mul}
    table |= {"i32.wrap_i64": _wrap, "i64.extend_i32_u": _keep}
    return table


def _from_operations() -> dict[str, Handler]:
    """A handler for every operation, with as many operands as the instruction table says."""
    return {
        op.name: _binary(OPERATIONS[op.name]) if len(op.sig[0]) == 2 else _unary(OPERATIONS[op.name])
        for op in TABLE
        if op.sig is not None and op.name in OPERATIONS
    }


HANDLERS: dict[str, Handler] = {**_from_operations(), **_written_out()}
