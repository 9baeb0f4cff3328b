"""A continuation is a value (MACH-2): held at any instruction of random programs, copied, saved, cut into
pieces, run again.

Every law compares a disturbed run with the plain one by its outcome, its final state and its ticks.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import attrs
from hypothesis import given
from hypothesis import strategies as st
from vm.worlds import Result, World, advance, callable_exports, everything, finish, goes_on, length, result
from wasm.strategies import RUNNABLE, module_from, modules

from lindref.state.codec import decode, digest, encode
from lindref.vm.continuation import Continuation
from lindref.vm.machine import Machine
from lindref.vm.outcomes import Attention, BarrierReturned, Outcome, Paused, Stepped
from lindref.vm.store import Store, StoreState
from lindref.vm.values import FuncInst, Value
from lindref.wasm.binary.encoder import encode as encode_module
from lindref.wasm.features import BUILT
from lindref.wasm.module import Module

SHAPE = attrs.evolve(RUNNABLE, features=BUILT)

#: Seeds stand for bigger modules than what Hypothesis finds by itself, which shrinks well.
MODULES = st.one_of(st.integers(0, 2**48 - 1).map(lambda seed: module_from(seed, SHAPE)), modules(SHAPE))
CASES = st.tuples(MODULES, st.randoms(use_true_random=False))


#: At how many instructions at the end of a run everything is looked at.
LOOKS = 300


@attrs.frozen
class End:
    """What a run came to."""

    outcome: Result = attrs.field(eq=digest)  # floats by bits
    state: bytes
    ticks: int


Case = tuple[Module, random.Random]


def calls(case: Case, most: int = 3) -> Iterator[tuple[World, str, list[Value]]]:
    """Worlds of a module, in each of which one function is about to be called."""
    module, choices = case
    for name, args in callable_exports(World.of(module), choices.randrange)[:most]:
        yield World.of(module), name, list(args)


def plain(world: World, name: str, args: list[Value]) -> End:
    """The run that nobody disturbs, in a world of its own."""
    other = World.of(world.instance.program.module)
    return to_end(other.store, other.begin(name, *args))


def to_end(store: Store, machine: Machine) -> End:
    """Runs on to the end."""
    outcome = finish(machine)
    return End(outcome, everything(store, machine), machine.ticks)


def in_pieces(machine: Machine, piece: Callable[[], Outcome], between: Callable[[], None] = lambda: None) -> Result:
    """Runs to the end by pieces; ``between`` happens after each."""
    while True:
        outcome = piece()
        if not isinstance(outcome, Paused | Stepped | Attention) and not goes_on(machine, outcome):
            return result(outcome)
        between()


@given(CASES)
def test_two_runs_are_one(case: Case) -> None:
    for world, name, args in calls(case):
        assert to_end(world.store, world.begin(name, *args)) == plain(world, name, args)


@given(CASES)
def test_one_instruction_at_a_time_is_the_same_run(case: Case) -> None:
    for world, name, args in calls(case):
        machine = world.begin(name, *args)
        outcome = in_pieces(machine, lambda m=machine: m.run(steps=1))
        assert End(outcome, everything(world.store, machine), machine.ticks) == plain(world, name, args)


@given(CASES, st.integers(1, 40))
def test_pauses_change_nothing(case: Case, ticks: int) -> None:
    for world, name, args in calls(case):
        machine = world.begin(name, *args)
        outcome = in_pieces(machine, lambda m=machine: m.run(ticks))
        assert End(outcome, everything(world.store, machine), machine.ticks) == plain(world, name, args)


@given(CASES)
def test_stopping_at_every_delivery_point_changes_nothing(case: Case) -> None:
    for world, name, args in calls(case):
        machine = world.begin(name, *args)

        def attentive(m: Machine = machine) -> Outcome:
            m.attention = not m.attention
            return m.run(steps=3)

        outcome = in_pieces(machine, attentive)
        assert End(outcome, everything(world.store, machine), machine.ticks) == plain(world, name, args)


@given(CASES)
def test_looking_at_every_instruction_changes_nothing(case: Case) -> None:
    for world, name, args in calls(case, most=2):
        machine = world.begin(name, *args)
        advance(machine, length(world, name, args) - LOOKS)

        def look(world: World = world, machine: Machine = machine) -> None:
            assert everything(world.store, machine) == everything(world.store, machine)
            assert len(machine.backtrace()) >= 1

        outcome = in_pieces(machine, lambda m=machine: m.run(steps=1), look)
        assert End(outcome, everything(world.store, machine), machine.ticks) == plain(world, name, args)


@given(CASES, st.floats(0, 1))
def test_a_continuation_is_used_as_often_as_one_likes(case: Case, part: float) -> None:
    """Fork, thaw and thaw from bytes, all at the same place; the parent goes on first, last, or in between."""
    _, choices = case
    for world, name, args in calls(case, most=2):
        machine = world.begin(name, *args)
        advance(machine, int(part * length(world, name, args)))
        before = machine.ticks
        held, frozen = machine.freeze(), world.store.freeze()
        data = encode((held, frozen))
        child = world.store.fork()
        copies = [
            (world.store, machine, 0),
            (child, Machine.thaw(child, held), before),
            (*thawed(world, held, frozen), before),
            (*thawed(world, *read(data)), before),
        ]
        choices.shuffle(copies)
        ends = []
        for store, copy, ticks in copies:
            found = to_end(store, copy)
            ends.append(attrs.evolve(found, ticks=found.ticks + ticks))
        assert ends == [plain(world, name, args)] * 4
        assert encode((held, frozen)) == data  # what was held has not changed
        again = to_end(*thawed(world, held, frozen))
        assert attrs.evolve(again, ticks=again.ticks + before) == ends[0]


@given(CASES, st.floats(0, 1), st.integers(0, 60))
def test_a_call_on_top_leaves_what_was_beneath(case: Case, part: float, inside: int) -> None:
    """A handler runs to its end at any instruction, itself held and copied on the way; then all goes on as before."""
    module, _ = case
    program = World.of(module).instance.program
    empty = next((i for i, t in enumerate(module.funcs) if not module.func_type(t).params), None)
    if empty is None:
        return
    for world, name, args in calls(case, most=2):
        machine = world.begin(name, *args)
        advance(machine, int(part * length(world, name, args)))
        beneath = machine.freeze()
        store = world.store.fork()  # what the handler does to the store is another matter
        above = Machine.thaw(store, beneath)
        above.push_call(FuncInst(0, program.n_imported + empty), (), ("barrier", 7))
        if advance(above, inside):
            above = Machine.thaw(store, above.freeze())
            while goes_on(above, outcome := above.run()):
                pass
            if isinstance(outcome, BarrierReturned):
                assert outcome.barrier == ("barrier", 7)
                assert encode(above.freeze()) == encode(beneath)
        assert to_end(world.store, machine) == plain(world, name, args)


def thawed(world: World, held: Continuation, frozen: StoreState) -> tuple[Store, Machine]:
    """A store and a machine from their values."""
    store = Store.thaw(frozen, world.programs)
    return store, Machine.thaw(store, held)


def read(data: bytes) -> tuple[Continuation, StoreState]:
    """Their values from bytes."""
    held, frozen = decode(data)  # type: ignore[misc]  # as encoded
    assert isinstance(held, Continuation)
    assert isinstance(frozen, StoreState)
    return held, frozen


@given(modules(SHAPE))
def test_a_module_is_known_by_its_bytes(module: Module) -> None:
    one, two = World.of(module), World.of(module)
    assert one.instance.program is two.instance.program
    assert one.instance.program.binary == encode_module(module)
