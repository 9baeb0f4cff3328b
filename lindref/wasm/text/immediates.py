"""The immediates of plain instructions (spec §6.5): written in text order, returned in binary order."""

from __future__ import annotations

import re
from collections.abc import Callable

from lindref.wasm.features import Feature
from lindref.wasm.instructions import SELECT_T, TABLE, Catch, CatchKind, Imm, MemArg, Op
from lindref.wasm.text.cursor import Cursor
from lindref.wasm.text.numbers import F32, F64, FloatFormat, read_float, read_int, read_unsigned
from lindref.wasm.text.scope import FuncScope, Space
from lindref.wasm.text.types import read_heap, read_results, read_type_use, size_bits

Reader = Callable[[Cursor, FuncScope, Op], tuple[object, ...]]

_ARGUMENT = re.compile(r"(offset|align)=(.+)")


def _label(cursor: Cursor, func: FuncScope, _op: Op) -> tuple[object, ...]:
    return (func.read_label(cursor),)


def _labels(cursor: Cursor, func: FuncScope, _op: Op) -> tuple[object, ...]:
    labels = [func.read_label(cursor)]
    while cursor.at_index():
        labels.append(func.read_label(cursor))
    return (tuple(labels),)


def _local(cursor: Cursor, func: FuncScope, _op: Op) -> tuple[object, ...]:
    return (func.read_local(cursor),)


def _index(space: Space) -> Reader:
    """One index of a space."""

    def read(cursor: Cursor, func: FuncScope, _op: Op) -> tuple[object, ...]:
        return (func.module.spaces[space].read(cursor),)

    return read


def _optional_index(space: Space) -> Reader:
    """One index of a space, 0 where it is left out."""

    def read(cursor: Cursor, func: FuncScope, _op: Op) -> tuple[object, ...]:
        return (func.module.spaces[space].read(cursor) if cursor.at_index() else 0,)

    return read


def _two_or_none(space: Space) -> Reader:
    """Two indices of a space, both 0 where they are left out."""

    def read(cursor: Cursor, func: FuncScope, _op: Op) -> tuple[object, ...]:
        if not cursor.at_index():
            return (0, 0)
        indices = func.module.spaces[space]
        return (indices.read(cursor), indices.read(cursor))

    return read


def _segment(space: Space, segments: Space) -> Reader:
    """An optional index of a space and then a segment: ``table.init``, ``memory.init``."""

    def read(cursor: Cursor, func: FuncScope, _op: Op) -> tuple[object, ...]:
        start = cursor.pos
        if not cursor.at_index():
            raise cursor.unexpected()
        cursor.pos += 1
        if not cursor.at_index():
            cursor.pos = start
            return (func.module.read(segments, cursor), 0)
        cursor.pos = start
        into = func.module.read(space, cursor)
        return (func.module.read(segments, cursor), into)

    return read


def _call_indirect(cursor: Cursor, func: FuncScope, _op: Op) -> tuple[object, ...]:
    table = func.module.read(Space.TABLE, cursor) if cursor.at_index() else 0
    return (read_type_use(cursor, func.module, names=False), table)


def _memarg(cursor: Cursor, func: FuncScope, op: Op) -> tuple[object, ...]:
    memory = func.module.read(Space.MEMORY, cursor) if cursor.at_index() else 0
    offset, align = 0, op.natural_align
    match = _ARGUMENT.fullmatch(cursor.texts[cursor.pos])
    if match and match[1] == "offset":
        offset = cursor.number(read_unsigned, match[2], size_bits(cursor))
        match = _ARGUMENT.fullmatch(cursor.texts[cursor.pos])
    if match and match[1] == "align":
        value = cursor.number(read_unsigned, match[2], size_bits(cursor))
        if value == 0 or value & (value - 1):
            raise cursor.error("alignment must be a power of two", cursor.pos - 1)
        align = value.bit_length() - 1
    return (MemArg(align, offset, memory),)


def read_const_int(cursor: Cursor, bits: int) -> int:
    """Take an integer literal as its unsigned pattern."""
    return cursor.number(read_int, cursor.texts[cursor.pos], bits)


def read_const_float(cursor: Cursor, form: FloatFormat) -> int:
    """Take a float literal as its bit pattern."""
    return cursor.number(read_float, cursor.texts[cursor.pos], form)


def _i32(cursor: Cursor, _func: FuncScope, _op: Op) -> tuple[object, ...]:
    return (read_const_int(cursor, 32),)


def _i64(cursor: Cursor, _func: FuncScope, _op: Op) -> tuple[object, ...]:
    return (read_const_int(cursor, 64),)


def _f32(cursor: Cursor, _func: FuncScope, _op: Op) -> tuple[object, ...]:
    return (read_const_float(cursor, F32),)


def _f64(cursor: Cursor, _func: FuncScope, _op: Op) -> tuple[object, ...]:
    return (read_const_float(cursor, F64),)


def _heap(cursor: Cursor, func: FuncScope, _op: Op) -> tuple[object, ...]:
    return (read_heap(cursor, func.module),)


def _zero(_cursor: Cursor, _func: FuncScope, _op: Op) -> tuple[object, ...]:
    return (0,)


def select_types(cursor: Cursor, func: FuncScope) -> tuple[Op, tuple[object, ...]] | None:
    """Take the result types of a typed ``select``, if they come next: the typed instruction and its immediates."""
    if not cursor.opens("result"):
        return None
    return SELECT_T, (tuple(read_results(cursor, func.module)),)


_CATCHES = {
    "catch": CatchKind.CATCH,
    "catch_ref": CatchKind.CATCH_REF,
    "catch_all": CatchKind.CATCH_ALL,
    "catch_all_ref": CatchKind.CATCH_ALL_REF,
}


def read_catches(cursor: Cursor, func: FuncScope) -> tuple[Catch, ...]:
    """Take the clauses of a ``try_table``; their labels count from outside of it, so its own is not open yet."""
    clauses = []
    while cursor.texts[cursor.pos] == "(":
        kind = _CATCHES.get(cursor.texts[cursor.pos + 1])
        if kind is None:
            break
        cursor.pos += 2
        tagged = kind in {CatchKind.CATCH, CatchKind.CATCH_REF}
        tag = func.module.read(Space.TAG, cursor) if tagged else None
        clauses.append(Catch(kind, tag, func.read_label(cursor)))
        cursor.expect(")")
    return tuple(clauses)


#: Immediates as one tuple -> how they are read.
_BY_SHAPE: dict[tuple[Imm, ...], Reader] = {
    (Imm.LABEL,): _label,
    (Imm.LABELS,): _labels,
    (Imm.FUNC,): _index(Space.FUNC),
    (Imm.TYPE,): _index(Space.TYPE),
    (Imm.TYPE, Imm.TABLE): _call_indirect,
    (Imm.TABLE,): _optional_index(Space.TABLE),
    (Imm.TABLE, Imm.TABLE): _two_or_none(Space.TABLE),
    (Imm.ELEM, Imm.TABLE): _segment(Space.TABLE, Space.ELEM),
    (Imm.ELEM,): _index(Space.ELEM),
    (Imm.MEMORY,): _optional_index(Space.MEMORY),
    (Imm.MEMORY, Imm.MEMORY): _two_or_none(Space.MEMORY),
    (Imm.DATA, Imm.MEMORY): _segment(Space.MEMORY, Space.DATA),
    (Imm.DATA,): _index(Space.DATA),
    (Imm.GLOBAL,): _index(Space.GLOBAL),
    (Imm.LOCAL,): _local,
    (Imm.TAG,): _index(Space.TAG),
    (Imm.MEMARG,): _memarg,
    (Imm.I32,): _i32,
    (Imm.I64,): _i64,
    (Imm.F32,): _f32,
    (Imm.F64,): _f64,
    (Imm.HEAP,): _heap,
    (Imm.ZERO,): _zero,
}

#: ``Op.index`` -> reader, ``None`` where there is nothing to read (or where blocks read it themselves).
READERS: tuple[Reader | None, ...] = tuple(_BY_SHAPE.get(op.imms) for op in TABLE)


def allowed(op: Op, features: frozenset[Feature]) -> bool:
    """Whether an instruction belongs to the enabled features; ``throw`` belongs to either exception proposal."""
    return op.feature in features or (op.name == "throw" and Feature.LEGACY_EXCEPTIONS in features)
