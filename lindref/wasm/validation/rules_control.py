"""Typing rules of control instructions and calls (spec §3.4.2, §3.4.3). ``s`` is the state, the rest immediates."""

from __future__ import annotations

from collections.abc import Callable

from lindref.wasm.errors import Invalid
from lindref.wasm.types import FUNCREF, BlockType, NumType, RefType, ValType
from lindref.wasm.typing import closed, matches_ref
from lindref.wasm.validation.context import Signature
from lindref.wasm.validation.stack import Bottom, Kind, State, fits, mismatch, require, show

_I32 = NumType.I32
_NOTHING: list[ValType] = []


def block_signature(s: State, block: BlockType) -> tuple[list[ValType], list[ValType]]:
    """Parameters and results of a block type."""
    if block.type_index is not None:
        signature = s.context.signature(block.type_index)
        return signature.params, signature.results
    if block.result is None:
        return _NOTHING, _NOTHING
    return _NOTHING, [closed(s.context.types, block.result)]


def unreachable(s: State) -> None:
    """``unreachable``."""
    s.stop()


def enter(s: State, blocktype: BlockType, kind: Kind, popped: ValType | None = None) -> None:
    """Begin a block of any kind with its parameters; ``popped`` lies above them. Its type is looked at first."""
    params, results = block_signature(s, blocktype)
    if popped is not None:
        s.pop(popped)
    s.pop_list(params)
    s.open(kind, params, results)


def block(s: State, blocktype: BlockType) -> None:
    """``block``."""
    enter(s, blocktype, Kind.BLOCK)


def loop(s: State, blocktype: BlockType) -> None:
    """``loop``: a branch to it carries the parameters."""
    enter(s, blocktype, Kind.LOOP)


def if_(s: State, blocktype: BlockType) -> None:
    """``if``."""
    enter(s, blocktype, Kind.IF, popped=_I32)


def else_(s: State) -> None:
    """``else``."""
    frame = s.innermost(Kind.IF)
    s.next_arm(Kind.ELSE, frame.params)


def end(s: State) -> None:
    """``end``: an ``if`` without ``else`` passes its parameters on."""
    frame = s.close_arm()
    if frame.kind is Kind.IF and frame.params != frame.results and not _alike(frame.params, frame.results):
        raise mismatch(frame.results, frame.params)
    s.close()


def _alike(sub: list[ValType], sup: list[ValType]) -> bool:
    """Whether a list of types matches another."""
    return len(sub) == len(sup) and all(map(fits, sub, sup))


def br(s: State, label: int) -> None:
    """``br``."""
    s.pop_list(s.frame(label).label)
    s.stop()


def br_if(s: State, label: int) -> None:
    """``br_if``: what goes on has the types of the label."""
    s.pop(_I32)
    types = s.frame(label).label
    if types:
        s.pop_list(types)
        s.push_list(types)


def br_table(s: State, labels: tuple[int, ...]) -> None:
    """``br_table``: all labels carry as many operands, each of types that the operands fit."""
    s.pop(_I32)
    types = s.frame(labels[-1]).label
    for label in dict.fromkeys(labels[:-1]):
        other = s.frame(label).label
        if len(other) != len(types):
            raise Invalid(f"type mismatch: label {label} requires {show(other)}, the default label {show(types)}")
        if other:
            s.push_list(s.pop_list(other))
    s.pop_list(types)
    s.stop()


def return_(s: State) -> None:
    """``return``."""
    s.pop_list(s.frames[0].results)
    s.stop()


def br_on_null(s: State, label: int) -> None:
    """``br_on_null``: the reference goes on, not null."""
    ref = s.pop_ref()
    br_if_types = s.frame(label).label
    s.pop_list(br_if_types)
    s.push_list(br_if_types)
    s.vals.append(non_null(ref))


def br_on_non_null(s: State, label: int) -> None:
    """``br_on_non_null``: the branch carries the reference last."""
    types = s.frame(label).label
    ref = s.pop_ref()
    if not types or not isinstance(types[-1], RefType):
        raise Invalid(f"type mismatch: label {label} requires {show(types)}, no reference last")
    if not fits(non_null(ref), types[-1]):
        raise mismatch([types[-1]], [ref])
    s.pop_list(types[:-1])
    s.push_list(types[:-1])


def non_null(ref: RefType | Bottom) -> RefType | Bottom:
    """The reference type without null."""
    return RefType(False, ref.heap) if isinstance(ref, RefType) and ref.nullable else ref


# Calls


def callee(s: State, func: int) -> Signature:
    """The signature of a function; ``Invalid`` ("unknown function") out of range."""
    context = s.context
    if not 0 <= func < len(context.funcs):
        raise Invalid(f"unknown function {func}")
    return context.signatures[context.funcs[func]]


def indirect_callee(s: State, type_index: int, table: int) -> Signature:
    """The signature of an indirect call, its table index taken."""
    tables = s.context.tables
    if not 0 <= table < len(tables):
        raise Invalid(f"unknown table {table}")
    signature = s.context.signature(type_index)
    if not matches_ref(tables[table].ref, FUNCREF):
        raise Invalid(
            f"type mismatch: instruction requires a table of functions but table {table} has {tables[table].ref}"
        )
    s.pop(_I32)
    return signature


def ref_callee(s: State, type_index: int) -> Signature:
    """The signature of a call by reference, the reference taken."""
    signature = s.context.signature(type_index)
    s.pop(RefType(True, s.context.types[type_index]))
    return signature


def _call(s: State, signature: Signature) -> None:
    """Arguments for results."""
    s.pop_list(signature.params)
    s.push_list(signature.results)


def _return_call(s: State, signature: Signature) -> None:
    """A call whose results are the caller's."""
    require(signature.results, s.frames[0].results, "the calling function")
    s.pop_list(signature.params)
    s.stop()


def call(s: State, func: int) -> None:
    """``call``."""
    _call(s, callee(s, func))


def call_indirect(s: State, type_index: int, table: int) -> None:
    """``call_indirect``."""
    _call(s, indirect_callee(s, type_index, table))


def call_ref(s: State, type_index: int) -> None:
    """``call_ref``."""
    _call(s, ref_callee(s, type_index))


def return_call(s: State, func: int) -> None:
    """``return_call``."""
    _return_call(s, callee(s, func))


def return_call_indirect(s: State, type_index: int, table: int) -> None:
    """``return_call_indirect``."""
    _return_call(s, indirect_callee(s, type_index, table))


def return_call_ref(s: State, type_index: int) -> None:
    """``return_call_ref``."""
    _return_call(s, ref_callee(s, type_index))


RULES: dict[str, Callable[..., None]] = {
    "unreachable": unreachable,
    "block": block,
    "loop": loop,
    "if": if_,
    "else": else_,
    "end": end,
    "br": br,
    "br_if": br_if,
    "br_table": br_table,
    "return": return_,
    "br_on_null": br_on_null,
    "br_on_non_null": br_on_non_null,
    "call": call,
    "call_indirect": call_indirect,
    "call_ref": call_ref,
    "return_call": return_call,
    "return_call_indirect": return_call_indirect,
    "return_call_ref": return_call_ref,
}
