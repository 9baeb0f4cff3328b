"""The store (spec §4.2.3): everything that instances share and change, live.

A store belongs to one thread. ``fork`` copies it for a child (memories copy-on-write), ``spawn_thread`` for a thread of
the same address space (the same memories, everything else its own); ``freeze`` makes it a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lindref.state.pmap import PMap
from lindref.state.records import adopt, record
from lindref.vm.instance import Instance, InstanceState
from lindref.vm.limits import Budget
from lindref.vm.memory import Memory, MemoryState
from lindref.vm.program import Program
from lindref.vm.table import MAX_ELEMENTS, Table, TableState
from lindref.vm.values import FuncInst, GlobalAddr, HostFunc, MemoryAddr, TableAddr, TagInst, Value, function_type
from lindref.wasm.types import DefType, FuncType, GlobalType, TableType
from lindref.wasm.typing import expand

adopt("globaltype", GlobalType)


@record("shape")
class Shape:
    """What of a store never changes once it is there: instances and types."""

    instances: tuple[InstanceState, ...]
    globals: tuple[GlobalType, ...]
    tags: tuple[DefType, ...]


@record("segments")
class Segments:
    """An instance's segments: ``elems`` by index those not empty, ``dropped`` the indices of dropped data."""

    elems: PMap[tuple[Value, ...]]
    dropped: tuple[int, ...]


@record("store")
class StoreState:
    """A store as a value. ``memories`` is empty where the store was frozen without them."""

    shape: Shape
    globals: tuple[Value, ...]
    tables: tuple[TableState, ...]
    segments: tuple[Segments, ...]
    memories: tuple[MemoryState, ...]


class Cell:
    """A global: its value and (closed) type."""

    __slots__ = ("type", "value")

    def __init__(self, globaltype: GlobalType, value: Value) -> None:
        self.type = globaltype
        self.value = value


class View:
    """An instance within a store: its index spaces as live objects, and its segments."""

    __slots__ = ("cells", "datas", "elems", "instance", "memories", "memory", "rp", "space", "tables", "wp")

    def __init__(self, instance: Instance, store: Store) -> None:
        self.instance = instance
        self.cells = [store.globals[n] for n in instance.globals]
        self.tables = [store.tables[n] for n in instance.tables]
        self.memories = [store.memories[n] for n in instance.memories]
        self.memory: Memory | None = self.memories[0] if self.memories else None
        self.rp: dict[int, Any] | None = None if self.memory is None else self.memory.rp
        self.wp: dict[int, Any] | None = None if self.memory is None else self.memory.wp
        self.elems: list[tuple[Value, ...]] = []
        self.datas: list[bytes] = []
        self.space: Any = None
        """What compiled code of this instance runs in (``vm.compiled.space.Space``), once there is any."""

    def relink(self, instance: Instance) -> None:
        """The same instance with other imported functions; the store is to be told (``Store.reshape``)."""
        before, self.instance = self.instance.imports, instance
        if self.space is not None:
            for number, (old, new) in enumerate(zip(before, instance.imports, strict=True)):
                if old != new:
                    self.space.rebind(number)

    def copy(self, store: Store) -> View:
        """The same instance within a copy of the store."""
        view = View(self.instance, store)
        view.elems = list(self.elems)
        view.datas = list(self.datas)
        return view

    def freeze(self) -> Segments:
        """The segments as a value."""
        inits = self.instance.program.module.datas
        return Segments(
            PMap[tuple[Value, ...]]().update({i: values for i, values in enumerate(self.elems) if values}),
            tuple(i for i, data in enumerate(self.datas) if not data and inits[i].init),
        )


class Store:
    """A live store. Its lists only grow: a number once given stays."""

    def __init__(self, budget: Budget | None = None) -> None:
        """``budget`` counts the pages of the memories that instances define."""
        self.budget = budget
        self.globals: list[Cell] = []
        self.tables: list[Table] = []
        self.memories: list[Memory] = []
        self.tags: list[DefType] = []
        self.views: list[View] = []
        """One for each instance, by its number."""
        self._shape: Shape | None = None
        self._segments: tuple[Segments, ...] = ()
        self._globals: tuple[Value, ...] = ()

    # Adding items.

    def add_global(self, globaltype: GlobalType, value: Value) -> GlobalAddr:
        """A new global; its type must be closed."""
        self.globals.append(Cell(globaltype, value))
        return GlobalAddr(len(self.globals) - 1)

    def add_table(self, tabletype: TableType, init: Value = None) -> TableAddr:
        """A new table, full of ``init``; its type must be closed."""
        self.tables.append(Table(tabletype, init))
        return TableAddr(len(self.tables) - 1)

    def table_room(self) -> int:
        """How many elements more the tables may have."""
        return MAX_ELEMENTS - sum(len(table.elements) for table in self.tables)

    def add_memory(self, memory: Memory) -> MemoryAddr:
        """A memory, new or shared with other stores."""
        self.memories.append(memory)
        return MemoryAddr(len(self.memories) - 1)

    def add_tag(self, deftype: DefType) -> TagInst:
        """A new tag; ``deftype`` is its function type."""
        self.tags.append(deftype)
        return TagInst(len(self.tags) - 1)

    # Looking up.

    @property
    def instances(self) -> list[Instance]:
        """The instances, by number."""
        return [view.instance for view in self.views]

    def type_of(self, func: FuncInst | HostFunc) -> DefType:
        """A function's type."""
        if isinstance(func, HostFunc):
            return function_type(func.type)
        return self.views[func.instance].instance.program.func_types[func.index]

    def func_type(self, func: FuncInst | HostFunc) -> FuncType:
        """A function's parameters and results, closed as far as their number goes."""
        if isinstance(func, HostFunc):
            return func.type
        return self.views[func.instance].instance.program.body(func.index).type

    def closed_type(self, func: FuncInst | HostFunc) -> FuncType:
        """A function's parameters and results, closed."""
        return expand(self.type_of(func))

    def tag_type(self, tag: TagInst) -> FuncType:
        """The function type of a tag, whose parameters are what its exceptions carry; closed."""
        return expand(self.tags[tag.number])

    # Copies.

    def fork(self) -> Store:
        """A copy for a child with an address space of its own: memories are copied on write."""
        return self._copy([memory.fork() for memory in self.memories])

    def spawn_thread(self, memories: Sequence[Memory] | None = None) -> Store:
        """A copy for a thread of the same address space: globals, tables and segments of its own, the same memories.

        ``memories`` are those to use instead, e.g. of a fork whose memory was copied already.
        """
        return self._copy(self.memories if memories is None else memories)

    def _copy(self, memories: Sequence[Memory]) -> Store:
        other = Store(self.budget)
        other.globals = [Cell(cell.type, cell.value) for cell in self.globals]
        other.tables = [table.copy() for table in self.tables]
        other.memories = list(memories)
        other.tags = list(self.tags)
        other.views = [view.copy(other) for view in self.views]
        other._shape = self._shape
        return other

    def freeze(self, *, memories: bool = True) -> StoreState:
        """The store as a value. Leave out the memories where another store that has the same is frozen with them."""
        return StoreState(
            self._freeze_shape(),
            self._freeze_globals(),
            tuple(table.freeze() for table in self.tables),
            self._freeze_segments(),
            tuple(memory.freeze() for memory in self.memories) if memories else (),
        )

    def reshape(self) -> None:
        """An instance was replaced: the shape is to be made anew."""
        self._shape = None

    def _freeze_shape(self) -> Shape:
        """The same object as long as nothing was added."""
        shape = self._shape
        sizes = (len(self.views), len(self.globals), len(self.tags))
        if shape is None or sizes != (len(shape.instances), len(shape.globals), len(shape.tags)):
            self._shape = shape = Shape(
                tuple(view.instance.freeze() for view in self.views),
                tuple(cell.type for cell in self.globals),
                tuple(self.tags),
            )
        return shape

    def _freeze_globals(self) -> tuple[Value, ...]:
        return tuple(cell.value for cell in self.globals)

    def _freeze_segments(self) -> tuple[Segments, ...]:
        return tuple(view.freeze() for view in self.views)

    @classmethod
    def thaw(
        cls, state: StoreState, programs: Mapping[str, Program], memories: Sequence[Memory] | None = None
    ) -> Store:
        """A live store in this state. ``programs`` by digest (``KeyError`` if one is missing).

        ``memories`` are those to share with another store; without it, the state's own are made live.
        """
        store = cls()
        shape = state.shape
        store.globals = [Cell(t, v) for t, v in zip(shape.globals, state.globals, strict=True)]
        store.tables = [Table.thaw(table) for table in state.tables]
        store.memories = [Memory.thaw(m) for m in state.memories] if memories is None else list(memories)
        store.tags = list(shape.tags)
        store._shape = shape
        for number, (instance, segments) in enumerate(zip(shape.instances, state.segments, strict=True)):
            program = programs[instance.program]
            view = View(
                Instance(
                    number,
                    program,
                    instance.imports,
                    instance.tables,
                    instance.memories,
                    instance.globals,
                    instance.tags,
                ),
                store,
            )
            module = program.module
            view.elems = [segments.elems.get(i, ()) or () for i in range(len(module.elems))]
            view.datas = [b"" if i in segments.dropped else data.init for i, data in enumerate(module.datas)]
            store.views.append(view)
        return store
