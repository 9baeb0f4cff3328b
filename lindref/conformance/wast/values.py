"""Values of scripts: made into machine values, and compared with results (NaN patterns, alternatives)."""

from __future__ import annotations

from lindref.state.records import record
from lindref.vm.numeric.floats import f32_from_bits, f32_to_bits, f64_from_bits, f64_to_bits
from lindref.vm.values import ExnInst, FuncInst, HostFunc, Value
from lindref.wasm.text import commands as c
from lindref.wasm.types import AbsHeap, NumType


@record("wast.host-reference")
class HostRef:
    """The script's host reference ``number`` (``ref.extern 7``)."""

    number: int


def value(const: c.Value) -> Value:
    """The machine value of an argument."""
    match const:
        case c.Const(NumType.F32, bits):
            return f32_from_bits(bits)
        case c.Const(NumType.F64, bits):
            return f64_from_bits(bits)
        case c.Const(_, bits):
            return bits
        case c.Null():
            return None
        case c.Ref(_, number):
            assert number is not None  # the script's parser demands one in arguments
            return HostRef(number)


def matches(found: Value, wanted: c.Result) -> bool:
    """Whether a result is what the script wants. Number types are those of the function, by validation."""
    match wanted:
        case c.Either(choices):
            return any(matches(found, choice) for choice in choices)
        case c.Const(NumType.F32, bits):
            return isinstance(found, float) and f32_to_bits(found) == bits
        case c.Const(NumType.F64, bits):
            return isinstance(found, float) and f64_to_bits(found) == bits
        case c.Const(_, bits):
            return type(found) is int and found == bits
        case c.Nan(kind, canonical):
            return isinstance(found, float) and _is_nan(found, kind, canonical)
        case c.Null():
            return found is None
        case c.Ref(heap, None):
            return _is_a(found, heap)
        case c.Ref(_, number):
            return isinstance(found, HostRef) and found.number == number


def _is_nan(found: float, kind: NumType, canonical: bool) -> bool:
    """A canonical NaN has the payload 10…0, an arithmetic one at least its first bit; any sign will do."""
    if kind is NumType.F32:
        bits, quiet = f32_to_bits(found) & 0x7FFF_FFFF, 0x7FC0_0000
    else:
        bits, quiet = f64_to_bits(found) & 0x7FFF_FFFF_FFFF_FFFF, 0x7FF8_0000_0000_0000
    return bits == quiet if canonical else bits & quiet == quiet


def _is_a(found: Value, heap: AbsHeap) -> bool:
    """Whether a reference is one of this kind."""
    match heap:
        case AbsHeap.FUNC:
            return isinstance(found, FuncInst | HostFunc)
        case AbsHeap.EXN:
            return isinstance(found, ExnInst)
        case _:
            return isinstance(found, HostRef)


def show(found: Value, kind: NumType | None = None) -> str:
    """A value for people; floats by bits too."""
    if isinstance(found, float):
        bits = f32_to_bits(found) if kind is NumType.F32 else f64_to_bits(found)
        return f"{found!r} ({bits:#x})"
    return "null" if found is None else f"{found:#x}" if isinstance(found, int) else repr(found)


def show_wanted(wanted: c.Result) -> str:
    """A result pattern for people."""
    match wanted:
        case c.Const(kind, bits) if kind in (NumType.F32, NumType.F64):
            return show(value(wanted), kind)
        case c.Const(_, bits):
            return f"{bits:#x}"
        case c.Nan(_, canonical):
            return "nan:canonical" if canonical else "nan:arithmetic"
        case c.Null():
            return "null"
        case c.Ref(heap, number):
            return f"ref.{heap}" + ("" if number is None else f" {number}")
        case c.Either(choices):
            return " or ".join(map(show_wanted, choices))
