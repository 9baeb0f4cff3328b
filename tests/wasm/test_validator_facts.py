"""``BodyFacts``: heights, and which parts of blocks belong together."""

from __future__ import annotations

import pytest
from hypothesis import given
from wasm.strategies import modules

from lindref.wasm.module import Instr, Module
from lindref.wasm.text.parser import parse_module
from lindref.wasm.validator import BodyFacts, Context, validate_body, validate_shell

OPENERS = {"block", "loop", "if", "try", "try_table"}


def facts_of(body: str) -> tuple[list[str], BodyFacts]:
    """The instructions' names, and the facts, of the last function."""
    module = parse_module(f"(module (tag $t (param i32 i64)) (func $pair (result i32 i64) unreachable) (func {body}))")
    names = [instr.op.name for instr in module.codes[1].body]
    return names, validate_body(validate_shell(module), 1)


def test_straight_code() -> None:
    _, facts = facts_of("i32.const 1 i32.const 2 i32.add drop call $pair drop drop")
    assert facts == BodyFacts((0, 1, 2, 1, 0, 2, 1, 0), {}, {})


def test_blocks_with_parameters() -> None:
    _, facts = facts_of("i32.const 7 i64.const 1 loop (param i64) (result f32) drop f32.const 0 end drop drop")
    assert facts.heights == (0, 1, 2, 2, 1, 2, 2, 1, 0)
    assert facts.matching == facts.ends == {2: 5}


def test_if_and_else() -> None:
    names, facts = facts_of("i32.const 1 if (result i32) i32.const 2 else nop i32.const 3 end drop")
    assert facts.heights == (0, 1, 0, 1, 0, 0, 1, 1, 0)
    assert (names[3], names[6]) == ("else", "end")
    assert facts.matching == {1: 3, 3: 6}
    assert facts.ends == {1: 6}


def test_unreachable_code_has_no_height() -> None:
    names, facts = facts_of("block br 0 i32.const 1 drop block nop end nop end nop")
    assert dict(zip(names, facts.heights, strict=True))["br"] == 0
    assert facts.heights == (0, 0, -1, -1, -1, -1, -1, -1, -1, 0, 0)
    assert facts.ends == {0: 8, 4: 6}


def test_each_arm_is_reachable_for_itself() -> None:
    _, facts = facts_of("(result i32) i32.const 1 if (result i32) unreachable else i32.const 5 end")
    assert facts.heights == (0, 1, 0, -1, 0, 1, 1)


def test_a_block_in_unreachable_code_is_unreachable_in_every_arm() -> None:
    names, facts = facts_of("return i32.const 1 if nop else nop end try catch_all nop end nop")
    assert facts.heights == (0, *[-1] * (len(names) - 1))


def test_legacy_exceptions() -> None:
    names, facts = facts_of("i32.const 9 try nop catch $t drop drop catch_all nop end try nop delegate 0 drop")
    assert facts.heights == (0, 1, 1, 1, 3, 2, 1, 1, 1, 1, 1, 1, 1, 0)
    assert facts.matching == {1: 3, 3: 6, 6: 8, 9: 11}
    assert facts.ends == {1: 8, 9: 11}
    assert names[11] == "delegate"


def test_try_table() -> None:
    _, facts = facts_of("block (result i32 i64) try_table (catch $t 0) nop end call $pair end drop drop")
    assert facts.ends == {0: 5, 1: 3}
    assert facts.heights == (0, 0, 0, 0, 0, 2, 2, 1, 0)


@given(modules())
def test_heights_follow_from_the_instructions(module: Module) -> None:
    """Where control goes on from one instruction to the next, the height changes by what the first pops and pushes."""
    context = validate_shell(module)
    for index, code in enumerate(module.codes):
        facts = validate_body(context, index)
        check_structure(code.body, facts)
        for pc, instr in enumerate(code.body[:-1]):
            before, after = facts.heights[pc], facts.heights[pc + 1]
            change = effect(context, instr)
            if before >= 0 and change is not None:
                assert after == before + change, (pc, instr)


def effect(context: Context, instr: Instr) -> int | None:
    """By how much an instruction changes the height, for those whose effect needs no types."""
    if instr.op.sig is not None:
        return len(instr.op.sig[1]) - len(instr.op.sig[0])
    match instr.op.name, instr.args:
        case ("call", (int(func),)):
            signature = context.signatures[context.funcs[func]]
            return len(signature.results) - len(signature.params)
        case ("local.get" | "global.get" | "ref.null" | "ref.func" | "table.size", _):
            return 1
        case ("drop" | "local.set" | "global.set" | "br_if" | "if" | "table.grow", _):
            return -1
        case ("select" | "table.set", _):
            return -2
        case ("block" | "loop" | "try" | "try_table" | "local.tee" | "ref.is_null" | "table.get", _):
            return 0
    return None


def check_structure(body: tuple[Instr, ...], facts: BodyFacts) -> None:
    """Every part of every block is accounted for, and parts nest."""
    assert len(facts.heights) == len(body)
    assert facts.heights[0] == 0
    assert {i for i, instr in enumerate(body) if instr.op.name in OPENERS} == set(facts.ends)
    stack: list[int] = []  # what began the part one is in
    openers: list[int] = []
    for i, instr in enumerate(body):
        name = instr.op.name
        if name in {"else", "catch", "catch_all"}:
            assert facts.matching[stack[-1]] == i
            stack[-1] = i
        elif name in {"end", "delegate"} and stack:
            assert facts.matching[stack.pop()] == i
            assert facts.ends[openers.pop()] == i
        if name in OPENERS:
            stack.append(i)
            openers.append(i)
    assert not stack


def test_facts_of_a_body_are_the_same_each_time() -> None:
    module = parse_module("(module (func (block (br_if 0 (i32.const 1)))))")
    context = validate_shell(module)
    assert validate_body(context, 0) == validate_body(context, 0)
    with pytest.raises(IndexError):
        validate_body(context, 1)
