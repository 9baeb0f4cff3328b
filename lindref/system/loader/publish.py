"""Making a module's exports known: a table slot for each function, an address for each global (DYN-7)."""

from __future__ import annotations

from lindref.state.records import replace
from lindref.system.loader.layout import INTERNAL
from lindref.system.loader.records import Loaded
from lindref.vm.store import Store
from lindref.vm.table import Table
from lindref.vm.values import FuncInst, GlobalAddr, HostFunc
from lindref.wasm.sections import THREAD_LOCAL, dylink
from lindref.wasm.types import NumType

_MASK = 0xFFFFFFFF

#: The pass for function pointer casts exports under this prefix what is to stand in the table for a function (DYN-13).
THUNK = "$fpcast_emu$"


def publish(store: Store, table: Table, loaded: Loaded, *, fresh: bool) -> Loaded:
    """The module with slots and addresses of its exports (DYN-7).

    With ``fresh`` every export gets a slot of its own (deviation ``DL-SLOTS``); else a function that is in the table
    keeps its slot, so that it has one address.
    """
    instance = store.views[loaded.instance].instance
    functions: list[tuple[str, FuncInst | HostFunc]] = []
    data: list[tuple[str, int]] = []
    exports = instance.exports()
    thunks = any(name.startswith(THUNK) for name in exports)
    for name, found in exports.items():
        if name in INTERNAL:
            continue
        if isinstance(found, FuncInst | HostFunc):
            if not thunks or name.startswith(THUNK):
                functions.append((name.removeprefix(THUNK), found))
        elif isinstance(found, GlobalAddr):
            cell = store.globals[found.number]
            if cell.type.value is NumType.I32:
                data.append((name, cell.value + loaded.base & _MASK))
    if not fresh:
        local = thread_locals(store, loaded)
        data = [pair for pair in data if pair[0] not in local]
    return replace(loaded, functions=_slots(table, functions, fresh=fresh), data=tuple(data))


def _slots(
    table: Table, functions: list[tuple[str, FuncInst | HostFunc]], *, fresh: bool
) -> tuple[tuple[str, int], ...]:
    """A slot for each function, at the table's end where it needs one."""
    known: dict[tuple[object, object], int] = {}
    if not fresh:
        for index, element in enumerate(table.elements):
            if isinstance(element, FuncInst):
                known.setdefault(_key(element), index)
    size = len(table.elements)
    added: list[FuncInst | HostFunc] = []
    out: list[tuple[str, int]] = []
    for name, func in functions:
        slot = None if fresh else known.get(_key(func))
        if slot is None:
            slot = known[_key(func)] = size + len(added)
            added.append(func)
        out.append((name, slot))
    table.grow(len(added), None)
    table.write(size, added)
    return tuple(out)


def _key(func: FuncInst | HostFunc) -> tuple[object, object]:
    """What tells functions of a store apart, cheaper than their digest."""
    return (func.instance, func.index) if isinstance(func, FuncInst) else (func.module, func.name)


def thread_locals(store: Store, loaded: Loaded) -> frozenset[str]:
    """Exports that are offsets in a thread's block, not addresses."""
    found = dylink(store.views[loaded.instance].instance.program.module)
    assert found is not None
    return frozenset(export.name for export in found.exports if export.flags & THREAD_LOCAL)
