"""Values between Python and wasm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lindref.api.function import Function
from lindref.vm.numeric.floats import f32_round
from lindref.vm.values import FuncInst, HostFunc, Value
from lindref.wasm.types import AbsHeap, NumType, RefType, ValType

if TYPE_CHECKING:
    from lindref.api.realm import Realm

_BITS = {NumType.I32: 32, NumType.I64: 64}


def to_wasm(value: Any, kind: ValType, realm: Realm | None) -> Value:
    """A Python value as one of a wasm type; ``TypeError`` or ``OverflowError`` if it is none.

    ``realm`` is where a function must come from.
    """
    if isinstance(kind, RefType):
        return _reference(value, kind, realm)
    if kind in _BITS:
        if not isinstance(value, int):
            raise TypeError(f"{kind} wants an integer, not {type(value).__name__}")
        bits = _BITS[kind]
        if not -(1 << bits - 1) <= value < 1 << bits:
            raise OverflowError(f"{value} is no {kind}")
        return int(value) & (1 << bits) - 1
    if not isinstance(value, int | float):
        raise TypeError(f"{kind} wants a number, not {type(value).__name__}")
    number = float(value)
    # An f32 NaN keeps its payload as it is; everything else is rounded.
    return f32_round(number) if kind is NumType.F32 and number == number else number  # noqa: PLR0124 (not a NaN)


def _reference(value: Any, kind: RefType, realm: Realm | None) -> Value:
    """A Python value as a reference."""
    if value is None:
        if not kind.nullable:
            raise TypeError(f"{kind} cannot be null")
        return None
    if kind.heap is AbsHeap.EXTERN:
        return value
    if not isinstance(value, Function):
        raise TypeError(f"{kind} wants a function of an instance, not {type(value).__name__}")
    if value.realm is not realm:
        raise TypeError("this function belongs to another store")
    if not realm.is_a(value.func, kind):
        raise TypeError(f"{kind} wants a function of another type than {value.type}")
    return value.func


def from_wasm(value: Value, kind: ValType, realm: Realm | None) -> Any:
    """A wasm value of a type as Python has it: integers signed."""
    if kind in _BITS:
        return value - (1 << _BITS[kind]) if value >> _BITS[kind] - 1 else value
    if isinstance(value, FuncInst | HostFunc):
        assert realm is not None
        return Function(realm, value)
    return value
