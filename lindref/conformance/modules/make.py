"""A random module from a seed or from bytes."""

from __future__ import annotations

import random

from lindref.conformance.modules.module import World
from lindref.conformance.modules.types import Chooser, Shape
from lindref.wasm.module import Module

#: Everything that is built, imports and custom sections included.
ANY = Shape()


def module_from(source: int | bytes | random.Random, shape: Shape = ANY) -> Module:
    """The valid module that a seed, a string of bytes or a generator stands for.

    Equal seeds and equal bytes give equal modules. Bytes are read as choices; when they run out, the dullest ones
    are taken, so a prefix of the bytes gives a simpler module.
    """
    if isinstance(source, int):
        source = random.Random(source)
    return World(Chooser(source), shape).make()
