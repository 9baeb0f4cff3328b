"""The host module ``spectest`` that scripts import from (as the official interpreter defines it)."""

from __future__ import annotations

from lindref.vm.memory import Memory
from lindref.vm.numeric.floats import f32_from_bits
from lindref.vm.store import Store
from lindref.vm.values import Extern, HostFunc
from lindref.wasm.types import FUNCREF, FuncType, GlobalType, Limits, MemoryType, NumType, TableType

_I32, _I64, _F32, _F64 = NumType.I32, NumType.I64, NumType.F32, NumType.F64

#: The functions, which print their arguments; here they do nothing.
_PRINTERS: dict[str, tuple[NumType, ...]] = {
    "print": (),
    "print_i32": (_I32,),
    "print_i64": (_I64,),
    "print_f32": (_F32,),
    "print_f64": (_F64,),
    "print_i32_f32": (_I32, _F32),
    "print_f64_f64": (_F64, _F64),
}

_F32_666_6 = f32_from_bits(0x4426_A666)


def spectest(store: Store) -> dict[str, Extern]:
    """The module's items, made in a store."""
    items: dict[str, Extern] = {
        name: HostFunc("spectest", name, FuncType(params)) for name, params in _PRINTERS.items()
    }
    for kind, number in ((_I32, 666), (_I64, 666), (_F32, _F32_666_6), (_F64, 666.6)):
        items[f"global_{kind}"] = store.add_global(GlobalType(kind), number)
    items["table"] = store.add_table(TableType(Limits(10, 20), FUNCREF))
    items["memory"] = store.add_memory(Memory.of(MemoryType(Limits(1, 2))))
    items["shared_memory"] = store.add_memory(Memory.of(MemoryType(Limits(1, 2), shared=True)))
    return items
