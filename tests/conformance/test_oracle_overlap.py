"""Calls side by side (JUDGE-8): runs in which they last longer are allowed, and independent ones cost little."""

from __future__ import annotations

import json
import random
from functools import cache

import pytest

from lindref.conformance.oracle.judge import judge
from lindref.conformance.oracle.verdict import Bounds, Judgement, Verdict
from lindref.conformance.oracle.world import World
from lindref.posix.table import NUMBERS
from lindref.profile import SPEC
from lindref.system.boot import boot_script
from lindref.system.choices import Seeded
from lindref.system.script_runner import CallStep, Pointer, ResultOf, ScriptState, StoreStep
from lindref.system.system import System
from lindref.trace.format import Record
from lindref.trace.jsonl import JsonTrace

_ANY = (1 << 64) - 1


def _call(name: str, *args: object) -> CallStep:
    return CallStep(NUMBERS[name], args)


def _child(which: int, first: int, rounds: int, *, shared: bool) -> tuple[object, ...]:
    """A child with a pipe and a file of its own, or with everybody's."""
    number = 0 if shared else which
    steps: list[object] = [StoreStep(2048, b"/tmp/f%d\0" % number), StoreStep(3000, b"hello%d" % number)]
    steps.append(_call("pipe2", Pointer(1024), 0))
    for _ in range(rounds):
        steps += [_call("write", 4, Pointer(3000), 6), _call("read", 3, Pointer(4000), 6)]
        steps.append(_call("open", Pointer(2048), 0o102, 0o600))
        fd = ResultOf(first + len(steps) - 1)
        steps += [_call("write", fd, Pointer(3000), 6), _call("fstat", fd, Pointer(5000)), _call("close", fd)]
    return (*steps, _call("exit_group", 0))


@cache
def _run(children: int, rounds: int, seed: int, *, shared: bool = False) -> tuple[Record, ...]:
    """The trace of a run in which so many children do that, header first."""
    steps: list[object] = []
    for which in range(children):
        child = _child(which, len(steps) + 1, rounds, shared=shared)
        steps.append(CallStep(NUMBERS["clone"], (Pointer(64),), child=child))
    steps += [_call("wait4", _ANY, 0, 0)] * children + [_call("exit_group", 0)]
    out: list[str] = []
    writers: list[JsonTrace] = []

    def observe(system: System) -> None:
        writers.append(JsonTrace(system, out.append))
        system.observers.append(writers[0])

    system = boot_script(ScriptState(tuple(steps)), profile=SPEC, chooser=Seeded(seed), observe=observe)
    writers[0].close(system.run())
    return tuple(json.loads(line) for line in out)


def stretched(records: tuple[Record, ...], seed: int, most: int = 18) -> list[Record]:
    """The same run as one sees it whose calls last longer: they enter earlier and come back later, in the order of
    their threads.
    """
    draw = random.Random(seed).random
    events = [one for one in records[1:] if one["event"] in ("enter", "exit", "spawn", "exec", "end")]
    before: dict[int, int] = {}
    behind: dict[int, int] = {}
    last: dict[tuple[int, int], int] = {}
    for place, event in enumerate(events):
        thread = (event["cage"], event.get("tid", 1))
        if thread in last:
            before[place] = last[thread]
            behind[last[thread]] = place
        last[thread] = place
        if event["event"] == "spawn":
            last[event["child"], event.get("child_tid", 1)] = place

    def when(place: int) -> float:
        kind = events[place]["event"]
        if kind == "exit":
            return place + draw() * min((behind.get(place, len(events)) - place) / 2, most)
        if kind == "enter":
            return place - draw() * min((place - before.get(place, 0)) / 2, most)
        return place

    order = sorted(range(len(events)), key=lambda place: (when(place), place))
    head = {**records[0], "observes": ["enter", "exit", "spawn", "exec", "end", "outcome"]}
    moved = [{**events[place], "n": n} for n, place in enumerate(order, 1)]
    return [head, *({name: v for name, v in one.items() if name != "time"} for one in moved), records[-1]]


def _judged(records: list[Record], bounds: Bounds | None = None) -> Judgement:
    return judge(records, SPEC, world=World(mode="blank", unknown=False), bounds=bounds)


@pytest.mark.parametrize("shared", [False, True], ids=["apart", "one-file"])
@pytest.mark.parametrize("seed", range(3))
def test_calls_that_last_longer_are_allowed(seed: int, shared: bool) -> None:
    found = _judged(stretched(_run(3, 2, seed, shared=shared), seed))
    assert found.allowed, found


@pytest.mark.parametrize("call", ["read", "fstat", "open", "write"])
def test_what_no_order_explains_is_forbidden(call: str) -> None:
    """Whichever way calls overlap, none gives that result."""
    records = stretched(_run(3, 2, 1), 1)
    which = [record["call"] for record in records if record.get("name") == call][2]
    place = next(i for i, one in enumerate(records) if one.get("event") == "exit" and one["call"] == which)
    records[place] = {**records[place], "ret": 4711}
    found = _judged(records)
    assert found.verdict is Verdict.FORBIDDEN and found.line == place + 1 and found.rule


def test_independent_calls_cost_what_each_costs() -> None:
    """What is tried for a call does not grow with what else goes on that has nothing to do with it."""
    each = {}
    for children in (2, 4, 8):
        found = _judged(stretched(_run(children, 3, 7), children))
        assert found.allowed, found
        assert found.states <= 8
        each[children] = found.work / found.calls
    assert each[8] < 4 * each[2] + 8, each


def test_bounds_make_it_unknown() -> None:
    records = stretched(_run(3, 2, 1), 1)
    assert _judged(records, Bounds(work=5)).verdict is Verdict.UNKNOWN


def test_lines_sorted_by_thread_are_allowed() -> None:
    """Where only the order within each thread is known, some merging explains the run, its outcome too."""
    records = stretched(_run(2, 1, 7), 2)
    events = sorted(records[1:-1], key=lambda one: one["cage"])
    moved = [{name: v for name, v in one.items() if name != "n"} for one in events]
    found = _judged([{**records[0], "order": "thread"}, *moved, records[-1]])
    assert found.allowed, found
