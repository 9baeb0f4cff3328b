"""Random modules with calls of what they export: the cases of suite ``modules``."""

from __future__ import annotations

import random

from lindref import classes
from lindref.conformance.adapters.case import Bits, Calls
from lindref.conformance.modules.bits import with_bits
from lindref.conformance.modules.make import module_from
from lindref.conformance.modules.types import RUNNABLE, Chooser, number
from lindref.wasm.binary.encoder import encode
from lindref.wasm.features import Feature
from lindref.wasm.module import Module
from lindref.wasm.types import NumType

#: What is in modules that other engines are to run: all that is built but what the standard has left behind.
SHAPE = classes.evolve(RUNNABLE, features=RUNNABLE.features - {Feature.LEGACY_EXCEPTIONS, Feature.ANNOTATIONS})
#: How often a function with arguments is called.
CALLS = 3


def _unshared(module: Module) -> Module:
    """A module whose memories are its own: there is one thread, and not every engine's interface shows shared ones."""
    return classes.evolve(module, memories=tuple(classes.evolve(one, shared=False) for one in module.memories))


def calls_from(seed: int) -> Calls:
    """The module and the calls that a seed stands for; the values of globals and sizes of tables come last."""
    source = random.Random(f"module/{seed}")
    module, types = with_bits(_unshared(module_from(source, SHAPE)))
    chooser = Chooser(source)
    calls: list[tuple[str, tuple[Bits, ...]]] = []
    for name, functype in types.items():
        for _ in range(CALLS if functype.params else 1):
            args = tuple((kind.value, number(chooser, kind)) for kind in functype.params if isinstance(kind, NumType))
            calls.append((name, args))
    return Calls(encode(module), tuple(calls))
