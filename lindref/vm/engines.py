"""Which machine runs wasm: the choice of a tier, which nothing but time depends on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lindref.vm.continuation import Continuation
from lindref.vm.machine import DEFAULT_DEPTH, Machine
from lindref.vm.store import Store

#: ``auto`` compiles what is hot, ``compiled`` everything that it meets, ``reference`` nothing.
ENGINES: Final = ("auto", "reference", "compiled")

#: One of ``ENGINES``, or what makes a machine in a store, with a limit of depth.
Engine = str | Callable[[Store, int], Machine]


def machine(engine: Engine, store: Store, *, max_depth: int = DEFAULT_DEPTH) -> Machine:
    """A machine of an engine that has nothing to do yet."""
    if not isinstance(engine, str):
        return engine(store, max_depth)
    if engine == "reference":
        return Machine(store, max_depth=max_depth)
    from lindref.vm.compiled.machine import CompilingMachine

    return CompilingMachine(store, max_depth=max_depth, eager=engine == "compiled")


def thaw(engine: Engine, store: Store, continuation: Continuation, *, max_depth: int = DEFAULT_DEPTH) -> Machine:
    """A machine of an engine that goes on from a continuation."""
    made = machine(engine, store, max_depth=max_depth)
    made.restore(continuation)
    return made
