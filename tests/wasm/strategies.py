"""Random valid modules over everything that is built: for the codecs, the validator and the machines alike.

``modules()`` is for Hypothesis, ``module_from(source)`` for campaigns without it. Import as ``wasm.strategies`` with
the folder ``tests`` on the path (pytest puts it there).
"""

from __future__ import annotations

from hypothesis import strategies as st

from lindref.conformance.modules.make import ANY, module_from
from lindref.conformance.modules.types import RUNNABLE, Shape
from lindref.wasm.module import Module

__all__ = ["ANY", "RUNNABLE", "Shape", "module_from", "modules"]


def modules(shape: Shape = ANY) -> st.SearchStrategy[Module]:
    """Valid modules: many from seeds (varied, big), some from bytes (these shrink well)."""
    seeds = st.integers(0, 2**48 - 1)
    choices = st.binary(min_size=40, max_size=600)
    return st.one_of(choices, seeds).map(lambda source: module_from(source, shape))
