"""Instances as Python sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lindref.api.errors import Trap
from lindref.api.function import Function
from lindref.api.items import Global, Memory, Table
from lindref.api.module import Module
from lindref.api.realm import Realm
from lindref.vm import link, traps
from lindref.vm.engines import ENGINES
from lindref.vm.instance import Instance as VmInstance
from lindref.vm.limits import Budget
from lindref.vm.pages import PAGE
from lindref.vm.values import Extern, TagInst
from lindref.wasm.module import ExternKind
from lindref.wasm.typing import expand

#: What an import may be. A callable takes the type of the import.
Importable = Callable[..., Any] | Function | Memory | Table | Global | TagInst


class Instance:
    """An instance; ``exports`` by name: ``Function``, ``Memory``, ``Table``, ``Global`` or a tag."""

    def __init__(self, realm: Realm, instance: VmInstance) -> None:
        self.realm = realm
        self.vm = instance
        self.exports: dict[str, Any] = {name: realm.item(extern) for name, extern in instance.exports().items()}


def instantiate(
    module: Module,
    imports: Mapping[str, Mapping[str, Importable]] | None = None,
    engine: str = "auto",
    *,
    max_ticks: int | None = None,
    max_memory: int | None = None,
) -> Instance:
    """A new instance, started.

    ``imports`` is ``{module: {name: item}}``: a Python callable (it takes the import's type; returns nothing, one value
    or a tuple), or a ``Memory``, ``Table``, ``Global``, ``Function`` or tag, made here or exported by an instance. An
    instance lives in the store of what it imports; items of two stores cannot meet. ``max_ticks`` bounds every call
    from Python into that store (calls and backward branches), ``max_memory`` the bytes that memories defined by it and
    by later instances of the store may hold (pages of 4 KiB that were written): beyond, a call raises ``Exhaustion``.

    Raises ``LinkError``, ``Trap`` and what calls raise (active segments, the start function), ``wasm.errors.Invalid``
    ``Malformed`` and ``Exhausted``, and ``ValueError`` for an unknown engine.
    """
    if engine not in ENGINES:
        raise ValueError(f"no engine {engine!r}; there are {', '.join(ENGINES)}")
    given = imports or {}
    realm = _realm(given) or Realm(engine)
    if max_ticks is not None:
        realm.max_ticks = max_ticks
    if max_memory is not None:
        realm.store.budget = Budget(max_memory // PAGE)
    module.validate()
    externs = {}
    for index, item in enumerate(module.syntax.imports):
        value = given.get(item.module, {}).get(item.name)
        if value is not None:
            externs[item.module, item.name] = _extern(realm, module, index, value)
    try:
        instance = link.instantiate(realm.store, module.syntax, externs)
    except traps.Trap as trap:
        raise Trap(trap.message) from None
    if instance.start is not None:
        realm.run(instance.start, ())
    return Instance(realm, instance)


def _realm(imports: Mapping[str, Mapping[str, Importable]]) -> Realm | None:
    """The store that the imports live in; ``None`` if they live in none."""
    found: Realm | None = None
    for items in imports.values():
        for item in items.values():
            realm = item.realm if isinstance(item, Function | Table | Global) else None
            if realm is not None and found is not None and realm is not found:
                raise link.LinkError("imports belong to different stores")
            found = found or realm
    return found


def _extern(realm: Realm, module: Module, index: int, value: Importable) -> Extern:
    """A Python object as what a module imports."""
    item = module.syntax.imports[index]
    match value:
        case Function():
            return value.func
        case Memory():
            return realm.memory(value)
        case Table():
            return realm.table(value)
        case Global():
            return realm.global_(value)
        case TagInst():
            return value
    if not callable(value):
        raise link.LinkError("incompatible import type", f"{item.module}.{item.name}")
    if item.kind is not ExternKind.FUNC or not isinstance(item.desc, int):
        raise link.LinkError("incompatible import type", f"{item.module}.{item.name}")
    return realm.host(item.module, item.name, expand(module.program.types[item.desc]), value)
