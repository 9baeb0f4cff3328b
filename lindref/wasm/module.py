"""A module as data (spec §2.5): what decoder and text parser make, and everything else reads.

Equality is equality of meaning: where a thing stood in its file (offsets, sizes, the digest) takes no part in it,
so a module equals what its encoding decodes to.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import NamedTuple

from lindref import classes
from lindref.wasm.errors import Exhausted
from lindref.wasm.features import DEFAULT, Feature
from lindref.wasm.instructions import Op
from lindref.wasm.types import (
    FuncType,
    GlobalType,
    MemoryType,
    RecGroup,
    RefType,
    SubType,
    TableType,
    TagType,
    ValType,
)

#: Declared locals a function may have: a limit of ours, the one that browsers agreed on.
MAX_LOCALS = 50_000


class Instr(NamedTuple):
    """One instruction of a flat body.

    ``args`` are the immediates in *binary* order, one Python value per entry of ``op.imms`` (see
    ``instructions.Imm`` for their shapes). ``offset`` is the byte offset in the file (binary) or the source
    line (text), for messages and DWARF; it takes no part in any meaning.
    Blocks are flat: ``block``/``loop``/``if``/``try_table``/``try`` … ``else``/``catch`` … ``end``/``delegate``.
    """

    op: Op
    args: tuple[object, ...] = ()
    offset: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Instr) and self[0] is other[0] and self[1] == other[1]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((self[0].index, self[1]))


class ExternKind(enum.IntEnum):
    """The kinds of imports and exports; values are the binary codes."""

    FUNC = 0
    TABLE = 1
    MEMORY = 2
    GLOBAL = 3
    TAG = 4


#: What an import's description holds: a function's type index, or the type itself.
ImportDesc = int | TableType | MemoryType | GlobalType | TagType


@classes.frozen
class Import:
    """An import ``module.name`` of the given kind; ``desc`` is an ``int`` (type index) for functions."""

    module: str
    name: str
    kind: ExternKind
    desc: ImportDesc


@classes.frozen
class Export:
    """An export of item ``index`` (in the index space of its kind) under ``name``."""

    name: str
    kind: ExternKind
    index: int


#: A constant expression: a flat body *including* its closing ``end``.
Expr = tuple[Instr, ...]

#: Runs ``(count, type)`` of declared locals.
Runs = tuple[tuple[int, ValType], ...]


@classes.define(eq=False)
class Code:
    """A defined function's locals and body.

    Both are decoded on first use: ``thunk`` makes them (raising ``Malformed`` and what else decoding raises) and is
    dropped afterwards. Comparing two of them decodes both.
    """

    _locals: Runs = classes.field(default=(), alias="locals_")
    offset: int = 0  # of the code entry in the file, just after its size; the source line for text
    size: int = 0  # bytes of the code entry in the file (locals and body), 0 for text
    _body: tuple[Instr, ...] | None = classes.field(default=None, alias="body")
    _thunk: Callable[[], tuple[Runs, tuple[Instr, ...]]] | None = classes.field(
        default=None, eq=False, repr=False, alias="thunk"
    )

    @property
    def locals_(self) -> Runs:
        """The declared locals (parameters excluded) as runs of a type."""
        if self._thunk is not None:
            self._decode()
        return self._locals

    @property
    def body(self) -> tuple[Instr, ...]:
        """The instructions; the last is ``end``."""
        if self._body is None:
            self._decode()
        assert self._body is not None
        return self._body

    def _decode(self) -> None:
        assert self._thunk is not None
        self._locals, self._body = self._thunk()
        self._thunk = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Code):
            return NotImplemented
        return self.local_runs() == other.local_runs() and self.body == other.body

    __hash__ = None  # type: ignore[assignment]  # it changes when the body is decoded

    def local_runs(self) -> Runs:
        """The runs of declared locals as they are shortest: none empty, no two neighbours of one type."""
        runs: list[tuple[int, ValType]] = []
        for count, kind in self.locals_:
            if runs and runs[-1][1] == kind:
                runs[-1] = (runs[-1][0] + count, kind)
            elif count:
                runs.append((count, kind))
        return tuple(runs)

    def local_types(self) -> list[ValType]:
        """The declared locals, one entry each; ``Exhausted`` when there are more than ``MAX_LOCALS``."""
        total = sum(count for count, _ in self.locals_)
        if total > MAX_LOCALS:
            raise Exhausted(f"{total} locals in a function, at most {MAX_LOCALS} are allowed")
        return [t for count, t in self.locals_ for _ in range(count)]


@classes.frozen
class Table:
    """A defined table; ``init`` is its initial element (``None``: null)."""

    type: TableType
    init: Expr | None = None


@classes.frozen
class Global:
    """A defined global with its initialiser."""

    type: GlobalType
    init: Expr


class SegmentMode(enum.Enum):
    """How an element or data segment is used."""

    ACTIVE = "active"
    PASSIVE = "passive"
    DECLARATIVE = "declarative"


@classes.frozen
class Elem:
    """An element segment; every element is a constant expression (``func_indices`` are ``ref.func`` ones)."""

    type: RefType
    init: tuple[Expr, ...]
    mode: SegmentMode
    table: int = 0
    offset: Expr = ()


@classes.frozen
class Data:
    """A data segment."""

    init: bytes
    mode: SegmentMode
    memory: int = 0
    offset: Expr = ()


@classes.frozen
class Custom:
    """A custom section; ``after`` is the id of the last non-custom section before it (0: first)."""

    name: str
    data: bytes
    after: int = 0
    offset: int = classes.field(default=0, eq=False)  # of ``data`` in the file


@classes.define
class Module:
    """A module. Index spaces start with the imports, as in the specification."""

    rec_groups: tuple[RecGroup, ...] = ()
    imports: tuple[Import, ...] = ()
    funcs: tuple[int, ...] = ()  # type index of each defined function
    tables: tuple[Table, ...] = ()
    memories: tuple[MemoryType, ...] = ()
    tags: tuple[TagType, ...] = ()
    globals: tuple[Global, ...] = ()
    exports: tuple[Export, ...] = ()
    start: int | None = None
    elems: tuple[Elem, ...] = ()
    codes: Sequence[Code] = ()  # one per entry of ``funcs``
    datas: tuple[Data, ...] = ()
    #: The data count section, where there is one. Only well-formedness of bytes asks for it, so text has none, and
    #: the encoder writes one wherever a body needs it.
    data_count: int | None = classes.field(default=None, eq=False)
    customs: tuple[Custom, ...] = ()
    features: frozenset[Feature] = DEFAULT
    #: Set by the text parser from ``$names``, by ``sections.names`` from the name section: see there.
    text_names: object | None = classes.field(default=None, eq=False)
    digest: str = classes.field(default="", eq=False)  # BLAKE2b-128 of the binary, hexadecimal; empty for text
    code_start: int = classes.field(default=0, eq=False)  # of the code section's content in the file: DWARF's address 0
    _types: tuple[SubType, ...] | None = classes.field(default=None, eq=False, repr=False, init=False)

    @property
    def types(self) -> tuple[SubType, ...]:
        """The type index space: members of all groups, in order."""
        if self._types is None:
            self._types = tuple(m for g in self.rec_groups for m in g.members)
        return self._types

    def func_type(self, type_index: int) -> FuncType:
        """The function type at ``type_index`` (which must be in range)."""
        return self.types[type_index].comp

    def imported(self, kind: ExternKind) -> list[Import]:
        """The imports of one kind, in index order."""
        return [i for i in self.imports if i.kind is kind]

    def export(self, name: str) -> Export | None:
        """The export called ``name``."""
        return next((e for e in self.exports if e.name == name), None)
