"""A module to bytes (spec §5): every part of it in the shortest form, custom sections where they stood."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from lindref.wasm.binary.decoder import FUNC_REF, MAGIC, ORDER, VERSION
from lindref.wasm.binary.leb import signed, unsigned
from lindref.wasm.binary.types import (
    EMPTY_BLOCK,
    FUNC,
    HEAP_TYPES,
    NON_NULL,
    NULLABLE,
    NUM_TYPES,
    REC,
    SUB,
    SUB_FINAL,
)
from lindref.wasm.instructions import BY_NAME, Catch, Imm, MemArg
from lindref.wasm.module import (
    Code,
    Data,
    Elem,
    Export,
    Expr,
    ExternKind,
    Global,
    Import,
    Instr,
    Module,
    SegmentMode,
    Table,
)
from lindref.wasm.types import (
    FUNCREF,
    AbsHeap,
    BlockType,
    FuncType,
    GlobalType,
    HeapType,
    Limits,
    MemoryType,
    NumType,
    RecGroup,
    SubType,
    TableType,
    TagType,
    ValType,
)

T = TypeVar("T")

_NUM_CODES = {kind: code for code, kind in NUM_TYPES.items()}
_HEAP_CODES = {heap: code for code, (heap, _) in HEAP_TYPES.items()}
_REF_FUNC = BY_NAME["ref.func"]


def encode(module: Module) -> bytes:
    """The binary of ``module``: ``decode`` makes an equal module of it.

    A data count section is written if the module has one, a body needs one or a custom section follows it. A section
    without entries is written only to keep a custom section in its place. Decodes bodies that are not decoded yet
    (raising ``Malformed``).
    """
    sections = dict(_sections(module))
    if 12 not in sections and _counts_data(module):
        sections[12] = unsigned(len(module.datas))
    out = [MAGIC, VERSION]
    for section in (0, *ORDER):
        customs = [c for c in module.customs if c.after == section]
        if section in sections:
            out += _section(section, sections[section])
        elif customs and section not in (0, 8):
            out += _section(section, b"\0")
        for custom in customs:
            out += _section(0, name(custom.name) + custom.data)
    return b"".join(out)


def _counts_data(module: Module) -> bool:
    """Whether something asks for a data count section."""
    if any(custom.after == 12 for custom in module.customs):
        return True
    return any(Imm.DATA in instr.op.imms for code in module.codes for instr in code.body)


def _section(section: int, content: bytes) -> tuple[bytes, bytes, bytes]:
    """A section: id, size, content."""
    return bytes((section,)), unsigned(len(content)), content


def _sections(module: Module) -> Iterator[tuple[int, bytes]]:
    """The non-custom sections that have something in them: id and content."""
    entries: list[tuple[int, list[bytes]]] = [
        (1, [rec_group(g) for g in module.rec_groups]),
        (2, [_import(i) for i in module.imports]),
        (3, [unsigned(f) for f in module.funcs]),
        (4, [_table(t) for t in module.tables]),
        (5, [memory_type(m) for m in module.memories]),
        (13, [tag_type(t) for t in module.tags]),
        (6, [_global(g) for g in module.globals]),
        (7, [_export(e) for e in module.exports]),
        (9, [_elem(e) for e in module.elems]),
        (10, [_code(c) for c in module.codes]),
        (11, [_data(d) for d in module.datas]),
    ]
    for section, items in entries:
        if items:
            yield section, unsigned(len(items)) + b"".join(items)
    if module.start is not None:
        yield 8, unsigned(module.start)
    if module.data_count is not None:
        yield 12, unsigned(module.data_count)


def _vector(items: Iterable[T], encoder: Callable[[T], bytes]) -> bytes:
    """A counted sequence."""
    encoded = [encoder(item) for item in items]
    return unsigned(len(encoded)) + b"".join(encoded)


def name(text: str) -> bytes:
    """A name: counted UTF-8."""
    raw = text.encode("utf-8")
    return unsigned(len(raw)) + raw


# Types (spec §5.3).


def heap_type(heap: HeapType) -> bytes:
    """A heap type of module syntax."""
    if isinstance(heap, AbsHeap):
        return bytes((_HEAP_CODES[heap],))
    assert isinstance(heap, int), "canonical types have no binary form"
    return signed(heap)


def val_type(kind: ValType) -> bytes:
    """A value type; nullable abstract references in their short form."""
    if isinstance(kind, NumType):
        return bytes((_NUM_CODES[kind],))
    if kind.nullable and isinstance(kind.heap, AbsHeap):
        return heap_type(kind.heap)
    return bytes((NULLABLE if kind.nullable else NON_NULL,)) + heap_type(kind.heap)


def block_type(block: BlockType) -> bytes:
    """A block type."""
    if block.type_index is not None:
        return signed(block.type_index)
    return bytes((EMPTY_BLOCK,)) if block.result is None else val_type(block.result)


def func_type(func: FuncType) -> bytes:
    """A function type."""
    return bytes((FUNC,)) + _vector(func.params, val_type) + _vector(func.results, val_type)


def sub_type(sub: SubType) -> bytes:
    """A member of a recursive group; a final one without supertypes in its short form."""
    if sub.final and not sub.supers:
        return func_type(sub.comp)
    supers = [s for s in sub.supers if isinstance(s, int)]
    assert len(supers) == len(sub.supers), "canonical types have no binary form"
    return bytes((SUB_FINAL if sub.final else SUB,)) + _vector(supers, unsigned) + func_type(sub.comp)


def rec_group(group: RecGroup) -> bytes:
    """A recursive group; a group of one in its short form."""
    if len(group.members) == 1:
        return sub_type(group.members[0])
    return bytes((REC,)) + _vector(group.members, sub_type)


def _limits(limits: Limits, flags: int = 0) -> bytes:
    """Limits, with flags besides "has a maximum"."""
    if limits.maximum is None:
        return bytes((flags,)) + unsigned(limits.minimum)
    return bytes((flags | 1,)) + unsigned(limits.minimum) + unsigned(limits.maximum)


def table_type(table: TableType) -> bytes:
    """A table type."""
    return val_type(table.ref) + _limits(table.limits)


def memory_type(memory: MemoryType) -> bytes:
    """A memory type."""
    return _limits(memory.limits, 2 if memory.shared else 0)


def global_type(kind: GlobalType) -> bytes:
    """A global's type."""
    return val_type(kind.value) + bytes((kind.mutable,))


def tag_type(tag: TagType) -> bytes:
    """A tag's type."""
    return b"\0" + unsigned(tag.type_index)


# Instructions (spec §5.4).


def _signed_const(bits: int) -> Callable[[int], bytes]:
    """The encoder of an integer constant, which is unsigned in a module and signed in bytes."""
    return lambda value: signed(value - (1 << bits) if value >> (bits - 1) else value)


def _memarg(arg: MemArg) -> bytes:
    """A memory argument."""
    if arg.memory:
        return unsigned(arg.align | 0x40) + unsigned(arg.memory) + unsigned(arg.offset)
    return unsigned(arg.align) + unsigned(arg.offset)


def _catch(catch: Catch) -> bytes:
    """A clause of ``try_table``."""
    tag = b"" if catch.tag is None else unsigned(catch.tag)
    return bytes((catch.kind,)) + tag + unsigned(catch.label)


def _labels(labels: tuple[int, ...]) -> bytes:
    """The targets of ``br_table``: the last one, the default, is not counted."""
    return _vector(labels[:-1], unsigned) + unsigned(labels[-1])


_IMMEDIATES: dict[Imm, Callable[..., bytes]] = {
    Imm.BLOCK: block_type,
    Imm.LABELS: _labels,
    Imm.MEMARG: _memarg,
    Imm.I32: _signed_const(32),
    Imm.I64: _signed_const(64),
    Imm.F32: struct.Struct("<I").pack,
    Imm.F64: struct.Struct("<Q").pack,
    Imm.HEAP: heap_type,
    Imm.VALTYPES: lambda types: _vector(types, val_type),
    Imm.CATCHES: lambda catches: _vector(catches, _catch),
}


def instruction(instr: Instr) -> bytes:
    """One instruction."""
    op, args, _ = instr
    code = bytes((op.code,)) if op.prefix is None else bytes((op.prefix,)) + unsigned(op.code)
    if not args:
        return code
    return code + b"".join(
        [_IMMEDIATES.get(imm, unsigned)(arg) for imm, arg in zip(op.imms, args, strict=True)]
    )


def expression(instrs: Iterable[Instr]) -> bytes:
    """A flat sequence with its closing ``end``."""
    return b"".join([instruction(i) for i in instrs])


# Entries of sections (spec §5.5).

_EXTERNS: dict[ExternKind, Callable[..., bytes]] = {
    ExternKind.FUNC: unsigned,
    ExternKind.TABLE: table_type,
    ExternKind.MEMORY: memory_type,
    ExternKind.GLOBAL: global_type,
    ExternKind.TAG: tag_type,
}


def _import(item: Import) -> bytes:
    """An import."""
    return name(item.module) + name(item.name) + bytes((item.kind,)) + _EXTERNS[item.kind](item.desc)


def _export(item: Export) -> bytes:
    """An export."""
    return name(item.name) + bytes((item.kind,)) + unsigned(item.index)


def _table(table: Table) -> bytes:
    """A table with or without an initial element."""
    if table.init is None:
        return table_type(table.type)
    return b"\x40\x00" + table_type(table.type) + expression(table.init)


def _global(item: Global) -> bytes:
    """A global."""
    return global_type(item.type) + expression(item.init)


def _indices(elem: Elem) -> list[int] | None:
    """The function indices of a segment that can be written as such."""
    if elem.type != FUNC_REF:
        return None
    found: list[int] = []
    for expr in elem.init:
        if len(expr) != 2 or expr[0].op is not _REF_FUNC:
            return None
        index = expr[0].args[0]
        assert isinstance(index, int)
        found.append(index)
    return found


def _elem(elem: Elem) -> bytes:
    """An element segment in its shortest form."""
    indices = _indices(elem)
    implied = FUNCREF if indices is None else FUNC_REF
    active = elem.mode is SegmentMode.ACTIVE
    if active and elem.table == 0 and elem.type == implied:
        flags = 0
    elif active:
        flags = 2
    else:
        flags = 1 if elem.mode is SegmentMode.PASSIVE else 3
    out = unsigned(flags | (4 if indices is None else 0))
    if flags == 2:
        out += unsigned(elem.table)
    if active:
        out += expression(elem.offset)
    if indices is not None:
        return out + (b"\0" if flags else b"") + _vector(indices, unsigned)
    return out + (val_type(elem.type) if flags else b"") + _vector(elem.init, expression)


def _locals_and_body(locals_: tuple[tuple[int, ValType], ...], body: Expr) -> bytes:
    """The content of a code entry."""
    return _vector(locals_, lambda run: unsigned(run[0]) + val_type(run[1])) + expression(body)


def _code(code: Code) -> bytes:
    """A code entry."""
    content = _locals_and_body(code.locals_, code.body)
    return unsigned(len(content)) + content


def _data(data: Data) -> bytes:
    """A data segment."""
    content = unsigned(len(data.init)) + data.init
    if data.mode is SegmentMode.PASSIVE:
        return b"\1" + content
    if data.memory:
        return b"\2" + unsigned(data.memory) + expression(data.offset) + content
    return b"\0" + expression(data.offset) + content
