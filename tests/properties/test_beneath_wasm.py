"""Scripts beneath grates in wasm, and beneath those and grates in Python."""

from __future__ import annotations

import pytest

import lindref.properties as properties
from lindref.classes import evolve
from lindref.posix.errno import EPERM
from lindref.properties.runs import GRATES
from lindref.properties.strategies import Ask, Child, Say, Through, compile_tree
from lindref.system.python.grate import Grate
from lindref.system.script_runner import CallStep

TREE = (Child((Ask(39), Ask(110), Say(b"x"), Child((Through(b"abc"),), 7)), 3), Through(b"hi"))
SCRIPT = (*compile_tree(TREE), CallStep(231, (5,)))


@pytest.mark.parametrize(("python", "wasm"), [(0, 1), (0, 3), (1, 1), (2, 2)])
def test_calls_go_through_every_grate(python: int, wasm: int) -> None:
    """3I-GRATE-1, PY-1: each grate serves what the next one passes on, the closest one first."""
    alone = properties.LindrefRuns().run(SCRIPT)
    grates: list[Grate] = [properties.Pass()] * python + [properties.PassInWasm()] * wasm
    seen = properties.LindrefRuns().run(SCRIPT, grates)
    assert (seen.program(), seen.stdout, seen.status) == (alone.program(), alone.stdout, 5)
    made = {one.call: one for one in seen.calls}
    for one in seen.calls:
        if one.cage < GRATES and one.number != 1001:
            assert one.handler == GRATES + python + wasm - 1
    inner = [one for one in seen.calls if one.within in made and made[one.within].number == 39]
    assert {one.cage for one in inner} == set(range(GRATES, GRATES + python + wasm))


def test_what_cannot_be() -> None:
    """Grates in wasm are closest."""
    with pytest.raises(properties.NotRelevant, match="a grate in Python closer"):
        properties.LindrefRuns().run(SCRIPT, [properties.PassInWasm(), properties.Pass()])


def test_a_grate_that_spoils_results_is_seen() -> None:
    """T1 is about grates in wasm, too."""

    class Spoils(properties.LindrefRuns):
        def run(self, steps, grates=(), *more, **named):  # type: ignore[no-untyped-def]
            seen = super().run(steps, grates, *more, **named)
            if any(isinstance(grate, properties.PassInWasm) for grate in grates):
                return evolve(seen, status=-EPERM)
            return seen

    with pytest.raises(AssertionError):
        properties.check("T1", Spoils, 20, simplify=False)
