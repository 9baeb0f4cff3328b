"""Both tiers mean the same for programs that throw, fork, wait and take signals at random places.

Whoever runs the machine here (after its stops, or while compiled code waits in a call) answers host calls, waits and
pauses at random: with a value, with an exception (as a
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
    Answered,
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
from lindref.vm.values import ExnInst, FuncInst, HostFunc, TagInst, Value
from lindref.wasm.features import BUILT
from lindref.wasm.module import Module
from lindref.wasm.text.parser import parse_module
from lindref.wasm.types import FuncType, NumType

HOST: Imports = {("host", "h"): HostFunc("host", "h", FuncType((NumType.I32,), (NumType.I32,)))}

#: Stops that one run may have.
STOPS = 60

#: What was seen: of each stop the outcome, the digest of everything, the ticks.
Log = list[tuple[str, bytes, int]]


class Driver:
    """Makes one call, and does at every stop what the seed says."""

    def __init__(self, module: Module, engine: str, seed: int) -> None:
        self.choices = random.Random(seed)
        self.tiers = random.Random(seed + 1) if engine == "mixed" else None
        self.engine = engine
        self.world = World.of(module, HOST)
        self.log: Log = []
        self.forks = 2
        self.answered = 0

    def tier(self) -> str:
        """The next tier: always the same, or any."""
        return self.tiers.choice(ENGINES) if self.tiers else self.engine

    def call(self, name: str) -> Log:
        """A call of an export to its end, or to the last stop."""
        m = engines.machine(self.tier(), self.world.store)
        m.call(self.export(name), [self.choices.randrange(200), self.choices.randrange(200)])
        Run(self, self.world.store, m, STOPS).go()
        return self.log

    def export(self, name: str) -> FuncInst:
        """An exported function."""
        func = self.world.instance.export(name)
        assert isinstance(func, FuncInst)
        return func


class Run:
    """A machine that is run through so many stops. A host call is one, wherever it is answered: when the machine has
    stopped for it, or by ``Machine.answers`` while it runs."""

    def __init__(self, driver: Driver, store: Store, m: Machine, stops: int) -> None:
        self.driver = driver
        self.choices = driver.choices
        self.store = store
        self.m = m
        self.stops = stops
        self.used = 0  # ticks of machines before
        self.held = self.ended = False

    def go(self) -> None:
        """On, to the end or the last stop."""
        while self.stops:
            self.m.answers = self.while_running
            outcome = self.m.run(self.ticks())
            if isinstance(outcome, Answered):
                if self.ended:
                    return
            elif not self.stop(outcome):
                return
            if self.held:
                state, self.used = self.m.freeze(), self.used + self.m.ticks
                self.m = engines.thaw(self.driver.tier(), self.store, state)

    def ticks(self) -> int:
        """Ticks of the next run."""
        return self.choices.choice((1, 3, 20, 100, 1000, 1000))

    def while_running(self, func: HostFunc, args: tuple[Value, ...]) -> int | None:
        """See ``Machine.answers``: what is done is the same as after a stop."""
        if self.driver.tiers and not self.driver.tiers.randrange(4):
            return None
        self.driver.answered += 1
        self.ended = not self.stop(HostCall(func, args))
        if self.ended or self.held or not self.m.asking or self.m.attention or not self.stops:
            return 0
        return self.ticks()

    def stop(self, outcome: Outcome) -> bool:
        """At a stop; false if it is the call's last. Whether the machine is ``held`` then is decided, too."""
        self.stops -= 1
        found: Outcome | None = outcome
        if not isinstance(outcome, HostCall):
            self.m.attention = False
        while isinstance(found, Thrown) and found.barrier is not None:
            self.note(found)
            found = self.m.throw(found.exn)
        going = True
        if found is not None:
            # Whoever looks at a machine while it runs has it leave compiled code.
            if not isinstance(found, HostCall) or not self.choices.randrange(3):
                self.note(found)
            going = not isinstance(found, Returned | Trapped | Thrown) and self.answer(found)
        self.held = not self.choices.randrange(5)
        return going

    def note(self, outcome: Outcome) -> None:
        """Writes down what can be seen."""
        said = outcome if isinstance(outcome, Returned | Thrown | Trapped) else type(outcome).__name__
        values = getattr(said, "values", getattr(said, "exn", None))
        name = said if isinstance(said, str) else str(said) if isinstance(said, Trapped) else type(said).__name__
        self.driver.log.append((name, digest((values, everything(self.store, self.m))), self.used + self.m.ticks))

    def answer(self, outcome: Outcome) -> bool:
        """Goes on after a stop; false if that ended the call."""
        c, m = self.choices, self.m
        match outcome:
            case HostCall() | AtomicWait() | AtomicNotify():
                return self.question()
            case BarrierReturned():
                return m.awaiting is None or self.question()
            case Paused() | Attention():
                match c.randrange(6):
                    case 0:
                        m.attention = True
                    case 1:
                        m.push_call(self.driver.export("on"), [c.randrange(8)], c.randrange(99))
                    case 2 if self.driver.forks:
                        self.fork(None)
                return True
        raise AssertionError(outcome)

    def question(self) -> bool:
        """The machine waits for a value."""
        c, m = self.choices, self.m
        match c.randrange(6):
            case 0:
                tag = c.randrange(len(TAGS))
                found = m.throw(ExnInst(TagInst(tag), tuple(c.randrange(9) for _ in TAGS[tag])))
                while found is not None:
                    self.note(found)
                    if found.barrier is None:
                        return False
                    found = m.throw(found.exn)
                return True
            case 1:
                m.push_call(self.driver.export("on"), [c.randrange(8)], c.randrange(99))
                return True
            case 2 if self.driver.forks:
                self.fork(1)
        m.resume([c.choice((0, 0, 2, c.randrange(2**32)))])
        if not c.randrange(8):
            m.attention = True
        return True

    def fork(self, value: int | None) -> None:
        """A child that goes on from here by itself, in a copy of the store."""
        self.driver.forks -= 1
        child = self.store.fork()
        other = engines.thaw(self.driver.tier(), child, self.m.freeze())
        if value is not None:
            other.resume([value])
        Run(self.driver, child, other, STOPS // 4).go()


def logs(seed: int, engine: str) -> list[Log]:
    """What is seen of a program's functions in an engine."""
    module = parse_module(program(random.Random(seed)), BUILT)
    return [Driver(module, engine, seed + n).call(f"f{n}") for n in range(2)]


def agree(seed: int) -> None:
    """All engines, and all of them by turns, see the same."""
    expected = logs(seed, "reference")
    for engine in ("compiled", "mixed"):
        assert logs(seed, engine) == expected, engine


@settings(max_examples=25)
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
    answered = 0
    for seed in range(16):
        driver = Driver(parse_module(program(random.Random(seed)), BUILT), "compiled", seed)
        driver.call(f"f{seed % 2}")
        answered += driver.answered
        for body in driver.world.instance.program.bodies:
            texts += [unit.source.text for unit in body.compiled.values() if unit.code is not None]
    for wanted in ("try:", "except E1 as x:", "except WASM", "d = [x]", "again(", "raise n2(", "return tail(", "rp1["):
        assert any(wanted in text for text in texts), wanted
    assert answered > 5
