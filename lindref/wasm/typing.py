"""Closed types and matching (spec §3.1.2, §3.2 for the types themselves, §3.3 for subtyping).

``close`` turns a module's type section into canonical ``DefType``s; all ``matches_…(sub, sup)`` work on closed types,
in which no type index is left. Structs and arrays are not built, so every defined type is a function type.
Nothing here recurses: a type mentions other types only by their one object.
"""

from __future__ import annotations

from collections.abc import Sequence

from lindref import classes
from lindref.wasm.errors import Exhausted, Invalid, WasmError
from lindref.wasm.module import Module
from lindref.wasm.types import (
    AbsHeap,
    DefType,
    FuncType,
    GlobalType,
    HeapType,
    Limits,
    MemoryType,
    RecGroup,
    RecRef,
    RefType,
    SubType,
    TableType,
    ValType,
)

#: Limits of ours, the ones that browsers agreed on: parameters and results of a function, length of a chain of
#: declared supertypes.
MAX_ARITY = 1000
MAX_SUBTYPING_DEPTH = 63

#: Every abstract heap type → those that it matches besides itself.
_ABOVE: dict[AbsHeap, frozenset[AbsHeap]] = {
    AbsHeap.ANY: frozenset(),
    AbsHeap.EQ: frozenset({AbsHeap.ANY}),
    AbsHeap.I31: frozenset({AbsHeap.EQ, AbsHeap.ANY}),
    AbsHeap.STRUCT: frozenset({AbsHeap.EQ, AbsHeap.ANY}),
    AbsHeap.ARRAY: frozenset({AbsHeap.EQ, AbsHeap.ANY}),
    AbsHeap.NONE: frozenset({AbsHeap.I31, AbsHeap.STRUCT, AbsHeap.ARRAY, AbsHeap.EQ, AbsHeap.ANY}),
    AbsHeap.FUNC: frozenset(),
    AbsHeap.NOFUNC: frozenset({AbsHeap.FUNC}),
    AbsHeap.EXTERN: frozenset(),
    AbsHeap.NOEXTERN: frozenset({AbsHeap.EXTERN}),
    AbsHeap.EXN: frozenset(),
    AbsHeap.NOEXN: frozenset({AbsHeap.EXN}),
}


@classes.frozen
class TagExtern:
    """A tag as an import or export sees it: its closed function type."""

    type: DefType


#: Closed types of what can be imported and exported: a function's is its ``DefType``.
ExternType = DefType | TableType | MemoryType | GlobalType | TagExtern


# Closing


def close(module: Module) -> tuple[DefType, ...]:
    """The canonical types of the type index space.

    Raises:
        Invalid: "unknown type", or a "sub type" declaration that breaks a rule (§3.2.10).
        Exhausted: ``MAX_ARITY`` or ``MAX_SUBTYPING_DEPTH`` is exceeded.
    """
    types: list[DefType] = []
    depths: list[int] = []
    for group in module.rec_groups:
        start = len(types)
        members = []
        for offset, member in enumerate(group.members):
            try:
                members.append(_roll(types, start, len(group.members), member, start + offset))
            except WasmError as error:
                raise error.at(f"type {start + offset}") from None
        types.extend(canonical(RecGroup(tuple(members))))
        for index in range(start, len(types)):
            try:
                depths.append(_check_supers(types, depths, index, module.types[index]))
            except WasmError as error:
                raise error.at(f"type {index}") from None
    return tuple(types)


def canonical(group: RecGroup) -> list[DefType]:
    """The defined types of a group whose members are closed but for ``RecRef``s to one another."""
    if not group.members:
        return []
    group = DefType(group, 0).group  # the one object for all equal groups: the members below compare at once
    return [DefType(group, index) for index in range(len(group.members))]


def _roll(types: list[DefType], start: int, size: int, member: SubType, index: int) -> SubType:
    """A member of the group of ``size`` types from ``start`` on, with its type indices resolved."""

    def heap(h: HeapType) -> HeapType:
        if not isinstance(h, int):
            return h
        if not 0 <= h < start + size:
            raise Invalid(f"unknown type {h}")
        return types[h] if h < start else RecRef(h - start)

    def val(t: ValType) -> ValType:
        return RefType(t.nullable, heap(t.heap)) if isinstance(t, RefType) else t

    comp = member.comp
    if len(comp.params) > MAX_ARITY or len(comp.results) > MAX_ARITY:
        raise Exhausted(f"more than {MAX_ARITY} parameters or results")
    if len(member.supers) > 1:
        raise Invalid("sub type has more than one super type")
    for sup in member.supers:
        if isinstance(sup, int) and sup >= index and sup < start + size:
            raise Invalid(f"sub type is declared before its super type {sup}")
    return SubType(
        FuncType(tuple(map(val, comp.params)), tuple(map(val, comp.results))),
        member.final,
        tuple(map(heap, member.supers)),
    )


def _check_supers(types: list[DefType], depths: list[int], index: int, member: SubType) -> int:
    """Checks the declared supertype of type ``index``; gives the length of its chain of supertypes."""
    depth = 0
    for sup in member.supers:
        if not isinstance(sup, int):
            raise Invalid(f"sub type {index} has a super type that is no type index")
        if unrolled(types[sup]).final:
            raise Invalid(f"sub type {index} has a final super type {sup}")
        if not matches_func(expand(types[index]), expand(types[sup])):
            raise Invalid(f"sub type {index} does not match its super type {sup}")
        depth = depths[sup] + 1
        if depth > MAX_SUBTYPING_DEPTH:
            raise Exhausted(f"more than {MAX_SUBTYPING_DEPTH} super types above one another")
    return depth


def closed_heap(types: Sequence[DefType], heap: HeapType) -> HeapType:
    """A heap type with its type index, if it has one, resolved; ``Invalid`` ("unknown type") out of range."""
    if isinstance(heap, int):
        if not 0 <= heap < len(types):
            raise Invalid(f"unknown type {heap}")
        return types[heap]
    return heap


def closed_ref(types: Sequence[DefType], ref: RefType) -> RefType:
    """A reference type with its type index, if it has one, resolved; ``Invalid`` ("unknown type") out of range."""
    heap = ref.heap
    return RefType(ref.nullable, closed_heap(types, heap)) if isinstance(heap, int) else ref


def closed(types: Sequence[DefType], valtype: ValType) -> ValType:
    """A value type with its type index, if it has one, resolved; ``Invalid`` ("unknown type") out of range."""
    return closed_ref(types, valtype) if isinstance(valtype, RefType) else valtype


# Looking into defined types


def unrolled(deftype: DefType) -> SubType:
    """The sub type that a defined type stands for; its references to the own group are still ``RecRef``s."""
    return deftype.group.members[deftype.index]


def expand(deftype: DefType) -> FuncType:
    """The function type that a defined type stands for, closed (§3.1.2, unrolling and expansion)."""
    comp = unrolled(deftype).comp
    if not any(isinstance(t, RefType) and isinstance(t.heap, RecRef) for t in (*comp.params, *comp.results)):
        return comp

    def val(t: ValType) -> ValType:
        if isinstance(t, RefType) and isinstance(t.heap, RecRef):
            return RefType(t.nullable, DefType(deftype.group, t.heap.index))
        return t

    return FuncType(tuple(map(val, comp.params)), tuple(map(val, comp.results)))


def supertypes(deftype: DefType) -> list[DefType]:
    """The declared supertypes of a defined type, closed: none or one."""
    found = []
    for sup in unrolled(deftype).supers:
        if isinstance(sup, RecRef):
            found.append(DefType(deftype.group, sup.index))
        elif isinstance(sup, DefType):
            found.append(sup)
    return found


def defaultable(valtype: ValType) -> bool:
    """Whether the type has a default value (§3.2.7): all but non-null references."""
    return not isinstance(valtype, RefType) or valtype.nullable


# Matching (§3.3): may a ``sub`` stand where a ``sup`` is expected?


def matches_heap(sub: HeapType, sup: HeapType) -> bool:
    """Heap types."""
    if sub is sup:
        return True
    if isinstance(sub, AbsHeap):
        if isinstance(sup, AbsHeap):
            return sup in _ABOVE[sub]
        return sub is AbsHeap.NOFUNC and isinstance(sup, DefType)
    if not isinstance(sub, DefType):
        return False
    if isinstance(sup, AbsHeap):
        return sup is AbsHeap.FUNC
    above = supertypes(sub)
    while above:
        candidate = above.pop()
        if candidate is sup:
            return True
        above += supertypes(candidate)
    return False


def matches_ref(sub: RefType, sup: RefType) -> bool:
    """Reference types."""
    return (sup.nullable or not sub.nullable) and matches_heap(sub.heap, sup.heap)


def matches_val(sub: ValType, sup: ValType) -> bool:
    """Value types."""
    if sub is sup:
        return True
    return isinstance(sub, RefType) and isinstance(sup, RefType) and matches_ref(sub, sup)


def matches_vals(sub: Sequence[ValType], sup: Sequence[ValType]) -> bool:
    """Result types: value by value."""
    return len(sub) == len(sup) and all(map(matches_val, sub, sup))


def matches_func(sub: FuncType, sup: FuncType) -> bool:
    """Function types: parameters the other way round."""
    return matches_vals(sup.params, sub.params) and matches_vals(sub.results, sup.results)


def matches_limits(sub: Limits, sup: Limits) -> bool:
    """Limits: at least as much, and bounded by no more where the other is."""
    if sub.minimum < sup.minimum:
        return False
    return sup.maximum is None or (sub.maximum is not None and sub.maximum <= sup.maximum)


def matches_table(sub: TableType, sup: TableType) -> bool:
    """Table types: elements are written too, so their types must match both ways."""
    return matches_limits(sub.limits, sup.limits) and matches_ref(sub.ref, sup.ref) and matches_ref(sup.ref, sub.ref)


def matches_memory(sub: MemoryType, sup: MemoryType) -> bool:
    """Memory types: shared or not must agree."""
    return sub.shared == sup.shared and matches_limits(sub.limits, sup.limits)


def matches_global(sub: GlobalType, sup: GlobalType) -> bool:
    """Global types: what may be written must match both ways."""
    if sub.mutable != sup.mutable or not matches_val(sub.value, sup.value):
        return False
    return not sub.mutable or matches_val(sup.value, sub.value)


def matches_extern(sub: ExternType, sup: ExternType) -> bool:
    """Types of imports and exports; different kinds never match. Tags' types must be the same."""
    match sub, sup:
        case DefType(), DefType():
            return matches_heap(sub, sup)
        case TableType(), TableType():
            return matches_table(sub, sup)
        case MemoryType(), MemoryType():
            return matches_memory(sub, sup)
        case GlobalType(), GlobalType():
            return matches_global(sub, sup)
        case TagExtern(), TagExtern():
            return sub.type is sup.type
    return False
