"""Modules in text (spec §6.6.13): binds all identifiers first, then reads the fields in order."""

from __future__ import annotations

from lindref.wasm.features import DEFAULT, Feature
from lindref.wasm.module import Module
from lindref.wasm.text.annotations import read_customs
from lindref.wasm.text.cursor import Cursor, closing
from lindref.wasm.text.fields import Fields
from lindref.wasm.text.lexer import lex
from lindref.wasm.text.scope import EXTERN, ModuleScope, Space
from lindref.wasm.text.types import read_type_field

#: The keywords a module field can start with.
FIELD_KEYWORDS = frozenset(
    {"type", "rec", "import", "func", "table", "memory", "global", "tag", "export", "start", "elem", "data"}
)


def parse_module(source: str | bytes, features: frozenset[Feature] = DEFAULT) -> Module:
    """The module a text stands for: ``(module …)`` or its fields alone.

    ``Instr.offset`` and ``Code.offset`` hold source lines. Raises ``Malformed`` or ``Unsupported``, with line and
    column.
    """
    cursor = Cursor(lex(source, annotations=Feature.ANNOTATIONS in features), features)
    if cursor.accept_open("module"):
        name = cursor.optional_id()
        module = read_fields(cursor, name)
        cursor.expect(")")
    else:
        module = read_fields(cursor, None)
    if cursor.texts[cursor.pos] != "":
        raise cursor.unexpected()
    return module


def read_fields(cursor: Cursor, name: str | None, end: int | None = None) -> Module:
    """Take module fields as long as they come, but not beyond token ``end``."""
    scope = ModuleScope(name=name)
    first = cursor.pos
    types, others = _bind(cursor, scope, end)
    end = cursor.pos
    for start in types:
        cursor.pos = start
        read_type_field(cursor, scope)
    fields = Fields(cursor, scope)
    for start in others:
        cursor.pos = start
        fields.read(cursor.texts[start + 1])
    fields.read_postponed()
    cursor.pos = end
    return Module(
        rec_groups=tuple(scope.groups),
        imports=tuple(fields.imports),
        funcs=tuple(fields.funcs),
        tables=tuple(fields.tables),
        memories=tuple(fields.memories),
        tags=tuple(fields.tags),
        globals=tuple(fields.globals),
        exports=tuple(fields.exports),
        start=fields.start,
        elems=tuple(fields.elems),
        codes=tuple(fields.codes),
        datas=tuple(fields.datas),
        customs=read_customs(cursor.tokens, [*types, *others], first, end, start=fields.start is not None),
        features=cursor.features,
        text_names=scope.text_names(),
    )


def _bind(cursor: Cursor, scope: ModuleScope, end: int | None) -> tuple[list[int], list[int]]:
    """Find the fields and bind their identifiers; where type fields and other fields start."""
    texts = cursor.texts
    types: list[int] = []
    others: list[int] = []
    pos = cursor.pos
    while texts[pos] == "(" and pos != end:
        keyword = texts[pos + 1]
        if keyword not in FIELD_KEYWORDS:
            raise cursor.unexpected(pos + 1)
        (types if keyword in {"type", "rec"} else others).append(pos)
        cursor.pos = pos + 2
        _bind_field(cursor, scope, keyword)
        close = closing(texts, pos)
        if close is None:
            # Let the field's own reader say what is wrong; nothing can follow it.
            pos = len(texts) - 1
            break
        pos = close + 1
    cursor.pos = pos
    return types, others


def _bind_field(cursor: Cursor, scope: ModuleScope, keyword: str) -> None:
    """Bind the identifiers of one field; the cursor stands after its keyword."""
    spaces = scope.spaces
    if keyword == "type":
        spaces[Space.TYPE].bind(cursor)
    elif keyword == "rec":
        for start in _children(cursor):
            if cursor.texts[start + 1] == "type":
                cursor.pos = start + 2
                spaces[Space.TYPE].bind(cursor)
    elif keyword == "elem":
        spaces[Space.ELEM].bind(cursor)
    elif keyword == "data":
        spaces[Space.DATA].bind(cursor)
    elif keyword == "import":
        for start in _children(cursor)[:1]:
            if cursor.texts[start + 1] in EXTERN:
                cursor.pos = start + 2
                spaces[EXTERN[cursor.texts[start + 1]][0]].bind(cursor)
    elif keyword in EXTERN:
        spaces[EXTERN[keyword][0]].bind(cursor)
        if keyword in {"table", "memory"}:
            inside = {cursor.texts[start + 1] for start in _children(cursor)}
            if keyword == "table" and "elem" in inside:
                spaces[Space.ELEM].size += 1
            if keyword == "memory" and "data" in inside:
                spaces[Space.DATA].size += 1


def _children(cursor: Cursor) -> list[int]:
    """Where the parenthesised parts of the field start that the cursor stands in."""
    texts, pos, depth = cursor.texts, cursor.pos, 0
    found = []
    while texts[pos] != "":
        if texts[pos] == "(":
            if depth == 0:
                found.append(pos)
            depth += 1
        elif texts[pos] == ")":
            if depth == 0:
                break
            depth -= 1
        pos += 1
    return found
