"""Types and identifiers to text: the inverse of ``types`` and ``scope``."""

from __future__ import annotations

from collections.abc import Iterable

from lindref import classes
from lindref.wasm.features import Feature
from lindref.wasm.module import ExternKind, Module
from lindref.wasm.names import Names
from lindref.wasm.text.scope import Space
from lindref.wasm.text.strings import is_bare, print_id
from lindref.wasm.types import (
    AbsHeap,
    BlockType,
    FuncType,
    GlobalType,
    HeapType,
    Limits,
    MemoryType,
    RecGroup,
    RefType,
    SubType,
    TableType,
    ValType,
)

_KINDS = {
    Space.FUNC: ExternKind.FUNC,
    Space.TABLE: ExternKind.TABLE,
    Space.MEMORY: ExternKind.MEMORY,
    Space.GLOBAL: ExternKind.GLOBAL,
    Space.TAG: ExternKind.TAG,
}


#: Longer names make no identifiers: one may be referred to from anywhere, and text is to stay in proportion to the
#: module.
_MAX_NAME = 1000


def usable(name: str, *, quoted: bool) -> bool:
    """Whether a name makes an identifier to print; one in quotes only where ``quoted`` says so."""
    return 0 < len(name) <= _MAX_NAME and (quoted or is_bare(name))


def unique_ids(names: dict[int, str], size: int, *, quoted: bool = True) -> dict[int, str]:
    """Identifiers for the items below ``size`` that have a usable name; a name in use already gets a suffix.

    Without ``quoted``, names that would need quotes are left out.
    """
    found: dict[int, str] = {}
    used: set[str] = set()
    for index in sorted(names):
        name = names[index]
        if not 0 <= index < size or not usable(name, quoted=quoted):
            continue
        unique = name if name not in used else f"{name}#{index}"
        while unique in used:
            unique += "#"
        used.add(unique)
        found[index] = print_id(unique)
    return found


@classes.frozen
class Ids:
    """The identifiers to print for the items of a module, and how many items there are."""

    spaces: dict[Space, dict[int, str]]
    sizes: dict[Space, int]
    names: Names
    quoted: bool

    @staticmethod
    def of(module: Module, names: Names) -> Ids:
        """Identifiers for a module from the names of its items."""
        defined: dict[Space, int] = {
            Space.TYPE: len(module.types),
            Space.FUNC: len(module.funcs),
            Space.TABLE: len(module.tables),
            Space.MEMORY: len(module.memories),
            Space.GLOBAL: len(module.globals),
            Space.TAG: len(module.tags),
            Space.ELEM: len(module.elems),
            Space.DATA: len(module.datas),
        }
        for space, kind in _KINDS.items():
            defined[space] += len(module.imported(kind))
        given = {
            Space.TYPE: names.types,
            Space.FUNC: names.funcs,
            Space.TABLE: names.tables,
            Space.MEMORY: names.memories,
            Space.GLOBAL: names.globals,
            Space.TAG: names.tags,
            Space.ELEM: names.elems,
            Space.DATA: names.datas,
        }
        quoted = Feature.ANNOTATIONS in module.features
        spaces = {space: unique_ids(given[space], defined[space], quoted=quoted) for space in Space}
        return Ids(spaces, defined, names, quoted)

    def ref(self, space: Space, index: int) -> str:
        """A reference to an item: its identifier, or else its index."""
        return self.spaces[space].get(index) or str(index)

    def binder(self, space: Space, index: int) -> str:
        """What follows the keyword where the item is defined: identifier, if any, and index as a comment."""
        name = self.spaces[space].get(index)
        return f"{name} (;{index};)" if name else f"(;{index};)"


def print_heap(heap: HeapType, ids: Ids) -> str:
    """A heap type of a module (not a closed one)."""
    if isinstance(heap, AbsHeap):
        return heap.value
    assert isinstance(heap, int)
    return ids.ref(Space.TYPE, heap)


def print_val(kind: ValType, ids: Ids) -> str:
    """A value type."""
    if not isinstance(kind, RefType):
        return kind.value
    if kind.nullable and kind.heap in {AbsHeap.FUNC, AbsHeap.EXTERN, AbsHeap.EXN}:
        return f"{kind.heap}ref"
    return f"(ref {'null ' if kind.nullable else ''}{print_heap(kind.heap, ids)})"


def clause(keyword: str, kinds: Iterable[ValType], ids: Ids) -> str:
    """``" (keyword type*)"``, or nothing if there are no types."""
    inside = " ".join(print_val(kind, ids) for kind in kinds)
    return f" ({keyword} {inside})" if inside else ""


def print_func_type(func: FuncType, ids: Ids, names: dict[int, str] | None = None) -> str:
    """Parameters (with identifiers, if given) and results, each clause after a space."""
    if not names:
        return clause("param", func.params, ids) + clause("result", func.results, ids)
    return named_clauses(func.params, 0, names, "param", ids) + clause("result", func.results, ids)


def named_clauses(kinds: Iterable[ValType], first: int, names: dict[int, str], keyword: str, ids: Ids) -> str:
    """Clauses for parameters or locals from index ``first`` on: one for each that is named, runs of the others."""
    parts: list[str] = []
    run: list[ValType] = []
    for index, kind in enumerate(kinds, first):
        name = names.get(index)
        if name is None:
            run.append(kind)
            continue
        parts.append(clause(keyword, run, ids))
        run = []
        parts.append(f" ({keyword} {name} {print_val(kind, ids)})")
    parts.append(clause(keyword, run, ids))
    return "".join(parts)


def print_block_type(kind: BlockType, ids: Ids) -> str:
    """A block type after a space, or nothing."""
    if kind.type_index is not None:
        return f" (type {ids.ref(Space.TYPE, kind.type_index)})"
    return "" if kind.result is None else clause("result", (kind.result,), ids)


def print_limits(limits: Limits) -> str:
    """Minimum and maximum."""
    return f"{limits.minimum}" if limits.maximum is None else f"{limits.minimum} {limits.maximum}"


def print_memory(memory: MemoryType) -> str:
    """A memory type."""
    return print_limits(memory.limits) + (" shared" if memory.shared else "")


def print_table(table: TableType, ids: Ids) -> str:
    """A table type."""
    return f"{print_limits(table.limits)} {print_val(table.ref, ids)}"


def print_global(kind: GlobalType, ids: Ids) -> str:
    """A global type."""
    value = print_val(kind.value, ids)
    return f"(mut {value})" if kind.mutable else value


def _definition(index: int, kind: SubType, ids: Ids) -> str:
    """A ``(type …)``."""
    func = f"(func{print_func_type(kind.comp, ids)})"
    if not kind.final or kind.supers:
        supers = "".join(f" {print_heap(s, ids)}" for s in kind.supers)
        func = f"(sub{' final' if kind.final else ''}{supers} {func})"
    return f"(type {ids.binder(Space.TYPE, index)} {func})"


def print_group(group: RecGroup, first: int, ids: Ids) -> list[str]:
    """The lines of a group whose first member has the type index ``first``."""
    lines = [_definition(first + i, member, ids) for i, member in enumerate(group.members)]
    if len(lines) == 1:
        return lines
    return ["(rec", *(f"  {line}" for line in lines), ")"]
