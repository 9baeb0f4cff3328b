"""Both tiers mean the same (MACH-4), and count the same ticks (MACH-3): random programs run compiled,
in the reference machine, and by turns.

Runs are compared by outcome (traps with their place), by everything that is in the store, by the frames where they were
held, and by ticks. Depths are such that compiled code is entered (``CompilingMachine`` keeps away from the limit).
"""

from __future__ import annotations

import random

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vm.tier_programs import program
from vm.worlds import Result, World, callable_exports, everything, goes_on, result
from wasm.strategies import RUNNABLE, module_from, modules

from lindref.state.codec import digest
from lindref.vm import engines
from lindref.vm.continuation import Continuation
from lindref.vm.engines import ENGINES
from lindref.vm.machine import Machine
from lindref.vm.outcomes import Attention, Outcome, Paused
from lindref.vm.store import Store
from lindref.vm.values import FuncInst, Value
from lindref.wasm.features import BUILT
from lindref.wasm.module import Module
from lindref.wasm.text.parser import parse_module

SHAPE = attrs.evolve(RUNNABLE, features=BUILT)
SEEDS = st.integers(0, 2**48 - 1)
#: Modules over everything that is built, and programs with much control flow.
MODULES = st.one_of(
    SEEDS.map(lambda seed: module_from(seed, SHAPE)),
    modules(SHAPE),
    SEEDS.map(lambda seed: parse_module(program(random.Random(seed)))),
)
CASES = st.tuples(MODULES, st.randoms(use_true_random=False))

Case = tuple[Module, random.Random]


@attrs.frozen
class Seen:
    """What can be seen of a machine that has stopped."""

    outcome: Result | str = attrs.field(eq=digest)  # floats by bits
    state: bytes
    ticks: int


def seen(store: Store, m: Machine, outcome: Outcome, ticks: int) -> Seen:
    """What can be seen now; ``ticks`` were used by machines before."""
    ended = not isinstance(outcome, Paused | Attention)
    return Seen(result(outcome) if ended else type(outcome).__name__, everything(store, m), m.ticks + ticks)


def begun(module: Module, name: str, args: list[Value], engine: str) -> tuple[World, Machine]:
    """A world of its own in which a call is about to be made."""
    world = World.of(module)
    func = world.instance.export(name)
    assert isinstance(func, FuncInst)
    made = engines.machine(engine, world.store)
    made.call(func, args)
    return world, made


def calls(case: Case, most: int = 3) -> list[tuple[str, list[Value]]]:
    """Some calls of a module's exports."""
    module, choices = case
    return [(name, list(args)) for name, args in callable_exports(World.of(module), choices.randrange)[:most]]


def go(m: Machine, ticks: int | None = None) -> Outcome:
    """On to a stop that is no question."""
    while goes_on(m, outcome := m.run(ticks)):
        pass
    return outcome


@given(CASES)
def test_compiled_is_reference(case: Case) -> None:
    for name, args in calls(case):
        found = []
        for engine in ENGINES:
            world, m = begun(case[0], name, args, engine)
            found.append(seen(world.store, m, go(m), 0))
        assert found[1:] == found[:-1]


@given(CASES)
def test_pauses_come_at_the_same_places(case: Case) -> None:
    """Pauses at random ticks: the whole state is the same at each, and attention stops at the same places after it."""
    module, choices = case
    for name, args in calls(case, 2):
        ones = [begun(module, name, args, engine) for engine in ("reference", "compiled")]
        while True:
            ticks = choices.choice((1, 2, 3, 7, 40, 300))
            attention = not choices.randrange(4)
            found = []
            for world, m in ones:
                m.attention = attention
                found.append(seen(world.store, m, go(m, ticks), 0))
            assert found[0] == found[1]
            if not isinstance(found[0].outcome, str):
                break


@given(CASES)
def test_a_run_goes_on_in_another_tier(case: Case) -> None:
    """Held at random ticks as a value and taken up again by either tier, in a copy of the store."""
    module, choices = case
    for name, args in calls(case, 2):
        world, plain = begun(module, name, args, "reference")
        expected = seen(world.store, plain, go(plain), 0)
        world, m = begun(module, name, args, choices.choice(ENGINES))
        store, used = world.store, 0
        while True:
            outcome = go(m, choices.choice((1, 2, 5, 30, 200)))
            if not isinstance(outcome, Paused):
                break
            store, m, used = passed_on(store, m.freeze(), choices.choice(ENGINES), used + m.ticks)
        assert seen(store, m, outcome, used) == expected


def passed_on(store: Store, held: Continuation, engine: str, used: int) -> tuple[Store, Machine, int]:
    """A copy of the store, and a machine of an engine that goes on there."""
    child = store.fork()
    return child, engines.thaw(engine, child, held), used


def test_compiled_code_was_entered() -> None:
    """The laws above would hold for a machine that never compiles."""
    world = World.text('(module (func (export "f") (result i32) (i32.const 7)))')
    func = world.instance.export("f")
    assert isinstance(func, FuncInst)
    m = engines.machine("compiled", world.store)
    m.call(func, [])
    go(m)
    assert world.instance.program.body(0).compiled[0].code is not None


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_endless_recursion_ends_at_the_same_depth(engine: str) -> None:
    world = World.text(
        '(module (func $f (export "f") (param i32) (result i32)'
        " (i32.add (call $f (i32.add (local.get 0) (i32.const 1))) (i32.const 1))))"
    )
    func = world.instance.export("f")
    assert isinstance(func, FuncInst)
    m = engines.machine(engine, world.store, max_depth=9000)
    m.call(func, [0])
    assert result(go(m))[:2] == ("trapped", "call stack exhausted")
    assert m.ticks == 9000
    assert len(m.backtrace()) == 9001
