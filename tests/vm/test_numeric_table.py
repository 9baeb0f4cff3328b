"""The table of operations against the instruction table."""

from __future__ import annotations

import inspect

from lindref.vm.numeric.table import OPERATIONS
from lindref.wasm.instructions import TABLE

NUMERIC = {op.name: op for op in TABLE if op.sig is not None and op.sig[0] and not op.imms}
SAMPLES: dict[str, int | float] = {"i": 1, "I": 2**40, "f": 1.5, "F": 1.1}


def test_exactly_the_numeric_instructions() -> None:
    """Every instruction with a signature and no immediates, and nothing else."""
    assert set(OPERATIONS) == set(NUMERIC)


def test_arity_and_kind_follow_the_signature() -> None:
    """As many operands as popped, a result of the pushed kind."""
    for name, op in NUMERIC.items():
        assert op.sig is not None
        pops, pushes = op.sig
        assert len(inspect.signature(OPERATIONS[name]).parameters) == len(pops), name
        value = OPERATIONS[name](*(SAMPLES[p] for p in pops))
        if pushes in "iI":
            assert type(value) is int, name
            assert 0 <= value < 2 ** (32 if pushes == "i" else 64), name
        else:
            assert type(value) is float, name
