"""Instructions to text, flat: the inverse of ``immediates`` and ``body``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import cast

from lindref import classes
from lindref.wasm.instructions import SELECT_T, Catch, CatchKind, Imm, MemArg
from lindref.wasm.module import Instr, Module
from lindref.wasm.names import Names
from lindref.wasm.text.labels import Labels
from lindref.wasm.text.numbers import F32, F64, print_float
from lindref.wasm.text.print_types import Ids, clause, print_block_type, print_heap, unique_ids, usable
from lindref.wasm.text.scope import Space
from lindref.wasm.text.strings import print_id
from lindref.wasm.types import BlockType, HeapType, ValType

_SPACES = {
    Imm.FUNC: Space.FUNC,
    Imm.TYPE: Space.TYPE,
    Imm.TABLE: Space.TABLE,
    Imm.MEMORY: Space.MEMORY,
    Imm.GLOBAL: Space.GLOBAL,
    Imm.ELEM: Space.ELEM,
    Imm.DATA: Space.DATA,
    Imm.TAG: Space.TAG,
}
_OPENERS = frozenset({"block", "loop", "if", "try", "try_table"})
_DIVIDERS = frozenset({"else", "catch", "catch_all"})
_CATCH_WORDS = {
    CatchKind.CATCH: "catch",
    CatchKind.CATCH_REF: "catch_ref",
    CatchKind.CATCH_ALL: "catch_all",
    CatchKind.CATCH_ALL_REF: "catch_all_ref",
}

_NO_IDS = Ids({space: {} for space in Space}, dict.fromkeys(Space, 0), Names(), quoted=True)


@classes.frozen
class Surroundings:
    """What the operands of an instruction refer to: identifiers of the module, of locals and of open labels."""

    ids: Ids = _NO_IDS
    locals: dict[int, str] = classes.Factory(dict)
    labels: Labels = classes.Factory(Labels)

    def label(self, depth: int) -> str:
        """A reference to a label: its identifier where that means this depth, or else the depth."""
        return self.labels.name_at(depth) or str(depth)


def signed(value: int, bits: int) -> int:
    """The signed number with that unsigned pattern."""
    return value - (1 << bits) if value >> (bits - 1) else value


_NOWHERE = Surroundings()


def print_instr(instr: Instr, around: Surroundings = _NOWHERE) -> str:
    """One instruction as one line of flat text, without identifier of its own where it opens a block."""
    op = instr.op
    printer = _BY_SHAPE.get(op.imms)
    if printer is not None:
        return op.name + printer(instr, around)
    if op.imms in {(), (Imm.ZERO,)}:
        return op.name
    (imm,) = op.imms
    (index,) = cast("tuple[int]", instr.args)
    return f"{op.name} {around.ids.ref(_SPACES[imm], index)}"


def _block(instr: Instr, around: Surroundings) -> str:
    return print_block_type(cast("BlockType", instr.args[0]), around.ids)


def _try_table(instr: Instr, around: Surroundings) -> str:
    text = _block(instr, around)
    for one in cast("tuple[Catch, ...]", instr.args[1]):
        tag = "" if one.tag is None else f" {around.ids.ref(Space.TAG, one.tag)}"
        text += f" ({_CATCH_WORDS[one.kind]}{tag} {around.label(one.label)})"
    return text


def _label(instr: Instr, around: Surroundings) -> str:
    return f" {around.label(cast('int', instr.args[0]))}"


def _labels(instr: Instr, around: Surroundings) -> str:
    return "".join(f" {around.label(label)}" for label in cast("tuple[int, ...]", instr.args[0]))


def _local(instr: Instr, around: Surroundings) -> str:
    index = cast("int", instr.args[0])
    return f" {around.locals.get(index) or index}"


def _optional(instr: Instr, around: Surroundings) -> str:
    """Indices that may be left out where they are 0."""
    if not any(instr.args):
        return ""
    return "".join(
        f" {around.ids.ref(_SPACES[imm], cast('int', index))}"
        for imm, index in zip(instr.op.imms, instr.args, strict=True)
    )


def _segment(instr: Instr, around: Surroundings) -> str:
    """A segment and what it goes into, which comes first and may be left out where it is 0."""
    segment, into = cast("tuple[int, int]", instr.args)
    segments, space = (_SPACES[imm] for imm in instr.op.imms)
    first = f" {around.ids.ref(space, into)}" if into else ""
    return f"{first} {around.ids.ref(segments, segment)}"


def _call_indirect(instr: Instr, around: Surroundings) -> str:
    kind, table = cast("tuple[int, int]", instr.args)
    first = f" {around.ids.ref(Space.TABLE, table)}" if table else ""
    return f"{first} (type {around.ids.ref(Space.TYPE, kind)})"


def _memarg(instr: Instr, around: Surroundings) -> str:
    arg = cast("MemArg", instr.args[0])
    text = f" {around.ids.ref(Space.MEMORY, arg.memory)}" if arg.memory else ""
    if arg.offset:
        text += f" offset={arg.offset}"
    return text if arg.align == instr.op.natural_align else f"{text} align={1 << arg.align}"


def _select(instr: Instr, around: Surroundings) -> str:
    return clause("result", cast("tuple[ValType, ...]", instr.args[0]), around.ids) or " (result)"


_Printer = Callable[[Instr, Surroundings], str]

_BY_SHAPE: dict[tuple[Imm, ...], _Printer] = {
    (Imm.BLOCK,): _block,
    (Imm.BLOCK, Imm.CATCHES): _try_table,
    (Imm.LABEL,): _label,
    (Imm.LABELS,): _labels,
    (Imm.LOCAL,): _local,
    (Imm.TYPE, Imm.TABLE): _call_indirect,
    (Imm.TABLE,): _optional,
    (Imm.TABLE, Imm.TABLE): _optional,
    (Imm.MEMORY,): _optional,
    (Imm.MEMORY, Imm.MEMORY): _optional,
    (Imm.ELEM, Imm.TABLE): _segment,
    (Imm.DATA, Imm.MEMORY): _segment,
    (Imm.MEMARG,): _memarg,
    (Imm.I32,): lambda instr, _: f" {signed(cast('int', instr.args[0]), 32)}",
    (Imm.I64,): lambda instr, _: f" {signed(cast('int', instr.args[0]), 64)}",
    (Imm.F32,): lambda instr, _: f" {print_float(cast('int', instr.args[0]), F32)}",
    (Imm.F64,): lambda instr, _: f" {print_float(cast('int', instr.args[0]), F64)}",
    (Imm.HEAP,): lambda instr, around: f" {print_heap(cast('HeapType', instr.args[0]), around.ids)}",
    SELECT_T.imms: _select,
}


def print_body(
    body: Sequence[Instr], ids: Ids, locals_: dict[int, str], label_names: dict[int, str]
) -> Iterator[tuple[int, str, Instr]]:
    """The lines of a body without its final ``end``: nesting depth, text, the instruction."""
    named = {i: print_id(n) for i, n in label_names.items() if usable(n, quoted=ids.quoted)}
    labels = Labels()
    around = Surroundings(ids, locals_, labels)
    block = 0
    for instr in body[:-1]:
        name = instr.op.name
        if name in _OPENERS:
            label = named.get(block)
            block += 1
            text = print_instr(instr, around)
            yield len(labels), f"{name} {label}{text[len(name) :]}" if label else text, instr
            labels.push(label)
            continue
        if name in {"end", "delegate"} and labels:
            labels.pop()
        depth = len(labels) - (name in _DIVIDERS and bool(labels))
        yield depth, print_instr(instr, around), instr


def print_expr(body: Sequence[Instr], ids: Ids) -> str:
    """A constant expression on one line, without its final ``end``."""
    return " ".join(text for _, text, _ in print_body(body, ids, {}, {}))


def local_ids(module: Module, ids: Ids, func: int) -> dict[int, str]:
    """The identifiers of a function's parameters and locals."""
    defined = func - (ids.sizes[Space.FUNC] - len(module.funcs))
    given = ids.names.locals.get(func)
    if not given or not 0 <= defined < len(module.funcs):
        return {}
    type_index = module.funcs[defined]
    if type_index >= len(module.types):
        return {}
    size = len(module.func_type(type_index).params) + sum(n for n, _ in module.codes[defined].locals_)
    return unique_ids(given, size, quoted=ids.quoted)
