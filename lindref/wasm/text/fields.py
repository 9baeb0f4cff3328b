"""Module fields (spec §6.6) with all their abbreviations."""

from __future__ import annotations

from collections.abc import Callable

from lindref import classes
from lindref.wasm.features import Feature
from lindref.wasm.instructions import BY_NAME
from lindref.wasm.module import (
    Code,
    Data,
    Elem,
    Export,
    Expr,
    ExternKind,
    Global,
    Import,
    ImportDesc,
    Instr,
    SegmentMode,
    Table,
)
from lindref.wasm.text.body import read_body, read_folded
from lindref.wasm.text.cursor import Cursor, closing
from lindref.wasm.text.scope import EXTERN, FuncScope, ModuleScope, Space
from lindref.wasm.text.types import (
    optional_ref,
    read_global,
    read_memory,
    read_ref,
    read_table,
    read_type_use,
    read_val,
)
from lindref.wasm.types import (
    FUNCREF,
    AbsHeap,
    GlobalType,
    Limits,
    MemoryType,
    RefType,
    TableType,
    TagType,
    ValType,
)

_END, _I32_CONST, _REF_FUNC = BY_NAME["end"], BY_NAME["i32.const"], BY_NAME["ref.func"]
#: What a list of function indices holds, as in binaries.
_FUNC_REF = RefType(False, AbsHeap.FUNC)
_PAGE = 65536
_FUNCTION_WORD = {ExternKind.FUNC: "function"}


@classes.define
class Fields:
    """The parts of a module as they are read, and the readers of the fields that hold them."""

    cursor: Cursor
    scope: ModuleScope
    imports: list[Import] = classes.Factory(list)
    funcs: list[int] = classes.Factory(list)
    codes: list[Code] = classes.Factory(list)
    tables: list[Table] = classes.Factory(list)
    memories: list[MemoryType] = classes.Factory(list)
    globals: list[Global] = classes.Factory(list)
    tags: list[TagType] = classes.Factory(list)
    exports: list[Export] = classes.Factory(list)
    elems: list[Elem] = classes.Factory(list)
    datas: list[Data] = classes.Factory(list)
    start: int | None = None
    counts: dict[ExternKind, int] = classes.Factory(lambda: dict.fromkeys(ExternKind, 0))
    defined: str = ""  # the first kind of definition seen, which no import may follow
    postponed: list[tuple[int, int, int]] = classes.Factory(list)  # code index, function index, start of its locals

    def read(self, keyword: str) -> None:
        """Take one field other than a type; ``keyword`` is its own and comes after the parenthesis."""
        cursor = self.cursor
        cursor.pos += 2
        _READERS[keyword](self)
        cursor.expect(")")

    def _next_index(self, kind: ExternKind) -> int:
        """Count one more item of a kind and give its index."""
        index = self.counts[kind]
        self.counts[kind] = index + 1
        return index

    def _inline(self, kind: ExternKind) -> tuple[int, tuple[str, str] | None]:
        """Take identifier, inline exports and inline import of a definition: its index, and the import's names."""
        cursor = self.cursor
        start = cursor.pos - 2
        cursor.optional_id()  # bound already
        index = self._next_index(kind)
        while cursor.accept_open("export"):
            self.exports.append(Export(cursor.name(), kind, index))
            cursor.expect(")")
        if cursor.accept_open("import"):
            names = (cursor.name(), cursor.name())
            cursor.expect(")")
            self._no_definition(start)
            return index, names
        self.defined = self.defined or _FUNCTION_WORD.get(kind, kind.name.lower())
        return index, None

    def _no_definition(self, start: int) -> None:
        """Check that an import comes before all definitions."""
        if self.defined:
            raise self.cursor.error(f"import after {self.defined}", start)

    def import_field(self) -> None:
        """Take an ``import`` field."""
        cursor = self.cursor
        self._no_definition(cursor.pos - 2)
        module, name = cursor.name(), cursor.name()
        cursor.expect("(")
        keyword = cursor.texts[cursor.pos]
        if keyword not in EXTERN:
            raise cursor.unexpected()
        cursor.pos += 1
        cursor.optional_id()
        kind = EXTERN[keyword][1]
        self._next_index(kind)
        self.imports.append(Import(module, name, kind, self._desc(kind)))
        cursor.expect(")")

    def _desc(self, kind: ExternKind) -> ImportDesc:
        """Take the type of an import."""
        if kind is ExternKind.FUNC:
            return read_type_use(self.cursor, self.scope)
        if kind is ExternKind.TABLE:
            return read_table(self.cursor, self.scope)
        if kind is ExternKind.MEMORY:
            return read_memory(self.cursor)
        if kind is ExternKind.GLOBAL:
            return read_global(self.cursor, self.scope)
        return self._tag_type()

    def _tag_type(self) -> TagType:
        """Take a tag's type."""
        if Feature.LEGACY_EXCEPTIONS not in self.cursor.features:
            self.cursor.need(Feature.EXCEPTIONS, "a tag")
        return TagType(read_type_use(self.cursor, self.scope))

    def export_field(self) -> None:
        """Take an ``export`` field."""
        cursor = self.cursor
        name = cursor.name()
        cursor.expect("(")
        keyword = cursor.texts[cursor.pos]
        if keyword not in EXTERN:
            raise cursor.unexpected()
        cursor.pos += 1
        space, kind = EXTERN[keyword]
        self.exports.append(Export(name, kind, self.scope.read(space, cursor)))
        cursor.expect(")")

    def start_field(self) -> None:
        """Take a ``start`` field."""
        if self.start is not None:
            raise self.cursor.error("multiple start sections", self.cursor.pos - 2)
        self.start = self.scope.read(Space.FUNC, self.cursor)

    # Functions.

    def func_field(self) -> None:
        """Take a function or its import."""
        index, imported = self._inline(ExternKind.FUNC)
        cursor = self.cursor
        func = FuncScope(self.scope)
        type_index = read_type_use(cursor, self.scope, func)
        if imported:
            self.imports.append(Import(*imported, ExternKind.FUNC, type_index))
            self._name_locals(index, func)
            return
        self.funcs.append(type_index)
        start = cursor.pos
        if type_index >= len(self.scope.types):
            # A type that may yet come into being for a later use: how many parameters there are, and so what
            # identifiers of locals stand for, is known at the end only.
            self.postponed.append((len(self.codes), index, start))
            self.codes.append(Code(()))
            close = closing(cursor.texts, start, 1)
            if close is None:
                raise cursor.unexpected(len(cursor.texts) - 1)
            cursor.pos = close
            return
        self.codes.append(self._code(index, func))

    def read_postponed(self) -> None:
        """Read the bodies that had to wait; at the end of the module."""
        end = self.cursor.pos
        for code, index, start in self.postponed:
            self.cursor.pos = start
            func = FuncScope(self.scope)
            type_index = self.funcs[code]
            if type_index < len(self.scope.types):
                func.local_count = len(self.scope.types[type_index].comp.params)
            self.codes[code] = self._code(index, func)
            self.cursor.expect(")")
        self.cursor.pos = end

    def _code(self, index: int, func: FuncScope) -> Code:
        """Take locals and body of a function."""
        cursor = self.cursor
        line = cursor.line
        runs: list[tuple[int, ValType]] = []
        while cursor.accept_open("local"):
            if func.bind_local(cursor):
                found = [read_val(cursor, self.scope)]
                cursor.expect(")")
            else:
                found = []
                while not cursor.accept(")"):
                    found.append(read_val(cursor, self.scope))
            for local in found:
                count = runs.pop()[0] + 1 if runs and runs[-1][1] == local else 1
                runs.append((count, local))
            func.local_count += len(found)
        code = Code(tuple(runs), line, 0, read_body(cursor, func))
        self._name_locals(index, func)
        return code

    def _name_locals(self, index: int, func: FuncScope) -> None:
        """Keep the identifiers of a function's locals and labels."""
        if func.locals:
            self.scope.locals[index] = {local: name for name, local in func.locals.items()}
        if func.label_names:
            self.scope.labels[index] = func.label_names

    # Tables, memories, globals, tags.

    def table_field(self) -> None:
        """Take a table, its import, or a table with its elements."""
        index, imported = self._inline(ExternKind.TABLE)
        cursor, scope = self.cursor, self.scope
        if imported:
            self.imports.append(Import(*imported, ExternKind.TABLE, read_table(cursor, scope)))
            return
        line = cursor.line
        ref = optional_ref(cursor, scope)
        if ref is None:
            table_type = read_table(cursor, scope)
            init = None
            if cursor.texts[cursor.pos] != ")":
                cursor.need(Feature.FUNCTION_REFERENCES, "a table with an initial element")
                init = read_body(cursor, FuncScope(scope))
            self.tables.append(Table(table_type, init))
            return
        if not cursor.accept_open("elem"):
            raise cursor.unexpected()
        listed = cursor.at_index()
        elements = self._indices(line) if listed else self._expressions()
        cursor.expect(")")
        size = len(elements)
        self.tables.append(Table(TableType(Limits(size, size), ref)))
        held = _FUNC_REF if listed and ref == FUNCREF else ref
        self.elems.append(Elem(held, elements, SegmentMode.ACTIVE, index, _zero(line)))

    def memory_field(self) -> None:
        """Take a memory, its import, or a memory with its data."""
        index, imported = self._inline(ExternKind.MEMORY)
        cursor = self.cursor
        if imported:
            self.imports.append(Import(*imported, ExternKind.MEMORY, read_memory(cursor)))
            return
        line = cursor.line
        if not cursor.accept_open("data"):
            self.memories.append(read_memory(cursor))
            return
        data = cursor.strings()
        cursor.expect(")")
        pages = -(-len(data) // _PAGE)
        self.memories.append(MemoryType(Limits(pages, pages)))
        self.datas.append(Data(data, SegmentMode.ACTIVE, index, _zero(line)))

    def global_field(self) -> None:
        """Take a global or its import."""
        _, imported = self._inline(ExternKind.GLOBAL)
        kind: GlobalType = read_global(self.cursor, self.scope)
        if imported:
            self.imports.append(Import(*imported, ExternKind.GLOBAL, kind))
            return
        self.globals.append(Global(kind, read_body(self.cursor, FuncScope(self.scope))))

    def tag_field(self) -> None:
        """Take a tag or its import."""
        _, imported = self._inline(ExternKind.TAG)
        kind = self._tag_type()
        if imported:
            self.imports.append(Import(*imported, ExternKind.TAG, kind))
            return
        self.tags.append(kind)

    # Segments.

    def elem_field(self) -> None:
        """Take an element segment."""
        cursor = self.cursor
        cursor.optional_id()
        if cursor.accept("declare"):
            self.elems.append(Elem(*self._elements(), SegmentMode.DECLARATIVE))
            return
        table = self._use("table", Space.TABLE)
        ref_next = cursor.opens("ref")
        if table is None and (cursor.texts[cursor.pos] != "(" or ref_next):
            self.elems.append(Elem(*self._elements(), SegmentMode.PASSIVE))
            return
        offset = self._offset()
        if cursor.at_index() or cursor.texts[cursor.pos] == ")":
            indices = self._indices(cursor.line)
            self.elems.append(Elem(_FUNC_REF, indices, SegmentMode.ACTIVE, table or 0, offset))
            return
        self.elems.append(Elem(*self._elements(), SegmentMode.ACTIVE, table or 0, offset))

    def data_field(self) -> None:
        """Take a data segment."""
        cursor = self.cursor
        cursor.optional_id()
        memory = self._use("memory", Space.MEMORY)
        if memory is None and cursor.texts[cursor.pos] != "(":
            self.datas.append(Data(cursor.strings(), SegmentMode.PASSIVE))
            return
        offset = self._offset()
        self.datas.append(Data(cursor.strings(), SegmentMode.ACTIVE, memory or 0, offset))

    def _use(self, keyword: str, space: Space) -> int | None:
        """Take ``(table x)`` or ``(memory x)``, or the bare index older texts write."""
        cursor = self.cursor
        if cursor.accept_open(keyword):
            index = self.scope.read(space, cursor)
            cursor.expect(")")
            return index
        if cursor.at_index() and cursor.texts[cursor.pos + 1] == "(":
            return self.scope.read(space, cursor)
        return None

    def _offset(self) -> Expr:
        """Take ``(offset …)`` or one folded instruction."""
        cursor = self.cursor
        func = FuncScope(self.scope)
        if cursor.accept_open("offset"):
            offset = read_body(cursor, func)
            cursor.expect(")")
            return offset
        return read_folded(cursor, func)

    def _elements(self) -> tuple[RefType, tuple[Expr, ...]]:
        """Take an element list: ``func x*``, or a reference type and expressions."""
        cursor = self.cursor
        if cursor.accept("func"):
            return _FUNC_REF, self._indices(cursor.line)
        return read_ref(cursor, self.scope), self._expressions()

    def _indices(self, line: int) -> tuple[Expr, ...]:
        """Take function indices as expressions."""
        found = []
        while self.cursor.at_index():
            index = self.scope.read(Space.FUNC, self.cursor)
            found.append((Instr(_REF_FUNC, (index,), line), Instr(_END, (), line)))
        return tuple(found)

    def _expressions(self) -> tuple[Expr, ...]:
        """Take ``(item …)`` and folded instructions."""
        cursor = self.cursor
        found = []
        while cursor.texts[cursor.pos] == "(":
            if cursor.accept_open("item"):
                found.append(read_body(cursor, FuncScope(self.scope)))
                cursor.expect(")")
            else:
                found.append(read_folded(cursor, FuncScope(self.scope)))
        return tuple(found)


def _zero(line: int) -> Expr:
    """The offset of a segment written inside its table or memory."""
    return (Instr(_I32_CONST, (0,), line), Instr(_END, (), line))


_READERS: dict[str, Callable[[Fields], None]] = {
    "import": Fields.import_field,
    "export": Fields.export_field,
    "start": Fields.start_field,
    "func": Fields.func_field,
    "table": Fields.table_field,
    "memory": Fields.memory_field,
    "global": Fields.global_field,
    "tag": Fields.tag_field,
    "elem": Fields.elem_field,
    "data": Fields.data_field,
}
