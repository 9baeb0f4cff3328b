"""What ``lindref explore`` tells of outcomes: text for people, JSON, and one of them run again."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from lindref.explore import rounds
from lindref.explore.explain import Explained, Kind, explain_all
from lindref.explore.outcomes import Outcomes, Result, schedule
from lindref.explore.sampled import answers_of
from lindref.explore.turn import branch
from lindref.system import state as states
from lindref.system.choices import parse_schedule
from lindref.system.outcome import Ending
from lindref.system.system import System

Told = Mapping[Result, Explained]

#: What people call the kinds.
NAMES = {
    Kind.EXIT: "exit",
    Kind.SIGNAL: "ended by a signal",
    Kind.ASSERTION: "assertion failure",
    Kind.TRAP: "trap",
    Kind.LOAD: "load failure",
    Kind.DEADLOCK: "deadlock",
    Kind.LOST: "lost wake-up",
    Kind.LIVELOCK: "livelock",
    Kind.LIMIT: "limit",
    Kind.FAULT: "runtime fault",
}


def as_json(outcomes: Outcomes, told: Told) -> list[dict[str, Any]]:
    """The published form."""
    listed = []
    for one, (result, _) in zip(outcomes.as_json(), outcomes.sorted(), strict=True):
        explained = told[result]
        listed.append({**one, "kind": explained.kind.value, "explanation": explained.text})
    return listed


def report(outcomes: Outcomes, told: Told, write: Callable[[str], object]) -> None:
    """The outcomes for people."""
    if len(outcomes.found) > 1:
        write(f"{len(outcomes.found)} outcomes: what comes out depends on the schedule ({_kinds(told)})\n")
    for number, (result, found) in enumerate(outcomes.sorted(), 1):
        many = "1 schedule" if found.count == 1 else f"{found.count} schedules"
        explained = told[result]
        write(f"outcome {number}: {NAMES[explained.kind]}, exit status {result.exit_status}, {many}\n")
        write(f"  --replay '{schedule(found.answers)}'\n")
        for name, data in (("stdout", result.stdout), ("stderr", result.stderr)):
            for line in data.decode("utf-8", "backslashreplace").splitlines():
                write(f"  {name}: {line}\n")
        lines = explained.text.splitlines()
        if result.ending == Ending.DEADLOCK.value:
            lines = [*result.text.splitlines(), *lines]
        for line in lines:
            write(f"  {line}\n")


def _kinds(told: Told) -> str:
    """How many outcomes there are of each kind."""
    kinds = [explained.kind for explained in told.values()]
    return ", ".join(f"{kinds.count(kind)} {NAMES[kind]}" for kind in Kind if kind in kinds)


def replay(system: System, options: argparse.Namespace) -> int:
    """Run one schedule as ``lindref run`` would, or report it; the exit status."""
    answers = parse_schedule(options.replay)
    first = states.freeze(system)
    one = branch(first, system)
    result = rounds.run(one, answers)
    outcomes = Outcomes()
    outcomes.add(result, answers_of(one) if one.outcome is not None else answers)
    told = explain_all(system, outcomes)
    if options.json:
        sys.stdout.write(json.dumps(as_json(outcomes, told)) + "\n")
        return result.exit_status
    sys.stdout.buffer.write(result.stdout)
    sys.stdout.flush()
    sys.stderr.buffer.write(result.stderr)
    explained = told[result]
    ordinary = explained.kind in (Kind.EXIT, Kind.SIGNAL)
    if not ordinary or explained.text:
        text = result.text if result.ending == Ending.DEADLOCK.value else ""
        lines = [*text.splitlines(), *explained.text.splitlines()]
        sys.stderr.write(f"lindref explore: {NAMES[explained.kind]}{': ' if lines else ''}" + "\n".join(lines) + "\n")
    return result.exit_status
