"""Random choices and random types: the ground on which random modules stand.

Every choice is a number below a bound, and 0 is the dullest one: a source that runs dry (or shrinks) gives the
simplest module.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

from lindref import classes
from lindref.wasm.features import DEFAULT, Feature
from lindref.wasm.types import (
    EXNREF,
    EXTERNREF,
    FUNCREF,
    AbsHeap,
    FuncType,
    HeapType,
    NumType,
    RecGroup,
    RefType,
    SubType,
    ValType,
)

T = TypeVar("T")


@classes.frozen
class Shape:
    """What kind of module to make."""

    features: frozenset[Feature] = DEFAULT
    size: int = 60
    """Roughly how many expressions a function body may have."""
    functions: int = 4
    """How many functions are defined at most."""
    imports: bool = True
    customs: bool = True
    fuel: int | None = None
    """If given, every run ends: a mutable global of this initial value (exported as "fuel") is counted down at
    function entries and loop heads, and what would wait for another thread is left out. Instantiation succeeds,
    and functions, memories, tables, and globals are exported as "f0", "m0", "t0", "g0", ..."""


#: Modules that can be run by anyone without imports, and end.
RUNNABLE = Shape(imports=False, fuel=300)


class Chooser:
    """Where the choices come from: a seeded generator, or bytes (and then zeros)."""

    def __init__(self, source: random.Random | bytes) -> None:
        self._random = source if isinstance(source, random.Random) else None
        self._bytes = b"" if isinstance(source, random.Random) else source
        self._pos = 0

    def below(self, bound: int) -> int:
        """A number from 0 to ``bound - 1``."""
        if bound <= 1:
            return 0
        if self._random is not None:
            return self._random.randrange(bound)
        count = ((bound - 1).bit_length() + 7) // 8
        chunk = self._bytes[self._pos : self._pos + count]
        self._pos += count
        return int.from_bytes(chunk, "big") % bound

    def chance(self, percent: int) -> bool:
        """True in about so many cases of a hundred; false is the dull answer."""
        return self.below(100) >= 100 - percent

    def pick(self, options: Sequence[T]) -> T:
        """One of several; the first is the dull one."""
        return options[self.below(len(options))]

    def count(self, most: int) -> int:
        """A number up to ``most``, small ones more often."""
        return self.below(self.below(most + 1) + 1)


_EDGES = {32: (0, 1, 2**32 - 1, 2**31, 2**31 - 1, 64, 128), 64: (0, 1, 2**64 - 1, 2**63, 2**63 - 1, 2**32)}

NUMBERS = (NumType.I32, NumType.I64, NumType.F32, NumType.F64)
LETTERS = {NumType.I32: "i", NumType.I64: "I", NumType.F32: "f", NumType.F64: "F"}
BY_LETTER = {letter: kind for kind, letter in LETTERS.items()}

_BELOW: dict[AbsHeap, frozenset[AbsHeap]] = {
    AbsHeap.NOFUNC: frozenset({AbsHeap.FUNC}),
    AbsHeap.NOEXTERN: frozenset({AbsHeap.EXTERN}),
    AbsHeap.NOEXN: frozenset({AbsHeap.EXN}),
    AbsHeap.EQ: frozenset({AbsHeap.ANY}),
    AbsHeap.I31: frozenset({AbsHeap.EQ, AbsHeap.ANY}),
    AbsHeap.STRUCT: frozenset({AbsHeap.EQ, AbsHeap.ANY}),
    AbsHeap.ARRAY: frozenset({AbsHeap.EQ, AbsHeap.ANY}),
    AbsHeap.NONE: frozenset({AbsHeap.I31, AbsHeap.STRUCT, AbsHeap.ARRAY, AbsHeap.EQ, AbsHeap.ANY}),
}

#: The supertypes and subtypes that are tried when a type is varied.
_ABOVE = {
    AbsHeap.NOFUNC: AbsHeap.FUNC,
    AbsHeap.NOEXTERN: AbsHeap.EXTERN,
    AbsHeap.NOEXN: AbsHeap.EXN,
    AbsHeap.NONE: AbsHeap.STRUCT,
    AbsHeap.I31: AbsHeap.EQ,
    AbsHeap.STRUCT: AbsHeap.EQ,
    AbsHeap.ARRAY: AbsHeap.ANY,
    AbsHeap.EQ: AbsHeap.ANY,
}
_BOTTOM = {
    AbsHeap.FUNC: AbsHeap.NOFUNC,
    AbsHeap.EXTERN: AbsHeap.NOEXTERN,
    AbsHeap.EXN: AbsHeap.NOEXN,
    AbsHeap.ANY: AbsHeap.I31,
    AbsHeap.EQ: AbsHeap.NONE,
    AbsHeap.I31: AbsHeap.NONE,
    AbsHeap.STRUCT: AbsHeap.NONE,
    AbsHeap.ARRAY: AbsHeap.NONE,
}


def defaultable(kind: ValType) -> bool:
    """Whether a local of this type has a value before it is set."""
    return not isinstance(kind, RefType) or kind.nullable


def number(ch: Chooser, kind: NumType) -> int:
    """The bits of a number constant, often an edge case."""
    width = int(kind.value[1:])
    if ch.chance(70):
        return ch.below(100)
    if kind in (NumType.I32, NumType.I64):
        return ch.pick(_EDGES[width]) if ch.chance(50) else ch.below(2**width)
    exponent, fraction = (8, 23) if width == 32 else (11, 52)
    infinity = (2**exponent - 1) << fraction
    edges = (0, infinity, infinity | 1 << fraction - 1, infinity | 1, 1, infinity - (1 << fraction))
    magnitude = ch.pick(edges) if ch.chance(50) else ch.below(2 ** (width - 1))
    return magnitude | ch.below(2) << width - 1


@classes.frozen
class Label:
    """What a branch can aim at: the types it takes along, and whether it is a legacy catch block."""

    types: tuple[ValType, ...]
    catch: bool = False


class Types:
    """The type index space, and subtyping on it.

    Subtyping is by declaration only: two indices of equal types are unrelated here, which is stricter than the
    specification, so that what is made by these rules is valid by its.
    """

    def __init__(self, ch: Chooser, shape: Shape) -> None:
        self.ch = ch
        self.features = shape.features
        self.references = Feature.FUNCTION_REFERENCES in shape.features
        self.exceptions = Feature.EXCEPTIONS in shape.features
        self.groups: list[RecGroup] = [RecGroup((SubType(FuncType()),))]
        self.all: list[SubType] = [SubType(FuncType())]
        self._heaps: list[AbsHeap] = [AbsHeap.FUNC, AbsHeap.EXTERN]
        if self.exceptions:
            self._heaps.append(AbsHeap.EXN)
        if self.references:
            self._heaps += [h for h in AbsHeap if h not in self._heaps]
            if not self.exceptions:
                self._heaps = [h for h in self._heaps if h not in (AbsHeap.EXN, AbsHeap.NOEXN)]
        for _ in range(1 + ch.count(5)):
            self._group()

    def val_type(self, limit: int | None = None) -> ValType:
        """Any value type that names only types below ``limit`` (all, if not given)."""
        if self.ch.chance(25):
            return self.ref_type(limit)
        return self.ch.pick(NUMBERS)

    def ref_type(self, limit: int | None = None) -> RefType:
        """Any reference type."""
        ch = self.ch
        short = [FUNCREF, EXTERNREF] + ([EXNREF] if self.exceptions else [])
        if not self.references or ch.chance(50):
            return ch.pick(short)
        if ch.chance(60):
            heap: HeapType = ch.below(len(self.all) if limit is None else limit)
        else:
            heap = ch.pick(self._heaps)
        return RefType(not ch.chance(35), heap)

    def _func_type(self, limit: int) -> FuncType:
        ch = self.ch
        params = tuple(self.val_type(limit) for _ in range(ch.count(4)))
        return FuncType(params, tuple(self.val_type(limit) for _ in range(ch.count(3))))

    def _group(self) -> None:
        """One more group of types; with references, perhaps recursive and with declared supertypes."""
        ch = self.ch
        first = len(self.all)
        count = 1
        if self.references and ch.chance(40):
            count = ch.below(4)
        limit = first + count if self.references else first
        members: list[SubType] = []
        for _ in range(count):
            sub = SubType(self._func_type(limit))
            if self.references and ch.chance(40):
                sub = self._sub_type(limit)
            members.append(sub)
            self.all.append(sub)
        self.groups.append(RecGroup(tuple(members)))

    def _sub_type(self, limit: int) -> SubType:
        """An open type, or one below an open type declared before."""
        ch = self.ch
        final = ch.chance(40)
        open_ones = [i for i, s in enumerate(self.all) if not s.final]
        if not open_ones or ch.chance(30):
            return SubType(self._func_type(limit), final)
        above = ch.pick(open_ones)
        comp = self.all[above].comp
        params = tuple(self.above(p) for p in comp.params)
        return SubType(FuncType(params, tuple(self.below(r) for r in comp.results)), final, (above,))

    def above(self, kind: ValType) -> ValType:
        """A supertype of ``kind``."""
        if not isinstance(kind, RefType) or not self.references:
            return kind
        heap = kind.heap
        if self.ch.chance(50):
            if isinstance(heap, int):
                supers = self.all[heap].supers if heap < len(self.all) else ()
                heap = supers[0] if supers else AbsHeap.FUNC
            elif isinstance(heap, AbsHeap):
                heap = _ABOVE.get(heap, heap)
        return RefType(kind.nullable or self.ch.chance(50), heap)

    def below(self, kind: ValType) -> ValType:
        """A subtype of ``kind``."""
        if not isinstance(kind, RefType) or not self.references:
            return kind
        heap = kind.heap
        if self.ch.chance(30):
            if isinstance(heap, AbsHeap):
                heap = _BOTTOM.get(heap, heap)
            else:
                heap = AbsHeap.NOFUNC
        return RefType(kind.nullable and not self.ch.chance(50), heap)

    def _heap_matches(self, sub: HeapType, sup: HeapType) -> bool:
        if sub == sup:
            return True
        if isinstance(sub, int):
            if sup is AbsHeap.FUNC:
                return True
            return any(self._heap_matches(s, sup) for s in self.all[sub].supers)
        if isinstance(sup, int):
            return sub is AbsHeap.NOFUNC
        assert isinstance(sub, AbsHeap)
        return sup in _BELOW.get(sub, frozenset())

    def matches(self, sub: ValType, sup: ValType) -> bool:
        """Whether ``sub`` is a subtype of ``sup``."""
        if not isinstance(sub, RefType) or not isinstance(sup, RefType):
            return sub == sup
        return (sup.nullable or not sub.nullable) and self._heap_matches(sub.heap, sup.heap)

    def all_match(self, subs: Sequence[ValType], sups: Sequence[ValType]) -> bool:
        """Whether two lists of types match one by one."""
        return len(subs) == len(sups) and all(map(self.matches, subs, sups))
