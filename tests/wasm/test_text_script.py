"""Test scripts as commands: each form of each command, what is broken on its own, and the official scripts whole."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from lindref.wasm.errors import Malformed, Unsupported
from lindref.wasm.features import BUILT, Feature
from lindref.wasm.text import commands as c
from lindref.wasm.text.parser import parse_module
from lindref.wasm.text.script import parse_script
from lindref.wasm.types import AbsHeap, NumType

UNBUILT = {"simd", "relaxed-simd", "gc", "memory64"}


def one(source: str | bytes) -> c.Command:
    """The only command of a script."""
    (command,) = parse_script(source)
    return command


def action(source: str) -> c.Invoke:
    """An invocation as it stands in a script."""
    command = one(source)
    assert isinstance(command, c.Perform)
    assert isinstance(command.action, c.Invoke)
    return command.action


def test_a_script_of_everything() -> None:
    found = parse_script(
        """
        (module $m (func (export "f")))
        (module definition $d (func))
        (module instance $i $d)
        (register "n" $m)
        (invoke $m "f")
        (get "g")
        (assert_return (invoke "f" (i32.const 1)) (i64.const -1))
        (assert_trap (invoke "f") "unreachable")
        (assert_trap (module (func)) "out of bounds")
        (assert_exhaustion (invoke "f") "call stack exhausted")
        (assert_exception (invoke "f"))
        (assert_malformed (module quote "(func") "unexpected token")
        (assert_invalid (module (func (result i32))) "type mismatch")
        (assert_unlinkable (module) "unknown import")
        (thread $t (shared (module $m)) (invoke "f") (invoke "g"))
        (wait $t)
        (input "other.wast")
        """
    )
    kinds = [type(command) for command in found]
    assert kinds == [
        c.ModuleCommand,
        c.DefinitionCommand,
        c.InstanceCommand,
        c.Register,
        c.Perform,
        c.Perform,
        c.AssertReturn,
        c.AssertTrap,
        c.AssertTrap,
        c.AssertExhaustion,
        c.AssertException,
        c.AssertMalformed,
        c.AssertInvalid,
        c.AssertUnlinkable,
        c.Thread,
        c.Wait,
        c.Input,
    ]
    assert [command.line for command in found] == list(range(2, 19))
    assert found[2] == c.InstanceCommand(4, "i", "d")
    assert found[3] == c.Register(5, "n", "m")
    assert found[4] == c.Perform(6, c.Invoke(6, "m", "f", ()))
    assert found[5] == c.Perform(7, c.Get(7, None, "g"))
    assert found[6] == c.AssertReturn(
        8, c.Invoke(8, None, "f", (c.Const(NumType.I32, 1),)), (c.Const(NumType.I64, 2**64 - 1),)
    )
    thread = found[14]
    assert isinstance(thread, c.Thread)
    assert (thread.name, thread.shared) == ("t", ("m",))
    assert [type(command) for command in thread.commands] == [c.Perform, c.Perform]
    assert found[16] == c.Input(18, "other.wast")


def test_three_forms_of_a_module() -> None:
    text, binary, quote = parse_script(
        '(module $a (func)) (module $b binary "\\00asm" "\\01\\00\\00\\00") (module $c quote "(fu" "nc)")'
    )
    for command, name, form in ((text, "a", "text"), (binary, "b", "binary"), (quote, "c", "quote")):
        assert isinstance(command, c.ModuleCommand)
        assert (command.source.name, command.source.form) == (name, form)
    assert isinstance(text, c.ModuleCommand)
    assert isinstance(binary, c.ModuleCommand)
    assert isinstance(quote, c.ModuleCommand)
    assert text.source.module() == quote.source.module() == parse_module("(module (func))")
    assert binary.source.module() == parse_module("")
    assert binary.source.data == b"\0asm\1\0\0\0"
    assert quote.source.data == b"(func)"


def test_fields_alone_are_a_module() -> None:
    found = parse_script('(func (export "f")) (memory 1)\n(invoke "f") (func)')
    assert [type(command) for command in found] == [c.ModuleCommand, c.Perform, c.ModuleCommand]
    first = found[0]
    assert isinstance(first, c.ModuleCommand)
    assert first.source.module() == parse_module('(module (func (export "f")) (memory 1))')


def test_values() -> None:
    args = action(
        '(invoke "f" (i32.const -1) (i64.const 0x7f) (f32.const 1.5) (f64.const nan:0x1) (ref.null extern) '
        "(ref.null func) (ref.null $t) (ref.extern 7) (ref.host 8))"
    ).args
    assert args == (
        c.Const(NumType.I32, 2**32 - 1),
        c.Const(NumType.I64, 127),
        c.Const(NumType.F32, 0x3FC00000),
        c.Const(NumType.F64, 0x7FF0_0000_0000_0001),
        c.Null(AbsHeap.EXTERN),
        c.Null(AbsHeap.FUNC),
        c.Null(None),
        c.Ref(AbsHeap.EXTERN, 7),
        c.Ref(AbsHeap.ANY, 8),
    )


def test_results() -> None:
    command = one(
        '(assert_return (invoke "f") (f32.const nan:canonical) (f64.const nan:arithmetic) (ref.extern) (ref.func) '
        "(ref.null) (either (i32.const 1) (f32.const nan:canonical)))"
    )
    assert isinstance(command, c.AssertReturn)
    assert command.results == (
        c.Nan(NumType.F32, True),
        c.Nan(NumType.F64, False),
        c.Ref(AbsHeap.EXTERN),
        c.Ref(AbsHeap.FUNC),
        c.Null(None),
        c.Either((c.Const(NumType.I32, 1), c.Nan(NumType.F32, True))),
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('(invoke "f" (f32.const nan:canonical))', "unexpected token"),
        ('(invoke "f" (ref.extern))', "unexpected token"),
        ('(invoke "f" (i32.const))', "unexpected token"),
        ('(invoke "f" (i32.const 4294967296))', "constant out of range"),
        ('(invoke "f" (i32.cost 1))', "unknown operator"),
        ("(invoke f)", "unknown operator f"),
        ("(assert_return)", "unexpected token )"),
        ('(assert_return (module) "x")', "unexpected token module"),
        ('(assert_trap (invoke "f"))', "unexpected token )"),
        ('(assert_malformed (invoke "f") "x")', "unexpected token"),
        ("(register)", "unexpected token )"),
        ("(thread)", "unexpected token )"),
        ("(wait)", "unexpected token )"),
        ("(asert_return)", "unknown operator asert_return"),
        ("()", "unexpected token )"),
        ("(module", "unexpected token: end of input"),
        ("(module (func)", "unexpected token: end of input"),
        ("junk", "unknown operator junk"),
        ('(module binary "\\00" x)', "unknown operator x"),
    ],
)
def test_a_broken_command_leaves_the_others_alone(source: str, message: str) -> None:
    found = parse_script(f'(get "before")\n{source}')
    assert [type(command) for command in found] == [c.Perform, c.Broken]
    broken = found[1]
    assert isinstance(broken, c.Broken)
    assert broken.error.message.startswith(message)
    assert broken.error.where.startswith("line 2, column")
    assert broken.line == 2
    if source.startswith("(") and not source.startswith("(module"):
        after = parse_script(f'{source} (get "after")')
        assert [type(command) for command in after] == [c.Broken, c.Perform]


def test_what_is_in_a_module_is_not_read_before_it_is_asked_for() -> None:
    command = one("\n(module (func junk))")
    assert isinstance(command, c.ModuleCommand)
    with pytest.raises(Malformed, match=r"unknown operator junk \(line 2, column 15\)"):
        command.source.module()
    quoted = one('\n\n(module quote "\\n(func junk)")')
    assert isinstance(quoted, c.ModuleCommand)
    with pytest.raises(Malformed, match=r"\(quoted module at line 3, line 2, column 7\)"):
        quoted.source.module()


def test_features_of_a_script_and_of_a_reader() -> None:
    source = b"(module (func return_call 0))"
    (command,) = parse_script(source, BUILT - {Feature.TAIL_CALL})
    assert isinstance(command, c.ModuleCommand)
    with pytest.raises(Unsupported):
        command.source.module()
    command.source.module(BUILT)


def test_threads_in_threads_in_threads() -> None:
    deep = "(thread $t " * 50 + '(invoke "f")' + ")" * 50
    command = one(deep)
    depth = 0
    while isinstance(command, c.Thread):
        (command,) = command.commands
        depth += 1
    assert depth == 8
    assert isinstance(command, c.Broken)
    assert "nested too deeply" in command.error.message


def test_the_official_scripts(shared: Path) -> None:
    """No command of a script over what is built is broken; all commands of all scripts are read."""
    counts: Counter[str] = Counter()
    root = shared / "wasm-testsuite"
    for path in sorted(root.rglob("*.wast")):
        built = not UNBUILT & set(path.parts)
        for command in parse_script(path.read_bytes()):
            place = f"{path.relative_to(root)}:{command.line}"
            counts[type(command).__name__ if built else "unbuilt"] += 1
            if isinstance(command, c.Broken):
                assert not built, f"{place}: {command.error}"
                assert isinstance(command.error, Unsupported | Malformed), place
    assert counts["AssertReturn"] > 22_000
    assert counts["AssertTrap"] > 2_700
    assert counts["AssertMalformed"] > 1_300
    assert counts["AssertUnlinkable"] > 200
    assert counts["ModuleCommand"] > 1_500
    assert counts["Thread"] == counts["Wait"] == 0  # the scripts of that kind are not among them
    assert counts["unbuilt"] > 20_000
