"""From a validated body to flat code: one ``(handler, immediate)`` for each instruction that does something.

``block``, ``end``, ``try`` and ``try_table`` leave no entry; ``loop`` leaves one for its entry from above; ``return``
and the function's end leave two (see ``ops_call.return_``). Instructions that validation found unreachable leave
none. Two passes over the body: the first lays out which entry each instruction begins at, the second emits, with every
label known. Exception handlers become a table of ``Region``s: nothing is pushed when a ``try`` is entered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lindref import classes
from lindref.vm import (
    ops_atomic,
    ops_call,
    ops_control,
    ops_exceptions,
    ops_memory,
    ops_numeric,
    ops_table,
    ops_variable,
)
from lindref.vm.handler import Code, Handler
from lindref.vm.numeric.floats import f32_from_bits, f64_from_bits
from lindref.vm.ops_control import Dest
from lindref.vm.ops_exceptions import Clause, Region
from lindref.wasm.instructions import Catch, CatchKind, MemArg
from lindref.wasm.module import Instr
from lindref.wasm.types import BlockType

if TYPE_CHECKING:
    from lindref.vm.program import Body
    from lindref.wasm.validator import BodyFacts

#: Instructions that are one handler, whose immediate is their own (if they have one).
SIMPLE: dict[str, Handler] = {
    **ops_numeric.HANDLERS,
    **ops_variable.HANDLERS,
    **ops_table.HANDLERS,
    **ops_call.HANDLERS,
    **ops_exceptions.HANDLERS,
    **ops_memory.BULK,
}


@classes.define
class Label:
    """An open block while a body is being read."""

    opener: int
    """Index of the instruction that opened it; -1 for the function."""
    arity: int
    """How many operands a branch to it carries."""
    height: int
    """How many operands lie beneath it."""
    loop: bool
    inner: Region | None
    """The region that an exception thrown here is first looked up in."""
    region: Region | None = None
    """The region of its own ``try`` body."""
    hidden: int = -1
    """The hidden local that keeps a legacy ``try``'s exception."""


class Builder:
    """One body on its way to code."""

    def __init__(self, body: Body, instrs: tuple[Instr, ...]) -> None:
        assert body.program is not None
        assert body.facts is not None
        self.body = body
        self.program = body.program
        self.instrs = instrs
        self.facts: BodyFacts = body.facts
        self.code: Code = []
        self.starts = layout(instrs, self.facts)
        self.labels: list[Label] = [Label(-1, body.n_results, 0, loop=False, inner=None)]
        self.regions: list[Region] = []
        self.hidden = 0

    def dead(self, i: int) -> bool:
        """Whether instruction ``i`` can never run."""
        return self.facts.heights[i] < 0

    def emit(self, handler: Handler, imm: object = None) -> None:
        """One entry of code."""
        self.code.append((handler, imm))

    def arities(self, block: BlockType) -> tuple[int, int]:
        """How many operands a block takes and leaves."""
        if block.type_index is not None:
            functype = self.program.module.func_type(block.type_index)
            return len(functype.params), len(functype.results)
        return 0, 0 if block.result is None else 1

    def open(self, i: int, taken: int = 0) -> Label:
        """Enters the block that instruction ``i`` opens; ``taken`` operands are popped first (``if``)."""
        inner = self.labels[-1].inner
        if self.dead(i):
            label = Label(i, 0, 0, loop=False, inner=inner)
            self.labels.append(label)
            return label
        block = self.instrs[i].args[0]
        assert isinstance(block, BlockType)
        params, results = self.arities(block)
        is_loop = self.instrs[i].op.name == "loop"
        height = self.facts.heights[i] - taken - params
        label = Label(i, params if is_loop else results, height, is_loop, inner)
        self.labels.append(label)
        return label

    def region(self, label: Label, outer: Region | None) -> Region:
        """The region of a ``try`` body that begins after the label's opener and ends before its next part."""
        start = self.starts[label.opener + 1]
        end = self.starts[self.facts.matching[label.opener]]
        region = Region(start, end, outer)
        self.regions.append(region)
        label.region = label.inner = region
        return region

    def dest(self, depth: int) -> Dest:
        """Where a branch to the label goes."""
        label = self.labels[-1 - depth]
        if label.loop:
            pc = self.starts[label.opener + 1]
        elif label.opener < 0:
            pc = self.starts[len(self.instrs) - 1]
        else:
            pc = self.starts[self.facts.ends[label.opener]]
        return Dest(pc, label.arity, label.height, label.loop)

    def is_jump(self, i: int, dest: Dest, popped: int) -> bool:
        """Whether a branch at ``i``, after its own operands are popped, finds its stack as the label wants it."""
        return self.facts.heights[i] - popped == dest.height + dest.arity


# How control instructions are emitted. Each takes the builder, the instruction's index, and its immediates. Those that
# open, divide or close a block are also called where they are dead, and then emit nothing.


def _block(b: Builder, i: int, _block: BlockType) -> None:
    b.open(i)


def _loop(b: Builder, i: int, _block: BlockType) -> None:
    b.open(i)
    if not b.dead(i):
        b.emit(ops_control.loop)


def _if(b: Builder, i: int, _block: BlockType) -> None:
    b.open(i, taken=1)
    if b.dead(i):
        return
    following = b.facts.matching[i]
    has_else = b.instrs[following].op.name == "else"
    b.emit(ops_control.jump_unless, b.starts[following + 1 if has_else else following])


def _else(b: Builder, i: int) -> None:
    if not b.dead(i):
        b.emit(ops_control.jump, b.starts[b.facts.ends[b.labels[-1].opener]])


def _end(b: Builder, _i: int) -> None:
    label = b.labels.pop()
    if label.opener < 0:
        b.emit(ops_call.return_, label.arity)
        b.emit(ops_call.leave, label.arity)


def _return(b: Builder, _i: int) -> None:
    b.emit(ops_call.return_, b.body.n_results)
    b.emit(ops_call.leave, b.body.n_results)


def _br(b: Builder, i: int, depth: int) -> None:
    dest = b.dest(depth)
    if not b.is_jump(i, dest, 0):
        b.emit(ops_control.branch, dest)
    else:
        b.emit(ops_control.jump_back if dest.back else ops_control.jump, dest.pc)


def _br_if(b: Builder, i: int, depth: int) -> None:
    dest = b.dest(depth)
    if not b.is_jump(i, dest, 1):
        b.emit(ops_control.branch_if, dest)
    else:
        b.emit(ops_control.jump_back_if if dest.back else ops_control.jump_if, dest.pc)


def _br_table(b: Builder, _i: int, depths: tuple[int, ...]) -> None:
    b.emit(ops_control.branch_table, tuple(map(b.dest, depths)))


def _br_on_null(b: Builder, _i: int, depth: int) -> None:
    b.emit(ops_control.branch_on_null, b.dest(depth))


def _br_on_non_null(b: Builder, _i: int, depth: int) -> None:
    b.emit(ops_control.branch_on_non_null, b.dest(depth))


def _call(b: Builder, _i: int, index: int) -> None:
    if index < b.program.n_imported:
        b.emit(ops_call.call_import, index)
    else:
        b.emit(ops_call.call, b.program.body(index))


def _call_indirect(b: Builder, _i: int, type_index: int, table: int) -> None:
    b.emit(ops_call.call_indirect, (table, b.program.types[type_index]))


def _return_call_indirect(b: Builder, _i: int, type_index: int, table: int) -> None:
    b.emit(ops_call.return_call_indirect, (table, b.program.types[type_index]))


def _try_table(b: Builder, i: int, _block: BlockType, catches: tuple[Catch, ...]) -> None:
    if b.dead(i):
        b.open(i)
        return
    clauses = []
    for catch in catches:  # their labels count from outside
        dest = b.dest(catch.label)
        ref = catch.kind in (CatchKind.CATCH_REF, CatchKind.CATCH_ALL_REF)
        clauses.append(Clause(catch.tag, ref, dest.pc, dest.height, dest.back))
    label = b.open(i)
    b.region(label, label.inner).clauses = tuple(clauses)


def _try(b: Builder, i: int, _block: BlockType) -> None:
    label = b.open(i)
    if not b.dead(i):
        b.region(label, label.inner)


def _catch(b: Builder, i: int, tag: int | None = None) -> None:
    label = b.labels[-1]
    if label.region is None:  # the whole try is dead
        return
    if label.hidden < 0:
        label.hidden = b.body.n_params + len(b.body.zeros) + b.hidden
        b.hidden += 1
        label.inner = label.region.outer  # a catch is not protected by its own try
    if not b.dead(i):
        b.emit(ops_control.jump, b.starts[b.facts.ends[label.opener]])
    clause = Clause(tag, ref=False, pc=b.starts[i + 1], height=label.height, back=False, hidden=label.hidden)
    label.region.clauses += (clause,)


def _delegate(b: Builder, _i: int, depth: int) -> None:
    label = b.labels.pop()
    if label.region is not None:
        label.region.outer = b.labels[-1 - depth].inner


def _rethrow(b: Builder, _i: int, depth: int) -> None:
    b.emit(ops_exceptions.rethrow, b.labels[-1 - depth].hidden)


def _select(b: Builder, _i: int, _types: object = ()) -> None:
    b.emit(ops_variable.select)


def _const(b: Builder, _i: int, value: int) -> None:
    b.emit(ops_variable.const, value)


def _f32_const(b: Builder, _i: int, bits: int) -> None:
    b.emit(ops_variable.const, f32_from_bits(bits))


def _f64_const(b: Builder, _i: int, bits: int) -> None:
    b.emit(ops_variable.const, f64_from_bits(bits))


def _ref_null(b: Builder, _i: int, _heap: object) -> None:
    b.emit(ops_variable.const, None)


def _access(zero: Handler, other: Handler) -> Callable[[Builder, int, MemArg], None]:
    """A load or store: memory 0 has handlers of its own."""

    def rule(b: Builder, _i: int, memarg: MemArg) -> None:
        if memarg.memory == 0:
            b.emit(zero, memarg.offset)
        else:
            b.emit(other, (memarg.memory, memarg.offset))

    return rule


def _atomic(handler: Handler) -> Callable[[Builder, int, MemArg], None]:
    """An atomic access, to any memory."""

    def rule(b: Builder, _i: int, memarg: MemArg) -> None:
        b.emit(handler, (memarg.memory, memarg.offset))

    return rule


def _several(handler: Handler) -> Callable[..., None]:
    """An instruction with several immediates: the handler gets the tuple."""

    def rule(b: Builder, _i: int, *args: int) -> None:
        b.emit(handler, args)

    return rule


#: Instructions that need more than their own immediate, by name. A rule is called with the immediates.
RULES: dict[str, Callable[..., None]] = {
    "block": _block,
    "loop": _loop,
    "if": _if,
    "else": _else,
    "end": _end,
    "return": _return,
    "br": _br,
    "br_if": _br_if,
    "br_table": _br_table,
    "br_on_null": _br_on_null,
    "br_on_non_null": _br_on_non_null,
    "call": _call,
    "call_indirect": _call_indirect,
    "return_call_indirect": _return_call_indirect,
    "try_table": _try_table,
    "try": _try,
    "catch": _catch,
    "catch_all": _catch,
    "delegate": _delegate,
    "rethrow": _rethrow,
    "select": _select,
    "i32.const": _const,
    "i64.const": _const,
    "f32.const": _f32_const,
    "f64.const": _f64_const,
    "ref.null": _ref_null,
    **{name: _access(ops_memory.AT_ZERO[name], ops_memory.ANYWHERE[name]) for name in ops_memory.AT_ZERO},
    **{name: _atomic(handler) for name, handler in ops_atomic.HANDLERS.items()},
    **{name: _several(handler) for name, handler in {**ops_table.SEVERAL, **ops_memory.SEVERAL}.items()},
}

#: Entries of code for instructions that do not leave exactly one.
_ENTRIES = {"block": 0, "end": 0, "try": 0, "try_table": 0, "delegate": 0, "return": 2}

#: Instructions whose rule runs even where they are dead.
_STRUCTURE = frozenset({"block", "loop", "if", "else", "end", "try", "try_table", "catch", "catch_all", "delegate"})


def layout(instrs: tuple[Instr, ...], facts: BodyFacts) -> list[int]:
    """For each instruction the entry of code at which it begins."""
    starts = []
    pc = 0
    last = len(instrs) - 1
    for i, instr in enumerate(instrs):
        starts.append(pc)
        if i == last:
            pc += 2
        elif facts.heights[i] >= 0:
            pc += _ENTRIES.get(instr.op.name, 1)
    return starts


def build(body: Body, instrs: tuple[Instr, ...]) -> None:
    """Fills in ``code``, ``origins``, ``regions`` and the hidden locals of a body whose ``facts`` are there."""
    b = Builder(body, instrs)
    origins: list[int] = []
    for i, (op, args, _offset) in enumerate(instrs):
        name = op.name
        if name in _STRUCTURE or not b.dead(i):
            rule = RULES.get(name)
            if rule is not None:
                rule(b, i, *args)
            else:
                b.emit(SIMPLE[name], args[0] if args else None)
        origins += [i] * (len(b.code) - len(origins))
        assert i + 1 == len(instrs) or len(b.code) == b.starts[i + 1]
    body.zeros += (None,) * b.hidden
    body.origins = origins
    body.regions = tuple(b.regions)
    body.code = b.code
