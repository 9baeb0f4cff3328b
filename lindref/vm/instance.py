"""Instances (spec §4.2.5): which items of a store a module's indices mean. Immutable, shared by copies of the store."""

from __future__ import annotations

from lindref import classes
from lindref.state.records import record
from lindref.vm.program import Program
from lindref.vm.values import Extern, FuncInst, GlobalAddr, HostFunc, MemoryAddr, TableAddr, TagInst
from lindref.wasm.module import ExternKind


@record("instance")
class InstanceState:
    """An instance as a value; ``program`` is the digest of its module."""

    program: str
    imports: tuple[FuncInst | HostFunc, ...]
    tables: tuple[int, ...]
    memories: tuple[int, ...]
    globals: tuple[int, ...]
    tags: tuple[TagInst, ...]


@classes.frozen(eq=False)
class Instance:
    """Instance ``number`` of a store. Index spaces hold numbers of the store; functions of its own are not listed."""

    number: int
    program: Program
    imports: tuple[FuncInst | HostFunc, ...]
    """The imported functions."""
    tables: tuple[int, ...]
    memories: tuple[int, ...]
    globals: tuple[int, ...]
    tags: tuple[TagInst, ...]

    def func(self, index: int) -> FuncInst | HostFunc:
        """Function ``index`` of the module."""
        if index < len(self.imports):
            return self.imports[index]
        return FuncInst(self.number, index)

    @property
    def start(self) -> FuncInst | HostFunc | None:
        """The start function, which the caller of ``instantiate`` has yet to run."""
        start = self.program.module.start
        return None if start is None else self.func(start)

    def extern(self, kind: ExternKind, index: int) -> Extern:
        """Item ``index`` of an index space."""
        match kind:
            case ExternKind.FUNC:
                return self.func(index)
            case ExternKind.TABLE:
                return TableAddr(self.tables[index])
            case ExternKind.MEMORY:
                return MemoryAddr(self.memories[index])
            case ExternKind.GLOBAL:
                return GlobalAddr(self.globals[index])
            case ExternKind.TAG:
                return self.tags[index]

    def export(self, name: str) -> Extern | None:
        """What is exported under a name; ``None`` if nothing is."""
        export = self.program.exports.get(name)
        return None if export is None else self.extern(export.kind, export.index)

    def exports(self) -> dict[str, Extern]:
        """All exports, in the module's order."""
        return {name: self.extern(e.kind, e.index) for name, e in self.program.exports.items()}

    def freeze(self) -> InstanceState:
        """The instance as a value."""
        return InstanceState(
            self.program.digest, self.imports, self.tables, self.memories, self.globals, self.tags
        )
