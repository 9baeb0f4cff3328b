"""Places in code: which entries of prepared code belong to a line, a function, an offset; what an entry calls."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lindref import classes
from lindref.debug.frames import SymbolTable
from lindref.vm import ops_call
from lindref.vm.hooks import hooked
from lindref.vm.values import FuncInst
from lindref.wasm.errors import WasmError

if TYPE_CHECKING:
    from lindref.vm.machine import Machine
    from lindref.vm.program import Body, Program

#: Lines that a breakpoint may slide down to one that has code.
SLIDE = 20


@classes.frozen
class Statement:
    """A place where a statement starts: entry of the code, offset in the file, line, how many functions that were put
    in place of calls it is in, and whether the compiler's code for the function's entry ends here."""

    pc: int
    offset: int
    file: str
    line: int
    inlined: int
    body: bool


class Code:
    """The code of a run's programs, with what its debug information says of it."""

    def __init__(self, table: SymbolTable) -> None:
        self.table = table
        self._statements: dict[int, tuple[Body, tuple[Statement, ...]]] = {}
        self._names: dict[str, dict[str, list[int]]] = {}

    def statements(self, body: Body) -> tuple[Statement, ...]:
        """Where statements start in a function, in the order of the code; none without debug information."""
        known = self._statements.get(id(body))
        if known is None:
            known = self._statements[id(body)] = body, tuple(self._read(body))
        return known[1]

    def _read(self, body: Body) -> Iterator[Statement]:
        program = body.program
        assert program is not None
        try:
            body.prepare()
        except WasmError:
            return
        symbols = self.table.of(program)
        code = program.module.codes[body.code_index]
        seen = set()
        for offset, line, begins in symbols.lines.starts(code.offset, code.offset + code.size):
            pc = entry_at(body, offset)
            place = symbols.lines.place(offset)
            if not line or place is None or pc in seen:
                continue
            seen.add(pc)
            function = symbols.function(offset)
            inlined = 0 if function is None else len(function.inlined(symbols.address(offset)))
            yield Statement(pc, offset, place.file, line, inlined, begins)

    def start(self, body: Body) -> int:
        """The entry where a function's own code begins, behind what the compiler made for its entry."""
        statements = self.statements(body)
        marked = [s for s in statements if s.body]
        if marked:
            return marked[0].pc
        return (
            statements[1].pc if len(statements) > 1 and statements[0].pc == 0 else statements[0].pc if statements else 0
        )

    def has_lines(self, body: Body) -> bool:
        """Whether the function has line numbers."""
        return bool(self.statements(body))

    def statement_at(self, body: Body, pc: int) -> Statement | None:
        """The statement that an entry belongs to, as far as the order of the code says."""
        statements = self.statements(body)
        at = bisect.bisect_right(statements, pc, key=lambda s: s.pc) - 1
        return statements[at] if at >= 0 else None

    # What breakpoints name.

    def of_line(self, program: Program, file: str, line: int) -> tuple[int, list[tuple[Body, int]]]:
        """Where to stop for a line of source: the line that has code, the same or one soon after, and the first
        entry of it in each function; 0 and nothing if there is none."""
        symbols = self.table.of(program)
        for real in range(line, line + SLIDE):
            found: dict[tuple[int, int], tuple[Body, int]] = {}
            for offset in symbols.lines.offsets(file, real):
                place = body_at(program, offset)
                if place is None:
                    continue
                body, pc = place
                statement = self.statement_at(body, pc)
                key = body.index, statement.inlined if statement is not None else 0
                pc = pc or self.start(body)  # not before the function has what it needs
                if key not in found or found[key][1] > pc:
                    found[key] = body, pc
            if found:
                return real, list(found.values())
        return 0, []

    def of_function(self, program: Program, name: str) -> list[tuple[Body, int]]:
        """Where functions of that name (of the name section, an export, or the source) begin."""
        found = {body.index: body for body in self._named(program, name)}
        return [(body, self.start(body)) for body in found.values() if _fine(body)]

    def _named(self, program: Program, name: str) -> Iterator[Body]:
        if program.digest not in self._names:
            names: dict[str, list[int]] = {}
            for index, known in program.names.funcs.items():
                names.setdefault(known, []).append(index)
            for known, export in program.exports.items():
                if export.kind.name == "FUNC":
                    names.setdefault(known, []).append(export.index)
            self._names[program.digest] = names
        for index in self._names[program.digest].get(name, ()):
            if index >= program.n_imported:
                yield program.body(index)


def _fine(body: Body) -> bool:
    try:
        body.prepare()
    except WasmError:
        return False
    return True


def entry_at(body: Body, offset: int) -> int:
    """The entry of a prepared body's code that the instruction at ``offset`` in the file begins with, or the next."""
    instrs = _offsets(body)
    index = bisect.bisect_left(instrs, offset)
    return min(bisect.bisect_left(body.origins, index), len(body.origins) - 1)


@lru_cache(maxsize=256)
def _offsets(body: Body) -> list[int]:
    assert body.program is not None
    return [instr.offset for instr in body.program.module.codes[body.code_index].body]


def body_at(program: Program, offset: int) -> tuple[Body, int] | None:
    """The function that the instruction at ``offset`` in the file is in, and its entry; ``None`` outside of code."""
    codes = program.module.codes
    at = bisect.bisect_right(codes, offset, key=lambda code: code.offset) - 1
    if at < 0 or offset >= codes[at].offset + codes[at].size:
        return None
    body = program.bodies[at]
    return (body, entry_at(body, offset)) if _fine(body) else None


def program_named(programs: Mapping[str, Program], name: str) -> list[Program]:
    """The programs whose digest begins with ``name``, or whose own name it is; all of them for an empty one."""
    found = [p for digest, p in programs.items() if name and digest.startswith(name)]
    return found or [p for p in programs.values() if not name or p.names.module == name]


# Calls.

_CALLS = frozenset(
    {ops_call.call, ops_call.call_import, ops_call.call_ref, ops_call.call_indirect, ops_call.host_enter}
)
_TAIL = frozenset({ops_call.return_call, ops_call.return_call_ref, ops_call.return_call_indirect})


def instruction(body: Body, pc: int) -> tuple[Any, Any]:
    """Handler and immediate of an entry, whoever looks at it."""
    assert body.code is not None
    handler, imm = body.code[pc]
    return imm[1:] if handler is hooked else (handler, imm)


def is_call(body: Body, pc: int) -> bool:
    """Whether the entry is a call that comes back to behind it."""
    return instruction(body, pc)[0] in _CALLS


def call_entries(body: Body) -> list[int]:
    """The entries that call, tail calls too."""
    assert body.code is not None
    return [pc for pc in range(len(body.code)) if instruction(body, pc)[0] in _CALLS | _TAIL]


def callee(m: Machine) -> Body | None:
    """The function that the entry calls at which the machine stands; ``None`` for one of the host's, or none."""
    frame = m.frame
    assert frame is not None
    handler, imm = instruction(frame.body, m.pc)
    func: Any = None
    if handler is ops_call.call:
        return imm  # type: ignore[no-any-return]  # the body itself
    if handler is ops_call.host_enter:
        func = frame.locals[2]
    elif m.view is None:
        return None
    elif handler is ops_call.call_import:
        func = m.view.instance.imports[imm]
    elif handler is ops_call.return_call:
        func = m.view.instance.func(imm)
    elif handler in (ops_call.call_indirect, ops_call.return_call_indirect):
        elements = m.view.tables[imm[0]].elements
        index = m.stack[-1] if m.stack else len(elements)
        func = elements[index] if index < len(elements) else None
    elif handler in (ops_call.call_ref, ops_call.return_call_ref):
        func = m.stack[-1] if m.stack else None
    if isinstance(func, FuncInst):
        return m.store.views[func.instance].instance.program.body(func.index)
    return None


__all__ = ["Code", "Statement", "body_at", "call_entries", "callee", "entry_at", "instruction", "is_call"]
