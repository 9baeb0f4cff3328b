"""Instruction sequences in the binary format (spec §5.4): function bodies and constant expressions.

The loop in ``read_expr`` is the hot one of loading a module. It dispatches on a table made once for each feature
set, reads one- and two-byte indices in place, and leaves every rarer immediate to ``immediate``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache

from lindref import classes
from lindref.wasm.binary.leb import read_signed, read_unsigned
from lindref.wasm.binary.reader import ENDED, Reader, unsupported
from lindref.wasm.binary.types import EMPTY_BLOCK, block_type, heap_type, val_type
from lindref.wasm.errors import Malformed, WasmError
from lindref.wasm.features import BUILT, Feature
from lindref.wasm.instructions import (
    BY_CODE,
    UNBUILT_OPCODES,
    UNBUILT_PREFIXES,
    Catch,
    CatchKind,
    Imm,
    MemArg,
    Op,
)
from lindref.wasm.module import Instr
from lindref.wasm.types import BlockType

# How the loop treats an opcode.
_PLAIN, _INDEX, _I32, _MEMARG, _OPEN, _END, _MIDDLE, _OTHER, _PREFIX, _REFUSED = range(10)

# What the loop remembers of an open block: which opcodes may divide it.
_BLOCK, _IF, _TRY, _CATCH = range(4)

_INDICES = {Imm.LABEL, Imm.FUNC, Imm.TYPE, Imm.TABLE, Imm.GLOBAL, Imm.LOCAL, Imm.ELEM, Imm.DATA, Imm.TAG}

#: ``(n,)`` for every one-byte index and the ``i32.const`` of every one-byte number: most arguments are one of these.
_ONE: tuple[tuple[int], ...] = tuple((n,) for n in range(0x80))
_ONE_I32: tuple[tuple[int], ...] = tuple(((n if n < 0x40 else n - 0x80) & 0xFFFFFFFF,) for n in range(0x80))

_EMPTY = (BlockType(),)

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")

#: How the loop treats each opcode, and the opcode's row (for prefixes and unknown ones: none).
Dispatch = list[tuple[int, Op | None]]


def _treatment(op: Op, features: frozenset[Feature]) -> int:
    """How the loop treats an instruction without prefix."""
    if op.feature is not Feature.BASE and (op.feature not in features or op.feature not in BUILT):
        return _REFUSED
    if op.name == "end":
        return _END
    if op.name in ("else", "catch", "catch_all", "delegate"):
        return _MIDDLE
    if Imm.BLOCK in op.imms:
        return _OPEN
    if not op.imms:
        return _PLAIN
    if len(op.imms) == 1:
        if op.imms[0] in _INDICES:
            return _INDEX
        return {Imm.I32: _I32, Imm.MEMARG: _MEMARG}.get(op.imms[0], _OTHER)
    return _OTHER


@lru_cache(maxsize=64)
def dispatch(features: frozenset[Feature]) -> Dispatch:
    """The 256 treatments of a first byte under a feature set."""
    table: Dispatch = [(_REFUSED, None)] * 256
    for (prefix, code), op in BY_CODE.items():
        if prefix is None:
            table[code] = _treatment(op, features), op
        else:
            table[prefix] = _PREFIX, None
    return table


def _refuse(reader: Reader, pos: int, op: Op | None, code: int, sub: int | None = None) -> WasmError:
    """The error for an opcode at ``pos`` that is unknown or needs a feature."""
    if op is not None:
        return unsupported(op.feature, reader.where(pos))
    feature = UNBUILT_PREFIXES.get(code) or UNBUILT_OPCODES.get(code)
    if feature is not None:
        return unsupported(feature, reader.where(pos))
    return reader.malformed(f"illegal opcode {code:02x}" + ("" if sub is None else f" {sub:02x}"), pos)


def _prefixed(reader: Reader, start: int) -> Op:
    """The row of a prefixed instruction that starts at ``start``; the prefix is already taken."""
    prefix = reader.data[start]
    if prefix in UNBUILT_PREFIXES:
        raise _refuse(reader, start, None, prefix)
    code = reader.u32()
    op = BY_CODE.get((prefix, code))
    if op is None:
        raise _refuse(reader, start, None, prefix, code)
    if op.feature is not Feature.BASE:
        reader.need(op.feature)
    return op


def _memory_index(reader: Reader) -> int:
    """A memory index; without multiple memories the byte is reserved."""
    if Feature.MULTI_MEMORY in reader.features:
        return reader.u32()
    reader.zero()
    return 0


def _memarg(reader: Reader) -> MemArg:
    """A memory argument: flags with the alignment and whether a memory index follows, and a 64-bit offset."""
    pos = reader.pos
    flags = reader.u32()
    if flags >= (0x80 if Feature.MULTI_MEMORY in reader.features else 0x40):
        raise reader.malformed("malformed memop flags", pos)
    memory = reader.u32() if flags & 0x40 else 0
    return MemArg(flags & 0x3F, reader.unsigned(64), memory)


def _labels(reader: Reader) -> tuple[int, ...]:
    """The targets of ``br_table``, the default last."""
    return (*reader.vector(Reader.u32), reader.u32())


def _catch(reader: Reader) -> Catch:
    """A clause of ``try_table``."""
    kind = reader.byte()
    if kind > 3:
        raise reader.malformed("malformed catch clause", reader.pos - 1)
    tag = reader.u32() if kind < 2 else None
    return Catch(CatchKind(kind), tag, reader.u32())


def _reserved(reader: Reader) -> int:
    """A reserved zero byte."""
    reader.zero()
    return 0


_IMMEDIATES: dict[Imm, Callable[[Reader], object]] = {
    Imm.BLOCK: block_type,
    Imm.LABELS: _labels,
    Imm.MEMORY: _memory_index,
    Imm.MEMARG: _memarg,
    Imm.I32: lambda reader: reader.signed(32) & 0xFFFFFFFF,
    Imm.I64: lambda reader: reader.signed(64) & 0xFFFFFFFFFFFFFFFF,
    Imm.F32: lambda reader: _U32.unpack(reader.take(4))[0],
    Imm.F64: lambda reader: _U64.unpack(reader.take(8))[0],
    Imm.HEAP: heap_type,
    Imm.VALTYPES: lambda reader: reader.vector(val_type),
    Imm.CATCHES: lambda reader: reader.vector(_catch),
    Imm.ZERO: _reserved,
} | dict.fromkeys(_INDICES, Reader.u32)


def _immediates(reader: Reader, op: Op) -> tuple[object, ...]:
    """The arguments of an instruction, one for each of its immediates."""
    return tuple([_IMMEDIATES[imm](reader) for imm in op.imms])


@classes.frozen
class Instructions:
    """Instructions up to and including their closing ``end``."""

    instrs: tuple[Instr, ...]
    end: int
    """The position after them."""
    data_use: int | None
    """Where the first instruction stands that names a data segment: it needs a data count section."""


def read_expr(reader: Reader, limit: int) -> Instructions:
    """The instructions from the reader's position to the ``end`` that closes them.

    ``limit`` is where they ought to be over: an instruction that *starts* there is an error (found by looking at
    its first byte alone, so that a body costs time in proportion to its own size).

    Raises:
        Malformed: with the messages of the official scripts.
        Unsupported: an instruction or type needs a feature that is not there.
    """
    data = reader.data
    limit = min(limit, len(data))
    table = dispatch(reader.features)
    memargs: dict[tuple[int, int], tuple[MemArg]] = {}
    make = tuple.__new__
    out: list[Instr] = []
    add = out.append
    blocks: list[int] = []
    data_use: int | None = None
    empty: tuple[object, ...] = ()
    args: tuple[object, ...]
    pos = reader.pos
    try:
        while True:
            start = pos
            if start >= limit:
                raise _overrun(reader, start)
            byte = data[start]
            pos += 1
            how, op = table[byte]
            if how == _INDEX:
                value = data[pos]
                pos += 1
                if value < 0x80:
                    args = _ONE[value]
                else:
                    high = data[pos]
                    if high < 0x80:
                        pos += 1
                        args = (value & 0x7F | high << 7,)
                    else:
                        value, pos = read_unsigned(data, pos - 1, 32)
                        args = (value,)
            elif how == _PLAIN:
                args = empty
            elif how == _I32:
                value = data[pos]
                if value < 0x80:
                    pos += 1
                    args = _ONE_I32[value]
                else:
                    value, pos = read_signed(data, pos, 32)
                    args = (value & 0xFFFFFFFF,)
            elif how == _MEMARG:
                align = data[pos]
                offset = data[pos + 1]
                if align < 0x40 and offset < 0x80:
                    pos += 2
                    key = (align, offset)
                    known = memargs.get(key)
                    if known is None:
                        known = memargs[key] = (MemArg(align, offset),)
                    args = known
                else:
                    reader.pos = pos
                    args = (_memarg(reader),)
                    pos = reader.pos
            elif how == _END:
                add(make(Instr, (op, empty, start)))
                if not blocks:
                    return Instructions(tuple(out), pos, data_use)
                blocks.pop()
                continue
            elif how == _REFUSED:
                raise _refuse(reader, start, op, byte)
            else:
                if how == _PREFIX:
                    reader.pos = pos
                    op = _prefixed(reader, start)
                else:
                    assert op is not None
                    if how == _OPEN:
                        blocks.append(_OPENERS.get(op.name, _BLOCK))
                        if len(op.imms) == 1 and data[pos] == EMPTY_BLOCK:
                            pos += 1
                            add(make(Instr, (op, _EMPTY, start)))
                            continue
                    elif how == _MIDDLE and not _divide(blocks, op.name):
                        raise reader.malformed("END opcode expected", start)
                    reader.pos = pos
                args = _immediates(reader, op)
                pos = reader.pos
                if data_use is None and Imm.DATA in op.imms:
                    data_use = start
            add(make(Instr, (op, args, start)))
    except IndexError:
        # Only ``data[...]`` can be out of range above: the dispatch table has a row for every byte.
        raise reader.malformed(ENDED, len(data)) from None


_OPENERS = {"if": _IF, "try": _TRY}


def _divide(blocks: list[int], name: str) -> bool:
    """Whether ``else``, ``catch``, ``catch_all`` or ``delegate`` may stand here; notes that it does."""
    block = blocks[-1] if blocks else _BLOCK
    if name == "else":
        allowed, after = block == _IF, _BLOCK
    elif name == "catch":
        allowed, after = block in (_TRY, _CATCH), _CATCH
    elif name == "catch_all":
        allowed, after = block in (_TRY, _CATCH), _BLOCK
    else:
        allowed, after = block == _TRY, _BLOCK
    if allowed and name == "delegate":
        blocks.pop()
    elif allowed:
        blocks[-1] = after
    return allowed


def _overrun(reader: Reader, pos: int) -> Malformed:
    """The error for a sequence that is not closed where it ought to be over.

    As the reference interpreter has it, which reads on: what follows may look like a part of the body.
    """
    if pos >= len(reader.data):
        return reader.malformed(ENDED, len(reader.data))
    name = getattr(dispatch(reader.features)[reader.data[pos]][1], "name", "")
    if name in ("else", "catch", "catch_all", "delegate"):
        return reader.malformed("END opcode expected", pos)
    return reader.malformed("section size mismatch", pos)
