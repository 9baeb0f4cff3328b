"""Modules changed at random that still validate: they are instantiated and run, and whatever they do is an
outcome (MACH-7).
"""

from __future__ import annotations

import random
from collections import Counter

import attrs
import pytest
from vm.worlds import World, callable_exports, everything, goes_on
from wasm.mutations import Mutator
from wasm.strategies import RUNNABLE, module_from

from lindref.vm.limits import Budget, Exhaustion
from lindref.vm.link import instantiate
from lindref.vm.machine import Machine
from lindref.vm.outcomes import AtomicWait, OutOfResources, Paused, Returned, Thrown, Trapped
from lindref.vm.store import Store
from lindref.vm.traps import Trap
from lindref.vm.values import FuncInst, Value
from lindref.wasm.binary.decoder import decode
from lindref.wasm.binary.encoder import encode
from lindref.wasm.errors import WasmError
from lindref.wasm.features import BUILT
from lindref.wasm.module import Module
from lindref.wasm.validator import validate

SHAPE = attrs.evolve(RUNNABLE, features=BUILT)
TICKS, PAGES = 1500, 300
ENDS = (Returned, Trapped, Thrown, OutOfResources, AtomicWait, Paused)


def changed_bytes(seed: int, chance: random.Random) -> Module:
    """A module with one or two bytes of its binary changed."""
    data = bytearray(encode(module_from(seed, SHAPE)))
    for _ in range(chance.randint(1, 2)):
        data[chance.randrange(8, len(data))] = chance.choice((chance.randrange(256), chance.randrange(16)))
    return decode(bytes(data), eager=True)


def changed_parts(seed: int, chance: random.Random) -> Module:
    """A module with one to three instructions, types or other parts changed."""
    return Mutator(module_from(seed, SHAPE), chance).mutated()


def run(machine: Machine) -> str:
    """The outcome that ends a run, ``Paused`` when it takes too long."""
    ticks = TICKS
    while True:
        outcome = machine.run(ticks=ticks, steps=20 * TICKS)
        if not goes_on(machine, outcome):
            break
        ticks = max(1, ticks // 2)
    assert isinstance(outcome, ENDS) or type(outcome).__name__ == "Stepped"
    return type(outcome).__name__


def live(module: Module, chance: random.Random) -> list[str]:
    """Everything that becomes of a valid module: instantiation, start function, calls of its exports."""
    store = Store(Budget(PAGES))
    try:
        instance = instantiate(store, module, {})
    except (WasmError, Trap, Exhaustion) as error:
        return [type(error).__name__ if "\n" not in str(error) else "more than a line"]
    ends = []
    calls: list[tuple[FuncInst, tuple[Value, ...]]] = []
    start = instance.start
    if isinstance(start, FuncInst):
        calls.append((start, ()))
    for name, args in callable_exports(World(store, instance), chance.randrange)[:4]:
        func = instance.export(name)
        assert isinstance(func, FuncInst)
        calls.append((func, tuple(args)))
    for func, args in calls:
        machine = Machine(store, max_depth=300)
        machine.call(func, args)
        ends.append(run(machine))
        assert len(everything(store, machine)) == 16  # whatever is left of it is a value
    return ends


def campaign(rounds: int, start: int) -> Counter[str]:
    """What happened in so many rounds."""
    seen: Counter[str] = Counter()
    for number in range(start, start + rounds):
        chance = random.Random(number)
        try:
            module = (changed_bytes if number % 2 else changed_parts)(number // 4, chance)
            validate(module)
        except WasmError as error:
            seen[type(error).__name__] += 1
            continue
        seen["valid"] += 1
        seen.update(live(module, chance))
    return seen


def test_changed_modules_come_to_an_end() -> None:
    seen = campaign(1500, 0)
    wanted = ("valid", "Malformed", "Invalid", "Returned", "Trapped", "Thrown", "Trap")
    assert [name for name in wanted if not seen[name]] == [], seen
    assert seen["valid"] > 150
    assert not seen["more than a line"]


@pytest.mark.campaign
@pytest.mark.parametrize("part", range(10))
def test_many_more_changed_modules(part: int) -> None:
    campaign(10_000, 10_000 * (part + 1))
