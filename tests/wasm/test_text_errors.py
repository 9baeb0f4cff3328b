"""Text that is no module: what the errors say, and where."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from lindref.wasm.errors import Malformed, Unsupported, WasmError
from lindref.wasm.features import BUILT, Feature
from lindref.wasm.text import commands as c
from lindref.wasm.text.parser import parse_module
from lindref.wasm.text.script import parse_script

UNBUILT = {"simd", "relaxed-simd", "gc", "memory64"}
THREADS = frozenset({Feature.BASE, Feature.THREADS})


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("(module", "unexpected token: end of input", 1, 8),
        ("(module\n  (func\n", "unexpected token: end of input", 3, 1),
        ("(module))", "unexpected token )", 1, 9),
        ("(module) (module)", "unexpected token (", 1, 10),
        ("(modul)", "unknown operator modul", 1, 2),
        ("(func) x", "unknown operator x", 1, 8),
        ("(module\n (fun))", "unknown operator fun", 2, 3),
        ("(module\n (local i32))", "unexpected token local", 2, 3),
        ("(module (func\n  i32.cnst 1))", "unknown operator i32.cnst", 2, 3),
        ("(module (func (param i32 i33)))", "unknown operator i33", 1, 26),
        ("(module (func (result i32) (param i32)))", "unexpected token param", 1, 29),
        ("(module (func (local i32) (param i32)))", "unexpected token param", 1, 28),
        ("(module (func\n    call $f))", "unknown function $f", 2, 10),
        ("(module (func local.get $x))", "unknown local $x", 1, 25),
        ("(module (func br $l))", "unknown label $l", 1, 18),
        ("(module (func block $a end br $a))", "unknown label $a", 1, 31),
        ("(module (func block $a end $b))", "mismatching label $b", 1, 28),
        ("(module (func (if $a (then) (else $b))))", "unexpected token $b", 1, 35),
        ("(module (func if end else))", "unexpected token else", 1, 22),
        ("(module (func end))", "unexpected token end", 1, 15),
        ("(module (func (block end)))", "unexpected token end", 1, 22),
        ("(module (func block))", "unexpected token )", 1, 20),
        ("(module (func (block))", "unexpected token: end of input", 1, 23),
        ("(module (func (then)))", "unexpected token then", 1, 16),
        ("(module (func (if)))", "unexpected token )", 1, 18),
        ("(module (func (param $x i32) (local $x i32)))", "duplicate local $x", 1, 37),
        ("(module (func (param $x i32 i64)))", "unexpected token i64", 1, 29),
        ("(module (type (func)) (func (type 0) (param i32)))", "inline function type", 1, 29),
        ("(module (func (type 9) (param i32)))", "unknown type 9", 1, 15),
        ('(module (func) (import "a" "b" (func)))', "import after function", 1, 16),
        ('(module (memory 1) (func (import "a" "b")))', "import after memory", 1, 20),
        ("(module (func) (start 0) (start 0))", "multiple start sections", 1, 26),
        ("(module (memory 1 align=4))", "unexpected token align=4", 1, 19),
        ("(module (memory 1) (func i32.const 0 i32.load align=3 drop))", "alignment must be a power of two", 1, 47),
        ("(module (memory 1) (func i32.load align=0))", "alignment must be a power of two", 1, 35),
        ("(module (memory 1) (func i32.load align=4 offset=0))", "unexpected token offset=0", 1, 43),
        ("(module (memory 99999999999999999999))", "i64 constant out of range", 1, 17),
        ('(module (export "a" (func $f)))', "unknown function $f", 1, 27),
        ('(module (export "a" (fun 0)))', "unknown operator fun", 1, 22),
        ("(module (export a (func 0)))", "unknown operator a", 1, 17),
        ("(module (elem (table $t) (i32.const 0) func))", "unknown table $t", 1, 22),
        ('(module (data $d "a" $d))', "unexpected token $d", 1, 22),
        ("(module (func i32.add)\n\t(func é))", "illegal character", 2, 8),
        ("(module\r\n (func\r x))", "unknown operator x", 3, 2),
        ("(module (func br_table))", "unexpected token )", 1, 23),
        ("(module (func ref.null))", "unexpected token )", 1, 23),
        ("(module (func (try)))", "unexpected token )", 1, 19),
        ("(module (func (try (catch_all))))", "unexpected token catch_all", 1, 21),
    ],
)  # fmt: skip
def test_what_and_where(text: str, message: str, line: int, column: int) -> None:
    with pytest.raises(Malformed) as caught:
        parse_module(text)
    assert caught.value.message == message
    assert caught.value.where == f"line {line}, column {column}"


def test_long_tokens_are_shown_in_part() -> None:
    with pytest.raises(Malformed) as caught:
        parse_module("x" * 100_000)
    assert caught.value.message == "unknown operator " + "x" * 60 + "…"


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        ("(module (func v128.const i32x4 0 0 0 0 drop))", Feature.SIMD),
        ("(module (func (param v128)))", Feature.SIMD),
        ("(module (memory i64 1))", Feature.MEMORY64),
        ("(module (type (struct)))", Feature.GC),
        ("(module (type (array i8)))", Feature.GC),
        ("(module (func ref.i31))", Feature.GC),
    ],
)
def test_what_is_not_built_is_unsupported(text: str, feature: Feature) -> None:
    with pytest.raises(Unsupported, match=rf"{feature.value}.*\(line 1, column \d+\)$"):
        parse_module(text)


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        ("(module (func return_call 0))", Feature.TAIL_CALL),
        ("(module (type $t (func)) (func (param (ref $t))))", Feature.FUNCTION_REFERENCES),
        ("(module (rec (type (func))))", Feature.FUNCTION_REFERENCES),
        ("(module (type (sub (func))))", Feature.FUNCTION_REFERENCES),
        ("(module (func (param exnref)))", Feature.EXCEPTIONS),
        ("(module (func try_table end))", Feature.EXCEPTIONS),
        ("(module (func try end))", Feature.LEGACY_EXCEPTIONS),
        ("(module (memory 1 1 shared))", Feature.THREADS),
        ("(module (func atomic.fence))", Feature.THREADS),
    ],
)
def test_what_is_not_enabled_is_unsupported(text: str, feature: Feature) -> None:
    with pytest.raises(Unsupported, match=rf"needs the feature {feature.value} \(line 1, column \d+\)$"):
        parse_module(text, BUILT - {feature})
    parse_module(text, BUILT)


def test_a_tag_belongs_to_either_proposal() -> None:
    either = (Feature.EXCEPTIONS, Feature.LEGACY_EXCEPTIONS)
    for feature in either:
        parse_module("(module (tag) (func throw 0))", BUILT - {feature})
    with pytest.raises(Unsupported):
        parse_module("(module (tag))", BUILT - {*either})


def test_quoted_text_of_official_scripts(shared: Path) -> None:
    """Every malformed text is refused, in the words that the scripts expect, with a line and a column."""
    counts: Counter[str] = Counter()
    for path in sorted((shared / "wasm-testsuite").rglob("*.wast")):
        if UNBUILT & set(path.parts):
            continue
        features = THREADS if "threads" in path.parts else BUILT
        for command in parse_script(path.read_bytes(), features):
            if not isinstance(command, c.AssertMalformed) or command.source.form != "quote":
                continue
            with pytest.raises(WasmError) as caught:
                command.source.module()
            found = caught.value
            place = f"{path.name}:{command.line}: {found}"
            assert isinstance(found, Malformed), place
            assert found.message.startswith(command.message), place
            assert re.search(r"quoted module at line \d+, .*line \d+, column \d+$", found.where), place
            counts[command.message.split()[0]] += 1
    assert sum(counts.values()) > 670
    assert counts["unknown"] > 100
    assert counts["unexpected"] > 80
