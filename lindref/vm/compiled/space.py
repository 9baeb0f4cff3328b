"""Where compiled code of an instance runs: the globals of its Python functions.

Names: ``F`` yields once for each tick that is left, ``R`` gives one back; ``rp``, ``wp`` the pages of memory 0; ``m0``
memory 0, ``c0``, ``z0``, ``w0`` its methods ``copy``, ``fill``, ``grow``; ``rp1``, ``m1`` and so on are those of memory
1; ``g1`` the cell of global 1; ``f5`` function 5; ``i0_2`` the functions in table 0 that are of type 2, by their index;
``E3`` the class of exceptions of tag 3, ``n3`` what makes one; ``o_…`` operations. A function that is not compiled is
there too, and raises ``BAIL``.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any, Protocol

from lindref.vm.compiled.arithmetic import function_name
from lindref.vm.compiled.clock import Clock
from lindref.vm.compiled.raising import Bail, Tick, WasmException, again, class_of, maker
from lindref.vm.compiled.tails import COMPILED, tail, trampoline
from lindref.vm.compiled.unit import MAX_WEIGHT, Unit
from lindref.vm.handler import Handler
from lindref.vm.machine import Machine
from lindref.vm.numeric.floats import NAN
from lindref.vm.numeric.table import OPERATIONS
from lindref.vm.outcomes import Stop
from lindref.vm.pages import MASK, PAGE, SHIFT
from lindref.vm.values import FuncInst, HostFunc, Value
from lindref.wasm.typing import matches_heap

if TYPE_CHECKING:
    from lindref.vm.memory import Memory
    from lindref.vm.program import Body
    from lindref.vm.store import Store, View


class Asking(Protocol):
    """The machine, as compiled code knows it."""

    def ask(self, func: HostFunc, args: tuple[Value, ...]) -> Any:
        """The results of a host call; or compiled code is left."""


#: What is the same everywhere.
CONSTANTS: dict[str, Any] = {
    "BAIL": Bail,
    "TICK": Tick,
    "WASM": WasmException,
    "again": again,
    "tail": tail,
    "NAN": NAN,
    "sqrt": math.sqrt,
    "u2": struct.Struct("<H").unpack_from,
    "u4": struct.Struct("<I").unpack_from,
    "u8": struct.Struct("<Q").unpack_from,
    "h2": struct.Struct("<h").unpack_from,
    "h4": struct.Struct("<i").unpack_from,
    "d8": struct.Struct("<d").unpack_from,
    "p2": struct.Struct("<H").pack_into,
    "p4": struct.Struct("<I").pack_into,
    "p8": struct.Struct("<Q").pack_into,
    "e8": struct.Struct("<d").pack_into,
    **{function_name(name): operation for name, operation in OPERATIONS.items()},
}

#: How much a call that compiled code made in vain heats a function: leaving costs as much as so many calls.
VAIN_CALL = 8


class Space:
    """The globals of an instance's compiled functions, filled as they are needed."""

    __slots__ = ("_functions", "machine", "names", "store", "view")

    def __init__(self, store: Store, view: View) -> None:
        self.store = store
        self.view = view
        self.names: dict[str, Any] = {"__builtins__": {}, "__name__": COMPILED, "view": view}
        self.machine: Asking | None = None
        """What runs here."""
        self.fuel(Clock())
        self._functions: dict[tuple[int, int], Callable[..., Any]] = {}

    def fuel(self, clock: Clock) -> None:
        """Counts ticks by a clock from now on."""
        self.names["F"] = clock.ticks
        self.names["R"] = clock.units.append

    def function(self, unit: Unit) -> Callable[..., Any]:
        """The Python function of a unit that has code."""
        found = self._functions.get((unit.index, unit.entry))
        return self._link(unit) if found is None else found

    def _link(self, unit: Unit) -> Callable[..., Any]:
        """Makes the function of a unit, and those of the compiled functions it calls."""
        check_depth()
        made: dict[tuple[int, int], Callable[..., Any]] = {}
        todo = [unit]
        while todo:
            ready = todo.pop()
            key = ready.index, ready.entry
            if key in made or key in self._functions:
                continue
            assert ready.code is not None
            function: Callable[..., Any] = FunctionType(ready.code, self.names)
            if "tail" in ready.code.co_names:
                function = trampoline(function)
            made[key] = function
            if ready.entry == 0 and self._body(ready.index).weight <= MAX_WEIGHT:
                self.names[f"f{ready.index}"] = function
            for name in ready.code.co_names:
                if name not in self.names or (name[0] == "f" and name[1:].isdigit()):
                    self.bind(name, todo)
        self._functions |= made
        return made[unit.index, unit.entry]

    def _body(self, index: int) -> Body:
        return self.view.instance.program.body(index)

    def bind(self, name: str, todo: list[Unit] | None = None) -> None:
        """Gives a name of compiled code its meaning; names of attributes have none here.

        Functions that are compiled and have yet to be made are added to ``todo``.
        """
        value = CONSTANTS.get(name)
        kind, number = name[0], name[1:]
        if kind == "f" and number.isdigit():
            value = self.names.get(name) or self._callee(int(number), todo)
        elif value is None and number.isdigit():
            value = self._numbered(kind, int(number))
        elif value is None and kind == "i" and "_" in number:
            table, _, type_index = number.partition("_")
            value = Elements(self, int(table), int(type_index))
        elif kind == "h" and "_" in number:
            value = self._handled(number)
        elif name == "callee":
            value = self._reference
        elif name in ("rp", "wp"):
            value = getattr(self.view, name)
        elif name[:2] in ("rp", "wp") and name[2:].isdigit():
            value = getattr(self.view.memories[int(name[2:])], name[:2])
        if value is not None:
            self.names[name] = value

    def _numbered(self, kind: str, number: int) -> Any:
        match kind:
            case "g":
                return self.view.cells[number]
            case "m":
                return self.view.memories[number]
            case "c":
                return copier(self.view.memories[number])
            case "z":
                return filler(self.view.memories[number])
            case "w":
                return deep(self.view.memories[number].grow)
            case "E":
                return class_of(self.view.instance.tags[number].number)
            case "n":
                return maker(self.view.instance.tags[number])
            case _:
                return None

    def _handled(self, number: str) -> Callable[..., Any]:
        """An instruction as a function of its operands: ``number`` is the function's and the entry of its code."""
        index, _, pc = number.partition("_")
        handler, imm = self._body(int(index)).prepare()[int(pc)]
        return handled(self.store, self.view, handler, imm)

    def _callee(self, number: int, todo: list[Unit] | None) -> Callable[..., Any]:
        """What stands for a function that is called from here until it is made."""
        if number < self.view.instance.program.n_imported:
            return self._import(number)
        body = self._body(number)
        unit = body.compiled.get(0)
        if todo is not None and unit is not None and unit.code is not None and body.weight <= MAX_WEIGHT:
            todo.append(unit)
        return cold(body)

    def rebind(self, number: int) -> None:
        """Import ``number`` of the instance is another function now."""
        if f"f{number}" in self.names:
            self.names[f"f{number}"] = self._import(number)

    def _reference(self, func: Any) -> Callable[..., Any]:
        """The Python function for a function reference."""
        found = resolve(self.store, func) if isinstance(func, FuncInst) else None
        if found is None:
            raise Bail
        return found

    def _import(self, number: int) -> Callable[..., Any]:
        """An imported function: compiled ones of other instances are bound at their first call after that."""
        func = self.view.instance.imports[number]
        return host(self, func) if isinstance(func, HostFunc) else foreign(self, number, func)


class Elements(dict[int, Callable[..., Any]]):
    """Compiled functions of one type in a table by their index, as they are looked up."""

    def __init__(self, space: Space, table: int, type_index: int) -> None:
        super().__init__()
        self._store = space.store
        self._table = space.view.tables[table]
        self._expected = space.view.instance.program.types[type_index]
        self._table.caches.append(self)

    def __missing__(self, index: int) -> Callable[..., Any]:
        elements = self._table.elements
        func = elements[index] if index < len(elements) else None
        if not isinstance(func, FuncInst):
            raise Bail
        actual = self._store.type_of(func)
        if actual is not self._expected and not matches_heap(actual, self._expected):
            raise Bail
        found = resolve(self._store, func)
        if found is None:
            raise Bail
        self[index] = found
        return found


def space_of(store: Store, view: View) -> Space:
    """The space of an instance in its store."""
    found: Space | None = view.space
    if found is None:
        found = view.space = Space(store, view)
    return found


def resolve(store: Store, func: FuncInst) -> Callable[..., Any] | None:
    """The Python function for a wasm one, if it is compiled; if not, it is warmer now."""
    view = store.views[func.instance]
    body = view.instance.program.body(func.index)
    found = compiled(space_of(store, view), body)
    if found is None:
        body.heat[0] = body.heat.get(0, 0) + VAIN_CALL
    return found


def compiled(space: Space, body: Body) -> Callable[..., Any] | None:
    """The Python function of a whole body, if it is compiled and may be called by others."""
    unit: Unit | None = body.compiled.get(0)
    if unit is None or unit.code is None or body.weight > MAX_WEIGHT:
        return None
    return space.function(unit)


def check_depth(levels: int = 24) -> None:
    """``RecursionError`` unless Python's stack has room for so many calls: what follows must not be cut short."""
    if levels:
        check_depth(levels - 1)


def deep(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that changes things, made safe to be called from compiled code at any depth."""

    def call(*args: Any) -> Any:
        check_depth()
        return function(*args)

    return call


def filler(memory: Memory) -> Callable[[int, int, int], None]:
    """``Memory.fill``, quick within a page that may be written at once."""
    pages, slow = memory.wp, deep(memory.fill)

    def fill(a: int, value: int, n: int) -> None:
        page, at = pages.get(a >> SHIFT), a & MASK
        if page is not None and 0 < n <= PAGE - at:
            page[at : at + n] = bytes((value,)) * n
        else:
            slow(a, value, n)

    return fill


def copier(memory: Memory) -> Callable[[int, int, int, Memory], None]:
    """``Memory.copy``, quick from within one page to within another."""
    pages, slow = memory.wp, deep(memory.copy)

    def copy(to: int, a: int, n: int, source: Memory) -> None:
        page, at = pages.get(to >> SHIFT), to & MASK
        other, start = source.rp.get(a >> SHIFT), a & MASK
        if page is not None and other is not None and 0 < n <= PAGE - (max(start, at)):
            page[at : at + n] = other[start : start + n]
        else:
            slow(to, a, n, source)

    return copy


def handled(store: Store, view: View, handler: Handler, imm: Any) -> Callable[..., Any]:
    """A handler of the reference machine as a function of operands, for what does not move control. Where it would
    stop the machine, compiled code is left, and the reference machine does it."""
    small = Machine(store)
    small.switch(view)

    def call(*operands: Any) -> Any:
        check_depth()
        small.stack = stack = list(operands)
        try:
            handler(small, imm)
        except Stop:
            raise Bail from None
        return stack[-1] if stack else None

    return call


def foreign(space: Space, number: int, func: FuncInst) -> Callable[..., Any]:
    """What stands for an imported function: the reference machine calls it."""

    def call(*_args: Any) -> Any:
        found = resolve(space.store, func)
        if found is not None:
            space.names[f"f{number}"] = found
        raise Bail

    return call


def host(space: Space, func: HostFunc) -> Callable[..., Any]:
    """What stands for a function of the host: whoever runs the machine may answer."""

    def ask(*args: Any) -> Any:
        if space.machine is None:
            raise Bail
        return space.machine.ask(func, args)

    return ask


def cold(body: Body) -> Callable[..., Any]:
    """What stands for a function that is not compiled: the reference machine calls it."""

    def call(*_args: Any) -> Any:
        body.heat[0] = body.heat.get(0, 0) + VAIN_CALL
        raise Bail

    return call
