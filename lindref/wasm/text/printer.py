"""Modules to text: the disassembler.

Names become identifiers where there are any; every item's index stands beside it in a comment. Instructions are
flat, one a line. ``parse_module(print_module(m), m.features)`` equals ``m`` (custom sections need the feature
``annotations``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lindref.wasm.errors import Exhausted
from lindref.wasm.features import Feature
from lindref.wasm.instructions import BY_NAME
from lindref.wasm.module import (
    Code,
    Custom,
    Data,
    Elem,
    Expr,
    ExternKind,
    Import,
    Instr,
    Module,
    SegmentMode,
)
from lindref.wasm.names import Names
from lindref.wasm.sections import names as names_of
from lindref.wasm.text.annotations import SECTIONS
from lindref.wasm.text.print_instr import local_ids, print_body, print_expr
from lindref.wasm.text.print_types import (
    Ids,
    named_clauses,
    print_func_type,
    print_global,
    print_group,
    print_memory,
    print_table,
    print_val,
    usable,
)
from lindref.wasm.text.scope import EXTERN, Space
from lindref.wasm.text.strings import print_id, quote_bytes, quote_name
from lindref.wasm.types import AbsHeap, GlobalType, MemoryType, RefType, TableType, TagType, ValType

_REF_FUNC = BY_NAME["ref.func"]
_FUNC_REF = RefType(False, AbsHeap.FUNC)
_WORDS = {kind: word for word, (_, kind) in EXTERN.items()}
_SPACES = {kind: space for space, kind in EXTERN.values()}
_SECTION_WORDS = {number: f"after {word}" for word, number in SECTIONS.items()} | {0: "before first"}
_CHUNK = 32  # bytes of data on a line
_MAX_INDENT = 40  # deeper nesting is not shown by more white space
_MAX_SHOWN_TYPES = 100  # longer signatures stand at their type only
_MAX_LOCALS_WRITTEN = 2_000_000  # in all functions together


#: What to say of an instruction in a comment after it; nothing where it is empty.
Comment = Callable[[Instr], str]


def print_module(module: Module, names: Names | None = None, *, comment: Comment | None = None) -> str:
    """The text of a module.

    Decodes all bodies (raising ``Malformed``), and writes out all locals (``Exhausted`` where they are absurdly many).
    ``names`` stand in for the module's own; ``comment`` has a word on each instruction. The text is at most some
    thousand times as long as the binary.
    """
    names = names_of(module) if names is None else names
    ids = Ids.of(module, names)
    name = names.module
    lines = [f"(module {print_id(name)}" if name and usable(name, quoted=ids.quoted) else "(module"]
    lines += ("  " + line for line in _fields(module, ids, comment))
    lines.append(")")
    return "\n".join(lines) + "\n"


def print_function(module: Module, index: int, names: Names | None = None, *, comment: Comment | None = None) -> str:
    """The text of one function, or of the import that it is, as ``print_module`` has it; ``index`` counts imports."""
    ids = Ids.of(module, names_of(module) if names is None else names)
    imported = module.imported(ExternKind.FUNC)
    if index < len(imported):
        return _import(imported[index], index, ids) + "\n"
    return "\n".join(_func(module, index - len(imported), index, ids, comment)) + "\n"


def _fields(module: Module, ids: Ids, comment: Comment | None) -> Iterator[str]:
    """The lines of all fields, in the order of the binary's sections but functions last."""
    first = 0
    for group in module.rec_groups:
        yield from print_group(group, first, ids)
        first += len(group.members)
    written = sum(count for code in module.codes for count, _ in code.locals_)
    if written > _MAX_LOCALS_WRITTEN:
        raise Exhausted(f"{written} locals in all functions, at most {_MAX_LOCALS_WRITTEN} are written out as text")
    counts = dict.fromkeys(ExternKind, 0)
    for one in module.imports:
        yield _import(one, counts[one.kind], ids)
        counts[one.kind] += 1
    for index, table in enumerate(module.tables, counts[ExternKind.TABLE]):
        init = f" {print_expr(table.init, ids)}" if table.init is not None else ""
        yield f"(table {ids.binder(Space.TABLE, index)} {print_table(table.type, ids)}{init})"
    for index, memory in enumerate(module.memories, counts[ExternKind.MEMORY]):
        yield f"(memory {ids.binder(Space.MEMORY, index)} {print_memory(memory)})"
    for index, tag in enumerate(module.tags, counts[ExternKind.TAG]):
        yield f"(tag {ids.binder(Space.TAG, index)} {_use(tag.type_index, ids)})"
    for index, one_global in enumerate(module.globals, counts[ExternKind.GLOBAL]):
        kind, value = print_global(one_global.type, ids), print_expr(one_global.init, ids)
        yield f"(global {ids.binder(Space.GLOBAL, index)} {kind} {value})"
    for export in module.exports:
        item = f"({_WORDS[export.kind]} {ids.ref(_SPACES[export.kind], export.index)})"
        yield f"(export {quote_name(export.name)} {item})"
    if module.start is not None:
        yield f"(start {ids.ref(Space.FUNC, module.start)})"
    for index, elem in enumerate(module.elems):
        yield _elem(elem, index, ids)
    for index in range(len(module.funcs)):
        yield from _func(module, index, counts[ExternKind.FUNC] + index, ids, comment)
    for index, data in enumerate(module.datas):
        yield from _data(data, index, ids)
    if Feature.ANNOTATIONS in module.features:
        for custom in module.customs:
            yield from _custom(custom)


def _use(type_index: int, ids: Ids) -> str:
    """A type use by index alone."""
    return f"(type {ids.ref(Space.TYPE, type_index)})"


def _import(one: Import, index: int, ids: Ids) -> str:
    """An ``import`` field."""
    desc = one.desc
    if isinstance(desc, TableType):
        text = print_table(desc, ids)
    elif isinstance(desc, MemoryType):
        text = print_memory(desc)
    elif isinstance(desc, GlobalType):
        text = print_global(desc, ids)
    else:
        text = _use(desc.type_index if isinstance(desc, TagType) else desc, ids)
    binder = ids.binder(_SPACES[one.kind], index)
    return f"(import {quote_name(one.module)} {quote_name(one.name)} ({_WORDS[one.kind]} {binder} {text}))"


def _func(module: Module, defined: int, index: int, ids: Ids, comment: Comment | None) -> Iterator[str]:
    """The lines of a function; ``defined`` counts without imports, ``index`` with them."""
    type_index, code = module.funcs[defined], module.codes[defined]
    named = local_ids(module, ids, index)
    head = f"(func {ids.binder(Space.FUNC, index)} {_use(type_index, ids)}"
    params = 0
    if type_index < len(module.types):
        func_type = module.func_type(type_index)
        params = len(func_type.params)
        if params + len(func_type.results) <= _MAX_SHOWN_TYPES:
            head += print_func_type(func_type, ids, named)
        else:
            named = {local: name for local, name in named.items() if local >= params}
    yield head
    if any(count for count, _ in code.locals_):
        yield " " + named_clauses(_local_types(code, index), params, named, "local", ids)
    labels = ids.names.labels.get(index, {})
    for depth, text, instr in print_body(code.body, ids, named, labels):
        line = "  " * min(depth + 1, _MAX_INDENT) + text
        said = comment(instr) if comment else ""
        yield f"{line}  ;; {''.join(c if c.isprintable() else '?' for c in said)}" if said else line
    yield ")"


def _local_types(code: Code, index: int) -> list[ValType]:
    """The locals of function ``index``; ``Exhausted``, with its place, where they are too many."""
    try:
        return code.local_types()
    except Exhausted as error:
        raise error.at(f"func {index}") from None


def _offset(offset: Expr, ids: Ids) -> str:
    """The offset of an active segment."""
    text = print_expr(offset, ids)
    return f"({text})" if len(offset) == 2 else f"(offset {text})"


def _elem(elem: Elem, index: int, ids: Ids) -> str:
    """An ``elem`` field."""
    head = f"(elem {ids.binder(Space.ELEM, index)}"
    if elem.mode is SegmentMode.DECLARATIVE:
        head += " declare"
    elif elem.mode is SegmentMode.ACTIVE:
        head += f" (table {ids.ref(Space.TABLE, elem.table)}) {_offset(elem.offset, ids)}"
    if elem.type == _FUNC_REF and all(len(e) == 2 and e[0].op is _REF_FUNC for e in elem.init):
        items = "".join(" " + print_expr(e, ids).removeprefix("ref.func ") for e in elem.init)
        return f"{head} func{items})"
    items = "".join(f" (item {print_expr(e, ids)})" for e in elem.init)
    return f"{head} {print_val(elem.type, ids)}{items})"


def _strings(data: bytes) -> Iterator[str]:
    """Lines of string literals, indented."""
    for start in range(0, len(data), _CHUNK):
        yield "  " + quote_bytes(data[start : start + _CHUNK])


def _data(data: Data, index: int, ids: Ids) -> Iterator[str]:
    """The lines of a ``data`` field."""
    head = f"(data {ids.binder(Space.DATA, index)}"
    if data.mode is SegmentMode.ACTIVE:
        memory = f" (memory {ids.ref(Space.MEMORY, data.memory)})" if data.memory else ""
        head += f"{memory} {_offset(data.offset, ids)}"
    yield from _lines(head, data.init)


def _custom(custom: Custom) -> Iterator[str]:
    """The lines of a custom section."""
    yield from _lines(f"(@custom {quote_name(custom.name)} ({_SECTION_WORDS[custom.after]})", custom.data)


def _lines(head: str, data: bytes) -> Iterator[str]:
    """A field that ends in string literals: on one line where they are short."""
    strings = list(_strings(data))
    if len(strings) <= 1:
        yield head + "".join(s[1:] for s in strings) + ")"
        return
    yield head
    yield from strings
    yield ")"
