"""The Python API for plain wasm."""

from __future__ import annotations

import math
import struct

import pytest

from lindref.api import (
    Exhaustion,
    Function,
    Global,
    LinkError,
    Memory,
    Module,
    Table,
    Trap,
    WasmException,
    instantiate,
)
from lindref.wasm.binary.encoder import encode
from lindref.wasm.errors import Invalid, Malformed

ARITH = """(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "add64") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
  (func (export "f32") (param f32) (result f32) (local.get 0))
  (func (export "f64") (param f64) (result f64) (local.get 0))
  (func (export "swap") (param i32 f64) (result f64 i32) (local.get 1) (local.get 0))
  (func (export "nothing"))
  (func (export "same") (param externref) (result externref) (local.get 0))
  (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1))))"""


@pytest.fixture(scope="module")
def arith():
    return instantiate(Module.from_text(ARITH)).exports


def test_integers_go_in_signed_or_unsigned_and_come_out_signed(arith):
    assert arith["add"](1, 2) == 3
    assert arith["add"](0xFFFF_FFFF, 0) == -1
    assert arith["add"](-1, 0) == -1
    assert arith["add"](0x7FFF_FFFF, 1) == -0x8000_0000
    assert arith["add64"](2**64 - 1, -1) == -2
    assert arith["add64"](2**63 - 1, 1) == -(2**63)


@pytest.mark.parametrize("value", [2**32, -(2**31) - 1])
def test_integers_that_do_not_fit_are_refused(arith, value):
    with pytest.raises(OverflowError, match="is no i32"):
        arith["add"](value, 0)


def test_wrong_types_and_counts_are_refused(arith):
    with pytest.raises(TypeError, match="wants an integer, not str"):
        arith["add"]("1", 0)
    with pytest.raises(TypeError, match="wants an integer, not float"):
        arith["add"](1.0, 0)
    with pytest.raises(TypeError, match="2 arguments are wanted, not 1"):
        arith["add"](1)
    with pytest.raises(TypeError, match="wants a number"):
        arith["f64"](None)


def test_floats(arith):
    assert arith["f64"](0.1) == 0.1
    assert arith["f32"](0.1) == struct.unpack("<f", struct.pack("<f", 0.1))[0]
    assert math.isnan(arith["f32"](math.nan))
    assert arith["f32"](3) == 3.0
    assert math.copysign(1, arith["f64"](-0.0)) == -1


def test_no_result_one_result_many_results(arith):
    assert arith["nothing"]() is None
    assert arith["swap"](7, 2.5) == (2.5, 7)


def test_external_references_are_any_object(arith):
    thing = object()
    assert arith["same"](thing) is thing
    assert arith["same"](None) is None


def test_a_trap_has_message_and_place(arith):
    with pytest.raises(Trap, match="integer divide by zero in func 7"):
        arith["div"](1, 0)


def test_files(tmp_path):
    module = Module.from_text(ARITH)
    text, binary = tmp_path / "m.wat", tmp_path / "m.wasm"
    text.write_text(ARITH)
    binary.write_bytes(encode(module.syntax))
    for path in (text, binary):
        assert instantiate(Module.from_file(path)).exports["add"](2, 3) == 5
    assert ("add", "func") in module.exports
    with pytest.raises(FileNotFoundError):
        Module.from_file(tmp_path / "none.wasm")
    bad = tmp_path / "bad.wasm"
    bad.write_bytes(b"hello")
    with pytest.raises(Malformed, match="magic header"):
        Module.from_file(bad)


def test_invalid_modules_are_refused_when_instantiated():
    module = Module.from_text("(module (func (result i32)))")
    with pytest.raises(Invalid, match="type mismatch"):
        instantiate(module)


CALLER = """(module
  (import "env" "f" (func $f (param i32 i64 f32) (result i32)))
  (import "env" "g" (func $g))
  (import "env" "two" (func $two (result i32 f64)))
  (func (export "f") (result i32) (call $f (i32.const -1) (i64.const -2) (f32.const 0.5)))
  (func (export "g") (call $g))
  (func (export "two") (result i32 f64) (call $two)))"""


def test_python_functions_take_the_import_type():
    seen = []

    def f(*args):
        seen.append(args)
        return 2**32 - 5

    exports = instantiate(
        Module.from_text(CALLER), {"env": {"f": f, "g": lambda: None, "two": lambda: (1, 2.0)}}
    ).exports
    assert exports["f"]() == -5
    assert seen == [(-1, -2, 0.5)]
    assert exports["two"]() == (1, 2.0)


def test_python_functions_with_wrong_results_and_exceptions():
    exports = instantiate(
        Module.from_text(CALLER), {"env": {"f": lambda *_: None, "g": lambda: 5, "two": lambda: 1 / 0}}
    ).exports
    with pytest.raises(TypeError, match=r"env.g returned 5"):
        exports["g"]()
    with pytest.raises(TypeError, match="i32 wants an integer"):
        exports["f"]()
    with pytest.raises(ZeroDivisionError):
        exports["two"]()


def test_python_functions_may_call_back():
    module = Module.from_text("""(module (import "m" "up" (func $up (param i32) (result i32)))
      (func (export "down") (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (call $up (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 42)))))""")

    def up(n):
        return instance.exports["down"](n)

    instance = instantiate(module, {"m": {"up": up}})
    assert instance.exports["down"](5) == 42


def test_link_errors():
    module = Module.from_text(CALLER)
    with pytest.raises(LinkError, match=r"unknown import \(env.f\)"):
        instantiate(module)
    with pytest.raises(LinkError, match="incompatible import type"):
        instantiate(module, {"env": {"f": Memory(1)}})
    with pytest.raises(LinkError, match="incompatible import type"):
        instantiate(module, {"env": {"f": 5}})
    wrong = instantiate(Module.from_text('(module (func (export "f")))')).exports["f"]
    with pytest.raises(LinkError, match="incompatible import type"):
        instantiate(module, {"env": {"f": wrong}})


def test_memories_globals_and_tables_go_in_and_out():
    module = Module.from_text("""(module
      (import "m" "memory" (memory 1)) (import "m" "global" (global $g (mut i64)))
      (import "m" "table" (table 2 funcref))
      (func $answer (export "answer") (result i32) (i32.const 42))
      (elem (i32.const 1) $answer)
      (data (i32.const 8) "hello")
      (func (export "bump") (global.set $g (i64.sub (global.get $g) (i64.const 1))))
      (func (export "call") (param i32) (result i32) (call_indirect (result i32) (local.get 0)))
      (func (export "peek") (param i32) (result i32) (i32.load8_s (local.get 0)))
      (export "memory" (memory 0)) (export "global" (global $g)) (export "table" (table 0)))""")
    memory, number, table = Memory(1, 3), Global("i64", 0, mutable=True), Table(2)
    exports = instantiate(module, {"m": {"memory": memory, "global": number, "table": table}}).exports
    assert memory.read(8, 5) == b"hello"
    memory.write(0, b"\xff")
    assert exports["peek"](0) == -1
    assert len(exports["memory"]) == 65536
    assert exports["memory"].grow(2) == 1
    assert memory.size == 3
    with pytest.raises(ValueError, match="cannot grow"):
        memory.grow(1)
    with pytest.raises(IndexError):
        memory.read(3 * 65536, 1)
    with pytest.raises(IndexError):
        memory.write(3 * 65536 - 1, b"ab")
    exports["bump"]()
    assert number.value == exports["global"].value == -1
    number.value = 5
    exports["bump"]()
    assert exports["global"].value == 4
    assert table[0] is None
    assert isinstance(table[1], Function)
    assert table[1] == exports["answer"]
    assert table[1]() == 42
    table[0] = exports["answer"]
    assert exports["call"](0) == 42
    assert table.grow(3) == 2
    assert len(exports["table"]) == 5
    with pytest.raises(IndexError):
        table[5]
    with pytest.raises(TypeError, match="wants a function"):
        table[0] = 5


def test_immutable_globals_and_bad_arguments():
    with pytest.raises(TypeError, match="immutable"):
        Global("i32", 1).value = 2
    with pytest.raises(ValueError, match="no value type"):
        Global("i33", 1)
    with pytest.raises(ValueError, match="tables hold references"):
        Table(1, element="i32")
    with pytest.raises(ValueError, match="pages"):
        Memory(2, 1)
    with pytest.raises(ValueError, match="maximum"):
        Memory(2, shared=True)
    with pytest.raises(ValueError, match="no engine"):
        instantiate(Module.from_text("(module)"), engine="warp")


def test_functions_of_two_stores_do_not_meet():
    module = Module.from_text('(module (func (export "f")) (table (export "t") 1 funcref))')
    one, two = instantiate(module), instantiate(module)
    with pytest.raises(TypeError, match="another store"):
        one.exports["t"][0] = two.exports["f"]
    user = Module.from_text('(module (import "a" "f" (func)) (import "b" "f" (func)))')
    with pytest.raises(LinkError, match="different stores"):
        instantiate(user, {"a": one.exports, "b": two.exports})


def test_instances_link_with_each_other():
    one = instantiate(Module.from_text('(module (func (export "f") (result i32) (i32.const 7)))'))
    two = instantiate(
        Module.from_text("""(module (import "one" "f" (func $f (result i32)))
          (func (export "g") (result i32) (call $f)))"""),
        {"one": one.exports},
    )
    assert two.exports["g"]() == 7


THROWER = """(module (import "m" "f" (func $f))
  (tag $t (export "t") (param i32 i64))
  (func (export "throw") (throw $t (i32.const -1) (i64.const 5)))
  (func (export "catch") (result i32 i64) (block (result i32 i64) (try_table (catch $t 0) (call $f)) (unreachable))))"""


def test_exceptions_cross_into_python_and_back():
    def f():
        instance.exports["throw"]()

    instance = instantiate(Module.from_text(THROWER), {"m": {"f": f}})
    with pytest.raises(WasmException, match="uncaught") as caught:
        instance.exports["throw"]()
    assert caught.value.values == (-1, 5)
    assert instance.exports["catch"]() == (-1, 5)


def test_ticks_are_bounded():
    instance = instantiate(Module.from_text('(module (func (export "f") (loop (br 0))))'), max_ticks=1000)
    with pytest.raises(Exhaustion, match="more than 1000 ticks"):
        instance.exports["f"]()


def test_a_lone_thread_that_waits():
    instance = instantiate(Module.from_text("""(module (memory 1 1 shared)
      (func (export "wait") (param i64) (result i32)
        (memory.atomic.wait32 (i32.const 0) (i32.const 0) (local.get 0)))
      (func (export "notify") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 1))))"""))
    assert instance.exports["wait"](1000) == 2
    assert instance.exports["notify"]() == 0
    with pytest.raises(Trap, match="deadlock"):
        instance.exports["wait"](-1)


def test_start_functions_run_and_trap():
    memory = Memory(1)
    instantiate(
        Module.from_text("""(module (import "m" "m" (memory 1))
          (func $s (i32.store8 (i32.const 0) (i32.const 9))) (start $s))"""),
        {"m": {"m": memory}},
    )
    assert memory.read(0, 1) == b"\x09"
    with pytest.raises(Trap, match="unreachable"):
        instantiate(Module.from_text("(module (func $s unreachable) (start $s))"))
    with pytest.raises(Trap, match="out of bounds memory access"):
        instantiate(Module.from_text('(module (memory 1) (data (i32.const 65536) "x"))'))
