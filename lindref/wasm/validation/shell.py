"""Checking everything of a module but its function bodies (spec §3.5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lindref.wasm.errors import Invalid, WasmError
from lindref.wasm.features import Feature
from lindref.wasm.instructions import BY_NAME
from lindref.wasm.module import Data, Elem, Expr, ExternKind, Module, SegmentMode
from lindref.wasm.types import AbsHeap, NumType, RefType, ValType
from lindref.wasm.typing import closed_ref, defaultable, matches_ref
from lindref.wasm.validation.body import validate_constant
from lindref.wasm.validation.context import Context, quoted

#: The message for an export of something that is not there.
_UNKNOWN = {
    ExternKind.FUNC: "unknown function",
    ExternKind.TABLE: "unknown table",
    ExternKind.MEMORY: "unknown memory",
    ExternKind.GLOBAL: "unknown global",
    ExternKind.TAG: "unknown tag",
}


_REF_FUNC, _END = BY_NAME["ref.func"], BY_NAME["end"]


def _names_function(expression: Expr, functions: int) -> bool:
    """Whether an expression is a mere ``ref.func`` of one of so many functions, as most elements of tables are."""
    if len(expression) != 2:
        return False
    first, last = expression
    index = first.args[0] if first.op is _REF_FUNC else -1
    return last.op is _END and isinstance(index, int) and 0 <= index < functions


def validate_shell(module: Module) -> Context:
    """Checks all but the bodies, and gives the context to check those in.

    Raises:
        Invalid: a rule is broken; the message begins as the official scripts expect.
        Exhausted, Unsupported: as the names say.
    """
    context = Context.of(module)
    _Shell(context).check()
    return context


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Names the place of an error."""
    try:
        yield
    except WasmError as error:
        raise error.at(place) from None


class _Shell:
    """The checks, each on a part of the module."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.module = context.module
        # Before typed references came, constant expressions read imported globals only (wasm 2.0, §3.4.10).
        self.earlier = Feature.FUNCTION_REFERENCES in context.features

    def check(self) -> None:
        """Everything, in the order of the sections."""
        self.tables()
        self.globals()
        for number, segment in enumerate(self.module.elems):
            with _at(f"elem segment {number}"):
                self.elem(segment)
        for number, data in enumerate(self.module.datas):
            with _at(f"data segment {number}"):
                self.data(data)
        self.start()
        self.exports()

    def constant(self, expression: Expr, want: ValType, visible_globals: int | None = None) -> None:
        """A constant expression that may read these globals (by default all that there may be)."""
        context = self.context
        if not self.earlier:
            visible_globals = context.imported_globals
        elif visible_globals is None:
            visible_globals = len(context.globals)
        validate_constant(context, expression, want, visible_globals)

    def tables(self) -> None:
        """Initial elements; a table of elements without a default must have one."""
        context = self.context
        for index, table in enumerate(self.module.tables, len(context.tables) - len(self.module.tables)):
            ref = context.tables[index].ref
            with _at(f"table {index}"):
                if table.init is not None:
                    self.constant(table.init, ref, context.imported_globals)
                elif not defaultable(ref):
                    raise Invalid(f"type mismatch: a table of {ref} needs an initial element")

    def globals(self) -> None:
        """Initial values, which may read the globals before."""
        context = self.context
        for index, item in enumerate(self.module.globals, context.imported_globals):
            with _at(f"global {index}"):
                self.constant(item.init, context.globals[index].value, index)

    def elem(self, segment: Elem) -> None:
        """An element segment."""
        context = self.context
        ref: RefType = closed_ref(context.types, segment.type)
        if segment.mode is SegmentMode.ACTIVE:
            if segment.table >= len(context.tables):
                raise Invalid(f"unknown table {segment.table}")
            target = context.tables[segment.table].ref
            if not matches_ref(ref, target):
                raise Invalid(f"type mismatch: table requires {target} but elements are {ref}")
            with _at("offset"):
                self.constant(segment.offset, NumType.I32)
        any_function = ref.heap is AbsHeap.FUNC
        for number, expression in enumerate(segment.init):
            if any_function and _names_function(expression, len(context.funcs)):
                continue
            try:
                self.constant(expression, ref)
            except WasmError as error:
                raise error.at(f"element {number}") from None

    def data(self, data: Data) -> None:
        """A data segment."""
        if data.mode is SegmentMode.ACTIVE:
            if data.memory >= len(self.context.memories):
                raise Invalid(f"unknown memory {data.memory}")
            with _at("offset"):
                self.constant(data.offset, NumType.I32)

    def start(self) -> None:
        """The start function takes nothing and gives nothing."""
        index = self.module.start
        if index is None:
            return
        context = self.context
        with _at("start"):
            if index >= len(context.funcs):
                raise Invalid(f"unknown function {index}")
            signature = context.signatures[context.funcs[index]]
            if signature.params or signature.results:
                raise Invalid("start function must have no parameters and no results")

    def exports(self) -> None:
        """Exports name what is there, each by another name."""
        context = self.context
        spaces = {
            ExternKind.FUNC: len(context.funcs),
            ExternKind.TABLE: len(context.tables),
            ExternKind.MEMORY: len(context.memories),
            ExternKind.GLOBAL: len(context.globals),
            ExternKind.TAG: len(context.tags),
        }
        names: set[str] = set()
        for item in self.module.exports:
            if item.index >= spaces[item.kind]:
                raise Invalid(f"{_UNKNOWN[item.kind]} {item.index}").at(f"export {quoted(item.name)}")
            if item.name in names:
                raise Invalid("duplicate export name").at(f"export {quoted(item.name)}")
            names.add(item.name)
