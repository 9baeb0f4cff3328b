"""Calls: as deep as the limit says and no deeper (MACH-6), tail calls in the frames there are, calls on top
of others.
"""

from __future__ import annotations

import pytest
from vm.worlds import World, everything, finish

from lindref.state.codec import decode, digest, encode
from lindref.vm.machine import DEFAULT_DEPTH, Machine
from lindref.vm.outcomes import Attention, BarrierReturned, HostCall, Paused, Returned, Thrown, Trapped
from lindref.vm.store import Store
from lindref.vm.traps import STACK_EXHAUSTED
from lindref.vm.values import ExnInst, FuncInst, HostFunc, TagInst
from lindref.wasm.types import FuncType, NumType

I32 = NumType.I32

DEEP = """(module
  (func $sum (export "sum") (param $n i32) (result i32)
    (if (result i32) (local.get $n)
      (then (i32.add (local.get $n) (call $sum (i32.sub (local.get $n) (i32.const 1)))))
      (else (i32.const 0)))))"""


def frames(machine: Machine) -> int:
    """How many frames there are."""
    count, frame = 0, machine.frame
    while frame is not None:
        count, frame = count + 1, frame.parent
    return count


# Depth.


def test_a_hundred_thousand_frames() -> None:
    n = 100_000
    assert World.text(DEEP).call("sum", n) == ("returned", n * (n + 1) // 2 % 2**32)


def test_deep_continuations_are_values_too() -> None:
    """Held at the bottom of 100,000 calls, written to bytes, read, and gone on with."""
    n = 100_000
    world = World.text(DEEP)
    machine = world.begin("sum", n)
    assert isinstance(machine.run(ticks=n), Paused)
    held = machine.freeze()
    copy = decode(encode(held))
    assert digest(copy) == digest(held)
    again = Machine.thaw(world.store, copy)  # type: ignore[arg-type]  # as encoded
    assert frames(again) == n + 1
    assert finish(again) == finish(machine) == ("returned", n * (n + 1) // 2 % 2**32)
    assert machine.ticks == n + 1


def test_freezing_again_costs_what_has_changed() -> None:
    """The frames that have not run since are the same objects."""
    world = World.text(DEEP)
    machine = world.begin("sum", 1000)
    machine.run(ticks=900)
    first = machine.freeze()
    assert machine.freeze().top is first.top
    machine.run(steps=1)
    second = machine.freeze()
    assert second.top is not first.top
    assert second.top is not None
    assert first.top is not None
    assert second.top.parent is first.top.parent


@pytest.mark.parametrize("limit", [1, 2, 10, 1000])
def test_the_limit_is_a_number_of_frames(limit: int) -> None:
    world = World.text(DEEP)
    assert finish(world.begin("sum", limit - 1, max_depth=limit))[0] == "returned"
    machine = world.begin("sum", limit, max_depth=limit)
    outcome = machine.run()
    assert isinstance(outcome, Trapped)
    assert outcome.message == STACK_EXHAUSTED
    assert frames(machine) == limit + 1  # and the host's


def test_the_limit_when_nothing_is_said() -> None:
    world = World.text(DEEP)
    assert world.call("sum", DEFAULT_DEPTH - 1)[0] == "returned"
    assert world.call("sum", DEFAULT_DEPTH)[:2] == ("trapped", STACK_EXHAUSTED)
    assert world.call("sum", 3) == ("returned", 6)  # the store is as good as before


BIG = {
    "locals": "(local " + "i64 " * 640 + ") (call $f)",
    "operands": "(i64.const 0)" * 640 + "(call $f)" + "drop " * 640,
}


@pytest.mark.parametrize("body", BIG.values(), ids=BIG)
def test_a_big_frame_counts_as_several(body: str) -> None:
    """64 locals or operands more are a frame more; a thawed machine counts the same."""
    world = World.text(f'(module (func $f (export "f") {body}))')
    machine = world.begin("f", max_depth=1100)
    machine.run(ticks=50)
    other = Machine.thaw(world.store, machine.freeze(), max_depth=1100)
    for each in (machine, other):
        assert finish(each)[:2] == ("trapped", STACK_EXHAUSTED)
        assert frames(each) == 1100 // 11 + 1


def test_many_operands_in_many_frames() -> None:
    """A thousand frames with fifty operands each, added up on the way back."""
    pushes = "".join(f"(i32.const {k})" for k in range(50))
    world = World.text(f"""(module (func $f (export "f") (param i32) (result i32)
      {pushes}
      (if (result i32) (local.get 0)
        (then (call $f (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 7)))
      {"i32.add " * 50}))""")
    assert world.call("f", 1000) == ("returned", 1001 * sum(range(50)) + 7)


# Tail calls.

TAILS = """(module
  (type $t (func (param i32 i32) (result i32)))
  (table funcref (elem $indirect $direct))
  (elem declare func $by_ref)
  (func $direct (export "direct") (param i32 i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
    (return_call $direct (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 3))))
  (func $indirect (export "indirect") (param i32 i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
    (return_call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 3))
      (i32.const 0)))
  (func $by_ref (export "by_ref") (param i32 i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
    (return_call_ref $t (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 3))
      (ref.func $by_ref)))
  (func $even (export "even") (param i32 i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
    (return_call $odd (i32.const 99) (i32.sub (local.get 0) (i32.const 1)) (local.get 1)))
  (func $odd (param i32 i32 i32) (result i32)
    (return_call_indirect $more (type $t) (local.get 1) (i32.add (local.get 2) (i32.const 3)) (i32.const 0)))
  (elem declare func $even)
  (table $more funcref (elem $even)))"""


def test_a_million_tail_calls() -> None:
    assert finish(World.text(TAILS).begin("direct", 1_000_000, 0, max_depth=1)) == ("returned", 3_000_000)


@pytest.mark.parametrize("name", ["direct", "indirect", "by_ref"])
def test_tail_calls_leave_the_frames_as_they_are(name: str) -> None:
    world = World.text(TAILS)
    machine = world.begin(name, 20_000, 5, max_depth=1)
    for _ in range(20):
        assert isinstance(machine.run(ticks=500), Paused)
        assert frames(machine) == 2
    assert finish(machine) == ("returned", 60_005)
    assert machine.ticks == 20_001


def test_tail_calls_between_functions_of_different_types() -> None:
    assert finish(World.text(TAILS).begin("even", 10_000, 0, max_depth=1)) == ("returned", 30_000)


def test_a_tail_call_of_a_host_function() -> None:
    world = World.text(
        """(module (import "h" "f" (func $f (param i32) (result i32)))
          (func (export "g") (result i32) (return_call $f (i32.const 5))))""",
        {("h", "f"): HostFunc("h", "f", FuncType((I32,), (I32,)))},
    )
    machine = world.begin("g")
    assert machine.run() == HostCall(HostFunc("h", "f", FuncType((I32,), (I32,))), (5,))
    assert frames(machine) == 1
    machine.resume((8,))
    assert machine.run() == Returned((8,))


# Calls of references and of tables.

REFERENCES = """(module
  (type $i (func (result i32)))
  (type $j (func (result i64)))
  (table $t (export "t") 4 funcref)
  (elem (table $t) (i32.const 0) func $one $long)
  (func $one (result i32) (i32.const 1))
  (func $long (result i64) (i64.const 2))
  (func (export "by_ref") (result i32) (call_ref $i (ref.func $one)))
  (func (export "by_null") (result i32) (call_ref $i (ref.null $i)))
  (func (export "at") (param i32) (result i32) (call_indirect $t (type $i) (local.get 0))))"""


@pytest.mark.parametrize(
    ("name", "args", "wanted"),
    [
        ("by_ref", (), ("returned", 1)),
        ("by_null", (), ("trapped", "null function reference")),
        ("at", (0,), ("returned", 1)),
        ("at", (1,), ("trapped", "indirect call type mismatch")),
        ("at", (2,), ("trapped", "uninitialized element 2")),
        ("at", (4,), ("trapped", "undefined element")),
        ("at", (2**32 - 1,), ("trapped", "undefined element")),
    ],
)
def test_calls_of_references(name: str, args: tuple[int, ...], wanted: tuple[object, ...]) -> None:
    assert World.text(REFERENCES).call(name, *args)[: len(wanted)] == wanted


# The host.

HOST = """(module
  (import "h" "f" (func $f (param i32) (result i32 i32)))
  (tag $t (export "t") (param i32))
  (global $n (export "n") (mut i32) (i32.const 0))
  (func $handler (export "handler") (param i32) (global.set $n (i32.add (global.get $n) (local.get 0))))
  (func (export "thrower") (throw $t (i32.const 3)))
  (func (export "g") (result i32)
    (i32.add (i32.const 1000) (block (result i32) (call $f (i32.const 7)) (i32.mul))))
  (func (export "guarded") (result i32)
    (block $b (result i32) (try_table (catch $t $b) (call $f (i32.const 7)) drop drop) (i32.const -1)))
  (func (export "spin") (param i32) (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"""
F = HostFunc("h", "f", FuncType((I32,), (I32, I32)))


@pytest.fixture
def host() -> World:
    return World.text(HOST, {("h", "f"): F})


def test_a_waiting_call_is_answered_twice(host: World) -> None:
    machine = host.begin("g")
    assert machine.run() == HostCall(F, (7,))
    assert machine.awaiting == 2
    child = host.store.fork()
    other = Machine.thaw(child, machine.freeze())
    other.resume((3, 4))
    machine.resume((5, 6))
    assert finish(other) == ("returned", 1012)
    assert finish(machine) == ("returned", 1030)


def test_a_handler_runs_while_a_call_waits(host: World) -> None:
    machine = host.begin("g")
    machine.run()
    before = everything(host.store.fork(), machine)
    handler = host.instance.export("handler")
    assert isinstance(handler, FuncInst)
    machine.push_call(handler, [5], "outer")
    machine.push_call(handler, [6], "inner")
    assert machine.awaiting is None
    assert machine.run() == BarrierReturned("inner", ())
    assert machine.run() == BarrierReturned("outer", ())
    assert machine.awaiting == 2
    assert host.store.globals[0].value == 11
    host.store.globals[0].value = 0
    assert everything(host.store, machine) == before
    machine.resume((2, 3))
    assert finish(machine) == ("returned", 1006)


def test_an_exception_from_a_handler_can_go_on_beneath(host: World) -> None:
    machine = host.begin("guarded")
    machine.run()
    thrower = host.instance.export("thrower")
    assert isinstance(thrower, FuncInst)
    machine.push_call(thrower, (), "signal")
    outcome = machine.run()
    assert outcome == Thrown(ExnInst(TagInst(0), (3,)), "signal")
    assert machine.awaiting == 2
    assert isinstance(outcome, Thrown)
    assert machine.throw(outcome.exn) is None
    assert finish(machine) == ("returned", 3)


def test_an_exception_from_the_host_that_nobody_catches(host: World) -> None:
    machine = host.begin("g")
    machine.run()
    exn = ExnInst(TagInst(0), (9,))
    assert machine.throw(exn) == Thrown(exn)
    assert machine.frame is None


# Ticks, steps, attention.


@pytest.mark.parametrize("n", [1, 2, 10, 1000])
def test_a_tick_is_a_call_or_a_backward_branch(host: World, n: int) -> None:
    machine = host.begin("spin", n)
    finish(machine)
    assert machine.ticks == n  # the call, and n - 1 turns more


def test_ticks_of_a_portion_are_counted_out(host: World) -> None:
    machine = host.begin("spin", 100)
    stops = 0
    while isinstance(machine.run(ticks=7), Paused):
        stops += 1
        assert machine.ticks == 7 * stops
    assert machine.ticks == 100


def test_attention_stops_at_delivery_points_only(host: World) -> None:
    machine = host.begin("spin", 3)
    machine.attention = True
    places = []
    while isinstance(machine.run(), Attention):
        places.append(machine.backtrace(1)[0].instr)
    # The function's entry, the loop from above, its head twice more, before the end.
    assert places == [0, 1, 1, 1, 7]
    assert machine.frame is None


def test_an_other_store_goes_its_own_way() -> None:
    world = World.text("""(module (memory 1) (global $g (mut i32) (i32.const 0)) (table 3 funcref) (elem $e func $f)
      (data $d "abc")
      (func $f (export "f") (result i32)
        (global.set $g (i32.add (global.get $g) (i32.const 1)))
        (i32.store8 (i32.const 0) (i32.add (i32.load8_u (i32.const 0)) (i32.const 1)))
        (elem.drop $e) (data.drop $d) (table.set (i32.const 1) (ref.func $f))
        (i32.add (global.get $g) (i32.load8_u (i32.const 0))))
      (func (export "init") (table.init $e (i32.const 0) (i32.const 0) (i32.const 1))
        (memory.init $d (i32.const 8) (i32.const 0) (i32.const 3))))""")
    child = World(world.store.fork(), world.instance)
    thread = World(world.store.spawn_thread(), world.instance)
    frozen = world.store.freeze()
    assert world.call("f") == ("returned", 2)
    assert thread.call("f") == ("returned", 3)  # the memory is the same, the global its own
    assert child.call("init") == ("returned",)
    assert child.call("f") == ("returned", 2)
    assert world.call("init")[0] == "trapped"
    assert child.call("init")[0] == "trapped"
    back = World(Store.thaw(frozen, world.programs), world.instance)
    assert back.call("init") == ("returned",)
    assert digest(world.store.freeze()) != digest(frozen)
    assert digest(Store.thaw(frozen, world.programs).freeze()) == digest(frozen)
