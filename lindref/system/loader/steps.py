"""What each step of a load does. A step is immediate, or asks for a mapping, or runs a function of the module."""

from __future__ import annotations

from collections.abc import Callable

from lindref.state.records import replace
from lindref.system.abi import SyscallRequest
from lindref.system.image import ImageError
from lindref.system.loader import layout, scope
from lindref.system.loader.layout import ENV, GOT_FUNC, MAIN_BASE, MAIN_TABLE_BASE, STACK_HIGH, STACK_POINTER, START
from lindref.system.loader.loader import Call, HostDies, Loader, Wish
from lindref.system.loader.place import I32_CELL, Surroundings, place, relink
from lindref.system.loader.publish import publish
from lindref.system.loader.records import MAIN, OPENED, Library, LoadStep
from lindref.system.loader.share import share, share_tls, share_values, tls_mapped
from lindref.vm.values import FuncInst
from lindref.wasm.module import ExternKind

_MASK = 0xFFFFFFFF

#: Results from here on are negated error numbers.
_ERRORS = 0xFFFFF000


def perform(loader: Loader, step: LoadStep) -> Wish:
    """Do a step. Raises ``ImageError`` for a module that cannot be loaded, ``HostDies`` as recorded."""
    return _STEPS[step.do](loader, step)


# Mappings (DYN-3).


def _stack(loader: Loader, step: LoadStep) -> Wish:
    """The first thread's stack, page 0 with it (DYN-2)."""
    del step
    return loader.mmap(0, STACK_HIGH, layout.FIXED_PRIVATE_ANONYMOUS)


def _map(loader: Loader, step: LoadStep) -> Wish:
    """A module's data: main at its fixed place, a library where there is room."""
    loaded = loader.linkage.modules[step.module]
    info = loader.image(step.module).dylink
    assert info is not None
    size = layout.pages(info.memory_size)
    if loaded.role == MAIN:
        return loader.mmap(MAIN_BASE, size, layout.FIXED_PRIVATE_ANONYMOUS)
    low = None if loader.has("DL-HIGH") else loader.guest.low_space(size)
    if low is None:
        return loader.mmap(0, size, layout.PRIVATE_ANONYMOUS)
    return loader.mmap(low, size, layout.PRIVATE_ANONYMOUS | layout.FIXED_NOREPLACE)


def mapped(loader: Loader, step: LoadStep, value: int) -> None:
    """The answer to the mapping that a step asked for; a grate may have made it (DYN-3)."""
    value &= _MASK
    failed = value >= _ERRORS and not loader.has("DL-HIGH")
    if step.do == "stack":
        if value >> 31 and loader.has("DL-HIGH"):
            raise HostDies(f"the mapping of the stack failed: {value - (1 << 32)}", "DYN-3")
        return
    if failed:
        raise ImageError(f"no memory for {loader.linkage.modules[step.module].path.decode(errors='replace')}")
    if step.do == "share-tls":
        tls_mapped(loader, step.module, value)
    else:
        main = loader.linkage.modules[step.module].role == MAIN
        loader.change_module(step.module, base=MAIN_BASE if main else value)


def _heap(loader: Loader, step: LoadStep) -> Wish:
    """The heap begins behind main's data."""
    info = loader.image(step.module).dylink
    assert info is not None
    loader.guest.set_heap(MAIN_BASE + layout.pages(info.memory_size))
    return None


# Into the store (DYN-5 to DYN-9).


def _cells(loader: Loader, step: LoadStep) -> Wish:
    """As recorded: one cell for each GOT import of the cage, with the value of the first definition so far."""
    linkage = loader.linkage
    known = {(module, name) for module, name, _ in linkage.provided}
    names = {name for _, name, _ in linkage.provided}
    made = []
    for item in loader.image(step.module).program.module.imported(ExternKind.GLOBAL):
        if item.module in layout.GOT and (item.module, item.name) not in known:
            known.add((item.module, item.name))
            value = scope.either(loader.tables, linkage, linkage.published, item.name)
            first = item.name not in names  # a second kind of one name is never filled
            names.add(item.name)
            number = loader.store.add_global(I32_CELL, value if first else 0).number
            made.append((item.module, item.name, number))
    loader.change(provided=(*linkage.provided, *made))
    return None


def _grow(loader: Loader, step: LoadStep) -> Wish:
    """Room in the table for a library's own elements."""
    info = loader.image(step.module).dylink
    assert info is not None
    base = loader.table.grow(info.table_size, None)
    if base < 0:
        raise ImageError("the function table is full")
    loader.change_module(step.module, table_base=base)
    return None


def _place(loader: Loader, step: LoadStep) -> Wish:
    """The module's instance."""
    index = step.module
    loaded = loader.linkage.modules[index]
    if loaded.role == MAIN:
        loaded = loader.change_module(index, table_base=MAIN_TABLE_BASE)
    one_by_one = loader.has("DL-ORDER")
    if loader.has("DL-NAMES"):
        _check_name(loader, index)
    cells = {(module, name): number for module, name, number in loader.linkage.provided}

    def resolve(namespace: str, name: str) -> FuncInst | None:
        """As recorded what is linked so far; else nothing yet: modules are bound when all are there."""
        linkage = loader.linkage
        return scope.function(loader.store, linkage, linkage.linked, namespace, name) if one_by_one else None

    instance = place(loader.store, loader.image(index), loaded, Surroundings(loader.linkage, cells, resolve))
    loader.change_module(index, instance=instance.number)
    return None


def _check_name(loader: Loader, index: int) -> None:
    """As recorded: two modules of one name cannot be registered (DL-NAMES)."""
    loaded = loader.linkage.modules[index]
    names = [m.name for m in loader.linkage.modules if m.instance >= 0]
    if loaded.name and loaded.name in names:
        raise HostDies(f"a module named {loaded.name} is registered already", "DL-NAMES")


def _publish(loader: Loader, step: LoadStep) -> Wish:
    """The module's exports get slots and addresses; as recorded, cells that are still 0 get them too."""
    index = step.module
    recorded = loader.has("DL-SLOTS")
    made = publish(loader.store, loader.table, loader.linkage.modules[index], fresh=recorded)
    linkage = loader.linkage
    if loader.has("DL-ORDER"):
        cells: dict[str, int] = {}
        for module, name, number in linkage.provided:
            if module in layout.GOT:
                cells.setdefault(name, number)
        for name, value in (*made.functions, *made.data):
            cell = loader.store.globals[cells[name]] if name in cells else None
            if cell is not None and not cell.value:
                cell.value = value
        if made.role == OPENED:
            made = replace(made, unseen=tuple(name for name, _ in made.data if name not in cells))
    modules = list(linkage.modules)
    modules[index] = made
    loader.change(modules=tuple(modules), published=(*linkage.published, index))
    return None


def _link(loader: Loader, step: LoadStep) -> Wish:
    """As recorded: the module's functions can be imported by those that come later (DL-NAMES)."""
    linkage = loader.linkage
    loaded = linkage.modules[step.module]
    taken = {
        name
        for other in linkage.linked
        if linkage.modules[other].namespace == loaded.namespace
        for name, _ in (*linkage.modules[other].functions, *linkage.modules[other].data)
    }
    twice = [n for n, _ in (*loaded.functions, *loaded.data) if n in taken and n != layout.SIGNAL_CALLBACK]
    if twice and loaded.role == MAIN:
        raise HostDies(f"{loaded.namespace}.{twice[0]} is defined twice", "DL-NAMES")
    if twice:
        raise ImageError(f"{loaded.path.decode(errors='replace')}: {twice[0]} is defined twice")
    loader.change(linked=(*linkage.linked, step.module))
    return None


def bind(loader: Loader, index: int) -> None:
    """The module's cells and imports get the definitions that its scope has (DYN-9)."""
    linkage = loader.linkage
    loaded = linkage.modules[index]
    order = scope.scope_of(linkage, index)
    provided = {number for _, _, number in linkage.provided}
    for kind, name, number in scope.got_imports(loader.store, loaded):
        if number not in provided:
            loader.store.globals[number].value = scope.value(loader.tables, linkage, order, kind, name)
    bind_functions(loader, index)


def bind_functions(loader: Loader, index: int) -> None:
    """The module's imports that are still stubs get the definitions of its scope."""
    linkage = loader.linkage
    order = scope.scope_of(linkage, index)

    def resolve(namespace: str, name: str) -> FuncInst | None:
        return scope.function(loader.store, linkage, order, namespace, name)

    loaded = linkage.modules[index]
    for name in relink(loader.store, loaded.instance, resolve):
        path = loaded.path.decode(errors="replace")
        loader.guest.note(f"{path}: {name} is defined with another type: calling it will trap")


def _bind(loader: Loader, step: LoadStep) -> Wish:
    bind(loader, step.module)
    return None


def _handle(loader: Loader, step: LoadStep) -> Wish:
    """The library has a handle from here on (DL-3)."""
    linkage = loader.linkage
    mode = loader.jobs[-1].mode
    library = Library(linkage.handles + 1, step.module, 1, mode)
    loader.change(handles=library.handle, libraries=(*linkage.libraries, library))
    if mode & scope.RTLD_GLOBAL and not loader.has("DL-ORDER"):
        promoted(loader)
    return None


def promoted(loader: Loader) -> None:
    """A library's symbols became everybody's: imports that nobody defined so far may be defined now (DYN-9)."""
    for index, loaded in enumerate(loader.linkage.modules):
        if loaded.instance >= 0:
            bind_functions(loader, index)


def _call(loader: Loader, step: LoadStep) -> Wish:
    """Run a function of the module."""
    loaded = loader.linkage.modules[step.module]
    instance = loader.store.views[loaded.instance].instance
    found = instance.start if step.name == START else instance.export(step.name)
    if isinstance(found, FuncInst):
        if loader.store.func_type(found).params:
            raise ImageError(f"{loaded.path.decode(errors='replace')}: {step.name} takes parameters")
        return Call(found)
    if step.must:
        text = f"{loaded.path.decode(errors='replace')} exports no {step.name}"
        if loaded.role == OPENED:
            raise ImageError(text)
        raise HostDies(text, "DL-ORDER")
    return None


def _share(loader: Loader, step: LoadStep) -> Wish:
    del step
    share(loader)
    return None


def _share_values(loader: Loader, step: LoadStep) -> Wish:
    share_values(loader, step.module)
    return None


def _share_tls(loader: Loader, step: LoadStep) -> SyscallRequest | None:
    return share_tls(loader, step.module)


_STEPS: dict[str, Callable[[Loader, LoadStep], Wish]] = {
    "stack": _stack,
    "map": _map,
    "heap": _heap,
    "cells": _cells,
    "grow": _grow,
    "place": _place,
    "publish": _publish,
    "link": _link,
    "bind": _bind,
    "handle": _handle,
    "call": _call,
    "share": _share,
    "share-values": _share_values,
    "share-tls": _share_tls,
}

__all__ = ["ENV", "GOT_FUNC", "STACK_POINTER", "bind_functions", "mapped", "perform", "promoted"]
