"""Types in text (spec §6.4): value and reference types, limits, types of externals, definitions and uses."""

from __future__ import annotations

from lindref.wasm.errors import Unsupported
from lindref.wasm.features import Feature
from lindref.wasm.text.cursor import Cursor
from lindref.wasm.text.scope import EMPTY_BLOCK, FuncScope, ModuleScope, Space
from lindref.wasm.types import (
    EXNREF,
    EXTERNREF,
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
    RefType,
    SubType,
    TableType,
    ValType,
)

_NUM = {"i32": NumType.I32, "i64": NumType.I64, "f32": NumType.F32, "f64": NumType.F64}

#: Short forms of nullable reference types.
_SHORT = {
    "funcref": FUNCREF,
    "externref": EXTERNREF,
    "exnref": EXNREF,
    "anyref": RefType(True, AbsHeap.ANY),
    "eqref": RefType(True, AbsHeap.EQ),
    "i31ref": RefType(True, AbsHeap.I31),
    "structref": RefType(True, AbsHeap.STRUCT),
    "arrayref": RefType(True, AbsHeap.ARRAY),
    "nullref": RefType(True, AbsHeap.NONE),
    "nullfuncref": RefType(True, AbsHeap.NOFUNC),
    "nullexternref": RefType(True, AbsHeap.NOEXTERN),
    "nullexnref": RefType(True, AbsHeap.NOEXN),
}
_HEAPS = {heap.value: heap for heap in AbsHeap}

#: The proposals whose merger into wasm 3.0 made sizes and offsets in text 64-bit numbers, checked by validation. Where
#: none of them is enabled they are 32-bit numbers, and larger ones malformed.
_WASM3 = frozenset(
    {
        Feature.EXTENDED_CONST,
        Feature.MULTI_MEMORY,
        Feature.TAIL_CALL,
        Feature.FUNCTION_REFERENCES,
        Feature.EXCEPTIONS,
    }
)


def size_bits(cursor: Cursor) -> int:
    """The width of sizes and offsets in text."""
    return 64 if cursor.features & _WASM3 else 32


def _need_heap(cursor: Cursor, heap: AbsHeap) -> None:
    """Check the feature an abstract heap type belongs to."""
    if heap in {AbsHeap.FUNC, AbsHeap.EXTERN}:
        return
    feature = Feature.EXCEPTIONS if heap in {AbsHeap.EXN, AbsHeap.NOEXN} else Feature.FUNCTION_REFERENCES
    cursor.need(feature, f"heap type {heap}")


def read_heap(cursor: Cursor, scope: ModuleScope) -> HeapType:
    """Take a heap type."""
    heap = _HEAPS.get(cursor.texts[cursor.pos])
    if heap is not None:
        _need_heap(cursor, heap)
        cursor.pos += 1
        return heap
    if not cursor.at_index():
        raise cursor.unexpected()
    cursor.need(Feature.FUNCTION_REFERENCES, "a typed reference")
    return scope.read(Space.TYPE, cursor)


def optional_ref(cursor: Cursor, scope: ModuleScope) -> RefType | None:
    """Take a reference type if one comes next."""
    short = _SHORT.get(cursor.texts[cursor.pos])
    if short is not None:
        assert isinstance(short.heap, AbsHeap)
        _need_heap(cursor, short.heap)
        cursor.pos += 1
        return short
    if not cursor.opens("ref"):
        return None
    cursor.need(Feature.FUNCTION_REFERENCES, "a typed reference")
    cursor.pos += 2
    nullable = cursor.accept("null")
    heap = read_heap(cursor, scope)
    cursor.expect(")")
    return RefType(nullable, heap)


def read_ref(cursor: Cursor, scope: ModuleScope) -> RefType:
    """Take a reference type."""
    found = optional_ref(cursor, scope)
    if found is None:
        raise cursor.unexpected()
    return found


def read_val(cursor: Cursor, scope: ModuleScope) -> ValType:
    """Take a value type."""
    text = cursor.texts[cursor.pos]
    num = _NUM.get(text)
    if num is not None:
        cursor.pos += 1
        return num
    if text == "v128":
        raise Unsupported("v128 needs the feature simd", cursor.tokens.where(cursor.pos))
    return read_ref(cursor, scope)


def read_vals(cursor: Cursor, scope: ModuleScope) -> list[ValType]:
    """Take value types up to and including the closing parenthesis."""
    found = []
    while not cursor.accept(")"):
        found.append(read_val(cursor, scope))
    return found


def read_params(cursor: Cursor, scope: ModuleScope, func: FuncScope | None, *, names: bool) -> list[ValType]:
    """Take ``(param …)*``; identifiers are bound in ``func`` or, without it, ignored; with ``names`` off, refused."""
    params: list[ValType] = []
    while cursor.accept_open("param"):
        if names and cursor.at_id():
            if func is None:
                cursor.optional_id()
            else:
                func.local_count = len(params)
                func.bind_local(cursor)
            params.append(read_val(cursor, scope))
            cursor.expect(")")
        else:
            params += read_vals(cursor, scope)
    return params


def read_results(cursor: Cursor, scope: ModuleScope) -> list[ValType]:
    """Take ``(result …)*``."""
    results: list[ValType] = []
    while cursor.accept_open("result"):
        results += read_vals(cursor, scope)
    return results


def _read_use(
    cursor: Cursor, scope: ModuleScope, func: FuncScope | None, *, names: bool
) -> tuple[int | None, FuncType]:
    """Take a type use: the index given with ``(type x)``, if any, and what was written inline, checked against it."""
    start = cursor.pos
    given = None
    if cursor.accept_open("type"):
        given = scope.read(Space.TYPE, cursor)
        cursor.expect(")")
    params = read_params(cursor, scope, func, names=names)
    results = read_results(cursor, scope)
    if cursor.texts[cursor.pos] == "(" and cursor.texts[cursor.pos + 1] in {"param", "type"}:
        raise cursor.unexpected(cursor.pos + 1)  # out of order: that comes before what it says
    inline = FuncType(tuple(params), tuple(results))
    if given is not None and (params or results):
        if given >= len(scope.types):
            raise cursor.error(f"unknown type {given}", start)
        if scope.types[given].comp != inline:
            raise cursor.error("inline function type", start)
    return given, inline


def read_type_use(cursor: Cursor, scope: ModuleScope, func: FuncScope | None = None, *, names: bool = True) -> int:
    """Take a type use (spec §6.4.13): ``(type x)``, parameters and results, or both; the type's index.

    With ``func``, its parameters are counted and their identifiers bound there (none where the index is unknown).
    """
    given, inline = _read_use(cursor, scope, func, names=names)
    index = scope.implicit(inline) if given is None else given
    if func is not None:
        func.local_count = len(scope.types[index].comp.params) if index < len(scope.types) else 0
    return index


def read_block_type(cursor: Cursor, scope: ModuleScope) -> BlockType:
    """Take a block type: nothing, one result, or a type use without identifiers."""
    if cursor.texts[cursor.pos] != "(" or cursor.texts[cursor.pos + 1] not in {"type", "param", "result"}:
        return EMPTY_BLOCK
    given, inline = _read_use(cursor, scope, None, names=False)
    if given is None:
        if not inline.params and len(inline.results) <= 1:
            return BlockType(result=inline.results[0]) if inline.results else EMPTY_BLOCK
        given = scope.implicit(inline)
    return BlockType(type_index=given)


def read_limits(cursor: Cursor) -> Limits:
    """Take one or two sizes."""
    for width in ("i64", "i32"):
        if cursor.texts[cursor.pos] == width:
            if width == "i64":
                raise Unsupported("64-bit addresses need the feature memory64", cursor.tokens.where(cursor.pos))
            cursor.pos += 1
            break
    bits = size_bits(cursor)
    minimum = cursor.unsigned(bits)
    maximum = cursor.unsigned(bits) if cursor.texts[cursor.pos][:1].isdigit() else None
    return Limits(minimum, maximum)


def read_memory(cursor: Cursor) -> MemoryType:
    """Take a memory type."""
    limits = read_limits(cursor)
    if cursor.texts[cursor.pos] == "shared":
        cursor.need(Feature.THREADS, "a shared memory")
        cursor.pos += 1
        return MemoryType(limits, shared=True)
    return MemoryType(limits)


def read_table(cursor: Cursor, scope: ModuleScope) -> TableType:
    """Take a table type."""
    return TableType(read_limits(cursor), read_ref(cursor, scope))


def read_global(cursor: Cursor, scope: ModuleScope) -> GlobalType:
    """Take a global type."""
    if not cursor.accept_open("mut"):
        return GlobalType(read_val(cursor, scope))
    value = read_val(cursor, scope)
    cursor.expect(")")
    return GlobalType(value, mutable=True)


def _read_comp(cursor: Cursor, scope: ModuleScope) -> FuncType:
    """Take a composite type with its parentheses."""
    cursor.expect("(")
    keyword = cursor.texts[cursor.pos]
    if keyword in {"struct", "array"}:
        raise Unsupported(f"{keyword} types need the feature gc", cursor.tokens.where(cursor.pos))
    cursor.expect("func")
    params = read_params(cursor, scope, None, names=True)
    results = read_results(cursor, scope)
    cursor.expect(")")
    return FuncType(tuple(params), tuple(results))


def _read_definition(cursor: Cursor, scope: ModuleScope) -> SubType:
    """Take what follows ``(type`` up to and including its closing parenthesis."""
    cursor.optional_id()
    if cursor.accept_open("sub"):
        cursor.need(Feature.FUNCTION_REFERENCES, "a subtype")
        final = cursor.accept("final")
        supers: list[HeapType] = []
        while cursor.at_index():
            supers.append(scope.read(Space.TYPE, cursor))
        found = SubType(_read_comp(cursor, scope), final, tuple(supers))
        cursor.expect(")")
    else:
        found = SubType(_read_comp(cursor, scope))
    cursor.expect(")")
    return found


def read_type_field(cursor: Cursor, scope: ModuleScope) -> None:
    """Take a field ``(type …)`` or ``(rec (type …)*)`` and append it to the module's types."""
    cursor.expect("(")
    if cursor.accept("type"):
        scope.add_group(RecGroup((_read_definition(cursor, scope),)))
        return
    cursor.need(Feature.FUNCTION_REFERENCES, "a recursive type group")
    cursor.expect("rec")
    members = []
    while cursor.accept_open("type"):
        members.append(_read_definition(cursor, scope))
    cursor.expect(")")
    scope.add_group(RecGroup(tuple(members)))
