"""Programs whose outcomes are known by thinking: exploration finds exactly those, with reduction and without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lindref.cli.main import main
from lindref.explore.exhaustive import Bounds, Search, deepen
from lindref.explore.outcomes import result_of, schedule
from lindref.posix import console
from lindref.system.boot import boot
from lindref.system.choices import Replay, parse_schedule
from lindref.system.runtime import Config
from lindref.system.system import System

DATA = Path(__file__).resolve().parents[1] / "data"

#: What each program can come to: how it ends, and what it has written.
KNOWN = {
    "race": {("exit", b"1\n"), ("exit", b"2\n")},
    # Who finds the flag set may be before the value; the one who set it is not.
    "twice_checked": {("exit", b"42 42\n"), ("exit", b"0 42\n"), ("exit", b"42 0\n")},
    # The signal before the look, or after the wait has begun; or between the two.
    "lost_child": {("exit", b"told\n"), ("deadlock", b"")},
    # It goes round as long as it likes, and sees the flag in the end (EXP-7).
    "spin": {("exit", b"seen\n")},
    "dining": {("exit", b"fed\n"), ("deadlock", b"")},
}


def program(name: str) -> System:
    system = boot(DATA / f"{name}.wasm", root_mode="blank", config=Config(accesses="shared"), engine="reference")
    console.end_stdin(system.kernel)
    return system


def check(name: str, *, reduction: bool) -> int:
    """Search; how many states there were."""
    outcomes, search = deepen(program(name), Bounds(reduction=reduction))
    assert search.complete
    assert {(result.ending, result.stdout) for result in outcomes.found} == KNOWN[name]
    for result, how in outcomes.found.items():
        again = program(name)
        again.choices.chooser = Replay(parse_schedule(schedule(how.answers)))
        again.run()
        assert result_of(again) == result  # EXP-2
    return search.visited


@pytest.mark.parametrize("name", ["race", "twice_checked", "lost_child", "spin"])
def test_exactly_those(name: str) -> None:
    """EXP-3, EXP-6."""
    check(name, reduction=True)


def test_as_without_reduction() -> None:
    """EXP-6: the same without."""
    assert check("lost_child", reduction=False) > 0


@pytest.mark.campaign
@pytest.mark.parametrize("name", ["race", "twice_checked"])
def test_as_without_reduction_at_length(name: str) -> None:
    assert check(name, reduction=False) > check(name, reduction=True)


@pytest.mark.campaign
def test_philosophers() -> None:
    """Three of them, each with the left fork first (EXP-6)."""
    check("dining", reduction=True)


def test_one_preemption_finds_what_is_wrong() -> None:
    """EXP-3, within a bound: with one preemption a flag is set before the value is there."""
    found = Search(program("twice_checked"), Bounds(preemptions=1)).run().found
    assert b"42 0\n" in {result.stdout for result in found} or b"0 42\n" in {result.stdout for result in found}


def test_a_schedule_for_run(capfd: pytest.CaptureFixture[str]) -> None:
    """EXP-2: what explore names, run plays, where threads may switch at the same places."""
    words = ["--root-mode", "blank"]
    assert main(["explore", *words, "--json", str(DATA / "lost_child.wasm")]) == 0
    found = json.loads(capfd.readouterr().out)
    for outcome in found:
        given = ["--schedule", outcome["schedule"], "--accesses", "shared"]
        assert main(["run", *words, *given, str(DATA / "lost_child.wasm")]) == outcome["exit_status"]
        assert capfd.readouterr().out == outcome["stdout"]
    assert [outcome["deadlock"] for outcome in found] == [False, True]
