"""Text and back: what is printed parses to an equal module, and says it again in the same words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from wasm.strategies import RUNNABLE, Shape, module_from, modules

from lindref.wasm.binary.decoder import decode
from lindref.wasm.binary.encoder import encode
from lindref.wasm.errors import Malformed, Unsupported
from lindref.wasm.features import BUILT, Feature
from lindref.wasm.instructions import SELECT_T, TABLE, Imm
from lindref.wasm.module import Module
from lindref.wasm.names import Names
from lindref.wasm.sections import names
from lindref.wasm.text import commands as c
from lindref.wasm.text.parser import parse_module
from lindref.wasm.text.printer import print_function, print_module
from lindref.wasm.text.script import parse_script
from lindref.wasm.validator import validate

DATA = Path(__file__).resolve().parents[1] / "data"
REAL = [DATA / name for name in ("lines.wasm", "lines5.wasm", "shared.wasm")]

#: Folders of features that are not built.
UNBUILT = {"simd", "relaxed-simd", "gc", "memory64"}


def there_and_back(module: Module) -> Module:
    """The module read from its own text, held to be the same one in every way that can be told."""
    text = print_module(module)
    back = parse_module(text, module.features)
    assert back == module
    assert [custom.after for custom in back.customs] == [custom.after for custom in module.customs]
    assert print_module(back, names(module)) == text
    again = decode(encode(back), module.features, eager=True)
    assert again == module
    # What text cannot say (a data count nobody needs, runs of no locals) is all that may differ in the bytes.
    settled = encode(attrs.evolve(again, data_count=None))
    assert encode(attrs.evolve(parse_module(print_module(again), module.features), data_count=None)) == settled
    return back


@given(modules())
def test_made_modules(module: Module) -> None:
    there_and_back(module)
    there_and_back(decode(encode(module)))


def test_hundreds_of_made_modules() -> None:
    """Between them they have every instruction in them, so every kind of immediate is printed and read."""
    seen: set[str] = set()
    for seed in range(400):
        back = there_and_back(module_from(seed))
        seen.update(instr.op.name for code in back.codes for instr in code.body)
    assert seen == {op.name for op in TABLE}


@pytest.mark.campaign
def test_thousands_of_made_modules() -> None:
    for seed in range(400, 6000):
        there_and_back(module_from(seed))


def test_made_modules_stay_valid() -> None:
    for seed in range(60):
        validate(parse_module(print_module(module_from(seed, RUNNABLE))))


def test_another_assembler_reads_what_we_print() -> None:
    """And makes the same module of it: whether we understand our own text is not the only question."""
    wasmtime = pytest.importorskip("wasmtime", reason="the other assembler, wasmtime's, is not installed")
    shape = Shape(features=BUILT - {Feature.LEGACY_EXCEPTIONS})
    for seed in range(100):
        module = attrs.evolve(module_from(seed, shape), customs=())
        other = decode(bytes(wasmtime.wat2wasm(print_module(module))), module.features)
        assert attrs.evolve(other, customs=()) == module, seed  # it adds a name section


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_modules(path: Path) -> None:
    module = decode(path.read_bytes())
    back = there_and_back(module)
    assert names(back).funcs == {i: n for i, n in names(module).funcs.items() if n}


def official(shared: Path) -> Iterator[tuple[str, c.ModuleSource]]:
    """Every module of the official scripts over what is built, with its place."""
    root = shared / "wasm-testsuite"
    for path in sorted(root.rglob("*.wast")):
        if UNBUILT & set(path.parts):
            continue
        for command in parse_script(path.read_bytes(), BUILT):
            where = f"{path.relative_to(root).as_posix()}:{command.line}"
            source = getattr(command, "source", getattr(command, "subject", None))
            if isinstance(source, c.ModuleSource):
                yield where, source


def test_official_modules(shared: Path) -> None:
    count = 0
    for where, source in official(shared):
        try:
            module = source.module()
        except (Malformed, Unsupported):
            continue
        try:
            there_and_back(module)
        except Exception as error:  # says which module it was
            error.add_note(where)
            raise
        count += 1
    assert count > 3300


def test_every_shape_of_immediates_is_known_to_the_printer() -> None:
    """An instruction that the table gains must be printed and read too."""
    shapes = {op.imms for op in TABLE}
    shown = {instr.op.imms for seed in range(400) for code in module_from(seed).codes for instr in code.body}
    assert shown == shapes
    assert (Imm.BLOCK, Imm.CATCHES) in shown
    assert SELECT_T.imms in shown


# Names.


def test_identifiers_come_back() -> None:
    text = """
    (module $m
      (type $t (func (param i32)))
      (import "a" "b" (func $f (type $t)))
      (table $tab 1 funcref) (memory $mem 1) (tag $tag (type $t)) (global $g i32 (i32.const 0))
      (elem $e func $f) (data $d "x")
      (func $h (param $p i32) (local $l i64) block $b loop $"c d" br $b end end local.get $p drop))
    """
    module = parse_module(text)
    expected = Names(
        module="m",
        funcs={0: "f", 1: "h"},
        types={0: "t"},
        tables={0: "tab"},
        memories={0: "mem"},
        tags={0: "tag"},
        globals={0: "g"},
        elems={0: "e"},
        datas={0: "d"},
        locals={1: {0: "p", 1: "l"}},
        labels={1: {0: "b", 1: "c d"}},
    )
    assert names(module) == expected
    back = parse_module(print_module(module))
    assert names(back) == expected


def test_equal_names_are_told_apart() -> None:
    """A name section may name several functions the same; identifiers may not."""
    module = parse_module("(module (func) (func) (func call 0 call 1 call 2))")
    back = parse_module(print_module(module, Names(funcs={0: "f", 1: "f", 2: "f#1"})))
    assert back == module
    assert names(back).funcs[0] == "f"
    assert len(set(names(back).funcs.values())) == 3


def test_a_name_nobody_can_write_is_left_out() -> None:
    """Names of items that are not there, empty ones and endless ones."""
    module = parse_module("(module (func call 0) (func))")
    text = print_module(module, Names(funcs={0: "", 1: "x" * 5000, 7: "seven"}, locals={0: {3: "nine"}, 9: {0: "z"}}))
    assert parse_module(text) == module
    assert names(parse_module(text)).funcs == {}


def test_names_with_any_characters() -> None:
    odd = ["a b", 'q"uote', "back\\slash", "\n", "\0", "\U0001f600", "é", "\u202e", "(", ";;", "$", "\x7f", "\ud7ff"]
    module = parse_module("(module " + "(func)" * len(odd) + ")")
    text = print_module(module, Names(funcs=dict(enumerate(odd))))
    assert names(parse_module(text)).funcs == dict(enumerate(odd))


def test_without_annotations_no_identifier_has_quotes() -> None:
    plain = BUILT - {Feature.ANNOTATIONS}
    module = attrs.evolve(parse_module("(module (func) (func))", plain))
    text = print_module(module, Names(module="m n", funcs={0: "a b", 1: "c"}))
    back = parse_module(text, plain)
    assert names(back).funcs == {1: "c"}
    assert back == module


def test_an_inner_label_hides_an_outer_one() -> None:
    """``br $a`` must not be printed for the outer of two blocks that have the same name."""
    text = "(module (func block $a block $a br 0 br 1 br 2 end end))"
    module = parse_module(text)
    printed = print_module(module)
    assert [line.strip() for line in printed.splitlines() if "br " in line] == ["br $a", "br 1", "br 2"]
    assert parse_module(printed) == module


def test_custom_sections_keep_their_places() -> None:
    module = parse_module(
        """(module (@custom "a" (before first) "1") (type (func)) (@custom "b" (after type)) (func (type 0))
             (@custom "c" "\\ff\\00" "z") (@custom "d" (before code) "4") (@custom "a" (after code) "5"))"""
    )
    assert [(s.name, s.data) for s in module.customs] == [
        ("a", b"1"),
        ("b", b""),
        ("d", b"4"),
        ("a", b"5"),
        ("c", b"\xff\0z"),
    ]
    there_and_back(module)


def test_comments_on_instructions() -> None:
    """Whatever they say, they stay comments."""
    module = decode(REAL[0].read_bytes())
    text = print_module(module, comment=lambda instr: f'{instr.offset:#x}\n(; \r;)\0\ud800"')
    assert parse_module(text) == module
    first = module.codes[0].body[0]
    assert f';; {first.offset:#x}?(; ?;)??"\n' in text
    assert print_module(module, comment=lambda _: "") == print_module(module)


def test_one_function() -> None:
    module = parse_module('(module (import "a" "b" (func $f)) (func $g call $f) (func $h (param $p i32) call $g))')
    assert print_function(module, 0) == '(import "a" "b" (func $f (;0;) (type 0)))\n'
    assert print_function(module, 1) == "(func $g (;1;) (type 0)\n  call $f\n)\n"
    assert print_function(module, 2) == "(func $h (;2;) (type 1) (param $p i32)\n  call $g\n)\n"
    for index in range(3):
        assert print_function(module, index) in print_module(module).replace("\n  ", "\n")


def test_custom_sections_after_sections_that_are_not_there() -> None:
    """Bytes keep the place too: with an empty section or a data count, or, for want of a start, after the exports."""
    words = ("type", "import", "func", "table", "memory", "tag", "global", "export", "start", "elem", "datacount")
    for word in (*words, "code", "data"):
        back = there_and_back(parse_module(f'(module (@custom "c" (after {word})))'))
        (custom,) = back.customs
        assert f"(after {'export' if word == 'start' else word})" in print_module(back)
        assert custom.name == "c"
    started = there_and_back(parse_module('(module (func) (start 0) (@custom "c" (after start)))'))
    assert started.customs[0].after == 8
