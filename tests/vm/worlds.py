"""Small worlds for tests of the machine: a store with one instance, runs in it, and what can be seen of them.

What two runs are compared by is a digest of everything: outcome, store, frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from lindref.state.codec import digest
from lindref.vm.instance import Instance
from lindref.vm.link import Imports, instantiate
from lindref.vm.machine import Machine
from lindref.vm.outcomes import AtomicNotify, HostCall, Outcome, Returned, Stepped, Thrown, Trapped
from lindref.vm.program import Program
from lindref.vm.store import Store
from lindref.vm.values import FuncInst, Value, default
from lindref.wasm.features import BUILT
from lindref.wasm.module import Module
from lindref.wasm.text.parser import parse_module
from lindref.wasm.types import RefType

#: What a run comes to: kind of outcome, its values or message and place.
Result = tuple[Value, ...]


def result(outcome: Outcome) -> Result:
    """An outcome that ends a run, as plain data."""
    match outcome:
        case Returned(values):
            return ("returned", *values)
        case Trapped():
            return ("trapped", outcome.message, outcome.instance, outcome.func, outcome.offset)
        case Thrown(exn):
            return ("thrown", exn)
        case _:
            raise AssertionError(f"the run has not ended: {outcome}")


def goes_on(machine: Machine, outcome: Outcome) -> bool:
    """Answers what a run asks for; whether there was a question."""
    match outcome:
        case AtomicNotify():
            machine.resume((0,))
        case HostCall(func):
            machine.resume([default(kind) for kind in func.type.results])
        case _:
            return False
    return True


def finish(machine: Machine) -> Result:
    """Runs to the end."""
    while goes_on(machine, outcome := machine.run()):
        pass
    return result(outcome)


def everything(store: Store, machine: Machine) -> bytes:
    """What the state of a machine and its store amounts to."""
    return digest((store.freeze(), machine.freeze()))


@attrs.frozen
class World:
    """A store with an instance of a module."""

    store: Store
    instance: Instance

    @classmethod
    def of(cls, module: Module, imports: Imports | None = None) -> World:
        """A new store with a new instance."""
        store = Store()
        return cls(store, instantiate(store, module, imports or {}))

    @classmethod
    def text(cls, source: str, imports: Imports | None = None) -> World:
        """The same from text, everything that is built being allowed."""
        return cls.of(parse_module(source, BUILT), imports)

    @property
    def programs(self) -> dict[str, Program]:
        """What a store needs to be thawed."""
        return {i.program.digest: i.program for i in self.store.instances}

    def begin(self, name: str, *args: Value, **options: int) -> Machine:
        """A machine that is about to run an exported function."""
        func = self.instance.export(name)
        assert isinstance(func, FuncInst)
        machine = Machine(self.store, **options)
        machine.call(func, args)
        return machine

    def call(self, name: str, *args: Value) -> Result:
        """A whole call."""
        return finish(self.begin(name, *args))


def callable_exports(world: World, pick: Callable[[int], int]) -> list[tuple[str, Sequence[Value]]]:
    """The exported functions that can be called, with arguments: numbers that ``pick(bound)`` chooses, nulls."""
    found = []
    for name, extern in world.instance.exports().items():
        if not isinstance(extern, FuncInst):
            continue
        params = world.store.func_type(extern).params
        if any(isinstance(kind, RefType) and not kind.nullable for kind in params):
            continue
        args: list[Value] = []
        for kind in params:
            zero = default(kind)
            args.append(None if zero is None else type(zero)(pick(200)))
        found.append((name, args))
    return found


def advance(machine: Machine, steps: int) -> bool:
    """Runs so many instructions; whether the machine can still go on."""
    for _ in range(steps):
        outcome = machine.run(steps=1)
        if not isinstance(outcome, Stepped) and not goes_on(machine, outcome):
            return False
    return True


def length(world: World, name: str, args: Sequence[Value]) -> int:
    """How many instructions the plain run has before its last."""
    machine = World.of(world.instance.program.module).begin(name, *args)
    steps = 0
    while advance(machine, 1):
        steps += 1
    return steps
