"""Whatever the text is: a module or a ``WasmError`` of one line, in bounded time and memory."""

from __future__ import annotations

import gc
import random
import time
import tracemalloc
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasm.strategies import module_from

from lindref.wasm.binary.encoder import encode
from lindref.wasm.errors import Exhausted, Malformed, Unsupported, WasmError
from lindref.wasm.module import Module
from lindref.wasm.names import Names
from lindref.wasm.text import commands as c
from lindref.wasm.text.keywords import KEYWORDS
from lindref.wasm.text.parser import parse_module
from lindref.wasm.text.printer import print_module
from lindref.wasm.text.script import parse_script
from lindref.wasm.validator import validate

T = TypeVar("T")

#: Every way of writing that the printer does not use.
ABBREVIATED = b"""
(module $m (@note a (b) "c")
  (type $t (sub (func (param $x i32) (param i64 f32) (result i32))))
  (rec (type $r (func)) (type (func (param (ref $r)))))
  (func $imported (export "e1") (export "e2") (import "m" "n") (type $t))
  (table $tab funcref (elem $imported $f)) (table 1 2 externref) (memory (data "abc" "\\00\\u{41}"))
  (tag $tag (param i32))
  (global $g (export "g") (mut f64) (f64.const -0x1.8p-3)) (global (ref null func) (ref.null func))
  (func $f (param $p i32) (param i64) (result i32) (local $l i32) (local f32 f64)
    (block $b (result i32) (loop $"a b" (br_if $"a b" (i32.eqz (local.get $p))))
      (if (result i32) (local.get $p) (then (i32.const 1_000)) (else (i32.load offset=4 align=2 (i32.const 0x0f)))))
    if $i (param i32) (result i32) i32.clz else $i (drop) i32.const -1 end $i
    (try (do (throw $tag (i32.const 1))) (catch $tag drop) (catch_all (rethrow 0)))
    (try_table (catch $tag 0) (catch_all 0))
    (call_indirect $tab (param i32) (result i32) (i32.const 1) (i32.const 0)) (br_table 0 0 0 (i32.const 3))
    (select (result i32) (i32.const 1) (i32.const 2) (i32.const 3)) (memory.copy) drop (f32.const nan:0x123))
  (start $f) (elem (i32.const 0) $f) (elem declare func $f)
  (elem (table $tab) (offset (i32.const 1)) funcref (ref.func $f))
  (data $d (offset i32.const 0) "x\\ff") (data "y") (@custom "c" (after code) "z") (; (; nested ;) ;) ;; end
)
"""

PIECES = [
    *sorted(KEYWORDS),
    *("(", ")", "(;", ";)", ";;", '"', "\\", "$", "$x", '$"', "(@", "(@custom", "\n", "\r", "\0", "\x7f"),
    *("\udcff", "é", "0", "-1", "4294967295", "4294967296", "0x", "nan:0x"),
    *("1e999999", "inf", "offset=", "align=3", "_", "9" * 40),
]


def attempt(action: Callable[[], T]) -> T | WasmError:
    """What it gives, or the error in one line; anything else that is raised fails the test."""
    try:
        return action()
    except WasmError as error:
        wrong = error
    assert "\n" not in str(wrong)
    assert len(str(wrong)) < 300
    return wrong


def check(source: str | bytes) -> Module | WasmError:
    """The module, which prints, encodes and validates as any other, or what is wrong with the text."""
    module = attempt(lambda: parse_module(source))
    if isinstance(module, WasmError):
        assert isinstance(module, (Malformed, Unsupported, Exhausted))
        assert "line" in module.where
        return module
    assert parse_module(print_module(module), module.features) == module
    encode(module)
    attempt(lambda: validate(module))
    return module


def check_script(source: bytes) -> None:
    """Commands, some of them broken, and modules that can be asked for."""
    for command in parse_script(source):
        assert command.line >= 1
        subject = getattr(command, "source", getattr(command, "subject", None))
        if isinstance(subject, c.ModuleSource):
            attempt(subject.module)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The text with a few changes of the kinds that break parsers."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(out) + 1)
        kind = chance.randrange(6)
        if kind == 0 and place < len(out):
            out[place] = chance.randrange(256)
        elif kind == 1:
            del out[place : place + chance.choice((1, 1, 2, 5, 30))]
        elif kind == 2:
            out[place:place] = chance.choice(PIECES).encode("utf-8", "surrogateescape")
        elif kind == 3:
            start = chance.randrange(len(out) + 1)
            out[place:place] = out[start : start + chance.randint(1, 40)]
        elif kind == 4:
            del out[place:]
        else:
            out[place:place] = b" " + chance.choice(PIECES).encode("utf-8", "surrogateescape") + b" "
    return bytes(out)


def texts(count: int) -> list[bytes]:
    """Sources to break: one by hand, the others printed."""
    return [ABBREVIATED] + [print_module(module_from(seed)).encode() for seed in range(count)]


def test_the_text_by_hand_is_a_module() -> None:
    module = check(ABBREVIATED)
    assert isinstance(module, Module)
    assert len(module.codes) == 1
    assert len(module.customs) == 1


def test_every_prefix() -> None:
    for length in range(len(ABBREVIATED) - 2):
        found = check(ABBREVIATED[:length])
        assert isinstance(found, Malformed) or not ABBREVIATED[:length].strip()
        check_script(ABBREVIATED[:length])


def test_every_token_left_out_or_doubled() -> None:
    words = ABBREVIATED.split(b" ")
    for index in range(len(words)):
        check(b" ".join(words[:index] + words[index + 1 :]))
        check(b" ".join([*words[: index + 1], *words[index:]]))


def test_thousands_of_changed_texts() -> None:
    chance = random.Random(4)
    kinds: set[type] = set()
    for text in texts(60):
        for _ in range(60 if text is ABBREVIATED else 12):
            broken = mutated(text, chance)
            kinds.add(type(check(broken)))
            check_script(broken)
    assert kinds == {Module, Malformed}


@pytest.mark.campaign
def test_many_more_changed_texts() -> None:
    chance = random.Random()
    for text in texts(600):
        for _ in range(2000 if text is ABBREVIATED else 20):
            broken = mutated(text, chance)
            check(broken)
            check_script(broken)


@given(st.lists(st.sampled_from(PIECES), max_size=30), st.booleans())
def test_any_words(words: list[str], spaces: bool) -> None:
    text = (" " if spaces else "").join(words)
    for source in (text, f"(module {text}", f"(module (func {text}))"):
        check(source)
        check_script(source.encode("utf-8", "surrogateescape"))


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    check(data)
    check_script(data)


# Much of one thing.

N = 100_000
MUCH: dict[str, tuple[str, type]] = {
    "parentheses": ("(" * N, Malformed),
    "open in a module": ("(module " + "(" * N, Malformed),
    "open folded": ("(module (func " + "(block " * N, Malformed),
    "folded operands": ("(module (func " + "(nop " * N + ")" * N + "))", Module),
    "folded blocks": ("(module (func " + "(block " * N + ")" * N + "))", Module),
    "flat blocks": ("(module (func " + "loop " * N + "end " * N + "))", Module),
    "flat ends": ("(module (func " + "end " * N + "))", Malformed),
    "same label": ("(module (func " + "block $a " * N + "br $a " + "end $a " * N + "))", Module),
    "labels": ("(module (func " + "".join(f"block $a{i} " for i in range(N)) + "br $a0 " + "end " * N + "))", Module),
    "conditionals": ("(module (func " + "(if (then " * N + "))" * N + "))", Module),
    "conditions": ("(module (func " + "(if " * N + "(then))" * N + "))", Module),
    "tries": ("(module (func " + "(try (do " * N + ")(catch_all))" * N + "))", Module),
    "targets": ("(module (func block (br_table " + "0 " * N + "(i32.const 0)) end))", Module),
    "clauses": ("(module (func (try_table " + "(catch_all 0)" * N + ")))", Module),
    "results": ("(module (func select " + "(result i32)" * N + "))", Module),
    "open comments": ("(;" * N, Malformed),
    "nested comments": ("(;" * N + ";)" * N + "(module)", Module),
    "comments": ("(;;)" * N + "(module)", Module),
    "lines": (";;\n" * N + "(module", Malformed),
    "open annotations": ("(@a " * N, Malformed),
    "nested annotations": ("(@a " * N + ")" * N + "(module)", Module),
    "empty annotations": ("(module " + "(@custom)" * N + ")", Malformed),
    "strings": ("(module (data " + '"a" ' * N + "))", Module),
    "strings in one": ('"a"' * N, Malformed),
    "quotes": ('"' * (N + 1), Malformed),
    "escapes": ('(module (data "' + "\\00" * N + '"))', Module),
    "open string": ('(module (data "' + "\\00" * N, Malformed),
    "stray characters": ("(module (func " + "\1" * N + "))", Malformed),
    "identifier": ("(module (func $" + "a" * N + ") (func call 0))", Module),
    "types": ("(module " + "(type (func))" * N + ")", Module),
    "group": ("(module (rec " + "(type (func))" * N + "))", Module),
    "open subtypes": ("(module (type " + "(sub " * N, Malformed),
    "open references": ("(module (func (param " + "(ref " * N, Malformed),
    "new types": ("(module " + "".join(f"(func (param{' i32' * i}))" for i in range(500)) + ")", Module),
    "exports": ("(module (func " + '(export "a")' * N + "))", Module),
    "imports": ("(module " + '(import "a" "b" (func))' * N + ")", Module),
    "parameters": ("(module (func " + "(param i32)" * N + "))", Module),
    "locals": ("(module (func " + "(local i32)" * 50_000 + "))", Module),
    "functions": ("(module " + "(func)" * N + ")", Module),
    "postponed": ("(module " + f"(func (type {N}))" * 50_000 + ")", Module),
    "elements": ("(module (func) (table funcref (elem " + "0 " * N + ")))", Module),
    "segments": ("(module (memory 1) " + '(data (i32.const 0) "a")' * 50_000 + ")", Module),
    "digits": ("(module (memory " + "9" * 1_000_000 + "))", Malformed),
}


@pytest.mark.parametrize(("text", "outcome"), MUCH.values(), ids=list(MUCH))
def test_a_hundred_thousand(text: str, outcome: type) -> None:
    begin = time.process_time()
    module = attempt(lambda: parse_module(text))
    assert type(module) is outcome
    if isinstance(module, Module):
        printed = print_module(module)
        assert len(printed) < 100 * len(text)
        assert parse_module(printed) == module
    parse_script(text)
    assert time.process_time() - begin < 15


def test_twice_the_text_takes_twice_the_time() -> None:
    """No cost grows faster than the text: eight times as much of anything takes less than thirty times as long."""

    def seconds(text: str) -> float:
        gc.collect()
        gc.disable()  # its cost depends on what else there is
        try:
            begin = time.process_time()
            attempt(lambda: parse_module(text))
            return time.process_time() - begin
        finally:
            gc.enable()

    for name, (text, _) in MUCH.items():
        measured = []
        for _ in range(4):  # what else the machine does can spoil a measurement, but not four
            small = min(seconds(text[: len(text) // 32]) for _ in range(3))
            large = min(seconds(text[: len(text) // 4]) for _ in range(2))
            measured.append((small, large))
            if large < 30 * small + 0.15:
                break
        else:
            pytest.fail(f"{name}: {measured}")


def test_memory_of_a_megabyte_of_text() -> None:
    text = "(module (func " + "(drop (i32.add (local.get 0) (i32.const 1)))" * 20_000 + "))"
    tracemalloc.start()
    parse_module(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150 * len(text)


# Text from modules: bytes that would make endless text.


def test_text_stays_in_proportion_to_the_module() -> None:
    calls = parse_module("(module (func $f) (func " + "call 0 " * 20_000 + "))")
    assert len(print_module(calls, Names(funcs={0: "x" * 100_000}))) < 1_000_000
    signature = "(type (func (param " + "i32 " * 5000 + ")))"
    users = parse_module(f"(module {signature} " + "(func (type 0))" * 2000 + ")")
    assert len(print_module(users)) < 1_000_000
    named = print_module(users, Names(locals={n: {0: "p", 4999: "q", 5000: "r"} for n in range(2000)}))
    assert len(named) < 1_000_000
    assert parse_module(named) == users


def test_absurd_numbers_of_locals_are_not_written_out() -> None:
    text = "(module " + ("(func (local " + "i32 " * 50_000 + "))") + ")"
    one = parse_module(text)
    assert parse_module(print_module(one)) == one
    many = Module(one.rec_groups, funcs=one.funcs * 41, codes=tuple(one.codes) * 41)
    with pytest.raises(Exhausted, match=r"^2050000 locals in all functions"):
        print_module(many)
    with pytest.raises(Exhausted, match=r"^100000 locals in a function, .*\(func 0\)$"):
        print_module(parse_module("(module (func " + "(local i32)" * 100_000 + "))"))
