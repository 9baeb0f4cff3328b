"""Calls of a module's functions on lindref's machines, with results by their bits."""

from __future__ import annotations

from lindref.api import Exhaustion, Instance, LinkError, Module, Trap, WasmException, instantiate
from lindref.api.function import Function
from lindref.api.items import Memory
from lindref.conformance.adapters.case import Bits, Calls
from lindref.hashing import blake2b
from lindref.vm.numeric.floats import f32_from_bits, f32_to_bits, f64_from_bits, f64_to_bits
from lindref.vm.values import Value
from lindref.wasm.types import NumType, ValType

#: Ticks that one call may take.
MAX_TICKS = 2_000_000
#: What stands for the end of a call by a limit that the specification leaves to the engine.
EXHAUSTED = "exhausted"

_TO_BITS = {NumType.F32: f32_to_bits, NumType.F64: f64_to_bits}
_FROM_BITS = {"f32": f32_from_bits, "f64": f64_from_bits}


def bits(value: Value, kind: ValType) -> Bits:
    """A value as its type and bits; of a reference only whether it is null counts."""
    if not isinstance(kind, NumType):
        return ("ref", int(value is not None))
    return (kind.value, _TO_BITS[kind](value) if kind in _TO_BITS else value)


def value(given: Bits) -> Value:
    """The value of bits; a reference is null."""
    kind, what = given
    if kind == "ref":
        return None
    return _FROM_BITS[kind](what) if kind in _FROM_BITS else what


def memory_text(name: str, size: int, data: bytes) -> str:
    """How a memory is told: its size in pages, and a digest."""
    return f"memory {name}: {size} pages, {blake2b(data, digest_size=16).hexdigest()}"


def run_calls(calls: Calls, engine: str) -> tuple[tuple[Bits, ...] | str, ...]:
    """The results of the calls, then the exported memories (``Observed.results``)."""
    try:
        instance = instantiate(Module.from_bytes(calls.module), {}, engine, max_ticks=MAX_TICKS)
    except (Trap, LinkError, WasmException, Exhaustion) as error:
        return (f"not instantiated: {type(error).__name__}",)
    found = [_call(instance, name, args) for name, args in calls.calls]
    return (*found, *_state(instance))


def _call(instance: Instance, name: str, args: tuple[Bits, ...]) -> tuple[Bits, ...] | str:
    function = instance.exports[name]
    assert isinstance(function, Function)
    realm = instance.realm
    try:
        results = realm.run(function.func, [value(arg) for arg in args])
    except Trap as trap:
        return EXHAUSTED if trap.message == "call stack exhausted" else f"trap: {_plain(trap.message)}"
    except WasmException:
        return "exception"
    except Exhaustion:
        return EXHAUSTED
    kinds = realm.store.closed_type(function.func).results
    return tuple(bits(v, kind) for v, kind in zip(results, kinds, strict=True))


def _plain(message: str) -> str:
    """A trap's text without what not every engine tells: which element, of what kind a null is, what read a table."""
    if message == "undefined element":
        return "out of bounds table access"
    if message.startswith("uninitialized element"):
        return "uninitialized element"
    return "null reference" if message.startswith("null ") else message


def _state(instance: Instance) -> list[tuple[Bits, ...] | str]:
    out: list[tuple[Bits, ...] | str] = []
    for name in sorted(instance.exports):
        item = instance.exports[name]
        if isinstance(item, Memory):
            out.append(memory_text(name, item.size, item.read(0, len(item))))
    return out
