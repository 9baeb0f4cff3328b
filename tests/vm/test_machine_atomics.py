"""Atomic accesses: values, alignment, waiting and waking as outcomes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vm.worlds import World, everything, finish

from lindref.vm.machine import Machine
from lindref.vm.outcomes import AtomicNotify, AtomicWait, Returned

#: What read-modify-write instructions store.
CHANGES = {
    "add": lambda old, v: old + v,
    "sub": lambda old, v: old - v,
    "and": lambda old, v: old & v,
    "or": lambda old, v: old | v,
    "xor": lambda old, v: old ^ v,
    "xchg": lambda _old, v: v,
}
#: Type and width of the access in bytes → the suffixes of the instruction.
WIDTHS = [("i32", 4, "", ""), ("i32", 2, "16", "_u"), ("i32", 1, "8", "_u")]
WIDTHS += [("i64", 8, "", ""), ("i64", 4, "32", "_u"), ("i64", 2, "16", "_u"), ("i64", 1, "8", "_u")]


def every_access() -> World:
    """All accesses as functions called like the instruction."""
    functions = []
    for kind, _, bits, suffix in WIDTHS:
        load, store = f"{kind}.atomic.load{bits}{suffix}", f"{kind}.atomic.store{bits}"
        functions.append(f'(func (export "{load}") (param i32) (result {kind}) ({load} (local.get 0)))')
        functions.append(f'(func (export "{store}") (param i32 {kind}) ({store} (local.get 0) (local.get 1)))')
        for change in CHANGES:
            name = f"{kind}.atomic.rmw{bits}.{change}{suffix}"
            functions.append(
                f'(func (export "{name}") (param i32 {kind}) (result {kind}) ({name} (local.get 0) (local.get 1)))'
            )
        name = f"{kind}.atomic.rmw{bits}.cmpxchg{suffix}"
        functions.append(
            f'(func (export "{name}") (param i32 {kind} {kind}) (result {kind})'
            f" ({name} (local.get 0) (local.get 1) (local.get 2)))"
        )
    return World.text("(module (memory 1 2 shared) " + " ".join(functions) + ")")


WORLD = every_access()


@given(st.sampled_from(WIDTHS), st.data())
def test_read_modify_write_is_read_then_write(shape: tuple[str, int, str, str], data: st.DataObject) -> None:
    kind, width, bits, suffix = shape
    memory = WORLD.store.memories[0]
    at = width * data.draw(st.integers(0, 65536 // width - 1))
    old = data.draw(st.integers(0, 256**width - 1))
    v = data.draw(st.one_of(st.integers(0, 2 ** int(kind[1:]) - 1), st.just(old)))
    memory.store_slow(at, width, old)
    assert WORLD.call(f"{kind}.atomic.load{bits}{suffix}", at) == ("returned", old)
    for change, meaning in CHANGES.items():
        memory.store_slow(at, width, old)
        assert WORLD.call(f"{kind}.atomic.rmw{bits}.{change}{suffix}", at, v) == ("returned", old)
        assert memory.load_slow(at, width) == meaning(old, v) % 256**width
    memory.store_slow(at, width, old)
    new = data.draw(st.integers(0, 2 ** int(kind[1:]) - 1))
    assert WORLD.call(f"{kind}.atomic.rmw{bits}.cmpxchg{suffix}", at, v, new) == ("returned", old)
    # A narrow one compares with the whole operand.
    assert memory.load_slow(at, width) == (new % 256**width if v == old else old)
    assert WORLD.call(f"{kind}.atomic.store{bits}", at, v) == ("returned",)
    assert memory.load_slow(at, width) == v % 256**width


@pytest.mark.parametrize(("kind", "width", "bits", "suffix"), WIDTHS)
def test_addresses_must_be_aligned_and_within(kind: str, width: int, bits: str, suffix: str) -> None:
    names = [f"{kind}.atomic.load{bits}{suffix}", f"{kind}.atomic.store{bits}"]
    names += [f"{kind}.atomic.rmw{bits}.{change}{suffix}" for change in (*CHANGES, "cmpxchg")]
    for name in names:
        args = [0] * (len(WORLD.store.func_type(WORLD.instance.export(name)).params) - 1)  # type: ignore[arg-type]
        for misaligned in range(1, width):
            assert WORLD.call(name, misaligned, *args)[:2] == ("trapped", "unaligned atomic")
        assert WORLD.call(name, 65536, *args)[:2] == ("trapped", "out of bounds memory access")
        assert WORLD.call(name, 65536 - width, *args)[0] == "returned"


WAITING = """(module (memory (export "m") 1 2 %s)
  (func (export "wait32") (param i32 i32 i64) (result i32)
    (memory.atomic.wait32 (local.get 0) (local.get 1) (local.get 2)))
  (func (export "wait64") (param i32 i64 i64) (result i32)
    (memory.atomic.wait64 (local.get 0) (local.get 1) (local.get 2)))
  (func (export "notify") (param i32 i32) (result i32)
    (memory.atomic.notify offset=4 (local.get 0) (local.get 1))))"""


@pytest.mark.parametrize(("name", "width"), [("wait32", 4), ("wait64", 8)])
def test_waiting_is_an_outcome(name: str, width: int) -> None:
    world = World.text(WAITING % "shared")
    memory = world.store.memories[0]
    memory.store_slow(16, width, 7)
    assert world.call(name, 16, 8, 0) == ("returned", 1)
    machine = world.begin(name, 16, 7, 1000)
    assert machine.run() == AtomicWait(memory, 16, width, 7, 1000)
    held = machine.freeze()
    for answer in (0, 2):
        copy = Machine.thaw(world.store, held)
        copy.resume((answer,))
        assert copy.run() == Returned((answer,))
    assert world.begin(name, 16, 7, 2**64 - 1).run() == AtomicWait(memory, 16, width, 7, None)
    assert world.begin(name, 16, 7, 2**63 - 1).run() == AtomicWait(memory, 16, width, 7, 2**63 - 1)


def test_waking_is_an_outcome() -> None:
    world = World.text(WAITING % "shared")
    machine = world.begin("notify", 8, 2**32 - 1)
    assert machine.run() == AtomicNotify(world.store.memories[0], 12, 2**32 - 1)
    machine.resume((3,))
    assert machine.run() == Returned((3,))


def test_waits_of_copies_are_on_their_own_memories() -> None:
    world = World.text(WAITING % "shared")
    child = World(world.store.fork(), world.instance)
    thread = World(world.store.spawn_thread(), world.instance)
    waits = [each.begin("wait32", 0, 0, 5).run() for each in (world, child, thread)]
    memories = [wait.memory for wait in waits if isinstance(wait, AtomicWait)]
    assert memories[0] is memories[2]
    assert memories[0] is not memories[1]


@pytest.mark.parametrize("shared", ["shared", ""])
def test_what_traps(shared: str) -> None:
    world = World.text(WAITING % shared)
    before = everything(world.store, world.begin("notify", 0, 0))
    unaligned = ("trapped", "unaligned atomic")
    outside = ("trapped", "out of bounds memory access")
    assert world.call("wait32", 2, 0, 0)[:2] == unaligned
    assert world.call("wait64", 4, 0, 0)[:2] == unaligned
    assert world.call("notify", 1, 0)[:2] == unaligned
    assert world.call("wait32", 65536, 0, 0)[:2] == outside
    assert world.call("notify", 65532, 0)[:2] == outside
    assert everything(world.store, world.begin("notify", 0, 0)) == before


def test_nobody_waits_on_a_memory_that_is_not_shared() -> None:
    world = World.text(WAITING % "")
    assert world.call("notify", 0, 5) == ("returned", 0)
    assert world.call("wait32", 0, 0, 0)[:2] == ("trapped", "expected shared memory")
    assert finish(world.begin("wait64", 0, 1, 0))[:2] == ("trapped", "expected shared memory")
