"""Random valid modules over everything that is built: for the codecs, the validator and the machines alike.

``modules()`` is for Hypothesis, ``module_from(source)`` for campaigns without it. Import as ``wasm.strategies`` with
the folder ``tests`` on the path (pytest puts it there).
"""

from __future__ import annotations

import random

from hypothesis import strategies as st
from wasm.gen_module import World
from wasm.gen_types import RUNNABLE, Chooser, Shape

from lindref.wasm.module import Module

__all__ = ["ANY", "RUNNABLE", "Shape", "module_from", "modules"]

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


def modules(shape: Shape = ANY) -> st.SearchStrategy[Module]:
    """Valid modules: many from seeds (varied, big), some from bytes (these shrink well)."""
    seeds = st.integers(0, 2**48 - 1)
    choices = st.binary(min_size=40, max_size=600)
    return st.one_of(choices, seeds).map(lambda source: module_from(source, shape))
