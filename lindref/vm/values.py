"""Runtime values that are not numbers, and what an instance imports and exports (spec §4.2).

Everything here is a name, valid in every copy of a store: a fork, a thread or a snapshot needs no translation.
``FuncInst(2, 5)`` is function 5 of instance 2 *of the store it is used in*.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from lindref.state.records import adopt, record
from lindref.wasm.types import (
    AbsHeap,
    DefType,
    FuncType,
    NumType,
    RecGroup,
    RecRef,
    RefType,
    SubType,
    ValType,
)
from lindref.wasm.typing import canonical

# Types may stand in a state: a host function carries its own.
adopt("numtype", NumType)
adopt("absheap", AbsHeap)
adopt("reftype", RefType)
adopt("functype", FuncType)
adopt("subtype", SubType)
adopt("recgroup", RecGroup)
adopt("recref", RecRef)
adopt("deftype", DefType)

#: A wasm value: int (i32, i64), float (f32, f64), ``None`` (null), ``FuncInst``, ``HostFunc``, ``ExnInst``, or
#: anything at all as an external reference (to be saved, it must be something that ``lindref.state`` can encode).
Value = Any


@record("func")
class FuncInst:
    """Function ``index`` of instance ``instance``, which defines it (an import is named by who defines it)."""

    instance: int
    index: int


@record("hostfunc")
class HostFunc:
    """A function that the host provides: the machine stops with a ``HostCall`` when it is called."""

    module: str
    name: str
    type: FuncType


@record("tag")
class TagInst:
    """An exception tag: number ``number`` of the store. Tags are the same when their numbers are."""

    number: int


@record("exn")
class ExnInst:
    """An exception: what ``throw`` makes and ``exnref`` refers to."""

    tag: TagInst
    values: tuple[Value, ...]


@record("table-address")
class TableAddr:
    """A table by its number in the store."""

    number: int


@record("memory-address")
class MemoryAddr:
    """A memory by its number in the store."""

    number: int


@record("global-address")
class GlobalAddr:
    """A global by its number in the store."""

    number: int


#: What can be imported and exported.
Extern = FuncInst | HostFunc | TableAddr | MemoryAddr | GlobalAddr | TagInst


def default(valtype: ValType) -> Value:
    """The value a local or table starts with (§4.2.1): zero or null.

    A type without a default starts with null too; validation sees to it that nobody reads it.
    """
    if isinstance(valtype, RefType):
        return None
    return 0 if valtype in (NumType.I32, NumType.I64) else 0.0


@lru_cache(maxsize=4096)
def function_type(comp: FuncType) -> DefType:
    """The defined type of a plain ``(type (func …))``, whose own types must be closed."""
    return canonical(RecGroup((SubType(comp),)))[0]
