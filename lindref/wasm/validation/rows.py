"""Which check serves which instruction, made once for each feature set.

A row is ``(pops, count, pushes, check, rule)``. An instruction with a fixed signature has the first three, and a
``check`` of its immediates if it has any to check; every other one has a ``rule``, which does everything.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NoReturn

from lindref.wasm.errors import Invalid, Unsupported
from lindref.wasm.features import BUILT, Feature
from lindref.wasm.instructions import SELECT_T, TABLE, Imm, MemArg, Op
from lindref.wasm.types import NumType, ValType
from lindref.wasm.validation import rules_control, rules_data, rules_exceptions
from lindref.wasm.validation.context import Context

#: Checks immediates: ``check(context, *immediates)``.
Check = Callable[..., None]
#: Checks immediates and operands: ``rule(state, *immediates)``.
Rule = Callable[..., None]
Row = tuple[list[ValType], int, list[ValType], Check | None, Rule | None]

RULES: dict[str, Rule] = rules_control.RULES | rules_exceptions.RULES | rules_data.RULES

_LETTERS = {"i": NumType.I32, "I": NumType.I64, "f": NumType.F32, "F": NumType.F64}


@lru_cache(maxsize=64)
def rows(features: frozenset[Feature]) -> list[Row]:
    """The row of every instruction in a function body, by ``Op.index``."""
    return [_row(op, features) for op in TABLE]


@lru_cache(maxsize=64)
def constant_rows(features: frozenset[Feature]) -> list[Row]:
    """The row of every instruction in a constant expression, by ``Op.index``."""
    made = []
    for op in TABLE:
        if op.const is None or op.const not in features | {Feature.BASE}:
            made.append(_with_rule(_not_constant(op)))
        elif op.name == "global.get":
            made.append(_with_rule(rules_data.global_get_constant))
        else:
            made.append(_row(op, features))
    return made


def _row(op: Op, features: frozenset[Feature]) -> Row:
    """The row of an instruction under a feature set."""
    if not _enabled(op, features):
        return _with_rule(_unsupported(op))
    if op is SELECT_T:
        return _with_rule(rules_data.select_t)
    if op.sig is None:
        return _with_rule(RULES[op.name])
    pops: list[ValType] = [_LETTERS[letter] for letter in op.sig[0]]
    pushes: list[ValType] = [_LETTERS[letter] for letter in op.sig[1]]
    return pops, len(pops), pushes, _check(op), None


def _enabled(op: Op, features: frozenset[Feature]) -> bool:
    """Whether the instruction belongs to the language. ``throw`` is common to both kinds of exceptions."""
    if op.feature is Feature.BASE:
        return True
    if op.name == "throw" and Feature.LEGACY_EXCEPTIONS in features:
        return True
    return op.feature in features and op.feature in BUILT


def _with_rule(rule: Rule) -> Row:
    """A row that is a rule."""
    return [], 0, [], None, rule


def _unsupported(op: Op) -> Rule:
    """The rule of an instruction whose feature is not enabled."""

    def refuse(*_: object) -> NoReturn:
        raise Unsupported(f"{op.name} needs the feature {op.feature.value}")

    return refuse


def _not_constant(op: Op) -> Rule:
    """The rule, in a constant expression, of an instruction that is not constant."""

    def refuse(*_: object) -> NoReturn:
        raise Invalid(f"constant expression required, which {op.name} is not")

    return refuse


# Immediates of instructions with a fixed signature (§3.4.8, §3.4.11)


def _check(op: Op) -> Check | None:
    """What checks the immediates of an instruction with a fixed signature."""
    match op.imms:
        case (Imm.MEMARG,):
            return _atomic_access(op.natural_align) if op.atomic else _access(op.natural_align)
        case (Imm.MEMORY,):
            return check_memory
        case (Imm.MEMORY, Imm.MEMORY):
            return _check_memories
        case (Imm.DATA,):
            return check_data
        case (Imm.DATA, Imm.MEMORY):
            return _check_init
    return None


def _access(natural: int) -> Check:
    """The check of a load or store of ``2**natural`` bytes."""

    def check(context: Context, argument: MemArg) -> None:
        if argument.memory >= len(context.memories):
            raise Invalid(f"unknown memory {argument.memory}")
        if argument.align > natural:
            raise Invalid(f"alignment must not be larger than natural ({1 << natural})")
        if argument.offset >= 0x100000000:
            raise Invalid(f"offset out of range: {argument.offset}")

    return check


def _atomic_access(natural: int) -> Check:
    """The check of an atomic access of ``2**natural`` bytes, whose alignment is exactly that (threads)."""
    access = _access(natural)

    def check(context: Context, argument: MemArg) -> None:
        access(context, argument)
        if argument.align != natural:
            raise Invalid(f"atomic alignment must be natural ({1 << natural})")

    return check


def check_memory(context: Context, memory: int) -> None:
    """The memory must be there."""
    if memory >= len(context.memories):
        raise Invalid(f"unknown memory {memory}")


def check_data(context: Context, segment: int) -> None:
    """The data segment must be there."""
    if segment >= len(context.module.datas):
        raise Invalid(f"unknown data segment {segment}")


def _check_memories(context: Context, target: int, source: int) -> None:
    """Both memories of ``memory.copy``."""
    check_memory(context, target)
    check_memory(context, source)


def _check_init(context: Context, segment: int, memory: int) -> None:
    """Both immediates of ``memory.init``."""
    check_memory(context, memory)
    check_data(context, segment)
