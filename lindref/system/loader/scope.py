"""Which definition of a symbol a module gets (DYN-8, DYN-9, DL-4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lindref import classes
from lindref.system.loader.layout import GOT_FUNC, INTERNAL
from lindref.system.loader.records import MAIN, OPENED, PRELOAD, Linkage, Loaded
from lindref.vm.store import Store
from lindref.vm.values import FuncInst, HostFunc
from lindref.wasm.module import ExternKind

#: Bit of a mode of ``dlopen``: others may use the library's symbols.
RTLD_GLOBAL = 0x100


@classes.define(eq=False)
class Tables:
    """The published symbols of modules as dictionaries, made once for each published module."""

    _made: dict[int, tuple[object, dict[str, int]]] = classes.field(factory=dict)

    def of(self, pairs: tuple[tuple[str, int], ...]) -> dict[str, int]:
        """The dictionary of a ``Loaded.functions`` or ``Loaded.data``."""
        known = self._made.get(id(pairs))
        if known is None or known[0] is not pairs:
            known = self._made[id(pairs)] = (pairs, dict(pairs))
        return known[1]


def closure(linkage: Linkage, roots: Iterable[int]) -> list[int]:
    """Modules and what they need, breadth first."""
    found = list(dict.fromkeys(roots))
    for index in found:
        found += [n for n in linkage.modules[index].needed if n not in found]
    return found


def global_scope(linkage: Linkage) -> list[int]:
    """The modules whose symbols everybody may use: main, then libraries in the order of their loading (DYN-9)."""
    first = [i for i, m in enumerate(linkage.modules) if m.role == MAIN]
    first += [i for i, m in enumerate(linkage.modules) if m.role == PRELOAD]
    shared = [lib.module for lib in linkage.libraries if lib.refs and lib.mode & RTLD_GLOBAL and lib.module >= 0]
    opened = [i for i in closure(linkage, shared) if i not in first]
    return [i for i in first + opened if linkage.modules[i].instance >= 0]


def scope_of(linkage: Linkage, index: int) -> list[int]:
    """Where module ``index`` finds its symbols (DYN-9)."""
    found = global_scope(linkage)
    if linkage.modules[index].role == OPENED:
        found += [i for i in closure(linkage, [index]) if i not in found and linkage.modules[i].instance >= 0]
    return found


def defined(store: Store, loaded: Loaded, name: str) -> FuncInst | HostFunc | None:
    """The function that a module exports under a name that others may use."""
    if loaded.instance < 0 or name in INTERNAL:
        return None
    found = store.views[loaded.instance].instance.export(name)
    return found if isinstance(found, FuncInst | HostFunc) else None


def function(store: Store, linkage: Linkage, order: Iterable[int], namespace: str, name: str) -> FuncInst | None:
    """The first definition of an imported function among modules that offer the namespace."""
    for index in order:
        loaded = linkage.modules[index]
        if loaded.namespace == namespace:
            found = defined(store, loaded, name)
            if isinstance(found, FuncInst):
                return found
    return None


def value(tables: Tables, linkage: Linkage, order: Iterable[int], kind: str, name: str) -> int:
    """The table slot or address of the first definition of a symbol of a kind; 0 if there is none (DYN-8)."""
    for index in order:
        loaded = linkage.modules[index]
        found = tables.of(loaded.functions if kind == GOT_FUNC else loaded.data).get(name)
        if found is not None:
            return found
    return 0


def either(tables: Tables, linkage: Linkage, order: Iterable[int], name: str) -> int:
    """As ``value``, of whatever kind, as recorded (deviation ``DL-ORDER``)."""
    for index in order:
        loaded = linkage.modules[index]
        for pairs in (loaded.functions, loaded.data):
            found = tables.of(pairs).get(name)
            if found is not None:
                return found
    return 0


def got_imports(store: Store, loaded: Loaded) -> Iterator[tuple[str, str, int]]:
    """A placed module's GOT imports: kind, symbol, number of the cell."""
    instance = store.views[loaded.instance].instance
    imports = instance.program.module.imported(ExternKind.GLOBAL)
    for number, item in zip(instance.globals, imports, strict=False):
        if item.module.startswith("GOT."):
            yield item.module, item.name, number
