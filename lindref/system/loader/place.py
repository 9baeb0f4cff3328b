"""Placing a module in the store: what it imports, and its instance (DYN-5, DYN-6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lindref import classes
from lindref.system.abi import HOST_FUNCTIONS
from lindref.system.image import Image, ImageError
from lindref.system.loader.layout import ENV, GOT, MAIN_TABLE_BASE, STACK_HIGH, STACK_LOW, STACK_POINTER
from lindref.system.loader.records import Linkage, Loaded
from lindref.vm.instance import Instance
from lindref.vm.link import instantiate
from lindref.vm.memory import Memory
from lindref.vm.store import Store
from lindref.vm.table import MAX_ELEMENTS
from lindref.vm.traps import Trap
from lindref.vm.values import Extern, FuncInst, GlobalAddr, HostFunc, MemoryAddr, TableAddr, TagInst, function_type
from lindref.wasm.errors import WasmError
from lindref.wasm.module import ExternKind, Import
from lindref.wasm.types import AbsHeap, FuncType, GlobalType, Limits, NumType, RefType, TableType, TagType
from lindref.wasm.typing import matches_heap

I32_CELL = GlobalType(NumType.I32, mutable=True)
I64_CELL = GlobalType(NumType.I64, mutable=True)
I32_CONST = GlobalType(NumType.I32, mutable=False)
LONGJMP = FuncType((NumType.I32,))

#: The globals that the loader provides, one for the whole program: module, name, type, first value (DYN-5, DYN-6).
PROVIDED: tuple[tuple[str, str, GlobalType, int], ...] = (
    ("GOT.mem", "__stack_low", I32_CELL, STACK_LOW),
    ("GOT.mem", "__stack_high", I32_CELL, STACK_HIGH),
    (ENV, STACK_POINTER, I32_CELL, STACK_HIGH),
    (ENV, "__asyncify_state", I32_CELL, 0),
    (ENV, "__asyncify_data", I32_CELL, 0),
    ("lind", "epoch", I64_CELL, 0),
)


def new_store(memory: Memory, elements: int) -> tuple[Store, Linkage]:
    """A store with what all modules share: memory, table, tag and globals; no modules yet."""
    store = Store()
    address = store.add_memory(memory)
    table = store.add_table(TableType(Limits(elements, None), RefType(True, AbsHeap.FUNC)))
    tag = store.add_tag(function_type(LONGJMP))
    made = tuple((m, n, store.add_global(t, v).number) for m, n, t, v in PROVIDED)
    return store, Linkage((), table.number, address.number, tag.number, made)


def table_minimum(image: Image) -> int:
    """How many elements the table that a module imports has at least; 0 if it imports none. Raises ``ImageError`` where
    there are too many."""
    for item in image.program.module.imported(ExternKind.TABLE):
        if isinstance(item.desc, TableType):
            found = item.desc.limits.minimum
            if found > MAX_ELEMENTS // 2:
                raise ImageError(f"a table of {found} elements, at most {MAX_ELEMENTS // 2} are allowed in a program")
            return found
    return 0


#: Says which function an import (module, name) means; ``None``: nobody defines it.
Resolver = Callable[[str, str], FuncInst | None]


@classes.frozen
class Surroundings:
    """What a module about to be placed finds."""

    linkage: Linkage
    cells: Mapping[tuple[str, str], int]
    """Numbers of GOT cells that are there already."""
    resolve: Resolver


def place(store: Store, image: Image, loaded: Loaded, around: Surroundings) -> Instance:
    """Instantiate a module; its start function has not run.

    Raises ``ImageError`` for an import that cannot be given, or an element segment that does not fit.
    """
    module = image.program.module
    given: dict[tuple[str, str], Extern] = {}
    problems: list[str] = []
    for item in module.imports:
        found = _given(store, image, item, loaded, around)
        if found is None:
            problems.append(f"unknown import {item.module}.{item.name}")
        else:
            given[item.module, item.name] = found
    if problems:
        raise ImageError("; ".join(dict.fromkeys(problems)))
    try:
        return instantiate(store, module, given, any_memory=True)
    except WasmError as error:
        raise ImageError(str(error)) from None
    except Trap as trap:
        raise ImageError(f"instantiation: {trap.message}") from None


def _given(store: Store, image: Image, item: Import, loaded: Loaded, around: Surroundings) -> Extern | None:
    """What an import gets (DYN-5)."""
    desc, linkage = item.desc, around.linkage
    if item.kind is ExternKind.FUNC:
        assert isinstance(desc, int)
        offered = HOST_FUNCTIONS.get((item.module, item.name))
        if offered is not None:
            return HostFunc(item.module, item.name, offered)
        found = around.resolve(item.module, item.name)
        return found or HostFunc(item.module, item.name, image.program.module.func_type(desc))
    if item.kind is ExternKind.MEMORY:
        return MemoryAddr(linkage.memory)
    if item.kind is ExternKind.TABLE:
        return TableAddr(linkage.table) if item.module == ENV else None
    if isinstance(desc, TagType):
        return TagInst(linkage.tag) if (item.module, item.name) == (ENV, "__c_longjmp") else None
    assert isinstance(desc, GlobalType)
    return _global(store, item, loaded, around)


def _global(store: Store, item: Import, loaded: Loaded, around: Surroundings) -> GlobalAddr | None:
    """The global that an import gets: one that is there, the module's bases, or a cell of its own."""
    key = (item.module, item.name)
    known = next((n for m, s, n in around.linkage.provided if (m, s) == key), around.cells.get(key))
    if known is not None:
        return GlobalAddr(known)
    if key == (ENV, "__memory_base"):
        return store.add_global(I32_CONST, loaded.base)
    if key == (ENV, "__table_base"):
        return store.add_global(I32_CONST, loaded.table_base)
    return store.add_global(I32_CELL, 0) if item.module in GOT else None


def is_stub(func: FuncInst | HostFunc) -> bool:
    """Whether a function stands for one that nobody defines (DYN-10)."""
    return isinstance(func, HostFunc) and (func.module, func.name) not in HOST_FUNCTIONS


def relink(store: Store, number: int, resolve: Resolver, *, anew: bool = False) -> list[str]:
    """Give instance ``number`` the functions that its stubs mean now; with ``anew`` all that it imports.

    The result names the imports whose definitions have another type: they stay what they were.
    """
    odd = []
    view = store.views[number]
    old = view.instance
    wanted = old.program.module.imported(ExternKind.FUNC)
    imports = list(old.imports)
    for i, item in enumerate(wanted):
        if is_stub(imports[i]) or (anew and (item.module, item.name) not in HOST_FUNCTIONS):
            found = resolve(item.module, item.name)
            if found is None:
                continue
            if not matches_heap(store.type_of(found), old.program.func_types[i]):
                odd.append(f"{item.module}.{item.name}")
            else:
                imports[i] = found
    if tuple(imports) != old.imports:
        view.relink(classes.evolve(old, imports=tuple(imports)))
        store.reshape()
    return odd


__all__ = ["MAIN_TABLE_BASE", "Surroundings", "new_store", "place", "relink", "table_minimum"]
