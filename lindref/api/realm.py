"""A store with the Python functions that its instances import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lindref.api.convert import from_wasm, to_wasm
from lindref.api.errors import Exhaustion, Trap, WasmException
from lindref.api.function import Function
from lindref.api.items import Global, Memory, Table
from lindref.vm import engines
from lindref.vm.machine import Machine
from lindref.vm.outcomes import (
    AtomicNotify,
    AtomicWait,
    HostCall,
    OutOfResources,
    Paused,
    Returned,
    Thrown,
    Trapped,
)
from lindref.vm.store import Store
from lindref.vm.values import (
    Extern,
    FuncInst,
    GlobalAddr,
    HostFunc,
    MemoryAddr,
    TableAddr,
    TagInst,
    Value,
)
from lindref.wasm.types import AbsHeap, FuncType, RefType
from lindref.wasm.typing import matches_heap

#: What ``memory.atomic.wait`` returns when its time is up: nobody else runs here.
_TIMED_OUT = 2


class Realm:
    """A store, and what of it Python has handed in or asked for."""

    def __init__(self, engine: str = "auto", max_ticks: int | None = None) -> None:
        self.store = Store()
        self.engine = engine
        """Which machine runs the code: one of ``vm.engines.ENGINES``."""
        self.max_ticks = max_ticks
        """Ticks (calls and backward branches) that one call from Python may take."""
        self._functions: dict[HostFunc, Callable[..., Any]] = {}

    # What Python hands in.

    def host(self, module: str, name: str, functype: FuncType, function: Callable[..., Any]) -> HostFunc:
        """A Python function as an import; another one under the same name gets a name of its own."""
        made = HostFunc(module, name, functype)
        number = 1
        while self._functions.setdefault(made, function) is not function:
            number += 1
            made = HostFunc(module, f"{name}#{number}", functype)
        return made

    def memory(self, memory: Memory) -> MemoryAddr:
        """A memory's number here."""
        numbers = [n for n, m in enumerate(self.store.memories) if m is memory.vm]
        return MemoryAddr(numbers[0]) if numbers else self.store.add_memory(memory.vm)

    def global_(self, item: Global) -> GlobalAddr:
        """A global's number here."""
        numbers = [n for n, cell in enumerate(self.store.globals) if cell is item.cell]
        if not numbers:
            item.realm = item.realm or self
            self.store.globals.append(item.cell)
            numbers = [len(self.store.globals) - 1]
        return GlobalAddr(numbers[0])

    def table(self, item: Table) -> TableAddr:
        """A table's number here."""
        numbers = [n for n, table in enumerate(self.store.tables) if table is item.vm]
        if not numbers:
            item.realm = item.realm or self
            self.store.tables.append(item.vm)
            numbers = [len(self.store.tables) - 1]
        return TableAddr(numbers[0])

    # What Python gets.

    def item(self, extern: Extern) -> Function | Memory | Table | Global | TagInst:
        """The Python side of an item."""
        match extern:
            case FuncInst() | HostFunc():
                return Function(self, extern)
            case MemoryAddr(number):
                return Memory.around(self.store.memories[number])
            case TableAddr(number):
                return Table.around(self.store.tables[number], self)
            case GlobalAddr(number):
                return Global.around(self.store.globals[number], self)
            case TagInst():
                return extern

    def is_a(self, func: FuncInst | HostFunc, kind: RefType) -> bool:
        """Whether a function is of a reference type."""
        return kind.heap is AbsHeap.FUNC or matches_heap(self.store.type_of(func), kind.heap)

    # Calls.

    def call(self, func: FuncInst | HostFunc, args: Sequence[Any]) -> Any:
        """Calls a function with Python's values; see ``Function.__call__``."""
        functype = self.store.closed_type(func)
        if len(args) != len(functype.params):
            raise TypeError(f"{len(functype.params)} arguments are wanted, not {len(args)}")
        values = [to_wasm(a, kind, self) for a, kind in zip(args, functype.params, strict=True)]
        found = self.run(func, values)
        results = tuple(from_wasm(v, kind, self) for v, kind in zip(found, functype.results, strict=True))
        return results if len(results) > 1 else results[0] if results else None

    def run(self, func: FuncInst | HostFunc, args: Sequence[Value]) -> tuple[Value, ...]:
        """Calls a function with machine values."""
        machine = engines.machine(self.engine, self.store)
        machine.call(func, args)
        while True:
            match machine.run(None if self.max_ticks is None else max(self.max_ticks - machine.ticks, 1)):
                case Returned(values):
                    return values
                case HostCall(host, given):
                    self._host_call(machine, host, given)
                case Trapped(message):
                    raise Trap(message, tuple(machine.backtrace()))
                case Thrown(exn):
                    raise self._exception(exn)
                case AtomicNotify():
                    machine.resume((0,))
                case AtomicWait(timeout=None):
                    raise Trap("deadlock: the only thread waits for ever", tuple(machine.backtrace()))
                case AtomicWait():
                    machine.resume((_TIMED_OUT,))
                case OutOfResources(message):
                    raise Exhaustion(message)
                case Paused():
                    raise Exhaustion(f"the call takes more than {self.max_ticks} ticks")
                case outcome:
                    raise AssertionError(f"nobody asked for {outcome}")

    def _exception(self, exn: Any) -> WasmException:
        """An exception on its way to Python."""
        kinds = self.store.tag_type(exn.tag).params
        return WasmException(exn, tuple(from_wasm(v, kind, self) for v, kind in zip(exn.values, kinds, strict=True)))

    def _host_call(self, machine: Machine, host: HostFunc, args: Sequence[Value]) -> None:
        """Calls a Python function on the guest's behalf."""
        kinds = host.type
        given = [from_wasm(v, kind, self) for v, kind in zip(args, kinds.params, strict=True)]
        try:
            answer = self._functions[host](*given)
        except WasmException as thrown:
            if machine.throw(thrown.exn) is not None:
                raise
            return
        answers = _answers(answer, len(kinds.results))
        if answers is None:
            raise TypeError(f"{host.module}.{host.name} returned {answer!r}, its type says {kinds}")
        machine.resume([to_wasm(a, kind, self) for a, kind in zip(answers, kinds.results, strict=True)])


def _answers(answer: Any, count: int) -> Sequence[Any] | None:
    """What a Python function returned as so many results; ``None`` if it is not so many."""
    match count:
        case 0:
            return () if answer is None else None
        case 1:
            return (answer,)
        case _:
            return answer if isinstance(answer, tuple | list) and len(answer) == count else None

