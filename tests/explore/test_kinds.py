"""Kinds of outcomes are told apart and explained (EXP-9), and runs without an end are found (EXP-10)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from scenes import CallStep, exits, fork

from lindref.cli.main import main
from lindref.explore.exhaustive import Bounds, Search, deepen
from lindref.explore.explain import Kind, explain_all
from lindref.posix import console
from lindref.system.boot import boot_script
from lindref.system.runtime import Config
from lindref.system.script_runner import Pointer, ScriptState, StoreStep

DATA = Path(__file__).resolve().parents[1] / "data"


def explore(capsys: pytest.CaptureFixture[str], name: str, *words: str) -> list[dict[str, Any]]:
    assert main(["explore", "--root-mode", "blank", "--json", *words, str(DATA / f"{name}.wasm")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, list)
    return found


def replayed(capsys: pytest.CaptureFixture[str], name: str, outcome: dict[str, Any]) -> tuple[int, str]:
    """The exit status and what is said of an outcome that is run again."""
    words = ["explore", "--root-mode", "blank", "--replay", outcome["schedule"]]
    return main([*words, str(DATA / f"{name}.wasm")]), capsys.readouterr().err


def test_a_lost_signal(capsys: pytest.CaptureFixture[str]) -> None:
    """EXP-9: pause waits for a signal whose handler has run."""
    told, lost = explore(capsys, "lost_child")
    assert (told["kind"], lost["kind"]) == ("exit", "lost-wakeup")
    assert "waits for a signal (event 21), which came before: its handler took signal 17 at event 16" in lost[
        "explanation"
    ]
    status, said = replayed(capsys, "lost_child", lost)
    assert status == 71
    assert said.startswith("lindref explore: lost wake-up: cage 1 thread 1: in rt_sigsuspend")


def test_a_lost_wake_of_a_condition(capsys: pytest.CaptureFixture[str]) -> None:
    """EXP-9: a condition variable that was signalled before anybody waited."""
    found = explore(capsys, "lost_wake", "--preemptions", "1")
    assert {(one["kind"], one["stdout"]) for one in found} == {("exit", "woken\n"), ("lost-wakeup", "")}
    lost = next(one for one in found if one["deadlock"])
    assert "cage 1 thread 2 waits for a wake of the word at 0x" in lost["explanation"]
    assert "cage 1 thread 1" not in lost["explanation"]  # who joins the other is no cause


def test_an_assertion(capsys: pytest.CaptureFixture[str]) -> None:
    """EXP-9: assert and abort."""
    assert main(["explore", "--root-mode", "blank", "--preemptions", "1", str(DATA / "asserts.wasm")]) == 0
    text = capsys.readouterr().out
    assert "2 outcomes: what comes out depends on the schedule (1 exit, 1 assertion failure)" in text
    assert "outcome 2: assertion failure, exit status 134, " in text
    assert "Assertion `left >= 0' failed." in text.splitlines()[-1]


def test_philosophers_wait_in_a_circle(capsys: pytest.CaptureFixture[str]) -> None:
    """EXP-9: three who each have what the next one waits for."""
    stuck = {"schedule": "37*0,1,4*0,2,10*0,1,9*0,1"}
    status, said = replayed(capsys, "dining", stuck)
    assert status == 71
    assert "lindref explore: deadlock: " in said
    lines = said[said.index("each of these waits for what the next one has:") :].splitlines()[1:]
    assert len(lines) == 3
    assert all(" waits for the word at 0x" in line and line.endswith(" changed last") for line in lines)


def test_a_wake_that_nobody_waits_for() -> None:
    """EXP-9: raw futexes: the wake is seen, and what the word was."""
    wake, wait, private = 1, 0, 128
    word = Pointer(256)
    child = (CallStep(202, (word, wake | private, 1, 0, 0, 0)), exits(0))
    steps = (StoreStep(256, bytes(4)), fork(child), CallStep(202, (word, wake | private, 1, 0, 0, 0)))
    system = boot_script(
        ScriptState((*steps, CallStep(202, (word, wait | private, 0, 0, 0, 0)), exits(0))),
        config=Config(accesses="shared"),
    )
    console.end_stdin(system.kernel)
    outcomes = Search(system, Bounds(reduction=True)).run()
    (explained,) = explain_all(system, outcomes).values()
    assert explained.kind is Kind.LOST
    assert "which came before: cage 1 thread 1 made it" in explained.text


@pytest.mark.parametrize("words", [[], ["--no-reduction"]])
def test_a_livelock(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """EXP-10: a flag taken back before it is seen; without reduction it ends, too, long before the bound."""
    found = explore(capsys, "round", *words)
    assert {(one["kind"], one["stdout"]) for one in found} == {("livelock", ""), ("exit", "seen\n")}
    livelock = next(one for one in found if one["kind"] == "livelock")
    assert livelock["exit_status"] == 72
    assert livelock["ending"] == "livelock"
    assert not livelock["deadlock"]
    assert livelock["explanation"].endswith("round and round goes cage 1 thread 1")
    status, said = replayed(capsys, "round", livelock)
    assert status == 72
    assert said == f"lindref explore: livelock: {livelock['explanation']}\n"


def test_who_looks_at_a_clock_does_not_go_round() -> None:
    """EXP-7, EXP-10: reading the time, or waiting for it, makes each state another, without reduction as well."""
    nap = (StoreStep(640, bytes(8) + (2000).to_bytes(8, "little")), CallStep(35, (1, 0, Pointer(640), 0)))
    for reduction in (True, False):
        system = boot_script(ScriptState((*nap, exits(0))), config=Config(accesses="shared"))
        console.end_stdin(system.kernel)
        outcomes, search = deepen(system, Bounds(reduction=reduction))
        assert search.timed
        assert [result.ending for result in outcomes.found] == ["exit"]
