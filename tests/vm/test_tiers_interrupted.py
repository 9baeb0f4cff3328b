"""Both tiers mean the same for programs that throw, fork, wait and take signals at random places.

Whoever runs the machine here answers host calls, waits and pauses at random: with a value, with an exception (as a
``longjmp`` out of a call does), with a fork whose child goes on in some tier, with a handler put on top that may itself
throw, or by holding the machine as a value and going on in another tier. Everything that can be seen at every stop is
compared. Tiers run the same choices; the reference tier says what is right.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vm.tier_features import TAGS, program
from vm.worlds import World, everything

from lindref.state.codec import digest
from lindref.vm import engines
from lindref.vm.engines import ENGINES
from lindref.vm.link import Imports
from lindref.vm.machine import Machine
from lindref.vm.outcomes import (
    AtomicNotify,
    AtomicWait,
    Attention,
    BarrierReturned,
    HostCall,
    Outcome,
    Paused,
    Returned,
    Thrown,
    Trapped,
)
from lindref.vm.store import Store
from lindref.vm.values import ExnInst, FuncInst, HostFunc, TagInst
from lindref.wasm.features import BUILT
from lindref.wasm.module import Module
from lindref.wasm.text.parser import parse_module
from lindref.wasm.types import FuncType, NumType

HOST: Imports = {("host", "h"): HostFunc("host", "h", FuncType((NumType.I32,), (NumType.I32,)))}

#: Stops that one run may have, and ticks of a child.
STOPS = 60
CHILD = 200

#: What was seen: of each stop the outcome, the digest of everything, the ticks.
Log = list[tuple[str, bytes, int]]


class Driver:
    """Runs one call, and does at every stop what the seed says."""

    def __init__(self, module: Module, engine: str, seed: int) -> None:
        self.choices = random.Random(seed)
        self.tiers = random.Random(seed + 1) if engine == "mixed" else None
        self.engine = engine
        self.world = World.of(module, HOST)
        self.log: Log = []
        self.forks = 2

    def tier(self) -> str:
        """The next tier: always the same, or any."""
        return self.tiers.choice(ENGINES) if self.tiers else self.engine

    def call(self, name: str) -> Log:
        """A call of an export to its end, or to the last stop."""
        func = self.export(name)
        m = engines.machine(self.tier(), self.world.store)
        m.call(func, [self.choices.randrange(200), self.choices.randrange(200)])
        self.go(self.world.store, m, STOPS)
        return self.log

    def export(self, name: str) -> FuncInst:
        """An exported function."""
        func = self.world.instance.export(name)
        assert isinstance(func, FuncInst)
        return func

    def go(self, store: Store, m: Machine, stops: int) -> None:
        """On, through so many stops."""
        used = 0
        for _ in range(stops):
            outcome: Outcome | None = m.run(self.choices.choice((1, 3, 20, 100, 1000)))
            m.attention = False
            while isinstance(outcome, Thrown) and outcome.barrier is not None:
                self.note(store, m, outcome, used)
                outcome = m.throw(outcome.exn)
            if outcome is None:  # caught beneath the handler
                continue
            self.note(store, m, outcome, used)
            if isinstance(outcome, Returned | Trapped | Thrown):
                return
            if not self.answer(store, m, outcome):
                return
            if not self.choices.randrange(5):
                held, used = m.freeze(), used + m.ticks
                m = engines.thaw(self.tier(), store, held)

    def note(self, store: Store, m: Machine, outcome: Outcome, used: int) -> None:
        """Writes down what can be seen."""
        said = outcome if isinstance(outcome, Returned | Thrown | Trapped) else type(outcome).__name__
        values = getattr(said, "values", getattr(said, "exn", None))
        name = said if isinstance(said, str) else str(said) if isinstance(said, Trapped) else type(said).__name__
        self.log.append((name, digest((values, everything(store, m))), used + m.ticks))

    def answer(self, store: Store, m: Machine, outcome: Outcome) -> bool:
        """Goes on after a stop; false if that ended the call."""
        c = self.choices
        match outcome:
            case HostCall() | AtomicWait() | AtomicNotify():
                return self.question(store, m)
            case BarrierReturned():
                return m.awaiting is None or self.question(store, m)
            case Paused() | Attention():
                match c.randrange(6):
                    case 0:
                        m.attention = True
                    case 1:
                        m.push_call(self.export("on"), [c.randrange(8)], c.randrange(99))
                    case 2 if self.forks:
                        self.fork(store, m, None)
                return True
        raise AssertionError(outcome)

    def question(self, store: Store, m: Machine) -> bool:
        """The machine waits for a value."""
        c = self.choices
        match c.randrange(6):
            case 0:
                tag = c.randrange(len(TAGS))
                found = m.throw(ExnInst(TagInst(tag), tuple(c.randrange(9) for _ in TAGS[tag])))
                while found is not None:
                    self.note(store, m, found, 0)
                    if found.barrier is None:
                        return False
                    found = m.throw(found.exn)
                return True
            case 1:
                m.push_call(self.export("on"), [c.randrange(8)], c.randrange(99))
                return True
            case 2 if self.forks:
                self.fork(store, m, 1)
        m.resume([c.choice((0, 0, 2, c.randrange(2**32)))])
        return True

    def fork(self, store: Store, m: Machine, value: int | None) -> None:
        """A child that goes on from here by itself, in a copy of the store."""
        self.forks -= 1
        child = store.fork()
        other = engines.thaw(self.tier(), child, m.freeze())
        if value is not None:
            other.resume([value])
        self.go(child, other, STOPS // 4)


def logs(seed: int, engine: str) -> list[Log]:
    """What is seen of a program's functions in an engine."""
    module = parse_module(program(random.Random(seed)), BUILT)
    return [Driver(module, engine, seed + n).call(f"f{n}") for n in range(2)]


def agree(seed: int) -> None:
    """All engines, and all of them by turns, see the same."""
    expected = logs(seed, "reference")
    for engine in ("compiled", "mixed"):
        assert logs(seed, engine) == expected, engine


@settings(max_examples=40)
@given(st.integers(0, 2**48 - 1))
def test_interrupted_programs_are_the_same_in_both_tiers(seed: int) -> None:
    agree(seed)


@pytest.mark.campaign
@settings(max_examples=4000)
@given(st.integers(0, 2**48 - 1))
def test_many_interrupted_programs(seed: int) -> None:
    agree(seed)


def test_the_programs_reach_compiled_code() -> None:
    """The law above would hold for a machine that leaves all of this to the reference tier."""
    texts = []
    for seed in range(12):
        driver = Driver(parse_module(program(random.Random(seed)), BUILT), "compiled", seed)
        driver.call("f0")
        for body in driver.world.instance.program.bodies:
            texts += [unit.source.text for unit in body.compiled.values() if unit.code is not None]
    for wanted in ("try:", "except E1 as x:", "except WASM", "d = [x]", "again(", "raise n2(", "return tail(", "rp1["):
        assert any(wanted in text for text in texts), wanted
