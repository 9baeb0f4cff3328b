"""Exceptions in both encodings, each program written in both where both can say it."""

from __future__ import annotations

import pytest
from vm.worlds import World, everything, finish

from lindref.state.codec import decode, encode
from lindref.vm import engines
from lindref.vm.link import instantiate
from lindref.vm.machine import Machine
from lindref.vm.outcomes import Stepped
from lindref.vm.values import ExnInst, FuncInst, TagInst
from lindref.wasm.features import BUILT
from lindref.wasm.text.parser import parse_module

HEAD = """(module
  (tag $a (export "a") (param i32))
  (tag $b (param i32 i64))
  (tag $none)
  (global $trail (export "trail") (mut i32) (i32.const 0))
  (func $note (param i32)
    (global.set $trail (i32.add (i32.mul (global.get $trail) (i32.const 10)) (local.get 0))))
  (func $throw_a (param i32) (throw $a (local.get 0)))
  (func $throw_b (throw $b (i32.const 5) (i64.const 6)))
  (func $deep (param i32) (param $n i32)
    (if (local.get $n) (then (call $deep (local.get 0) (i32.sub (local.get $n) (i32.const 1))))
      (else (call $throw_a (local.get 0)))))
"""

#: name → (in the new encoding, in the old one, what calling it comes to, the trail).
BOTH: dict[str, tuple[str, str, tuple[object, ...], int]] = {
    "what is thrown is caught with its values": (
        "(block $h (result i32 i64) (try_table (catch $b $h) (call $throw_b)) (unreachable)) (drop)",
        "(try (result i32) (do (call $throw_b) (unreachable)) (catch $b (drop)))",
        ("returned", 5),
        0,
    ),
    "another tag is not caught": (
        "(block $h (result i32) (try_table (catch $a $h) (call $throw_b)) (i32.const 1))",
        "(try (result i32) (do (call $throw_b) (i32.const 1)) (catch $a))",
        ("thrown", ExnInst(TagInst(1), (5, 6))),
        0,
    ),
    "nothing is thrown": (
        "(block $h (result i32) (try_table (result i32) (catch $a $h) (i32.const 4)))",
        "(try (result i32) (do (i32.const 4)) (catch $a) (catch_all (i32.const 0)))",
        ("returned", 4),
        0,
    ),
    "through a thousand frames": (
        """(block $h (result i32) (try_table (catch $a $h) (call $deep (i32.const 8) (i32.const 1000)))
          (unreachable))""",
        "(try (result i32) (do (call $deep (i32.const 8) (i32.const 1000)) (unreachable)) (catch $a))",
        ("returned", 8),
        0,
    ),
    "the first clause that fits": (
        """(block $all (block $h (result i32)
            (try_table (catch $a $h) (catch_all $all) (call $throw_a (i32.const 3))) (unreachable))
          (return)) (i32.const 9)""",
        "(try (result i32) (do (call $throw_a (i32.const 3)) (unreachable)) (catch $a) (catch_all (i32.const 9)))",
        ("returned", 3),
        0,
    ),
    "catch_all catches what is left": (
        """(block $all (block $h (result i32)
            (try_table (catch $a $h) (catch_all $all) (throw $none)) (unreachable))
          (return)) (i32.const 9)""",
        "(try (result i32) (do (throw $none)) (catch $a) (catch_all (i32.const 9)))",
        ("returned", 9),
        0,
    ),
    "the inner one first, then the outer": (
        """(block $outer (result i32)
            (try_table (catch $a $outer)
              (block $inner (result i32) (try_table (catch $a $inner) (call $throw_a (i32.const 1))) (unreachable))
              (call $note)
              (call $throw_a (i32.const 2)))
            (unreachable))""",
        """(try (result i32) (do
            (try (do (call $throw_a (i32.const 1))) (catch $a (call $note)))
            (call $throw_a (i32.const 2)) (unreachable))
          (catch $a))""",
        ("returned", 2),
        1,
    ),
    "a handler is not protected by its own try": (
        """(block $outer (result i32) (try_table (catch $a $outer)
            (block $inner (result i32) (try_table (catch $a $inner) (call $throw_a (i32.const 1))) (unreachable))
            (call $throw_a (i32.add (i32.const 10))))
          (unreachable))""",
        """(try (result i32) (do (try (do (call $throw_a (i32.const 1)))
            (catch $a (call $throw_a (i32.add (i32.const 10)))))
          (unreachable)) (catch $a))""",
        ("returned", 11),
        0,
    ),
    "thrown again": (
        """(block $outer (result i32) (try_table (catch $a $outer)
            (block $inner (result i32 exnref)
              (try_table (catch_ref $a $inner) (call $throw_a (i32.const 7))) (unreachable))
            (call $note (i32.const 4)) (throw_ref))
          (unreachable))""",
        """(try (result i32) (do (try (do (call $throw_a (i32.const 7)))
            (catch $a (drop) (call $note (i32.const 4)) (rethrow 0)))
          (unreachable)) (catch $a))""",
        ("returned", 7),
        4,
    ),
    "operands below are kept, those in the body are gone": (
        """(i32.add (i32.const 100) (block $h (result i32)
            (try_table (catch $a $h) (i32.const 1) (i32.const 2) (call $throw_a (i32.const 3)) (drop) (drop))
            (unreachable)))""",
        """(i32.add (i32.const 100) (try (result i32)
            (do (i32.const 1) (i32.const 2) (call $throw_a (i32.const 3)) (unreachable)) (catch $a)))""",
        ("returned", 103),
        0,
    ),
    "a trap is no exception": (
        "(block $h (try_table (catch_all $h) (unreachable))) (i32.const 1)",
        "(try (result i32) (do (unreachable)) (catch_all (i32.const 1)))",
        ("trapped", "unreachable"),
        0,
    ),
}

CASES = [
    pytest.param(body, wanted, trail, id=f"{name}, {encoding}")
    for name, (new, old, wanted, trail) in BOTH.items()
    for encoding, body in (("new", new), ("old", old))
]


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize(("body", "wanted", "trail"), CASES)
def test_both_encodings(body: str, wanted: tuple[object, ...], trail: int, engine: str) -> None:
    world = World.text(f'{HEAD} (func (export "f") (result i32) {body}))')
    func = world.instance.export("f")
    assert isinstance(func, FuncInst)
    machine = engines.machine(engine, world.store)
    machine.call(func, [])
    assert finish(machine)[: len(wanted)] == wanted
    assert world.store.globals[0].value == trail


@pytest.mark.parametrize(("body", "wanted", "trail"), CASES)
def test_held_at_every_instruction(body: str, wanted: tuple[object, ...], trail: int) -> None:
    """A copy from bytes goes on to the same end from wherever it was made, handlers of frames beneath included."""
    world = World.text(f'{HEAD} (func (export "f") (result i32) {body}))'.replace("(i32.const 1000)", "(i32.const 5)"))
    machine = world.begin("f")
    ends = set()
    while True:
        store = world.store.fork()
        copy = Machine.thaw(store, decode(encode(machine.freeze())))  # type: ignore[arg-type]  # as encoded
        assert finish(copy)[: len(wanted)] == wanted
        assert store.globals[0].value == trail
        ends.add(everything(store, copy))
        if not isinstance(machine.run(steps=1), Stepped):
            break
    assert len(ends) == 1


def test_delegate_goes_to_the_handler_it_names() -> None:
    world = World.text(HEAD + """(func (export "f") (result i32)
      (try $l (result i32)
        (do (try (result i32)
          (do (try (result i32) (do (call $throw_a (i32.const 6)) (unreachable)) (delegate $l)))
          (catch $a (drop) (i32.const -1))))
        (catch $a))))""")
    assert world.call("f") == ("returned", 6)


def test_delegate_to_the_caller() -> None:
    world = World.text(HEAD + """
      (func $inner
        (try (do (try (do (call $throw_a (i32.const 6))) (delegate 1))) (catch_all (call $note (i32.const 1)))))
      (func (export "f") (result i32) (try (result i32) (do (call $inner) (i32.const 0)) (catch $a))))""")
    assert world.call("f") == ("returned", 6)
    assert world.store.globals[0].value == 0


def test_rethrow_finds_the_exception_of_an_outer_handler() -> None:
    world = World.text(HEAD + """(func (export "f") (result i32)
      (try (result i32) (do
        (try (do (call $throw_a (i32.const 1)))
          (catch $a (call $note)
            (try (do (call $throw_a (i32.const 2))) (catch $a (call $note) (rethrow 1)))))
        (unreachable))
      (catch $a (i32.add (i32.const 30))))))""")
    assert world.call("f") == ("returned", 31)
    assert world.store.globals[0].value == 12


def test_throwing_a_null_reference_is_a_trap() -> None:
    world = World.text('(module (func (export "f") (throw_ref (ref.null exn))))')
    assert world.call("f")[:2] == ("trapped", "null exception reference")


def test_a_backward_catch_is_a_tick() -> None:
    """A handler that is a loop's head: every throw that gets there is a backward branch."""
    world = World.text("""(module (tag $t) (func (export "f") (param i32)
      (loop $again
        (if (local.get 0) (then
          (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
          (try_table (catch $t $again) (throw $t)))))))""")
    machine = world.begin("f", 10)
    assert finish(machine) == ("returned",)
    assert machine.ticks == 11


@pytest.mark.parametrize(("tag", "wanted"), [("t", 4), ("u", -1)])
def test_a_tag_is_the_one_that_was_imported(tag: str, wanted: int) -> None:
    """Tags of one type are not the same tag."""
    world = World.text("""(module (tag $t (export "t") (param i32)) (tag (export "u") (param i32))
      (func (export "f") (throw $t (i32.const 4))))""")
    exports = world.instance.exports()
    module = parse_module("""(module (import "m" "t" (tag $t (param i32))) (import "m" "f" (func $f))
      (tag $own (param i32))
      (func (export "g") (result i32)
        (block $all (block $h (result i32)
            (try_table (catch $own $h) (catch $t $h) (catch_all $all) (call $f)) (unreachable))
          (return))
        (i32.const -1)))""", BUILT)
    user = instantiate(world.store, module, {("m", "t"): exports[tag], ("m", "f"): exports["f"]})
    assert World(world.store, user).call("g") == ("returned", wanted % 2**32)


def test_a_tag_of_a_type_in_a_recursive_group_carries_its_own_values() -> None:
    world = World.text(
        "(module (rec (type $none (func)) (type $two (func (param i32 i32)))) (tag $t (type $two))"
        ' (func (export "f") (result i32)'
        "  (block $caught (result i32 i32)"
        "   (try_table (catch $t $caught) (throw $t (i32.const 7) (i32.const 9))) (unreachable))"
        "  (i32.sub)))"
    )
    assert world.call("f") == ("returned", 0xFFFFFFFE)
