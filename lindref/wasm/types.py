"""Wasm types as syntax (spec §2.3): what a module's text or bytes say, before canonicalisation.

Type indices inside these types are module-relative ``int``s in ``HeapType``; ``lindref.wasm.typing`` closes
them into canonical defined types and decides matching.
"""

from __future__ import annotations

import enum
from typing import Any, Self
from weakref import WeakValueDictionary

from lindref import classes


class NumType(enum.Enum):
    """A number type; the value is its text-format name."""

    I32 = "i32"
    I64 = "i64"
    F32 = "f32"
    F64 = "f64"
    V128 = "v128"  # syntax only until SIMD is built

    def __str__(self) -> str:
        return self.value


class AbsHeap(enum.Enum):
    """An abstract heap type; the value is its text-format name."""

    FUNC = "func"
    NOFUNC = "nofunc"
    EXTERN = "extern"
    NOEXTERN = "noextern"
    ANY = "any"
    EQ = "eq"
    I31 = "i31"
    STRUCT = "struct"
    ARRAY = "array"
    NONE = "none"
    EXN = "exn"
    NOEXN = "noexn"

    def __str__(self) -> str:
        return self.value


@classes.frozen(eq=False, init=False)
class DefType:
    """A closed defined type: member ``index`` of a canonical recursive group.

    Inside ``group`` a reference to a member of the same group is a ``RecRef``, a reference to any other
    defined type is a ``DefType``. Two ``DefType`` values are the same type (spec §3.1.2, rolling) if and only if
    they are the same object: constructing one gives the object that exists already, if one does. So comparing and
    hashing cost nothing, however deeply types refer to one another.
    """

    group: RecGroup = classes.field(repr=False)
    index: int

    def __new__(cls, group: RecGroup, index: int) -> Self:
        """The one object for this type."""
        key = (group, index)
        found = _DEFTYPES.get(key)
        if found is None:
            found = object.__new__(cls)
            object.__setattr__(found, "group", group)
            object.__setattr__(found, "index", index)
            _DEFTYPES[key] = found
        return found

    def __reduce__(self) -> tuple[type[DefType], tuple[RecGroup, int]]:
        return DefType, (self.group, self.index)

    def __str__(self) -> str:
        """The function type; types that it mentions in turn are left out, they may go round in circles."""
        comp = self.group.members[self.index].comp

        def brief(t: ValType) -> str:
            return "(ref ...)" if isinstance(t, RefType) and isinstance(t.heap, (DefType, RecRef)) else str(t)

        return f"(func [{' '.join(map(brief, comp.params))}] -> [{' '.join(map(brief, comp.results))}])"


#: Every defined type alive. The references inside a key compare by identity, so a look-up sees one group only.
_DEFTYPES: WeakValueDictionary[tuple[RecGroup, int], Any] = WeakValueDictionary()


@classes.frozen
class RecRef:
    """A reference to member ``index`` of the recursive group it stands in (canonical types only)."""

    index: int


#: Module syntax uses ``int`` (a type index); canonical types use ``DefType``/``RecRef``.
HeapType = AbsHeap | int | DefType | RecRef


@classes.frozen
class RefType:
    """A reference type ``(ref null? heap)``."""

    nullable: bool
    heap: HeapType

    def __str__(self) -> str:
        short = {AbsHeap.FUNC: "funcref", AbsHeap.EXTERN: "externref", AbsHeap.EXN: "exnref"}
        if self.nullable and isinstance(self.heap, AbsHeap) and self.heap in short:
            return short[self.heap]
        heap = self.heap.index if isinstance(self.heap, RecRef) else self.heap
        return f"(ref {'null ' if self.nullable else ''}{heap})"


ValType = NumType | RefType

FUNCREF = RefType(True, AbsHeap.FUNC)
EXTERNREF = RefType(True, AbsHeap.EXTERN)
EXNREF = RefType(True, AbsHeap.EXN)


@classes.frozen
class FuncType:
    """A function type (spec §2.3.8)."""

    params: tuple[ValType, ...] = ()
    results: tuple[ValType, ...] = ()

    def __str__(self) -> str:
        return f"[{' '.join(map(str, self.params))}] -> [{' '.join(map(str, self.results))}]"


@classes.frozen
class SubType:
    """``sub final? supers* comptype``; a plain ``(type (func))`` is final without supertypes."""

    comp: FuncType
    final: bool = True
    supers: tuple[HeapType, ...] = ()


class _KeepsHash:
    __slots__ = ("_hash",)
    _hash: int


@classes.frozen
class RecGroup(_KeepsHash):
    """``(rec subtype*)``; a type outside any ``rec`` is a group of one."""

    members: tuple[SubType, ...]

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            object.__setattr__(self, "_hash", hash(self.members))
            return self._hash


@classes.frozen
class Limits:
    """Size bounds: ``minimum`` and optional ``maximum``, in pages (memory, 64 KiB) or elements (table)."""

    minimum: int
    maximum: int | None = None


@classes.frozen
class TableType:
    """A table type; element type ``ref``."""

    limits: Limits
    ref: RefType


@classes.frozen
class MemoryType:
    """A memory type, limits in pages of 64 KiB; ``shared`` needs a maximum (threads)."""

    limits: Limits
    shared: bool = False


@classes.frozen
class GlobalType:
    """A global's type."""

    value: ValType
    mutable: bool = False


@classes.frozen
class TagType:
    """An exception tag's type: index of a function type without results."""

    type_index: int


@classes.frozen
class BlockType:
    """A block's type: a type index, or at most one result (both ``None``: ``[] -> []``)."""

    type_index: int | None = None
    result: ValType | None = None
