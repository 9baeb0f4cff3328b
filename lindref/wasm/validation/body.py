"""Checking a sequence of instructions: function bodies (§3.5.3) and constant expressions (§3.4.13)."""

from __future__ import annotations

from collections.abc import Sequence

from lindref import classes
from lindref.wasm.errors import Exhausted, Malformed, WasmError
from lindref.wasm.module import MAX_LOCALS, Code, Expr, Instr, Module
from lindref.wasm.types import ValType
from lindref.wasm.validation.context import Context
from lindref.wasm.validation.rows import Row, constant_rows, rows
from lindref.wasm.validation.stack import State


@classes.frozen
class BodyFacts:
    """What validation found out about a body, for those who run it. Instructions are named by their index."""

    heights: tuple[int, ...]
    """Operands on the stack of this frame before each instruction; -1 where control cannot get to it."""
    matching: dict[int, int]
    """For each instruction that begins a part of a block (``block``, ``loop``, ``if``, ``else``, ``try``,
    ``try_table``, ``catch``, ``catch_all``): the one that ends this part (``else``, ``catch``, ``catch_all``, ``end``,
    ``delegate``)."""
    ends: dict[int, int]
    """For each instruction that opens a block: its ``end`` or ``delegate``."""


def validate_body(context: Context, code_index: int) -> BodyFacts:
    """Checks the body of ``module.codes[code_index]``, decoding it if nobody has yet.

    Raises:
        Invalid: a rule is broken; the place names the function (imports counted), the instruction and its offset.
        Malformed: the bytes of the body are.
        Exhausted, Unsupported: as the names say.
    """
    module = context.module
    code = module.codes[code_index]
    index = context.imported_funcs + code_index
    body = code.body
    signature = context.signatures[context.funcs[index]]
    try:
        _check_locals(code)
        state = State(context, signature.params, code.locals_, signature.results, len(context.globals))
        heights = run(state, body, rows(context.features))
    except WasmError as error:
        raise error.at(f"func {index}") from None
    return BodyFacts(tuple(heights), state.matching, state.ends)


def _check_locals(code: Code) -> None:
    """``Exhausted`` when a function declares more than ``MAX_LOCALS`` locals."""
    total = sum([count for count, _ in code.locals_])
    if total > MAX_LOCALS:
        raise Exhausted(f"{total} locals in a function, at most {MAX_LOCALS} are allowed")


def validate_constant(context: Context, expression: Expr, want: ValType, visible_globals: int) -> None:
    """Checks a constant expression that must yield a ``want`` and may read the first ``visible_globals`` globals."""
    state = State(context, (), (), [want], visible_globals)
    run(state, expression, constant_rows(context.features))


def run(state: State, body: Sequence[Instr], table: list[Row]) -> list[int]:
    """Checks every instruction; gives the heights (see ``BodyFacts``)."""
    context = state.context
    vals = state.vals
    height, live = state.height, state.live
    heights: list[int] = []
    note = heights.append
    pc = -1
    try:
        for pc, (op, args, _) in enumerate(body):
            size = len(vals)
            note(size if live else -1)
            pops, count, pushes, check, rule = table[op.index]
            if rule is None:
                if check is not None:
                    check(context, *args)
                at = size - count
                if at >= height and vals[at:] == pops:
                    vals[at:] = pushes
                else:
                    state.pop_list(pops)
                    vals += pushes
            else:
                state.pc = pc
                rule(state, *args)
                if not state.frames:
                    break
                height, live = state.height, state.live
    except WasmError as error:
        raise error.at(place(context.module, body, pc)) from None
    if pc != len(body) - 1 or state.frames:
        raise Malformed("END opcode expected", place(context.module, body, pc))
    return heights


def place(module: Module, body: Sequence[Instr], pc: int) -> str:
    """Where an instruction stands: its number, name, and offset in the file or line in the source."""
    if pc < 0:
        return "empty"
    instr = body[pc]
    where = f"instr {pc} {instr.op.name}"
    if module.digest:
        return f"{where}, offset 0x{instr.offset:x}"
    return f"{where}, line {instr.offset}" if instr.offset else where
