"""The engine as it is set up, what it says when something traps, and calls of modules."""

from __future__ import annotations

from functools import cache
from typing import Any

from lindref.conformance.adapters.case import Bits, Calls
from lindref.conformance.adapters.modules import EXHAUSTED, memory_text

#: Bytes of stack that wasm may use on a host thread.
WASM_STACK = 2 << 20
#: What traps are called in the specification's wording, by the beginning of what the engine says.
_TRAPS = {
    "wasm trap: wasm `unreachable` instruction executed": "unreachable",
    "wasm trap: integer divide by zero": "integer divide by zero",
    "wasm trap: integer overflow": "integer overflow",
    "wasm trap: invalid conversion to integer": "invalid conversion to integer",
    "wasm trap: out of bounds memory access": "out of bounds memory access",
    "wasm trap: undefined element: out of bounds table access": "out of bounds table access",
    "wasm trap: out of bounds table access": "out of bounds table access",
    "wasm trap: uninitialized element": "uninitialized element",
    "wasm trap: indirect call type mismatch": "indirect call type mismatch",
    "wasm trap: null reference": "null reference",
    "wasm trap: unaligned atomic": "unaligned atomic",
    "wasm trap: atomic wait on non-shared memory": "expected shared memory",
    "wasm trap: call stack exhausted": EXHAUSTED,
}


@cache
def engine() -> Any:
    """The engine: everything on that lindref has, NaNs canonical as the model's are."""
    import wasmtime

    config = wasmtime.Config()
    config.cranelift_nan_canonicalization = True
    config.shared_memory = True
    config.wasm_threads = True
    config.wasm_multi_memory = True
    config.wasm_tail_call = True
    config.wasm_function_references = True
    config.wasm_gc = True
    config.wasm_exceptions = True
    config.max_wasm_stack = WASM_STACK
    return wasmtime.Engine(config)


def shared_memory() -> Any:
    """A memory of 4 GiB that instances of several stores can have: a thread has a store of its own."""
    import wasmtime
    from wasmtime import _ffi as ffi

    def as_extern(memory: Any) -> Any:
        """The interface's own raises a TypeError where it is imported (version 50.0.1)."""
        union = ffi.wasmtime_extern_union(sharedmemory=memory.ptr())
        return ffi.wasmtime_extern_t(ffi.WASMTIME_EXTERN_SHAREDMEMORY.value, union)

    # No class statement: a checker of types that has not got the extra sees no class to derive from.
    shared: Any = type("Shared", (wasmtime.SharedMemory,), {"_as_extern": as_extern})
    return shared(engine(), wasmtime.MemoryType(wasmtime.Limits(65536, 65536), shared=True))


def trap_text(error: Exception) -> str:
    """What ended a call, in the specification's wording."""
    text = str(error)
    for said, meant in _TRAPS.items():
        if said in text:
            return meant
    return " ".join(text.split())[-200:]


def run_calls(calls: Calls) -> tuple[tuple[Bits, ...] | str, ...]:
    """The results of the calls, then the exported memories (``Observed.results``); values are integers alone."""
    import wasmtime

    store = wasmtime.Store(engine())
    module = wasmtime.Module(engine(), calls.module)
    try:
        instance = wasmtime.Instance(store, module, [])
    except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
        kind = "Trap" if "wasm trap" in str(error) else type(error).__name__
        return (f"not instantiated: {kind}",)
    exports = instance.exports(store)
    found = [_call(store, exports[name], args) for name, args in calls.calls]
    names = sorted(export.name for export in module.exports)
    return (*found, *_state(store, exports, names))


def _call(store: Any, function: Any, args: tuple[Bits, ...]) -> tuple[Bits, ...] | str:
    import wasmtime

    kinds = [str(kind) for kind in function.type(store).results]
    try:
        result = function(store, *(_signed(bits, int(kind[1:])) for kind, bits in args))
    except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
        text = trap_text(error)
        if text == EXHAUSTED:
            return EXHAUSTED
        return "exception" if _thrown(str(error)) else f"trap: {text}"
    values = result if isinstance(result, list | tuple) else [] if result is None else [result]
    return tuple((kind, value & (1 << int(kind[1:])) - 1) for kind, value in zip(kinds, values, strict=True))


def _thrown(text: str) -> bool:
    return "exception" in text and "wasm trap" not in text


def _signed(bits: int, width: int) -> int:
    return bits - (1 << width) if bits >> width - 1 else bits


def _state(store: Any, exports: Any, names: list[str]) -> list[tuple[Bits, ...] | str]:
    """Memories and plain globals, in the order of their names."""
    import wasmtime

    out: list[tuple[Bits, ...] | str] = []
    for name in names:
        item = exports[name]
        if isinstance(item, wasmtime.Memory):
            out.append(memory_text(name, item.size(store), bytes(item.read(store, 0, item.data_len(store)))))
    return out
