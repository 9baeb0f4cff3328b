"""Textbook programs against brute force that shares no code with exploration (EXP-3, EXP-6): the same outcomes."""

from __future__ import annotations

from pathlib import Path

import brute
import pytest
from counts import Counts
from grate_scenes import GETEUID
from scenes import CallStep, exits, fork

from lindref.explore.exhaustive import Bounds, Search, deepen
from lindref.explore.watch.footprint import Footprint
from lindref.posix import console
from lindref.profile import LIND
from lindref.system.boot import boot, boot_script
from lindref.system.runtime import Config
from lindref.system.script_runner import ResultOf, ScriptState
from lindref.system.system import System

DATA = Path(__file__).resolve().parents[1] / "data"


def program(name: str) -> System:
    system = boot(DATA / f"{name}.wasm", root_mode="blank", config=Config(accesses="shared"), engine="reference")
    console.end_stdin(system.kernel)
    return system


def compare(name: str) -> brute.Reached:
    """Brute force and exploration find the same results of a program."""
    reached = brute.reach(lambda: program(name))
    outcomes, search = deepen(program(name), Bounds(reduction=True))
    assert search.complete
    assert set(outcomes.found) == reached.results
    assert search.visited < reached.states
    return reached


@pytest.mark.parametrize("name", ["race", "lost_child"])
def test_the_same_outcomes(name: str) -> None:
    """EXP-3, EXP-6: two additions; a lost SIGCHLD."""
    assert len(compare(name).results) == 2


@pytest.mark.campaign
@pytest.mark.parametrize(("name", "many"), [("twice_checked", 3), ("lost_wake", 2), ("dining", 2)])
def test_the_same_outcomes_at_length(name: str, many: int) -> None:
    """EXP-3, EXP-6: a broken double-checked lock, a lost wake-up, three philosophers."""
    assert len(compare(name).results) == many


def counted() -> System:
    """Two cages beneath a grate that counts; the parent exits with the count."""
    wait = CallStep(61, ((1 << 64) - 1, 0, 0))
    steps = (fork((CallStep(GETEUID), exits(0))), CallStep(GETEUID), wait, CallStep(110), CallStep(231, (ResultOf(3),)))
    system = boot_script(ScriptState(steps), grates=(Counts,), config=Config(accesses="shared"))
    console.end_stdin(system.kernel)
    return system


def test_a_grate_that_counts_without_a_lock() -> None:
    """EXP-3, EXP-6."""
    reached = brute.reach(counted)
    found = Search(counted(), Bounds(reduction=True)).run().found
    assert set(found) == reached.results
    assert {result.exit_status for result in reached.results} == {1, 2}


def test_choices_that_are_no_threads() -> None:
    """EXP-3: the choice of a fork's result in profile ``lind`` (FORK-6)."""

    def make() -> System:
        wait = CallStep(61, ((1 << 64) - 1, 0, 0))
        steps = (fork((fork((exits(0),)), wait, exits(0))), wait, CallStep(231, (ResultOf(0),)))
        system = boot_script(ScriptState(steps), profile=LIND, config=Config(accesses="shared"))
        console.end_stdin(system.kernel)
        return system

    assert set(Search(make(), Bounds(reduction=True)).run().found) == brute.reach(make).results


def test_it_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reduction that takes no two turns for dependent misses the lost addition, and that is seen."""
    monkeypatch.setattr(Footprint, "meets", lambda self, other: False)
    found = Search(program("race"), Bounds(reduction=True)).run().found
    assert {result.stdout for result in found} == {b"2\n"}
