"""The stack of a thread's calls: functions with their lines, those put in place of calls among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lindref import classes
from lindref.debug.places import InSlot, Surroundings, Unavailable, frame_base, locate
from lindref.debug.symbols import Symbols, Variable
from lindref.debug.values import Value, computed
from lindref.system.threads import SignalBarrier, Thread
from lindref.system.wasm_runner import WasmRunner
from lindref.vm.values import GlobalAddr

if TYPE_CHECKING:
    from lindref.system.system import System as Engine
    from lindref.vm.frame import Frame
    from lindref.vm.memory import Memory
    from lindref.vm.program import Program


class SymbolTable:
    """The debug information of the programs of a run, read once each."""

    def __init__(self) -> None:
        self._known: dict[str, Symbols] = {}

    def of(self, program: Program) -> Symbols:
        """That of a program."""
        found = self._known.get(program.digest)
        if found is None:
            found = self._known[program.digest] = Symbols(program.module)
        return found


@classes.frozen(eq=False)
class GuestFrame:
    """A call in progress. ``level``: how many of the machine's frames lie above; ``pc`` the entry of its code where
    it stands, ``offset`` that of the instruction. ``file``, ``line``, ``column`` are empty or 0 where not known.
    ``block`` is the entry of the inlined function that this is, ``None`` for a call of the machine's. ``note`` says
    what the host had to do with it."""

    thread: Thread
    level: int
    frame: Frame
    pc: int
    offset: int
    name: str
    symbols: Symbols
    file: str = ""
    line: int = 0
    column: int = 0
    block: Any = None
    note: str = ""

    @property
    def program(self) -> Program:
        """The module that the function is of."""
        assert self.frame.view is not None
        return self.frame.view.instance.program

    @property
    def memory(self) -> Memory | None:
        """The memory that it uses."""
        assert self.frame.view is not None
        return self.frame.view.memory

    @property
    def inlined(self) -> bool:
        """Whether this is a function put in place of a call."""
        return self.block is not None

    # Its variables.

    def variables(self) -> list[Variable]:
        """The C variables in scope here, the innermost first."""
        function = self.symbols.function(self.offset)
        return [] if function is None else function.variables(self.symbols.address(self.offset), self.block)

    def value(self, variable: Variable) -> Value:
        """What a variable is here; raises ``Unavailable``."""
        if variable.constant is not None:
            return computed(variable.type, variable.constant, self.memory)
        expression = variable.location(self.symbols.address(self.offset))
        if expression is None:
            raise Unavailable("optimised away")
        return Value(variable.type, locate(expression, self.surroundings()), self.memory)

    def surroundings(self) -> Surroundings:
        """What location expressions are evaluated in here."""
        function = self.symbols.function(self.offset)
        plain = Surroundings(self.memory, self._slot)
        base = None if function is None or function.frame_base is None else function.frame_base

        def find_base() -> int:
            assert base is not None
            return frame_base(base, plain)

        return Surroundings(self.memory, self._slot, None if base is None else find_base)

    def _slot(self, kind: int, number: int) -> InSlot:
        view = self.frame.view
        assert view is not None
        name = ("local", "global", "operand")[min(kind, 2)]
        values: list[Any] = (
            [c.value for c in view.cells] if kind == 1 else [self.frame.locals, self.frame.stack][kind > 1]
        )
        if number >= len(values):
            raise Unavailable(f"no {name} {number} here")
        return InSlot(values[number], (name, self.level, number))

    # Wasm's own.

    def locals(self) -> list[tuple[str, Any]]:
        """The wasm locals: name (``$n`` without one) and value."""
        body = self.frame.body
        named = self.program.names.locals.get(body.index, {})
        visible = len(self.frame.locals)
        return [(named.get(i) or f"${i}", value) for i, value in enumerate(self.frame.locals[:visible])]

    def operands(self) -> list[Any]:
        """The operand stack, the top last."""
        return list(self.frame.stack)

    def globals(self) -> list[tuple[str, Any]]:
        """The wasm globals of the instance: name and value."""
        view = self.frame.view
        assert view is not None
        named = dict(self.program.names.globals)
        for name, export in view.instance.exports().items():
            if isinstance(export, GlobalAddr) and export.number in view.instance.globals:
                named.setdefault(view.instance.globals.index(export.number), name)
        return [(named.get(i) or f"global {i}", cell.value) for i, cell in enumerate(view.cells)]


def stack_of(engine: Engine, thread: Thread, table: SymbolTable) -> list[GuestFrame]:
    """The calls that a thread is in the middle of, the innermost first; none where it runs no wasm."""
    del engine
    runner = thread.runner
    if not isinstance(runner, WasmRunner):
        return []
    out: list[GuestFrame] = []
    note = ""
    for level, (frame, pc) in enumerate(runner.machine.standing()):
        if frame.view is None:
            barrier = frame.locals[0]
            note = f"interrupted by signal {barrier.signo}" if isinstance(barrier, SignalBarrier) else ""
            continue
        out += frames_at(thread, level, frame, pc, table, note)
        note = ""
    return out


def frames_at(
    thread: Thread, level: int, frame: Frame, pc: int, table: SymbolTable, note: str = ""
) -> list[GuestFrame]:
    """The functions that one frame of the machine is in, the innermost first."""
    view = frame.view
    assert view is not None
    program = view.instance.program
    symbols = table.of(program)
    instr = frame.body.instruction(min(max(pc, 0), len(frame.body.origins) - 1))
    place = symbols.lines.place(instr.offset)
    file, line, column = ("", 0, 0) if place is None else (place.file, place.line, place.column)
    name = program.func_name(frame.body.index) or f"func {frame.body.index}"
    out = []
    function = symbols.function(instr.offset)
    for one in reversed([] if function is None else function.inlined(symbols.address(instr.offset))):
        out.append(
            GuestFrame(thread, level, frame, pc, instr.offset, one.name, symbols, file, line, column, one.block, note)
        )
        file, line, column, note = one.call_file, one.call_line, one.call_column, ""
    if function is not None and function.name:
        name = function.name
    out.append(GuestFrame(thread, level, frame, pc, instr.offset, name, symbols, file, line, column, None, note))
    return out


__all__ = ["GuestFrame", "SymbolTable", "frames_at", "stack_of"]
