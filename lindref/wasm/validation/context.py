"""What a module offers to its bodies and constant expressions (spec §3.1.1), with every type closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from lindref import classes
from lindref.wasm.errors import Invalid, WasmError
from lindref.wasm.features import Feature
from lindref.wasm.instructions import BY_NAME
from lindref.wasm.module import ExternKind, Import, ImportDesc, Module
from lindref.wasm.types import (
    DefType,
    GlobalType,
    Limits,
    MemoryType,
    TableType,
    TagType,
    ValType,
)
from lindref.wasm.typing import close, closed, closed_ref, expand

#: Most pages of a memory, and most elements of a table (§3.2.12, §3.2.13).
MAX_PAGES = 1 << 16
MAX_ELEMENTS = (1 << 32) - 1

_REF_FUNC = BY_NAME["ref.func"]


@classes.frozen(eq=False)
class Signature:
    """A closed function type as lists: the shape in which an operand stack is compared with it."""

    params: list[ValType]
    results: list[ValType]


@classes.frozen(eq=False)
class Context:
    """The index spaces of a module, imports first, types closed. Made once for a module, by ``Context.of``."""

    module: Module
    types: tuple[DefType, ...]
    signatures: list[Signature]  # of every type
    funcs: list[int] = classes.field(factory=list)  # the type index of every function
    tables: list[TableType] = classes.field(factory=list)
    memories: list[MemoryType] = classes.field(factory=list)
    globals: list[GlobalType] = classes.field(factory=list)
    tags: list[Signature] = classes.field(factory=list)
    declared: frozenset[int] = frozenset()  # the functions that ``ref.func`` may name in bodies

    @classmethod
    def of(cls, module: Module) -> Context:
        """The context of a module; ``Invalid`` or ``Exhausted`` if a type in its index spaces is not valid."""
        types = close(module)
        signatures = [Signature(list(f.params), list(f.results)) for f in map(expand, types)]
        context = cls(module, types, signatures, declared=_declared(module))
        # A large program has thousands of functions, and hardly ever one of an unknown type.
        known = all(0 <= index < len(types) for index in module.funcs)
        for place, desc in _described(module, () if known else module.funcs):
            try:
                context._add(desc)
            except WasmError as error:
                raise error.at(place()) from None
        if known:
            context.funcs.extend(module.funcs)
        return context

    @property
    def features(self) -> frozenset[Feature]:
        """The features that the module is read under."""
        return self.module.features

    @property
    def imported_funcs(self) -> int:
        """How many functions are imported: the index of the first one that has a body."""
        return len(self.funcs) - len(self.module.funcs)

    @property
    def imported_globals(self) -> int:
        """How many globals are imported."""
        return len(self.globals) - len(self.module.globals)

    def signature(self, type_index: int) -> Signature:
        """The signature of a type; ``Invalid`` ("unknown type") out of range."""
        if not 0 <= type_index < len(self.signatures):
            raise Invalid(f"unknown type {type_index}")
        return self.signatures[type_index]

    def _add(self, desc: ImportDesc) -> None:
        """Puts one more item into its index space."""
        match desc:
            case int():
                self.signature(desc)
                self.funcs.append(desc)
            case TableType():
                check_limits(desc.limits, MAX_ELEMENTS, "table size must be at most 2^32-1 elements")
                self.tables.append(TableType(desc.limits, closed_ref(self.types, desc.ref)))
            case MemoryType():
                check_limits(desc.limits, MAX_PAGES, "memory size must be at most 65536 pages (4GiB)")
                if desc.shared and desc.limits.maximum is None:
                    raise Invalid("shared memory must have maximum")
                if self.memories and Feature.MULTI_MEMORY not in self.features:
                    raise Invalid("multiple memories")
                self.memories.append(desc)
            case GlobalType():
                self.globals.append(GlobalType(closed(self.types, desc.value), desc.mutable))
            case TagType():
                signature = self.signature(desc.type_index)
                if signature.results:
                    raise Invalid("non-empty tag result type")
                self.tags.append(signature)


def check_limits(limits: Limits, most: int, message: str) -> None:
    """§3.2.4: bounds in range (``message`` says which), the lower not above the upper."""
    if limits.minimum > most or (limits.maximum is not None and limits.maximum > most):
        raise Invalid(message)
    if limits.maximum is not None and limits.minimum > limits.maximum:
        raise Invalid("size minimum must not be greater than maximum")


def quoted(name: str) -> str:
    """A name as messages have it: on one line, whatever is in it."""
    import json

    return json.dumps(name)


def _place_of_import(number: int, item: Import) -> str:
    """How messages name an import."""
    return f"import {number} {quoted(item.module)} {quoted(item.name)}"


def _described(module: Module, funcs: Sequence[int]) -> Iterator[tuple[Callable[[], str], ImportDesc]]:
    """Every item of every index space with its place, in an order that counts imports first; of the defined functions
    those in ``funcs``.
    """
    imported = dict.fromkeys(ExternKind, 0)
    for number, item in enumerate(module.imports):
        imported[item.kind] += 1
        yield partial(_place_of_import, number, item), item.desc
    defined: list[tuple[ExternKind, str, list[ImportDesc]]] = [
        (ExternKind.TAG, "tag", list(module.tags)),
        (ExternKind.FUNC, "func", list(funcs)),
        (ExternKind.TABLE, "table", [table.type for table in module.tables]),
        (ExternKind.MEMORY, "memory", list(module.memories)),
        (ExternKind.GLOBAL, "global", [item.type for item in module.globals]),
    ]
    for kind, name, descs in defined:
        for index, desc in enumerate(descs, imported[kind]):
            yield partial("{} {}".format, name, index), desc


def _declared(module: Module) -> frozenset[int]:
    """The functions that occur outside of bodies, the start function not counted (§3.4.16, "refs")."""
    expressions = [
        *(item.init for item in module.globals),
        *(table.init for table in module.tables if table.init is not None),
        *(expression for segment in module.elems for expression in (*segment.init, segment.offset)),
        *(segment.offset for segment in module.datas),
    ]
    named = {item.index for item in module.exports if item.kind is ExternKind.FUNC}
    for expression in expressions:
        for instr in expression:
            if instr.op is _REF_FUNC and isinstance(instr.args[0], int):
                named.add(instr.args[0])
    return frozenset(named)
