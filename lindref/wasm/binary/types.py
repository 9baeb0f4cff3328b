"""Types in the binary format (spec §5.3), read from a ``Reader``."""

from __future__ import annotations

from lindref.wasm.binary.reader import Reader, unsupported
from lindref.wasm.features import Feature
from lindref.wasm.types import (
    AbsHeap,
    BlockType,
    FuncType,
    GlobalType,
    HeapType,
    Limits,
    MemoryType,
    NumType,
    RecGroup,
    RefType,
    SubType,
    TableType,
    TagType,
    ValType,
)

#: Number and vector types by their byte.
NUM_TYPES: dict[int, NumType] = {
    0x7F: NumType.I32,
    0x7E: NumType.I64,
    0x7D: NumType.F32,
    0x7C: NumType.F64,
    0x7B: NumType.V128,
}

#: Abstract heap types by their byte, with the feature each belongs to.
HEAP_TYPES: dict[int, tuple[AbsHeap, Feature]] = {
    0x74: (AbsHeap.NOEXN, Feature.EXCEPTIONS),
    0x73: (AbsHeap.NOFUNC, Feature.FUNCTION_REFERENCES),
    0x72: (AbsHeap.NOEXTERN, Feature.FUNCTION_REFERENCES),
    0x71: (AbsHeap.NONE, Feature.FUNCTION_REFERENCES),
    0x70: (AbsHeap.FUNC, Feature.BASE),
    0x6F: (AbsHeap.EXTERN, Feature.BASE),
    0x6E: (AbsHeap.ANY, Feature.FUNCTION_REFERENCES),
    0x6D: (AbsHeap.EQ, Feature.FUNCTION_REFERENCES),
    0x6C: (AbsHeap.I31, Feature.FUNCTION_REFERENCES),
    0x6B: (AbsHeap.STRUCT, Feature.FUNCTION_REFERENCES),
    0x6A: (AbsHeap.ARRAY, Feature.FUNCTION_REFERENCES),
    0x69: (AbsHeap.EXN, Feature.EXCEPTIONS),
}

NULLABLE = 0x63
NON_NULL = 0x64
EMPTY_BLOCK = 0x40
FUNC = 0x60
STRUCT = 0x5F
ARRAY = 0x5E
SUB = 0x50
SUB_FINAL = 0x4F
REC = 0x4E


def bad_type(reader: Reader, message: str) -> Exception:
    """What is wrong with the type byte just taken: type codes are one-byte signed LEB128 numbers."""
    pos = reader.pos - 1
    if reader.data[pos] >= 0x80:
        message = "integer representation too long"
    return reader.malformed(message, pos)


def _abstract(reader: Reader, byte: int) -> AbsHeap | None:
    """The abstract heap type with this code, if there is one and it may be used."""
    found = HEAP_TYPES.get(byte)
    if found is None:
        return None
    heap, feature = found
    if feature is not Feature.BASE:
        reader.need(feature)
    return heap


def heap_type(reader: Reader) -> HeapType:
    """A heap type: an abstract one, or a type index as a non-negative 33-bit integer."""
    byte = reader.peek()
    if 0x40 <= byte < 0x80:
        reader.pos += 1
        abstract = _abstract(reader, byte)
        if abstract is None:
            raise bad_type(reader, "malformed heap type")
        return abstract
    pos = reader.pos
    index = reader.signed(33)
    if index < 0:
        raise reader.malformed("malformed heap type", pos)
    reader.need(Feature.FUNCTION_REFERENCES)
    return index


def _reference(reader: Reader, byte: int) -> RefType | None:
    """The reference type that starts with ``byte`` (already taken), if one does."""
    if byte in (NULLABLE, NON_NULL):
        reader.need(Feature.FUNCTION_REFERENCES)
        return RefType(byte == NULLABLE, heap_type(reader))
    abstract = _abstract(reader, byte)
    return None if abstract is None else RefType(True, abstract)


def ref_type(reader: Reader) -> RefType:
    """A reference type."""
    found = _reference(reader, reader.byte())
    if found is None:
        raise bad_type(reader, "malformed reference type")
    return found


def val_type(reader: Reader) -> ValType:
    """A value type; ``Unsupported`` for ``v128``."""
    byte = reader.byte()
    number = NUM_TYPES.get(byte)
    if number is not None:
        if number is NumType.V128:
            raise unsupported(Feature.SIMD, reader.where(reader.pos - 1))
        return number
    found = _reference(reader, byte)
    if found is None:
        raise bad_type(reader, "malformed value type")
    return found


def block_type(reader: Reader) -> BlockType:
    """A block's type: empty, one value type, or a type index as a non-negative 33-bit integer."""
    byte = reader.peek()
    if byte == EMPTY_BLOCK:
        reader.pos += 1
        return BlockType()
    if 0x40 < byte < 0x80:
        return BlockType(result=val_type(reader))
    pos = reader.pos
    index = reader.signed(33)
    if index < 0:
        raise reader.malformed("malformed block type", pos)
    return BlockType(type_index=index)


def func_type(reader: Reader) -> FuncType:
    """A composite type, of which only functions are built."""
    byte = reader.byte()
    if byte != FUNC:
        if byte in (STRUCT, ARRAY):
            raise unsupported(Feature.GC, reader.where(reader.pos - 1))
        raise bad_type(reader, "malformed definition type")
    return FuncType(reader.vector(val_type), reader.vector(val_type))


def sub_type(reader: Reader) -> SubType:
    """A member of a recursive group."""
    byte = reader.peek()
    if byte not in (SUB, SUB_FINAL):
        return SubType(func_type(reader))
    reader.need(Feature.FUNCTION_REFERENCES)
    reader.pos += 1
    supers = reader.vector(Reader.u32)
    return SubType(func_type(reader), byte == SUB_FINAL, supers)


def rec_group(reader: Reader) -> RecGroup:
    """A recursive group, or the group of one that a type outside any is."""
    if reader.peek() != REC:
        return RecGroup((sub_type(reader),))
    reader.need(Feature.FUNCTION_REFERENCES)
    reader.pos += 1
    return RecGroup(reader.vector(sub_type))


def _limits(reader: Reader, allowed: int) -> tuple[Limits, int]:
    """Limits and their flags: 1 has a maximum, 2 shared (where ``allowed``), 4 counts in 64 bits."""
    flags = reader.byte()
    if flags & ~allowed:
        raise reader.malformed("malformed limits flags", reader.pos - 1)
    if flags & 4:
        raise unsupported(Feature.MEMORY64, reader.where(reader.pos - 1))
    # 64 bits are read whatever the address type: too much for 32 bits is invalid, not malformed.
    minimum = reader.unsigned(64)
    return Limits(minimum, reader.unsigned(64) if flags & 1 else None), flags


def table_type(reader: Reader) -> TableType:
    """A table type."""
    ref = ref_type(reader)
    return TableType(_limits(reader, 0b101)[0], ref)


def memory_type(reader: Reader) -> MemoryType:
    """A memory type."""
    limits, flags = _limits(reader, 0b111)
    if flags & 2:
        reader.need(Feature.THREADS)
    return MemoryType(limits, bool(flags & 2))


def global_type(reader: Reader) -> GlobalType:
    """A global's type."""
    value = val_type(reader)
    mutable = reader.byte()
    if mutable > 1:
        raise reader.malformed("malformed mutability", reader.pos - 1)
    return GlobalType(value, bool(mutable))


def tag_type(reader: Reader) -> TagType:
    """A tag's type: the attribute "exception" and a type index."""
    if not reader.features & {Feature.EXCEPTIONS, Feature.LEGACY_EXCEPTIONS}:
        raise unsupported(Feature.EXCEPTIONS, reader.where())
    reader.zero()
    return TagType(reader.u32())
