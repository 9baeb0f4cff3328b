"""Validation rule by rule: what is refused, with which words and where; what is accepted."""

from __future__ import annotations

import time

import pytest

from lindref.wasm.binary.decoder import decode
from lindref.wasm.binary.encoder import encode
from lindref.wasm.errors import Exhausted, Invalid, Malformed, Unsupported, WasmError
from lindref.wasm.features import BUILT, DEFAULT, Feature
from lindref.wasm.instructions import BY_NAME, MemArg
from lindref.wasm.module import Code, Instr, Module
from lindref.wasm.text.parser import parse_module
from lindref.wasm.types import BlockType, FuncType, Limits, MemoryType, NumType, RecGroup, SubType
from lindref.wasm.validator import Context, validate, validate_body, validate_shell

END = Instr(BY_NAME["end"])


def wrong(text: str, features: frozenset[Feature] = DEFAULT) -> WasmError:
    """What is wrong with the module of these fields."""
    module = parse_module(f"(module {text})", DEFAULT)
    module.features = features
    with pytest.raises(WasmError) as caught:
        validate(module)
    return caught.value


def fine(text: str, features: frozenset[Feature] = DEFAULT) -> None:
    """The module of these fields is valid."""
    module = parse_module(f"(module {text})", DEFAULT)
    module.features = features
    validate(module)


def function(*body: Instr, locals_: tuple[tuple[int, NumType], ...] = (), comp: FuncType | None = None) -> Module:
    """A module of one function, made by hand; it need not be well-formed."""
    return Module(
        rec_groups=(RecGroup((SubType(comp or FuncType()),)),),
        funcs=(0,),
        memories=(MemoryType(Limits(1)),),
        codes=(Code(locals_, body=body),),
    )


def op(name: str, *args: object) -> Instr:
    """An instruction."""
    return Instr(BY_NAME[name], args)


# The module around the bodies

SHELL = [
    ("(func (type 1)) (type (func))", "unknown type 1", "func 0"),
    ('(import "a" "b\\n" (func (type 7)))', "unknown type 7", 'import 0 "a" "b\\n"'),
    ('(import "a" "b" (memory 1 0))', "size minimum must not be greater than maximum", 'import 0 "a" "b"'),
    ("(memory 65537)", "memory size must be at most 65536 pages (4GiB)", "memory 0"),
    ("(memory 0) (memory 0 65537)", "memory size must be at most 65536 pages (4GiB)", "memory 1"),
    ("(memory 2 1)", "size minimum must not be greater than maximum", "memory 0"),
    ("(memory 1 shared)", "shared memory must have maximum", "memory 0"),
    ("(table 4294967296 funcref)", "table size must be at most 2^32-1 elements", "table 0"),
    ("(table 2 1 funcref)", "size minimum must not be greater than maximum", "table 0"),
    ("(table 1 (ref func))", "type mismatch: a table of (ref func) needs an initial element", "table 0"),
    ("(table 1 (ref 3))", "unknown type 3", "table 0"),
    ("(global (ref null 3) (ref.null func))", "unknown type 3", "global 0"),
    ("(type (func (result i32))) (tag (type 0))", "non-empty tag result type", "tag 0"),
    ("(tag (type 2))", "unknown type 2", "tag 0"),
    ("(start 1) (func)", "unknown function 1", "start"),
    ("(start 0) (func (param i32))", "start function must have no parameters and no results", "start"),
    ('(func) (export "a" (func 0)) (export "a" (func 0))', "duplicate export name", 'export "a"'),
    ('(export "a" (func 0))', "unknown function 0", 'export "a"'),
    ('(export "a" (table 0))', "unknown table 0", 'export "a"'),
    ('(export "a" (memory 0))', "unknown memory 0", 'export "a"'),
    ('(export "a" (global 0))', "unknown global 0", 'export "a"'),
    ('(export "a" (tag 0))', "unknown tag 0", 'export "a"'),
    ("(elem (i32.const 0) func)", "unknown table 0", "elem segment 0"),
    ("(table 1 externref) (elem (i32.const 0) func)", "type mismatch: table requires externref", "elem segment 0"),
    ("(table 1 funcref) (elem (i64.const 0) func)", "type mismatch", "elem segment 0, offset, instr 1 end"),
    ("(elem func 0)", "unknown function 0", "elem segment 0, element 0, instr 0 ref.func"),
    ("(elem declare (ref func) (ref.null func))", "type mismatch", "elem segment 0, element 0, instr 1 end"),
    ('(data (i32.const 0) "")', "unknown memory 0", "data segment 0"),
    ('(memory 1) (data (f32.const 0) "")', "type mismatch", "data segment 0, offset, instr 1 end"),
]


@pytest.mark.parametrize(("text", "message", "where"), SHELL)
def test_shell(text: str, message: str, where: str) -> None:
    error = wrong(text)
    assert isinstance(error, Invalid)
    assert error.message.startswith(message)
    assert error.where.split(", line")[0] == where


def test_shell_does_not_look_at_bodies() -> None:
    module = parse_module("(module (func unreachable) (func i32.add))")
    context = validate_shell(module)
    validate_body(context, 0)
    with pytest.raises(Invalid):
        validate_body(context, 1)
    assert Context.of(module).funcs == context.funcs


# Constant expressions


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(global i32 (i32.const 1) (i32.eqz))", "constant expression required"),
        ("(global i32 (nop) (i32.const 1))", "constant expression required"),
        ("(global i32 (i64.const 1))", "type mismatch: instruction requires [i32] but stack has [i64]"),
        ("(global i32)", "type mismatch: instruction requires [i32] but stack has []"),
        ("(global i32 (i32.const 1) (i32.const 1))", "type mismatch: block requires [i32] but stack has [i32 i32]"),
        ("(global i32 (i32.add (i32.const 1)))", "type mismatch"),
        ("(global i32 (global.get 0))", "unknown global 0"),
        ("(global i32 (global.get 1)) (global i32 (i32.const 0))", "unknown global 1"),
        ("(global (mut i32) (i32.const 0)) (global i32 (global.get 0))", "constant expression required"),
        ("(global (ref func) (ref.null func))", "type mismatch"),
        ("(global i32 (i32.const 0)) (table 1 funcref (global.get 0))", "unknown global 0"),
        ("(func) (global (ref extern) (ref.func 0))", "type mismatch"),
        ("(global i32 (i32.div_u (i32.const 1) (i32.const 1)))", "constant expression required"),
    ],
)
def test_constant_expressions(text: str, message: str) -> None:
    error = wrong(text)
    assert isinstance(error, Invalid)
    assert error.message.startswith(message)


def test_constant_expressions_that_are_fine() -> None:
    fine("(global i32 (i32.const 1)) (global i32 (i32.add (global.get 0) (i32.mul (i32.const 2) (global.get 0))))")
    fine('(import "a" "b" (global (ref func))) (table 1 (ref func) (global.get 0))')
    fine("(global i32 (i32.const 1)) (memory 1) (data (global.get 0)) (table 1 funcref) (elem (global.get 0) func)")
    fine("(func) (global (ref func) (ref.func 0)) (global funcref (global.get 0))")


def test_constant_expressions_before_their_extensions() -> None:
    base = frozenset({Feature.BASE})
    assert wrong("(global i32 (i32.add (i32.const 1) (i32.const 1)))", base).message.startswith("constant expression")
    assert wrong("(global i32 (i32.const 1)) (global i32 (global.get 0))", base).message == "unknown global 0"
    fine('(import "a" "b" (global i32)) (global i32 (global.get 0))', base)


# Bodies

PRELUDE = """
  (type $v (func)) (type $ii (func (param i32) (result i32)))
  (global $g i32 (i32.const 0)) (global $m (mut i64) (i64.const 0))
  (table $f 1 funcref) (table $x 1 externref) (memory 1 1) (tag $t (param i64)) (tag $n)
  (func $id (type $ii) (local.get 0)) (func $nothing) (elem $e declare func $id) (data $d "x")
"""

BODIES = [
    ("i32.add", "type mismatch: instruction requires [i32 i32] but stack has []"),
    ("i32.const 1 i64.const 2 i32.add", "type mismatch: instruction requires [i32 i32] but stack has [i32 i64]"),
    ("i32.const 1", "type mismatch: block requires [] but stack has [i32]"),
    ("i32.const 1 block drop end", "type mismatch: instruction requires an operand but stack has []"),
    (
        "(result i32) block (result i32) i64.const 1 end",
        "type mismatch: instruction requires [i32] but stack has [i64]",
    ),
    ("(result i32) i32.const 1 if (result i32) i32.const 2 end", "type mismatch"),
    ("i32.const 1 if (param i32) drop end", "type mismatch"),
    ("i32.const 1 if else i32.const 1 end", "type mismatch: block requires [] but stack has [i32]"),
    ("br 1", "unknown label 1"),
    ("i32.const 1 br_table 0 4 0", "unknown label 4"),
    ("(result i32) block i32.const 1 i32.const 2 br_table 0 1 end i32.const 3", "type mismatch: label 0 requires []"),
    ("block (type 9) end", "unknown type 9"),
    ("call 9", "unknown function 9"),
    ("call $id", "type mismatch: instruction requires [i32] but stack has []"),
    ("i32.const 0 i32.const 0 call_indirect $x (type $ii)", "type mismatch: instruction requires a table of functions"),
    ("i32.const 0 call_indirect 7 (type $v)", "unknown table 7"),
    ("i32.const 0 call_indirect $f (type 9)", "unknown type 9"),
    ("i32.const 0 return_call $id", "type mismatch: the calling function requires [] but has [i32]"),
    (
        "ref.null func call_ref $v",
        "type mismatch: instruction requires [(ref null (func [] -> []))] but stack has [funcref]",
    ),
    ("local.get 0", "unknown local 0"),
    ("(local i32) i32.const 1 local.set 1", "unknown local 1"),
    ("(local i32) i64.const 1 local.tee 0 drop", "type mismatch"),
    ("(local (ref func)) local.get 0 drop", "uninitialized local 0"),
    ("(local (ref func)) block ref.func $id local.set 0 end local.get 0 drop", "uninitialized local 0"),
    ("(local (ref 9))", "unknown type 9"),
    ("global.get 4", "unknown global 4"),
    ("i32.const 1 global.set $g", "immutable global 0"),
    ("i32.const 1 global.set $m", "type mismatch"),
    ("table.get 5", "unknown table 5"),
    ("i32.const 0 ref.null func table.set $x", "type mismatch"),
    ("i32.const 0 i32.const 0 i32.const 0 table.copy $x $f", "type mismatch: table requires externref"),
    ("i32.const 0 i32.const 0 i32.const 0 table.init $x $e", "type mismatch: table requires externref"),
    ("i32.const 0 i32.const 0 i32.const 0 table.init $f 7", "unknown elem segment 7"),
    ("elem.drop 7", "unknown elem segment 7"),
    ("data.drop 7", "unknown data segment 7"),
    ("i32.const 0 i32.const 0 i32.const 0 memory.init 7", "unknown data segment 7"),
    ("memory.size 3 drop", "unknown memory 3"),
    ("i32.const 0 i32.const 0 i32.const 0 memory.copy 0 1", "unknown memory 1"),
    ("i32.const 0 i32.load 1 drop", "unknown memory 1"),
    ("i32.const 0 i32.load16_u align=4 drop", "alignment must not be larger than natural (2)"),
    ("i32.const 0 i32.load offset=4294967296 drop", "offset out of range: 4294967296"),
    ("ref.func $nothing drop", "undeclared function reference 1"),
    ("ref.func 9 drop", "unknown function 9"),
    ("ref.null 9 drop", "unknown type 9"),
    ("i32.const 0 ref.is_null drop", "type mismatch: instruction requires a reference but stack has [i32]"),
    ("ref.null func ref.null func i32.const 0 select drop", "type mismatch: instruction requires a number"),
    ("i32.const 0 f32.const 0 i32.const 0 select drop", "type mismatch"),
    ("i32.const 0 i32.const 0 i32.const 0 select (result) drop", "invalid result arity"),
    ("throw 9", "unknown tag 9"),
    ("throw $t", "type mismatch: instruction requires [i64] but stack has []"),
    ("ref.null func throw_ref", "type mismatch"),
    ("try_table (catch $t 0) end", "type mismatch: label 0 of a catch clause requires [] but has [i64]"),
    ("try_table (catch_all_ref 0) end", "type mismatch: label 0 of a catch clause requires [] but has [(ref exn)]"),
    ("try_table (catch $n 1) end", "unknown label 1"),
    ("try rethrow 0 end", "invalid rethrow label 0"),
    ("try block rethrow 0 end catch_all end", "invalid rethrow label 0"),
    ("try delegate 1", "unknown label 1"),
    ("try catch $t end", "type mismatch: block requires [] but stack has [i64]"),
    ("block (result funcref) i32.const 0 br_on_null 0 end drop", "type mismatch"),
    ("block br_on_non_null 0 end", "type mismatch"),
    ("block (result i32) ref.null func br_on_non_null 0 end drop", "type mismatch: label 0 requires [i32]"),
    # In unreachable code operands come from nowhere, but those that are there count.
    ("unreachable i64.const 0 i32.add drop", "type mismatch: instruction requires [i32 i32] but stack has [i64]"),
    ("unreachable i32.const 0", "type mismatch: block requires [] but stack has [i32]"),
    ("unreachable block i32.add drop end", "type mismatch"),
    ("unreachable ref.as_non_null i32.eqz drop", "type mismatch: instruction requires [i32] but stack has [(ref bot)]"),
    ("unreachable local.get 5 drop", "unknown local 5"),
    ("unreachable select ref.as_non_null f32.neg drop", "type mismatch"),
]


@pytest.mark.parametrize(("body", "message"), BODIES)
def test_bodies(body: str, message: str) -> None:
    error = wrong(f"{PRELUDE} (func {body})")
    assert isinstance(error, Invalid)
    assert error.message.startswith(message)
    assert error.where.startswith("func 2")


FINE = [
    "unreachable i32.add drop",
    "unreachable select drop",
    "unreachable i64.const 1 i32.const 1 select drop",
    "unreachable br_table 0 0",
    "(result i32) block (result f32) unreachable i32.const 1 br_table 0 1 1 end drop i32.const 1",
    "(result (ref extern)) unreachable ref.as_non_null",
    "(local (ref func)) ref.func $id local.set 0 block local.get 0 drop end loop local.get 0 drop end",
    "(param (ref func)) local.get 0 drop",
    "(result i32) i32.const 0 i32.const 1 if (param i32) (result i32) end",
    "(result i32) ref.func $id drop i32.const 1 ref.func $id call_ref $ii",
    "(result i32) i32.const 1 ref.func $id return_call_ref $ii",
    "block (result i64) try_table (catch $t 0) end i64.const 1 end drop",
    "block (result i64 exnref) try_table (catch_ref $t 0) end unreachable end drop drop",
    "try i64.const 1 throw $t catch $t drop catch_all rethrow 0 end",
    "try call $nothing delegate 0",
    "block (result (ref func)) ref.null func br_on_non_null 0 unreachable end drop",
    "block ref.null func br_on_null 0 drop end",
    "i32.const 0 ref.null func table.set $f i32.const 0 i32.const 0 i32.const 0 table.init $f $e",
]


@pytest.mark.parametrize("body", FINE)
def test_bodies_that_are_fine(body: str) -> None:
    fine(f"{PRELUDE} (func {body})")


def test_places_in_binaries_are_offsets() -> None:
    module = parse_module("(module (func nop) (func nop (block (drop (i32.add (i32.const 1))))))")
    data = encode(module)
    with pytest.raises(Invalid) as caught:
        validate(decode(data))
    offset = data.rindex(b"\x6a")  # i32.add
    assert caught.value.where == f"func 1, instr 3 i32.add, offset 0x{offset:x}"


def test_places_in_text_are_lines() -> None:
    assert wrong("\n(func\nnop\ndrop)").where == "func 0, instr 1 drop, line 4"


def test_long_stacks_are_shown_by_their_top() -> None:
    error = wrong(f"(func {'i64.const 0 ' * 500} i32.const 0)")
    assert len(error.message) < 250
    assert error.message.endswith("i64 i32]")


# Features


def test_features_rule() -> None:
    assert wrong("(memory 1) (memory 1)", DEFAULT - {Feature.MULTI_MEMORY}).message == "multiple memories"
    for name, body in (
        (Feature.TAIL_CALL, "return_call 0"),
        (Feature.THREADS, "atomic.fence"),
        (Feature.EXCEPTIONS, "try_table end"),
        (Feature.LEGACY_EXCEPTIONS, "try end"),
        (Feature.FUNCTION_REFERENCES, "unreachable ref.as_non_null drop"),
    ):
        fine(f"(func {body})")
        error = wrong(f"(func {body})", DEFAULT - {name})
        assert isinstance(error, Unsupported)
        assert name.value in error.message
    # ``throw`` belongs to both kinds of exceptions.
    fine("(tag) (func throw 0)", BUILT - {Feature.EXCEPTIONS})
    fine("(tag) (func throw 0)", BUILT - {Feature.LEGACY_EXCEPTIONS})
    assert isinstance(wrong("(tag) (func throw 0)", frozenset({Feature.BASE})), Unsupported)


def test_atomic_alignment_is_natural() -> None:
    for align, message in ((2, None), (1, "atomic alignment must be natural (4)"), (3, "alignment must not be larger")):
        module = function(op("i32.const", 0), op("i32.atomic.load", MemArg(align, 0)), op("drop"), END)
        if message is None:
            validate(module)
        else:
            with pytest.raises(Invalid) as caught:
                validate(module)
            assert caught.value.message.startswith(message)


# Limits of ours, and proportion


def test_too_many_locals() -> None:
    module = function(END, locals_=((50_001, NumType.I32),))
    with pytest.raises(Exhausted, match="50001 locals"):
        validate(module)


def test_too_many_operands() -> None:
    many = FuncType((), (NumType.I32,) * 1000)
    body = [op("call", 0)] * 2000
    with pytest.raises(Exhausted, match="operands on the stack"):
        validate(function(*body, op("unreachable"), END, comp=many))


def test_locals_that_nobody_names_cost_nothing() -> None:
    runs = ((50_000, NumType.I32),)
    count = 20_000
    module = Module(
        rec_groups=(RecGroup((SubType(FuncType()),)),),
        funcs=(0,) * count,
        codes=tuple(Code(runs, body=(op("local.get", 49_999), op("drop"), END)) for _ in range(count)),
    )
    started = time.process_time()
    validate(module)
    assert time.process_time() - started < 5


def test_deep_nesting() -> None:
    depth = 200_000
    block = op("block", BlockType())
    module = function(*[block] * depth, op("br", depth), *[END] * (depth + 1))
    facts = validate_body(validate_shell(module), 0)
    assert facts.ends[0] == 2 * depth
    assert facts.heights[depth + 1] == -1
    assert facts.heights[depth + 2] == 0


@pytest.mark.parametrize(
    "body",
    [
        (),
        (op("nop"),),
        (op("block", BlockType()), END),
        (END, END),
        (END, op("nop")),
        (op("else"), END),
        (op("catch_all"), END),
        (op("delegate", 0), END),
        (op("if", BlockType()), op("else"), op("else"), END, END),
        (op("try", BlockType()), op("catch_all"), op("catch_all"), END, END),
        (op("try", BlockType()), op("catch_all"), op("delegate", 0), END),
    ],
)
def test_structure_is_checked_where_no_decoder_was(body: tuple[Instr, ...]) -> None:
    with pytest.raises(WasmError) as caught:
        validate(function(*body))
    assert isinstance(caught.value, Malformed | Invalid)
