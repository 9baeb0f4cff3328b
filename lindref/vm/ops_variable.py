"""Constants, locals, globals, references, ``drop`` and ``select`` (spec §4.4.2, §4.4.4, §4.4.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.vm.handler import Handler
from lindref.vm.traps import NULL_REFERENCE, UNREACHABLE, Trap
from lindref.vm.values import Value

if TYPE_CHECKING:
    from lindref.vm.machine import Machine


def const(m: Machine, value: Value) -> None:
    """``t.const`` and ``ref.null``: push the immediate, already a value."""
    m.stack.append(value)


def local_get(m: Machine, index: int) -> None:
    """``local.get x``."""
    m.stack.append(m.locals[index])


def local_set(m: Machine, index: int) -> None:
    """``local.set x``."""
    m.locals[index] = m.stack.pop()


def local_tee(m: Machine, index: int) -> None:
    """``local.tee x``."""
    m.locals[index] = m.stack[-1]


def global_get(m: Machine, index: int) -> None:
    """``global.get x``."""
    m.stack.append(m.cells[index].value)


def global_set(m: Machine, index: int) -> None:
    """``global.set x``."""
    m.cells[index].value = m.stack.pop()


def drop(m: Machine, _: None) -> None:
    """``drop``."""
    m.stack.pop()


def select(m: Machine, _: None) -> None:
    """``select``, with or without a type: keep the deeper operand unless the condition is zero."""
    s = m.stack
    condition = s.pop()
    b = s.pop()
    if not condition:
        s[-1] = b


def nop(_m: Machine, _: None) -> None:
    """``nop``, and ``atomic.fence``: one thread runs at a time, so every access is in order."""


def unreachable(_m: Machine, _: None) -> None:
    """``unreachable``."""
    raise Trap(UNREACHABLE)


def ref_func(m: Machine, index: int) -> None:
    """``ref.func x``."""
    assert m.view is not None
    m.stack.append(m.view.instance.func(index))


def ref_is_null(m: Machine, _: None) -> None:
    """``ref.is_null``."""
    m.stack[-1] = 1 if m.stack[-1] is None else 0


def ref_as_non_null(m: Machine, _: None) -> None:
    """``ref.as_non_null``."""
    if m.stack[-1] is None:
        raise Trap(NULL_REFERENCE)


HANDLERS: dict[str, Handler] = {
    "local.get": local_get,
    "local.set": local_set,
    "local.tee": local_tee,
    "global.get": global_get,
    "global.set": global_set,
    "drop": drop,
    "nop": nop,
    "atomic.fence": nop,
    "unreachable": unreachable,
    "ref.func": ref_func,
    "ref.is_null": ref_is_null,
    "ref.as_non_null": ref_as_non_null,
}
