"""Bytes to a module (spec §5.5): sections, their order and sizes, and what must agree between them.

Function bodies stay bytes until somebody asks for them (``Code.body``), unless the caller wants everything checked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from lindref.hashing import blake2b
from lindref.wasm.binary.body import Instructions, read_expr
from lindref.wasm.binary.reader import Reader, unsupported
from lindref.wasm.binary.types import (
    global_type,
    memory_type,
    rec_group,
    ref_type,
    table_type,
    tag_type,
    val_type,
)
from lindref.wasm.errors import Exhausted, Malformed, WasmError
from lindref.wasm.features import DEFAULT, Feature
from lindref.wasm.instructions import BY_NAME
from lindref.wasm.module import (
    MAX_LOCALS,
    Code,
    Custom,
    Data,
    Elem,
    Export,
    Expr,
    ExternKind,
    Global,
    Import,
    ImportDesc,
    Instr,
    Module,
    Runs,
    SegmentMode,
    Table,
)
from lindref.wasm.types import FUNCREF, AbsHeap, RefType

MAGIC = b"\0asm"
VERSION = b"\1\0\0\0"

#: The order in which non-custom sections stand, by their ids (13, tags, between memories and globals; 12, the
#: data count, between elements and code).
ORDER = (1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11)
_RANK = {section: rank for rank, section in enumerate(ORDER)}

#: What a segment of function indices holds.
FUNC_REF = RefType(False, AbsHeap.FUNC)

_REF_FUNC, _END = BY_NAME["ref.func"], BY_NAME["end"]


def decode(data: bytes, features: frozenset[Feature] = DEFAULT, *, eager: bool = False) -> Module:
    """The module that ``data`` encodes.

    Everything is checked except what only the functions' code shows (locals and bodies); that is decoded when first
    used, or now if ``eager``.

    Raises:
        Malformed: the bytes break a rule of the binary format; the message begins as the official scripts expect.
        Unsupported: the module needs a feature that is not among ``features`` or not built.
        Exhausted: a function declares more than ``MAX_LOCALS`` locals (when its code is decoded).
    """
    return _Decoder(Reader(bytes(data), frozenset(features)), eager).module()


class _Decoder:
    """The state of one decoding: the position, the module so far, and what is compared at the end."""

    def __init__(self, reader: Reader, eager: bool) -> None:
        self.reader = reader
        self.eager = eager
        self.result = Module(features=reader.features)
        self.customs: list[Custom] = []
        self.imported_funcs = 0
        self.data_use: Malformed | None = None

    def module(self) -> Module:
        """The whole file."""
        reader, result = self.reader, self.result
        if reader.take(4) != MAGIC:
            raise reader.malformed("magic header not detected", 0)
        if reader.take(4) != VERSION:
            raise reader.malformed("unknown binary version", 4)
        contents = self.sections()
        last = 0
        while (section := reader.peek()) >= 0:
            if section > 13:
                raise reader.malformed("malformed section id")
            if section and last and _RANK[section] <= _RANK[last]:
                raise reader.malformed("unexpected content after last section")
            reader.pos += 1
            size = reader.length()
            start = reader.pos
            if section:
                contents[section]()
                last = section
            else:
                self.custom(start + size, last)
            if reader.pos != start + size:
                raise reader.malformed("section size mismatch", start)
        if len(result.funcs) != len(result.codes):
            raise reader.malformed("function and code section have inconsistent lengths")
        if result.data_count is not None and result.data_count != len(result.datas):
            raise reader.malformed("data count and data section have inconsistent lengths")
        if self.data_use is not None:
            raise self.data_use
        result.customs = tuple(self.customs)
        result.digest = blake2b(reader.data, digest_size=16).hexdigest()
        return result

    def sections(self) -> dict[int, Callable[[], None]]:
        """What reads the content of each non-custom section into the module."""
        reader, result = self.reader, self.result

        def vector(attribute: str, element: Callable[[Reader], object]) -> Callable[[], None]:
            return lambda: setattr(result, attribute, reader.vector(element))

        def imports() -> None:
            result.imports = reader.vector(_import)
            self.imported_funcs = len(result.imported(ExternKind.FUNC))

        def tags() -> None:
            if not reader.features & {Feature.EXCEPTIONS, Feature.LEGACY_EXCEPTIONS}:
                raise unsupported(Feature.EXCEPTIONS, reader.where())
            result.tags = reader.vector(tag_type)

        def start() -> None:
            result.start = reader.u32()

        def data_count() -> None:
            result.data_count = reader.u32()

        def codes() -> None:
            result.code_start = reader.pos
            result.codes = tuple([self.code(index) for index in range(reader.length())])

        return {
            1: vector("rec_groups", rec_group),
            2: imports,
            3: vector("funcs", Reader.u32),
            4: vector("tables", _table),
            5: vector("memories", memory_type),
            13: tags,
            6: vector("globals", _global),
            7: vector("exports", _export),
            8: start,
            9: vector("elems", _elem),
            12: data_count,
            10: codes,
            11: vector("datas", _data),
        }

    def custom(self, end: int, last: int) -> None:
        """A custom section that is over at ``end`` and stands after the section ``last``."""
        reader = self.reader
        name = reader.name()
        start = reader.pos
        self.customs.append(Custom(name, reader.take(end - start), last, start))

    def code(self, index: int) -> Code:
        """The code entry of the defined function ``index``; its content when that is wanted."""
        reader = self.reader
        func = self.imported_funcs + index
        size = reader.length()
        start = reader.pos
        reader.pos = end = start + size
        has_data_count = self.result.data_count is not None
        if not self.eager and end <= len(reader.data):
            thunk = partial(_checked, reader.data, reader.features, start, end, func, has_data_count)
            return Code((), start, size, thunk=thunk)
        runs, body = _entry(reader.data, reader.features, start, end, func)
        if body.data_use is not None and not has_data_count and self.data_use is None:
            # Said last, as the counts of sections take precedence.
            self.data_use = _no_data_count(body.data_use, func)
        return Code(runs, start, size, body=body.instrs)


def _locals(reader: Reader, func: int) -> Runs:
    """The declared locals of a function as runs."""
    pos = reader.pos
    runs = reader.vector(lambda r: (r.u32(), val_type(r)))
    total = sum([count for count, _ in runs])
    if total > MAX_LOCALS:
        where = f"func {func}, {reader.where(pos)}"
        if total >= 2**32:
            raise Malformed("too many locals", where)
        raise Exhausted(f"{total} locals in a function, at most {MAX_LOCALS} are allowed", where)
    return runs


def _entry(data: bytes, features: frozenset[Feature], start: int, end: int, func: int) -> tuple[Runs, Instructions]:
    """Locals and body of the function ``func``, which must take the bytes from ``start`` to ``end``."""
    reader = Reader(data, features, start)
    runs = _locals(reader, func)
    start = reader.pos
    try:
        body = read_expr(reader, end)
        if body.end != end:
            raise reader.malformed("section size mismatch", start)
    except WasmError as error:
        raise error.at(f"func {func}") from None
    return runs, body


def _checked(
    data: bytes, features: frozenset[Feature], start: int, end: int, func: int, has_data_count: bool
) -> tuple[Runs, tuple[Instr, ...]]:
    """A code entry that is decoded on demand."""
    runs, body = _entry(data, features, start, end, func)
    if body.data_use is not None and not has_data_count:
        raise _no_data_count(body.data_use, func)
    return runs, body.instrs


def _no_data_count(pos: int, func: int) -> Malformed:
    """The error for an instruction that needs a data count section."""
    return Malformed("data count section required", f"func {func}, offset 0x{pos:x}")


def _expr(reader: Reader) -> Expr:
    """A constant expression. Any instruction will do here: which are constant is a matter of validation."""
    sequence = read_expr(reader, len(reader.data))
    reader.pos = sequence.end
    return sequence.instrs


_EXTERNS: dict[int, Callable[[Reader], ImportDesc]] = {
    0: Reader.u32,
    1: table_type,
    2: memory_type,
    3: global_type,
    4: tag_type,
}


def _import(reader: Reader) -> Import:
    """An import."""
    module, name = reader.name(), reader.name()
    kind = reader.byte()
    if kind not in _EXTERNS:
        raise reader.malformed("malformed import kind", reader.pos - 1)
    return Import(module, name, ExternKind(kind), _EXTERNS[kind](reader))


def _export(reader: Reader) -> Export:
    """An export."""
    name = reader.name()
    kind = reader.byte()
    if kind not in _EXTERNS:
        raise reader.malformed("malformed export kind", reader.pos - 1)
    return Export(name, ExternKind(kind), reader.u32())


def _table(reader: Reader) -> Table:
    """A table, with (0x40 0x00) or without an initial element."""
    if reader.peek() != 0x40:
        return Table(table_type(reader))
    reader.need(Feature.FUNCTION_REFERENCES)
    reader.pos += 1
    reader.zero()
    return Table(table_type(reader), _expr(reader))


def _global(reader: Reader) -> Global:
    """A global."""
    return Global(global_type(reader), _expr(reader))


def _func_element(reader: Reader) -> Expr:
    """A function index as the constant expression it stands for."""
    pos = reader.pos
    return Instr(_REF_FUNC, (reader.u32(),), pos), Instr(_END, (), reader.pos)


def _elem(reader: Reader) -> Elem:
    """An element segment. Flags: 1 passive or declarative, 2 declarative or explicit table, 4 expressions."""
    pos = reader.pos
    flags = reader.u32()
    if flags > 7:
        raise reader.malformed("malformed elements segment kind", pos)
    mode, table = SegmentMode.ACTIVE, 0
    offset: Expr = ()
    if flags & 1:
        mode = SegmentMode.DECLARATIVE if flags & 2 else SegmentMode.PASSIVE
    else:
        table = reader.u32() if flags & 2 else 0
        offset = _expr(reader)
    if flags & 4:
        kind = ref_type(reader) if flags & 3 else FUNCREF
        return Elem(kind, reader.vector(_expr), mode, table, offset)
    if flags & 3 and reader.byte() != 0:
        raise reader.malformed("malformed element kind", reader.pos - 1)
    return Elem(FUNC_REF, reader.vector(_func_element), mode, table, offset)


def _data(reader: Reader) -> Data:
    """A data segment."""
    pos = reader.pos
    flags = reader.u32()
    if flags > 2:
        raise reader.malformed("malformed data segment kind", pos)
    mode, memory = SegmentMode.PASSIVE, 0
    offset: Expr = ()
    if flags != 1:
        mode = SegmentMode.ACTIVE
        memory = reader.u32() if flags == 2 else 0
        offset = _expr(reader)
    return Data(reader.take(reader.length()), mode, memory, offset)
