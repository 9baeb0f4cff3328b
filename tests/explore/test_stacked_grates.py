"""Exploration through stacked grates: one in Python over one in wasm, or another in Python, over cages and threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import brute
import pytest
from grate_scenes import GETEUID
from scenes import CallStep, exits, fork

import lindref
from lindref.explore.exhaustive import Bounds, Search
from lindref.explore.outcomes import result_of, schedule
from lindref.posix import console
from lindref.system.boot import boot, boot_script
from lindref.system.choices import Replay, parse_schedule
from lindref.system.python.grate import Served
from lindref.system.runtime import Config
from lindref.system.script_runner import ResultOf, ScriptState
from lindref.system.system import System

DATA = Path(__file__).resolve().parents[1] / "data"
#: Two ask for a number: one is first, or the other, or neither sees the other.
EITHER_OR_NEITHER = {1, 10, 0}


class Numbers(lindref.Grate):
    """Gives each call the next number, without a lock."""

    def geteuid(self, call: Served) -> int:
        seen: int = self.state.get("count", 0)
        self.call("getpid")
        self.state["count"] = seen + 1
        return seen


class Passes(lindref.Grate):
    """Passes the call on."""

    def geteuid(self, call: Served) -> int:
        return self.forward()


def stacked(*args: str, accesses: str = "none") -> System:
    """``Numbers`` over a grate in C over two cages, or two threads, in C."""
    grates = (Numbers, str(DATA / "relay_grate.wasm"))
    config = Config(accesses=accesses)
    system = boot(DATA / "turns_app.wasm", args, root_mode="blank", config=config, engine="reference", grates=grates)
    console.end_stdin(system.kernel)
    return system


def scripted() -> System:
    """Two grates in Python over two cages. The parent exits with the number that it got."""
    wait = CallStep(61, ((1 << 64) - 1, 0, 0))
    steps = (fork((CallStep(GETEUID), exits(0))), CallStep(GETEUID), wait, CallStep(231, (ResultOf(1),)))
    system = boot_script(ScriptState(steps), grates=(Numbers, Passes), config=Config(accesses="shared"))
    console.end_stdin(system.kernel)
    return system


def statuses(make: Any, *, reduction: bool = True) -> set[int]:
    """The exit statuses there are. Each outcome replays (EXP-2)."""
    search = Search(make(), Bounds(reduction=reduction))
    found = search.run().found
    assert search.complete
    for result, how in found.items():
        again = make()
        again.choices.chooser = Replay(parse_schedule(schedule(how.answers)))
        again.run()
        assert result_of(again) == result
    return {result.exit_status for result in found}


@pytest.mark.parametrize("args", [(), pytest.param(("threads",), marks=pytest.mark.campaign)])
def test_python_over_wasm(args: tuple[str, ...]) -> None:
    """EXP-3, EXP-6: cages, and threads, whose calls go through both."""
    assert statuses(lambda: stacked(*args)) == EITHER_OR_NEITHER


def test_python_over_python_as_by_brute_force() -> None:
    """EXP-3, EXP-6."""
    reached = brute.reach(scripted)
    assert statuses(scripted) == {result.exit_status for result in reached.results} == {0, 1}


@pytest.mark.campaign
@pytest.mark.parametrize("args", [(), ("threads",)])
def test_python_over_wasm_as_without_reduction(args: tuple[str, ...]) -> None:
    """EXP-6: the same without."""
    assert statuses(lambda: stacked(*args), reduction=False) == EITHER_OR_NEITHER


@pytest.mark.campaign
@pytest.mark.parametrize("args", [(), ("threads",)])
def test_switching_at_accesses_too(args: tuple[str, ...]) -> None:
    """EXP-3: workers of the grate in C share its memory; the outcomes are those of the calls."""
    assert statuses(lambda: stacked(*args, accesses="shared")) == EITHER_OR_NEITHER
